/* Part of conv_body.h: a row of a depthwise convolution. */

enum { DW_TILE = 8, DW_WIDEST = 5 }; /* outputs of a tile, terms of a row of the usual kernels */

/* What the activation makes of a sum, when it is no more than two bounds. */
typedef struct dw_end { vf lo, hi; } dw_end;

static dw_end dw_end_of(const tsr_dw *d) {
  float low = d->act == TSR_ACT_NONE || d->act == TSR_ACT_HARDSWISH || !is_quick(d->act) ? -INFINITY : d->act == TSR_ACT_CLAMP ? d->p0 : 0;
  float high = d->act == TSR_ACT_RELU6 ? 6.0f : d->act == TSR_ACT_CLAMP ? d->p1 : INFINITY;
  return (dw_end){vf_set(low), vf_set(high)};
}

/* n sums, `step` elements apart from `at` on, become results: branches once, not for each. */
VF_INLINE void dw_finish(const tsr_dw *d, const dw_end *end, int64_t at, int64_t step, vf *acc, const int n, const bool whole, int lanes) {
  const vf lo = end->lo, hi = end->hi;
  if (d->residual != NULL) {
#pragma GCC unroll 8
    for (int t = 0; t < n; t++) acc[t] = vf_add(acc[t], load_w(d->residual + at + t * step, whole, lanes));
  }
  if (d->act == TSR_ACT_HARDSWISH) {
#pragma GCC unroll 8
    for (int t = 0; t < n; t++) acc[t] = quick_act(TSR_ACT_HARDSWISH, acc[t], lo, hi);
  }
#pragma GCC unroll 8
  for (int t = 0; t < n; t++) store_w(d->out + at + t * step, vf_min(hi, vf_max(lo, acc[t])), whole, lanes);
  if (d->act != TSR_ACT_SILU) return;
#pragma GCC unroll 1
  for (int t = 0; t < n; t++) {
    float *y = d->out + at + t * step;
    vf x = load_w(y, whole, lanes);
    store_w(y, vf_mul(x, vf_gate(x)), whole, lanes);
  }
}

/* Up to VF_N channels from ch, outputs [o, o + tile) whose taps are all inside the row. */
VF_INLINE void dw_tile(const tsr_dw *d, int64_t ch, int64_t o, const int tile, const bool whole, int lanes, const dw_end *end) {
  vf acc[DW_TILE];
  vf b = d->bias == NULL ? vf_zero() : load_w(d->bias + ch, whole, lanes);
#pragma GCC unroll 8
  for (int t = 0; t < tile; t++) acc[t] = b;
  const int64_t step = d->stride * d->x_step;
  const float *w = d->w + ch;
  for (int64_t r = 0; r < d->row_count; r++) {
    if (d->rows[r] == NULL) {
      w += d->kw * d->w_step;
      continue;
    }
    const float *x = d->rows[r] + (o * d->stride - d->pad) * d->x_step + ch;
    for (int64_t k = 0; k < d->kw; k++, w += d->w_step, x += d->dil * d->x_step) {
      vf wv = load_w(w, whole, lanes);
#pragma GCC unroll 8
      for (int t = 0; t < tile; t++) acc[t] = vf_fma(load_w(x + t * step, whole, lanes), wv, acc[t]);
    }
  }
  dw_finish(d, end, o * d->y_step + ch, d->y_step, acc, tile, whole, lanes);
}

#define DW_TILES(n)                                                                                \
  static void dw_tile_##n(const tsr_dw *d, int64_t o) {                                            \
    const dw_end end = dw_end_of(d);                                                               \
    int64_t ch = 0;                                                                                \
    for (; ch + VF_N <= d->c; ch += VF_N) dw_tile(d, ch, o, n, true, VF_N, &end);                        \
    if (ch < d->c) dw_tile(d, ch, o, n, false, (int)(d->c - ch), &end);                                  \
  }
DW_TILES(1) DW_TILES(2) DW_TILES(3) DW_TILES(4) DW_TILES(5) DW_TILES(6) DW_TILES(7) DW_TILES(8)

typedef void (*dw_tile_fn)(const tsr_dw *d, int64_t o);
static const dw_tile_fn dw_tiles[DW_TILE] = {dw_tile_1, dw_tile_2, dw_tile_3, dw_tile_4, dw_tile_5, dw_tile_6, dw_tile_7, dw_tile_8};

