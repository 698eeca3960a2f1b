/* The container: maps a file, indexes its zip entries, reads them.  The only file that includes zip.h.
 *
 * zipdir.c reads the directory for offsets; libzip reads it too, checks it and inflates.  The two must
 * agree, so that no file means one thing to tsrun and another to zip tools. */
#include "frontend/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "core/threads.h"
#include "frontend/detect.h"
#include "frontend/pour.h"
#include "frontend/text.h"
#include "frontend/zipdir.h"

#define MAX_INFLATED ((uint64_t)256 << 20) /* all cached entries together */
#define ALIGNMENT 64

struct tsr_archive {
  uint32_t refs;
  tsr_file_kind kind;
  char *path; /* NULL: memory or fd */
  const uint8_t *bytes;
  size_t len;
  enum { BYTES_BORROWED, BYTES_MAPPED, BYTES_MALLOC } own;
  uint64_t device, inode, seconds, nanos; /* of the mapped file */
  bool raw; /* the zip's entries are not wanted */
  tsr_zipent *ents;
  size_t count;
  char *root;
  size_t skip; /* root and slash */
  int version;
  bool odd_version, odd_order; /* such records are there, and say nothing known */
  bool big_endian, has_code;
  void **cache;     /* inflated bytes of an entry, or NULL */
  uint8_t *checked; /* CRC of a stored entry was found right */
  uint64_t inflated;
  uint32_t *index; /* name -> entry + 1, open addressing */
  size_t index_cap;
  zip_t *zip;
  tsr_lock *lock; /* libzip and the cache belong to one thread at a time */
};

/* ---- life ---- */

static void dispose(tsr_archive *a) {
  if (a->zip != NULL) zip_discard(a->zip);
  for (size_t i = 0; a->cache != NULL && i < a->count; i++) free(a->cache[i]);
  free(a->cache);
  free(a->checked);
  free(a->index);
  free(a->ents);
  free(a->root);
  free(a->path);
  if (a->own == BYTES_MAPPED) munmap((void *)(uintptr_t)a->bytes, a->len);
  if (a->own == BYTES_MALLOC) free((void *)(uintptr_t)a->bytes);
  if (a->lock != NULL) tsr_lock_free(a->lock);
  free(a);
}

void tsr_archive_retain(tsr_archive *a) { __atomic_fetch_add(&a->refs, 1, __ATOMIC_RELAXED); }

void tsr_archive_release(tsr_archive *a) {
  if (a != NULL && __atomic_sub_fetch(&a->refs, 1, __ATOMIC_ACQ_REL) == 0) dispose(a);
}

static tsr_status fail_io(tsr_errrec *e, const tsr_archive *a, const char *what) {
  char text[128];
  const char *why = strerror_r(errno, text, sizeof text);
  const char *path = a->path != NULL ? a->path : "the file";
  return tsr_fail(e, TSR_EIO, "cannot %s %s: %s", what, tsr_show(path, strlen(path)).text, why);
}

/* ---- index of names ---- */

static uint32_t hash_name(const char *s, size_t len) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < len; i++) h = (h ^ (uint8_t)s[i]) * 16777619u;
  return h;
}

static bool is_outside(const tsr_archive *a, const tsr_zipent *t) {
  return a->skip != 0 &&
         (t->name_len <= a->skip || t->name[a->skip - 1] != '/' || memcmp(t->name, a->root, a->skip - 1) != 0);
}

static bool build_index(tsr_archive *a) {
  a->index_cap = 16;
  while (a->index_cap < a->count * 2) a->index_cap *= 2;
  a->index = calloc(a->index_cap, sizeof *a->index);
  if (a->index == NULL) return false;
  for (size_t i = 0; i < a->count; i++) {
    const tsr_zipent *t = &a->ents[i];
    if (is_outside(a, t)) continue;
    size_t slot = hash_name(t->name + a->skip, t->name_len - a->skip);
    while (a->index[slot &= a->index_cap - 1] != 0) slot++;
    a->index[slot] = (uint32_t)i + 1;
  }
  return true;
}

static bool find(const tsr_archive *a, const char *name, size_t len, size_t *index) {
  if (a->index == NULL) return false;
  for (size_t slot = hash_name(name, len);; slot++) {
    uint32_t found = a->index[slot &= a->index_cap - 1];
    if (found == 0) return false;
    const tsr_zipent *t = &a->ents[found - 1];
    if (t->name_len - a->skip == len && memcmp(t->name + a->skip, name, len) == 0) {
      *index = found - 1;
      return true;
    }
  }
}

bool tsr_archive_find(const tsr_archive *a, const char *name, size_t *index) {
  return find(a, name, strlen(name), index);
}

/* ---- libzip ---- */

