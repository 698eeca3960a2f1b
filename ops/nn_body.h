/* The body of ops/nn_<isa>.c over vec.h. */
#include <math.h>

#include "ops/nn.h"
#include "ops/vecmath.h"

/* ---- rows of numbers ---- */

#define EACH(n, body_whole, body_part)        \
  int64_t i = 0;                              \
  for (; i + VF_N <= (n); i += VF_N) { body_whole; } \
  if (i < (n)) { const int r = (int)((n) - i); body_part; }

static float sum_of(const float *x, int64_t n) {
  vf a = vf_zero(), b = vf_zero(), c = vf_zero(), e = vf_zero();
  int64_t i = 0;
  for (; i + 4 * VF_N <= n; i += 4 * VF_N) {
    a = vf_add(a, vf_load(x + i));
    b = vf_add(b, vf_load(x + i + VF_N));
    c = vf_add(c, vf_load(x + i + 2 * VF_N));
    e = vf_add(e, vf_load(x + i + 3 * VF_N));
  }
  for (; i < n; i += VF_N) a = vf_add(a, vf_load_n(x + i, (int)TSR_MIN(VF_N, n - i)));
  return vf_hsum(vf_add(vf_add(a, b), vf_add(c, e)));
}

static float squares(const float *x, int64_t n, float mean) {
  vf m = vf_set(mean), a = vf_zero(), b = vf_zero();
  int64_t i = 0;
  for (; i + 2 * VF_N <= n; i += 2 * VF_N) {
    vf u = vf_sub(vf_load(x + i), m), v = vf_sub(vf_load(x + i + VF_N), m);
    a = vf_fma(u, u, a);
    b = vf_fma(v, v, b);
  }
  for (; i < n; i += VF_N) {
    int r = (int)TSR_MIN(VF_N, n - i);
    vf u = vf_select(vm_first(r), vf_sub(vf_load_n(x + i, r), m), vf_zero());
    a = vf_fma(u, u, a);
  }
  return vf_hsum(vf_add(a, b));
}

static void moments(const float *x, int64_t n, float *mean, float *m2) {
  *mean = sum_of(x, n) / (float)n;
  *m2 = squares(x, n, *mean);
}

static void layer_norm(float *y, const float *x, const float *w, const float *b, int64_t n, float eps, float *mean, float *rstd) {
  float mu, m2;
  moments(x, n, &mu, &m2);
  float rs = 1.0f / sqrtf(m2 / (float)n + eps);
  const vf scale = vf_set(rs), centre = vf_set(mu);
#define LN_STEP(load, store)                                     \
  vf v = vf_mul(vf_sub(load(x + i), centre), scale);             \
  if (w != NULL) v = vf_mul(v, load(w + i));                     \
  if (b != NULL) v = vf_add(v, load(b + i));                     \
  store
#define LOAD_R(p) vf_load_n(p, r)
  EACH(n, LN_STEP(vf_load, vf_store(y + i, v)), LN_STEP(LOAD_R, vf_store_n(y + i, v, r)))
  if (mean != NULL) *mean = mu;
  if (rstd != NULL) *rstd = rs;
}

static void rms_norm(float *y, const float *x, const float *w, int64_t n, float eps) {
  vf scale = vf_set(1.0f / sqrtf(squares(x, n, 0) / (float)n + eps));
#define RMS_STEP(load, store)                    \
  vf v = vf_mul(load(x + i), scale);             \
  if (w != NULL) v = vf_mul(v, load(w + i));     \
  store
  EACH(n, RMS_STEP(vf_load, vf_store(y + i, v)), RMS_STEP(LOAD_R, vf_store_n(y + i, v, r)))
}

/* Not fused: x * scale rounds as mean * scale did, so that constant runs come out as exactly the bias. */
static void scale_shift(float *y, const float *x, float scale, float shift, int64_t n) {
  vf s = vf_set(scale), t = vf_set(shift);
  EACH(n, vf_store(y + i, vf_add(vf_mul(vf_load(x + i), s), t)), vf_store_n(y + i, vf_add(vf_mul(vf_load_n(x + i, r), s), t), r))
}

