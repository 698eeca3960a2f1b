/* tsr::conv_block: convolutions in a row with their activations: one that widens (1x1, or the first of a network), a
 * depthwise one, mostly a 1x1 that narrows again (an inverted residual), and between those two perhaps a gate of each
 * channel made of its mean (squeeze and excitation).  All but the depthwise one may be missing.
 *
 * The middle is the widest of them.  It is made a panel of channels at a time and a few rows ahead of the depthwise
 * convolution that reads it, so that it lies in L1 and is never a tensor.  Where nothing needs the mean, a band of rows
 * goes on to the last convolution at once; else, and where the depthwise result is small, that is a tensor, and
 * the last convolution takes the gates as factors of its terms. */
#include "ops/conv.h"
#include "ops/conv_few.h"
#include "ops/conv_kernels.h"
#include "ops/layout.h"
#include "ops/native.h"
#include "ops/product.h"
#include "ops/site.h"

#define RING_BYTES (24 << 10)  /* of the rows of a panel that are ahead */
#define SMALL_BYTES (100 << 10) /* of a depthwise result that need not go on at once */
#define CHUNK_BYTES (192 << 10)/* of the depthwise rows that the last convolution takes at a time */
#define MAX_ROWS 16            /* of a kernel */

enum { X, W1, B1, STRIDE1, PADDING1, ACT1, W2 = 8, B2, STRIDE2, PADDING2, ACT2, W3 = 15, B3, RESIDUAL, ACT3, WA = 21, BA, ACTA, WB = 26, BB, ACTB, ARGS = 31 };
enum { FIRST, DEEP, LAST, DOWN, UP, PARTS };

typedef struct block { bool has[PARTS]; tsr_conv_args part[PARTS]; } block;

static const uint8_t weights[PARTS] = {W1, W2, W3, WA, WB}, acts[PARTS] = {ACT1, ACT2, ACT3, ACTA, ACTB};
static const int64_t ones[2] = {1, 1}, zeros[2] = {0, 0};

static tsr_status read_block(tsr_call *c, block *b) {
  *b = (block){0};
  for (int i = 0; i < PARTS; i++) {
    tsr_conv_args *a = &b->part[i];
    uint64_t bit = (uint64_t)1 << weights[i];
    b->has[i] = !tsr_arg_is_none(c, weights[i]);
    if (!b->has[i]) continue;
    *a = (tsr_conv_args){.w = tsr_arg_opt_tensor(c, weights[i]), .bias = tsr_arg_opt_tensor(c, weights[i] + 1u), .stride = ones, .pad = zeros,
                         .dil = ones, .stride_n = 2, .pad_n = 2, .dil_n = 2, .groups = 1, .hide = true,
                         .site = (c->constant & bit) != 0 ? tsr_site_sub(c->site, PARTS, i) : NULL};
    TSR_TRY(tsr_act_read(c, acts[i], &a->epi));
  }
  tsr_conv_args *first = &b->part[FIRST], *dw = &b->part[DEEP];
  dw->groups = dw->w->ndim > 0 ? dw->w->size[0] : 0;
  dw->stride = tsr_arg_ints(c, STRIDE2, &dw->stride_n);
  dw->pad = tsr_arg_ints(c, PADDING2, &dw->pad_n);
  if (b->has[FIRST]) {
    first->stride = tsr_arg_ints(c, STRIDE1, &first->stride_n);
    first->pad = tsr_arg_ints(c, PADDING1, &first->pad_n);
  }
  b->part[LAST].residual = tsr_arg_opt_tensor(c, RESIDUAL);
  return c->ctx->err.status;
}

/* ---- panels of the depthwise result ---- */

