/* Convolutions in narrow groups: packed weights, and rows over the pool. */
#include "ops/conv_narrow.h"

#include "ops/conv_kernels.h"

#define PART_CHANNELS 64  /* of groups: their weights stay in L1 while rows pass by */
#define TASK_SUMS 4096    /* at least, of a task */

bool tsr_conv_is_depthwise(const tsr_conv *p) {
  return !p->transposed && p->k[0] * p->k[1] <= 256 && p->groups == p->c && p->oc == p->c && p->c > 1;
}

bool tsr_conv_is_narrow(const tsr_conv *p, int lanes) {
  if (tsr_conv_is_depthwise(p)) return true;
  int64_t group = p->c / p->groups;
  if (p->transposed || p->groups == 1 || p->oc != p->c || group > lanes || (group & (group - 1)) != 0) return false;
  return p->k[0] * p->k[1] <= TSR_GROUP_ROWS && p->k[2] < TSR_GROUP_SPAN && p->dil[2] < TSR_GROUP_SPAN && p->stride[2] < TSR_GROUP_SPAN &&
         (TSR_GROUP_TILE - 1) * p->stride[2] + (p->k[2] - 1) * p->dil[2] < TSR_GROUP_SPAN;
}

int64_t tsr_narrow_floats(const tsr_conv *p) { return tsr_conv_taps(p) * (p->c / p->groups) * p->c; }

tsr_status tsr_narrow_pack(tsr_ctx *ctx, const tsr_conv *p, float *data, const tsr_supply *w) {
  int64_t taps = tsr_conv_taps(p), group = p->c / p->groups;
  const float *all;
  TSR_TRY(tsr_supply_all(ctx, w, p->c, &all));
  for (int64_t i = 0; i < group; i++) ctx->kernels->gemm->transpose(data + i * p->c, group * p->c, all + i * taps, group * taps, p->c, taps);
  return TSR_OK;
}

typedef struct job {
  tsr_ctx *ctx;
  const tsr_conv *p;
  const float *data, *x, *zero;
  float *y;
  const tsr_epi *epi;
  int64_t lines, cuts, parts; /* rows of the result, pieces of each, ranges of channels */
} job;

/* Where the inputs of the outputs from o on lie. */
static void find_columns(const job *j, const tsr_dw *d, tsr_group *g, int64_t o) {
  int64_t first = o * d->stride - d->pad, span = (TSR_GROUP_TILE - 1) * d->stride + (d->kw - 1) * d->dil + 1;
  g->rows = 0;
  for (int64_t r = 0; r < d->row_count; r++) {
    if (d->rows[r] == NULL) continue;
    const float **at = g->at[g->rows], *row = d->rows[r] + first * d->x_step;
    for (int64_t s = 0; s < span; s++) at[s] = (uint64_t)(first + s) < (uint64_t)d->iw ? row + s * d->x_step : j->zero;
    g->w[g->rows++] = d->w + r * d->kw * g->group * d->w_step;
  }
}

static void group_row(const job *j, const tsr_dw *row) {
  const tsr_gemm_fns *f = j->ctx->kernels->gemm;
  tsr_dw d = *row;
  tsr_group g;
  g.group = j->p->c / j->p->groups;
  for (int32_t i = 0; i < g.group; i++)
    for (int32_t lane = 0; lane < f->lanes; lane++) g.lanes[i][lane] = (int32_t)(lane & -g.group) + i;
  for (int64_t o = 0; o < d.ow; o += TSR_GROUP_TILE) {
    d.out = row->out + o * d.y_step;
    d.residual = row->residual == NULL ? NULL : row->residual + o * d.y_step;
    g.outputs = TSR_MIN(TSR_GROUP_TILE, d.ow - o);
    find_columns(j, &d, &g, o);
    j->ctx->kernels->conv->group_tile(&d, &g);
  }
  if (d.act == TSR_ACT_NONE || d.act == TSR_ACT_RELU || d.act == TSR_ACT_RELU6 || d.act == TSR_ACT_CLAMP) return;
  for (int64_t o = 0; o < d.ow; o++) f->act(d.act, d.p0, d.p1, row->out + o * d.y_step, d.c);
}