static tsr_status fail_zip(tsr_errrec *e, zip_error_t *error) {
  bool nomem = zip_error_code_zip(error) == ZIP_ER_MEMORY;
  tsr_status st = nomem ? tsr_fail_nomem(e) : tsr_fail(e, TSR_EFORMAT, "bad zip file: %s", zip_error_strerror(error));
  zip_error_fini(error);
  return st;
}

static tsr_status open_libzip(tsr_archive *a, tsr_errrec *e) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t *source = zip_source_buffer_create(a->bytes, a->len, 0, &error);
  if (source == NULL) return fail_zip(e, &error);
  a->zip = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
  if (a->zip == NULL) {
    zip_source_free(source);
    return fail_zip(e, &error);
  }
  zip_error_fini(&error);
  bool same = zip_get_num_entries(a->zip, 0) == (zip_int64_t)a->count;
  for (size_t i = 0; same && i < a->count; i++) {
    const tsr_zipent *t = &a->ents[i];
    zip_stat_t s;
    same = zip_stat_index(a->zip, i, ZIP_FL_ENC_RAW, &s) == 0 && (s.valid & ZIP_STAT_NAME) != 0 &&
           strlen(s.name) == t->name_len && memcmp(s.name, t->name, t->name_len) == 0 && s.size == t->usize &&
           s.comp_size == t->csize && s.comp_method == t->method;
  }
  return same ? TSR_OK : tsr_fail(e, TSR_EFORMAT, "bad zip file: its directory can be read in two ways");
}

/* ---- reading entries ---- */

static tsr_status bad_entry(tsr_errrec *e, const tsr_zipent *t, const char *what) {
  return tsr_fail(e, TSR_EFORMAT, "bad zip file: entry \"%s\": %s", tsr_show(t->name, t->name_len).text, what);
}

/* Stream an entry through libzip: into dst, or for its checksum only when dst is NULL.  libzip does not
 * hold a deflated entry to its declared size, so one byte more is asked for.  An archive written
 * without checksums has CRC 0 everywhere: that one mismatch is forgiven once every byte is there. */
static tsr_status stream(tsr_archive *a, size_t i, tsr_errrec *e, uint8_t *dst) {
  const tsr_zipent *t = &a->ents[i];
  zip_file_t *f = zip_fopen_index(a->zip, i, 0);
  if (f == NULL)
    return zip_error_code_zip(zip_get_error(a->zip)) == ZIP_ER_MEMORY ? tsr_fail_nomem(e)
                                                                      : bad_entry(e, t, "cannot be opened");
  uint8_t scratch[16384];
  uint64_t got = 0;
  zip_int64_t n = 1;
  while (got < t->usize && n > 0) {
    uint64_t want = TSR_MIN(t->usize - got, dst != NULL ? (uint64_t)1 << 30 : sizeof scratch);
    n = zip_fread(f, dst != NULL ? dst + got : scratch, want);
    if (n > 0) got += (uint64_t)n;
  }
  if (got == t->usize) n = zip_fread(f, scratch, 1);
  int code = n < 0 ? zip_error_code_zip(zip_file_get_error(f)) : ZIP_ER_OK;
  zip_fclose(f);
  if (code == ZIP_ER_MEMORY) return tsr_fail_nomem(e);
  if (code == ZIP_ER_CRC && t->crc == 0) code = ZIP_ER_OK;
  if (code == ZIP_ER_CRC) return bad_entry(e, t, "its checksum is wrong (the file is damaged)");
  if (code != ZIP_ER_OK) return bad_entry(e, t, "its compressed data is damaged");
  if (n > 0) return bad_entry(e, t, "it is longer than it says");
  return got == t->usize ? TSR_OK : bad_entry(e, t, "it is shorter than it says");
}

static bool is_tensor(const tsr_archive *a, const tsr_zipent *t) {
  return a->kind != TSR_FILE_NPZ && !is_outside(a, t) &&
         tsr_detect_is_storage(t->name + a->skip, t->name_len - a->skip);
}

static tsr_status read_stored(tsr_archive *a, size_t i, tsr_errrec *e) {
  const tsr_zipent *t = &a->ents[i];
  if (a->checked[i] || t->crc == 0 || is_tensor(a, t)) return TSR_OK;
  TSR_TRY(stream(a, i, e, NULL));
  a->checked[i] = 1;
  return TSR_OK;
}

static tsr_status read_deflated(tsr_archive *a, size_t i, tsr_errrec *e) {
  const tsr_zipent *t = &a->ents[i];
  if (a->cache[i] != NULL) return TSR_OK;
  if (t->usize > MAX_INFLATED - a->inflated)
    return tsr_fail(e, TSR_ELIMIT, "compressed entries inflate to more than %llu bytes",
                    (unsigned long long)MAX_INFLATED);
  void *data = malloc(t->usize + 1);
  if (data == NULL) return tsr_fail_nomem(e);
  tsr_status st = stream(a, i, e, data);
  if (st != TSR_OK) {
    free(data);
    return st;
  }
  a->cache[i] = data;
  a->inflated += t->usize;
  return TSR_OK;
}