typedef struct job {
  tsr_ctx *ctx;
  const tsr_gemm_fns *f;
  bool has[PARTS], stem;
  const tsr_conv *p[PARTS];
  const tsr_conv_plan *q[PARTS];
  tsr_epi epi[PARTS];
  const float *x;
  float *y;
  int64_t width, panels;                   /* channels of a panel of the middle, and how many */
  int64_t cap, left, row_step, ring_floats;/* rows ahead, columns of padding, floats of a row, of a panel's rows */
  float *ring, *line;                      /* one each a worker */
  int64_t worker_floats, line_floats;
  float *wide;                             /* the depthwise result: of an image, or what a worker has of it */
  int64_t wide_floats;
  float *sums, *gates;                     /* [band][channel], [channel], one each a worker */
  float *squeezed;
  int64_t bands, image;                    /* of an image; the image at hand */
  struct trail *trails;                    /* by worker */
} job;

/* The rows of one panel that are ahead: row r of the middle at data + r % cap * row_step, with zeros left and right. */
typedef struct ahead { float *data; int64_t made; } ahead;

/* What a worker's ring holds: rows up to `made` for band `next`, when that is what it does next. */
typedef struct trail { bool begun; int64_t next, made; } trail;

static void clear_borders(const job *j, float *data) {
  int64_t w = j->p[DEEP]->in[2] * j->width, left = j->left * j->width;
  for (int64_t r = 0; r < j->cap; r++) {
    float *row = data + r * j->row_step;
    memset(row, 0, (size_t)left * sizeof *row);
    memset(row + left + w, 0, (size_t)(j->row_step - left - w) * sizeof *row);
  }
}

static const tsr_packed *first_weights(const job *j) { return j->stem ? &j->q[FIRST]->packed : &j->q[FIRST]->phases[0].plan; }

/* Rows [r0, r1) of a 1x1 convolution, one panel of its channels. */
static void point_rows(const job *j, const float *x, float *data, int64_t panel, int64_t r0, int64_t r1) {
  const tsr_packed *b = first_weights(j);
  int64_t w = j->p[DEEP]->in[2], m = (r1 - r0) * w, col = panel * j->width, tiles = (m + b->mr - 1) / b->mr, row = r0 % j->cap, at = 0;
  float *c[TSR_GEMM_MR];
  tsr_tile t = {.kc = b->c, .b = b->data + col * b->c, .ldb = TSR_MIN(j->width, b->n_pad - col), .c = c, .c_off = col,
                .n = (int)TSR_MIN(j->width, b->n - col), .epi = &j->epi[FIRST]};
  int vectors = (t.n + j->f->lanes - 1) / j->f->lanes;
  int64_t bytes = t.ldb * b->c * 4;
  bool more = panel + 1 < j->panels;
  x += r0 * w * b->c;
  for (int64_t tile = 0; tile < tiles; tile++) {
    int64_t m0 = tile * m / tiles;
    int mr = (int)((tile + 1) * m / tiles - m0);
    for (int i = 0; i < mr; i++) {
      c[i] = data + row * j->row_step + (j->left + at) * j->width - col;
      if (++at < w) continue;
      at = 0;
      if (++row == j->cap) row = 0;
    }
    t.a = x + m0 * b->c;
    bool fetch = more && tile * b->c * 32 < bytes; /* the next panel, a line with each two terms */
    t.soon = (const char *)t.b + (fetch ? bytes + tile * b->c * 32 : 0);
    t.step = fetch ? 64 : 0;
    j->f->near[vectors - 1][mr - 1](&t, b->c);
  }
}

/* Where nothing widens: rows [r0, r1) of one panel of the input, next to each other and with their padding. */
static void copy_rows(const job *j, const float *x, float *data, int64_t panel, int64_t r0, int64_t r1) {
  const tsr_conv *p = j->p[DEEP];
  int64_t col = panel * j->width, n = TSR_MIN(j->width, p->c - col);
  for (int64_t r = r0; r < r1; r++)
    j->ctx->kernels->conv->copy_columns(data + r % j->cap * j->row_step + j->left * j->width, j->width, x + r * p->in[2] * p->c + col, p->c, p->in[2], n);
}

