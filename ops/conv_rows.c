/* Convolutions of small maps: a product a tap, of the positions that see the tap inside the input.
 *
 * Rows of A are gathered once a kernel column, in an order in which those of each tap follow each other: the input rows
 * that one phase of the stride meets are neighbours, and each holds the results that see the column.  Sums lie in
 * C meanwhile.  Tasks are groups of panels, so that each weight is read by one thread. */
#include "ops/conv_rows.h"

#define GROUP_BYTES (128 << 10)   /* of panels that stay in L2 while the rows pass by; the next are fetched meanwhile */
#define GATHERED_BYTES (2 << 20)  /* at a time: all weights pass by them */
#define MOST_COLUMNS 16
#define MOST_LINES (TSR_GEMM_MR * TSR_GEMM_LDA / 16)
#define LEAST_TERMS 64            /* fewer do not pay for moving the sums */
#define LEAST_GAIN 0.96           /* of the time with all taps */

typedef struct column { /* of the kernel, or several that are one block of the weights */
  int64_t k, count;
  int64_t x0, x1;       /* results that see it */
  int64_t base;         /* of the gathered positions of an input row, those before its own */
} column;

typedef struct run { /* the positions that see one tap, or one kernel row, by the panels [p0, p1) */
  const column *c;
  int64_t tap, terms, c0;
  int64_t y0, y1;
  int64_t p0, p1;
} run;

typedef struct job {
  tsr_ctx *ctx;
  const tsr_conv *p;
  const tsr_packed *b;
  const float *x, *zero;
  float *y;
  const tsr_epi *epi;
  column col[MOST_COLUMNS];
  int columns;
  int64_t width;         /* positions of all columns */
  int64_t n0, n1;        /* images at hand */
  int64_t *line, *row;   /* of an input row among the gathered ones, or -1; and back */
  int64_t lines;
  int64_t c0, c;         /* channels at hand */
  float *a;              /* [column][image][line][position][TSR_GEMM_LDA] */
  run *runs; int64_t run_count;
  int64_t per_task;      /* panels */
  int32_t next_lines[MOST_LINES + TSR_GEMM_ROUNDS]; /* of A, of the tile that follows: from its first, the last again */
} job;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* Results [*lo, *hi) of dimension d see one of the kernel elements [k, k + count). */
static void seen_by(const tsr_conv *p, int d, int64_t k, int64_t count, int64_t *lo, int64_t *hi) {
  int64_t first = k * p->dil[d] - p->pad[d], last = first + (count - 1) * p->dil[d], end = p->in[d] - first;
  *lo = last >= 0 ? 0 : TSR_MIN(p->out[d], ceil_div(-last, p->stride[d]));
  *hi = end <= 0 ? 0 : TSR_MIN(p->out[d], ceil_div(end, p->stride[d]));
  *hi = TSR_MAX(*lo, *hi);
}

/* Kernel columns are taken as one where the blocks of the weights are whole kernel rows. */
static int find_columns(const tsr_conv *p, const tsr_packed *b, column *col, int64_t *width) {
  int64_t count = b->c_block == b->c && b->taps_block % p->k[2] == 0 ? p->k[2] : 1;
  int n = 0;
  *width = 0;
  for (int64_t k = 0; k < p->k[2]; k += count) {
    column c = {k, count, 0, 0, *width};
    seen_by(p, 2, k, count, &c.x0, &c.x1);
    if (c.x0 == c.x1) continue;
    *width += c.x1 - c.x0;
    col[n++] = c;
  }
  return n;
}

static bool is_plane(const tsr_conv *p) {
  return !p->transposed && p->groups == 1 && p->k[0] == 1 && p->in[0] == 1 && p->pad[0] == 0 && p->k[1] * p->k[2] > 1 && p->k[2] <= MOST_COLUMNS;
}