typedef void (*dw_span_fn)(const tsr_dw *d, int64_t first, int64_t last);
#if VF_SMALL
static dw_span_fn dw_choose(const tsr_dw *d, int64_t n) { return (void)d, (void)n, NULL; }
#else
/* ---- the usual kernels: their widths and strides are constants ---- */

#if defined(__x86_64__) && VF_N > 4
#define DW_KEEP(p) __asm__("" : "+r"(p))        /* or the compiler keeps an address for each input of a row */
#define DW_IN_REGISTER(x) __asm__("" : "+v"(x)) /* or it loads an input again for each sum */
#else
#define DW_KEEP(p) (void)0
#define DW_IN_REGISTER(x) (void)0
#endif

/* Up to VF_N channels from ch on, outputs [o, o + tile).  Each input is read once and goes into all sums that it is part of; a sum's
 * terms come in the order of dw_tile. */
VF_INLINE void dw_once(const tsr_dw *d, int64_t ch, int64_t o, const int kw, const int stride, const int tile, const bool whole, int lanes, const dw_end *end) {
  vf acc[DW_TILE], b = d->bias == NULL ? vf_zero() : load_w(d->bias + ch, whole, lanes);
#pragma GCC unroll 8
  for (int t = 0; t < tile; t++) acc[t] = b;
  const int64_t at = (o * stride - d->pad) * d->x_step + ch, x_step = d->x_step, w_step = d->w_step;
  const float *w = d->w + ch;
#pragma GCC unroll 1
  for (int64_t r = 0; r < d->row_count; r++, w += kw * w_step) {
    if (d->rows[r] == NULL) continue;
    const float *x = d->rows[r] + at, *from = w;
    vf wv[DW_WIDEST];
#pragma GCC unroll 8
    for (int k = 0; k < kw; k++, from += w_step) wv[k] = load_w(from, whole, lanes);
#pragma GCC unroll 24
    for (int i = 0; i < (tile - 1) * stride + kw; i++) {
      vf xv = load_w(x, whole, lanes);
      DW_IN_REGISTER(xv);
#pragma GCC unroll 8
      for (int k = 0; k < kw; k++)
        if (i >= k && (i - k) % stride == 0 && (i - k) / stride < tile) acc[(i - k) / stride] = vf_fma(xv, wv[k], acc[(i - k) / stride]);
      x += x_step;
      DW_KEEP(x);
    }
  }
  dw_finish(d, end, o * d->y_step + ch, d->y_step, acc, tile, whole, lanes);
}

/* Outputs [first, last), at least one tile of them: the last tile starts early and makes some again. */
VF_INLINE void dw_span(const tsr_dw *d, int64_t first, int64_t last, const int kw, const int stride, const int tile) {
  const dw_end end = dw_end_of(d);
  for (int64_t at = first; at < last; at += tile) {
    int64_t o = TSR_MIN(at, last - tile), ch = 0;
    for (; ch + VF_N <= d->c; ch += VF_N) dw_once(d, ch, o, kw, stride, tile, true, VF_N, &end);
    if (ch < d->c) dw_tile(d, ch, o, tile, false, (int)(d->c - ch), &end);
  }
}

#define DW_SPAN(kw, stride, tile) \
  static void dw_span_##kw##_##stride##_##tile(const tsr_dw *d, int64_t first, int64_t last) { dw_span(d, first, last, kw, stride, tile); }
#define DW_SPANS(kw, stride) DW_SPAN(kw, stride, 4) DW_SPAN(kw, stride, 7) DW_SPAN(kw, stride, 8)
#define DW_SPAN_NAMES(kw, stride) {dw_span_##kw##_##stride##_4, dw_span_##kw##_##stride##_7, dw_span_##kw##_##stride##_8}
DW_SPANS(3, 1) DW_SPANS(3, 2) DW_SPANS(5, 1) DW_SPANS(5, 2)

static const dw_span_fn dw_spans[2][2][3] = {{DW_SPAN_NAMES(3, 1), DW_SPAN_NAMES(3, 2)}, {DW_SPAN_NAMES(5, 1), DW_SPAN_NAMES(5, 2)}};

