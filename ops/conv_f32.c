/* Float32 convolutions: which kernel, packed weights, and the loops around the tiles. */
#include <stdlib.h>

#include "ops/conv.h"
#include "ops/conv_few.h"
#include "ops/conv_kernels.h"
#include "ops/conv_narrow.h"
#include "ops/conv_regions.h"
#include "ops/conv_rows.h"
#include "ops/conv_winograd.h"
#include "ops/native.h"
#include "ops/nn.h"
#include "ops/site.h"

#define PART_ROWS 192    /* output positions a task computes before turning them around for a contiguous result */

/* ---- the plan: what depends on weights and hyperparameters ---- */

static void plan_free(void *data) {
  tsr_conv_plan *q = data;
  if (q == NULL) return;
  for (int64_t i = 0; q->phases != NULL && i < q->phase_count; i++) free(q->phases[i].tap);
  free(q->phases);
  tsr_block_free(q->block);
  free(q);
}

/* Kernel elements that reach output positions congruent to start, with their input offsets. */
static bool phase_taps(const tsr_conv *p, tsr_conv_phase *f) {
  f->tap = malloc((size_t)tsr_conv_taps(p) * 4 * sizeof *f->tap + 1);
  if (f->tap == NULL) return false;
  f->taps = 0;
  int64_t k[3], index = 0;
  for (k[0] = 0; k[0] < p->k[0]; k[0]++)
    for (k[1] = 0; k[1] < p->k[1]; k[1]++)
      for (k[2] = 0; k[2] < p->k[2]; k[2]++, index++) {
        int64_t *t = f->tap + 4 * f->taps;
        bool hit = true;
        for (int d = 0; d < 3; d++) {
          t[d] = p->transposed ? f->start[d] + p->pad[d] - k[d] * p->dil[d] : k[d] * p->dil[d] - p->pad[d];
          if (!p->transposed) continue;
          hit = hit && t[d] % p->stride[d] == 0;
          t[d] /= p->stride[d];
        }
        t[3] = index;
        if (hit) f->taps++;
      }
  return true;
}

static bool make_phases(const tsr_gemm_fns *g, const tsr_conv *p, tsr_conv_plan *q) {
  q->phase_count = 1;
  for (int d = 0; d < 3; d++) {
    q->step[d] = p->transposed ? 1 : p->stride[d];
    q->ostep[d] = p->transposed ? p->stride[d] : 1;
    q->phase_count *= q->ostep[d];
  }
  q->phases = calloc((size_t)q->phase_count, sizeof *q->phases);
  if (q->phases == NULL) return false;
  int64_t cg = p->c / p->groups, og = p->oc / p->groups;
  for (int64_t i = 0; i < q->phase_count; i++) {
    tsr_conv_phase *f = &q->phases[i];
    f->start[2] = i % q->ostep[2];
    f->start[1] = i / q->ostep[2] % q->ostep[1];
    f->start[0] = i / q->ostep[2] / q->ostep[1];
    if (!phase_taps(p, f)) return false;
    f->plan = tsr_packed_plan(g, og, f->taps, cg);
    q->group_floats += (tsr_packed_floats(&f->plan) + 15) / 16 * 16;
  }
  return true;
}

/* Without data. */
static tsr_conv_plan *plan_new(const tsr_gemm_fns *g, const tsr_conv *p, bool wino, size_t *size) {
  tsr_conv_plan *q = calloc(1, sizeof *q);
  if (q == NULL) return NULL;
  q->kind = wino ? TSR_CONV_WINOGRAD : tsr_conv_is_narrow(p, g->lanes) ? TSR_CONV_NARROW : tsr_few_wants(p) ? TSR_CONV_FEW : TSR_CONV_TILES;
  int64_t floats, groups = 1;
  bool ok = true;
  if (wino) {
    q->packed = tsr_wino_plan(g, p);
    q->group_floats = tsr_wino_elements(p) * tsr_wino_step(&q->packed);
  } else if (q->kind == TSR_CONV_FEW) {
    q->packed = tsr_few_plan(g, p);
    q->group_floats = tsr_packed_floats(&q->packed);
  } else if (q->kind == TSR_CONV_NARROW) {
    q->group_floats = tsr_narrow_floats(p);
  } else {
    ok = make_phases(g, p, q);
    groups = p->groups;
  }
  ok = ok && !tsr_mul_overflow(q->group_floats, groups, &floats) && floats < INT64_MAX / 8;
  if (ok) {
    *size = (size_t)floats * sizeof *q->data;
    return q;
  }
  plan_free(q);
  return NULL;
}

