/* Blocking, packing and the division of matrix products over the pool. */
#include "ops/gemm.h"

#include "ops/site.h"

#define TAPS_BLOCK 64             /* bounds the row pointers of a tile */
#define GROUP_BYTES (512 << 10)   /* of a block's panels that stay in L2 while the rows pass by */
#define LONG_TASK 1e9             /* operations */
#define MANY_ROWS 84              /* of a thread that has whole rows: they stay in its caches from layer to layer */
#define LEAST_FETCHED (128 << 10) /* bytes of A and C that are fetched ahead of their use: fewer are in cache */
#define FAR (1 << 24)             /* between rows: beyond, offsets would not fit their type */
#define GROUP_FETCHED (256 << 10) /* the same when the next ones are fetched meanwhile and the rows lie ready */

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

int tsr_gemm_threads(const tsr_ctx *ctx) {
  int n = ctx->pool == NULL ? 1 : tsr_pool_threads(ctx->pool);
  return ctx->max_threads > 0 ? TSR_MIN(n, ctx->max_threads) : n;
}

/* Vectors a panel: two leave registers for the most rows, which is what L2 has to feed. */
static int choose_nv(const tsr_gemm_fns *f, int64_t n) {
  int64_t vectors = ceil_div(n, f->lanes);
  return vectors == 3 && f->max_mr[2] > 0 ? 3 : (int)TSR_MIN(vectors, f->max_nv);
}

tsr_packed tsr_packed_plan(const tsr_gemm_fns *f, int64_t n, int64_t taps, int64_t c) { return tsr_packed_plan_nv(f, n, taps, c, 0); }

tsr_packed tsr_packed_plan_nv(const tsr_gemm_fns *f, int64_t n, int64_t taps, int64_t c, int nv) {
  tsr_packed p = {.n = n, .taps = taps, .c = c};
  p.nv = nv > 0 ? nv : TSR_MAX(1, choose_nv(f, n));
  p.mr = f->max_mr[p.nv - 1];
  p.n_pad = ceil_div(n, f->lanes) * f->lanes;
  p.panels = ceil_div(p.n_pad, (int64_t)p.nv * f->lanes);
  p.taps_block = 1;
  p.c_block = c;
  if (c > TSR_GEMM_KC) {
    p.c_block = ceil_div(c, ceil_div(c, TSR_GEMM_KC));
    p.blocks = taps * ceil_div(c, p.c_block);
  } else {
    int64_t fit = TSR_MIN(TAPS_BLOCK, TSR_MAX(1, TSR_GEMM_KC / TSR_MAX(1, c)));
    p.taps_block = TSR_MAX(1, ceil_div(taps, TSR_MAX(1, ceil_div(taps, fit))));
    p.blocks = TSR_MAX(1, ceil_div(taps, p.taps_block)); /* no taps at all: one block that stores zeros */
  }
  return p;
}

typedef struct block {
  int64_t tap0, taps, c0, c;
  int64_t k0;             /* terms before it, as packed */
  int64_t stored, skipped; /* terms of a panel of it, and those before this part of one */
} block;

static block block_at(const tsr_packed *p, int64_t i) {
  block b;
  if (p->c_block < p->c) {
    int64_t parts = ceil_div(p->c, p->c_block);
    b.tap0 = i / parts;
    b.taps = 1;
    b.c0 = i % parts * p->c_block;
    b.c = TSR_MIN(p->c_block, p->c - b.c0);
    b.k0 = b.tap0 * p->c + b.c0;
  } else {
    b.tap0 = i * p->taps_block;
    b.taps = TSR_MIN(p->taps_block, p->taps - b.tap0);
    b.c0 = 0;
    b.c = p->c;
    b.k0 = b.tap0 * p->c;
  }
  b.stored = b.taps * b.c;
  b.skipped = 0;
  return b;
}

typedef struct fill_job { const tsr_gemm_fns *f; const tsr_packed *p; const float *w; int64_t ts, ks, ns; const int64_t *tap_at; } fill_job;

static int64_t panel_width(const fill_job *j) { return (int64_t)j->p->nv * j->f->lanes; }