/* The kernel for n outputs that makes fewest twice; NULL: none fits. */
static dw_span_fn dw_choose(const tsr_dw *d, int64_t n) {
  if ((d->kw != 3 && d->kw != 5) || (d->stride != 1 && d->stride != 2) || d->dil != 1 || d->residual != NULL || n < 4) return NULL;
  uint64_t u = (uint64_t)n, by4 = (u + 3) / 4 * 5, by7 = n < 7 ? UINT64_MAX : (u + 6) / 7 * 8, by8 = n < 8 ? UINT64_MAX : (u + 7) / 8 * 9;
  int size = by8 <= by7 && by8 <= by4 ? 2 : by7 <= by4 ? 1 : 0;
  return dw_spans[d->kw == 5][d->stride == 2][size];
}

#endif

/* a / stride for a >= 0; a division takes as long as ten sums. */
static int64_t dw_over(int64_t a, int64_t stride) { return stride == 1 ? a : stride == 2 ? a >> 1 : a / stride; }

/* Outputs [first, last), whose taps are all inside the row. */
static void dw_inner(const tsr_dw *d, int64_t first, int64_t last) {
  int64_t inner = last - first, tiles = (inner + DW_TILE - 1) / DW_TILE;
  dw_span_fn span = dw_choose(d, inner);
  if (span != NULL) {
    span(d, first, last);
    return;
  }
  for (int64_t t = 0; t < tiles; t++) { /* tiles of nearly the same size */
    int64_t o = first + t * inner / tiles;
    dw_tiles[first + (t + 1) * inner / tiles - o - 1](d, o);
  }
}

/* ---- the ends of a row ---- */

/* One output whose window hangs over the row's ends, taps [k0, k1); several vectors of channels at a time,
 * because one output alone would wait for each sum. */
VF_INLINE void dw_edge_part(const tsr_dw *d, int64_t o, int64_t k0, int64_t k1, int64_t ch, const int nv, const bool whole, int lanes, const dw_end *end) {
  vf acc[4];
#pragma GCC unroll 4
  for (int v = 0; v < nv; v++) acc[v] = d->bias == NULL ? vf_zero() : load_w(d->bias + ch + v * VF_N, whole, lanes);
  int64_t left = o * d->stride - d->pad;
  for (int64_t r = 0; r < d->row_count; r++) {
    if (d->rows[r] == NULL) continue;
    for (int64_t k = k0; k < k1; k++) {
      const float *x = d->rows[r] + (left + k * d->dil) * d->x_step + ch, *w = d->w + (r * d->kw + k) * d->w_step + ch;
#pragma GCC unroll 4
      for (int v = 0; v < nv; v++) acc[v] = vf_fma(load_w(x + v * VF_N, whole, lanes), load_w(w + v * VF_N, whole, lanes), acc[v]);
    }
  }
  dw_finish(d, end, o * d->y_step + ch, VF_N, acc, nv, whole, lanes);
}

static void dw_edge(const tsr_dw *d, int64_t o) {
  const dw_end end = dw_end_of(d);
  int64_t left = o * d->stride - d->pad, k0 = 0, k1 = d->kw, ch = 0;
  while (k0 < k1 && left + k0 * d->dil < 0) k0++;
  while (k1 > k0 && left + (k1 - 1) * d->dil >= d->iw) k1--;
  for (; ch + 4 * VF_N <= d->c; ch += 4 * VF_N) dw_edge_part(d, o, k0, k1, ch, 4, true, VF_N, &end);
  for (; ch + VF_N <= d->c; ch += VF_N) dw_edge_part(d, o, k0, k1, ch, 1, true, VF_N, &end);
  if (ch < d->c) dw_edge_part(d, o, k0, k1, ch, 1, false, (int)(d->c - ch), &end);
}

static void dw_row(const tsr_dw *d) {
  int64_t reach = (d->kw - 1) * d->dil; /* outputs [first, last) see only the row itself */
  int64_t first = TSR_MIN(d->ow, dw_over(d->pad + d->stride - 1, d->stride));
  int64_t last = d->iw + d->pad - reach <= 0 ? 0 : dw_over(d->iw + d->pad - reach - 1, d->stride) + 1;
  last = TSR_MAX(first, TSR_MIN(d->ow, last));
  for (int64_t o = 0; o < first; o++) dw_edge(d, o);
  dw_inner(d, first, last);
  for (int64_t o = last; o < d->ow; o++) dw_edge(d, o);
  if (d->act == TSR_ACT_SILU) return; /* done */
  if (d->y_step == d->c) rest_act(d->act, d->p0, d->p1, d->out, d->ow * d->c);
  else for (int64_t o = 0; o < d->ow && !is_quick(d->act); o++) rest_act(d->act, d->p0, d->p1, d->out + o * d->y_step, d->c);
}