tsr_status tsr_archive_read(tsr_archive *a, size_t i, tsr_errrec *e, const void **data, size_t *len) {
  const tsr_zipent *t = &a->ents[i];
  bool stored = t->method == TSR_ZIP_STORED;
  tsr_lock_enter(a->lock);
  tsr_status st = stored ? read_stored(a, i, e) : read_deflated(a, i, e);
  *data = stored ? a->bytes + t->data_off : a->cache[i];
  *len = t->usize;
  tsr_lock_leave(a->lock);
  return st;
}

tsr_status tsr_archive_peek(tsr_archive *a, size_t i, tsr_errrec *e, const void **data, size_t *len) {
  const tsr_zipent *t = &a->ents[i];
  if (t->method != TSR_ZIP_STORED) return tsr_fail(e, TSR_EINTERNAL, "a compressed entry has no bytes to point at");
  *data = a->bytes + t->data_off;
  *len = t->usize;
  return TSR_OK;
}

tsr_status tsr_archive_read_into(tsr_archive *a, size_t i, tsr_errrec *e, void *dst, size_t size) {
  const tsr_zipent *t = &a->ents[i];
  if (size != t->usize)
    return tsr_fail(e, TSR_EINTERNAL, "entry of %llu bytes read into %zu", (unsigned long long)t->usize, size);
  tsr_lock_enter(a->lock);
  tsr_status st = TSR_OK;
  if (t->method == TSR_ZIP_STORED) {
    st = read_stored(a, i, e);
    if (st == TSR_OK && size != 0) memcpy(dst, a->bytes + t->data_off, size);
  } else {
    st = stream(a, i, e, dst);
  }
  tsr_lock_leave(a->lock);
  return st;
}

tsr_status tsr_archive_read_head(tsr_archive *a, size_t i, tsr_errrec *e, void *dst, size_t size, size_t *got) {
  const tsr_zipent *t = &a->ents[i];
  size_t want = TSR_MIN(size, t->usize);
  *got = 0;
  if (t->method == TSR_ZIP_STORED) {
    memcpy(dst, a->bytes + t->data_off, want);
    *got = want;
    return TSR_OK;
  }
  tsr_lock_enter(a->lock);
  zip_file_t *f = zip_fopen_index(a->zip, i, 0);
  zip_int64_t n = f != NULL ? 1 : -1;
  while (*got < want && n > 0) {
    n = zip_fread(f, (char *)dst + *got, want - *got);
    if (n > 0) *got += (size_t)n;
  }
  if (f != NULL) zip_fclose(f);
  tsr_lock_leave(a->lock);
  return *got == want ? TSR_OK : bad_entry(e, t, "its compressed data is damaged");
}

tsr_status tsr_archive_verify(tsr_archive *a, size_t i, tsr_errrec *e) {
  tsr_lock_enter(a->lock);
  tsr_status st = a->ents[i].method == TSR_ZIP_STORED && a->ents[i].crc == 0 ? TSR_OK : stream(a, i, e, NULL);
  tsr_lock_leave(a->lock);
  return st;
}

bool tsr_archive_identify(const tsr_archive *a, tsr_digest *where, tsr_digest *what) {
  if (a->own != BYTES_MAPPED || a->count == 0) return false;
  tsr_digest_int(where, a->device);
  tsr_digest_int(where, a->inode);
  tsr_digest_int(what, a->len);
  tsr_digest_int(what, a->seconds);
  tsr_digest_int(what, a->nanos);
  for (size_t i = 0; i < a->count; i++) {
    const tsr_zipent *t = &a->ents[i];
    uint64_t numbers[] = {t->crc, t->csize, t->usize, t->data_off, t->method};
    tsr_digest_add(what, t->name, t->name_len);
    tsr_digest_add(what, numbers, sizeof numbers);
  }
  return true;
}

/* ---- opening ---- */

static void read_small_records(tsr_archive *a) {
  size_t i, len;
  const void *data;
  tsr_errrec scratch = {0};
  if ((tsr_archive_find(a, ".data/version", &i) || tsr_archive_find(a, "version", &i)) && a->ents[i].usize < 32 &&
      tsr_archive_read(a, i, &scratch, &data, &len) == TSR_OK) {
    const char *p = data;
    int v = 0;
    size_t n = 0;
    while (n < len && n < 6 && p[n] >= '0' && p[n] <= '9') v = v * 10 + (p[n++] - '0');
    if (n > 0 && (n == len || p[n] == '\n' || p[n] == '\r')) a->version = v;
    a->odd_version = a->version < 1 || a->version > TSR_MAX_FORMAT;
  }
  if (tsr_archive_find(a, "byteorder", &i) && a->ents[i].usize < 32 &&
      tsr_archive_read(a, i, &scratch, &data, &len) == TSR_OK)
  {
    a->big_endian = len >= 3 && memcmp(data, "big", 3) == 0;
    a->odd_order = !a->big_endian && (len < 6 || memcmp(data, "little", 6) != 0);
  }
  tsr_errrec_dispose(&scratch);
}

