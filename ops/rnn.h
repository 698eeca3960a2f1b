/* Recurrent layers. */
#ifndef TSR_OPS_RNN_H
#define TSR_OPS_RNN_H

#include "ops/gemm.h"

typedef enum tsr_rnn_kind { TSR_RNN_LSTM, TSR_RNN_GRU, TSR_RNN_TANH, TSR_RNN_RELU } tsr_rnn_kind;

/* Parameters of one layer in one direction; biases and projection may be NULL. */
typedef struct tsr_rnn_weights { tsr_tensor *w_ih, *w_hh, *b_ih, *b_hh, *w_hr; } tsr_rnn_weights;

/* A run over sequences whose rows lie [step][batch entry], packed: step t has batch[t] rows from row[t] on. */
typedef struct tsr_rnn_seq {
  int64_t steps, rows, most;     /* rows: of all steps; most: the largest batch */
  const int64_t *batch, *row;
} tsr_rnn_seq;

typedef struct tsr_rnn_layer {
  tsr_rnn_kind kind;
  int64_t in, hidden, out;       /* out: hidden, or the size it is projected to */
  int dirs;                      /* 1 or 2 */
  const tsr_rnn_weights *w;      /* dirs */
  tsr_tensor *h0[2], *c0[2];     /* contiguous [most, out], [most, hidden]; c0 of LSTM only */
  tsr_tensor *hn[2], *cn[2];     /* as h0, c0: written; hn NULL: not wanted */
} tsr_rnn_layer;

/* All layers of a call. */
typedef struct tsr_rnn_net {
  tsr_rnn_kind kind;
  bool biases, bidirectional, train;
  int64_t layers;
  double dropout;
  tsr_tensor **params;
  int64_t param_count;
  tsr_tensor *h0, *c0;           /* [layers * dirs, batch, …] */
  tsr_tensor *hn, *cn;           /* results */
  bool projected;
  bool wide_cells;               /* c0 and cn are of float32 beside narrower tensors */
} tsr_rnn_net;

/* Parameters of one layer in one direction are so many … */
static inline int64_t tsr_rnn_each(const tsr_rnn_net *n) { return (n->biases ? 4 : 2) + n->projected; }
/* … tensors of the list, and these. */
tsr_rnn_weights tsr_rnn_weights_at(const tsr_rnn_net *n, int64_t index);

static inline int64_t tsr_rnn_gates(tsr_rnn_kind k) { return k == TSR_RNN_LSTM ? 4 : k == TSR_RNN_GRU ? 3 : 1; }

/* y: contiguous [rows, dirs * out]; the input of step t, entry b is at x + t * xt + b * xb, or with
 * xt < 0 all rows follow each other, xb apart.  site (may be NULL) keeps the packed weights of this layer. */
tsr_status tsr_rnn_f32(tsr_ctx *ctx, tsr_site *site, const tsr_rnn_layer *l, const tsr_rnn_seq *s, float *y, const float *x,
                       int64_t xt, int64_t xb);
/* Pack the weights of a layer ahead of its first run; states and results of l are not looked at. */
tsr_status tsr_rnn_f32_prepare(tsr_ctx *ctx, tsr_site *site, const tsr_rnn_layer *l);
/* float64, x and y contiguous [rows, …]. */
tsr_status tsr_rnn_f64(tsr_ctx *ctx, const tsr_rnn_layer *l, const tsr_rnn_seq *s, tsr_tensor *y, tsr_tensor *x);

/* From operators: takes and refuses what PyTorch does (rnn_plain.c).  x: [steps, batch, in], or packed rows with their batch sizes. */
tsr_status tsr_rnn_plain(tsr_ctx *ctx, tsr_rnn_net *n, tsr_tensor *x, tsr_tensor *batch_sizes, tsr_tensor **y);
/* *h and *c (LSTM only) become the next states. */
tsr_status tsr_rnn_plain_cell(tsr_ctx *ctx, tsr_rnn_kind kind, const tsr_rnn_weights *w, tsr_tensor *x, tsr_tensor **h, tsr_tensor **c);
/* PyTorch hands LSTM layers of these tensors to oneDNN, which takes and refuses other things (rnn_onednn.c): */
bool tsr_rnn_is_onednn(const tsr_rnn_net *n, const tsr_tensor *x);
/* n becomes one that the kernels take: states and parameters beyond those needed are left out, biases have the weights' type. */
tsr_status tsr_rnn_as_onednn(tsr_ctx *ctx, tsr_rnn_net *n, const tsr_tensor *x);

/* A cell that a program steps by hand, in two parts: the products of the inputs of several steps, and a step that has them.
 * Row r of gx, tsr_rnn_f32_width floats, is of entry r % batch of step r / batch.  site: not NULL. */
int64_t tsr_rnn_f32_width(const tsr_rnn_layer *l);
tsr_status tsr_rnn_f32_inputs(tsr_ctx *ctx, tsr_site *site, const tsr_rnn_layer *l, const tsr_rnn_seq *s, const float *x, int64_t xt, int64_t xb, float *gx);
tsr_status tsr_rnn_f32_step(tsr_ctx *ctx, tsr_site *site, const tsr_rnn_layer *l, const tsr_rnn_seq *s, float *y, const float *gx);

/* x, the input of a cell in a loop, is step i of xs along dim, and nothing writes xs while the loop runs: *gx is x's row of
 * products, made with those of the steps that come next; NULL when x is something else after all.  kept: what tsr::steps gave. */
tsr_status tsr_rnn_steps_row(tsr_ctx *ctx, tsr_site *site, const tsr_rnn_layer *l, const tsr_tensor *x, const tsr_tensor *xs, int64_t dim,
                             tsr_val kept, const float **gx);
extern const tsr_op tsr_ops_rnn_steps[];

#endif