static void first_rows(const job *j, const float *x, float *data, int64_t panel, int64_t r0, int64_t r1, int worker) {
  if (!j->has[FIRST]) {
    copy_rows(j, x, data, panel, r0, r1);
    return;
  }
  if (!j->stem) {
    point_rows(j, x, data, panel, r0, r1);
    return;
  }
  tsr_few_image s = {.f = j->ctx->kernels->conv, .lanes = j->f->lanes, .p = j->p[FIRST], .b = first_weights(j), .x = x,
                     .line = j->line + worker * j->line_floats, .epi = j->epi[FIRST]};
  for (int64_t r = r0; r < r1; r++) tsr_few_make_row(&s, r, panel, data + r % j->cap * j->row_step + j->left * j->width, j->width);
}

/* Depthwise rows [o0, o1) of an image, one panel of channels: row o0 at y, positions y_step apart.  x: the image. */
static void deep_rows(const job *j, const float *x, ahead *a, int64_t panel, int64_t o0, int64_t o1, float *y, int64_t y_step, int worker) {
  const tsr_conv *p = j->p[DEEP];
  const float *rows[MAX_ROWS];
  int64_t col = panel * j->width, h = p->in[1], kh = p->k[1];
  tsr_dw d = {.rows = rows, .row_count = kh, .w = j->q[DEEP]->data + col, .bias = j->epi[DEEP].bias == NULL ? NULL : j->epi[DEEP].bias + col,
              .c = TSR_MIN(j->width, p->c - col), .iw = j->row_step / j->width, .ow = p->out[2], .kw = p->k[2],
              .stride = p->stride[2], .pad = 0, .dil = 1, .x_step = j->width, .y_step = y_step,
              .w_step = p->c, .act = j->epi[DEEP].act, .p0 = j->epi[DEEP].p0, .p1 = j->epi[DEEP].p1};
  for (int64_t o = o0; o < o1; o++) {
    int64_t top = o * p->stride[1] - p->pad[1], low = TSR_MAX(0, top);
    if (TSR_MIN(h, top + kh) > a->made) {
      a->made = TSR_MAX(a->made, low);
      int64_t end = TSR_MIN(TSR_MIN(h, low + j->cap), (o1 - 1) * p->stride[1] - p->pad[1] + kh);
      first_rows(j, x, a->data, panel, a->made, end, worker);
      a->made = end;
    }
    for (int64_t r = 0; r < kh; r++) {
      bool inside = top + r >= 0 && top + r < h;
      rows[r] = inside ? a->data + (top + r) % j->cap * j->row_step : NULL;
    }
    d.out = y + (o - o0) * p->out[2] * y_step;
    j->ctx->kernels->conv->dw_row(&d);
  }
}

static const float *image_of(const job *j, int64_t n) {
  const tsr_conv *p = j->p[j->has[FIRST] ? FIRST : DEEP];
  return j->x + n * p->c * p->in[1] * p->in[2];
}

/* ---- a band of rows through all convolutions ---- */

/* The last convolution of m positions. */
static tsr_gemm last_product(const job *j, const float *a, float *c, int64_t m) {
  const tsr_conv *p = j->p[LAST];
  tsr_gemm g = {.b = &j->q[LAST]->phases[0].plan, .m = m, .a = a, .lda = p->c, .c = c, .ldc = p->oc, .epi = j->epi[LAST]};
  if (g.epi.residual != NULL) g.epi.residual += c - j->y;
  g.epi.c_base = c;
  return g;
}

/* Few panels, all terms at once: rows are read in place.  Else gathering them once for all panels pays. */
static bool in_place(const job *j, const tsr_gemm *g) {
  const tsr_packed *b = g->b;
  return b->blocks == 1 && b->panels <= 2 && g->a_scale == NULL && b->c % 256 != 0 && j->f->near[b->nv - 1][b->mr - 1] != NULL;
}