/* Where the parts of the packed weights lie. */
static void place(tsr_conv_plan *q) {
  q->packed.data = q->data = q->block.data;
  float *data = q->data;
  for (int64_t i = 0; q->phases != NULL && i < q->phase_count; i++) {
    q->phases[i].plan.data = data;
    data += (tsr_packed_floats(&q->phases[i].plan) + 15) / 16 * 16;
  }
}

/* How many groups to compute as one, with zeros between them: narrow groups would leave most lanes empty. */
static int64_t groups_joined(const tsr_gemm_fns *g, const tsr_conv *p) {
  int64_t og = p->oc / p->groups, join = 1;
  if (p->groups == 1 || tsr_conv_is_narrow(p, g->lanes)) return 1;
  while (p->groups % (join * 2) == 0 && og * join * 2 <= TSR_MAX(16, g->lanes)) join *= 2;
  return join;
}

/* Weights with `join` groups as one: [oc][cg * join][taps] (plain) or [c][og * join][taps] (transposed). */
static tsr_status join_weights(tsr_ctx *ctx, const tsr_conv *p, int64_t join, tsr_supply *w) {
  int64_t taps = tsr_conv_taps(p), rows = p->transposed ? p->c : p->oc, per = rows / p->groups;
  int64_t cols = (p->transposed ? p->oc : p->c) / p->groups;
  const float *narrow;
  float *wide;
  TSR_TRY(tsr_supply_all(ctx, w, rows, &narrow));
  TSR_TRY(tsr_work(ctx, rows * cols * join * taps, &wide));
  memset(wide, 0, (size_t)(rows * cols * join * taps) * sizeof *wide);
  for (int64_t r = 0; r < rows; r++)
    memcpy(wide + (r * join + r / per % join) * cols * taps, narrow + r * cols * taps, (size_t)(cols * taps) * sizeof *wide);
  *w = (tsr_supply){wide, NULL, cols * join * taps};
  return TSR_OK;
}

static tsr_status pack_plan(tsr_ctx *ctx, const tsr_conv *p, tsr_conv_plan *q, const tsr_supply *w) {
  if (q->kind == TSR_CONV_WINOGRAD) return tsr_wino_pack(ctx, p, &q->packed, q->data, w);
  if (q->kind == TSR_CONV_FEW) return tsr_few_pack(ctx, &q->packed, w);
  if (q->kind == TSR_CONV_NARROW) return tsr_narrow_pack(ctx, p, q->data, w);
  int64_t taps = tsr_conv_taps(p), cg = p->c / p->groups, og = p->oc / p->groups;
  const float *all = NULL;
  if (p->transposed) TSR_TRY(tsr_supply_all(ctx, w, p->c, &all));
  int64_t *at = tsr_scratch(ctx, (size_t)(taps + 1) * sizeof *at);
  if (at == NULL) return tsr_op_nomem(ctx);
  for (int64_t g = 0; g < p->groups; g++) {
    for (int64_t i = 0; i < q->phase_count; i++) {
      tsr_conv_phase *f = &q->phases[i];
      tsr_packed plan = f->plan;
      plan.data += g * q->group_floats;
      for (int64_t t = 0; t < f->taps; t++) at[t] = f->tap[4 * t + 3];
      if (p->transposed) tsr_packed_fill_taps(ctx, &plan, all + g * og * cg * taps, at, og * taps, taps);
      else TSR_TRY(tsr_packed_fill_rows(ctx, &plan, w, g * og, at, taps));
    }
  }
  return TSR_OK;
}

static bool same_triple(const int64_t a[3], const int64_t b[3]) { return a[0] == b[0] && a[1] == b[1] && a[2] == b[2]; }