bool tsr_rows_wants(const tsr_conv *p, const tsr_packed *b) {
  column col[MOST_COLUMNS];
  int64_t width, lo, hi, height = 0;
  if (!is_plane(p)) return false;
  int columns = find_columns(p, b, col, &width);
  int64_t together = columns > 0 ? col[0].count : 1, terms = b->c_block * together;
  for (int64_t k = 0; k < p->k[1]; k++) {
    seen_by(p, 1, k, 1, &lo, &hi);
    height += hi - lo;
  }
  double seen = (double)(height * width * together), all = (double)(p->out[1] * p->k[1] * p->out[2] * p->k[2]);
  if (TSR_MIN(p->in[1], p->out[1] * p->k[1]) * width * TSR_GEMM_LDA * 4 > GATHERED_BYTES) return false;
  return terms >= LEAST_TERMS && seen * (1 + 4.0 / (double)terms) < LEAST_GAIN * all;
}

/* ---- what is gathered ---- */

static int64_t input_row(const tsr_conv *p, int64_t y, int64_t k) { return y * p->stride[1] + k * p->dil[1] - p->pad[1]; }

/* Input rows that some result sees, those of one phase of the stride one after another. */
static void find_lines(job *j) {
  const tsr_conv *p = j->p;
  int64_t y0, y1;
  j->lines = 0;
  for (int64_t i = 0; i < p->in[1]; i++) j->line[i] = -1;
  for (int64_t k = 0; k < p->k[1]; k++) {
    seen_by(p, 1, k, 1, &y0, &y1);
    for (int64_t y = y0; y < y1; y++) j->line[input_row(p, y, k)] = 0;
  }
  for (int64_t phase = 0; phase < p->stride[1]; phase++)
    for (int64_t i = phase; i < p->in[1]; i += p->stride[1]) {
      if (j->line[i] < 0) continue;
      j->line[i] = j->lines;
      j->row[j->lines++] = i;
    }
}

/* The gathered positions of a line. */
static float *line_at(const job *j, const column *c, int64_t n, int64_t line) {
  int64_t images = j->n1 - j->n0;
  return j->a + (c->base * images * j->lines + ((n - j->n0) * j->lines + line) * (c->x1 - c->x0)) * TSR_GEMM_LDA;
}

static void gather_task(void *arg, int64_t begin, int64_t end) {
  const job *j = arg;
  const tsr_conv *p = j->p;
  const float *rows[MOST_COLUMNS * TSR_GEMM_MR];
  for (int64_t task = begin; task < end; task++) {
    const column *c = &j->col[task % j->columns];
    int64_t line = task / j->columns % j->lines, n = j->n0 + task / j->columns / j->lines;
    const float *from = j->x + (n * p->in[1] + j->row[line]) * p->in[2] * p->c;
    float *to = line_at(j, c, n, line);
    for (int64_t x0 = c->x0; x0 < c->x1; x0 += TSR_GEMM_MR) {
      int mr = (int)TSR_MIN(TSR_GEMM_MR, c->x1 - x0);
      for (int64_t k = 0; k < c->count; k++)
        for (int i = 0; i < mr; i++) {
          int64_t w = (x0 + i) * p->stride[2] + (c->k + k) * p->dil[2] - p->pad[2];
          rows[k * mr + i] = (uint64_t)w < (uint64_t)p->in[2] ? from + w * p->c : j->zero;
        }
      j->ctx->kernels->gemm->gather(to + (x0 - c->x0) * TSR_GEMM_LDA, rows, mr, c->count, j->c0, j->c);
    }
  }
}

/* ---- products ---- */

/* In the order in which sums are made. */
static void find_runs(job *j) {
  const tsr_conv *p = j->p;
  j->run_count = 0;
  for (int64_t k = 0; k < p->k[1]; k++)
    for (int i = 0; i < j->columns; i++) {
      const column *c = &j->col[i];
      run r = {.c = c, .tap = k * p->k[2] + c->k, .c0 = j->c0, .terms = c->count * j->c};
      seen_by(p, 1, k, 1, &r.y0, &r.y1);
      if (r.y0 < r.y1) j->runs[j->run_count++] = r;
    }
}

/* Packed weights of a panel of the run. */
static const float *panel_of(const job *j, const run *r, int64_t panel, int64_t *w) {
  const tsr_packed *b = j->b;
  int64_t width = (int64_t)b->nv * j->ctx->kernels->gemm->lanes, col = panel * width;
  int64_t tap0 = r->tap / b->taps_block * b->taps_block, taps = TSR_MIN(b->taps_block, b->taps - tap0);
  *w = TSR_MIN(width, b->n_pad - col);
  return b->data + (tap0 * b->c + r->c0) * b->n_pad + (col * taps + (r->tap - tap0) * *w) * TSR_MIN(b->c_block, b->c - r->c0);
}

