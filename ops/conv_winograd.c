/* 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3): 36 products of transformed tiles in place of nine of
 * positions, a quarter of the multiplications.
 *
 * Three steps over a chunk of tiles: transform the input, v[36][tile][c]; multiply, m[36][tile][oc]; transform back
 * with the epilogue.  Each is split over the pool by itself, so that small maps need not stream all of the
 * weights through every core. */
#include "ops/conv_winograd.h"

#include "ops/conv_kernels.h"

#define CHUNK_FLOATS (1 << 19) /* of v and m: what a chunk of tiles takes stays in the caches */
#define LEAST_CHANNELS 32      /* with fewer the transforms cost more than they save */
#define LEAST_TILES 12         /* fewer rows leave the products waiting for weights */
#define MOST_WEIGHTS (384 * 384) /* beyond, four times the weights cost more to read than they save */

bool tsr_wino_wants(const tsr_conv *p) {
  bool square = p->nd == 2 && !p->transposed && p->groups == 1 && p->k[1] == 3 && p->k[2] == 3;
  bool dense = p->stride[1] == 1 && p->stride[2] == 1 && p->dil[1] == 1 && p->dil[2] == 1;
  return square && dense && p->c >= LEAST_CHANNELS && p->oc >= LEAST_CHANNELS && p->c * p->oc <= MOST_WEIGHTS;
}

static int64_t tiles_along(int64_t n) { return (n + TSR_WINO_OUT - 1) / TSR_WINO_OUT; }

bool tsr_wino_fits(const tsr_conv *p) {
  int64_t tiles = tiles_along(p->out[1]) * tiles_along(p->out[2]);
  return p->n * tiles >= LEAST_TILES && p->out[1] * p->out[2] * 2 > tiles * TSR_WINO_OUT * TSR_WINO_OUT;
}

/* ---- weights ---- */

/* G of the points 0, sqrt(1/2), -sqrt(1/2), sqrt(2), -sqrt(2), infinity: u = G w G^T. */
static const double G[6][3] = {{1, 0, 0},
                               {-2.0 / 3, -0.47140452079103168, -1.0 / 3},
                               {-2.0 / 3, 0.47140452079103168, -1.0 / 3},
                               {1.0 / 6, 0.23570226039551584, 1.0 / 3},
                               {1.0 / 6, -0.23570226039551584, 1.0 / 3},
                               {0, 0, 1}};

tsr_packed tsr_wino_plan(const tsr_gemm_fns *g, const tsr_conv *p) { return tsr_packed_plan(g, p->oc, 1, p->c); }

int64_t tsr_wino_step(const tsr_packed *plan) { return (tsr_packed_floats(plan) + 15) / 16 * 16; }

typedef struct weight_job { tsr_ctx *ctx; const tsr_conv *p; const tsr_packed *plan; float *data; const float *taps; float *work; } weight_job;

static void weight_task(void *arg, int64_t e, int worker) {
  const weight_job *j = arg;
  int64_t n = j->p->c * j->p->oc;
  float coef[9], *u = j->work + worker * n;
  for (int t = 0; t < 9; t++) coef[t] = (float)(G[e / 6][t / 3] * G[e % 6][t % 3]);
  j->ctx->kernels->conv->wino_weight(u, j->taps, n, coef, n);
  tsr_packed plan = *j->plan;
  plan.data = j->data + e * tsr_wino_step(&plan);
  tsr_packed_fill(j->ctx, &plan, u, 0, 1, j->p->c);
}

tsr_status tsr_wino_pack(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *plan, float *data, const float *w) {
  int64_t n = p->c * p->oc;
  weight_job j = {ctx, p, plan, data, NULL, NULL};
  float *taps;
  TSR_TRY(tsr_work(ctx, 9 * n, &taps));
  TSR_TRY(tsr_work(ctx, n * tsr_gemm_threads(ctx), &j.work));
  ctx->kernels->gemm->transpose(taps, n, w, 9, n, 9);
  j.taps = taps;
  tsr_pool_run(ctx->pool, ctx->max_threads, TSR_WINO_XI, weight_task, &j);
  return TSR_OK;
}