/* The weights of a site never change, but stride, padding and dilation may come from the program. */
static bool fits(const tsr_conv *a, const tsr_conv *b) {
  return a->transposed == b->transposed && a->c == b->c && a->oc == b->oc && a->groups == b->groups && same_triple(a->k, b->k) &&
         same_triple(a->stride, b->stride) && same_triple(a->pad, b->pad) && same_triple(a->dil, b->dil);
}

/* The weights in C order.  Those that Winograd's plan was made of may be gone: then they come from it. */
static tsr_status get_weights(tsr_ctx *ctx, tsr_site *site, const tsr_conv *given, tsr_tensor *w, tsr_supply *out) {
  const tsr_conv_plan *q = tsr_site_get(tsr_site_sub(site, 2, 1));
  float *back;
  if (q == NULL) {
    TSR_TRY(tsr_contiguous(ctx, &w, w));
    *out = tsr_supply_of(ctx, w);
    return TSR_OK;
  }
  TSR_TRY(tsr_work(ctx, given->c * given->oc * 9, &back));
  *out = (tsr_supply){back, NULL, given->c * 9};
  return tsr_wino_unpack(ctx, given, &q->packed, q->data, back);
}

/* The weights, from where they are, in the plan's order. */
static tsr_status fill_plan(tsr_ctx *ctx, tsr_site *site, const tsr_conv *given, int64_t join, const tsr_conv *p, tsr_tensor *w, tsr_conv_plan *q) {
  tsr_supply source;
  TSR_TRY(get_weights(ctx, q->kind == TSR_CONV_WINOGRAD ? NULL : site, given, w, &source));
  if (join > 1) TSR_TRY(join_weights(ctx, given, join, &source));
  return pack_plan(ctx, p, q, &source);
}

static tsr_block_name name_of(const tsr_ctx *ctx, const tsr_conv *p, int64_t join, const tsr_tensor *w, bool wino) {
  tsr_block_name n = tsr_block_name_of(ctx, "convolution");
  int64_t ints[] = {p->nd, p->transposed, p->n, p->c, p->oc, p->groups, join, wino};
  const int64_t *triples[] = {p->in, p->out, p->k, p->stride, p->pad, p->dil, p->opad};
  tsr_block_name_ints(&n, ints, TSR_COUNT(ints));
  for (size_t i = 0; i < TSR_COUNT(triples); i++) tsr_block_name_ints(&n, triples[i], 3);
  tsr_block_name_tensor(&n, ctx, w);
  return n;
}

/* The plan of the site (it has one for Winograd and one for all else), made on first use; *owned: it is this call's
 * alone, to be freed. */
static tsr_status get_plan(tsr_ctx *ctx, tsr_site *site, const tsr_conv *given, int64_t join, tsr_tensor *w, bool wino, tsr_conv_plan **out, bool *owned) {
  tsr_site *sub = tsr_site_sub(site, 2, wino);
  size_t size;
  bool filled;
  *out = tsr_site_get(sub);
  *owned = false;
  if (*out != NULL && fits(&(*out)->made_for, given)) return TSR_OK;
  if (*out != NULL) sub = NULL;
  tsr_conv p = *given;
  p.groups /= join;
  tsr_conv_plan *q = plan_new(ctx->kernels->gemm, &p, wino, &size);
  if (q == NULL) return tsr_fail_nomem(&ctx->err);
  tsr_block_name name = name_of(ctx, given, join, w, wino);
  if (sub == NULL) name.store = NULL;
  q->block = tsr_block_get(ctx, &name, size, &filled);
  place(q);
  tsr_status status = q->data == NULL ? tsr_fail_nomem(&ctx->err) : filled ? TSR_OK : fill_plan(ctx, site, given, join, &p, w, q);
  if (status != TSR_OK) {
    plan_free(q);
    return status;
  }
  q->made_for = *given;
  *owned = sub == NULL;
  *out = sub == NULL ? q : tsr_site_publish(sub, q, plan_free);
  if (*out == q && !filled) tsr_block_offer(ctx, &name, q->block, size);
  if (*out == q || fits(&(*out)->made_for, given)) return TSR_OK;
  return get_plan(ctx, site, given, join, w, wino, out, owned); /* another thread was faster, for other hyperparameters */
}

static bool wants_winograd(const tsr_ctx *ctx, const tsr_conv *p) { return !ctx->no_winograd && tsr_wino_wants(p); }

