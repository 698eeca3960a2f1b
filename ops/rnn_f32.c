/* Recurrent layers in float32.
 *
 * Hidden units are handled in blocks of UNITS: the columns of the packed weights are ordered
 * [block][gate][unit], so that a panel or a few of them yield everything a block of units needs and the gates
 * are applied while the sums are still in cache.  Inputs of all steps are multiplied at once; a step adds
 * h . w_hh to them.  Two directions are two tasks; a single one divides its blocks over the threads. */
#include <stdlib.h>

#include "ops/block.h"
#include "ops/native.h"
#include "ops/nn.h"
#include "ops/rnn.h"
#include "ops/site.h"

#define UNITS 16
#define CHUNK_FLOATS (8 << 20) /* input products kept at a time */

typedef struct pack { tsr_packed ih, hh, hr; float *bias_x, *bias_h; int64_t blocks, width; } pack; /* width: columns of a block */
typedef struct kept { int dirs; pack p[2]; tsr_block block; } kept;

static void kept_free(void *p) {
  tsr_block_free(((kept *)p)->block);
  free(p);
}

static int64_t round16(int64_t n) { return (n + 15) / 16 * 16; }

static pack plan_pack(const tsr_gemm_fns *f, const tsr_rnn_layer *l) {
  int64_t g = tsr_rnn_gates(l->kind);
  pack p = {.blocks = (l->hidden + UNITS - 1) / UNITS, .width = g * UNITS};
  int nv = g == 3 && f->max_mr[2] > 0 ? 3 : 0;
  p.ih = tsr_packed_plan_nv(f, p.blocks * p.width, 1, l->in, nv);
  p.hh = tsr_packed_plan_nv(f, p.blocks * p.width, 1, l->out, nv);
  p.hr = tsr_packed_plan(f, l->out, 1, l->hidden);
  return p;
}

static int64_t pack_floats(const pack *p, bool projected) {
  int64_t n = round16(tsr_packed_floats(&p->ih)) + round16(tsr_packed_floats(&p->hh)) + 2 * p->blocks * p->width;
  return n + (projected ? round16(tsr_packed_floats(&p->hr)) : 0);
}

/* Rows [gate][hidden] of w in the order of the packed columns; missing units are zero rows. */
static void order_rows(float *dst, const float *w, const tsr_rnn_layer *l, int64_t blocks, int64_t k) {
  int64_t gates = tsr_rnn_gates(l->kind);
  for (int64_t b = 0; b < blocks; b++)
    for (int64_t g = 0; g < gates; g++)
      for (int64_t u = 0; u < UNITS; u++, dst += k) {
        int64_t unit = b * UNITS + u;
        if (unit < l->hidden) memcpy(dst, w + (g * l->hidden + unit) * k, (size_t)k * sizeof *dst);
        else memset(dst, 0, (size_t)k * sizeof *dst);
      }
}

static tsr_status fill_one(tsr_ctx *ctx, const tsr_rnn_layer *l, const pack *p, const tsr_packed *q, tsr_tensor *w, float *tmp) {
  TSR_TRY(tsr_ready(ctx, &w, w, TSR_FLOAT32));
  order_rows(tmp, tsr_tensor_data_ro(w), l, p->blocks, q->c);
  tsr_packed_fill(ctx, q, tmp, 0, 1, q->c);
  return TSR_OK;
}