static tsr_status open_zip(tsr_archive *a, tsr_errrec *e) {
  bool no_end;
  tsr_errrec inner = {0};
  tsr_status st = tsr_zipdir_parse(a->bytes, a->len, &inner, &a->ents, &a->count, &no_end);
  if (st != TSR_OK) {
    if (no_end && st == TSR_EFORMAT)
      a->kind = TSR_FILE_TRUNCATED_ZIP;
    else if (inner.message != NULL)
      tsr_fail(e, st, "%s", inner.message);
    else
      tsr_fail_nomem(e);
    tsr_errrec_dispose(&inner);
    return a->kind == TSR_FILE_TRUNCATED_ZIP ? TSR_OK : st;
  }
  tsr_zip_kind k;
  tsr_detect_zip(a->ents, a->count, &k);
  a->kind = k.kind;
  a->has_code = k.has_code;
  a->root = strndup(k.root, k.root_len);
  a->skip = k.root_len == 0 ? 0 : k.root_len + 1;
  a->cache = calloc(a->count + 1, sizeof *a->cache);
  a->checked = calloc(a->count + 1, 1);
  if (a->root == NULL || a->cache == NULL || a->checked == NULL || !build_index(a)) return tsr_fail_nomem(e);
  TSR_TRY(open_libzip(a, e));
  read_small_records(a);
  return TSR_OK;
}

static tsr_archive *archive_new(const char *path, tsr_errrec *e) {
  tsr_archive *a = calloc(1, sizeof *a);
  if (a != NULL) {
    a->refs = 1;
    a->lock = tsr_lock_new();
    a->path = path != NULL ? strdup(path) : NULL;
  }
  if (a == NULL || a->lock == NULL || (path != NULL && a->path == NULL)) {
    if (a != NULL) dispose(a);
    tsr_fail_nomem(e);
    return NULL;
  }
  return a;
}

/* Index what the bytes hold; takes a. */
static tsr_status finish(tsr_archive *a, tsr_errrec *e, tsr_archive **out) {
  if (a->kind != TSR_FILE_DIRECTORY) a->kind = tsr_detect_bytes(a->bytes, a->len);
  tsr_status st = a->kind == TSR_FILE_ZIP && !a->raw ? open_zip(a, e) : TSR_OK;
  if (st != TSR_OK) {
    dispose(a);
    return st;
  }
  *out = a;
  return TSR_OK;
}

/* What a pipe brings may have no end: it is read on only while it looks like a file of some kind. */
static bool leads_nowhere(const uint8_t *data, size_t len) { return len >= (size_t)64 << 20 && tsr_detect_bytes(data, len) == TSR_FILE_UNKNOWN; }

/* Pipes, and files that are to be read rather than mapped. */
static tsr_status read_all(tsr_archive *a, int fd, size_t guess, bool ends, tsr_errrec *e) {
  size_t cap = guess + 1, len = 0;
  uint8_t *data = malloc(cap);
  while (data != NULL) {
    ssize_t n = read(fd, data + len, TSR_MIN(cap - len, (size_t)1 << 30));
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      free(data);
      return fail_io(e, a, "read");
    }
    len += (size_t)n;
    if (len < cap) continue;
    if (!ends && leads_nowhere(data, len)) break;
    uint8_t *grown = cap <= SIZE_MAX / 2 ? realloc(data, cap * 2) : NULL;
    if (grown == NULL) {
      free(data);
      return tsr_fail_nomem(e);
    }
    data = grown;
    cap *= 2;
  }
  if (data == NULL) return tsr_fail_nomem(e);
  a->own = BYTES_MALLOC;
  a->bytes = data;
  a->len = len;
  return TSR_OK;
}

/* /dev/null is an empty file, other devices are none. */
static tsr_status check_device(tsr_archive *a, int fd, tsr_errrec *e) {
  char byte;
  if (read(fd, &byte, 1) == 0) return TSR_OK;
  const char *path = a->path != NULL ? a->path : "the file";
  return tsr_fail(e, TSR_EFORMAT, "%s is a device: give a file or a pipe", tsr_show(path, strlen(path)).text);
}