static void last_tiles(const job *j, const tsr_gemm *g, int64_t t0, int64_t t1) {
  const tsr_packed *b = g->b;
  int64_t tiles = tsr_gemm_tiles(g), width = (int64_t)b->nv * j->f->lanes;
  float *c[TSR_GEMM_MR];
  if (!in_place(j, g)) {
    tsr_gemm_part(j->f, g, t0, t1, 0, b->panels);
    return;
  }
  for (int64_t tile = t0; tile < t1; tile++) {
    int64_t m0 = tile * g->m / tiles;
    int mr = (int)((tile + 1) * g->m / tiles - m0);
    tsr_tile t = {.a = g->a + m0 * g->lda, .kc = b->c, .c = c, .epi = &g->epi, .soon = (const char *)(g->a + m0 * g->lda)};
    for (int i = 0; i < mr; i++) c[i] = g->c + (m0 + i) * g->ldc;
    for (int64_t panel = 0; panel < b->panels; panel++) {
      t.c_off = panel * width;
      t.b = b->data + t.c_off * b->c;
      t.ldb = TSR_MIN(width, b->n_pad - t.c_off);
      t.n = (int)TSR_MIN(width, b->n - t.c_off);
      j->f->near[(t.n + j->f->lanes - 1) / j->f->lanes - 1][mr - 1](&t, g->lda);
    }
  }
}

static void band_task(void *arg, int64_t task, int worker) {
  const job *j = arg;
  const tsr_conv *p = j->p[DEEP];
  int64_t n = task / j->bands, band = task % j->bands;
  int64_t o0 = band * p->out[1] / j->bands, o1 = (band + 1) * p->out[1] / j->bands;
  float *ring = j->ring + worker * j->worker_floats, *wide = j->wide + worker * j->wide_floats;
  trail *t = &j->trails[worker];
  if (!t->begun)
    for (int64_t i = 0; i < j->panels; i++) clear_borders(j, ring + i * j->ring_floats);
  if (t->next != task || band == 0) t->made = 0; /* else the ring has the rows that both bands need */
  ahead a = {0};
  for (int64_t i = 0; i < j->panels; i++) {
    a = (ahead){ring + i * j->ring_floats, t->made};
    deep_rows(j, image_of(j, n), &a, i, o0, o1, wide + i * j->width, p->c, worker);
  }
  *t = (trail){true, task + 1, a.made};
  tsr_gemm g = last_product(j, wide, j->y + (n * p->out[1] + o0) * p->out[2] * j->p[LAST]->oc, (o1 - o0) * p->out[2]);
  last_tiles(j, &g, 0, tsr_gemm_tiles(&g));
}

/* ---- in two steps ---- */

/* One panel of one band, from the image at hand to its depthwise result and the sums of its channels. */
static void panel_part(const job *j, int64_t n, int64_t task, float *wide, float *sums, int worker) {
  const tsr_conv *p = j->p[DEEP];
  int64_t band = task / j->panels, panel = task % j->panels, col = panel * j->width;
  int64_t first = band * p->out[1] / j->bands, last = (band + 1) * p->out[1] / j->bands;
  ahead a = {.data = j->ring + worker * j->worker_floats};
  float *y = wide + first * p->out[2] * p->c + col;
  clear_borders(j, a.data);
  deep_rows(j, image_of(j, n), &a, panel, first, last, y, p->c, worker);
  if (j->has[UP])
    j->ctx->kernels->conv->sum_rows(sums + band * p->c + col, y, p->c, (last - first) * p->out[2], TSR_MIN(j->width, p->c - col));
}

static void panel_task(void *arg, int64_t task, int worker) {
  const job *j = arg;
  panel_part(j, j->image, task, j->wide, j->sums, worker);
}

static tsr_gemm row_product(const job *j, int i, const float *a, float *c) {
  tsr_gemm g = {.b = &j->q[i]->phases[0].plan, .m = 1, .a = a, .lda = j->p[i]->c, .c = c, .ldc = j->p[i]->oc, .epi = j->epi[i]};
  g.epi.c_base = c;
  return g;
}

