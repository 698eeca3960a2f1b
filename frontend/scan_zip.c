/* The structure of a zip, with patience: every entry the directory names, what its local header says instead, what
 * lies between, before and behind.  Ordinary readers disagree about exactly these things. */
#include <stdlib.h>

#include "frontend/scan.h"
#include "frontend/text.h"
#include "frontend/zipdir.h"

enum { CENTRAL = 46, LOCAL = 30, END = 22, LOCATOR = 20, END64 = 56, MAX_NAMED = 8 };
#define BOMB_RATIO 100
#define BOMB_SIZE ((uint64_t)16 << 20)

typedef struct entry {
  const uint8_t *name;
  uint32_t name_len, crc, attributes;
  uint64_t csize, usize, header, data, end; /* end: behind the data and its descriptor */
  uint16_t method, flags, made_by;
  bool readable;
} entry;

typedef struct zip {
  tsr_scan *s;
  const uint8_t *p;
  uint64_t len, dir, dir_size, count, end;
  entry *entries;
  uint64_t n;
  int64_t base; /* what every offset lacks when something stands before the zip */
} zip;

static uint32_t u16(const uint8_t *p) { return (uint32_t)(p[0] | p[1] << 8); }
static uint32_t u32(const uint8_t *p) { return u16(p) | u16(p + 2) << 16; }
static uint64_t u64(const uint8_t *p) { return (uint64_t)u32(p) | (uint64_t)u32(p + 4) << 32; }
static bool inside(const zip *z, uint64_t at, uint64_t size) { return size <= z->len && at <= z->len - size; }

static tsr_shown shown(const entry *t) { return tsr_show((const char *)t->name, t->name_len); }
static void odd(zip *z, const entry *t, const char *what) { tsr_scan_add(z->s, TSR_SCAN_ODD, shown(t).text, "%s", what); }

/* ---- end records ---- */

static bool find_end(zip *z) {
  for (uint64_t back = END; back <= z->len && back <= END + 65535; back++) {
    const uint8_t *p = z->p + z->len - back;
    if (p[0] != 'P' || u32(p) != 0x06054b50u) continue;
    z->end = z->len - back;
    uint64_t comment = u16(p + 20), behind = back - END;
    if (comment > behind) tsr_scan_add(z->s, TSR_SCAN_ODD, "end record", "its comment reaches past the end of the file");
    else if (comment < behind) tsr_scan_add(z->s, TSR_SCAN_ODD, "end record", "%llu bytes lie behind the zip", (unsigned long long)(behind - comment));
    else if (comment > 0) tsr_scan_add(z->s, TSR_SCAN_NOTE, "end record", "a comment of %llu bytes", (unsigned long long)comment);
    return true;
  }
  return false;
}

static void read_end(zip *z) {
  const uint8_t *p = z->p + z->end;
  z->count = u16(p + 10);
  z->dir_size = u32(p + 12);
  z->dir = u32(p + 16);
  if (u16(p + 4) != 0 || u16(p + 6) != 0 || u16(p + 8) != z->count) tsr_scan_add(z->s, TSR_SCAN_ODD, "end record", "it speaks of several disks");
  uint64_t tail = z->end;
  if (z->end >= LOCATOR && u32(p - LOCATOR) == 0x07064b50u) {
    uint64_t at = u64(p - LOCATOR + 8), near = z->end - LOCATOR - END64;
    if (z->end >= LOCATOR + END64 && at < near && u32(z->p + near) == 0x06064b50u) {
      z->base = (int64_t)(near - at); /* everything has moved */
      tsr_scan_add(z->s, TSR_SCAN_ODD, "zip", "%llu bytes lie before the zip", (unsigned long long)z->base);
      at = near;
    }
    if (!inside(z, at, END64) || u32(z->p + at) != 0x06064b50u) {
      tsr_scan_add(z->s, TSR_SCAN_ODD, "end record", "its zip64 record is not where it should be");
      return;
    }
    const uint8_t *q = z->p + at;
    bool same = (z->count == 0xffff || z->count == u64(q + 32)) && (z->dir_size == UINT32_MAX || z->dir_size == u64(q + 40)) && (z->dir == UINT32_MAX || z->dir == u64(q + 48));
    if (!same) tsr_scan_add(z->s, TSR_SCAN_ODD, "end record", "the zip64 record says something else");
    z->count = u64(q + 32);
    z->dir_size = u64(q + 40);
    z->dir = u64(q + 48);
    tail = at;
  }
  if (z->base == 0 && inside(z, z->dir, z->dir_size) && z->dir + z->dir_size < tail && z->dir_size <= tail) {
    uint64_t real = tail - z->dir_size;
    bool moved = inside(z, real, 4) && u32(z->p + real) == 0x02014b50u && (z->dir_size < 4 || u32(z->p + z->dir) != 0x02014b50u);
    tsr_scan_add(z->s, TSR_SCAN_ODD, "zip", "%llu bytes %s", (unsigned long long)(real - z->dir), moved ? "lie before the zip" : "lie between its directory and its end");
    if (moved) z->base = (int64_t)(real - z->dir);
  }
  z->dir += (uint64_t)z->base;
}

