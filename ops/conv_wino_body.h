/* Part of conv_body.h: the transforms of Winograd's algorithm.
 *
 * F(4x4, 3x3) is at the points 0, +-sqrt(1/2), +-sqrt(2), infinity.  With these, whose powers stay near 1, the largest
 * error against float64 is about that of direct summation (6.8e-6 of the results' rms at 256 channels against 4.7e-6);
 * the usual 0, +-1, +-2 have 2.4e-5.  F(2x2, 3x3) is at 0, +-1, infinity. */

#define W_A 0.707106781f
#define W_B 1.414213562f

/* The rows of B^T times in[n]. */
VF_INLINE void wino_in_row(vf *out, const vf *in, const int n) {
  if (n == 4) {
    out[0] = vf_sub(in[0], in[2]);
    out[1] = vf_add(in[1], in[2]);
    out[2] = vf_sub(in[2], in[1]);
    out[3] = vf_sub(in[3], in[1]);
    return;
  }
  const vf a = vf_set(W_A), b = vf_set(W_B), half = vf_set(0.5f), two = vf_set(2.0f), q = vf_set(2.5f);
  vf e1 = vf_fnma(two, in[2], in[4]), o1 = vf_fnma(b, in[1], vf_mul(a, in[3]));
  vf e2 = vf_fnma(half, in[2], in[4]), o2 = vf_fnma(a, in[1], vf_mul(b, in[3]));
  out[0] = vf_add(vf_fnma(q, in[2], in[0]), in[4]);
  out[1] = vf_add(e1, o1);
  out[2] = vf_sub(e1, o1);
  out[3] = vf_add(e2, o2);
  out[4] = vf_sub(e2, o2);
  out[5] = vf_add(vf_fnma(q, in[3], in[1]), in[5]);
}

VF_INLINE void wino_in_part(const tsr_wino_in *w, int64_t ch, const int n, const bool whole, int lanes) {
  vf t[6][6]; /* t[column][row] after the first pass: six by six go through L1, there are not enough registers */
#pragma GCC unroll 6
  for (int j = 0; j < n; j++) {
    vf d[6];
#pragma GCC unroll 6
    for (int i = 0; i < n; i++) d[i] = load_w(w->x[i * n + j] + w->c0 + ch, whole, lanes);
    wino_in_row(t[j], d, n);
  }
#pragma GCC unroll 6
  for (int i = 0; i < n; i++) {
    vf d[6], out[6];
#pragma GCC unroll 6
    for (int j = 0; j < n; j++) d[j] = t[j][i];
    wino_in_row(out, d, n);
#pragma GCC unroll 6
    for (int j = 0; j < n; j++) store_w(w->v + w->at[i * n + j] + ch, out[j], whole, lanes);
  }
}

VF_INLINE void wino_in(const tsr_wino_in *w, const int n) {
  int64_t ch = 0;
  for (; ch + VF_N <= w->c; ch += VF_N) wino_in_part(w, ch, n, true, VF_N);
  if (ch < w->c) wino_in_part(w, ch, n, false, (int)(w->c - ch));
}

static void wino_in2(const tsr_wino_in *w) { wino_in(w, 4); }
static void wino_in4(const tsr_wino_in *w) { wino_in(w, 6); }

/* The rows of A^T times in[n]. */
VF_INLINE void wino_out_row(vf *out, const vf *in, const int n) {
  vf s1 = vf_add(in[1], in[2]), d1 = vf_sub(in[1], in[2]);
  if (n == 4) {
    out[0] = vf_add(in[0], s1);
    out[1] = vf_add(d1, in[3]);
    return;
  }
  const vf a = vf_set(W_A), b = vf_set(W_B), half = vf_set(0.5f), two = vf_set(2.0f);
  d1 = vf_mul(a, d1);
  vf s2 = vf_add(in[3], in[4]), d2 = vf_mul(b, vf_sub(in[3], in[4]));
  out[0] = vf_add(in[0], vf_add(s1, s2));
  out[1] = vf_add(d1, d2);
  out[2] = vf_fma(half, s1, vf_mul(two, s2));
  out[3] = vf_add(vf_fma(half, d1, vf_mul(two, d2)), in[5]);
}