static void mean_of(const job *j, float *sums) {
  const tsr_conv *p = j->p[DEEP];
  j->ctx->kernels->conv->mean_window(sums, &(tsr_window){sums, 1, j->bands, 0, p->c}, p->c, (float)(p->out[1] * p->out[2]));
}

/* An image from beginning to end on one thread. */
static void image_task(void *arg, int64_t n, int worker) {
  const job *j = arg;
  const tsr_conv *p = j->p[DEEP];
  int64_t positions = p->out[1] * p->out[2];
  float *wide = j->has[LAST] ? j->wide + worker * j->wide_floats : j->y + n * positions * p->c;
  float *sums = j->sums + worker * j->bands * p->c, *gates = j->gates + worker * p->c, *squeezed = j->squeezed + worker * p->c;
  for (int64_t t = 0; t < j->bands * j->panels; t++) panel_part(j, n, t, wide, sums, worker);
  if (!j->has[LAST]) return;
  tsr_gemm g = last_product(j, wide, j->y + n * positions * j->p[LAST]->oc, positions);
  if (j->has[UP]) {
    mean_of(j, sums);
    tsr_gemm down = row_product(j, DOWN, sums, squeezed), up = row_product(j, UP, squeezed, gates);
    tsr_gemm_part(j->f, &down, 0, 1, 0, down.b->panels);
    tsr_gemm_part(j->f, &up, 0, 1, 0, up.b->panels);
    g.a_scale = gates;
  }
  last_tiles(j, &g, 0, tsr_gemm_tiles(&g));
}

typedef struct last_job { const job *j; const tsr_gemm *g; int64_t tasks; } last_job;

static void last_task(void *arg, int64_t task, int worker) {
  TSR_UNUSED(worker);
  const last_job *l = arg;
  int64_t tiles = tsr_gemm_tiles(l->g);
  last_tiles(l->j, l->g, task * tiles / l->tasks, (task + 1) * tiles / l->tasks);
}

/* An image on all threads. */
static void run_image(job *j) {
  tsr_ctx *ctx = j->ctx;
  const tsr_conv *p = j->p[DEEP];
  int64_t positions = p->out[1] * p->out[2];
  float *wide = j->wide;
  if (!j->has[LAST]) j->wide = j->y + j->image * positions * p->c;
  tsr_pool_run(ctx->pool, ctx->max_threads, j->bands * j->panels, panel_task, j);
  j->wide = wide;
  if (!j->has[LAST]) return;
  tsr_gemm g = last_product(j, wide, j->y + j->image * positions * j->p[LAST]->oc, positions);
  if (j->has[UP]) {
    mean_of(j, j->sums);
    tsr_gemm down = row_product(j, DOWN, j->sums, j->squeezed), up = row_product(j, UP, j->squeezed, j->gates);
    tsr_gemm_run(ctx, &down);
    tsr_gemm_run(ctx, &up);
    g.a_scale = j->gates;
  }
  if (!in_place(j, &g)) {
    tsr_gemm_run(ctx, &g);
    return;
  }
  last_job l = {j, &g, TSR_MIN(tsr_gemm_tiles(&g), 2 * tsr_gemm_threads(ctx))};
  tsr_pool_run(ctx->pool, ctx->max_threads, l.tasks, last_task, &l);
}

/* ---- how ---- */

static tsr_status make_ring(job *j, int threads, int64_t panels_kept) {
  const tsr_conv *p = j->p[DEEP];
  int64_t right = TSR_MAX(0, (p->out[2] - 1) * p->stride[2] - p->pad[2] + p->k[2] - p->in[2]);
  j->left = p->pad[2];
  j->row_step = (j->left + p->in[2] + right) * j->width;
  j->cap = TSR_MIN(TSR_MAX(p->k[1], RING_BYTES / 4 / j->row_step), TSR_MAX(p->k[1], p->in[1]));
  j->ring_floats = j->cap * j->row_step;
  j->worker_floats = panels_kept * j->ring_floats;
  TSR_TRY(tsr_work(j->ctx, j->worker_floats * threads, &j->ring));
  if (!j->stem) return TSR_OK;
  j->line_floats = tsr_few_floats(j->p[FIRST]);
  return tsr_work(j->ctx, j->line_floats * threads, &j->line);
}

