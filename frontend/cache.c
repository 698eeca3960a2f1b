#include "frontend/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frontend/atomic.h"
#include "frontend/text.h"

#define ENDING ".tsrcache"
#define ALIGNMENT 64
#define MOST_BLOCKS ((uint64_t)1 << 20)
#define STEP ((size_t)8 << 20)

typedef struct head {
  char magic[16];
  uint64_t size, count; /* of the file, of blocks */
  tsr_digest id, sum;   /* sum: of the head without it and of the entries */
} head;

typedef struct entry {  /* in ascending order of offsets */
  tsr_digest name;
  uint64_t offset, size;
  tsr_digest sum;
} entry;

static const char magic[16] = "tsrun prepared1";

struct tsr_cache {
  const unsigned char *bytes;
  size_t size;
  const entry *entries; size_t count;
  int *state;  /* atomic, of each: 0 not looked at, 1 right, 2 wrong */
  int damaged; /* atomic */
};

/* ---- places ---- */

static char *path_of(const char *dir, tsr_digest file) {
  char *path;
  return asprintf(&path, "%s/%016llx%016llx" ENDING, dir, (unsigned long long)file.a, (unsigned long long)file.b) < 0 ? NULL : path;
}

static tsr_status fail_io(tsr_errrec *e, const char *what, const char *path) {
  char text[128];
  const char *why = strerror_r(errno, text, sizeof text);
  return tsr_fail(e, TSR_EIO, "cannot %s %s: %s", what, tsr_show(path, strlen(path)).text, why);
}