bool tsr_conv_f32_in_place(const tsr_ctx *ctx, const tsr_site *site, const tsr_conv *p) {
  if (wants_winograd(ctx, p) && tsr_wino_fits(p)) return site != NULL;
  if (!ctx->no_winograd && tsr_wino_side_direct(p) > 0) return true;
  return tsr_conv_taps(p) == 1 && p->groups == 1 && !p->transposed && p->c <= TSR_GEMM_KC; /* one block of terms */
}

tsr_status tsr_conv_f32_prepare(tsr_ctx *ctx, tsr_site *site, const tsr_conv *p, tsr_tensor *w) {
  tsr_conv_plan *q;
  bool owned;
  TSR_TRY(get_plan(ctx, site, p, groups_joined(ctx->kernels->gemm, p), w, wants_winograd(ctx, p), &q, &owned));
  if (!owned) return TSR_OK;
  plan_free(q); /* no memory for the site's own record: the weights must not be let go */
  return tsr_fail_nomem(&ctx->err);
}

tsr_status tsr_conv_plan_get(tsr_ctx *ctx, tsr_site *site, const tsr_conv *p, tsr_tensor *w, const tsr_conv_plan **out) {
  tsr_conv_plan *q;
  bool owned;
  TSR_TRY(get_plan(ctx, site, p, groups_joined(ctx->kernels->gemm, p), w, false, &q, &owned));
  if (owned) plan_free(q);
  *out = owned ? NULL : q;
  return TSR_OK;
}

/* ---- layouts ---- */

typedef struct turn_job { const tsr_gemm_fns *f; float *dst; const float *src; int64_t c, s, block, blocks; bool to_last; } turn_job;

static void turn_task(void *arg, int64_t begin, int64_t end) {
  const turn_job *j = arg;
  for (int64_t t = begin; t < end; t++) {
    int64_t base = t / j->blocks * j->c * j->s, s0 = t % j->blocks * j->block, s = TSR_MIN(j->block, j->s - s0);
    if (j->to_last) j->f->transpose(j->dst + base + s0 * j->c, j->c, j->src + base + s0, j->s, j->c, s);
    else j->f->transpose(j->dst + base + s0, j->s, j->src + base + s0 * j->c, j->c, s, j->c);
  }
}

static void turn(tsr_ctx *ctx, float *dst, const float *src, int64_t n, int64_t c, int64_t s, bool to_last) {
  int64_t block = TSR_MAX(16, (8192 / TSR_MAX(1, c) + 15) / 16 * 16);
  turn_job j = {ctx->kernels->gemm, dst, src, c, s, block, (s + block - 1) / block, to_last};
  tsr_parallel_for(ctx, n * j.blocks, TSR_MAX(1, 32768 / (block * TSR_MAX(1, c))), turn_task, &j);
}

void tsr_to_last(tsr_ctx *ctx, float *dst, const float *src, int64_t n, int64_t c, int64_t s) { turn(ctx, dst, src, n, c, s, true); }
void tsr_from_last(tsr_ctx *ctx, float *dst, const float *src, int64_t n, int64_t c, int64_t s) { turn(ctx, dst, src, n, c, s, false); }

/* ---- the job ---- */

typedef struct job {
  tsr_ctx *ctx;
  const tsr_conv *p;
  const tsr_conv_plan *q;
  const float *x;          /* channels last */
  float *y;                /* channels last, or contiguous when turned is set */
  tsr_epi epi;
  const float *zero;       /* channels of zeros: what padding reads */
  int64_t parts, groups;   /* turned: parts of an image, groups of panels */
  float *scratch;          /* turned: one part a worker */
  int64_t scratch_floats;
  /* of the phase and group at hand: tasks copy the job */
  const tsr_conv_phase *f;
  int64_t counts[3], group, m_base;
  int64_t low[3], high[3];  /* offsets of the taps, see set_reach */
  const int64_t *order;     /* position of each row when they are sorted by region */
} job;

static void split_position(const job *j, int64_t m, int64_t *n, int64_t q[3]) {
  q[2] = m % j->counts[2];
  m /= j->counts[2];
  q[1] = m % j->counts[1];
  m /= j->counts[1];
  q[0] = m % j->counts[0];
  *n = m / j->counts[0];
}