VF_INLINE void wino_out_part(const tsr_wino_out *w, int64_t ch, const int n, const bool whole, int lanes) {
  vf t[6][4];
  const int side = n - 2;
  const vf b = w->bias == NULL ? vf_zero() : load_w(w->bias + ch, whole, lanes), p0 = vf_set(w->p0), p1 = vf_set(w->p1);
#pragma GCC unroll 6
  for (int j = 0; j < n; j++) {
    vf m[6];
#pragma GCC unroll 6
    for (int i = 0; i < n; i++) m[i] = load_w(w->m + (i * n + j) * w->step + ch, whole, lanes);
    wino_out_row(t[j], m, n);
  }
#pragma GCC unroll 4
  for (int i = 0; i < side; i++) {
    vf m[6], out[4];
#pragma GCC unroll 6
    for (int j = 0; j < n; j++) m[j] = t[j][i];
    wino_out_row(out, m, n);
#pragma GCC unroll 4
    for (int j = 0; j < side; j++) {
      float *y = w->y[i * side + j];
      if (y == NULL) continue;
      vf v = vf_add(out[j], b);
      if (w->has_residual) v = vf_add(v, load_w(y + w->residual + ch, whole, lanes));
      store_w(y + ch, quick_act(w->act, v, p0, p1), whole, lanes);
    }
  }
}

VF_INLINE void wino_out(const tsr_wino_out *w, const int n) {
  int64_t ch = 0;
  for (; ch + VF_N <= w->c; ch += VF_N) wino_out_part(w, ch, n, true, VF_N);
  if (ch < w->c) wino_out_part(w, ch, n, false, (int)(w->c - ch));
  if (is_quick(w->act)) return;
  for (int i = 0; i < (n - 2) * (n - 2); i++)
    if (w->y[i] != NULL) rest_act(w->act, w->p0, w->p1, w->y[i], w->c);
}

static void wino_out2(const tsr_wino_out *w) { wino_out(w, 4); }
static void wino_out4(const tsr_wino_out *w) { wino_out(w, 6); }

/* The rows of G times in[3]. */
VF_INLINE void wino_weight_row(vf *out, const vf *in, const int n) {
  out[0] = in[0];
  out[n - 1] = in[2];
  if (n == 4) {
    const vf half = vf_set(0.5f);
    vf e = vf_mul(half, vf_add(in[0], in[2])), o = vf_mul(half, in[1]);
    out[1] = vf_add(e, o);
    out[2] = vf_sub(e, o);
    return;
  }
  const vf third = vf_set(1.0f / 3);
  vf c = vf_mul(third, in[2]), e = vf_fnma(vf_set(2.0f / 3), in[0], vf_neg(c)), o = vf_mul(vf_set(-0.47140452f), in[1]);
  out[1] = vf_add(e, o);
  out[2] = vf_sub(e, o);
  e = vf_fma(vf_set(1.0f / 6), in[0], c);
  o = vf_mul(vf_set(0.23570226f), in[1]);
  out[3] = vf_add(e, o);
  out[4] = vf_sub(e, o);
}

VF_INLINE void wino_expand(float *u, int64_t step, const float *const *g, int64_t n, const int side) {
  for (int64_t i = 0; i < n; i += VF_N) {
    vf t[3][6];
#pragma GCC unroll 3
    for (int j = 0; j < 3; j++) {
      vf w[3];
#pragma GCC unroll 3
      for (int k = 0; k < 3; k++) w[k] = vf_load(g[k * 3 + j] + i);
      wino_weight_row(t[j], w, side);
    }
#pragma GCC unroll 6
    for (int k = 0; k < side; k++) {
      vf w[3] = {t[0][k], t[1][k], t[2][k]}, out[6];
      wino_weight_row(out, w, side);
#pragma GCC unroll 6
      for (int j = 0; j < side; j++) vf_store(u + (k * side + j) * step + i, out[j]);
    }
  }
}

static void wino_expand2(float *u, int64_t step, const float *const *g, int64_t n) { wino_expand(u, step, g, n, 4); }
static void wino_expand4(float *u, int64_t step, const float *const *g, int64_t n) { wino_expand(u, step, g, n, 6); }

static void wino_weights(float *u, int64_t step, const float *g, const float (*coef)[9], int64_t channels, int64_t w, int elements) {
  for (int64_t i = 0; i < channels * w; i += VF_N) {
    const float *from = g + i / w * 9 * w + i % w;
    vf in[9];
#pragma GCC unroll 9
    for (int t = 0; t < 9; t++) in[t] = vf_load(from + t * w);
    for (int e = 0; e < elements; e++) {
      vf sum = vf_zero();
#pragma GCC unroll 9
      for (int t = 0; t < 9; t++) sum = vf_fma(in[t], vf_set(coef[e][t]), sum);
      vf_store(u + e * step + i, sum);
    }
  }
}