static void scale_shift_v(float *y, const float *x, const float *scale, const float *shift, int64_t n) {
  EACH(n, vf_store(y + i, vf_add(vf_mul(vf_load(x + i), vf_load(scale + i)), vf_load(shift + i))),
       vf_store_n(y + i, vf_add(vf_mul(vf_load_n(x + i, r), vf_load_n(scale + i, r)), vf_load_n(shift + i, r)), r))
}

VF_INLINE vf max_nan(vf a, vf b) { return vf_select(vf_isnan(a), a, vf_max(a, b)); } /* b's NaN comes through max */

static float max_of(const float *x, int64_t n) {
  vf m = vf_set(-INFINITY);
  EACH(n, m = max_nan(m, vf_load(x + i)), m = max_nan(m, vf_select(vm_first(r), vf_load_n(x + i, r), m)))
  return vf_hmax(m);
}

/* e^d for d <= 0 with 0 below 1e-30, far under what counts beside the largest weight, which is 1: masks of -100 would
 * else leave subnormal numbers, which are a hundred times slower to make and to multiply.  NaN stays. */
VF_INLINE vf share_of(vf d) { return vf_select(vf_lt(d, vf_set(-69.0f)), vf_zero(), vf_exp_near(vf_max(vf_set(-69.0f), d))); }

#if VF_REGS == 32
#define FEW 8 /* vectors of a row that stay in registers */
#else
#define FEW 4
#endif

/* NaN need not win the maximum: its own weight is NaN, and so is the sum. */
static float weigh(float *x, const float *mask, const float *mask2, float scale, int64_t n) {
  const vf s = vf_set(scale), low = vf_set(-INFINITY);
  vf m = low, sum = vf_zero();
  if (mask != NULL) {
#define SCORE(load) vf_fma(load(x + i), s, load(mask + i))
    EACH(n, vf v = SCORE(vf_load); if (mask2 != NULL) v = vf_add(v, vf_load(mask2 + i)); vf_store(x + i, v); m = vf_max(v, m),
         vf v = SCORE(LOAD_R); if (mask2 != NULL) v = vf_add(v, LOAD_R(mask2 + i)); vf_store_n(x + i, v, r);
         m = vf_max(vf_select(vm_first(r), v, low), m))
    scale = 1;
  } else {
    EACH(n, m = vf_max(vf_mul(vf_load(x + i), s), m), m = vf_max(vf_select(vm_first(r), vf_mul(LOAD_R(x + i), s), low), m))
  }
  m = vf_set(vf_hmax(m));
  {
    const vf t = vf_set(scale);
#define WEIGHT(load) share_of(vf_sub(vf_mul(load(x + i), t), m))
    EACH(n, vf v = WEIGHT(vf_load); vf_store(x + i, v); sum = vf_add(sum, v),
         vf v = WEIGHT(LOAD_R); vf_store_n(x + i, v, r); sum = vf_add(sum, vf_select(vm_first(r), v, vf_zero())))
  }
  return vf_hsum(sum);
}

/* The row lies in registers from the scores to the weights; nothing of a row waits for the one before it. */
VF_INLINE void weigh_in(const tsr_weigh *w, const int nv) {
  const vf scale = vf_set(w->scale), low = vf_set(-INFINITY);
  const int rest = (int)w->n - (nv - 1) * VF_N;
  for (int64_t r = 0; r < w->rows; r++) {
    float *x = w->x + r * w->ld;
    vf v[FEW], m = low, sum = vf_zero();
    for (int j = 0; j < nv; j++) {
      const int64_t at = j * VF_N;
      v[j] = vf_load(x + at);
      if (w->mask == NULL) {
        v[j] = vf_mul(v[j], scale);
      } else {
        const float *a = w->mask + r * w->mask_ld + at, *b = w->mask2 == NULL ? NULL : w->mask2 + r * w->mask2_ld + at;
        v[j] = vf_fma(v[j], scale, j + 1 < nv ? vf_load(a) : vf_load_n(a, rest));
        if (b != NULL) v[j] = vf_add(v[j], j + 1 < nv ? vf_load(b) : vf_load_n(b, rest));
      }
      m = vf_max(j + 1 < nv ? v[j] : vf_select(vm_first(rest), v[j], low), m);
    }
    m = vf_set(vf_hmax(m));
    for (int j = 0; j < nv; j++) {
      v[j] = share_of(vf_sub(v[j], m));
      sum = vf_add(sum, j + 1 < nv ? v[j] : vf_select(vm_first(rest), v[j], vf_zero()));
    }
    w->sums[r] = vf_hsum(sum);
    const vf part = vf_set(1 / w->sums[r]);
    for (int j = 0; j < nv; j++) vf_store(x + j * VF_N, vf_mul(v[j], part));
  }
}