/* One panel of one block; src: the first column of the panel. */
static void fill_panel(const fill_job *j, int64_t block_index, int64_t panel, const float *src) {
  const tsr_packed *p = j->p;
  block b = block_at(p, block_index);
  int64_t col = panel * panel_width(j), w = TSR_MIN(panel_width(j), p->n_pad - col);
  float *dst = p->data + b.k0 * p->n_pad + col * b.taps * b.c;
  for (int64_t t = 0; t < b.taps; t++) {
    int64_t at = j->tap_at != NULL ? j->tap_at[b.tap0 + t] : (b.tap0 + t) * j->ts;
    j->f->pack(dst + t * b.c * w, w, src + at + b.c0 * j->ks, b.c, j->ks, TSR_MIN(w, p->n - col), j->ns);
  }
}

/* One task: one panel of one block. */
static void fill_task(void *arg, int64_t begin, int64_t end) {
  const fill_job *j = arg;
  for (int64_t task = begin; task < end; task++)
    fill_panel(j, task / j->p->panels, task % j->p->panels, j->w + task % j->p->panels * panel_width(j) * j->ns);
}

static void fill(tsr_ctx *ctx, fill_job job) {
  const tsr_packed *p = job.p;
  int64_t floats = p->taps_block * p->c_block * p->nv * job.f->lanes;
  tsr_parallel_for(ctx, p->blocks * p->panels, TSR_MAX(1, 16384 / TSR_MAX(1, floats)), fill_task, &job);
}

void tsr_packed_fill(tsr_ctx *ctx, const tsr_packed *p, const float *w, int64_t ts, int64_t ks, int64_t ns) {
  fill(ctx, (fill_job){ctx->kernels->gemm, p, w, ts, ks, ns, NULL});
}

void tsr_packed_fill_taps(tsr_ctx *ctx, const tsr_packed *p, const float *w, const int64_t *tap_at, int64_t ks, int64_t ns) {
  fill(ctx, (fill_job){ctx->kernels->gemm, p, w, 0, ks, ns, tap_at});
}

typedef struct made_job { fill_job fill; const tsr_supply *w; int64_t row; float *room; int64_t room_floats; /* of a worker */ } made_job;

/* One task: one panel, whose rows are computed and packed while they are in cache. */
static void made_task(void *arg, int64_t panel, int worker) {
  const made_job *j = arg;
  const tsr_packed *p = j->fill.p;
  int64_t col = panel * panel_width(&j->fill), n = TSR_MIN(panel_width(&j->fill), p->n - col);
  const float *rows = tsr_supply_rows(j->w, j->row + col, n, j->room + worker * j->room_floats);
  for (int64_t b = 0; b < p->blocks; b++) fill_panel(&j->fill, b, panel, rows);
}

tsr_status tsr_packed_fill_rows(tsr_ctx *ctx, const tsr_packed *p, const tsr_supply *w, int64_t row, const int64_t *tap_at, int64_t ks) {
  made_job j = {{ctx->kernels->gemm, p, NULL, 0, ks, w->length, tap_at}, w, row, NULL, 0};
  if (w->data != NULL) {
    j.fill.w = w->data + row * w->length;
    fill(ctx, j.fill);
    return TSR_OK;
  }
  j.room_floats = TSR_MIN(panel_width(&j.fill), p->n) * w->length;
  TSR_TRY(tsr_work(ctx, j.room_floats * tsr_gemm_threads(ctx), &j.room));
  tsr_pool_run(ctx->pool, ctx->max_threads, p->panels, made_task, &j);
  return TSR_OK;
}

static void linear_rows(const tsr_gemm *g, int64_t m0, int mr, const float **out) {
  for (int i = 0; i < mr; i++) out[i] = g->a + (m0 + i) * g->lda;
}

static void linear_crows(const tsr_gemm *g, int64_t m0, int mr, float **out) {
  for (int i = 0; i < mr; i++) out[i] = g->c + (m0 - g->c_row0 + i) * g->ldc;
}

/* B of one panel of one block. */
static const float *panel_at(const tsr_gemm_fns *f, const tsr_packed *p, const block *b, int64_t panel, int64_t *ldb) {
  int64_t width = (int64_t)p->nv * f->lanes, col = panel * width;
  *ldb = TSR_MIN(width, p->n_pad - col);
  if (p->direct == NULL) return p->data + b->k0 * p->n_pad + col * b->stored + b->skipped * *ldb;
  if (p->n - col < *ldb) return p->data + b->k0 * *ldb;
  *ldb = p->direct_ld;
  return p->direct + b->k0 * p->direct_ld + col;
}

const int32_t tsr_gemm_nowhere[TSR_GEMM_ROUNDS];

