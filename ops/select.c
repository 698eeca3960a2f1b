/* Sorting and selection of (key, index) pairs. */
#include <math.h>
#include <string.h>

#include "ops/select.h"

static inline uint64_t signed_key(int64_t v) { return (uint64_t)v ^ UINT64_C(1) << 63; }

static inline uint64_t float_key(float f) {
  uint32_t u;
  if (f != f) return UINT32_MAX;
  if (f == 0) f = 0;
  memcpy(&u, &f, sizeof u);
  return (u >> 31) != 0 ? (uint32_t)~u : u | 0x80000000u;
}

static inline uint64_t double_key(double f) {
  uint64_t u;
  if (f != f) return UINT64_MAX;
  if (f == 0) f = 0;
  memcpy(&u, &f, sizeof u);
  return (u >> 63) != 0 ? ~u : u | UINT64_C(1) << 63;
}

bool tsr_pair_fill(tsr_pair *p, tsr_dtype dtype, const char *data, ptrdiff_t step, int64_t n, bool descending) {
#define FILL(type, key)                                      \
  for (int64_t i = 0; i < n; i++, data += step) {            \
    type v = *(const type *)data;                            \
    p[i] = (tsr_pair){(key), i};                             \
  }                                                          \
  break
  switch (dtype) {
  case TSR_BOOL: FILL(uint8_t, v != 0);
  case TSR_UINT8: FILL(uint8_t, v);
  case TSR_UINT16: FILL(uint16_t, v);
  case TSR_UINT32: FILL(uint32_t, v);
  case TSR_UINT64: FILL(uint64_t, v);
  case TSR_INT8: FILL(int8_t, signed_key(v));
  case TSR_INT16: FILL(int16_t, signed_key(v));
  case TSR_INT32: FILL(int32_t, signed_key(v));
  case TSR_INT64: FILL(int64_t, signed_key(v));
  case TSR_FLOAT16: FILL(uint16_t, float_key(tsr_half_to_float(v)));
  case TSR_BFLOAT16: FILL(uint16_t, float_key(tsr_bf16_to_float(v)));
  case TSR_FLOAT32: FILL(float, float_key(v));
  case TSR_FLOAT64: FILL(double, double_key(v));
  default: return false;
  }
#undef FILL
  for (int64_t i = 0; descending && i < n; i++) p[i].key = ~p[i].key;
  return true;
}

static inline void swap(tsr_pair *a, tsr_pair *b) {
  tsr_pair t = *a;
  *a = *b;
  *b = t;
}

/* ---- stable ---- */

#define INLINE static inline __attribute__((always_inline))

/* nan: the largest key compares with no other, and what is to come first passes it without looking. */
INLINE bool less(uint64_t a, uint64_t b, bool nan) { return a < b && !(nan && b == UINT64_MAX); }

INLINE void insertion_sort_by(tsr_pair *p, int64_t n, bool nan, int64_t guarded) {
  for (int64_t i = 1; i < n; i++) {
    tsr_pair v = p[i];
    bool front = nan && i < guarded && less(v.key, p[0].key, nan);
    int64_t k = i;
    for (; k > 0 && (front || less(v.key, p[k - 1].key, nan)); k--) p[k] = p[k - 1];
    p[k] = v;
  }
}
static void insertion_sort(tsr_pair *p, int64_t n) { insertion_sort_by(p, n, false, n); }

/* Least significant digit first; digits all keys share are skipped. */
void tsr_pair_sort_stable(tsr_pair *p, tsr_pair *spare, int64_t n) {
  int64_t count[8][256] = {{0}};
  if (n <= 48) {
    insertion_sort(p, n);
    return;
  }
  for (int64_t i = 0; i < n; i++)
    for (int d = 0; d < 8; d++) count[d][p[i].key >> (8 * d) & 255]++;
  tsr_pair *from = p, *to = spare;
  for (int d = 0; d < 8; d++) {
    int64_t *c = count[d], at = 0;
    if (c[from[0].key >> (8 * d) & 255] == n) continue;
    for (int b = 0; b < 256; b++) {
      int64_t size = c[b];
      c[b] = at;
      at += size;
    }
    for (int64_t i = 0; i < n; i++) to[c[from[i].key >> (8 * d) & 255]++] = from[i];
    tsr_pair *t = from;
    from = to;
    to = t;
  }
  if (from != p) memcpy(p, from, (size_t)n * sizeof *p);
}

/* ---- heaps (largest key on top) ---- */

static void sift_up(tsr_pair *p, int64_t hole, int64_t top, tsr_pair v) {
  while (hole > top && p[(hole - 1) / 2].key < v.key) {
    p[hole] = p[(hole - 1) / 2];
    hole = (hole - 1) / 2;
  }
  p[hole] = v;
}

/* Let the hole sink to a leaf along the larger children, then let v rise from there. */
static void sift_hole(tsr_pair *p, int64_t hole, int64_t n, tsr_pair v) {
  int64_t top = hole, child = hole;
  while (child < (n - 1) / 2) {
    child = 2 * child + 2;
    if (p[child].key < p[child - 1].key) child--;
    p[hole] = p[child];
    hole = child;
  }
  if (n % 2 == 0 && child == (n - 2) / 2) {
    child = 2 * child + 1;
    p[hole] = p[child];
    hole = child;
  }
  sift_up(p, hole, top, v);
}

