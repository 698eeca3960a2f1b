/* Arenas and the growable byte buffer. */
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"

typedef struct block {
  struct block *next;
  size_t size, used;
  _Alignas(16) char bytes[];
} block;

struct tsr_arena {
  block *head;
  uint64_t used, limit;
};

enum { FIRST_BLOCK = 16 << 10, MAX_BLOCK = 1 << 20 };

tsr_arena *tsr_arena_new(void) { return calloc(1, sizeof(tsr_arena)); }

void tsr_arena_free(tsr_arena *a) {
  if (a == NULL) return;
  for (block *b = a->head; b != NULL;) {
    block *next = b->next;
    free(b);
    b = next;
  }
  free(a);
}

void tsr_arena_reset(tsr_arena *a) {
  block *keep = a->head;
  if (keep == NULL) return;
  for (block *b = keep->next; b != NULL;) {
    block *next = b->next;
    free(b);
    b = next;
  }
  keep->next = NULL;
  keep->used = 0;
  a->used = 0;
#ifndef TSR_DEBUG_ARENA
  if (keep->size <= MAX_BLOCK) return;
#endif
  free(keep);
  a->head = NULL;
}

static block *grow(tsr_arena *a, size_t size) {
  size_t want = a->head == NULL ? FIRST_BLOCK : TSR_MIN(a->head->size * 2, (size_t)MAX_BLOCK);
#ifdef TSR_DEBUG_ARENA
  want = size; /* each object its own malloc */
#endif
  if (want < size) want = size;
  block *b = malloc(sizeof *b + want);
  if (b == NULL) return NULL;
  b->size = want;
  b->used = 0;
  b->next = a->head;
  a->head = b;
  return b;
}

void *tsr_arena_alloc(tsr_arena *a, size_t size) {
  if (size > PTRDIFF_MAX / 2) return NULL;
  size_t rounded = size == 0 ? 16 : (size + 15) & ~(size_t)15;
#ifdef TSR_DEBUG_ARENA
  rounded = size == 0 ? 1 : size;
#endif
  if (a->limit != 0 && a->used + rounded > a->limit) return NULL;
  block *b = a->head;
  if (b == NULL || b->size - b->used < rounded) b = grow(a, rounded);
  if (b == NULL) return NULL;
  void *p = b->bytes + b->used;
  b->used += rounded;
  a->used += rounded;
  return memset(p, 0, size);
}

char *tsr_arena_strdup(tsr_arena *a, const char *s, size_t len) {
  char *p = tsr_arena_alloc(a, len + 1);
  if (p != NULL && len != 0) memcpy(p, s, len);
  return p;
}

uint64_t tsr_arena_used(const tsr_arena *a) { return a->used; }
void tsr_arena_set_limit(tsr_arena *a, uint64_t limit) { a->limit = limit; }

static bool buf_reserve(tsr_buf *b, size_t extra) {
  if (b->oom || extra > PTRDIFF_MAX / 2 - b->len - 1) {
    b->oom = true;
    return false;
  }
  size_t need = b->len + extra + 1;
  if (need <= b->cap) return true;
  size_t cap = b->cap < 64 ? 64 : b->cap * 2;
  if (cap < need) cap = need;
  char *p = realloc(b->data, cap);
  if (p == NULL) {
    b->oom = true;
    return false;
  }
  b->data = p;
  b->cap = cap;
  return true;
}

void tsr_buf_put(tsr_buf *b, const void *bytes, size_t len) {
  if (!buf_reserve(b, len)) return;
  if (len != 0) memcpy(b->data + b->len, bytes, len);
  b->len += len;
  b->data[b->len] = 0;
}

void tsr_buf_puts(tsr_buf *b, const char *s) { tsr_buf_put(b, s, strlen(s)); }
void tsr_buf_putc(tsr_buf *b, char c) { tsr_buf_put(b, &c, 1); }

void tsr_buf_printf(tsr_buf *b, const char *fmt, ...) {
  va_list ap, again;
  va_start(ap, fmt);
  va_copy(again, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  if (n < 0) {
    b->oom = true;
  } else if (buf_reserve(b, (size_t)n)) {
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
    b->len += (size_t)n;
  }
  va_end(again);
}

void tsr_buf_dispose(tsr_buf *b) {
  free(b->data);
  memset(b, 0, sizeof *b);
}

char *tsr_buf_take(tsr_buf *b) {
  if (b->data == NULL && !b->oom) buf_reserve(b, 0);
  char *p = b->oom ? NULL : b->data;
  if (b->oom) free(b->data);
  else if (b->len == 0) p[0] = 0;
  memset(b, 0, sizeof *b);
  return p;
}