/* ---- entries ---- */

static void check_name(zip *z, const entry *t) {
  const char *n = (const char *)t->name;
  size_t len = t->name_len;
  bool up = false, control = false;
  for (size_t i = 0; i < len; i++) {
    up |= n[i] == '.' && i + 1 < len && n[i + 1] == '.' && (i == 0 || n[i - 1] == '/' || n[i - 1] == '\\') && (i + 2 == len || n[i + 2] == '/' || n[i + 2] == '\\');
    control |= (unsigned char)n[i] < ' ' || n[i] == 0x7f;
  }
  if (len == 0) odd(z, t, "an entry without a name");
  else if (up) odd(z, t, "its name climbs out of its folder");
  else if (n[0] == '/' || n[0] == '\\' || (len > 1 && n[1] == ':')) odd(z, t, "its name is an absolute path");
  else if (memchr(n, '\\', len) != NULL) odd(z, t, "its name holds a backslash");
  if (control) odd(z, t, "its name holds control characters");
  if (len > TSR_ZIP_MAX_NAME) odd(z, t, "its name is longer than any reader takes");
}

static void read_extra64(entry *t, const uint8_t *p, size_t len) {
  uint64_t *need[3];
  int n = 0, k = 0;
  if (t->usize == UINT32_MAX) need[n++] = &t->usize;
  if (t->csize == UINT32_MAX) need[n++] = &t->csize;
  if (t->header == UINT32_MAX) need[n++] = &t->header;
  for (; n > 0 && len >= 4;) {
    size_t size = u16(p + 2);
    if (size > len - 4) return;
    for (size_t at = 4; u16(p) == 1 && k < n && at + 8 <= size + 4; at += 8) *need[k++] = u64(p + at);
    p += 4 + size;
    len -= 4 + size;
  }
}

static void check_entry(zip *z, const entry *t) {
  uint32_t type = t->attributes >> 28;
  check_name(z, t);
  if (t->flags & 0x2041) odd(z, t, "it is encrypted, or says so");
  if (t->method != TSR_ZIP_STORED && t->method != TSR_ZIP_DEFLATED) tsr_scan_add(z->s, TSR_SCAN_ODD, shown(t).text, "compression method %u", t->method);
  if (t->method == TSR_ZIP_STORED && t->csize != t->usize) odd(z, t, "it is stored, but its two sizes differ");
  if (t->method == TSR_ZIP_DEFLATED && t->usize > BOMB_SIZE && t->usize / BOMB_RATIO > t->csize)
    tsr_scan_add(z->s, TSR_SCAN_ODD, shown(t).text, "%llu bytes would inflate to %llu: a compression bomb", (unsigned long long)t->csize, (unsigned long long)t->usize);
  if (t->made_by >> 8 == 3 && type == 10) odd(z, t, "it is a symbolic link");
}

static void read_local(zip *z, entry *t) {
  if (!inside(z, t->header, LOCAL) || u32(z->p + t->header) != 0x04034b50u) {
    odd(z, t, "its local header is missing");
    return;
  }
  const uint8_t *p = z->p + t->header;
  uint64_t name = u16(p + 26), extra = u16(p + 28);
  t->data = t->header + LOCAL + name + extra;
  if (!inside(z, t->data, t->csize)) {
    odd(z, t, "its data reaches past the end of the file");
    return;
  }
  t->readable = true;
  t->end = t->data + t->csize;
  bool later = u16(p + 6) & 8;
  if (name != t->name_len || memcmp(p + LOCAL, t->name, name) != 0)
    tsr_scan_add(z->s, TSR_SCAN_ODD, shown(t).text, "its local header calls it \"%s\"", tsr_show((const char *)p + LOCAL, TSR_MIN(name, z->len - t->header - LOCAL)).text);
  if (u16(p + 8) != t->method) odd(z, t, "its local header gives another compression method");
  if ((u16(p + 6) & 1) != (t->flags & 1)) odd(z, t, "its two headers disagree whether it is encrypted");
  if (!later && u32(p + 14) != t->crc) odd(z, t, "its two headers give different checksums");
  if (!later && ((u32(p + 18) != UINT32_MAX && u32(p + 18) != t->csize) || (u32(p + 22) != UINT32_MAX && u32(p + 22) != t->usize)))
    odd(z, t, "its two headers give different sizes");
  if (!later) return;
  const uint8_t *d = z->p + t->end; /* signature, crc, two sizes of 4 or 8 bytes */
  bool wide = t->usize >= UINT32_MAX || t->csize >= UINT32_MAX;
  if (inside(z, t->end, wide ? 24 : 16) && u32(d) == 0x08074b50u) {
    if (u32(d + 4) != t->crc && u32(d + 4) != 0) odd(z, t, "the checksum behind its data is another one");
    t->end += wide || (u32(d + 8) == t->csize && u32(d + 12) == 0 && inside(z, t->end, 24) && u64(d + 16) == t->usize && u32(d + 20) == 0) ? 24 : 16;
  }
}