static void make_heap(tsr_pair *p, int64_t n) {
  for (int64_t i = (n - 2) / 2; n >= 2 && i >= 0; i--) sift_hole(p, i, n, p[i]);
}

/* The k smallest into the first k places, as a heap. */
static void heap_select(tsr_pair *p, int64_t k, int64_t n) {
  make_heap(p, k);
  for (int64_t i = k; i < n; i++) {
    if (p[i].key >= p[0].key) continue;
    tsr_pair v = p[i];
    p[i] = p[0];
    sift_hole(p, 0, k, v);
  }
}

static void sort_heap(tsr_pair *p, int64_t n) {
  while (n > 1) {
    n--;
    tsr_pair v = p[n];
    p[n] = p[0];
    sift_hole(p, 0, n, v);
  }
}

void tsr_pair_partial_sort(tsr_pair *p, int64_t k, int64_t n) {
  if (k <= 0) return;
  heap_select(p, k, n);
  sort_heap(p, k);
}

bool tsr_pair_top(tsr_pair *p, int64_t k, tsr_dtype dtype, const char *data, ptrdiff_t step, int64_t n, bool descending) {
  tsr_pair part[256];
  if (!tsr_pair_fill(p, dtype, data, step, k, descending)) return false;
  make_heap(p, k);
  for (int64_t at = k; at < n; at += 256) {
    int64_t count = n - at < 256 ? n - at : 256;
    tsr_pair_fill(part, dtype, data + at * step, step, count, descending);
    for (int64_t i = 0; i < count; i++)
      if (part[i].key < p[0].key) sift_hole(p, 0, k, (tsr_pair){part[i].key, at + part[i].idx});
  }
  sort_heap(p, k);
  return true;
}

/* ---- quicksort family ---- */

/* The median of a, b, c goes to *to. */
INLINE void median_first(tsr_pair *to, tsr_pair *a, tsr_pair *b, tsr_pair *c, bool nan) {
  if (less(a->key, b->key, nan)) swap(to, less(b->key, c->key, nan) ? b : less(a->key, c->key, nan) ? c : a);
  else swap(to, less(a->key, c->key, nan) ? a : less(b->key, c->key, nan) ? c : b);
}

/* Partition [0, n) around a median of three; returns where the upper part begins. */
INLINE int64_t partition_by(tsr_pair *p, int64_t n, bool nan) {
  median_first(p, p + 1, p + n / 2, p + n - 1, nan);
  uint64_t pivot = p[0].key;
  int64_t lo = 1, hi = n;
  for (;;) {
    while ((!nan || lo < n - 1) && less(p[lo].key, pivot, nan)) lo++;
    hi--;
    while ((!nan || hi > 0) && less(pivot, p[hi].key, nan)) hi--;
    if (lo >= hi) return lo;
    swap(p + lo, p + hi);
    lo++;
  }
}
static int64_t partition(tsr_pair *p, int64_t n) { return partition_by(p, n, false); }

static int log2_floor(int64_t n) { return 63 - __builtin_clzll((unsigned long long)n); }

void tsr_pair_nth_element(tsr_pair *p, int64_t nth, int64_t n) {
  if (n == 0 || nth >= n) return;
  int depth = 2 * log2_floor(n);
  while (n > 3) {
    if (depth-- == 0) {
      heap_select(p, nth + 1, n);
      swap(p, p + nth);
      return;
    }
    int64_t cut = partition(p, n);
    if (cut <= nth) {
      p += cut;
      n -= cut;
      nth -= cut;
    } else {
      n = cut;
    }
  }
  insertion_sort(p, n);
}

static void intro_sort(tsr_pair *p, int64_t n, int depth, bool nan) {
  while (n > 16) {
    if (depth-- == 0) {
      tsr_pair_partial_sort(p, n, n);
      return;
    }
    int64_t cut = nan ? partition_by(p, n, true) : partition(p, n);
    intro_sort(p + cut, n - cut, depth, nan);
    n = cut;
  }
}

void tsr_pair_sort(tsr_pair *p, int64_t n) {
  if (n < 2) return;
  intro_sort(p, n, 2 * log2_floor(n), false);
  insertion_sort(p, n);
}

void tsr_pair_sort_nan(tsr_pair *p, int64_t n) {
  if (n < 2) return;
  intro_sort(p, n, 2 * log2_floor(n), true);
  insertion_sort_by(p, n, true, 16);
}

void tsr_pair_quick_select(tsr_pair *p, int64_t k, int64_t n) {
  int64_t lo = 0, hi = n - 1;
  while (hi > lo + 1) {
    swap(p + lo + (hi - lo) / 2, p + lo + 1);
    if (p[lo + 1].key > p[hi].key) swap(p + lo + 1, p + hi);
    if (p[lo].key > p[hi].key) swap(p + lo, p + hi);
    if (p[lo + 1].key > p[lo].key) swap(p + lo + 1, p + lo);
    int64_t i = lo + 1, j = hi;
    uint64_t pivot = p[lo].key;
    for (;;) {
      do i++; while (pivot > p[i].key);
      do j--; while (p[j].key > pivot);
      if (j < i) break;
      swap(p + i, p + j);
    }
    swap(p + lo, p + j);
    if (j <= k) lo = i;
    if (j >= k) hi = j - 1;
  }
  if (hi == lo + 1 && p[lo].key > p[hi].key) swap(p + lo, p + hi);
}