static tsr_status load_fd(tsr_archive *a, int fd, bool no_mmap, tsr_errrec *e) {
  struct stat s;
  if (fstat(fd, &s) != 0) return fail_io(e, a, "open");
  if (S_ISDIR(s.st_mode)) {
    a->kind = TSR_FILE_DIRECTORY;
    return TSR_OK;
  }
  bool regular = S_ISREG(s.st_mode);
  if (regular && s.st_size == 0) return TSR_OK;
  if (S_ISCHR(s.st_mode) || S_ISBLK(s.st_mode)) return check_device(a, fd, e);
  if (regular && !no_mmap) {
    void *p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p != MAP_FAILED) {
      a->own = BYTES_MAPPED;
      a->device = (uint64_t)s.st_dev;
      a->inode = (uint64_t)s.st_ino;
      a->seconds = (uint64_t)s.st_mtim.tv_sec;
      a->nanos = (uint64_t)s.st_mtim.tv_nsec;
      a->bytes = p;
      a->len = (size_t)s.st_size;
      return TSR_OK;
    }
  }
  if (regular && lseek(fd, 0, SEEK_SET) < 0) return fail_io(e, a, "read");
  return read_all(a, fd, regular ? (size_t)s.st_size : 65535, regular, e);
}

static tsr_status open_from(tsr_archive *a, int fd, bool no_mmap, tsr_errrec *e, tsr_archive **out) {
  tsr_status st = load_fd(a, fd, no_mmap, e);
  if (st != TSR_OK) {
    dispose(a);
    return st;
  }
  return finish(a, e, out);
}

enum { OPEN_NO_MMAP = 1, OPEN_RAW = 2, OPEN_REGULAR = 4 };

static bool is_regular(int fd) {
  struct stat s;
  return fstat(fd, &s) == 0 && (S_ISREG(s.st_mode) || S_ISDIR(s.st_mode));
}

static tsr_status open_path(const char *path, int how, tsr_errrec *e, tsr_archive **out) {
  *out = NULL;
  bool standard = strcmp(path, "-") == 0;
  tsr_archive *a = archive_new(standard ? "standard input" : path, e);
  if (a == NULL) return TSR_ENOMEM;
  a->raw = (how & OPEN_RAW) != 0;
  int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | (how & OPEN_REGULAR ? O_NONBLOCK : 0)); /* a pipe would wait for its writer */
  tsr_status st = TSR_OK;
  if (fd < 0) st = fail_io(e, a, "open");
  else if ((how & OPEN_REGULAR) && !is_regular(fd)) st = tsr_fail(e, TSR_EFORMAT, "%s is a pipe or a device, not a file", tsr_show(path, strlen(path)).text);
  if (st != TSR_OK) dispose(a);
  else st = open_from(a, fd, (how & OPEN_NO_MMAP) != 0, e, out);
  if (fd >= 0) close(fd);
  return st;
}

tsr_status tsr_archive_open(const char *path, bool no_mmap, tsr_errrec *e, tsr_archive **out) {
  return open_path(path, no_mmap ? OPEN_NO_MMAP : 0, e, out);
}

tsr_status tsr_archive_open_raw(const char *path, tsr_errrec *e, tsr_archive **out) { return open_path(path, OPEN_RAW, e, out); }

tsr_status tsr_archive_open_regular(const char *path, tsr_errrec *e, tsr_archive **out) { return open_path(path, OPEN_REGULAR, e, out); }

tsr_status tsr_archive_open_fd(int fd, bool no_mmap, tsr_errrec *e, tsr_archive **out) {
  *out = NULL;
  tsr_archive *a = archive_new(NULL, e);
  return a == NULL ? TSR_ENOMEM : open_from(a, fd, no_mmap, e, out);
}

tsr_status tsr_archive_open_memory(const void *data, size_t len, tsr_errrec *e, tsr_archive **out) {
  *out = NULL;
  tsr_archive *a = archive_new(NULL, e);
  if (a == NULL) return TSR_ENOMEM;
  a->bytes = data;
  a->len = len;
  return finish(a, e, out);
}

/* ---- facts ---- */

tsr_file_kind tsr_archive_kind(const tsr_archive *a) { return a->kind; }
const char *tsr_archive_path(const tsr_archive *a) { return a->path; }
const char *tsr_archive_root(const tsr_archive *a) { return a->root != NULL ? a->root : ""; }
int tsr_archive_version(const tsr_archive *a) { return a->version; }

tsr_status tsr_archive_check_format(const tsr_archive *a, tsr_errrec *e) {
  const char *path = a->path != NULL ? a->path : "the file";
  if (a->odd_order) return tsr_fail(e, TSR_EFORMAT, "%s: its byteorder record names neither little nor big", path);
  if (!a->odd_version) return TSR_OK;
  if (a->version <= TSR_MAX_FORMAT) return tsr_fail(e, TSR_EFORMAT, "%s: its version record is no number from 1 to %d", path, TSR_MAX_FORMAT);
  return tsr_fail(e, TSR_EUNSUPPORTED, "%s has format version %d: a PyTorch later than 2.13 wrote it, and versions 1 to %d are read; save it again with PyTorch 2.13 or before", path,
                  a->version, TSR_MAX_FORMAT);
}
bool tsr_archive_is_big_endian(const tsr_archive *a) { return a->big_endian; }
bool tsr_archive_has_code(const tsr_archive *a) { return a->has_code; }
size_t tsr_archive_entry_count(const tsr_archive *a) { return a->count; }