static void next_position(const job *j, int64_t *n, int64_t q[3]) {
  if (++q[2] < j->counts[2]) return;
  q[2] = 0;
  if (++q[1] < j->counts[1]) return;
  q[1] = 0;
  if (++q[0] < j->counts[0]) return;
  q[0] = 0;
  ++*n;
}

/* The position of row m; those of the rows before it must have been asked for, from m0 on. */
static void find_position(const job *j, int64_t m0, int64_t m, int64_t *n, int64_t q[3]) {
  if (j->order != NULL) split_position(j, j->order[m], n, q);
  else if (m == m0) split_position(j, m, n, q);
  else next_position(j, n, q);
}

/* The taps that reach farthest, each way: positions that keep them inside need no look at each tap. */
static void set_reach(job *j, const tsr_conv_phase *f) {
  for (int d = 0; d < 3; d++) {
    j->low[d] = j->high[d] = 0;
    for (int64_t t = 0; t < f->taps; t++) {
      j->low[d] = TSR_MIN(j->low[d], f->tap[4 * t + d]);
      j->high[d] = TSR_MAX(j->high[d], f->tap[4 * t + d]);
    }
  }
}

/* Where one row of A starts: output position in input coordinates. */
typedef struct origin { const float *x; int64_t at[3]; bool inner; } origin;

static origin origin_of(const job *j, int64_t n, const int64_t q[3]) {
  const tsr_conv *p = j->p;
  origin o = {.at = {q[0] * j->q->step[0], q[1] * j->q->step[1], q[2] * j->q->step[2]}};
  o.x = j->x + (((n * p->in[0] + o.at[0]) * p->in[1] + o.at[1]) * p->in[2] + o.at[2]) * p->c + j->group * (p->c / p->groups);
  o.inner = o.at[0] + j->low[0] >= 0 && o.at[0] + j->high[0] < p->in[0] && o.at[1] + j->low[1] >= 0 && o.at[1] + j->high[1] < p->in[1] &&
            o.at[2] + j->low[2] >= 0 && o.at[2] + j->high[2] < p->in[2];
  return o;
}

static void input_rows(const void *arg, int64_t m0, int mr, int64_t tap0, int64_t taps, const float **out) {
  const job *j = arg;
  const tsr_conv *p = j->p;
  const int64_t *tap = j->f->tap + 4 * tap0;
  int64_t n, q[3];
  origin o[TSR_GEMM_MR];
  m0 += j->m_base;
  for (int i = 0; i < mr; i++) {
    find_position(j, m0, m0 + i, &n, q);
    o[i] = origin_of(j, n, q);
  }
  for (int64_t t = 0; t < taps; t++, tap += 4) {
    int64_t off = ((tap[0] * p->in[1] + tap[1]) * p->in[2] + tap[2]) * p->c;
    for (int i = 0; i < mr; i++) {
      bool inside = o[i].inner || ((uint64_t)(o[i].at[0] + tap[0]) < (uint64_t)p->in[0] && (uint64_t)(o[i].at[1] + tap[1]) < (uint64_t)p->in[1] &&
                                   (uint64_t)(o[i].at[2] + tap[2]) < (uint64_t)p->in[2]);
      out[t * mr + i] = inside ? o[i].x + off : j->zero;
    }
  }
}

static void output_rows(const void *arg, int64_t m0, int mr, float **out) {
  const job *j = arg;
  const tsr_conv *p = j->p;
  int64_t n, q[3];
  for (int i = 0; i < mr; i++) {
    find_position(j, m0, m0 + i, &n, q);
    int64_t at = n;
    for (int d = 0; d < 3; d++) at = at * p->out[d] + j->f->start[d] + q[d] * j->q->ostep[d];
    out[i] = j->y + at * p->oc + j->group * (p->oc / p->groups);
  }
}

static bool phase_counts(job *j, const tsr_conv_phase *f) {
  j->f = f;
  set_reach(j, f);
  for (int d = 0; d < 3; d++) {
    j->counts[d] = (j->p->out[d] - f->start[d] + j->q->ostep[d] - 1) / j->q->ostep[d];
    if (j->counts[d] <= 0) return false;
  }
  return true;
}

