/* Convolutions of few input channels: the first layers of networks.  The input becomes one padded plane a channel
 * (most often it is one already), a task makes some rows of the result. */
#include "ops/conv_few.h"

#include "ops/conv_kernels.h"
#include "ops/nn.h"

#define MOST_CHANNELS 15
#define MOST_TERMS 2048  /* a panel of weights is read for each tile */
#define MOST_ROWS 64     /* of lines, for tsr_few_make_row */
#define TASK_FLOPS 1e6
#define PART 256         /* most results of a row that a task makes at a time */

static int64_t terms_of(const tsr_conv *p) { return p->c * tsr_conv_taps(p); }

bool tsr_few_wants(const tsr_conv *p) {
  bool dense = !p->transposed && p->groups == 1 && p->k[2] > 1 && p->dil[2] == 1;
  return dense && p->c <= MOST_CHANNELS && terms_of(p) <= MOST_TERMS;
}

tsr_packed tsr_few_plan(const tsr_gemm_fns *g, const tsr_conv *p) {
  tsr_packed plan = tsr_packed_plan(g, p->oc, 1, terms_of(p));
  plan.c_block = plan.c;
  plan.blocks = 1;
  return plan;
}

tsr_status tsr_few_pack(tsr_ctx *ctx, const tsr_packed *plan, const tsr_supply *w) {
  return tsr_packed_fill_rows(ctx, plan, w, 0, NULL, 1);
}

/* ---- padded planes ---- */

typedef struct pad_job { const tsr_conv *p; float *dst; const float *src; int64_t iw; bool last; } pad_job;

/* Tasks: rows of [n][c][in0 * in1]. */
static void pad_task(void *arg, int64_t begin, int64_t end) {
  const pad_job *j = arg;
  const tsr_conv *p = j->p;
  int64_t w = p->in[2], rows = p->in[0] * p->in[1], c = p->c;
  for (int64_t r = begin; r < end; r++) {
    float *dst = j->dst + r * j->iw;
    memset(dst, 0, (size_t)p->pad[2] * sizeof *dst);
    dst += p->pad[2];
    if (j->last) {
      const float *src = j->src + (r / rows / c * rows + r % rows) * w * c + r / rows % c;
      for (int64_t i = 0; i < w; i++) dst[i] = src[i * c];
    } else {
      memcpy(dst, j->src + r * w, (size_t)w * sizeof *dst);
    }
    memset(dst + w, 0, (size_t)(j->iw - p->pad[2] - w) * sizeof *dst);
  }
}

/* ---- the job ---- */

typedef struct job {
  tsr_ctx *ctx;
  const tsr_conv *p;
  const tsr_packed *plan;
  const float *x; int64_t iw; /* planes of rows of iw */
  float *y;
  bool y_last;
  const tsr_epi *epi;
  int64_t parts;              /* of a row of the result */
  int64_t per_task;           /* parts of rows */
  const float **rows;         /* by worker */
  float *scratch; int64_t scratch_floats; /* a part by worker, when y is contiguous */
} job;

typedef struct part { int64_t n, row, o, count; } part; /* image, row, results [o, o + count) of it */

static part part_at(const job *j, int64_t i) {
  const tsr_conv *p = j->p;
  int64_t rows = p->out[0] * p->out[1], k = i % j->parts, r = i / j->parts, o = k * p->out[2] / j->parts;
  return (part){r / rows, r % rows, o, (k + 1) * p->out[2] / j->parts - o};
}

/* Where the input rows of a part start. */
static void find_rows(const job *j, const part *a, const float **rows) {
  const tsr_conv *p = j->p;
  int64_t od = a->row / p->out[1] * p->stride[0] - p->pad[0], oh = a->row % p->out[1] * p->stride[1] - p->pad[1];
  for (int64_t c = 0; c < p->c; c++)
    for (int64_t d = 0; d < p->k[0]; d++)
      for (int64_t h = 0; h < p->k[1]; h++, rows++) {
        int64_t id = od + d * p->dil[0], ih = oh + h * p->dil[1];
        bool inside = (uint64_t)id < (uint64_t)p->in[0] && (uint64_t)ih < (uint64_t)p->in[1];
        *rows = inside ? j->x + (((a->n * p->c + c) * p->in[0] + id) * p->in[1] + ih) * j->iw + a->o * p->stride[2] : NULL;
      }
}

/* [count][oc] of a part becomes a run of each channel. */
static void spread(const job *j, const part *a, const float *from) {
  const tsr_conv *p = j->p;
  const tsr_epi *e = j->epi;
  int64_t s = tsr_conv_out(p), at = a->n * p->oc * s + a->row * p->out[2] + a->o;
  j->ctx->kernels->gemm->transpose(j->y + at, s, from, p->oc, a->count, p->oc);
  for (int64_t o = 0; e->residual != NULL && o < p->oc; o++) {
    float *y = j->y + at + o * s;
    j->ctx->kernels->nn->add_into(y, e->residual + at + o * s, a->count);
    j->ctx->kernels->gemm->act(e->act, e->p0, e->p1, y, a->count);
  }
}

