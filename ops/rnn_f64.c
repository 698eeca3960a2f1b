/* Recurrent layers in float64: step by step over the general products. */
#include <math.h>

#include "ops/native.h"
#include "ops/rnn.h"

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* One entry: gx, gh are its input and recurrent sums; c is updated, out gets the new hidden state. */
static void cell(tsr_rnn_kind kind, int64_t n, const double *gx, const double *gh, const double *h, double *c, double *out) {
  for (int64_t u = 0; u < n; u++) {
    if (kind == TSR_RNN_LSTM) {
      double in = sigmoid(gx[u] + gh[u]), forget = sigmoid(gx[n + u] + gh[n + u]), fresh = tanh(gx[2 * n + u] + gh[2 * n + u]);
      c[u] = forget * c[u] + in * fresh;
      out[u] = sigmoid(gx[3 * n + u] + gh[3 * n + u]) * tanh(c[u]);
    } else if (kind == TSR_RNN_GRU) {
      double reset = sigmoid(gx[u] + gh[u]), update = sigmoid(gx[n + u] + gh[n + u]);
      double fresh = tanh(gx[2 * n + u] + reset * gh[2 * n + u]);
      out[u] = (h[u] - fresh) * update + fresh;
    } else {
      double v = gx[u] + gh[u];
      out[u] = kind == TSR_RNN_TANH ? tanh(v) : v > 0 || v != v ? v : 0;
    }
  }
}

static tsr_status direction(tsr_ctx *ctx, const tsr_rnn_layer *l, const tsr_rnn_seq *s, double *y, tsr_tensor *x, int d) {
  const tsr_rnn_weights *w = &l->w[d];
  int64_t gates = tsr_rnn_gates(l->kind) * l->hidden, ldy = l->dirs * l->out;
  tsr_tensor *gx, *gh, *h, *raw, *view;
  void *p;
  double *c = NULL;
  TSR_TRY(tsr_linear(ctx, &gx, x, w->w_ih, w->b_ih));
  TSR_TRY(tsr_clone(ctx, &h, l->h0[d]));
  TSR_TRY(tsr_data_mut(ctx, h, &p));
  double *hp = p;
  if (l->kind == TSR_RNN_LSTM) {
    TSR_TRY(tsr_copy_into(ctx, l->cn[d], l->c0[d]));
    TSR_TRY(tsr_data_mut(ctx, l->cn[d], &p));
    c = p;
  }
  int64_t raw_size[2] = {s->most, l->hidden};
  TSR_TRY(tsr_new(ctx, &raw, TSR_FLOAT64, 2, raw_size));
  TSR_TRY(tsr_data_mut(ctx, raw, &p));
  double *rp = p;
  for (int64_t i = 0; i < s->steps; i++) {
    size_t mark = ctx->temp_count;
    int64_t t = d == 0 ? i : s->steps - 1 - i, batch = s->batch[t];
    TSR_TRY(tsr_narrow(ctx, &view, h, 0, 0, batch));
    TSR_TRY(tsr_linear(ctx, &gh, view, w->w_hh, w->b_hh));
    const double *a = (const double *)tsr_tensor_data_ro(gx) + s->row[t] * gates, *b = tsr_tensor_data_ro(gh);
    for (int64_t k = 0; k < batch; k++)
      cell(l->kind, l->hidden, a + k * gates, b + k * gates, hp + k * l->out, c == NULL ? NULL : c + k * l->hidden, rp + k * l->hidden);
    const double *next = rp;
    if (w->w_hr != NULL) {
      tsr_tensor *proj;
      TSR_TRY(tsr_narrow(ctx, &view, raw, 0, 0, batch));
      TSR_TRY(tsr_linear(ctx, &proj, view, w->w_hr, NULL));
      next = tsr_tensor_data_ro(proj);
    }
    for (int64_t k = 0; k < batch; k++) {
      memcpy(hp + k * l->out, next + k * l->out, (size_t)l->out * sizeof *hp);
      memcpy(y + (s->row[t] + k) * ldy + d * l->out, next + k * l->out, (size_t)l->out * sizeof *hp);
    }
    while (ctx->temp_count > mark) tsr_release(ctx->temps[--ctx->temp_count]); /* or a long run would keep every step */
  }
  return tsr_copy_into(ctx, l->hn[d], h);
}

tsr_status tsr_rnn_f64(tsr_ctx *ctx, const tsr_rnn_layer *l, const tsr_rnn_seq *s, tsr_tensor *y, tsr_tensor *x) {
  void *p;
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  for (int d = 0; d < l->dirs; d++) TSR_TRY(direction(ctx, l, s, p, x, d));
  return TSR_OK;
}