/* 1x1, stride 1, no padding: rows of x are rows of A. */
static bool is_plain(const job *j) {
  const tsr_conv *p = j->p;
  if (p->groups != 1 || tsr_conv_taps(p) != 1 || p->transposed) return false;
  for (int d = 0; d < 3; d++)
    if (p->stride[d] != 1 || p->pad[d] != 0) return false;
  return true;
}

static tsr_gemm tile_job(const job *j, const tsr_packed *plan) {
  const tsr_conv *p = j->p;
  tsr_gemm g = {.b = plan, .m = p->n * j->counts[0] * j->counts[1] * j->counts[2], .rows = input_rows, .rows_arg = j,
                .c = j->y, .ldc = p->oc, .crows = output_rows, .epi = j->epi};
  g.epi.c_base = j->y;
  if (is_plain(j)) {
    g.rows = NULL;
    g.a = j->x + j->m_base * p->c;
    g.lda = p->c;
  }
  if (j->q->phase_count == 1 && p->groups == 1) g.crows = NULL;
  else if (g.epi.bias != NULL) g.epi.bias += j->group * (p->oc / p->groups);
  return g;
}

/* ---- results with channels last ---- */

static void group_task(void *arg, int64_t task, int worker) {
  TSR_UNUSED(worker);
  job j = *(const job *)arg;
  tsr_packed plan;
  j.group = task % j.p->groups;
  if (!phase_counts(&j, &j.q->phases[task / j.p->groups])) return;
  plan = j.f->plan;
  plan.data += j.group * j.q->group_floats;
  tsr_gemm g = tile_job(&j, &plan);
  tsr_gemm_part(j.ctx->kernels->gemm, &g, 0, tsr_gemm_tiles(&g), 0, plan.panels);
}

/* Taps that lie in the padding are left out where that pays. */
static tsr_status sort_rows(job *j, tsr_gemm *g) {
  const tsr_conv *p = j->p;
  tsr_conv_regions r;
  tsr_conv_grid grid = {.n = p->n, .in = {p->in[0], p->in[1], p->in[2]}, .tap = j->f->tap, .taps = j->f->taps, .mr = g->b->mr};
  memcpy(grid.counts, j->counts, sizeof grid.counts);
  memcpy(grid.step, j->q->step, sizeof grid.step);
  j->order = NULL;
  if (g->rows == NULL) return TSR_OK;
  TSR_TRY(tsr_conv_regions_make(j->ctx, &grid, &r));
  if (r.tile_count == 0) return TSR_OK;
  j->order = r.order;
  g->crows = output_rows;
  g->tiles = r.tiles;
  g->tile_count = r.tile_count;
  return TSR_OK;
}

static tsr_status run_last(job *j) {
  int64_t tasks = j->q->phase_count * j->p->groups;
  if (j->p->groups > 1 || tasks >= 4 * tsr_gemm_threads(j->ctx)) {
    tsr_pool_run(j->ctx->pool, j->ctx->max_threads, tasks, group_task, j);
    return TSR_OK;
  }
  for (int64_t i = 0; i < tasks; i++) {
    if (!phase_counts(j, &j->q->phases[i])) continue;
    tsr_gemm g = tile_job(j, &j->f->plan);
    TSR_TRY(sort_rows(j, &g));
    tsr_gemm_run(j->ctx, &g);
  }
  return TSR_OK;
}

/* ---- contiguous results, one phase and group: a part of an image at a time through a scratch ---- */

static void finish_run(const job *j, float *y, const float *residual, int64_t n) {
  if (residual != NULL) j->ctx->kernels->nn->add_into(y, residual, n);
  j->ctx->kernels->gemm->act(j->epi.act, j->epi.p0, j->epi.p1, y, n);
}