static bool read_directory(zip *z) {
  uint64_t most = z->dir_size / CENTRAL;
  if (!inside(z, z->dir, z->dir_size) || z->count > most || z->count > TSR_ZIP_MAX_ENTRIES) {
    tsr_scan_add(z->s, TSR_SCAN_ODD, "zip", "its directory cannot be where the end record says");
    return false;
  }
  z->entries = calloc(z->count + 1, sizeof *z->entries);
  if (z->entries == NULL) {
    z->s->oom = true;
    return false;
  }
  uint64_t at = z->dir, stop = z->dir + z->dir_size;
  for (z->n = 0; z->n < z->count; z->n++) {
    if (stop - at < CENTRAL || u32(z->p + at) != 0x02014b50u) break;
    const uint8_t *p = z->p + at;
    uint64_t name = u16(p + 28), extra = u16(p + 30), comment = u16(p + 32);
    if (name + extra + comment > stop - at - CENTRAL) break;
    entry *t = &z->entries[z->n];
    *t = (entry){.name = p + CENTRAL, .name_len = (uint32_t)name, .crc = u32(p + 16), .attributes = u32(p + 38), .csize = u32(p + 20), .usize = u32(p + 24),
                 .header = u32(p + 42), .method = (uint16_t)u16(p + 10), .flags = (uint16_t)u16(p + 8), .made_by = (uint16_t)u16(p + 4)};
    read_extra64(t, p + CENTRAL + name, extra);
    t->header += (uint64_t)z->base;
    check_entry(z, t);
    read_local(z, t);
    at += CENTRAL + name + extra + comment;
  }
  if (z->n != z->count || at != stop) tsr_scan_add(z->s, TSR_SCAN_ODD, "zip", "its directory is damaged behind entry %llu", (unsigned long long)z->n);
  return true;
}

/* ---- all together ---- */

static int by_header(const void *a, const void *b) {
  const entry *x = a, *y = b;
  return x->header < y->header ? -1 : x->header > y->header;
}

static int by_name(const void *a, const void *b) {
  const entry *x = *(const entry *const *)a, *y = *(const entry *const *)b;
  int c = memcmp(x->name, y->name, TSR_MIN(x->name_len, y->name_len));
  return c != 0 ? c : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

static void check_duplicates(zip *z) {
  const entry **order = calloc(z->n + 1, sizeof *order);
  if (order == NULL) {
    z->s->oom = true;
    return;
  }
  for (uint64_t i = 0; i < z->n; i++) order[i] = &z->entries[i];
  qsort(order, z->n, sizeof *order, by_name);
  for (uint64_t i = 1; i < z->n; i++)
    if (by_name(&order[i - 1], &order[i]) == 0 && (i == 1 || by_name(&order[i - 2], &order[i]) != 0)) odd(z, order[i], "there are several entries of this name");
  free(order);
}

/* Bytes that no entry owns, and bytes that two do. */
static void check_gaps(zip *z) {
  uint64_t at = 0, gaps = 0, hidden = 0;
  qsort(z->entries, z->n, sizeof *z->entries, by_header);
  for (uint64_t i = 0; i < z->n; i++) {
    const entry *t = &z->entries[i];
    if (!t->readable) continue;
    if (t->header < at) odd(z, t, "it overlaps another entry");
    if (t->header > at) {
      gaps += t->header - at;
      hidden += memmem(z->p + at, t->header - at, "PK\3\4", 4) != NULL;
    }
    if (t->end > at) at = t->end;
  }
  if (z->dir > at) {
    gaps += z->dir - at;
    hidden += memmem(z->p + at, z->dir - at, "PK\3\4", 4) != NULL;
  }
  if (z->dir < at) tsr_scan_add(z->s, TSR_SCAN_ODD, "zip", "entries overlap the directory");
  if (hidden > 0) tsr_scan_add(z->s, TSR_SCAN_ODD, "zip", "there are entries that the directory does not name");
  else if (gaps > 0 && z->base == 0) tsr_scan_add(z->s, TSR_SCAN_ODD, "zip", "%llu bytes belong to no entry", (unsigned long long)gaps);
}

/* Pickles of a zip that no reader would open: followed where they lie uncompressed. */
static void scan_stored_pickles(zip *z) {
  for (uint64_t i = 0; i < z->n; i++) {
    const entry *t = &z->entries[i];
    if (t->readable && t->method == TSR_ZIP_STORED && t->name_len > 4 && memcmp(t->name + t->name_len - 4, ".pkl", 4) == 0)
      tsr_scan_pickle(z->s, shown(t).text, z->p + t->data, t->csize);
  }
}

void tsr_scan_zip(tsr_scan *s, bool alone) {
  zip z = {.s = s, .p = s->p, .len = s->len};
  if (!find_end(&z)) {
    tsr_scan_add(s, TSR_SCAN_ODD, "zip", "it has no end record: it is cut short or damaged");
    return;
  }
  read_end(&z);
  if (read_directory(&z)) {
    s->entries = z.n;
    check_duplicates(&z);
    check_gaps(&z);
    if (alone) scan_stored_pickles(&z);
  }
  free(z.entries);
}
