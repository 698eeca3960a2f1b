/* Part of conv_body.h: convolutions in groups of a few channels: those of a vector are whole groups, and a term of each lane's
 * sum is the lane's weight times one channel of its group. */

#if defined(__x86_64__) && VF_N > 4
#define GROUP_IN_REGISTER(x) __asm__("" : "+v"(x)) /* or the compiler turns it again for each sum */
#else
#define GROUP_IN_REGISTER(x) (void)0
#endif

/* Up to VF_N channels from ch on.  once: stride is 1, kw 3, and each input is turned
 * once for all sums that it is part of. */
VF_INLINE void group_part(const tsr_dw *d, const tsr_group *g, int64_t ch, const bool once, const dw_end *end, const bool whole, int lanes) {
  enum { TILE = TSR_GROUP_TILE };
  vf acc[TILE], b = d->bias == NULL ? vf_zero() : load_w(d->bias + ch, whole, lanes);
#pragma GCC unroll 8
  for (int t = 0; t < TILE; t++) acc[t] = b;
  const int span = once ? TILE + 2 : 0;
  const int64_t tap = g->group * d->w_step, kw = once ? 0 : d->kw;
  for (int64_t r = 0; r < g->rows; r++)
#pragma GCC unroll 1
    for (int64_t i = 0; i < g->group; i++) {
      const float *const *x = g->at[r], *w = g->w[r] + i * d->w_step + ch;
      const int32_t *pick = g->lanes[i];
      vf wv[3];
#pragma GCC unroll 3
      for (int k = 0; k < 3 && once; k++) wv[k] = load_w(w + k * tap, whole, lanes);
#pragma GCC unroll 10
      for (int s = 0; s < span; s++) {
        vf xv = vf_lanes(load_w(x[s] + ch, whole, lanes), pick);
        GROUP_IN_REGISTER(xv);
#pragma GCC unroll 3
        for (int k = 0; k < 3; k++)
          if (s >= k && s - k < TILE) acc[s - k] = vf_fma(xv, wv[k], acc[s - k]);
      }
#pragma GCC unroll 1
      for (int64_t k = 0; k < kw; k++, w += tap, x += d->dil) {
        vf now = load_w(w, whole, lanes);
#pragma GCC unroll 8
        for (int t = 0; t < TILE; t++) acc[t] = vf_fma(vf_lanes(load_w(x[t * d->stride] + ch, whole, lanes), pick), now, acc[t]);
      }
    }
#pragma GCC unroll 8
  for (int t = 0; t < TILE; t++) {
    if (t >= g->outputs) return;
    int64_t at = t * d->y_step + ch;
    if (d->residual != NULL) acc[t] = vf_add(acc[t], load_w(d->residual + at, whole, lanes));
    store_w(d->out + at, vf_min(end->hi, vf_max(end->lo, acc[t])), whole, lanes);
  }
}

static void group_tile(const tsr_dw *d, const tsr_group *g) {
  const dw_end end = dw_end_of(d);
  int64_t ch = 0;
#if !VF_SMALL
  bool once = d->kw == 3 && d->dil == 1 && d->stride == 1;
  for (; once && ch + VF_N <= d->c; ch += VF_N) group_part(d, g, ch, true, &end, true, VF_N);
#endif
  for (; ch < d->c; ch += VF_N) group_part(d, g, ch, false, &end, false, (int)TSR_MIN(VF_N, d->c - ch));
}