static tsr_status run_through(job *j) {
  const tsr_conv *p = j->p[DEEP];
  int threads = tsr_gemm_threads(j->ctx);
  int64_t row = p->out[2] * p->c, most = TSR_MAX(1, CHUNK_BYTES / 4 / row);
  /* A worker's bands follow each other and share the rows at their borders: as many for each as fit its cache. */
  j->bands = (p->out[1] + most - 1) / most;
  if (p->n % threads != 0) j->bands = TSR_MIN(p->out[1], (j->bands + threads - 1) / threads * threads);
  TSR_TRY(make_ring(j, threads, j->panels));
  j->wide_floats = (p->out[1] + j->bands - 1) / j->bands * row;
  TSR_TRY(tsr_work(j->ctx, j->wide_floats * threads, &j->wide));
  j->trails = tsr_scratch(j->ctx, (size_t)threads * sizeof *j->trails);
  if (j->trails == NULL) return tsr_op_nomem(j->ctx);
  memset(j->trails, 0, (size_t)threads * sizeof *j->trails);
  tsr_pool_run(j->ctx->pool, j->ctx->max_threads, p->n * j->bands, band_task, j);
  return TSR_OK;
}

static tsr_status run_in_steps(job *j) {
  const tsr_conv *p = j->p[DEEP];
  int threads = tsr_gemm_threads(j->ctx);
  int64_t workers = p->n > 1 && (p->n % threads == 0 || p->n >= 4 * threads) ? threads : 1;
  /* A matter of the shape alone: the sums of bands are added in order. */
  j->bands = TSR_MAX(1, TSR_MIN(p->out[1] / 14, (8 + j->panels - 1) / j->panels));
  TSR_TRY(make_ring(j, threads, 1));
  j->wide_floats = j->has[LAST] ? p->out[1] * p->out[2] * p->c : 0;
  TSR_TRY(tsr_work(j->ctx, j->wide_floats * workers, &j->wide));
  TSR_TRY(tsr_work(j->ctx, (j->bands + 2) * p->c * workers, &j->sums));
  j->gates = j->sums + j->bands * p->c * workers;
  j->squeezed = j->gates + p->c * workers;
  if (workers > 1 || threads == 1) {
    tsr_pool_run(j->ctx->pool, j->ctx->max_threads, p->n, image_task, j);
    return TSR_OK;
  }
  for (j->image = 0; j->image < p->n; j->image++) run_image(j);
  return TSR_OK;
}

/* ---- whether ---- */

static bool usual_weight(const tsr_conv_args *a) {
  return a->site != NULL && a->w->dtype == TSR_FLOAT32 && a->w->ndim == 4 && a->w->numel > 0 &&
         (a->bias == NULL || (a->bias->dtype == TSR_FLOAT32 && tsr_tensor_is_contiguous(a->bias)));
}

static bool describe_part(tsr_ctx *ctx, const block *b, int i, const int64_t size[4], tsr_conv *p) {
  int64_t now_size[4];
  memcpy(now_size, size, sizeof now_size);
  tsr_tensor now = {.dtype = TSR_FLOAT32, .ndim = 4, .size = now_size};
  if (!b->has[i]) return true;
  if (!usual_weight(&b->part[i])) return false;
  if (tsr_conv_describe(ctx, &b->part[i], &now, &p[i]) == TSR_OK) return true;
  tsr_errrec_dispose(&ctx->err); /* the convolutions will say so */
  return false;
}

static bool is_point(const tsr_conv *p) { return p->k[1] * p->k[2] == 1 && p->stride[1] == 1 && p->stride[2] == 1 && p->pad[1] == 0 && p->pad[2] == 0; }