/* bias_x: all that is added before the recurrent part; bias_h: what a GRU adds inside its reset product. */
static tsr_status fill_bias(tsr_ctx *ctx, const tsr_rnn_layer *l, pack *p, const tsr_rnn_weights *w) {
  int64_t n = p->blocks * p->width, split = l->kind == TSR_RNN_GRU ? 2 : tsr_rnn_gates(l->kind);
  float *tmp;
  tsr_tensor *b;
  memset(p->bias_x, 0, (size_t)(2 * n) * sizeof(float));
  if (w->b_ih == NULL) return TSR_OK;
  TSR_TRY(tsr_work(ctx, 2 * n, &tmp));
  TSR_TRY(tsr_ready(ctx, &b, w->b_ih, TSR_FLOAT32));
  order_rows(tmp, tsr_tensor_data_ro(b), l, p->blocks, 1);
  TSR_TRY(tsr_ready(ctx, &b, w->b_hh, TSR_FLOAT32));
  order_rows(tmp + n, tsr_tensor_data_ro(b), l, p->blocks, 1);
  for (int64_t i = 0; i < n; i++) {
    bool joined = i % p->width / UNITS < split;
    p->bias_x[i] = joined ? tmp[i] + tmp[n + i] : tmp[i];
    p->bias_h[i] = joined ? 0 : tmp[n + i];
  }
  return TSR_OK;
}

static void place(pack *p, float *data) {
  int64_t n = p->blocks * p->width;
  p->ih.data = data;
  p->hh.data = p->ih.data + round16(tsr_packed_floats(&p->ih));
  p->bias_x = p->hh.data + round16(tsr_packed_floats(&p->hh));
  p->bias_h = p->bias_x + n;
  p->hr.data = p->bias_h + n;
}

static tsr_status fill_pack(tsr_ctx *ctx, const tsr_rnn_layer *l, pack *p, const tsr_rnn_weights *w) {
  float *tmp;
  TSR_TRY(tsr_work(ctx, p->blocks * p->width * TSR_MAX(l->in, l->out), &tmp));
  TSR_TRY(fill_one(ctx, l, p, &p->ih, w->w_ih, tmp));
  TSR_TRY(fill_one(ctx, l, p, &p->hh, w->w_hh, tmp));
  if (w->w_hr != NULL) {
    tsr_tensor *hr;
    TSR_TRY(tsr_ready(ctx, &hr, w->w_hr, TSR_FLOAT32));
    tsr_packed_fill(ctx, &p->hr, tsr_tensor_data_ro(hr), 0, 1, l->hidden);
  }
  return fill_bias(ctx, l, p, w);
}

static tsr_block_name name_of(const tsr_ctx *ctx, const tsr_rnn_layer *l) {
  tsr_block_name n = tsr_block_name_of(ctx, "recurrent");
  int64_t ints[] = {l->kind, l->in, l->hidden, l->out, l->dirs};
  tsr_block_name_ints(&n, ints, TSR_COUNT(ints));
  for (int d = 0; d < l->dirs; d++) {
    const tsr_tensor *const all[] = {l->w[d].w_ih, l->w[d].w_hh, l->w[d].b_ih, l->w[d].b_hh, l->w[d].w_hr};
    for (size_t i = 0; i < TSR_COUNT(all); i++) tsr_block_name_tensor(&n, ctx, all[i]);
  }
  return n;
}

static tsr_status fill_packs(tsr_ctx *ctx, const tsr_rnn_layer *l, kept *k, float *data, int64_t each, bool filled) {
  pack p = plan_pack(ctx->kernels->gemm, l);
  k->dirs = l->dirs;
  for (int d = 0; d < l->dirs; d++) {
    k->p[d] = p;
    place(&k->p[d], data + d * each);
    if (!filled) TSR_TRY(fill_pack(ctx, l, &k->p[d], &l->w[d]));
  }
  return TSR_OK;
}

/* For this call only. */
static tsr_status temporary(tsr_ctx *ctx, const tsr_rnn_layer *l, int64_t each, kept **out) {
  float *data;
  *out = tsr_scratch(ctx, sizeof **out);
  if (*out == NULL) return tsr_op_nomem(ctx);
  TSR_TRY(tsr_work(ctx, each * l->dirs, &data));
  return fill_packs(ctx, l, *out, data, each, false);
}