/* Where the lines of a tile lie from its first: all of A's, those of one panel of C. */
struct tsr_gemm_lines {
  int32_t a[TSR_GEMM_MR * TSR_GEMM_KC / 16 + TSR_GEMM_MR + TSR_GEMM_ROUNDS], c[TSR_GEMM_ROUNDS];
  int64_t count_a, count_c;
};

static int64_t list_lines(int32_t *at, int64_t rows, int64_t step, int64_t floats) {
  int64_t count = 0;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t k = 0; k < floats; k += 16) at[count++] = (int32_t)((i * step + k) * 4);
  return count;
}

/* `count` lines spread over the rounds of a tile, the last one again where there are fewer terms. */
static void spread_lines(int32_t *to, const int32_t *at, int64_t count, int64_t rounds) {
  for (int64_t i = 0, line = 0, rest = 0; i < TSR_GEMM_ROUNDS; i++) {
    to[i] = at[TSR_MIN(line, count - 1)];
    for (rest += count; rest >= rounds; rest -= rounds) line++;
  }
}

static void find_lines(tsr_gemm_lines *l, const tsr_gemm *g, int lanes) {
  const tsr_packed *p = g->b;
  int64_t kc = p->taps_block * p->c_block, width = (int64_t)p->nv * lanes;
  bool a = g->rows == NULL && g->lda < FAR, c = g->crows == NULL && g->ldc < FAR;
  l->count_c = list_lines(l->a, c ? p->mr : 0, g->ldc, width);
  if (l->count_c > 0) spread_lines(l->c, l->a, l->count_c, TSR_MAX(1, kc / 2));
  l->count_a = list_lines(l->a, a ? p->mr : 0, g->lda, kc);
  memset(l->a + l->count_a, 0, TSR_GEMM_ROUNDS * sizeof *l->a);
}

typedef struct tile_run { /* what the tiles of one chunk of rows, block and group of panels share */
  const tsr_gemm_fns *f;
  const tsr_gemm *g;
  int64_t tiles, t0, t1, p0, p1;
  block b;
  bool first, last;
  bool gathered;          /* the rows are in g->room already */
  const char *next;       /* panels of the group after this one, and their bytes; spread over the calls of tiles */
  int64_t next_bytes, calls, call;
  const float *next_a, *next_c; /* the first row of the next tile and of its results, or NULL */
} tile_run;

static int64_t tile_row(const tile_run *r, int64_t tile) { return tile * r->g->m / r->tiles; }

/* What the panels of a tile fetch for later of the tile after it: its rows of A where these are not in cache, and what it
 * writes and adds.  false: nothing. */
static bool look_ahead(tile_run *r, tsr_tile *t, int64_t tile, int64_t m) {
  const tsr_gemm *g = r->g;
  const tsr_gemm_lines *l = g->lines;
  t->soon = t->soon_a = t->soon_c = (const char *)t->a;
  t->at_a = t->at_c = tsr_gemm_nowhere;
  if (l == NULL || tile + 1 >= r->tiles) return false;
  r->next_a = l->count_a > 0 && !r->gathered ? g->a + m * g->lda + r->b.c0 : NULL;
  r->next_c = l->count_c > 0 ? g->c + (m - g->c_row0) * g->ldc : NULL;
  if (r->last && r->next_c != NULL && g->epi.residual != NULL) t->to_r = (g->epi.residual - g->epi.c_base) * 4;
  return r->next_a != NULL || r->next_c != NULL;
}

/* The part of one panel. */
static void share_ahead(const tile_run *r, tsr_tile *t, int64_t panel) {
  const tsr_gemm_lines *l = r->g->lines;
  if (r->next_a != NULL) {
    t->soon_a = (const char *)r->next_a;
    t->at_a = l->a + TSR_MIN((panel - r->p0) * (t->kc / 2), l->count_a);
  }
  if (r->next_c != NULL) {
    t->soon_c = (const char *)(r->next_c + t->c_off);
    t->at_c = l->c;
  }
}

/* A share of the next group of panels. */
static void fetch_panels(tile_run *r, tsr_tile *t) {
  if (r->next != NULL) {
    t->soon = r->next + r->next_bytes * r->call / r->calls;
    t->step = r->next_bytes / (r->calls * TSR_MAX(1, t->kc)) + 1;
  }
  r->call++;
}

