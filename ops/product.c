/* Products whose operands are not constant: choose between dot products, reading B in place and packing. */
#include "ops/gemm.h"

#define DOT_ROWS 3     /* up to this many rows of A, B with contiguous terms is read once as it is */
#define DIRECT_ROWS 48 /* up to this many rows of A, packing B costs more than its stride */

tsr_status tsr_work(tsr_ctx *ctx, int64_t floats, float **out) {
  tsr_tensor *t;
  void *data;
  TSR_TRY(tsr_new(ctx, &t, TSR_FLOAT32, 1, &floats));
  TSR_TRY(tsr_data_mut(ctx, t, &data));
  *out = data;
  return TSR_OK;
}

typedef struct job {
  tsr_ctx *ctx;
  const tsr_gemm_fns *f;
  tsr_product p;
  tsr_packed plan;
  float *packs;        /* of a worker or of the whole */
  int64_t pack_floats;
} job;

static int64_t stack_at(const tsr_product *p, int64_t i, int64_t step, int64_t outer) {
  return p->inner > 0 ? i / p->inner * outer + i % p->inner * step : i * step;
}
static const float *a_at(const tsr_product *p, int64_t i) { return p->a.p + stack_at(p, i, p->a_step, p->a_outer); }
static const float *b_at(const tsr_product *p, int64_t i) { return p->b.p + stack_at(p, i, p->b_step, p->b_outer); }

/* ---- dot products: at most DOT_ROWS rows of A, both with contiguous terms ---- */

static void dot_task(void *arg, int64_t begin, int64_t end) {
  const job *j = arg;
  const tsr_product *p = &j->p;
  for (int64_t at = begin; at < end; at++) {
    int64_t i = at / p->n, col = at % p->n;
    const float *b = b_at(p, i) + col * p->b.cs;
    for (int64_t r = 0; r < p->m; r++)
      p->c[i * p->c_step + r * p->ldc + col] = j->f->dot(a_at(p, i) + r * p->a.rs, b, p->k);
  }
}

static void finish_rows(const job *j) {
  const tsr_epi *e = j->p.epi;
  if (e == NULL) return;
  for (int64_t r = 0; r < j->p.m; r++) {
    float *c = j->p.c + r * j->p.ldc;
    if (e->bias != NULL)
      for (int64_t n = 0; n < j->p.n; n++) c[n] += e->bias[n];
    if (e->residual != NULL)
      for (int64_t n = 0; n < j->p.n; n++) c[n] += e->residual[r * j->p.ldc + n];
    if (e->act != TSR_ACT_NONE) j->f->act(e->act, e->p0, e->p1, c, j->p.n);
  }
}

/* ---- packing or reading in place ---- */

static void pack_one(const job *j, const float *b, float *dst) {
  tsr_packed q = j->plan;
  q.data = dst;
  int64_t width = (int64_t)q.nv * j->f->lanes;
  const tsr_product *p = &j->p;
  if (q.direct != NULL) {
    int64_t col = (q.panels - 1) * width, w = q.n_pad - col;
    if (q.n - col < w) j->f->pack(dst, w, b + col * p->b.cs, p->k, p->b.rs, q.n - col, p->b.cs);
    return;
  }
  for (int64_t done = 0, block; done < p->k; done += block) {
    block = TSR_MIN(q.c_block, p->k - done);
    for (int64_t panel = 0; panel < q.panels; panel++) {
      int64_t col = panel * width, w = TSR_MIN(width, q.n_pad - col);
      j->f->pack(dst + done * q.n_pad + col * block, w, b + done * p->b.rs + col * p->b.cs, block, p->b.rs,
                 TSR_MIN(w, q.n - col), p->b.cs);
    }
  }
}

static void batch_task(void *arg, int64_t i, int worker) {
  const job *j = arg;
  const tsr_product *p = &j->p;
  tsr_packed q = j->plan;
  float *pack = j->packs + worker * j->pack_floats;
  const float *b = b_at(p, i);
  if (q.direct != NULL) q.direct = b;
  q.data = pack;
  pack_one(j, b, pack);
  tsr_gemm g = {.b = &q, .m = p->m, .a = a_at(p, i), .lda = p->a.rs, .c = p->c + i * p->c_step, .ldc = p->ldc};
  g.epi.c_base = g.c;
  tsr_gemm_part(j->f, &g, 0, tsr_gemm_tiles(&g), 0, q.panels);
}