static tsr_status get_packs(tsr_ctx *ctx, tsr_site *site, const tsr_rnn_layer *l, kept **out) {
  *out = tsr_site_get(site);
  if (*out != NULL) return TSR_OK;
  pack p = plan_pack(ctx->kernels->gemm, l);
  int64_t each = pack_floats(&p, l->w[0].w_hr != NULL);
  if (site == NULL) return temporary(ctx, l, each, out);
  size_t size = (size_t)(each * l->dirs) * sizeof(float);
  tsr_block_name name = name_of(ctx, l);
  bool filled;
  kept *k = calloc(1, sizeof *k);
  if (k == NULL) return tsr_fail_nomem(&ctx->err);
  k->block = tsr_block_get(ctx, &name, size, &filled);
  tsr_status status = k->block.data == NULL ? tsr_fail_nomem(&ctx->err) : fill_packs(ctx, l, k, k->block.data, each, filled);
  if (status != TSR_OK) {
    kept_free(k);
    return status;
  }
  *out = tsr_site_publish(site, k, kept_free);
  if (*out == k && !filled) tsr_block_offer(ctx, &name, k->block, size);
  return TSR_OK;
}

tsr_status tsr_rnn_f32_prepare(tsr_ctx *ctx, tsr_site *site, const tsr_rnn_layer *l) {
  kept *k;
  return site == NULL ? TSR_OK : get_packs(ctx, site, l, &k);
}

/* ---- one direction ---- */

typedef struct run {
  tsr_ctx *ctx;
  const tsr_rnn_layer *l;
  const tsr_rnn_seq *s;
  const pack *p;
  int dir;
  const float *x; int64_t xt, xb;
  float *y;                 /* first column of this direction */
  int64_t ldy;
  float *gx, *gh, *raw;     /* input products of a chunk; GRU: recurrent products; projected: hidden before it */
  float *c;                 /* LSTM: state, [most][hidden] */
  const float **h, *one;    /* current hidden row of each entry; one: room for a single entry's */
  bool divide;              /* blocks over the pool */
  /* the chunk and step at hand */
  int64_t first, step;      /* first step of the chunk in time order */
} run;

static void input_rows(const void *arg, int64_t m0, int mr, int64_t tap0, int64_t taps, const float **out) {
  const run *r = arg;
  TSR_UNUSED(tap0);
  TSR_UNUSED(taps);
  int64_t row = r->s->row[r->first] + m0, lo = r->first, hi = r->s->steps - 1;
  for (int i = 0; r->xt < 0 && i < mr; i++) out[i] = r->x + (row + i) * r->xb;
  if (r->xt < 0) return;
  while (lo < hi) { /* last step that starts at or before row */
    int64_t mid = (lo + hi + 1) / 2;
    if (r->s->row[mid] <= row) lo = mid;
    else hi = mid - 1;
  }
  for (int i = 0; i < mr; i++, row++) {
    while (row >= r->s->row[lo] + r->s->batch[lo]) lo++;
    out[i] = r->x + lo * r->xt + (row - r->s->row[lo]) * r->xb;
  }
}

static void hidden_rows(const void *arg, int64_t m0, int mr, int64_t tap0, int64_t taps, const float **out) {
  const run *r = arg;
  TSR_UNUSED(tap0);
  TSR_UNUSED(taps);
  for (int i = 0; i < mr; i++) out[i] = r->h[m0 + i];
}

/* y = row . p (+ y) (+ bias) over panels [p0, p1) of one row. */
static void row_product(const run *r, const tsr_packed *p, const float *row, float *y, const float *bias, bool accumulate, int64_t p0, int64_t p1) {
  const tsr_gemm_fns *f = r->ctx->kernels->gemm;
  int64_t width = (int64_t)p->nv * f->lanes, whole = TSR_MIN(p1, p->n / width);
  if (p->blocks == 1 && p->direct == NULL && whole > p0) {
    tsr_gemv v = {.a = row, .b = p->data + p0 * width * p->c, .bias = bias != NULL ? bias + p0 * width : NULL, .y = y + p0 * width,
                  .k = p->c, .panels = whole - p0, .nv = p->nv, .accumulate = accumulate};
    r->ctx->kernels->nn->gemv(&v);
    p0 = whole;
  }
  if (p0 >= p1) return;
  tsr_gemm g = {.b = p, .m = 1, .a = row, .lda = p->c, .c = y, .accumulate = accumulate, .epi = {.bias = bias, .c_base = y}};
  tsr_gemm_part(f, &g, 0, 1, p0, p1);
}

