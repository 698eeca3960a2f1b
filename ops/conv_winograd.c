/* 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3), 36 products of transformed tiles in place of nine of
 * positions: a quarter of the multiplications for four times the weights; or by F(2x2, 3x3), 16 products: 4/9 for
 * 16/9.
 *
 * Three steps over a chunk of tiles: transform the input; multiply, m[element][tile][oc]; transform back with the
 * epilogue.  With few weights a thread makes chunks alone; else each step is split over the pool by itself, so
 * that small maps need not stream all of the weights through every core.  A dilated kernel sees the input as dil x dil grids,
 * each of which has tiles of its own. */
#include "ops/conv_winograd.h"

#include "ops/conv_kernels.h"

#define SMALL_CHUNK (1 << 17)  /* floats of v and m: what a chunk of tiles takes stays in L2 */
#define LARGE_CHUNK (1 << 19)  /* where the weights do not stay there anyway */
#define ALONE_CHUNK (1 << 18)  /* of each thread, where weights pass by */
#define LEAST_CHANNELS 32      /* with fewer the transforms cost more than they save */
#define LEAST_TILES 12         /* fewer rows leave the products waiting for weights */
#define MOST_WEIGHTS4 (200 * 200) /* for 4x4: beyond, four times the weights cost more to read than they save */
#define MOST_WEIGHTS2 (384 * 384) /* for 2x2 */
#define LEAST_GAIN 0.85        /* of the time of direct summation, for weights that are transformed as they are needed */
#define EXPANDED (72 << 10)    /* floats of them at a time: they stay in L2 */
#define ALONE_WEIGHTS (5 << 17) /* floats of transformed weights that every thread reads for itself */
#define MOST_DILATION 4        /* beyond, the grids are seldom larger than a tile */

static bool is_square(const tsr_conv *p) {
  bool square = p->nd == 2 && !p->transposed && p->groups == 1 && p->k[1] == 3 && p->k[2] == 3;
  bool dense = p->stride[1] == 1 && p->stride[2] == 1 && p->dil[1] <= MOST_DILATION && p->dil[2] <= MOST_DILATION;
  return square && dense && p->c >= LEAST_CHANNELS && p->oc >= LEAST_CHANNELS;
}

bool tsr_wino_wants(const tsr_conv *p) { return is_square(p) && p->c * p->oc <= MOST_WEIGHTS2; }

int tsr_wino_side(const tsr_conv *p) { return p->c * p->oc <= MOST_WEIGHTS4 ? 4 : 2; }

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* Tiles along dimension d of the largest grid. */
static int64_t tiles_along(const tsr_conv *p, int d, int side) { return ceil_div(ceil_div(p->out[d], p->dil[d]), side); }

static int64_t tiles_of(const tsr_conv *p, int side) { return tiles_along(p, 1, side) * tiles_along(p, 2, side) * p->dil[1] * p->dil[2]; }

bool tsr_wino_fits(const tsr_conv *p) {
  int side = tsr_wino_side(p);
  int64_t tiles = tiles_of(p, side);
  return p->n * tiles >= LEAST_TILES && p->out[1] * p->out[2] * 2 > tiles * side * side;
}

/* Halves of a cycle for a vector of weights: to transform it, and to multiply it with all tiles. */
static double direct_cost(const tsr_conv *p, int side) {
  double tiles = (double)(p->n * tiles_of(p, side));
  return (side == 4 ? 36 * 10 : 16 * 10) + (side + 2) * (side + 2) * TSR_MAX(tiles, 8);
}

int tsr_wino_side_direct(const tsr_conv *p) {
  if (!is_square(p) || tsr_wino_wants(p)) return 0;
  double two = direct_cost(p, 2), four = direct_cost(p, 4), plain = 9.0 * (double)(p->n * p->out[1] * p->out[2]);
  return TSR_MIN(two, four) > LEAST_GAIN * plain ? 0 : two < four ? 2 : 4;
}

/* ---- the job ---- */

typedef struct job {
  tsr_ctx *ctx;
  const tsr_conv *p;
  const tsr_packed *plan;
  const float *data, *x, *zero;
  float *y;
  const tsr_epi *epi;
  int side, elements;
  int64_t across, per_grid, per_image; /* tiles in a row, a grid and an image */
  int64_t t0, tiles;             /* of the chunk */
  float *v; int64_t v_at[36], v_block; /* where the rows of an element start; between blocks of channels */
  float *m; int64_t m_step;      /* between elements: padded, else 36 rows may share their cache sets */
  int64_t groups, tasks;         /* of tiles to transform, of panels to multiply by: each thread has as many */
  int64_t v_floats, m_floats;    /* of a thread that makes chunks alone */
  float *u; int64_t u_floats, expand; /* transformed weights of `expand` input channels, by worker; 0: they are packed so */
} job;

