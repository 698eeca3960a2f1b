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
    return vf_mul(x, vf_min(vf_set(1.0f), vf_max(zero, vf_fma(x, vf_set(1.0f / 6), vf_set(0.5f)))));
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

#include "ops/conv_dw_body.h"
#include "ops/conv_group_body.h"

/* ---- sums of rows ---- */

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

static void copy_columns(float *y, int64_t y_step, const float *x, int64_t x_step, int64_t rows, int64_t n) {
  if (n == 2 * VF_N) {
    for (int64_t r = 0; r < rows; r++, y += y_step, x += x_step) {
      vf a = vf_load(x), b = vf_load(x + VF_N);
      vf_store(y, a);
      vf_store(y + VF_N, b);
    }
    return;
  }
  for (int64_t r = 0; r < rows; r++, y += y_step, x += x_step) {
    int64_t i = 0;
    for (; i + VF_N <= n; i += VF_N) vf_store(y + i, vf_load(x + i));
    if (i < n) vf_store_n(y + i, vf_load_n(x + i, (int)(n - i)), (int)(n - i));
  }
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
    .dw_row = dw_row, .group_tile = group_tile, .few_row = few_row, .sum_rows = sum_rows, .copy_columns = copy_columns, .wino_in = {wino_in2, wino_in4}, .wino_out = {wino_out2, wino_out4},
    .wino_expand = {wino_expand2, wino_expand4}, .wino_weights = wino_weights, .scale_act = scale_act,
    .max_window = max_window, .mean_window = mean_window,
};