static void turned_task(void *arg, int64_t task, int worker) {
  job j = *(const job *)arg;
  const tsr_conv *p = j.p;
  const tsr_gemm_fns *f = j.ctx->kernels->gemm;
  const tsr_packed *plan = &j.f->plan;
  int64_t group = task % j.groups, part = task / j.groups % j.parts, n = task / j.groups / j.parts, s = tsr_conv_out(p);
  int64_t s0 = part * s / j.parts, rows = (part + 1) * s / j.parts - s0;
  int64_t p0 = group * plan->panels / j.groups, p1 = (group + 1) * plan->panels / j.groups, width = (int64_t)plan->nv * f->lanes;
  int64_t col = p0 * width, cols = TSR_MIN(p1 * width, p->oc) - col;
  const float *residual = j.epi.residual;
  j.m_base = n * s + s0;
  tsr_gemm g = tile_job(&j, plan);
  g.m = rows;
  g.c = j.scratch + worker * j.scratch_floats - col; /* column col of the product is the scratch's first */
  g.ldc = cols;
  g.epi.residual = NULL;
  if (residual != NULL) g.epi.act = TSR_ACT_NONE;
  tsr_gemm_part(f, &g, 0, tsr_gemm_tiles(&g), p0, p1);
  int64_t at = (n * p->oc + col) * s + s0;
  f->transpose(j.y + at, s, g.c + col, cols, rows, cols);
  if (residual == NULL) return;
  for (int64_t i = 0; i < cols; i++) finish_run(&j, j.y + at + i * s, residual + at + i * s, rows);
}

static tsr_status run_turned(job *j) {
  const tsr_conv *p = j->p;
  int threads = tsr_gemm_threads(j->ctx);
  phase_counts(j, &j->q->phases[0]);
  const tsr_packed *plan = &j->f->plan;
  int64_t s = tsr_conv_out(p);
  double flops = 2.0 * (double)p->n * (double)s * (double)p->oc * (double)plan->taps * (double)plan->c;
  j->parts = (s + PART_ROWS - 1) / PART_ROWS;
  int64_t have = p->n * j->parts, want = flops < 2e5 ? 1 : flops < 4e6 ? threads : 4 * threads;
  if (have < want && s / j->parts > 64) {
    j->parts = TSR_MIN(s / 48, j->parts * ((want + have - 1) / have));
    have = p->n * j->parts;
  }
  j->groups = TSR_MAX(1, TSR_MIN(plan->panels, (want + have - 1) / have));
  int64_t width = (int64_t)plan->nv * j->ctx->kernels->gemm->lanes;
  j->scratch_floats = (s / j->parts + 1) * ((plan->panels + j->groups - 1) / j->groups) * width;
  TSR_TRY(tsr_work(j->ctx, j->scratch_floats * threads, &j->scratch));
  tsr_pool_run(j->ctx->pool, j->ctx->max_threads, p->n * j->parts * j->groups, turned_task, j);
  return TSR_OK;
}

/* ---- borders ---- */

/* Channels-last data looks contiguous when there is one channel or one position. */
static bool is_last(const tsr_tensor *t, int64_t c, int64_t s) {
  if (tsr_tensor_is_contiguous(t)) return c == 1 || s == 1;
  return t->ndim >= 4 && tsr_tensor_is_channels_last(t);
}

static tsr_status bring_input(job *j, tsr_tensor *x) {
  const tsr_conv *p = j->p;
  int64_t s = tsr_conv_in(p);
  bool last = is_last(x, p->c, s);
  if (!last) TSR_TRY(tsr_contiguous(j->ctx, &x, x));
  const float *src = tsr_tensor_data_ro(x);
  float *dst;
  j->x = src;
  if (!last) {
    TSR_TRY(tsr_work(j->ctx, p->n * s * p->c, &dst));
    tsr_to_last(j->ctx, dst, src, p->n, p->c, s);
    j->x = dst;
  }
  return TSR_OK;
}

typedef struct finish_job { const job *j; float *y; const float *residual; } finish_job;

static void finish_task(void *arg, int64_t begin, int64_t end) {
  const finish_job *f = arg;
  finish_run(f->j, f->y + begin, f->residual + begin, end - begin);
}