static void weigh_few(const tsr_weigh *w) {
  switch ((w->n + VF_N - 1) / VF_N) {
  case 1: weigh_in(w, 1); break;
  case 2: weigh_in(w, 2); break;
  case 3: weigh_in(w, 3); break;
  case 4: weigh_in(w, 4); break;
#if FEW == 8
  case 5: weigh_in(w, 5); break;
  case 6: weigh_in(w, 6); break;
  case 7: weigh_in(w, 7); break;
  default: weigh_in(w, 8); break;
#endif
  }
}

static void max_into(float *y, const float *x, int64_t n) {
  EACH(n, vf_store(y + i, max_nan(vf_load(y + i), vf_load(x + i))), vf_store_n(y + i, max_nan(vf_load_n(y + i, r), vf_load_n(x + i, r)), r))
}

static void add_into(float *y, const float *x, int64_t n) {
  EACH(n, vf_store(y + i, vf_add(vf_load(y + i), vf_load(x + i))), vf_store_n(y + i, vf_add(vf_load_n(y + i, r), vf_load_n(x + i, r)), r))
}

static void scale_by(float *y, float s, int64_t n) {
  vf v = vf_set(s);
  EACH(n, vf_store(y + i, vf_mul(vf_load(y + i), v)), vf_store_n(y + i, vf_mul(vf_load_n(y + i, r), v), r))
}

static void axpy(float *y, const float *x, float a, int64_t n) {
  vf v = vf_set(a);
  EACH(n, vf_store(y + i, vf_fma(vf_load(x + i), v, vf_load(y + i))),
       vf_store_n(y + i, vf_fma(vf_load_n(x + i, r), v, vf_load_n(y + i, r)), r))
}

/* ---- recurrent cells ---- */

/* `panels` panels at a time: their sums are chains of multiply-adds side by side, as many as hide the latency of one,
 * and each is a stream of its own from L2.  The order of a sum is that of a tile of tsr_gemm. */
enum { GEMV_AHEAD = 16 }; /* terms fetched ahead into L1 */

VF_INLINE void gemv_panels(const tsr_gemv *g, int64_t panel, const int panels, const int nv) {
  vf acc[8];
  const int64_t width = nv * VF_N, next = g->k * width;
  const float *b = g->b + panel * next, *a = g->a;
  float *y = g->y + panel * width;
#pragma GCC unroll 8
  for (int j = 0; j < panels * nv; j++) acc[j] = vf_zero();
#pragma GCC unroll 1
  for (int64_t k = 0; k < g->k; k++, b += width) {
    vf v = vf_set(a[k]);
#pragma GCC unroll 8
    for (int j = 0; j < panels * nv; j++) {
      const float *at = b + j / nv * next + j % nv * VF_N;
      if (j % TSR_MAX(1, 16 / VF_N) == 0) __builtin_prefetch(at + GEMV_AHEAD * width);
      acc[j] = vf_fma(v, vf_load(at), acc[j]);
    }
  }
#pragma GCC unroll 8
  for (int j = 0; j < panels * nv; j++) {
    if (g->accumulate) acc[j] = vf_add(acc[j], vf_load(y + j * VF_N));
    if (g->bias != NULL) acc[j] = vf_add(acc[j], vf_load(g->bias + panel * width + j * VF_N));
    vf_store(y + j * VF_N, acc[j]);
  }
}

