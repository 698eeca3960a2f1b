/* Weights of Winograd's algorithm: transformed and packed, and back. */
#include "ops/conv_kernels.h"
#include "ops/conv_winograd.h"

/* u = G w G^T, and the left inverse H of G that reads four of its rows: w = H u H^T. */
typedef struct transform { int n; double g[6][3]; int read[4]; double h[3][4]; } transform;

/* At the points 0, sqrt(1/2), -sqrt(1/2), sqrt(2), -sqrt(2), infinity. */
static const transform f4 = {6,
                             {{1, 0, 0},
                              {-2.0 / 3, -0.47140452079103168, -1.0 / 3},
                              {-2.0 / 3, 0.47140452079103168, -1.0 / 3},
                              {1.0 / 6, 0.23570226039551584, 1.0 / 3},
                              {1.0 / 6, -0.23570226039551584, 1.0 / 3},
                              {0, 0, 1}},
                             {0, 1, 2, 5},
                             {{1, 0, 0, 0}, {0, -1.0606601717798212, 1.0606601717798212, 0}, {0, 0, 0, 1}}};

/* At 0, 1, -1, infinity. */
static const transform f2 = {4,
                             {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}},
                             {0, 1, 2, 3},
                             {{1, 0, 0, 0}, {0, 1, -1, 0}, {0, 0, 0, 1}}};

static const transform *transform_of(const tsr_conv *p) { return tsr_wino_side(p) == 4 ? &f4 : &f2; }

/* Small maps have few tiles, and few rows are faster with three vectors of columns. */
tsr_packed tsr_wino_plan(const tsr_gemm_fns *g, const tsr_conv *p) {
  int64_t vectors = (p->oc + g->lanes - 1) / g->lanes;
  return tsr_packed_plan_nv(g, p->oc, 1, p->c, g->max_mr[2] > 0 && vectors > 5 && vectors % 3 != 1 ? 3 : 0);
}

int64_t tsr_wino_step(const tsr_packed *plan) { return (tsr_packed_floats(plan) + 15) / 16 * 16; }

#define CHANNELS 16 /* at a time: what they take lies in L1 */

typedef struct weight_job {
  tsr_ctx *ctx;
  const tsr_conv *p;
  const tsr_packed *plan;
  float *data;
  const tsr_supply *w;
  float coef[36][9];
  float *room; int64_t room_floats, taps_at; /* of a worker: rows of w, then the taps of some channels */
} weight_job;

/* One task: one panel of output channels of all matrices. */
static void weight_task(void *arg, int64_t panel, int worker) {
  const weight_job *j = arg;
  const tsr_packed *plan = j->plan;
  const tsr_gemm_fns *f = j->ctx->kernels->gemm;
  float *room = j->room + worker * j->room_floats, *taps = room + j->taps_at;
  int64_t width = (int64_t)plan->nv * f->lanes, col = panel * width, w = TSR_MIN(width, plan->n_pad - col), n = TSR_MIN(w, plan->n - col);
  const float *rows = tsr_supply_rows(j->w, col, n, room);
  for (int64_t c = 0, count; c < plan->c; c += count) {
    int64_t c0 = c / plan->c_block * plan->c_block, block = TSR_MIN(plan->c_block, plan->c - c0);
    count = TSR_MIN(CHANNELS, c0 + block - c);
    f->pack(taps, w, rows + c * 9, count * 9, 1, n, j->w->length);
    float *to = j->data + c0 * plan->n_pad + col * block + (c - c0) * w;
    j->ctx->kernels->conv->wino_weights(to, tsr_wino_step(plan), taps, j->coef, count, w, tsr_wino_elements(j->p));
  }
}

tsr_status tsr_wino_pack(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *plan, float *data, const tsr_supply *w) {
  const transform *f = transform_of(p);
  int64_t width = (int64_t)plan->nv * ctx->kernels->gemm->lanes, rows = w->data != NULL ? 0 : TSR_MIN(width, p->oc);
  weight_job j = {.ctx = ctx, .p = p, .plan = plan, .data = data, .w = w, .taps_at = (rows * w->length + 15) / 16 * 16};
  for (int e = 0; e < f->n * f->n; e++)
    for (int t = 0; t < 9; t++) j.coef[e][t] = (float)(f->g[e / f->n][t / 3] * f->g[e % f->n][t % 3]);
  j.room_floats = j.taps_at + CHANNELS * 9 * width;
  TSR_TRY(tsr_work(ctx, j.room_floats * tsr_gemm_threads(ctx), &j.room));
  tsr_pool_run(ctx->pool, ctx->max_threads, plan->panels, weight_task, &j);
  return TSR_OK;
}