/* The rows of A of a tile as the kernel wants them. */
static const float *tile_rows(const tile_run *r, int64_t m0, int mr, float *own) {
  const float *a[TAPS_BLOCK * TSR_GEMM_MR];
  const tsr_gemm *g = r->g;
  float *rows = g->room != NULL ? g->room + (m0 - tile_row(r, r->t0)) * TSR_GEMM_LDA : own;
  if (r->gathered) return rows;
  if (g->rows != NULL) g->rows(g->rows_arg, m0, mr, r->b.tap0, r->b.taps, a);
  else linear_rows(g, m0, mr, a);
  if (mr == 1 && r->b.taps == 1 && g->room == NULL && g->a_scale == NULL) return a[0] + r->b.c0;
  if (g->a_scale != NULL) r->f->gather_scaled(rows, a, mr, r->b.c0, r->b.c, g->a_scale);
  else r->f->gather(rows, a, mr, r->b.taps, r->b.c0, r->b.c);
  return rows;
}

/* The panels of a group of one block for rows [m0, m0 + mr), of tile `tile`. */
static void run_rows(tile_run *r, int64_t tile, int64_t m0, int mr) {
  const tsr_gemm *g = r->g;
  const tsr_packed *p = g->b;
  const tsr_gemm_fns *f = r->f;
  _Alignas(64) float own[TSR_GEMM_MR * TSR_GEMM_LDA];
  float *c[TSR_GEMM_MR];
  if (g->crows != NULL) g->crows(g->rows_arg, m0, mr, c);
  else linear_crows(g, m0, mr, c);
  const float *rows = tile_rows(r, m0, mr, own);
  tsr_tile t = {.a = rows, .kc = r->b.taps * r->b.c, .c = c, .accumulate = !r->first || g->accumulate,
                .epi = r->last ? &g->epi : NULL};
  int64_t width = (int64_t)p->nv * f->lanes;
  bool ahead = look_ahead(r, &t, tile, m0 + mr) && f->ahead[mr - 1] != NULL;
  for (int64_t panel = r->p0; panel < r->p1; panel++) {
    t.b = panel_at(f, p, &r->b, panel, &t.ldb);
    t.c_off = panel * width;
    t.n = (int)TSR_MIN(width, p->n - t.c_off);
    int vectors = (int)ceil_div(t.n, f->lanes);
    fetch_panels(r, &t);
    t.b2 = t.b;
    if (mr <= f->pair_mr && vectors == 2 && t.n == width && panel + 1 < r->p1 && p->n - t.c_off >= 2 * width) {
      t.b2 = panel_at(f, p, &r->b, ++panel, &t.ldb);
      t.n = (int)(2 * width);
      vectors = 4;
      r->call++;
    }
    if (ahead && vectors == 2) {
      share_ahead(r, &t, panel);
      f->ahead[mr - 1](&t);
    } else {
      f->tile[vectors - 1][mr - 1](&t);
    }
  }
}

/* Each run of taps that the tile has in the block. */
static void run_taps(const tile_run *r, int64_t tile) {
  const tsr_row_tile *t = &r->g->tiles[tile];
  tile_run part = *r;
  int64_t end;
  if (t->first > t->last && r->first) {
    part.b.taps = 0;
    part.last = true;
    run_rows(&part, tile, t->m0, t->rows);
  }
  for (int64_t k = 0; t->first <= t->last && k < r->b.taps; k = end + 1) {
    for (end = k; end < r->b.taps && t->used[r->b.tap0 + end]; end++) continue;
    if (end == k) continue;
    part.b.tap0 = r->b.tap0 + k;
    part.b.taps = end - k;
    part.b.skipped = k * r->b.c;
    part.first = part.b.tap0 == t->first && r->b.c0 == 0;
    part.last = r->b.tap0 + end - 1 == t->last && r->b.c0 + r->b.c == r->g->b->c;
    run_rows(&part, tile, t->m0, t->rows);
  }
}

static void run_tile(tile_run *r, int64_t tile) {
  int64_t m0 = tile_row(r, tile);
  r->call = (tile - r->t0) * (r->p1 - r->p0);
  if (r->g->tiles != NULL) run_taps(r, tile);
  else run_rows(r, tile, m0, (int)(tile_row(r, tile + 1) - m0));
}

typedef struct nest { int64_t chunks, blocks, groups; } nest; /* the loops around the tiles, outermost first */