/* The convolutions for x, when all is float32 of fitting sizes and in the order that the first of them reads. */
static bool describe(tsr_ctx *ctx, const block *b, const tsr_tensor *x, tsr_conv *p, bool *stem) {
  if (x->ndim != 4 || x->dtype != TSR_FLOAT32 || x->numel == 0) return false;
  if (!describe_part(ctx, b, FIRST, x->size, p)) return false;
  const int64_t *in = b->has[FIRST] ? (int64_t[]){p[FIRST].n, p[FIRST].oc, p[FIRST].out[1], p[FIRST].out[2]} : x->size;
  if (!describe_part(ctx, b, DEEP, in, p)) return false;
  const tsr_conv *d = &p[DEEP];
  const int64_t wide[4] = {d->n, d->oc, d->out[1], d->out[2]}, one[4] = {1, d->oc, 1, 1}, few[4] = {1, b->has[DOWN] ? b->part[DOWN].w->size[0] : 0, 1, 1};
  if (!describe_part(ctx, b, LAST, wide, p) || !describe_part(ctx, b, DOWN, one, p) || !describe_part(ctx, b, UP, few, p)) return false;
  for (int i = LAST; i < PARTS; i++)
    if (b->has[i] && !is_point(&p[i])) return false;
  *stem = b->has[FIRST] && !is_point(&p[FIRST]);
  if (*stem ? !tsr_tensor_is_contiguous(x) || x->hidden || !tsr_few_fits_rows(&p[FIRST]) : !x->hidden) return false;
  bool gates = !b->has[UP] || (b->has[LAST] && p[UP].oc == d->oc && p[DOWN].oc <= d->oc);
  return gates && d->groups == d->c && d->oc == d->c && d->c > 1 && d->k[1] <= MAX_ROWS && wide[2] * wide[3] > 0;
}

/* The packed weights are of the kind that the loops read. */
static bool usual_plan(const job *j, int i) {
  const tsr_conv_plan *q = j->q[i];
  if (q == NULL || (i == DEEP) != (q->kind == TSR_CONV_NARROW)) return false;
  if (i == DEEP) return true;
  if (i == FIRST && j->stem) return q->kind == TSR_CONV_FEW;
  if (q->phase_count != 1 || q->kind != TSR_CONV_TILES) return false;
  const tsr_packed *b = &q->phases[0].plan;
  return i == FIRST ? b->blocks == 1 && b->direct == NULL && b->c == j->p[i]->c : b->c == j->p[i]->c;
}

static tsr_status run_fused(tsr_ctx *ctx, const block *b, tsr_tensor *x, tsr_tensor **y, bool *done) {
  tsr_conv p[PARTS];
  job j = {.ctx = ctx, .f = ctx->kernels->gemm};
  *done = false;
  if (!describe(ctx, b, x, p, &j.stem)) return TSR_OK;
  for (int i = 0; i < PARTS; i++) {
    if (!b->has[i]) continue;
    j.has[i] = true;
    j.p[i] = &p[i];
    j.epi[i] = b->part[i].epi;
    j.epi[i].bias = b->part[i].bias == NULL ? NULL : tsr_tensor_data_ro(b->part[i].bias);
    TSR_TRY(tsr_conv_plan_get(ctx, b->part[i].site, &p[i], b->part[i].w, &j.q[i]));
    if (!usual_plan(&j, i)) return TSR_OK;
  }
  const tsr_conv *last = &p[b->has[LAST] ? LAST : DEEP], *d = &p[DEEP];
  int64_t size[4] = {last->n, last->oc, last->out[1], last->out[2]};
  TSR_TRY(tsr_layout_new(ctx, y, size));
  tsr_tensor *residual = b->part[LAST].residual;
  if (residual != NULL) {
    if (!residual->hidden || !(*y)->hidden || !tsr_tensor_same_size(residual, *y)) return TSR_OK;
    j.epi[LAST].residual = tsr_tensor_data_ro(residual);
  }
  j.x = tsr_tensor_data_ro(x);
  j.y = (*y)->storage->data;
  j.width = j.has[FIRST] ? (int64_t)first_weights(&j)->nv * j.f->lanes : 2 * (int64_t)j.f->lanes;
  j.panels = (d->c + j.width - 1) / j.width;
  *done = true;
  bool through = j.has[LAST] && !j.has[UP] && d->out[1] * d->out[2] * d->c * 4 > SMALL_BYTES && d->out[1] >= 14;
  return through ? run_through(&j) : run_in_steps(&j);
}