void tsr_archive_fetch(tsr_archive *a, const void *data, size_t len) {
#ifdef MADV_POPULATE_READ
  uintptr_t at = (uintptr_t)data, begin = (uintptr_t)a->bytes, page = (uintptr_t)sysconf(_SC_PAGESIZE);
  if (a->own != BYTES_MAPPED || at < begin || at - begin > a->len || len > a->len - (at - begin)) return;
  uintptr_t first = at / page * page;
  madvise((void *)first, at + len - first, MADV_POPULATE_READ);
#endif
}

void tsr_archive_expect(const tsr_archive *a) {
  if (a->own == BYTES_MAPPED) (void)madvise((void *)(uintptr_t)a->bytes, a->len, MADV_WILLNEED);
}

void tsr_archive_forget(tsr_archive *a, const void *data, size_t len) {
  uintptr_t at = (uintptr_t)data, begin = (uintptr_t)a->bytes, page = (uintptr_t)sysconf(_SC_PAGESIZE);
  if (a->own != BYTES_MAPPED || at < begin || at - begin > a->len || len > a->len - (at - begin)) return;
  uintptr_t first = (at + page - 1) / page * page, last = (at + len) / page * page;
  if (first < last) madvise((void *)first, last - first, MADV_DONTNEED);
}

const void *tsr_archive_bytes(const tsr_archive *a, size_t *len) {
  *len = a->len;
  return a->bytes;
}

void tsr_archive_entry(const tsr_archive *a, size_t i, tsr_entry_info *out) {
  const tsr_zipent *t = &a->ents[i];
  out->outside = is_outside(a, t);
  size_t skip = out->outside ? 0 : a->skip;
  out->name = t->name + skip;
  out->name_len = t->name_len - skip;
  out->size = t->usize;
  out->stored = t->method == TSR_ZIP_STORED;
}

/* ---- writing ---- */

struct tsr_zip_writer {
  int fd;
  const char *name;
  bool written; /* finish has begun: the file exists for libzip */
  uint64_t pos;
  uint64_t predicted; /* offset of the next local header, for the padding */
  zip_t *zip;
  zip_error_t error;
};

/* All of it, or -1: libzip takes less for an error of its own. */
static zip_int64_t write_all(tsr_zip_writer *w, const void *data, uint64_t len) {
  for (uint64_t done = 0; done < len;) {
    ssize_t n = pwrite(w->fd, (const char *)data + done, TSR_MIN(len - done, (uint64_t)1 << 30), (off_t)w->pos);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      zip_error_set(&w->error, ZIP_ER_WRITE, n < 0 ? errno : ENOSPC);
      return -1;
    }
    w->pos += (uint64_t)n;
    done += (uint64_t)n;
  }
  return (zip_int64_t)len;
}

/* The zip's target as libzip sees it: a file that does not exist until it is written. */
static zip_int64_t on_source(void *user, void *data, zip_uint64_t len, zip_source_cmd_t cmd) {
  tsr_zip_writer *w = user;
  switch (cmd) {
  case ZIP_SOURCE_SUPPORTS:
    return zip_source_make_command_bitmap(ZIP_SOURCE_SUPPORTS, ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                          ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK,
                                          ZIP_SOURCE_TELL, ZIP_SOURCE_BEGIN_WRITE, ZIP_SOURCE_COMMIT_WRITE,
                                          ZIP_SOURCE_ROLLBACK_WRITE, ZIP_SOURCE_WRITE, ZIP_SOURCE_SEEK_WRITE,
                                          ZIP_SOURCE_TELL_WRITE, ZIP_SOURCE_REMOVE, -1);
  case ZIP_SOURCE_STAT: {
    zip_stat_t *s = data;
    zip_stat_init(s);
    s->valid = ZIP_STAT_SIZE;
    s->size = 0;
    return sizeof *s;
  }
  case ZIP_SOURCE_ERROR:
    return zip_error_to_data(&w->error, data, len);
  case ZIP_SOURCE_BEGIN_WRITE:
    w->pos = 0;
    w->written = true;
    return 0;
  case ZIP_SOURCE_WRITE:
    return write_all(w, data, len);
  case ZIP_SOURCE_TELL_WRITE:
    return (zip_int64_t)w->pos;
  case ZIP_SOURCE_SEEK_WRITE: {
    zip_int64_t to = zip_source_seek_compute_offset(w->pos, (zip_uint64_t)INT64_MAX, data, len, &w->error);
    if (to < 0) return -1;
    w->pos = (uint64_t)to;
    return 0;
  }
  case ZIP_SOURCE_OPEN:
  case ZIP_SOURCE_CLOSE:
  case ZIP_SOURCE_READ:
  case ZIP_SOURCE_SEEK:
  case ZIP_SOURCE_TELL:
  case ZIP_SOURCE_COMMIT_WRITE:
  case ZIP_SOURCE_ROLLBACK_WRITE:
  case ZIP_SOURCE_REMOVE:
  case ZIP_SOURCE_FREE:
    return 0;
  default:
    zip_error_set(&w->error, ZIP_ER_OPNOTSUPP, 0);
    return -1;
  }
}