static float *gates_of(const run *r, int64_t step) { return r->gx + (r->s->row[step] - r->s->row[r->first]) * r->p->blocks * r->p->width; }

/* Blocks [b0, b1) of one step: the recurrent product of their columns, then the gates. */
static void step_blocks(const run *r, int64_t b0, int64_t b1) {
  const tsr_rnn_layer *l = r->l;
  const tsr_gemm_fns *f = r->ctx->kernels->gemm;
  const tsr_nn_fns *nn = r->ctx->kernels->nn;
  const pack *p = r->p;
  int64_t t = r->step, batch = r->s->batch[t], ld = p->blocks * p->width, width = (int64_t)p->hh.nv * f->lanes;
  float *gx = gates_of(r, t), *out = l->out != l->hidden || r->raw != NULL ? r->raw : r->y + r->s->row[t] * r->ldy;
  int64_t ldo = r->raw != NULL ? l->hidden : r->ldy;
  bool gru = l->kind == TSR_RNN_GRU;
  int64_t p0 = b0 * p->width / width, p1 = (b1 * p->width + width - 1) / width;
  if (batch == 1) {
    row_product(r, &p->hh, r->h[0], gru ? r->gh : gx, gru ? p->bias_h : NULL, !gru, p0, p1);
  } else {
    tsr_gemm g = {.b = &p->hh, .m = batch, .rows = hidden_rows, .rows_arg = r, .c = gru ? r->gh : gx, .ldc = ld, .accumulate = !gru};
    g.epi.c_base = g.c;
    if (gru) g.epi.bias = p->bias_h;
    tsr_gemm_part(f, &g, 0, tsr_gemm_tiles(&g), p0, p1);
  }
  for (int64_t i = 0; i < batch; i++)
    for (int64_t b = b0; b < b1; b++) {
      int64_t unit = b * UNITS, n = TSR_MIN(UNITS, l->hidden - unit);
      float *a = gx + i * ld + b * p->width, *h = out + i * ldo + unit;
      switch (l->kind) {
      case TSR_RNN_LSTM: nn->lstm_gates(a, UNITS, r->c + i * l->hidden + unit, h, n); break;
      case TSR_RNN_GRU: nn->gru_gates(a, r->gh + i * ld + b * p->width, UNITS, r->h[i] + unit, h, n); break;
      case TSR_RNN_TANH:
      case TSR_RNN_RELU:
        memcpy(h, a, (size_t)n * sizeof *h);
        f->act(l->kind == TSR_RNN_TANH ? TSR_ACT_TANH : TSR_ACT_RELU, 0, 0, h, n);
        break;
      }
    }
}

typedef struct split { const run *r; int64_t parts, unit; } split; /* unit: blocks that share a panel */

static void step_task(void *arg, int64_t task, int worker) {
  const split *s = arg;
  TSR_UNUSED(worker);
  int64_t units = (s->r->p->blocks + s->unit - 1) / s->unit;
  step_blocks(s->r, task * units / s->parts * s->unit, TSR_MIN(s->r->p->blocks, (task + 1) * units / s->parts * s->unit));
}