/* Rows, block and panels of the step-th round. */
static void set_round(tile_run *r, const nest *n, int64_t step, int64_t t0, int64_t t1, int64_t p0, int64_t p1) {
  int64_t group = step % n->groups, i = step / n->groups % n->blocks, chunk = step / n->groups / n->blocks;
  r->t0 = t0 + chunk * (t1 - t0) / n->chunks;
  r->t1 = t0 + (chunk + 1) * (t1 - t0) / n->chunks;
  r->p0 = p0 + group * (p1 - p0) / n->groups;
  r->p1 = p0 + (group + 1) * (p1 - p0) / n->groups;
  r->b = block_at(r->g->b, i);
  if (r->g->terms > 0) r->b.c = TSR_MIN(r->b.c, r->g->terms - r->b.c0);
  r->first = i == 0;
  r->last = i + 1 == n->blocks;
  r->gathered = r->g->room != NULL && group > 0;
}

/* Rows stay in L2 while the blocks and panels pass by, each group of panels while the tiles of the rows do; the
 * next group is fetched in time, so that all of B comes from memory at the pace at which it is used. */
void tsr_gemm_part(const tsr_gemm_fns *f, const tsr_gemm *g, int64_t t0, int64_t t1, int64_t p0, int64_t p1) {
  const tsr_packed *p = g->b;
  if (t0 >= t1 || p0 >= p1) return;
  tsr_gemm own = *g;
  tile_run r = {.f = f, .g = &own, .tiles = tsr_gemm_tiles(g)};
  int64_t panel_bytes = p->taps_block * p->c_block * p->nv * f->lanes * 4, rows = (t1 - t0) * g->m / r.tiles;
  if (panel_bytes * (p1 - p0) * p->blocks <= GROUP_BYTES) own.room = NULL; /* B stays in L2: rows need not */
  bool ready = r.g->room != NULL && t1 - t0 > 1;
  nest n = {.chunks = ready || p->blocks > 1 ? TSR_MIN(t1 - t0, ceil_div(rows, TSR_GEMM_ROWS)) : 1, .blocks = p->blocks};
  if (g->terms > 0) n.blocks = ceil_div(g->terms, p->c_block);
  n.groups = t1 - t0 == 1 ? 1 : ceil_div(p1 - p0, TSR_MAX(2, (ready ? GROUP_FETCHED : GROUP_BYTES) / TSR_MAX(1, panel_bytes)));
  int64_t rounds = n.chunks * n.blocks * n.groups;
  for (int64_t i = 0; i < rounds; i++) {
    set_round(&r, &n, TSR_MIN(i + 1, rounds - 1), t0, t1, p0, p1);
    int64_t ldb, width = (int64_t)p->nv * f->lanes;
    if (i + 1 == rounds) {
      r.next = g->after;
      r.next_bytes = g->after_bytes;
    } else {
      r.next = p->direct == NULL ? (const char *)panel_at(f, p, &r.b, r.p0, &ldb) : NULL;
      r.next_bytes = (TSR_MIN(r.p1 * width, p->n_pad) - r.p0 * width) * r.b.stored * 4;
    }
    set_round(&r, &n, i, t0, t1, p0, p1);
    r.calls = (r.p1 - r.p0) * (r.t1 - r.t0);
    for (int64_t t = r.t0; t < r.t1; t++) run_tile(&r, t);
  }
}

typedef struct gemm_job {
  const tsr_gemm_fns *f;
  tsr_gemm g;
  int threads;
  int64_t tiles, row_parts, groups;
  int64_t next_groups;   /* of panels of the product after this one, as the threads will have them */
} gemm_job;

/* The last task of a thread's share fetches what the thread begins the next product with. */
static void set_after(const gemm_job *j, tsr_gemm *part, int64_t task) {
  const tsr_packed *next = j->g.next;
  int64_t tasks = j->groups * j->row_parts, thread = task * j->threads / tasks;
  if (next == NULL || next->direct != NULL || (task + 1 < tasks && (task + 1) * j->threads / tasks == thread)) return;
  int64_t p0 = thread * j->next_groups / j->threads * next->panels / j->next_groups, ldb;
  int64_t p1 = (thread * j->next_groups / j->threads + 1) * next->panels / j->next_groups, width = (int64_t)next->nv * j->f->lanes;
  block b = block_at(next, 0);
  part->after = (const char *)panel_at(j->f, next, &b, p0, &ldb);
  part->after_bytes = TSR_MIN(GROUP_FETCHED, (TSR_MIN(p1 * width, next->n_pad) - p0 * width) * b.stored * 4);
}