/* ---- one after the other ---- */

/* y times its gates. */
static tsr_status apply_gates(tsr_ctx *ctx, block *b, tsr_tensor **y) {
  static const int64_t dims[2] = {2, 3};
  tsr_tensor *g;
  TSR_TRY(tsr_layout_reveal(ctx, *y));
  TSR_TRY(tsr_reduce(ctx, &g, "mean", *y, 2, dims, true, -1));
  for (int i = DOWN; i <= UP; i++) {
    b->part[i].x = g;
    b->part[i].hide = false;
    TSR_TRY(tsr_convolution(ctx, &g, &b->part[i]));
  }
  return tsr_binary(ctx, y, "mul", g, *y);
}

static tsr_status run_apart(tsr_ctx *ctx, block *b, tsr_tensor *x, tsr_tensor **y) {
  bool unbatched = x->ndim == 3;
  if (unbatched) TSR_TRY(tsr_unsqueeze(ctx, &x, x, 0));
  if (unbatched && b->part[LAST].residual != NULL) TSR_TRY(tsr_unsqueeze(ctx, &b->part[LAST].residual, b->part[LAST].residual, 0));
  for (int i = FIRST; i <= LAST; i++) {
    if (!b->has[i]) continue;
    if (i == LAST && b->has[UP]) TSR_TRY(apply_gates(ctx, b, &x));
    b->part[i].x = x;
    b->part[i].hide = b->part[i].hide && !unbatched;
    TSR_TRY(tsr_convolution(ctx, &x, &b->part[i]));
  }
  if (unbatched) TSR_TRY(tsr_squeeze_dim(ctx, &x, x, 0));
  *y = x;
  return TSR_OK;
}

TSR_KERNEL(conv_block) {
  tsr_tensor *y = NULL, *x = tsr_arg_tensor(c, X);
  block b;
  bool done;
  TSR_TRY(read_block(c, &b));
  TSR_TRY(run_fused(c->ctx, &b, x, &y, &done));
  if (!done) TSR_TRY(run_apart(c->ctx, &b, x, &y));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status prepare_block(tsr_call *c) {
  const uint64_t all = ((uint64_t)1 << ARGS) - 1, data = (uint64_t)1 << X | (uint64_t)1 << RESIDUAL;
  block b;
  if ((c->constant & (all & ~data)) != (all & ~data)) return TSR_OK;
  TSR_TRY(read_block(c, &b));
  for (int i = 0; i < PARTS; i++) {
    bool packed = false;
    if (b.has[i]) TSR_TRY(tsr_convolution_prepare(c->ctx, &b.part[i], &packed));
    if (packed) c->released |= (uint64_t)1 << weights[i];
  }
  return TSR_OK;
}

const tsr_op tsr_ops_conv_block[] = {
    {"tsr::conv_block(Tensor x, Tensor? w1, Tensor? b1, int[] stride1, int[] padding1, int act1, float p1, float q1, "
     "Tensor w2, Tensor? b2, int[] stride2, int[] padding2, int act2, float p2, float q2, "
     "Tensor? w3, Tensor? b3, Tensor? residual, int act3, float p3, float q3, "
     "Tensor? wa, Tensor? ba, int acta, float pa, float qa, Tensor? wb, Tensor? bb, int actb, float pb, float qb) -> Tensor",
     op_conv_block, TSR_PURE | TSR_HIDDEN | TSR_OWN_ORDER | TSR_MAKES, .prepare = prepare_block},
    {0},
};