/* The left inverse H of G that reads rows 0, 1, 2 and 5: w = H u H^T. */
static const int rows_read[4] = {0, 1, 2, 5};
#define H1 -1.0606601717798212
static const double H[3][4] = {{1, 0, 0, 0}, {0, H1, -H1, 0}, {0, 0, 0, 1}};

/* taps[t][c * oc] from the 16 matrices u that were read. */
static void unpack_taps(float *taps, const float *u, int64_t n) {
  for (int t = 0; t < 9; t++) {
    const float *from[4];
    double factor[4];
    int terms = 0;
    for (int r = 0; r < 16; r++) {
      double h = H[t / 3][r / 4] * H[t % 3][r % 4];
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

typedef struct unpack_job { const tsr_gemm_fns *f; const tsr_packed *plan; const float *data, *unit; float *u; int64_t c, oc; } unpack_job;

/* The unit matrix times packed weights is the weights, however they are packed. */
static void unpack_task(void *arg, int64_t r, int worker) {
  const unpack_job *j = arg;
  tsr_packed b = *j->plan;
  TSR_UNUSED(worker);
  b.data = (float *)(uintptr_t)j->data + (rows_read[r / 4] * 6 + rows_read[r % 4]) * tsr_wino_step(j->plan);
  tsr_gemm g = {.b = &b, .m = j->c, .a = j->unit, .lda = j->c, .c = j->u + r * j->c * j->oc, .ldc = j->oc};
  tsr_gemm_part(j->f, &g, 0, tsr_gemm_tiles(&g), 0, b.panels);
}

tsr_status tsr_wino_unpack(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *plan, const float *data, float *w) {
  int64_t c = p->c, oc = p->oc, n = c * oc;
  float *unit, *u, *taps;
  TSR_TRY(tsr_work(ctx, c * c, &unit));
  TSR_TRY(tsr_work(ctx, 16 * n, &u));
  TSR_TRY(tsr_work(ctx, 9 * n, &taps));
  memset(unit, 0, (size_t)(c * c) * sizeof *unit);
  for (int64_t i = 0; i < c; i++) unit[i * c + i] = 1;
  unpack_job j = {ctx->kernels->gemm, plan, data, unit, u, c, oc};
  tsr_pool_run(ctx->pool, ctx->max_threads, 16, unpack_task, &j);
  unpack_taps(taps, u, n);
  j.f->transpose(u, 9, taps, n, 9, n); /* [c][oc][9] */
  for (int64_t o = 0; o < oc; o++)
    for (int64_t i = 0; i < c; i++) memcpy(w + (o * c + i) * 9, u + (i * oc + o) * 9, 9 * sizeof *w);
  return TSR_OK;
}

/* ---- the job ---- */

typedef struct job {
  tsr_ctx *ctx;
  const tsr_conv *p;
  const tsr_packed *plan;
  const float *data, *x, *zero;
  float *y;
  const tsr_epi *epi;
  int64_t across, per_image;     /* tiles in a row and in an image */
  int64_t t0, tiles;             /* of the chunk */
  float *v, *m;
  int64_t v_step, m_step;        /* between transform elements: padded, else 36 rows may share their cache sets */
  int64_t group;                 /* tiles a task transforms */
  int64_t parts;                 /* tasks a product */
} job;

typedef struct place { int64_t n, y, x; } place; /* image, first output row and column */

static place place_of(const job *j, int64_t tile) {
  int64_t in_image = tile % j->per_image;
  return (place){tile / j->per_image, in_image / j->across * TSR_WINO_OUT, in_image % j->across * TSR_WINO_OUT};
}

static void in_task(void *arg, int64_t task, int worker) {
  const job *j = arg;
  const tsr_conv *p = j->p;
  TSR_UNUSED(worker);
  for (int64_t t = task * j->group; t < TSR_MIN(j->tiles, (task + 1) * j->group); t++) {
    place at = place_of(j, j->t0 + t);
    const float *x[TSR_WINO_XI], *image = j->x + at.n * p->in[1] * p->in[2] * p->c;
    for (int e = 0; e < TSR_WINO_XI; e++) {
      int64_t h = at.y - p->pad[1] + e / 6, w = at.x - p->pad[2] + e % 6;
      bool inside = (uint64_t)h < (uint64_t)p->in[1] && (uint64_t)w < (uint64_t)p->in[2];
      x[e] = inside ? image + (h * p->in[2] + w) * p->c : j->zero;
    }
    j->ctx->kernels->conv->wino_in(j->v + t * p->c, j->v_step, x, p->c);
  }
}

static void product_task(void *arg, int64_t task, int worker) {
  const job *j = arg;
  TSR_UNUSED(worker);
  int64_t e = task / j->parts, part = task % j->parts;
  tsr_packed b = *j->plan;
  b.data = (float *)(uintptr_t)j->data + e * tsr_wino_step(&b);
  tsr_gemm g = {.b = &b, .m = j->tiles, .a = j->v + e * j->v_step, .lda = j->p->c, .c = j->m + e * j->m_step, .ldc = j->p->oc};
  tsr_gemm_part(j->ctx->kernels->gemm, &g, 0, tsr_gemm_tiles(&g), part * b.panels / j->parts, (part + 1) * b.panels / j->parts);
}

static void out_task(void *arg, int64_t task, int worker) {
  const job *j = arg;
  const tsr_conv *p = j->p;
  const tsr_epi *epi = j->epi;
  TSR_UNUSED(worker);
  tsr_wino_out o = {.step = j->m_step, .has_residual = epi->residual != NULL, .residual = epi->residual != NULL ? epi->residual - j->y : 0,
                    .bias = epi->bias, .c = p->oc, .act = epi->act, .p0 = epi->p0, .p1 = epi->p1};
  for (int64_t t = task * j->group; t < TSR_MIN(j->tiles, (task + 1) * j->group); t++) {
    place at = place_of(j, j->t0 + t);
    float *image = j->y + at.n * p->out[1] * p->out[2] * p->oc;
    for (int i = 0; i < 16; i++) {
      int64_t h = at.y + i / 4, w = at.x + i % 4;
      o.y[i] = h < p->out[1] && w < p->out[2] ? image + (h * p->out[2] + w) * p->oc : NULL;
    }
    o.m = j->m + t * p->oc;
    j->ctx->kernels->conv->wino_out(&o);
  }
}

tsr_status tsr_wino_run(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *plan, const float *data, float *y, const float *x, const tsr_epi *epi) {
  float *zero;
  job j = {.ctx = ctx, .p = p, .plan = plan, .data = data, .x = x, .y = y, .epi = epi, .across = tiles_along(p->out[2])};
  j.per_image = j.across * tiles_along(p->out[1]);
  int64_t all = p->n * j.per_image, most = TSR_MAX(24, CHUNK_FLOATS / TSR_WINO_XI / (p->c + p->oc));
  int64_t chunks = (all + most - 1) / most, tiles = (all + chunks - 1) / chunks;
  j.v_step = tiles * p->c + 16;
  j.m_step = tiles * p->oc + 16;
  j.parts = plan->panels > 1 && (double)tiles * (double)p->c * (double)p->oc > 4e6 ? 2 : 1;
  j.group = TSR_MAX(1, 2048 / TSR_MAX(p->c, p->oc));
  TSR_TRY(tsr_work(ctx, p->c, &zero));
  TSR_TRY(tsr_work(ctx, TSR_WINO_XI * j.v_step, &j.v));
  TSR_TRY(tsr_work(ctx, TSR_WINO_XI * j.m_step, &j.m));
  memset(zero, 0, (size_t)p->c * sizeof *zero);
  j.zero = zero;
  for (; j.t0 < all; j.t0 += tiles) {
    j.tiles = TSR_MIN(tiles, all - j.t0);
    int64_t groups = (j.tiles + j.group - 1) / j.group;
    tsr_pool_run(ctx->pool, ctx->max_threads, groups, in_task, &j);
    tsr_pool_run(ctx->pool, ctx->max_threads, TSR_WINO_XI * j.parts, product_task, &j);
    tsr_pool_run(ctx->pool, ctx->max_threads, groups, out_task, &j);
  }
  return TSR_OK;
}