static tsr_status run_batches(job *j) {
  int threads = tsr_gemm_threads(j->ctx);
  TSR_TRY(tsr_work(j->ctx, j->pack_floats * threads, &j->packs));
  if (threads == 1 || j->ctx->pool == NULL)
    for (int64_t i = 0; i < j->p.count; i++) batch_task(j, i, 0);
  else
    tsr_pool_run(j->ctx->pool, j->ctx->max_threads, j->p.count, batch_task, j);
  return TSR_OK;
}

/* One product at a time, each divided over the pool. */
static tsr_status run_each(job *j) {
  const tsr_product *p = &j->p;
  TSR_TRY(tsr_work(j->ctx, j->pack_floats, &j->packs));
  for (int64_t i = 0; i < p->count; i++) {
    tsr_packed q = j->plan;
    const float *b = b_at(p, i);
    q.data = j->packs;
    if (q.direct != NULL) {
      q.direct = b;
      pack_one(j, b, q.data);
    } else if (i == 0 || p->b_step != 0 || p->inner > 0) {
      tsr_packed_fill(j->ctx, &q, b, 0, p->b.rs, p->b.cs);
    }
    tsr_gemm g = {.b = &q, .m = p->m, .a = a_at(p, i), .lda = p->a.rs, .c = p->c + i * p->c_step, .ldc = p->ldc};
    if (p->epi != NULL) g.epi = *p->epi;
    tsr_gemm_run(j->ctx, &g);
  }
  return TSR_OK;
}

typedef struct rows_job { const tsr_gemm_fns *f; tsr_product p; float *dst; } rows_job;

static void rows_task(void *arg, int64_t begin, int64_t end) {
  const rows_job *j = arg;
  const tsr_product *p = &j->p;
  for (int64_t i = begin; i < end; i++)
    j->f->pack(j->dst + i * p->m * p->k, p->k, a_at(p, i), p->m, p->a.rs, p->k, p->a.cs);
}

/* The tiles read rows of A in order: copy A when its terms are not contiguous. */
static tsr_status straighten(tsr_ctx *ctx, tsr_product *p) {
  if (p->a.cs == 1 || p->k <= 1) return TSR_OK;
  rows_job j = {ctx->kernels->gemm, *p, NULL};
  bool repeated = p->a_step == 0 && p->inner == 0;
  int64_t copies = repeated ? 1 : p->count, total;
  if (tsr_mul_overflow(p->m * p->k, copies, &total)) return tsr_op_nomem(ctx);
  TSR_TRY(tsr_work(ctx, total, &j.dst));
  tsr_parallel_for(ctx, copies, TSR_MAX(1, 32768 / TSR_MAX(1, p->m * p->k)), rows_task, &j);
  p->a = (tsr_mat){j.dst, p->k, 1};
  if (!repeated) p->a_step = p->m * p->k;
  p->a_outer = p->inner * p->a_step;
  return TSR_OK;
}

tsr_status tsr_gemm_product(tsr_ctx *ctx, const tsr_product *given) {
  job j = {.ctx = ctx, .f = ctx->kernels->gemm, .p = *given};
  tsr_product *p = &j.p;
  if (p->m == 0 || p->n == 0 || p->count == 0) return TSR_OK;
  TSR_TRY(straighten(ctx, p));
  bool terms = p->b.rs == 1 || p->k <= 1, columns = p->b.cs == 1 || p->n <= 1;
  if (terms && (p->m <= DOT_ROWS || p->n == 1) && !(columns && p->n > 1)) {
    tsr_parallel_for(ctx, p->count * p->n, TSR_MAX(1, 32768 / (p->m * TSR_MAX(1, p->k))), dot_task, &j);
    finish_rows(&j);
    return TSR_OK;
  }
  j.plan = tsr_packed_plan(j.f, p->n, 1, p->k);
  j.pack_floats = j.plan.n_pad * TSR_MAX(1, p->k);
  if (columns && p->m <= DIRECT_ROWS) {
    j.plan.direct = p->b.p;
    j.plan.direct_ld = p->b.rs;
    j.pack_floats = (int64_t)j.plan.nv * j.f->lanes * TSR_MAX(1, p->k);
  }
  j.pack_floats = (j.pack_floats + 15) / 16 * 16;
  bool batched = p->count > 1 && p->epi == NULL && (p->b_step != 0 || p->inner > 0) &&
                 (p->count >= 2 * tsr_gemm_threads(ctx) || p->m * p->n * p->k < 65536);
  return batched ? run_batches(&j) : run_each(&j);
}
