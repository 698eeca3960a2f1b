/* tsr::conv_block: convolutions in a row, 1x1, depthwise and mostly another 1x1 (an inverted residual), with their
 * activations.
 *
 * The middle is the widest of the three and each of its rows is needed by the next few rows only.  Where it would
 * leave the cache, a task makes the rows of a band as they are needed, keeps the last few in a ring, and
 * nothing of the middle is ever a tensor. */
#include "ops/conv.h"
#include "ops/conv_kernels.h"
#include "ops/layout.h"
#include "ops/product.h"
#include "ops/site.h"

#define LEAST_BYTES (1 << 20) /* of the middle: smaller ones stay in L2 anyway */
#define BAND_ROWS 14          /* output rows of a task; the rows around it are made twice */

enum { X, W1, B1, ACT1, W2 = 6, B2, STRIDE, PADDING, ACT2, W3 = 13, B3, RESIDUAL, ACT3, ARGS = 19 };

typedef struct block { int parts; tsr_conv_args part[3]; } block; /* 2: without the last 1x1 */

static const int64_t ones[2] = {1, 1}, zeros[2] = {0, 0};

static tsr_status read_block(tsr_call *c, block *b) {
  static const uint8_t weights[3] = {W1, W2, W3}, acts[3] = {ACT1, ACT2, ACT3};
  *b = (block){.parts = tsr_arg_opt_tensor(c, W3) != NULL ? 3 : 2};
  for (int i = 0; i < b->parts; i++) {
    tsr_conv_args *a = &b->part[i];
    uint64_t bit = (uint64_t)1 << weights[i];
    *a = (tsr_conv_args){.w = tsr_arg_opt_tensor(c, weights[i]), .bias = tsr_arg_opt_tensor(c, weights[i] + 1u), .stride = ones, .pad = zeros,
                         .dil = ones, .stride_n = 2, .pad_n = 2, .dil_n = 2, .groups = 1, .hide = true,
                         .site = (c->constant & bit) != 0 ? tsr_site_sub(c->site, 3, i) : NULL};
    TSR_TRY(tsr_act_read(c, acts[i], &a->epi));
  }
  tsr_conv_args *dw = &b->part[1];
  dw->groups = dw->w->ndim > 0 ? dw->w->size[0] : 0;
  dw->stride = tsr_arg_ints(c, STRIDE, &dw->stride_n);
  dw->pad = tsr_arg_ints(c, PADDING, &dw->pad_n);
  b->part[2].residual = tsr_arg_opt_tensor(c, RESIDUAL);
  return c->ctx->err.status;
}

/* ---- in bands ---- */

typedef struct job {
  tsr_ctx *ctx;
  int parts;
  const tsr_conv *p[3];
  const tsr_conv_plan *q[3];
  tsr_epi epi[3];
  const float *x;
  float *y;
  float *ring, *wide;            /* one each a worker */
  int64_t ring_floats, wide_floats;
  int64_t bands;                 /* of an image */
} job;

/* A row of a 1x1 convolution: m positions. */
static void point_row(const job *j, int i, float *c, const float *a, int64_t m, const float *residual) {
  const tsr_packed *b = &j->q[i]->phases[0].plan;
  tsr_gemm g = {.b = b, .m = m, .a = a, .lda = j->p[i]->c, .c = c, .ldc = j->p[i]->oc, .epi = j->epi[i]};
  g.epi.residual = residual;
  g.epi.c_base = c;
  tsr_gemm_part(j->ctx->kernels->gemm, &g, 0, tsr_gemm_tiles(&g), 0, b->panels);
}

static void band_task(void *arg, int64_t task, int worker) {
  const job *j = arg;
  const tsr_conv *in = j->p[0], *dw = j->p[1], *out = j->p[j->parts - 1];
  int64_t n = task / j->bands, band = task % j->bands, h = in->in[1], w = in->in[2], kh = dw->k[1], row = w * dw->c;
  float *ring = j->ring + worker * j->ring_floats, *wide = j->wide + worker * j->wide_floats;
  const float *x = j->x + n * h * w * in->c, *rows[16];
  tsr_dw d = {.rows = rows, .row_count = kh, .w = j->q[1]->data, .bias = j->epi[1].bias, .out = wide, .c = dw->c, .iw = w, .ow = dw->out[2],
              .kw = dw->k[2], .stride = dw->stride[2], .pad = dw->pad[2], .dil = 1, .act = j->epi[1].act, .p0 = j->epi[1].p0, .p1 = j->epi[1].p1};
  int64_t first = band * dw->out[1] / j->bands, last = (band + 1) * dw->out[1] / j->bands, made = TSR_MAX(0, first * dw->stride[1] - dw->pad[1]);
  for (int64_t o = first; o < last; o++) {
    int64_t top = o * dw->stride[1] - dw->pad[1];
    made = TSR_MAX(made, top);
    for (; made < TSR_MIN(h, top + kh); made++) point_row(j, 0, ring + made % kh * row, x + made * w * in->c, w, NULL);
    for (int64_t r = 0; r < kh; r++) rows[r] = top + r >= 0 && top + r < h ? ring + (top + r) % kh * row : NULL;
    int64_t at = (n * out->out[1] + o) * out->out[2] * out->oc;
    if (j->parts == 2) d.out = j->y + at;
    j->ctx->kernels->conv->dw_row(&d);
    if (j->parts == 3) point_row(j, 2, j->y + at, wide, out->out[2], j->epi[2].residual == NULL ? NULL : j->epi[2].residual + at);
  }
}