typedef struct place { int64_t n, y, x; } place; /* image, first output row and column */

static place place_of(const job *j, int64_t tile) {
  const tsr_conv *p = j->p;
  int64_t in_image = tile % j->per_image, grid = in_image / j->per_grid, i = in_image % j->per_grid;
  return (place){tile / j->per_image, i / j->across * j->side * p->dil[1] + grid / p->dil[2], i % j->across * j->side * p->dil[2] + grid % p->dil[2]};
}

/* The number nearest to `want` that threads can share evenly, where `all` allows it. */
static int64_t evenly(int64_t all, int64_t want, int64_t threads) { return TSR_MIN(all, ceil_div(want, threads) * threads); }

static void in_task(void *arg, int64_t task, int worker) {
  const job *j = arg;
  const tsr_conv *p = j->p;
  int in = j->side + 2;
  TSR_UNUSED(worker);
  for (int64_t t = task * j->tiles / j->groups; t < (task + 1) * j->tiles / j->groups; t++) {
    place at = place_of(j, j->t0 + t);
    const float *x[36], *image = j->x + at.n * p->in[1] * p->in[2] * p->c;
    for (int e = 0; e < j->elements; e++) {
      int64_t h = at.y - p->pad[1] + e / in * p->dil[1], w = at.x - p->pad[2] + e % in * p->dil[2];
      bool inside = (uint64_t)h < (uint64_t)p->in[1] && (uint64_t)w < (uint64_t)p->in[2];
      x[e] = inside ? image + (h * p->in[2] + w) * p->c : j->zero;
    }
    for (int64_t b = 0; b < ceil_div(p->c, j->plan->c_block); b++) {
      int64_t c0 = b * j->plan->c_block;
      tsr_wino_in part = {.x = x, .c0 = c0, .c = TSR_MIN(j->plan->c_block, p->c - c0), .v = j->v + b * j->v_block + t * TSR_GEMM_LDA, .at = j->v_at};
      j->ctx->kernels->conv->wino_in[j->side / 4](&part);
    }
  }
}

/* All tiles by one panel of one element's weights, which stays in L1 meanwhile; what follows it is fetched. */
static void run_panel(const job *j, int64_t e, int64_t panel) {
  const tsr_packed *b = j->plan;
  const tsr_gemm_fns *f = j->ctx->kernels->gemm;
  int64_t width = (int64_t)b->nv * f->lanes, col = panel * width, w = TSR_MIN(width, b->n_pad - col), rows = ceil_div(j->tiles, b->mr);
  float *c[TSR_GEMM_MR];
  for (int64_t i = 0; i < b->blocks; i++) {
    int64_t c0 = i * b->c_block, kc = TSR_MIN(b->c_block, b->c - c0);
    tsr_tile t = {.kc = kc, .b = j->data + e * tsr_wino_step(b) + c0 * b->n_pad + col * kc, .ldb = w, .c = c, .c_off = col,
                  .n = (int)TSR_MIN(width, b->n - col), .accumulate = i > 0};
    t.b2 = t.b;
    t.step = ceil_div(w * 4, rows);
    for (int64_t r = 0; r < rows; r++) {
      int64_t m0 = r * j->tiles / rows, mr = (r + 1) * j->tiles / rows - m0;
      t.a = j->v + i * j->v_block + j->v_at[e] + m0 * TSR_GEMM_LDA;
      t.soon = (const char *)(t.b + kc * w) + r * kc * t.step;
      for (int64_t k = 0; k < mr; k++) c[k] = j->m + e * j->m_step + (m0 + k) * b->n;
      f->tile[ceil_div(t.n, f->lanes) - 1][mr - 1](&t);
    }
  }
}

static void product_task(void *arg, int64_t task, int worker) {
  const job *j = arg;
  int64_t panels = j->plan->panels, all = j->elements * panels;
  TSR_UNUSED(worker);
  for (int64_t i = task * all / j->tasks; i < (task + 1) * all / j->tasks; i++) run_panel(j, i / panels, i % panels);
}

/* Where the weights lie that follow channel c of a panel, for calls of tiles that have time to fetch them. */
typedef struct follow { const float *g[9]; int64_t bytes, calls, call; } follow;