static void run_step(run *r, int64_t t) {
  const tsr_rnn_layer *l = r->l;
  const pack *p = r->p;
  int64_t batch = r->s->batch[t], panel = (int64_t)p->hh.nv * r->ctx->kernels->gemm->lanes;
  r->step = t;
  split s = {r, 1, TSR_MAX(1, panel / p->width)};
  double flops = 2.0 * (double)batch * (double)(p->blocks * p->width) * (double)l->out;
  if (r->divide && flops > 2e5) s.parts = TSR_MIN(tsr_gemm_threads(r->ctx), (p->blocks + s.unit - 1) / s.unit);
  if (s.parts > 1) tsr_pool_run(r->ctx->pool, r->ctx->max_threads, s.parts, step_task, &s);
  else step_blocks(r, 0, p->blocks);
  float *y = r->y + r->s->row[t] * r->ldy;
  if (r->raw != NULL) {
    tsr_gemm g = {.b = &p->hr, .m = batch, .a = r->raw, .lda = l->hidden, .c = y, .ldc = r->ldy};
    tsr_gemm_part(r->ctx->kernels->gemm, &g, 0, tsr_gemm_tiles(&g), 0, p->hr.panels);
  }
  for (int64_t i = 0; i < batch; i++) r->h[i] = y + i * r->ldy;
}

/* Products of the inputs of steps [a, b). */
static void multiply_inputs(run *r, int64_t a, int64_t b) {
  const tsr_gemm_fns *f = r->ctx->kernels->gemm;
  const tsr_rnn_seq *s = r->s;
  r->first = a;
  int64_t end = b == s->steps ? s->rows : s->row[b];
  tsr_gemm g = {.b = &r->p->ih, .m = end - s->row[a], .rows = input_rows, .rows_arg = r, .c = r->gx, .ldc = r->p->blocks * r->p->width,
                .epi = {.bias = r->p->bias_x}};
  g.epi.c_base = g.c;
  if (g.m == 1 && 2.0 * (double)g.b->n_pad * (double)g.b->c < 2e5) {
    const float *row;
    input_rows(r, 0, 1, 0, 1, &row);
    row_product(r, g.b, row, g.c, g.epi.bias, false, 0, g.b->panels);
  } else if (r->divide) tsr_gemm_run(r->ctx, &g);
  else tsr_gemm_part(f, &g, 0, tsr_gemm_tiles(&g), 0, r->p->ih.panels);
}

/* Steps [a, b) in time order. */
static void run_chunk(run *r, int64_t a, int64_t b) {
  multiply_inputs(r, a, b);
  for (int64_t i = 0; i < b - a; i++) run_step(r, r->dir == 0 ? a + i : b - 1 - i);
}

static int64_t chunk_steps(const tsr_rnn_seq *s, int64_t ld) {
  int64_t per = TSR_MAX(1, s->most * ld);
  return TSR_MAX(1, TSR_MIN(s->steps, CHUNK_FLOATS / per));
}

static void direction_task(void *arg, int64_t task, int worker) {
  TSR_UNUSED(worker);
  run *r = (run *)arg + task;
  int64_t n = chunk_steps(r->s, r->p->blocks * r->p->width), steps = r->s->steps, chunks = (steps + n - 1) / n;
  for (int64_t i = 0; i < chunks; i++) {
    int64_t k = r->dir == 0 ? i : chunks - 1 - i;
    run_chunk(r, k * n, TSR_MIN(steps, (k + 1) * n));
  }
}

