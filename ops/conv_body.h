/* The body of ops/conv_<isa>.c over vec.h: depthwise rows, Winograd's transforms, scaled channels. */
#include <math.h>

#include "ops/conv_kernels.h"
#include "ops/vecmath.h"

/* ---- activations in registers; rest_act: what is left for a second pass over the row ---- */

VF_INLINE vf quick_act(tsr_act act, vf x, vf p0, vf p1) {
  const vf zero = vf_zero();
  switch (act) {
  case TSR_ACT_RELU: return vf_max(zero, x);
  case TSR_ACT_RELU6: return vf_min(vf_set(6.0f), vf_max(zero, x));
  case TSR_ACT_CLAMP: return vf_min(p1, vf_max(p0, x));
  case TSR_ACT_HARDSWISH:
    return vf_mul(vf_mul(x, vf_min(vf_set(6.0f), vf_max(zero, vf_add(x, vf_set(3.0f))))), vf_set(1.0f / 6));
  default: return x;
  }
}

static bool is_quick(tsr_act act) {
  return act == TSR_ACT_NONE || act == TSR_ACT_RELU || act == TSR_ACT_RELU6 || act == TSR_ACT_CLAMP || act == TSR_ACT_HARDSWISH;
}

static void rest_act(tsr_act act, float p0, float p1, float *x, int64_t n) {
  if (!is_quick(act)) VF_NAME(tsr_gemm).act(act, p0, p1, x, n);
}

VF_INLINE vf load_w(const float *p, const bool whole, int lanes) { return whole ? vf_load(p) : vf_load_n(p, lanes); }
VF_INLINE void store_w(float *p, vf x, const bool whole, int lanes) {
  if (whole) vf_store(p, x);
  else vf_store_n(p, x, lanes);
}

/* ---- depthwise convolution ---- */

#define DW_TILE 8

/* n sums, `step` elements apart from `at` on, become results: branches once, not for each. */
VF_INLINE void dw_finish(const tsr_dw *d, int64_t at, int64_t step, vf *acc, const int n, const bool whole, int lanes) {
  float low = d->act == TSR_ACT_NONE || d->act == TSR_ACT_HARDSWISH || !is_quick(d->act) ? -INFINITY : d->act == TSR_ACT_CLAMP ? d->p0 : 0;
  float high = d->act == TSR_ACT_RELU6 ? 6.0f : d->act == TSR_ACT_CLAMP ? d->p1 : INFINITY;
  const vf lo = vf_set(low), hi = vf_set(high);
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
VF_INLINE void dw_tile(const tsr_dw *d, const int64_t kw, int64_t ch, int64_t o, const int tile, const bool whole, int lanes) {
  vf acc[DW_TILE];
  vf b = d->bias == NULL ? vf_zero() : load_w(d->bias + ch, whole, lanes);
#pragma GCC unroll 8
  for (int t = 0; t < tile; t++) acc[t] = b;
  const int64_t step = d->stride * d->x_step;
  const float *w = d->w + ch;
  for (int64_t r = 0; r < d->row_count; r++) {
    if (d->rows[r] == NULL) {
      w += kw * d->w_step;
      continue;
    }
    const float *x = d->rows[r] + (o * d->stride - d->pad) * d->x_step + ch;
    for (int64_t k = 0; k < kw; k++, w += d->w_step, x += d->dil * d->x_step) {
      vf wv = load_w(w, whole, lanes);
#pragma GCC unroll 8
      for (int t = 0; t < tile; t++) acc[t] = vf_fma(load_w(x + t * step, whole, lanes), wv, acc[t]);
    }
  }
  dw_finish(d, o * d->y_step + ch, d->y_step, acc, tile, whole, lanes);
}

VF_INLINE void dw_channels(const tsr_dw *d, const int64_t kw, int64_t o, const int tile) {
  int64_t ch = 0;
  for (; ch + VF_N <= d->c; ch += VF_N) dw_tile(d, kw, ch, o, tile, true, VF_N);
  if (ch < d->c) dw_tile(d, d->kw, ch, o, tile, false, (int)(d->c - ch));
}

/* The usual widths of kernels are constants: their loops unroll. */
#define DW_TILES(n)                                          \
  static void dw_tile_##n(const tsr_dw *d, int64_t o) {      \
    if (d->kw == 3) dw_channels(d, 3, o, n);                 \
    else if (d->kw == 5) dw_channels(d, 5, o, n);            \
    else dw_channels(d, d->kw, o, n);                        \
  }