static follow what_follows(const job *j, int64_t c, int64_t panel, int64_t calls) {
  follow f = {.calls = calls};
  int64_t count = j->expand, lanes = j->ctx->kernels->gemm->lanes;
  if (c == j->p->c) {
    c = 0;
    panel++;
  }
  if (panel == j->plan->panels) return f;
  tsr_wino_taps(j->plan, (int)lanes, c, panel, f.g, &count);
  f.bytes = count * TSR_MIN(j->plan->nv * lanes, j->plan->n_pad - panel * j->plan->nv * lanes) * 4;
  return f;
}

static void fetch(follow *f, tsr_tile *t) {
  int64_t run = f->call * 9 / f->calls, first = ceil_div(run * f->calls, 9), terms = TSR_MAX(1, f->calls / 9 * t->kc);
  t->soon = (const char *)t->a;
  t->step = 0;
  if (f->bytes > 0) {
    t->step = ceil_div(f->bytes, terms);
    t->soon = (const char *)f->g[run] + (f->call - first) * t->kc * t->step;
  }
  f->call++;
}

/* All tiles by one panel of all elements, some input channels at a time. */
static void expand_task(void *arg, int64_t panel, int worker) {
  const job *j = arg;
  const tsr_packed *b = j->plan;
  const tsr_gemm_fns *f = j->ctx->kernels->gemm;
  int64_t width = (int64_t)b->nv * f->lanes, col = panel * width, w = TSR_MIN(width, b->n_pad - col), rows = ceil_div(j->tiles, b->mr), kc;
  float *u = j->u + worker * j->u_floats, *c[TSR_GEMM_MR];
  for (int64_t c0 = 0; c0 < b->c; c0 += kc) {
    const float *g[9];
    kc = j->expand;
    tsr_wino_taps(b, f->lanes, c0, panel, g, &kc);
    j->ctx->kernels->conv->wino_expand[j->side / 4](u, kc * w, g, kc * w);
    follow next = what_follows(j, c0 + kc, panel, j->elements * rows);
    tsr_tile t = {.kc = kc, .ldb = w, .c = c, .c_off = col, .n = (int)TSR_MIN(width, b->n - col), .accumulate = c0 > 0};
    for (int64_t e = 0; e < j->elements; e++)
      for (int64_t r = 0; r < rows; r++) {
        int64_t m0 = r * j->tiles / rows, mr = (r + 1) * j->tiles / rows - m0;
        t.b = t.b2 = u + e * kc * w;
        t.a = j->v + c0 / b->c_block * j->v_block + j->v_at[e] + m0 * TSR_GEMM_LDA + c0 % b->c_block;
        for (int64_t k = 0; k < mr; k++) c[k] = j->m + e * j->m_step + (m0 + k) * b->n;
        fetch(&next, &t);
        f->tile[ceil_div(t.n, f->lanes) - 1][mr - 1](&t);
      }
  }
}

static void out_task(void *arg, int64_t task, int worker) {
  const job *j = arg;
  const tsr_conv *p = j->p;
  const tsr_epi *epi = j->epi;
  TSR_UNUSED(worker);
  tsr_wino_out o = {.step = j->m_step, .has_residual = epi->residual != NULL, .residual = epi->residual != NULL ? epi->residual - j->y : 0,
                    .bias = epi->bias, .c = p->oc, .act = epi->act, .p0 = epi->p0, .p1 = epi->p1};
  for (int64_t t = task * j->tiles / j->groups; t < (task + 1) * j->tiles / j->groups; t++) {
    place at = place_of(j, j->t0 + t);
    float *image = j->y + at.n * p->out[1] * p->out[2] * p->oc;
    for (int i = 0; i < j->side * j->side; i++) {
      int64_t h = at.y + i / j->side * p->dil[1], w = at.x + i % j->side * p->dil[2];
      o.y[i] = h < p->out[1] && w < p->out[2] ? image + (h * p->out[2] + w) * p->oc : NULL;
    }
    o.m = j->m + t * p->oc;
    j->ctx->kernels->conv->wino_out[j->side / 4](&o);
  }
}