/* gx: the products of the inputs if they are there. */
static tsr_status init_run(tsr_ctx *ctx, run *r, const tsr_rnn_layer *l, const tsr_rnn_seq *s, const pack *p, int d, const float *gx) {
  int64_t ld = p->blocks * p->width;
  *r = (run){.ctx = ctx, .l = l, .s = s, .p = p, .dir = d, .gx = (float *)(uintptr_t)gx};
  if (gx == NULL || l->kind != TSR_RNN_GRU) TSR_TRY(tsr_work(ctx, chunk_steps(s, ld) * s->most * ld, &r->gx));
  if (gx != NULL && r->gx != gx) memcpy(r->gx, gx, (size_t)(s->rows * ld) * sizeof *gx); /* recurrent products are added to them */
  if (l->kind == TSR_RNN_GRU) TSR_TRY(tsr_work(ctx, s->most * ld, &r->gh));
  if (l->w[d].w_hr != NULL) TSR_TRY(tsr_work(ctx, s->most * l->hidden, &r->raw));
  r->h = s->most == 1 ? &r->one : tsr_scratch(ctx, (size_t)(s->most + 1) * sizeof *r->h);
  if (r->h == NULL) return tsr_op_nomem(ctx);
  const float *h0 = tsr_tensor_data_ro(l->h0[d]);
  for (int64_t i = 0; i < s->most; i++) r->h[i] = h0 + i * l->out;
  if (l->kind != TSR_RNN_LSTM) return TSR_OK;
  void *c;
  TSR_TRY(tsr_data_mut(ctx, l->cn[d], &c));
  r->c = c;
  memcpy(r->c, tsr_tensor_data_ro(l->c0[d]), (size_t)(s->most * l->hidden) * sizeof *r->c);
  return TSR_OK;
}

static tsr_status keep_hidden(const run *r) {
  void *hn;
  if (r->l->hn[r->dir] == NULL) return TSR_OK;
  TSR_TRY(tsr_data_mut(r->ctx, r->l->hn[r->dir], &hn));
  for (int64_t i = 0; i < r->s->most; i++) memcpy((float *)hn + i * r->l->out, r->h[i], (size_t)r->l->out * sizeof(float));
  return TSR_OK;
}

tsr_status tsr_rnn_f32(tsr_ctx *ctx, tsr_site *site, const tsr_rnn_layer *l, const tsr_rnn_seq *s, float *y, const float *x,
                       int64_t xt, int64_t xb) {
  kept *k;
  run r[2];
  TSR_TRY(get_packs(ctx, site, l, &k));
  for (int d = 0; d < l->dirs; d++) {
    TSR_TRY(init_run(ctx, &r[d], l, s, &k->p[d], d, NULL));
    r[d].x = x;
    r[d].xt = xt;
    r[d].xb = xb;
    r[d].y = y + d * l->out;
    r[d].ldy = l->dirs * l->out;
    r[d].divide = l->dirs == 1;
  }
  if (l->dirs == 1) direction_task(r, 0, 0);
  else tsr_pool_run(ctx->pool, ctx->max_threads, 2, direction_task, r);
  for (int d = 0; d < l->dirs; d++) TSR_TRY(keep_hidden(&r[d]));
  return TSR_OK;
}

int64_t tsr_rnn_f32_width(const tsr_rnn_layer *l) { return (l->hidden + UNITS - 1) / UNITS * UNITS * tsr_rnn_gates(l->kind); }

tsr_status tsr_rnn_f32_inputs(tsr_ctx *ctx, tsr_site *site, const tsr_rnn_layer *l, const tsr_rnn_seq *s, const float *x, int64_t xt, int64_t xb, float *gx) {
  kept *k;
  TSR_TRY(get_packs(ctx, site, l, &k));
  double flops = 2.0 * (double)s->rows * (double)tsr_rnn_f32_width(l) * (double)l->in;
  run r = {.ctx = ctx, .l = l, .s = s, .p = &k->p[0], .gx = gx, .x = x, .xt = xt, .xb = xb, .divide = flops > 1e7};
  multiply_inputs(&r, 0, s->steps);
  return TSR_OK;
}

tsr_status tsr_rnn_f32_step(tsr_ctx *ctx, tsr_site *site, const tsr_rnn_layer *l, const tsr_rnn_seq *s, float *y, const float *gx) {
  kept *k;
  run r;
  TSR_TRY(get_packs(ctx, site, l, &k));
  TSR_TRY(init_run(ctx, &r, l, s, &k->p[0], 0, gx));
  r.y = y;
  r.ldy = l->out;
  r.divide = true;
  run_step(&r, 0);
  return keep_hidden(&r);
}
