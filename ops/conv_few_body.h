/* Part of conv_body.h: convolutions of few input channels, a row of results at a time.
 *
 * The input is one padded plane a channel, so that the terms of a kernel row lie side by side and neighbouring results
 * are `stride` floats apart: nothing is gathered, A is read in place. */

#if defined(__x86_64__) && VF_REGS == 32
#define FEW_IN_REGISTER(x) __asm__("" : "+v"(x))
#elif defined(__aarch64__)
#define FEW_IN_REGISTER(x) __asm__("" : "+w"(x))
#else
#define FEW_IN_REGISTER(x) (void)0
#endif

/* mr results from o on, nv vectors of channels from col on, weights w. */
VF_INLINE void few_sums(const tsr_few *d, int64_t o, const float *w, const int64_t stride, const int mr, const int nv, vf acc[14][3]) {
#pragma GCC unroll 14
  for (int i = 0; i < mr; i++)
#pragma GCC unroll 3
    for (int j = 0; j < nv; j++) acc[i][j] = vf_zero();
  for (int64_t t = 0; t < d->taps; t++) {
    const float *x = d->rows[t];
    if (x == NULL) {
      w += d->kw * nv * VF_N;
      continue;
    }
    x += o * stride;
#pragma GCC unroll 1
    for (int64_t k = 0; k < d->kw; k++, w += nv * VF_N) {
      vf b[3];
      const float *at = x + k;
      __asm__("" : "+r"(at)); /* or the compiler carries what neighbours share from one term to the next, through memory */
#pragma GCC unroll 3
      for (int j = 0; j < nv; j++) b[j] = vf_load(w + j * VF_N);
#pragma GCC unroll 14
      for (int i = 0; i < mr; i++) {
        vf a = vf_set(at[i * stride]);
        if (nv > 1) FEW_IN_REGISTER(a);
#pragma GCC unroll 3
        for (int j = 0; j < nv; j++) acc[i][j] = vf_fma(a, b[j], acc[i][j]);
      }
    }
  }
}

VF_INLINE void few_tile(const tsr_few *d, int64_t o, int64_t col, const float *w, const int64_t stride, const int mr, const int nv, const bool full) {
  vf acc[14][3];
  const int rest = (int)TSR_MIN(VF_N, d->n - col - (nv - 1) * VF_N);
  const vf p0 = vf_set(d->p0), p1 = vf_set(d->p1);
  float *out = d->out + o * d->y_step + col;
  few_sums(d, o, w, stride, mr, nv, acc);
#pragma GCC unroll 3
  for (int j = 0; j < nv; j++) {
    const bool whole = full || j + 1 < nv;
    vf bias = d->bias == NULL ? vf_zero() : load_w(d->bias + col + j * VF_N, whole, rest);
#pragma GCC unroll 14
    for (int i = 0; i < mr; i++) acc[i][j] = vf_add(acc[i][j], bias);
    if (d->residual != NULL) {
#pragma GCC unroll 14
      for (int i = 0; i < mr; i++) acc[i][j] = vf_add(acc[i][j], load_w(d->residual + (o + i) * d->y_step + col + j * VF_N, whole, rest));
    }
    if (d->act == TSR_ACT_RELU) {
#pragma GCC unroll 14
      for (int i = 0; i < mr; i++) acc[i][j] = vf_max(vf_zero(), acc[i][j]);
    } else if (d->act != TSR_ACT_NONE) {
#pragma GCC unroll 14
      for (int i = 0; i < mr; i++) acc[i][j] = quick_act(d->act, acc[i][j], p0, p1);
    }
#pragma GCC unroll 14
    for (int i = 0; i < mr; i++) store_w(out + i * d->y_step + j * VF_N, acc[i][j], whole, rest);
  }
}

#define FEW(name, stride, mr, nv)                                                                      \
  static void few_##name(const tsr_few *d, int64_t o, int64_t col, const float *w) {                   \
    if (VF_N < 16 && !VF_SMALL && d->n - col >= nv * VF_N) few_tile(d, o, col, w, stride, mr, nv, true); \
    else few_tile(d, o, col, w, stride, mr, nv, false);                                                \
  }
#if VF_SMALL
#define FEW_STRIDES(nv, most)
#define FEW_NAMES(nv) {few_sx_##nv, few_sx_##nv, few_sx_##nv, few_sx_##nv, few_h_##nv, few_3_##nv, few_1_##nv}
#else
#define FEW_STRIDES(nv, most) FEW(s1_##nv, 1, most, nv) FEW(s2_##nv, 2, most, nv) FEW(s4_##nv, 4, most, nv)
#define FEW_NAMES(nv) {few_s1_##nv, few_s2_##nv, few_s4_##nv, few_sx_##nv, few_h_##nv, few_3_##nv, few_1_##nv}
#endif
/* The usual strides are constants in the addresses of the most rows a tile can have. */
#define FEW_WIDTH(nv, most, half)                                                                     \
  FEW(1_##nv, d->stride, 1, nv)                                                                       \
  FEW(3_##nv, d->stride, 3, nv)                                                                       \
  FEW(h_##nv, d->stride, half, nv)                                                                    \
  FEW_STRIDES(nv, most)                                                                               \
  FEW(sx_##nv, d->stride, most, nv)

typedef void (*few_fn)(const tsr_few *d, int64_t o, int64_t col, const float *w);
#if VF_REGS == 32
FEW_WIDTH(1, 14, 7)
FEW_WIDTH(2, 14, 7)
FEW_WIDTH(3, 9, 5)
static const few_fn few_fns[3][7] = {FEW_NAMES(1), FEW_NAMES(2), FEW_NAMES(3)};
static const int few_rows[3][3] = {{14, 7, 3}, {14, 7, 3}, {9, 5, 3}};
#else
FEW_WIDTH(1, 6, 4)
FEW_WIDTH(2, 6, 4)
static const few_fn few_fns[2][7] = {FEW_NAMES(1), FEW_NAMES(2)};
static const int few_rows[2][3] = {{6, 4, 3}, {6, 4, 3}};
#endif

/* All results of a row, tiles of one size; the last one starts early and makes some of them again. */
static void few_panel(const tsr_few *d, int64_t col, const float *w, int nv) {
  int size = 0;
  while (size < 3 && few_rows[nv - 1][size] > d->ow) size++;
  int64_t mr = size < 3 ? few_rows[nv - 1][size] : 1;
  int which = size > 0 ? size + 3 : d->stride == 1 ? 0 : d->stride == 2 ? 1 : d->stride == 4 ? 2 : 3;
  for (int64_t o = 0; o < d->ow; o += mr) few_fns[nv - 1][which](d, TSR_MIN(o, d->ow - mr), col, w);
}

static void few_row(const tsr_few *d) {
  int64_t n_pad = (d->n + VF_N - 1) / VF_N * VF_N, width = (int64_t)d->nv * VF_N, terms = d->taps * d->kw;
  for (int64_t col = 0; col < d->n; col += width)
    few_panel(d, col, d->w + col * terms, (int)(TSR_MIN(width, n_pad - col) / VF_N));
  if (d->y_step == d->n) rest_act(d->act, d->p0, d->p1, d->out, d->ow * d->n);
  else for (int64_t o = 0; o < d->ow && !is_quick(d->act); o++) rest_act(d->act, d->p0, d->p1, d->out + o * d->y_step, d->n);
}