static void gemm_task(void *arg, int64_t task, int worker) {
  const gemm_job *j = arg;
  int64_t r = task / j->groups, g = task % j->groups;
  tsr_gemm part = j->g;
  if (part.room != NULL) part.room += (int64_t)worker * TSR_GEMM_ROOM;
  set_after(j, &part, task);
  tsr_gemm_part(j->f, &part, r * j->tiles / j->row_parts, (r + 1) * j->tiles / j->row_parts,
                g * j->g.b->panels / j->groups, (g + 1) * j->g.b->panels / j->groups);
}

/* The part of the time in which all threads work, when n equal pieces are shared. */
static double balance(int64_t n, int threads) { return (double)n / (double)(threads * ceil_div(n, threads)); }

/* Panels are shared when B is what costs, each being read by one thread then, and A by all. */
static bool by_panels(const gemm_job *j, int threads) {
  const tsr_packed *p = j->g.b;
  if (p->panels < threads) return false;
  if (p->taps * p->c * p->n_pad * 4 > (700 << 10)) return true;
  return j->g.tiles == NULL && j->g.rows == NULL && p->n_pad > j->g.m && balance(p->panels, threads) > balance(j->tiles, threads);
}

/* Tasks: ranges of rows when there are many, else ranges of panels when B is what costs (each is read by one thread). */
static void divide(gemm_job *j, int threads) {
  const tsr_packed *p = j->g.b;
  int64_t k = p->taps * p->c;
  double flops = 2.0 * (double)j->g.m * (double)p->n_pad * (double)k;
  j->groups = j->row_parts = 1;
  int64_t want = threads == 1 || flops < 2e5 ? 1 : flops < 4e6 ? threads : flops < 2e8 ? 2 * threads : 4 * threads;
  if (want == 1) return;
  if (j->g.m >= threads * MANY_ROWS && j->g.tiles == NULL) {
    j->row_parts = TSR_MIN(j->tiles, threads * ceil_div(j->g.m, (int64_t)threads * TSR_GEMM_ROWS));
    return;
  }
  if (by_panels(j, threads)) {
    bool uneven = flops < 1e8 || flops > LONG_TASK * threads; /* a thread comes late, or is held up meanwhile */
    j->groups = uneven && p->panels >= 4 * threads ? 2 * threads : threads; /* each gathers all of A */
    return;
  }
  j->row_parts = TSR_MIN(j->tiles, want);
  if (j->groups * j->row_parts < threads) j->groups = TSR_MIN(p->panels, ceil_div(threads, j->row_parts));
}

void tsr_gemm_run(tsr_ctx *ctx, const tsr_gemm *g) {
  if (g->m == 0 || g->b->n == 0) return;
  gemm_job j = {.f = ctx->kernels->gemm, .g = *g};
  j.g.epi.c_base = g->c;
  j.tiles = tsr_gemm_tiles(g);
  j.threads = tsr_gemm_threads(ctx);
  divide(&j, j.threads);
  if (g->m >= j.threads * MANY_ROWS) j.g.next = NULL; /* B is read many times, and what is in cache worth more */
  if (j.g.next != NULL) {
    gemm_job n = {.f = j.f, .g = {.b = g->next, .m = g->m}};
    n.tiles = tsr_gemm_tiles(&n.g);
    divide(&n, j.threads);
    j.next_groups = n.groups;
  }
  tsr_gemm_lines lines;
  if (g->m * (g->b->n + g->b->taps * g->b->c) * 4 >= LEAST_FETCHED) {
    find_lines(&lines, g, j.f->lanes);
    j.g.lines = &lines;
  }
  int64_t tasks = j.groups * j.row_parts, floats = j.threads * (int64_t)TSR_GEMM_ROOM;
  tsr_tensor *room = j.tiles > 1 && g->tiles == NULL ? tsr_tensor_new(ctx->mem, TSR_FLOAT32, 1, &floats) : NULL; /* without memory: slower */
  j.g.room = room == NULL ? NULL : room->storage->data;
  if (tasks == 1) gemm_task(&j, 0, 0);
  else tsr_pool_run(ctx->pool, ctx->max_threads, tasks, gemm_task, &j);
  if (room != NULL) tsr_obj_release(room);
}