DW_TILES(1) DW_TILES(2) DW_TILES(3) DW_TILES(4) DW_TILES(5) DW_TILES(6) DW_TILES(7) DW_TILES(8)

typedef void (*dw_tile_fn)(const tsr_dw *d, int64_t o);
static const dw_tile_fn dw_tiles[DW_TILE] = {dw_tile_1, dw_tile_2, dw_tile_3, dw_tile_4, dw_tile_5, dw_tile_6, dw_tile_7, dw_tile_8};

/* One output whose window hangs over the row's ends, taps [k0, k1); several vectors of channels at a time,
 * because one output alone would wait for each sum. */
VF_INLINE void dw_edge_part(const tsr_dw *d, int64_t o, int64_t k0, int64_t k1, int64_t ch, const int nv, const bool whole, int lanes) {
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
  dw_finish(d, o * d->y_step + ch, VF_N, acc, nv, whole, lanes);
}

static void dw_edge(const tsr_dw *d, int64_t o) {
  int64_t left = o * d->stride - d->pad, k0 = 0, k1 = d->kw, ch = 0;
  while (k0 < k1 && left + k0 * d->dil < 0) k0++;
  while (k1 > k0 && left + (k1 - 1) * d->dil >= d->iw) k1--;
  for (; ch + 4 * VF_N <= d->c; ch += 4 * VF_N) dw_edge_part(d, o, k0, k1, ch, 4, true, VF_N);
  for (; ch + VF_N <= d->c; ch += VF_N) dw_edge_part(d, o, k0, k1, ch, 1, true, VF_N);
  if (ch < d->c) dw_edge_part(d, o, k0, k1, ch, 1, false, (int)(d->c - ch));
}

static void dw_row(const tsr_dw *d) {
  int64_t reach = (d->kw - 1) * d->dil; /* outputs [first, last) see only the row itself */
  int64_t first = TSR_MIN(d->ow, (d->pad + d->stride - 1) / d->stride);
  int64_t last = d->iw + d->pad - reach <= 0 ? 0 : (d->iw + d->pad - reach - 1) / d->stride + 1;
  last = TSR_MAX(first, TSR_MIN(d->ow, last));
  int64_t inner = last - first, tiles = (inner + DW_TILE - 1) / DW_TILE;
  for (int64_t o = 0; o < first; o++) dw_edge(d, o);
  for (int64_t t = 0; t < tiles; t++) { /* tiles of nearly the same size */
    int64_t o = first + t * inner / tiles;
    dw_tiles[first + (t + 1) * inner / tiles - o - 1](d, o);
  }
  for (int64_t o = last; o < d->ow; o++) dw_edge(d, o);
  if (d->act == TSR_ACT_SILU) return; /* done */
  if (d->y_step == d->c) rest_act(d->act, d->p0, d->p1, d->out, d->ow * d->c);
  else for (int64_t o = 0; o < d->ow && !is_quick(d->act); o++) rest_act(d->act, d->p0, d->p1, d->out + o * d->y_step, d->c);
}

/* nv vectors, four rows at a time: independent sums. */
VF_INLINE void sum_part(float *y, const float *x, int64_t step, int64_t rows, const int nv, const bool whole, int lanes) {
  vf acc[2][4];
#pragma GCC unroll 2
  for (int v = 0; v < nv; v++)
#pragma GCC unroll 4
    for (int t = 0; t < 4; t++) acc[v][t] = vf_zero();
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4)
#pragma GCC unroll 4
    for (int t = 0; t < 4; t++)
#pragma GCC unroll 2
      for (int v = 0; v < nv; v++) acc[v][t] = vf_add(acc[v][t], load_w(x + (r + t) * step + v * VF_N, whole, lanes));
  for (; r < rows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < nv; v++) acc[v][0] = vf_add(acc[v][0], load_w(x + r * step + v * VF_N, whole, lanes));
#pragma GCC unroll 2
  for (int v = 0; v < nv; v++) store_w(y + v * VF_N, vf_add(vf_add(acc[v][0], acc[v][1]), vf_add(acc[v][2], acc[v][3])), whole, lanes);
}

static void sum_rows(float *y, const float *x, int64_t step, int64_t rows, int64_t n) {
  int64_t i = 0;
  for (; i + 2 * VF_N <= n; i += 2 * VF_N) sum_part(y + i, x + i, step, rows, 2, true, VF_N);
  for (; i + VF_N <= n; i += VF_N) sum_part(y + i, x + i, step, rows, 1, true, VF_N);
  if (i < n) sum_part(y + i, x + i, step, rows, 1, false, (int)(n - i));
}