/* Nobody else can put anything into it. */
static tsr_status check_owner(const struct stat *s, const char *what, const char *path, tsr_errrec *e) {
  if (s->st_uid != geteuid() && s->st_uid != 0)
    return tsr_fail(e, TSR_EIO, "the cache %s %s belongs to another user", what, tsr_show(path, strlen(path)).text);
  if ((s->st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return tsr_fail(e, TSR_EIO, "other users may write the cache %s %s (mode %03o): chmod go-w", what, tsr_show(path, strlen(path)).text, (unsigned)s->st_mode & 0777);
  return TSR_OK;
}

static tsr_status check_folder(const char *dir, tsr_errrec *e) {
  struct stat s;
  if (stat(dir, &s) != 0) return fail_io(e, "use the cache folder", dir);
  if (!S_ISDIR(s.st_mode)) return tsr_fail(e, TSR_EIO, "the cache folder %s is no folder", tsr_show(dir, strlen(dir)).text);
  return check_owner(&s, "folder", dir, e);
}

/* ---- reading ---- */

static tsr_status bad(tsr_errrec *e, const char *path, const char *what) {
  return tsr_fail(e, TSR_EFORMAT, "the cache file %s %s", tsr_show(path, strlen(path)).text, what);
}

static tsr_digest sum_of(const head *h, const entry *entries) {
  tsr_digest d = {0};
  tsr_digest_add(&d, h, offsetof(head, sum));
  tsr_digest_add(&d, entries, h->count * sizeof *entries);
  return d;
}

/* Also whether it is for this id; *other: it is not. */
static tsr_status check(tsr_cache *c, tsr_digest id, const char *path, tsr_errrec *e, bool *other) {
  head h;
  if (c->size < sizeof h) return bad(e, path, "is cut short");
  memcpy(&h, c->bytes, sizeof h);
  if (memcmp(h.magic, magic, sizeof magic) != 0) return bad(e, path, "is not one of tsrun's");
  if (h.size != c->size) return bad(e, path, "is cut short, or longer than it says");
  if (h.count > MOST_BLOCKS || h.count > (c->size - sizeof h) / sizeof(entry)) return bad(e, path, "is damaged: its number of blocks");
  c->entries = (const entry *)(const void *)(c->bytes + sizeof h);
  c->count = h.count;
  if (!tsr_digest_same(sum_of(&h, c->entries), h.sum)) return bad(e, path, "is damaged: its table");
  *other = !tsr_digest_same(h.id, id);
  uint64_t end = sizeof h + h.count * sizeof(entry);
  for (size_t i = 0; i < c->count; i++) {
    const entry *n = &c->entries[i];
    if (n->offset < end || n->offset % ALIGNMENT != 0 || n->offset > c->size || n->size > c->size - n->offset) return bad(e, path, "is damaged: the place of a block");
    end = n->offset + n->size;
  }
  return TSR_OK;
}

static tsr_status map_file(tsr_cache *c, const char *path, int fd, tsr_errrec *e) {
  struct stat s;
  if (fstat(fd, &s) != 0) return fail_io(e, "read", path);
  if (!S_ISREG(s.st_mode)) return bad(e, path, "is no regular file");
  TSR_TRY(check_owner(&s, "file", path, e));
  if (s.st_size == 0) return bad(e, path, "is cut short");
  void *p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_SHARED, fd, 0);
  if (p == MAP_FAILED) return fail_io(e, "map", path);
  c->bytes = p;
  c->size = (size_t)s.st_size;
  (void)futimens(fd, NULL); /* used now; a folder that only root may write stays as it is */
  return TSR_OK;
}

tsr_cache *tsr_cache_open(const char *dir, tsr_digest file, tsr_digest id, tsr_errrec *e) {
  struct stat s;
  bool other = false;
  if (stat(dir, &s) != 0 && errno == ENOENT) return NULL; /* to be made */
  if (check_folder(dir, e) != TSR_OK) return NULL;
  char *path = path_of(dir, file);
  tsr_cache *c = calloc(1, sizeof *c);
  int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (path == NULL || c == NULL) tsr_fail_nomem(e);
  else if (fd >= 0 && map_file(c, path, fd, e) == TSR_OK) check(c, id, path, e, &other);
  else if (fd < 0 && errno != ENOENT) fail_io(e, "open", path);
  if (fd >= 0) close(fd);
  free(path);
  if (c != NULL && e->status == TSR_OK && fd >= 0 && !other) {
    c->state = calloc(c->count + 1, sizeof *c->state);
    if (c->state != NULL) return c;
    tsr_fail_nomem(e);
  }
  tsr_cache_close(c);
  return NULL;
}

void tsr_cache_close(tsr_cache *c) {
  if (c == NULL) return;
  if (c->bytes != NULL) munmap((void *)(uintptr_t)c->bytes, c->size);
  free(c->state);
  free(c);
}

bool tsr_cache_is_damaged(const tsr_cache *c) { return __atomic_load_n(&c->damaged, __ATOMIC_RELAXED) != 0; }

const void *tsr_cache_find(tsr_cache *c, tsr_digest name, size_t size) {
  for (size_t i = 0; i < c->count; i++) {
    const entry *n = &c->entries[i];
    if (!tsr_digest_same(n->name, name) || n->size != size) continue;
    int state = __atomic_load_n(&c->state[i], __ATOMIC_RELAXED);
    if (state == 0) {
      tsr_digest sum = {0};
      tsr_digest_add(&sum, c->bytes + n->offset, n->size);
      state = tsr_digest_same(sum, n->sum) ? 1 : 2;
      __atomic_store_n(&c->state[i], state, __ATOMIC_RELAXED);
      if (state == 2) __atomic_store_n(&c->damaged, 1, __ATOMIC_RELAXED);
    }
    return state == 1 ? c->bytes + n->offset : NULL;
  }
  return NULL;
}

void tsr_cache_enter(const tsr_cache *c, const int *stop) {
  (void)madvise((void *)(uintptr_t)c->bytes, c->size, MADV_WILLNEED);
#ifdef MADV_POPULATE_READ
  for (size_t at = 0; at < c->size && __atomic_load_n(stop, __ATOMIC_RELAXED) == 0; at += STEP)
    if (madvise((void *)(uintptr_t)(c->bytes + at), TSR_MIN(STEP, c->size - at), MADV_POPULATE_READ) != 0) return;
#else
  TSR_UNUSED(stop);
#endif
}

/* ---- room ---- */

typedef struct other { char name[64]; uint64_t size; struct timespec used; } other;

static int by_use(const void *a, const void *b) {
  const other *x = a, *y = b;
  if (x->used.tv_sec != y->used.tv_sec) return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
  return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

static bool is_ours(const char *name) {
  size_t len = strlen(name), hex = strspn(name, "0123456789abcdef");
  return hex == 32 && len < sizeof((other *)NULL)->name && strncmp(name + 32, ENDING, sizeof ENDING - 1) == 0; /* and what a killed process left */
}

/* The folder's files but one; NULL: none, or no memory. */
static other *list(DIR *d, const char *but, size_t *count) {
  other *all = NULL;
  *count = 0;
  for (struct dirent *n; (n = readdir(d)) != NULL;) {
    struct stat s;
    if (!is_ours(n->d_name) || strcmp(n->d_name, but) == 0 || fstatat(dirfd(d), n->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(s.st_mode)) continue;
    other *grown = realloc(all, (*count + 1) * sizeof *all);
    if (grown == NULL) break;
    all = grown;
    all[*count] = (other){.size = (uint64_t)s.st_size, .used = s.st_mtim};
    memcpy(all[(*count)++].name, n->d_name, strlen(n->d_name) + 1);
  }
  return all;
}

static void make_room(const char *dir, const char *but, uint64_t size, uint64_t limit) {
  DIR *d = opendir(dir);
  size_t count;
  uint64_t total = size;
  if (d == NULL) return;
  other *all = list(d, but, &count);
  if (count > 0) qsort(all, count, sizeof *all, by_use);
  for (size_t i = 0; i < count; i++) total += all[i].size;
  for (size_t i = 0; i < count && total > limit; i++)
    if (unlinkat(dirfd(d), all[i].name, 0) == 0) total -= all[i].size;
  free(all);
  closedir(d);
}

/* ---- writing ---- */

static tsr_status write_blocks(tsr_outfile *o, const head *h, const entry *entries, const tsr_cache_block *blocks, tsr_errrec *e) {
  static const char zeros[ALIGNMENT];
  uint64_t at = sizeof *h + h->count * sizeof *entries;
  TSR_TRY(tsr_outfile_write(o, e, h, sizeof *h));
  TSR_TRY(tsr_outfile_write(o, e, entries, h->count * sizeof *entries));
  for (size_t i = 0; i < h->count; i++) {
    TSR_TRY(tsr_outfile_write(o, e, zeros, entries[i].offset - at));
    TSR_TRY(tsr_outfile_write(o, e, blocks[i].data, blocks[i].size));
    at = entries[i].offset + entries[i].size;
  }
  return TSR_OK;
}

static void describe(head *h, entry *entries, const tsr_cache_block *blocks) {
  uint64_t at = sizeof *h + h->count * sizeof *entries;
  for (size_t i = 0; i < h->count; i++) {
    at = (at + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    entries[i] = (entry){.name = blocks[i].name, .offset = at, .size = blocks[i].size};
    tsr_digest_add(&entries[i].sum, blocks[i].data, blocks[i].size);
    at += blocks[i].size;
  }
  h->size = at;
  h->sum = sum_of(h, entries);
}

static tsr_status write_file(const char *path, const head *h, const entry *entries, const tsr_cache_block *blocks, tsr_errrec *e) {
  tsr_outfile o;
  TSR_TRY(tsr_outfile_open(&o, e, path));
  if (o.temp == NULL) tsr_fail(e, TSR_EIO, "%s is not a regular file", tsr_show(path, strlen(path)).text);
  else if (fchmod(o.fd, 0600) != 0) fail_io(e, "write", path);
  else write_blocks(&o, h, entries, blocks, e);
  o.no_sync = true; /* what a crash leaves of it is found out by its sums */
  if (e->status == TSR_OK) return tsr_outfile_commit(&o, e);
  tsr_outfile_abort(&o);
  return e->status;
}

tsr_status tsr_cache_write(const char *dir, tsr_digest file, tsr_digest id, const tsr_cache_block *blocks, size_t count, uint64_t limit, tsr_errrec *e) {
  if (mkdir(dir, 0700) != 0 && errno != EEXIST) return fail_io(e, "make the cache folder", dir);
  TSR_TRY(check_folder(dir, e));
  head h = {.count = count, .id = id};
  memcpy(h.magic, magic, sizeof magic);
  entry *entries = calloc(count + 1, sizeof *entries);
  char *path = path_of(dir, file);
  if (entries == NULL || path == NULL) {
    tsr_fail_nomem(e);
  } else {
    describe(&h, entries, blocks);
    if (h.size <= limit) make_room(dir, strrchr(path, '/') + 1, h.size, limit);
    if (h.size > limit) tsr_fail(e, TSR_EIO, "prepared weights of %llu bytes are more than the cache's limit of %llu", (unsigned long long)h.size, (unsigned long long)limit);
    else write_file(path, &h, entries, blocks, e);
  }
  free(entries);
  free(path);
  return e->status;
}