/* Where mr sums go, from the i-th position of the run's in image n on. */
static void place_sums(const job *j, const run *r, int64_t n, int64_t i, int mr, float **c) {
  const tsr_conv *p = j->p;
  int64_t wide = r->c->x1 - r->c->x0, y = r->y0 + i / wide, x = r->c->x0 + i % wide;
  for (int k = 0; k < mr; k++) {
    c[k] = j->y + ((n * p->out[1] + y) * p->out[2] + x) * p->oc;
    if (++x < r->c->x1) continue;
    x = r->c->x0;
    y++;
  }
}

/* The i-th of `tiles` tiles of a run by the panels of a group, each of which fetches a share of the panel that the next run
 * has in its place; two go as one where there are few rows. */
static void run_panels(const job *j, const run *r, const run *next, tsr_tile *t, int mr, int64_t i, int64_t tiles) {
  const tsr_gemm_fns *f = j->ctx->kernels->gemm;
  const tsr_packed *b = j->b;
  int64_t width = (int64_t)b->nv * f->lanes, w;
  for (int64_t panel = r->p0; panel < r->p1; panel++) {
    const char *soon = (const char *)panel_of(j, next, TSR_MIN(next->p0 + panel - r->p0, b->panels - 1), &w);
    int64_t bytes = next->terms * w * 4;
    t->b = t->b2 = panel_of(j, r, panel, &t->ldb);
    t->c_off = panel * width;
    t->n = (int)TSR_MIN(width, b->n - t->c_off);
    int vectors = (int)ceil_div(t->n, f->lanes);
    if (mr <= f->pair_mr && vectors == 2 && panel + 1 < r->p1 && b->n - t->c_off >= 2 * width) {
      t->b2 = panel_of(j, r, ++panel, &t->ldb);
      t->n = (int)(2 * width);
      vectors = 4;
    }
    t->soon = soon + i * bytes / tiles;
    t->step = bytes / (tiles * TSR_MAX(1, t->kc)) + 1;
    t->at_a = j->next_lines + TSR_MIN((panel - r->p0) * (t->kc / 2), MOST_LINES);
    if (vectors == 2 && f->ahead[mr - 1] != NULL && t->soon_a != NULL) f->ahead[mr - 1](t);
    else f->tile[vectors - 1][mr - 1](t);
  }
}

static void multiply(const job *j, const run *r, const run *next) {
  float *c[TSR_GEMM_MR];
  int64_t all = (r->y1 - r->y0) * (r->c->x1 - r->c->x0), tiles = ceil_div(all, j->b->mr), images = j->n1 - j->n0;
  tsr_tile t = {.kc = r->terms, .c = c, .accumulate = true, .at_c = tsr_gemm_nowhere};
  for (int64_t n = j->n0; n < j->n1; n++) {
    const float *a = line_at(j, r->c, n, j->line[input_row(j->p, r->y0, r->tap / j->p->k[2])]);
    for (int64_t i = 0; i < tiles; i++) {
      int64_t m0 = i * all / tiles;
      int mr = (int)((i + 1) * all / tiles - m0);
      t.a = a + m0 * TSR_GEMM_LDA;
      t.soon_c = (const char *)t.a;
      t.soon_a = (const char *)(t.a + mr * TSR_GEMM_LDA); /* the rows of the next tile */
      place_sums(j, r, n, m0, mr, c);
      run_panels(j, r, next, &t, mr, (n - j->n0) * tiles + i, images * tiles);
    }
  }
}

static int64_t first_sum(const job *j, int64_t n) { return n * j->p->out[1] * j->p->out[2]; }

static void clear(const job *j, int64_t col, int64_t cols) {
  for (int64_t m = first_sum(j, j->n0); m < first_sum(j, j->n1); m++) memset(j->y + m * j->p->oc + col, 0, (size_t)cols * sizeof *j->y);
}