#include "ops/conv_few_body.h"

#include "ops/conv_wino_body.h"

/* ---- channels ---- */

/* nv vectors of channels from ch, all rows: their factors stay in registers. */
VF_INLINE void scale_part(const tsr_scaled *s, int64_t ch, const int nv, const bool whole, int lanes) {
  vf scale[4], shift[4];
  const vf p0 = vf_set(s->p0), p1 = vf_set(s->p1);
#pragma GCC unroll 4
  for (int v = 0; v < nv; v++) {
    scale[v] = load_w(s->scale + ch + v * VF_N, whole, lanes);
    shift[v] = load_w(s->shift + ch + v * VF_N, whole, lanes);
  }
  for (int64_t r = 0; r < s->rows; r++) {
    const float *x = s->x + r * s->x_step + ch;
    float *y = s->y + r * s->y_step + ch;
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) {
      vf t = vf_add(vf_mul(load_w(x + v * VF_N, whole, lanes), scale[v]), shift[v]);
      store_w(y + v * VF_N, quick_act(s->act, t, p0, p1), whole, lanes);
    }
  }
}

static void scale_act(const tsr_scaled *s) {
  int64_t ch = 0;
  for (; ch + 4 * VF_N <= s->n; ch += 4 * VF_N) scale_part(s, ch, 4, true, VF_N);
  for (; ch + 2 * VF_N <= s->n; ch += 2 * VF_N) scale_part(s, ch, 2, true, VF_N);
  for (; ch + VF_N <= s->n; ch += VF_N) scale_part(s, ch, 1, true, VF_N);
  if (ch < s->n) scale_part(s, ch, 1, false, (int)(s->n - ch));
  for (int64_t r = 0; r < s->rows && !is_quick(s->act); r++) rest_act(s->act, s->p0, s->p1, s->y + r * s->y_step, s->n);
}

/* ---- pools ---- */

VF_INLINE vf larger(vf a, vf b) { return vf_select(vf_isnan(a), a, vf_max(a, b)); } /* b's NaN comes through max */

VF_INLINE void window_part(float *y, const tsr_window *w, int64_t ch, const int nv, const bool whole, int lanes, const bool max, float div) {
  vf acc[4];
#pragma GCC unroll 4
  for (int v = 0; v < nv; v++) acc[v] = max ? load_w(w->x + ch + v * VF_N, whole, lanes) : vf_zero();
  for (int64_t i = 0; i < w->rows; i++) {
    const float *x = w->x + i * w->row_step + ch;
    for (int64_t j = 0; j < w->cols; j++, x += w->col_step)
#pragma GCC unroll 4
      for (int v = 0; v < nv; v++) {
        vf a = load_w(x + v * VF_N, whole, lanes);
        acc[v] = max ? larger(acc[v], a) : vf_add(acc[v], a);
      }
  }
#pragma GCC unroll 4
  for (int v = 0; v < nv; v++) store_w(y + ch + v * VF_N, max ? acc[v] : vf_div(acc[v], vf_set(div)), whole, lanes);
}

VF_INLINE void window(float *y, const tsr_window *w, int64_t c, const bool max, float div) {
  int64_t ch = 0;
  for (; ch + 4 * VF_N <= c; ch += 4 * VF_N) window_part(y, w, ch, 4, true, VF_N, max, div);
  for (; ch + VF_N <= c; ch += VF_N) window_part(y, w, ch, 1, true, VF_N, max, div);
  if (ch < c) window_part(y, w, ch, 1, false, (int)(c - ch), max, div);
}

static void max_window(float *y, const tsr_window *w, int64_t c) { window(y, w, c, true, 1); }
static void mean_window(float *y, const tsr_window *w, int64_t c, float div) { window(y, w, c, false, div); }

const tsr_conv_fns VF_NAME(tsr_conv) = {
    .dw_row = dw_row, .few_row = few_row, .sum_rows = sum_rows, .wino_in = {wino_in2, wino_in4}, .wino_out = {wino_out2, wino_out4},
    .wino_expand = {wino_expand2, wino_expand4}, .wino_weight = wino_weight, .scale_act = scale_act,
    .max_window = max_window, .mean_window = mean_window,
};