tsr_status tsr_zip_writer_new(int fd, const char *name, tsr_errrec *e, tsr_zip_writer **out) {
  zip_error_t error;
  zip_error_init(&error);
  tsr_zip_writer *w = calloc(1, sizeof *w);
  *out = w;
  if (w == NULL) return tsr_fail_nomem(e);
  w->fd = fd;
  w->name = strcmp(name, "-") == 0 ? "stdout" : name;
  zip_error_init(&w->error);
  zip_source_t *source = zip_source_function_create(on_source, w, &error);
  w->zip = source != NULL ? zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &error) : NULL;
  if (w->zip != NULL) {
    zip_error_fini(&error);
    return TSR_OK;
  }
  if (source != NULL) zip_source_free(source);
  free(w);
  *out = NULL;
  return fail_zip(e, &error);
}

void tsr_zip_writer_free(tsr_zip_writer *w) {
  if (w == NULL) return;
  if (w->zip != NULL) zip_discard(w->zip);
  zip_error_fini(&w->error);
  free(w);
}

/* Fill the local header with an extra field (id "FB", as PyTorch's writer does) so that the data
 * starts at a multiple of 64.  Readers may not rely on it; mapped tensors gain from it. */
static void pad(tsr_zip_writer *w, zip_uint64_t at, const char *name, uint64_t len) {
  static const uint8_t filler[ALIGNMENT];
  uint64_t data = w->predicted + 30 + strlen(name) + 4 + (len >= UINT32_MAX ? 20 : 0); /* 20: the sizes in 64 bits */
  uint16_t fill = (uint16_t)((ALIGNMENT - data % ALIGNMENT) % ALIGNMENT);
  if (zip_file_extra_field_set(w->zip, at, 0x4246, 0, filler, fill, ZIP_FL_LOCAL) == 0)
    data += fill;
  w->predicted = data + len;
}

static tsr_status fail_add(tsr_zip_writer *w, tsr_errrec *e, const char *name) {
  return tsr_fail(e, TSR_EIO, "cannot add %s to the zip: %s", tsr_show(name, strlen(name)).text, zip_strerror(w->zip));
}