/* taps[t][n] from the 16 matrices u that were read. */
static void unpack_taps(const transform *f, float *taps, const float *u, int64_t n) {
  for (int t = 0; t < 9; t++) {
    const float *from[4];
    double factor[4];
    int terms = 0;
    for (int r = 0; r < 16; r++) {
      double h = f->h[t / 3][r / 4] * f->h[t % 3][r % 4];
      if (h == 0) continue;
      from[terms] = u + r * n;
      factor[terms++] = h;
    }
    for (int64_t i = 0; i < n; i++) {
      double sum = 0;
      for (int k = 0; k < terms; k++) sum += factor[k] * (double)from[k][i];
      taps[t * n + i] = (float)sum;
    }
  }
}

typedef struct unpack_job { const tsr_gemm_fns *fns; const transform *f; const tsr_packed *plan; const float *data, *unit; float *u; int64_t c, oc; } unpack_job;

/* The unit matrix times packed weights is the weights, however they are packed. */
static void unpack_task(void *arg, int64_t r, int worker) {
  const unpack_job *j = arg;
  tsr_packed b = *j->plan;
  TSR_UNUSED(worker);
  b.data = (float *)(uintptr_t)j->data + (j->f->read[r / 4] * j->f->n + j->f->read[r % 4]) * tsr_wino_step(j->plan);
  tsr_gemm g = {.b = &b, .m = j->c, .a = j->unit, .lda = j->c, .c = j->u + r * j->c * j->oc, .ldc = j->oc};
  tsr_gemm_part(j->fns, &g, 0, tsr_gemm_tiles(&g), 0, b.panels);
}

tsr_status tsr_wino_unpack(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *plan, const float *data, float *w) {
  int64_t c = p->c, oc = p->oc, n = c * oc;
  float *unit, *u, *taps;
  TSR_TRY(tsr_work(ctx, c * c, &unit));
  TSR_TRY(tsr_work(ctx, 16 * n, &u));
  TSR_TRY(tsr_work(ctx, 9 * n, &taps));
  memset(unit, 0, (size_t)(c * c) * sizeof *unit);
  for (int64_t i = 0; i < c; i++) unit[i * c + i] = 1;
  unpack_job j = {ctx->kernels->gemm, transform_of(p), plan, data, unit, u, c, oc};
  tsr_pool_run(ctx->pool, ctx->max_threads, 16, unpack_task, &j);
  unpack_taps(j.f, taps, u, n);
  j.fns->transpose(u, 9, taps, n, 9, n); /* [c][oc][9] */
  for (int64_t o = 0; o < oc; o++)
    for (int64_t i = 0; i < c; i++) memcpy(w + (o * c + i) * 9, u + (i * oc + o) * 9, 9 * sizeof *w);
  return TSR_OK;
}

void tsr_wino_taps(const tsr_packed *plan, int lanes, int64_t c, int64_t panel, const float *g[9], int64_t *count) {
  int64_t width = (int64_t)plan->nv * lanes, col = panel * width, w = TSR_MIN(width, plan->n_pad - col);
  int64_t c0 = c / plan->c_block * plan->c_block, cb = TSR_MIN(plan->c_block, plan->c - c0);
  *count = TSR_MIN(*count, c0 + cb - c);
  for (int64_t t = 0; t < 9; t++) { /* one tap of a part of the channels is a block, or several taps of all */
    int64_t tap0 = t / plan->taps_block * plan->taps_block, taps = TSR_MIN(plan->taps_block, plan->taps - tap0);
    g[t] = plan->data + (tap0 * plan->c + c0) * plan->n_pad + (col * taps + (t - tap0) * w) * cb + (c - c0) * w;
  }
}