/* All three steps of a chunk of tiles by one thread, whose v and m nobody else reads. */
static void chunk_task(void *arg, int64_t chunk, int worker) {
  job j = *(const job *)arg;
  int64_t tiles = j.tiles, all = j.p->n * j.per_image;
  j.t0 = chunk * tiles;
  j.tiles = TSR_MIN(tiles, all - j.t0);
  j.v += worker * j.v_floats;
  j.m += worker * j.m_floats;
  j.groups = j.tasks = 1;
  in_task(&j, 0, worker);
  product_task(&j, 0, worker);
  out_task(&j, 0, worker);
}

/* Memory for chunks of `tiles`: an element's rows are as far apart as a product wants them, several elements beside
 * each other where there is room. */
static tsr_status take_room(job *j, int64_t tiles, int64_t copies) {
  const tsr_conv *p = j->p;
  int64_t c = ceil_div(j->plan->c_block, 16) * 16, beside = TSR_GEMM_KC / c, blocks = ceil_div(p->c, j->plan->c_block);
  j->v_block = tiles * TSR_GEMM_LDA + 16;
  for (int e = 0; e < j->elements; e++) j->v_at[e] = e / beside * blocks * j->v_block + e % beside * c;
  j->m_step = tiles * p->oc + 16;
  if (j->expand > 0) {
    j->u_floats = j->elements * j->expand * j->plan->nv * j->ctx->kernels->gemm->lanes;
    TSR_TRY(tsr_work(j->ctx, j->u_floats * tsr_gemm_threads(j->ctx), &j->u));
  }
  j->v_floats = ceil_div(j->elements, beside) * blocks * j->v_block;
  j->m_floats = j->elements * j->m_step;
  TSR_TRY(tsr_work(j->ctx, j->v_floats * copies, &j->v));
  return tsr_work(j->ctx, j->m_floats * copies, &j->m);
}

static void multiply(job *j) {
  int64_t panels = j->plan->panels;
  if (j->expand > 0) tsr_pool_run(j->ctx->pool, j->ctx->max_threads, panels, expand_task, j);
  else tsr_pool_run(j->ctx->pool, j->ctx->max_threads, j->tasks, product_task, j);
}

tsr_status tsr_wino_run(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *plan, const float *data, int side, float *y, const float *x, const tsr_epi *epi) {
  float *zero;
  job j = {.ctx = ctx, .p = p, .plan = plan, .data = data, .x = x, .y = y, .epi = epi, .side = side, .elements = (side + 2) * (side + 2)};
  j.across = tiles_along(p, 2, side);
  j.per_grid = j.across * tiles_along(p, 1, side);
  j.per_image = j.per_grid * p->dil[1] * p->dil[2];
  if (plan->taps == 9) j.expand = TSR_MAX(8, EXPANDED / (j.elements * plan->nv * ctx->kernels->gemm->lanes) / 8 * 8);
  int64_t all = p->n * j.per_image, threads = tsr_gemm_threads(ctx), weights = j.elements * p->c * p->oc;
  bool alone = threads > 1 && j.expand == 0 && weights <= ALONE_WEIGHTS && all >= threads * LEAST_TILES;
  int64_t floats = alone ? ALONE_CHUNK : weights > SMALL_CHUNK ? LARGE_CHUNK : SMALL_CHUNK;
  if (j.expand > 0) floats *= 4; /* each chunk transforms all weights */
  int64_t most = TSR_MAX(24, floats / j.elements / (p->c + p->oc)), chunks = ceil_div(all, most);
  if (alone) chunks = TSR_MIN(ceil_div(chunks, threads) * threads, all / LEAST_TILES);
  int64_t tiles = ceil_div(all, chunks);
  j.tasks = evenly(j.elements * plan->panels, 6 * threads, threads);
  TSR_TRY(take_room(&j, tiles, alone ? threads : 1));
  TSR_TRY(tsr_work(ctx, p->c, &zero));
  memset(zero, 0, (size_t)p->c * sizeof *zero);
  j.zero = zero;
  if (alone) {
    j.tiles = tiles;
    tsr_pool_run(ctx->pool, ctx->max_threads, ceil_div(all, tiles), chunk_task, &j);
    return TSR_OK;
  }
  for (; j.t0 < all; j.t0 += tiles) {
    j.tiles = TSR_MIN(tiles, all - j.t0);
    j.groups = evenly(j.tiles, ceil_div(j.tiles, TSR_MAX(1, 2048 / TSR_MAX(p->c, p->oc))), threads);
    tsr_pool_run(ctx->pool, ctx->max_threads, j.groups, in_task, &j);
    multiply(&j);
    tsr_pool_run(ctx->pool, ctx->max_threads, j.groups, out_task, &j);
  }
  return TSR_OK;
}