static tsr_status run_winograd(const job *j, const tsr_tensor *y, const tsr_packed *plan, int side) {
  const tsr_conv *p = j->p;
  tsr_epi epi = j->epi;
  float *to = j->y;
  bool last = is_last(y, p->oc, tsr_conv_out(p));
  if (!last) {
    epi.residual = NULL;
    if (j->epi.residual != NULL) epi.act = TSR_ACT_NONE;
    TSR_TRY(tsr_work(j->ctx, y->numel, &to));
  }
  TSR_TRY(tsr_wino_run(j->ctx, p, plan, j->q->data, side, to, j->x, &epi));
  if (last) return TSR_OK;
  tsr_from_last(j->ctx, j->y, to, p->n, p->oc, tsr_conv_out(p));
  finish_job finish = {j, j->y, j->epi.residual};
  if (finish.residual != NULL) tsr_parallel_for(j->ctx, y->numel, 16384, finish_task, &finish);
  return TSR_OK;
}

static tsr_status run_few(const job *j, tsr_tensor *y, tsr_tensor *x) {
  const tsr_conv *p = j->p;
  void *out;
  bool last = is_last(x, p->c, tsr_conv_in(p));
  if (!last) TSR_TRY(tsr_contiguous(j->ctx, &x, x));
  TSR_TRY(tsr_data_mut(j->ctx, y, &out));
  return tsr_few_run(j->ctx, p, &j->q->packed, out, is_last(y, p->oc, tsr_conv_out(p)), tsr_tensor_data_ro(x), last, &j->epi);
}

static tsr_status run(job *j, tsr_tensor *y, tsr_tensor *x) {
  const tsr_conv *p = j->p;
  void *out;
  float *zero;
  bool last = is_last(y, p->oc, tsr_conv_out(p)), narrow = j->q->kind == TSR_CONV_NARROW;
  if (j->q->kind == TSR_CONV_FEW) return run_few(j, y, x);
  TSR_TRY(bring_input(j, x));
  TSR_TRY(tsr_data_mut(j->ctx, y, &out));
  TSR_TRY(tsr_work(j->ctx, p->c, &zero));
  memset(zero, 0, (size_t)p->c * sizeof *zero);
  j->zero = zero;
  j->y = out;
  if (j->q->kind == TSR_CONV_WINOGRAD) return run_winograd(j, y, &j->q->packed, tsr_wino_side(p));
  int side = j->q->kind == TSR_CONV_TILES && !j->ctx->no_winograd ? tsr_wino_side_direct(p) : 0;
  if (side > 0) return run_winograd(j, y, &j->q->phases[0].plan, side);
  if (last && j->q->kind == TSR_CONV_TILES && j->q->phase_count == 1 && tsr_rows_wants(p, &j->q->phases[0].plan))
    return tsr_rows_run(j->ctx, p, &j->q->phases[0].plan, out, j->x, &j->epi);
  if (!last && !narrow && j->q->phase_count == 1 && p->groups == 1) return run_turned(j);
  finish_job finish = {j, out, j->epi.residual};
  tsr_act act = j->epi.act;
  if (!last) {
    TSR_TRY(tsr_work(j->ctx, y->numel, &j->y));
    if (finish.residual != NULL) j->epi.act = TSR_ACT_NONE;
    j->epi.residual = NULL;
  }
  if (narrow) tsr_narrow_run(j->ctx, p, j->q->data, j->y, j->x, zero, &j->epi);
  else TSR_TRY(run_last(j));
  if (last) return TSR_OK;
  tsr_from_last(j->ctx, out, j->y, p->n, p->oc, tsr_conv_out(p));
  j->epi.act = act;
  if (finish.residual != NULL) tsr_parallel_for(j->ctx, y->numel, 16384, finish_task, &finish);
  return TSR_OK;
}

tsr_status tsr_conv_f32(tsr_ctx *ctx, tsr_site *site, const tsr_conv *given, tsr_tensor *y, tsr_tensor *x, tsr_tensor *w,
                        const tsr_epi *epi) {
  tsr_conv_plan *q;
  tsr_conv joined = *given;
  const tsr_conv *p = &joined;
  int64_t join = groups_joined(ctx->kernels->gemm, given);
  joined.groups /= join;
  bool owned;
  bool wino = wants_winograd(ctx, given) && tsr_wino_fits(given) && site != NULL;
  TSR_TRY(get_plan(ctx, site, given, join, w, wino, &q, &owned));
  job j = {.ctx = ctx, .p = p, .q = q, .epi = *epi};
  tsr_status status = run(&j, y, x);
  if (owned) plan_free(q);
  return status;
}