/* No terms: what is in C becomes a result. */
static void finish(const job *j, const run *r) {
  float *c[TSR_GEMM_MR];
  tsr_tile t = {.a = j->a, .c = c, .accumulate = true, .epi = j->epi};
  int64_t end = first_sum(j, j->n1);
  for (int64_t m = first_sum(j, j->n0); m < end; m += j->b->mr) {
    int mr = (int)TSR_MIN(j->b->mr, end - m);
    for (int i = 0; i < mr; i++) c[i] = j->y + (m + i) * j->p->oc;
    run_panels(j, r, r, &t, mr, 0, 1);
  }
}

static void panels_task(void *arg, int64_t task, int worker) {
  const job *j = arg;
  int64_t width = (int64_t)j->b->nv * j->ctx->kernels->gemm->lanes, p0 = task * j->per_task, p1 = TSR_MIN(j->b->panels, p0 + j->per_task);
  run r = {.p0 = p0, .p1 = p1};
  TSR_UNUSED(worker);
  if (j->c0 == 0) clear(j, p0 * width, TSR_MIN(p1 * width, j->b->n) - p0 * width);
  for (int64_t i = 0; i < j->run_count; i++) {
    bool last = i + 1 == j->run_count;
    run next = j->runs[last ? 0 : i + 1];
    r = j->runs[i];
    r.p0 = next.p0 = p0;
    r.p1 = p1;
    if (last) next.p0 = p1; /* the first of the next task */
    multiply(j, &r, &next);
  }
  if (j->c0 + j->c == j->b->c) finish(j, &r);
}

/* The images at hand, some channels at a time. */
static void run_images(job *j) {
  int64_t threads = tsr_gemm_threads(j->ctx), step = j->b->c_block;
  for (j->c0 = 0; j->c0 < j->b->c; j->c0 += step) {
    j->c = TSR_MIN(step, j->b->c - j->c0);
    find_runs(j);
    int64_t lines = j->run_count > 0 ? (j->n1 - j->n0) * j->lines * j->columns : 0;
    if (lines > 0) tsr_parallel_for(j->ctx, lines, TSR_MAX(1, 8192 / j->p->c), gather_task, j);
    int64_t bytes = (j->run_count > 0 ? j->runs[0].terms : 1) * j->b->nv * j->ctx->kernels->gemm->lanes * 4;
    j->per_task = TSR_MAX(1, TSR_MIN(TSR_MAX(2, GROUP_BYTES / bytes), j->b->panels / threads));
    tsr_pool_run(j->ctx->pool, j->ctx->max_threads, ceil_div(j->b->panels, j->per_task), panels_task, j);
  }
}

tsr_status tsr_rows_run(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *plan, float *y, const float *x, const tsr_epi *epi) {
  tsr_epi own = *epi;
  float *zero;
  job j = {.ctx = ctx, .p = p, .b = plan, .x = x, .y = y, .epi = &own};
  own.c_base = y;
  for (int i = 0; i < (int)TSR_COUNT(j.next_lines); i++) j.next_lines[i] = TSR_MIN(i, MOST_LINES - 1) * 64;
  j.columns = find_columns(p, plan, j.col, &j.width);
  j.line = tsr_scratch(ctx, (size_t)p->in[1] * sizeof *j.line + 1);
  j.row = tsr_scratch(ctx, (size_t)p->in[1] * sizeof *j.row + 1);
  j.runs = tsr_scratch(ctx, (size_t)(p->k[1] * j.columns) * sizeof *j.runs + 1);
  if (j.line == NULL || j.row == NULL || j.runs == NULL) return tsr_op_nomem(ctx);
  find_lines(&j);
  int64_t floats = j.lines * j.width * TSR_GEMM_LDA, images = TSR_MIN(p->n, TSR_MAX(1, GATHERED_BYTES / 4 / TSR_MAX(1, floats)));
  TSR_TRY(tsr_work(ctx, images * floats + 16, &j.a));
  TSR_TRY(tsr_work(ctx, p->c, &zero));
  memset(zero, 0, (size_t)p->c * sizeof *zero);
  j.zero = zero;
  for (j.n0 = 0; j.n0 < p->n; j.n0 = j.n1) {
    j.n1 = TSR_MIN(p->n, j.n0 + images);
    run_images(&j);
  }
  return TSR_OK;
}