/* source is taken. */
static tsr_status add_stored(tsr_zip_writer *w, tsr_errrec *e, const char *name, zip_source_t *source, uint64_t len) {
  zip_int64_t at = source != NULL ? zip_file_add(w->zip, name, source, ZIP_FL_ENC_UTF_8) : -1;
  if (at < 0 && source != NULL) zip_source_free(source);
  if (at < 0 || zip_set_file_compression(w->zip, (zip_uint64_t)at, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(w->zip, (zip_uint64_t)at, 0, 0x21, 0) != 0) /* 1980-01-01: the same bytes every time */
    return fail_add(w, e, name);
  pad(w, (zip_uint64_t)at, name, len);
  return TSR_OK;
}

tsr_status tsr_zip_writer_add(tsr_zip_writer *w, tsr_errrec *e, const char *name, const void *data, size_t len) {
  return add_stored(w, e, name, zip_source_buffer(w->zip, data, len, 0), len);
}

typedef struct part_source {
  tsr_zip_part part;
  tsr_pour *pour; /* while open */
  uint64_t size, head_at;
  size_t head_len;
  zip_error_t error;
  uint8_t head[];
} part_source;

static zip_int64_t read_part(part_source *p, uint8_t *dst, uint64_t len) {
  uint64_t done = TSR_MIN(len, p->head_len - p->head_at);
  const void *bytes;
  if (done > 0) memcpy(dst, p->head + p->head_at, done);
  p->head_at += done;
  for (size_t n; p->pour != NULL && done < len && (n = tsr_pour_next(p->pour, len - done, &bytes)) > 0; done += n) memcpy(dst + done, bytes, n);
  return (zip_int64_t)done;
}

static zip_int64_t on_part(void *user, void *data, zip_uint64_t len, zip_source_cmd_t cmd) {
  part_source *p = user;
  switch (cmd) {
  case ZIP_SOURCE_SUPPORTS:
    return zip_source_make_command_bitmap(ZIP_SOURCE_SUPPORTS, ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
                                          ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
  case ZIP_SOURCE_OPEN:
    p->head_at = 0;
    if (p->size > 0 && p->part.open(p->part.user, &p->pour) != TSR_OK) {
      zip_error_set(&p->error, ZIP_ER_READ, 0);
      return -1;
    }
    return 0;
  case ZIP_SOURCE_READ:
    return read_part(p, data, len);
  case ZIP_SOURCE_CLOSE:
    tsr_pour_close(p->pour);
    p->pour = NULL;
    return 0;
  case ZIP_SOURCE_STAT: {
    zip_stat_t *s = data;
    zip_stat_init(s);
    s->valid = ZIP_STAT_SIZE;
    s->size = p->head_len + p->size;
    return sizeof *s;
  }
  case ZIP_SOURCE_ERROR:
    return zip_error_to_data(&p->error, data, len);
  case ZIP_SOURCE_FREE:
    tsr_pour_close(p->pour);
    zip_error_fini(&p->error);
    free(p);
    return 0;
  default:
    zip_error_set(&p->error, ZIP_ER_OPNOTSUPP, 0);
    return -1;
  }
}

tsr_status tsr_zip_writer_add_part(tsr_zip_writer *w, tsr_errrec *e, const char *name, const void *head, size_t head_len,
                                   const tsr_zip_part *part, uint64_t size) {
  part_source *p = malloc(sizeof *p + head_len);
  if (p == NULL) return tsr_fail_nomem(e);
  *p = (part_source){.part = *part, .size = size, .head_len = head_len};
  zip_error_init(&p->error);
  if (head_len > 0) memcpy(p->head, head, head_len);
  zip_source_t *source = zip_source_function(w->zip, on_part, p);
  if (source == NULL) {
    free(p);
    return fail_add(w, e, name);
  }
  return add_stored(w, e, name, source, head_len + size);
}

#if LIBZIP_VERSION_MAJOR > 1 || LIBZIP_VERSION_MINOR >= 10
#define source_zip zip_source_zip_file
#else // the name before 1.10, without the last argument, a password
#define source_zip(zip, from, index, flags, start, len, password) zip_source_zip(zip, from, index, flags, start, len)
#endif

tsr_status tsr_zip_writer_copy(tsr_zip_writer *w, tsr_errrec *e, tsr_archive *a, size_t index) {
  const tsr_zipent *t = &a->ents[index];
  char *name = strndup(t->name, t->name_len);
  if (name == NULL) return tsr_fail_nomem(e);
  zip_source_t *source = source_zip(w->zip, a->zip, index, ZIP_FL_COMPRESSED | ZIP_FL_UNCHANGED, 0, -1, NULL);
  zip_int64_t at = source != NULL ? zip_file_add(w->zip, name, source, ZIP_FL_ENC_UTF_8) : -1;
  if (at < 0 && source != NULL) zip_source_free(source);
  tsr_status st = TSR_OK;
  if (at < 0 || zip_set_file_compression(w->zip, (zip_uint64_t)at, t->method == TSR_ZIP_STORED ? ZIP_CM_STORE : ZIP_CM_DEFLATE, 0) != 0 ||
      zip_file_set_dostime(w->zip, (zip_uint64_t)at, 0, 0x21, 0) != 0)
    st = fail_add(w, e, name);
  else
    pad(w, (zip_uint64_t)at, name, t->csize);
  free(name);
  return st;
}

const char *tsr_archive_entry_name(const tsr_archive *a, size_t index, size_t *len) {
  *len = a->ents[index].name_len;
  return a->ents[index].name;
}

/* "cannot write out.npz: No space left on device" */
static tsr_status fail_write(const tsr_zip_writer *w, tsr_errrec *e, int why, const char *otherwise) {
  char text[128];
  return tsr_fail(e, TSR_EIO, "cannot write %s: %s", tsr_show(w->name, strlen(w->name)).text, why != 0 ? strerror_r(why, text, sizeof text) : otherwise);
}

tsr_status tsr_zip_writer_finish(tsr_zip_writer *w, tsr_errrec *e) {
  tsr_status st = TSR_OK;
  if (zip_get_num_entries(w->zip, 0) == 0) {
    /* libzip writes no file at all for an empty archive; it is 22 bytes */
    static const uint8_t empty[22] = {'P', 'K', 5, 6};
    if (write_all(w, empty, sizeof empty) < 0) st = fail_write(w, e, zip_error_code_system(&w->error), "");
  } else if (zip_close(w->zip) == 0) {
    w->zip = NULL;
  } else {
    bool written = zip_error_code_zip(&w->error) == ZIP_ER_WRITE;
    st = fail_write(w, e, written ? zip_error_code_system(&w->error) : 0, zip_strerror(w->zip));
  }
  tsr_zip_writer_free(w);
  return st;
}