static void row_task(void *arg, int64_t task, int worker) {
  const job *j = arg;
  const tsr_conv *p = j->p;
  const tsr_epi *e = j->epi;
  int64_t taps = p->c * p->k[0] * p->k[1], all = p->n * p->out[0] * p->out[1] * j->parts;
  const float **rows = j->rows + worker * taps;
  bool late = !j->y_last && e->residual != NULL; /* residual and activation come after turning */
  tsr_few f = {.rows = rows, .taps = taps, .kw = p->k[2], .w = j->plan->data, .nv = j->plan->nv, .bias = e->bias, .n = p->oc, .y_step = p->oc,
               .stride = p->stride[2], .act = late ? TSR_ACT_NONE : e->act, .p0 = e->p0, .p1 = e->p1};
  for (int64_t i = task * j->per_task; i < TSR_MIN(all, (task + 1) * j->per_task); i++) {
    part a = part_at(j, i);
    int64_t at = ((a.n * p->out[0] * p->out[1] + a.row) * p->out[2] + a.o) * p->oc;
    find_rows(j, &a, rows);
    f.ow = a.count;
    f.out = j->y_last ? j->y + at : j->scratch + worker * j->scratch_floats;
    f.residual = j->y_last && e->residual != NULL ? e->residual + at : NULL;
    j->ctx->kernels->conv->few_row(&f);
    if (!j->y_last) spread(j, &a, f.out);
  }
}

static tsr_status bring_planes(job *j, const float *x, bool last) {
  const tsr_conv *p = j->p;
  int64_t rows = p->n * p->c * p->in[0] * p->in[1];
  float *dst;
  j->x = x;
  j->iw = TSR_MAX(p->in[2] + 2 * p->pad[2], (p->out[2] - 1) * p->stride[2] + p->k[2]);
  if (!last && j->iw == p->in[2]) return TSR_OK;
  TSR_TRY(tsr_work(j->ctx, rows * j->iw, &dst));
  pad_job pad = {p, dst, x, j->iw, last};
  tsr_parallel_for(j->ctx, rows, TSR_MAX(1, 16384 / j->iw), pad_task, &pad);
  j->x = dst;
  return TSR_OK;
}

tsr_status tsr_few_run(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *plan, float *y, bool y_last, const float *x, bool x_last, const tsr_epi *epi) {
  job j = {.ctx = ctx, .p = p, .plan = plan, .y = y, .y_last = y_last, .epi = epi};
  int threads = tsr_gemm_threads(ctx);
  int64_t taps = p->c * p->k[0] * p->k[1];
  j.parts = (p->out[2] + PART - 1) / PART;
  j.scratch_floats = ((p->out[2] + j.parts - 1) / j.parts) * p->oc;
  double flops = 2.0 * (double)j.scratch_floats * (double)terms_of(p);
  int64_t all = p->n * p->out[0] * p->out[1] * j.parts;
  TSR_TRY(bring_planes(&j, x, x_last && p->c > 1));
  j.rows = tsr_scratch(ctx, (size_t)(taps * threads) * sizeof *j.rows);
  if (j.rows == NULL) return tsr_op_nomem(ctx);
  if (!y_last) TSR_TRY(tsr_work(ctx, j.scratch_floats * threads, &j.scratch));
  j.per_task = TSR_MAX(1, (int64_t)(TASK_FLOPS / flops));
  tsr_pool_run(ctx->pool, ctx->max_threads, (all + j.per_task - 1) / j.per_task, row_task, &j);
  return TSR_OK;
}

/* ---- for others: rows of one image as they need them ---- */

bool tsr_few_fits_rows(const tsr_conv *p) { return tsr_few_wants(p) && p->nd == 2 && p->c * p->k[1] <= MOST_ROWS; }

static int64_t line_length(const tsr_conv *p) { return ((p->out[2] - 1) * p->stride[2] + p->k[2] + 15) / 16 * 16; }

int64_t tsr_few_floats(const tsr_conv *p) { return p->c * p->k[1] * line_length(p); }

/* Kernel row k of channel c with its padding. */
static void fill_line(const tsr_few_image *s, float *line, const float *from) {
  const tsr_conv *p = s->p;
  int64_t length = line_length(p), left = TSR_MIN(p->pad[2], length), have = TSR_MIN(p->in[2], length - left);
  memset(line, 0, (size_t)left * sizeof *line);
  memcpy(line + left, from, (size_t)have * sizeof *line);
  memset(line + left + have, 0, (size_t)(length - left - have) * sizeof *line);
}

void tsr_few_make_row(const tsr_few_image *s, int64_t r, int64_t panel, float *y, int64_t y_step) {
  const tsr_conv *p = s->p;
  const tsr_packed *b = s->b;
  const float *rows[MOST_ROWS];
  int64_t taps = p->c * p->k[1], width = (int64_t)b->nv * s->lanes, col = panel * width;
  for (int64_t t = 0; t < taps; t++) {
    int64_t h = r * p->stride[1] - p->pad[1] + t % p->k[1] * p->dil[1];
    float *line = s->line + t * line_length(p);
    rows[t] = (uint64_t)h < (uint64_t)p->in[1] ? line : NULL;
    if (rows[t] != NULL) fill_line(s, line, s->x + (t / p->k[1] * p->in[1] + h) * p->in[2]);
  }
  tsr_few f = {.rows = rows, .taps = taps, .kw = p->k[2], .w = b->data + col * b->c, .nv = b->nv, .out = y, .n = TSR_MIN(width, p->oc - col),
               .bias = s->epi.bias == NULL ? NULL : s->epi.bias + col, .ow = p->out[2], .y_step = y_step, .stride = p->stride[2],
               .act = s->epi.act, .p0 = s->epi.p0, .p1 = s->epi.p1};
  s->f->few_row(&f);
}