/* The columns of a piece of a row: the kernels see a row that begins where its first window does. */
static void cut_row(const job *j, tsr_dw *d, int64_t first, int64_t last) {
  int64_t skip = TSR_MAX(0, first * d->stride - d->pad);
  d->ow = last - first;
  d->pad -= first * d->stride - skip;
  d->iw = TSR_MAX(0, d->iw - skip);
  d->out += first * j->p->c;
  if (d->residual != NULL) d->residual += first * j->p->c;
}

static void run_piece(const job *j, int64_t line, int64_t cut, int64_t part) {
  const tsr_conv *p = j->p;
  const float *rows[256];
  int64_t ow = p->out[2], first = cut * ow / j->cuts, last = (cut + 1) * ow / j->cuts, group = p->c / p->groups;
  int64_t c0 = j->parts == 1 ? 0 : part * PART_CHANNELS, c1 = j->parts == 1 ? p->c : TSR_MIN(p->c, c0 + PART_CHANNELS);
  int64_t oh = line % p->out[1], od = line / p->out[1] % p->out[0], n = line / p->out[1] / p->out[0];
  tsr_dw d = {.rows = rows, .row_count = p->k[0] * p->k[1], .w = j->data + c0, .bias = j->epi->bias == NULL ? NULL : j->epi->bias + c0, .c = c1 - c0,
              .iw = p->in[2], .kw = p->k[2], .stride = p->stride[2], .pad = p->pad[2], .dil = p->dil[2], .x_step = p->c, .y_step = p->c, .w_step = p->c,
              .act = j->epi->act, .p0 = j->epi->p0, .p1 = j->epi->p1, .out = j->y + line * ow * p->c + c0,
              .residual = j->epi->residual == NULL ? NULL : j->epi->residual + line * ow * p->c + c0};
  cut_row(j, &d, first, last);
  for (int64_t r = 0; r < d.row_count; r++) {
    int64_t id = od * p->stride[0] - p->pad[0] + r / p->k[1] * p->dil[0], ih = oh * p->stride[1] - p->pad[1] + r % p->k[1] * p->dil[1];
    bool inside = (uint64_t)id < (uint64_t)p->in[0] && (uint64_t)ih < (uint64_t)p->in[1];
    rows[r] = inside ? j->x + (((n * p->in[0] + id) * p->in[1] + ih) * p->in[2] + p->in[2] - d.iw) * p->c + c0 : NULL;
  }
  if (group == 1) j->ctx->kernels->conv->dw_row(&d);
  else group_row(j, &d);
}

static void pieces_task(void *arg, int64_t begin, int64_t end) {
  const job *j = arg;
  for (int64_t at = begin; at < end; at++) run_piece(j, at / j->cuts % j->lines, at % j->cuts, at / j->cuts / j->lines);
}

void tsr_narrow_run(tsr_ctx *ctx, const tsr_conv *p, const float *data, float *y, const float *x, const float *zero, const tsr_epi *epi) {
  int64_t group = p->c / p->groups;
  job j = {.ctx = ctx, .p = p, .data = data, .x = x, .zero = zero, .y = y, .epi = epi, .lines = p->n * p->out[0] * p->out[1], .cuts = 1};
  j.parts = group == 1 ? 1 : (p->c + PART_CHANNELS - 1) / PART_CHANNELS;
  if (j.lines < 8) j.cuts = TSR_MAX(1, TSR_MIN(p->out[2] / 32, p->out[2] * p->c * group / TASK_SUMS)); /* one dimension, mostly */
  int64_t sums = p->out[2] * p->c * group / (j.cuts * j.parts);
  tsr_parallel_for(ctx, j.lines * j.cuts * j.parts, TSR_MAX(1, TASK_SUMS / TSR_MAX(1, sums)), pieces_task, &j);
}