static void gemv(const tsr_gemv *g) {
  int64_t p = 0;
  switch (g->nv) {
  case 1:
    for (; p + 8 <= g->panels; p += 8) gemv_panels(g, p, 8, 1);
    for (; p < g->panels; p++) gemv_panels(g, p, 1, 1);
    break;
  case 2:
    for (; p + 4 <= g->panels; p += 4) gemv_panels(g, p, 4, 2);
    for (; p < g->panels; p++) gemv_panels(g, p, 1, 2);
    break;
  default:
    for (; p + 2 <= g->panels; p += 2) gemv_panels(g, p, 2, 3);
    for (; p < g->panels; p++) gemv_panels(g, p, 1, 3);
    break;
  }
}

static void lstm_gates(const float *g, int64_t stride, float *c, float *h, int64_t n) {
#define LSTM_STEP(load, store)                                                                       \
  vf in = vf_gate(load(g + i)), forget = vf_gate(load(g + stride + i));                        \
  vf cell = vf_tanh(load(g + 2 * stride + i)), out = vf_gate(load(g + 3 * stride + i));           \
  vf next = vf_fma(forget, load(c + i), vf_mul(in, cell));                                           \
  store
  EACH(n, LSTM_STEP(vf_load, vf_store(c + i, next); vf_store(h + i, vf_mul(out, vf_tanh(next)))),
       LSTM_STEP(LOAD_R, vf_store_n(c + i, next, r); vf_store_n(h + i, vf_mul(out, vf_tanh(next)), r)))
}

static void gru_gates(const float *gx, const float *gh, int64_t stride, const float *h, float *out, int64_t n) {
#define GRU_STEP(load, store)                                                                        \
  vf reset = vf_gate(vf_add(load(gx + i), load(gh + i)));                                         \
  vf update = vf_gate(vf_add(load(gx + stride + i), load(gh + stride + i)));                      \
  vf fresh = vf_tanh(vf_fma(reset, load(gh + 2 * stride + i), load(gx + 2 * stride + i)));           \
  vf next = vf_fma(vf_sub(load(h + i), fresh), update, fresh);                                       \
  store
  EACH(n, GRU_STEP(vf_load, vf_store(out + i, next)), GRU_STEP(LOAD_R, vf_store_n(out + i, next, r)))
}

VF_INLINE void mix_part(float *y, const float *x, const int64_t *at, const float *w, int count, int64_t n, const int nv, const bool whole, int lanes) {
  vf acc[4];
  const float *s = x + at[0] * n;
#pragma GCC unroll 4
  for (int v = 0; v < nv; v++) acc[v] = vf_mul(vf_set(w[0]), whole ? vf_load(s + v * VF_N) : vf_load_n(s, lanes));
  for (int k = 1; k < count; k++) {
    if (w[k] == 0) continue;
    s = x + at[k] * n;
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) acc[v] = vf_fma(vf_set(w[k]), whole ? vf_load(s + v * VF_N) : vf_load_n(s, lanes), acc[v]);
  }
#pragma GCC unroll 4
  for (int v = 0; v < nv; v++) {
    if (whole) vf_store(y + v * VF_N, acc[v]);
    else vf_store_n(y, acc[v], lanes);
  }
}

static void mix(float *y, const float *x, const int64_t *at, const float *w, int count, int64_t n) {
  int64_t i = 0;
  for (; i + 4 * VF_N <= n; i += 4 * VF_N) mix_part(y + i, x + i, at, w, count, n, 4, true, VF_N);
  for (; i + VF_N <= n; i += VF_N) mix_part(y + i, x + i, at, w, count, n, 1, true, VF_N);
  if (i < n) mix_part(y + i, x + i, at, w, count, n, 1, false, (int)(n - i));
}

const tsr_nn_fns VF_NAME(tsr_nn) = { .layer_norm = layer_norm, .rms_norm = rms_norm, .scale_shift = scale_shift,
    .scale_shift_v = scale_shift_v, .moments = moments, .weigh = weigh, .weigh_few = weigh_few, .few = FEW * VF_N, .max_into = max_into, .add_into = add_into, .mix = mix,
    .scale = scale_by, .axpy = axpy, .lstm_gates = lstm_gates, .gru_gates = gru_gates, .gemv = gemv, .sum = sum_of, .max = max_of,
};
