/* Reads the end record, the zip64 record, the directory and the local headers of a zip file. */
#include "frontend/zipdir.h"

#include <stdlib.h>

#include "frontend/text.h"

#define END_SIZE 22
#define END64_SIZE 56
#define LOCATOR_SIZE 20
#define CENTRAL_SIZE 46
#define LOCAL_SIZE 30
#define SIG_END 0x06054b50u
#define SIG_END64 0x06064b50u
#define SIG_LOCATOR 0x07064b50u
#define SIG_CENTRAL 0x02014b50u
#define SIG_LOCAL 0x04034b50u
#define FLAG_ENCRYPTED 0x0001
#define FLAG_DESCRIPTOR 0x0008
/* Deflate cannot do better than 1032 : 1 (258 bytes from 2 bits). */
#define DEFLATE_MAX_RATIO 1032

typedef struct zip {
  const uint8_t *p;
  uint64_t len;
  tsr_errrec *e;
  uint64_t dir_off, dir_size, dir_count;
} zip;

static uint16_t u16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t u32(const uint8_t *p) { return (uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16; }
static uint64_t u64(const uint8_t *p) { return (uint64_t)u32(p) | (uint64_t)u32(p + 4) << 32; }
static bool inside(uint64_t off, uint64_t size, uint64_t len) { return size <= len && off <= len - size; }

static tsr_status bad(const zip *z, const char *what) { return tsr_fail(z->e, TSR_EFORMAT, "bad zip file: %s", what); }

static tsr_status bad_entry(const zip *z, const tsr_zipent *t, const char *what) {
  return tsr_fail(z->e, TSR_EFORMAT, "bad zip file: entry \"%s\": %s", tsr_show(t->name, t->name_len).text, what);
}

/* The last end record whose comment reaches exactly to the end of the file. */
static bool find_end(const zip *z, uint64_t *at) {
  if (z->len < END_SIZE) return false;
  uint64_t pos = z->len - END_SIZE, low = pos > UINT16_MAX ? pos - UINT16_MAX : 0;
  for (;; pos--) {
    const uint8_t *p = z->p + pos;
    if (p[0] == 'P' && u32(p) == SIG_END && u16(p + 20) == z->len - END_SIZE - pos) {
      *at = pos;
      return true;
    }
    if (pos == low) return false;
  }
}

/* 16- and 32-bit fields of the end record are all ones when the zip64 record holds the value. */
static bool agrees(uint64_t small, uint64_t max, uint64_t big) { return small == big || small == max; }

static tsr_status read_end64(zip *z, uint64_t end, uint64_t *limit) {
  const uint8_t *eo = z->p + end;
  if (end < LOCATOR_SIZE || u32(z->p + end - LOCATOR_SIZE) != SIG_LOCATOR) return TSR_OK;
  uint64_t off = u64(z->p + end - LOCATOR_SIZE + 8);
  if (!inside(off, END64_SIZE, end - LOCATOR_SIZE) || u32(z->p + off) != SIG_END64)
    return bad(z, "zip64 end record is missing");
  const uint8_t *p = z->p + off;
  if (u32(p + 16) != 0 || u32(p + 20) != 0 || u64(p + 24) != u64(p + 32)) return bad(z, "it spans several disks");
  z->dir_count = u64(p + 32);
  z->dir_size = u64(p + 40);
  z->dir_off = u64(p + 48);
  if (!agrees(u16(eo + 10), UINT16_MAX, z->dir_count) || !agrees(u32(eo + 12), UINT32_MAX, z->dir_size) ||
      !agrees(u32(eo + 16), UINT32_MAX, z->dir_off))
    return bad(z, "its two end records disagree");
  *limit = off;
  return TSR_OK;
}

static tsr_status read_end(zip *z, uint64_t end) {
  const uint8_t *p = z->p + end;
  uint64_t limit = end;
  z->dir_count = u16(p + 10);
  z->dir_size = u32(p + 12);
  z->dir_off = u32(p + 16);
  if (u16(p + 4) != 0 || u16(p + 6) != 0 || u16(p + 8) != u16(p + 10)) return bad(z, "it spans several disks");
  TSR_TRY(read_end64(z, end, &limit));
  if (!inside(z->dir_off, z->dir_size, limit)) return bad(z, "its directory lies outside the file");
  if (z->dir_count > TSR_ZIP_MAX_ENTRIES)
    return tsr_fail(z->e, TSR_ELIMIT, "zip file with %llu entries (limit %d)", (unsigned long long)z->dir_count,
                    TSR_ZIP_MAX_ENTRIES);
  if (z->dir_count > z->dir_size / CENTRAL_SIZE) return bad(z, "its directory is too short for its entries");
  return TSR_OK;
}

/* Fields that do not fit 32 bits stand in extra field 1, in this order and only when needed. */
static tsr_status read_extra64(const zip *z, tsr_zipent *t, const uint8_t *extra, size_t len) {
  uint64_t *need[3], n = 0;
  if (t->usize == UINT32_MAX) need[n++] = &t->usize;
  if (t->csize == UINT32_MAX) need[n++] = &t->csize;
  if (t->header_off == UINT32_MAX) need[n++] = &t->header_off;
  while (n > 0 && len >= 4) {
    size_t size = u16(extra + 2);
    if (size > len - 4) break;
    if (u16(extra) == 1) {
      if (size < n * 8) break;
      for (uint64_t i = 0; i < n; i++) *need[i] = u64(extra + 4 + i * 8);
      return TSR_OK;
    }
    extra += 4 + size;
    len -= 4 + size;
  }
  return n == 0 ? TSR_OK : bad_entry(z, t, "zip64 sizes are missing");
}

static tsr_status check_entry(const zip *z, const tsr_zipent *t, uint16_t flags) {
  if (t->name_len == 0) return bad(z, "an entry has no name");
  if (memchr(t->name, 0, t->name_len) != NULL) return bad_entry(z, t, "its name holds a NUL byte");
  if (flags & FLAG_ENCRYPTED)
    return tsr_fail(z->e, TSR_EUNSUPPORTED, "zip entry \"%s\" is encrypted", tsr_show(t->name, t->name_len).text);
  if (t->method == TSR_ZIP_STORED) {
    if (t->csize != t->usize) return bad_entry(z, t, "it is stored, but its two sizes differ");
  } else if (t->method == TSR_ZIP_DEFLATED) {
    if (t->usize / DEFLATE_MAX_RATIO > t->csize) return bad_entry(z, t, "its size is more than deflate can pack");
  } else {
    return tsr_fail(z->e, TSR_EUNSUPPORTED,
                    "zip entry \"%s\": compression method %d (only stored and deflated are read)",
                    tsr_show(t->name, t->name_len).text, t->method);
  }
  return TSR_OK;
}

/* One directory record at *off; moves *off past it. */
static tsr_status read_central(const zip *z, uint64_t *off, tsr_zipent *t) {
  uint64_t left = z->dir_off + z->dir_size - *off;
  const uint8_t *p = z->p + *off;
  if (left < CENTRAL_SIZE || u32(p) != SIG_CENTRAL) return bad(z, "its directory is damaged");
  size_t name = u16(p + 28), extra = u16(p + 30), comment = u16(p + 32);
  if (name + extra + comment > left - CENTRAL_SIZE) return bad(z, "its directory is damaged");
  if (name > TSR_ZIP_MAX_NAME)
    return tsr_fail(z->e, TSR_ELIMIT, "zip entry name of %zu bytes (limit %d)", name, TSR_ZIP_MAX_NAME);
  t->method = u16(p + 10);
  t->crc = u32(p + 16);
  t->csize = u32(p + 20);
  t->usize = u32(p + 24);
  t->header_off = u32(p + 42);
  t->name = (const char *)p + CENTRAL_SIZE;
  t->name_len = (uint32_t)name;
  TSR_TRY(read_extra64(z, t, p + CENTRAL_SIZE + name, extra));
  *off += CENTRAL_SIZE + name + extra + comment;
  return check_entry(z, t, u16(p + 8));
}

static tsr_status read_local(const zip *z, tsr_zipent *t) {
  if (!inside(t->header_off, LOCAL_SIZE, z->dir_off)) return bad_entry(z, t, "it lies outside the file");
  const uint8_t *p = z->p + t->header_off;
  if (u32(p) != SIG_LOCAL) return bad_entry(z, t, "its header is missing");
  uint64_t name = u16(p + 26), extra = u16(p + 28);
  t->data_off = t->header_off + LOCAL_SIZE + name + extra;
  if (!inside(t->data_off, t->csize, z->dir_off)) return bad_entry(z, t, "its data lies outside the file");
  if (name != t->name_len || memcmp(p + LOCAL_SIZE, t->name, name) != 0)
    return bad_entry(z, t, "its header has another name");
  if (u16(p + 8) != t->method || (u16(p + 6) & FLAG_ENCRYPTED))
    return bad_entry(z, t, "its header disagrees with the directory");
  if (!(u16(p + 6) & FLAG_DESCRIPTOR) &&
      (!agrees(u32(p + 18), UINT32_MAX, t->csize) || !agrees(u32(p + 22), UINT32_MAX, t->usize)))
    return bad_entry(z, t, "its header disagrees with the directory");
  return TSR_OK;
}

static int by_offset(const void *a, const void *b) {
  const tsr_zipent *x = *(const tsr_zipent *const *)a, *y = *(const tsr_zipent *const *)b;
  return x->header_off < y->header_off ? -1 : x->header_off > y->header_off;
}

static int by_name(const void *a, const void *b) {
  const tsr_zipent *x = *(const tsr_zipent *const *)a, *y = *(const tsr_zipent *const *)b;
  int c = memcmp(x->name, y->name, TSR_MIN(x->name_len, y->name_len));
  return c != 0 ? c : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

/* Two names for the same bytes, or two entries of one name, mean that two readers may see two files. */
static tsr_status check_distinct(const zip *z, const tsr_zipent *ents, size_t count) {
  if (count < 2) return TSR_OK;
  const tsr_zipent **order = malloc(count * sizeof *order);
  if (order == NULL) return tsr_fail_nomem(z->e);
  for (size_t i = 0; i < count; i++) order[i] = &ents[i];
  tsr_status st = TSR_OK;
  qsort(order, count, sizeof *order, by_offset);
  for (size_t i = 1; i < count && st == TSR_OK; i++)
    if (order[i]->header_off < order[i - 1]->data_off + order[i - 1]->csize)
      st = bad_entry(z, order[i], "it overlaps another entry");
  qsort(order, count, sizeof *order, by_name);
  for (size_t i = 1; i < count && st == TSR_OK; i++)
    if (by_name(&order[i - 1], &order[i]) == 0) st = bad_entry(z, order[i], "there are two of this name");
  free(order);
  return st;
}

tsr_status tsr_zipdir_parse(const uint8_t *bytes, size_t len, tsr_errrec *e, tsr_zipent **ents, size_t *count,
                            bool *no_end) {
  zip z = {.p = bytes, .len = len, .e = e};
  uint64_t end;
  *ents = NULL;
  *count = 0;
  *no_end = !find_end(&z, &end);
  if (*no_end) return bad(&z, "no end record (is it cut short?)");
  TSR_TRY(read_end(&z, end));
  tsr_zipent *t = calloc(z.dir_count + 1, sizeof *t);
  if (t == NULL) return tsr_fail_nomem(e);
  tsr_status st = TSR_OK;
  uint64_t off = z.dir_off;
  for (uint64_t i = 0; i < z.dir_count && st == TSR_OK; i++) {
    st = read_central(&z, &off, &t[i]);
    if (st == TSR_OK) st = read_local(&z, &t[i]);
  }
  if (st == TSR_OK && off != z.dir_off + z.dir_size) st = bad(&z, "its directory is damaged");
  if (st == TSR_OK) st = check_distinct(&z, t, z.dir_count);
  if (st != TSR_OK) {
    free(t);
    return st;
  }
  *ents = t;
  *count = z.dir_count;
  return TSR_OK;
}