static tsr_status run_bands(tsr_ctx *ctx, job *j) {
  const tsr_conv *dw = j->p[1];
  int threads = tsr_gemm_threads(ctx);
  j->bands = TSR_MAX(1, dw->out[1] / BAND_ROWS);
  j->ring_floats = dw->k[1] * dw->in[2] * dw->c;
  j->wide_floats = dw->out[2] * dw->c;
  TSR_TRY(tsr_work(ctx, j->ring_floats * threads, &j->ring));
  TSR_TRY(tsr_work(ctx, j->wide_floats * threads, &j->wide));
  tsr_pool_run(ctx->pool, ctx->max_threads, dw->n * j->bands, band_task, j);
  return TSR_OK;
}

/* ---- whether ---- */

static bool same_size(const tsr_tensor *a, const tsr_tensor *b) { return a->ndim == b->ndim && memcmp(a->size, b->size, 4 * sizeof *a->size) == 0; }

static bool usual_weight(const tsr_conv_args *a) {
  return a->site != NULL && a->w->dtype == TSR_FLOAT32 && a->w->ndim == 4 && a->w->numel > 0 &&
         (a->bias == NULL || (a->bias->dtype == TSR_FLOAT32 && tsr_tensor_is_contiguous(a->bias)));
}

/* The three convolutions for x, when they may run in bands: everything is hidden float32 of fitting sizes. */
static bool describe(tsr_ctx *ctx, const block *b, const tsr_tensor *x, tsr_conv *p) {
  int64_t size[4];
  if (!x->hidden) return false;
  memcpy(size, x->size, sizeof size);
  tsr_tensor now = {.dtype = TSR_FLOAT32, .ndim = 4, .size = size};
  for (int i = 0; i < b->parts; i++) {
    if (!usual_weight(&b->part[i])) return false;
    if (tsr_conv_describe(ctx, &b->part[i], &now, &p[i]) != TSR_OK) { /* the convolutions will say so */
      tsr_errrec_dispose(&ctx->err);
      return false;
    }
    size[1] = p[i].oc;
    size[2] = p[i].out[1];
    size[3] = p[i].out[2];
  }
  bool point = p[0].k[1] * p[0].k[2] == 1 && (b->parts == 2 || p[2].k[1] * p[2].k[2] == 1), deep = p[1].groups == p[1].c && p[1].oc == p[1].c && p[1].c > 1;
  return point && deep && p[1].k[1] <= 16 && p[1].n * p[1].in[1] * p[1].in[2] * p[1].c * 4 >= LEAST_BYTES && p[1].out[1] >= 2 * BAND_ROWS;
}

static tsr_status in_bands(tsr_ctx *ctx, const block *b, tsr_tensor *x, tsr_tensor **y, bool *done) {
  tsr_conv p[3];
  *done = false;
  if (!describe(ctx, b, x, p)) return TSR_OK;
  job j = {.ctx = ctx, .parts = b->parts, .x = tsr_tensor_data_ro(x)};
  for (int i = 0; i < b->parts; i++) {
    j.p[i] = &p[i];
    j.epi[i] = b->part[i].epi;
    j.epi[i].bias = b->part[i].bias == NULL ? NULL : tsr_tensor_data_ro(b->part[i].bias);
    TSR_TRY(tsr_conv_plan_get(ctx, b->part[i].site, &p[i], b->part[i].w, &j.q[i]));
    if (j.q[i] == NULL || (i == 1) != (j.q[i]->kind == TSR_CONV_DEPTHWISE) || (i != 1 && j.q[i]->phase_count != 1)) return TSR_OK;
    if (i != 1 && (j.q[i]->kind != TSR_CONV_TILES || j.q[i]->phases[0].plan.c != p[i].c)) return TSR_OK;
  }
  const tsr_conv *last = &p[b->parts - 1];
  int64_t size[4] = {last->n, last->oc, last->out[1], last->out[2]};
  TSR_TRY(tsr_layout_new(ctx, y, size));
  tsr_tensor *residual = b->part[2].residual;
  if (residual != NULL) {
    if (!residual->hidden || !(*y)->hidden || !same_size(residual, *y)) return TSR_OK;
    j.epi[2].residual = tsr_tensor_data_ro(residual);
  }
  j.y = (*y)->storage->data;
  *done = true;
  return run_bands(ctx, &j);
}

TSR_KERNEL(conv_block) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, X);
  block b;
  bool done;
  TSR_TRY(read_block(c, &b));
  TSR_TRY(in_bands(c->ctx, &b, x, &y, &done));
  for (int i = 0; i < b.parts && !done; i++) {
    b.part[i].x = x;
    TSR_TRY(tsr_convolution(c->ctx, &y, &b.part[i]));
    x = y;
  }
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status prepare_block(tsr_call *c) {
  static const uint8_t weights[3] = {W1, W2, W3};
  const uint64_t all = ((uint64_t)1 << ARGS) - 1, data = (uint64_t)1 << X | (uint64_t)1 << RESIDUAL;
  block b;
  if ((c->constant & (all & ~data)) != (all & ~data)) return TSR_OK;
  TSR_TRY(read_block(c, &b));
  for (int i = 0; i < b.parts; i++) {
    bool packed;
    TSR_TRY(tsr_convolution_prepare(c->ctx, &b.part[i], &packed));
    if (packed) c->released |= (uint64_t)1 << weights[i];
  }
  return TSR_OK;
}

const tsr_op tsr_ops_conv_block[] = {
    {"tsr::conv_block(Tensor x, Tensor w1, Tensor? b1, int act1, float p1, float q1, Tensor w2, Tensor? b2, int[] stride, int[] padding, int act2, "
     "float p2, float q2, Tensor? w3, Tensor? b3, Tensor? residual, int act3, float p3, float q3) -> Tensor",
     op_conv_block, TSR_PURE | TSR_HIDDEN | TSR_OWN_ORDER, .prepare = prepare_block},
    {0},
};
