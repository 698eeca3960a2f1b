/* Scaled dot-product attention.  In float32 the score matrix is never stored whole: blocks of query rows
 * are multiplied with the packed keys, normalised in cache, and multiplied with the packed values. */
#include "ops/attention.h"

#include <math.h>

#include "ops/gemm.h"
#include "ops/nn.h"
#include "ops/product.h"

enum {
  BLOCK_ROWS = 56,     /* whole tiles; scores of a block stay in L2 up to a few thousand keys */
  FEW_TERMS = 256,     /* most of a head's width for which rows are read in place */
  MASK_CHUNK = 1 << 15 /* elements of a task */
};

typedef struct job {
  tsr_ctx *ctx;
  const tsr_gemm_fns *f;
  const tsr_nn_fns *nn;
  const tsr_tensor *q, *k, *v, *mask; /* mask: float32, expanded to [b,h,l,s], last stride 1, or NULL */
  const tsr_tensor *windows;          /* a second mask like it, [1,w,h,l,s], for b % w; or NULL */
  const tsr_tensor *x;                /* scores that are there already, instead of q, k and mask */
  tsr_tensor *out;
  tsr_packed keys, values;            /* shapes; data differs by head */
  float *key_data, *value_data, *scores; /* packed: of a head, or of a worker when each task packs its head */
  int64_t heads, group, l, s, ld, blocks;
  bool causal, whole_heads;
  bool few;                           /* so few keys that a row of scores fits into registers; rows are read in place */
  bool safe;                          /* rows that the mask leaves nothing of give 0, not NaN */
  float scale;
} job;

static const float *head_at(const tsr_tensor *t, int64_t b, int64_t h) {
  return (const float *)tsr_tensor_data_ro(t) + b * t->stride[0] + h * t->stride[1];
}

static void pack_one(const job *j, int64_t head, int64_t slot) { /* a key-value head */
  tsr_packed keys = j->keys, values = j->values;
  int64_t hk = j->v->size[1];
  if (j->x == NULL) {
    keys.data = j->key_data + slot * tsr_packed_floats(&keys);
    tsr_packed_fill(j->ctx, &keys, head_at(j->k, head / hk, head % hk), 0, j->k->stride[3], j->k->stride[2]);
  }
  if (values.direct != NULL) return;
  values.data = j->value_data + slot * tsr_packed_floats(&values);
  tsr_packed_fill(j->ctx, &values, head_at(j->v, head / hk, head % hk), 0, j->v->stride[2], j->v->stride[3]);
}

static void pack_heads(void *arg, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++) pack_one(arg, i, i);
}

/* ---- keys that no row of a block sees ---- */

#define UNSEEN (-1e30f)  /* added by a mask: nothing is left of the key beside one that is seen */
#define TAME 1e30f       /* squares of a row summed: it holds no infinity or NaN, nor will its product with a query */

static bool tame_rows(const job *j, const tsr_tensor *t, int64_t b, int64_t h, int64_t first) {
  const float *p = head_at(t, b, h / j->group) + first * t->stride[2];
  if (t->stride[3] != 1) return false;
  for (int64_t i = first; i < j->s; i++, p += t->stride[2])
    if (!(j->f->dot(p, p, t->size[3]) < TAME)) return false;
  return true;
}

/* Keys up to the last that a row of [r0, r0 + rows) sees.  What a mask adds to the others leaves nothing of them, unless they
 * hold infinities or NaN, or all keys are alike. */
static int64_t seen_keys(const job *j, int64_t b, int64_t h, int64_t r0, int64_t rows) {
  int64_t seen = 0;
  if (j->causal) return TSR_MIN(j->s, r0 + rows);
  if (j->mask == NULL || j->x != NULL) return j->s;
  if (j->mask->stride[2] == 0) rows = 1;
  for (int64_t r = r0; r < r0 + rows && seen < j->s; r++) {
    const float *mask = head_at(j->mask, b, h) + r * j->mask->stride[2];
    int64_t n = j->s;
    while (n > 0 && mask[n - 1] <= UNSEEN) n--;
    if (n == 0) return j->s;
    seen = TSR_MAX(seen, n);
  }
  return seen < j->s && tame_rows(j, j->k, b, h, seen) && tame_rows(j, j->v, b, h, seen) ? seen : j->s;
}

/* ---- a block of rows ---- */

/* Weights of a row in place of its scores of n keys; returns what they are to be divided by. */
static float weigh_row(const job *j, float *x, const float *mask, const float *mask2, int64_t row, int64_t keys) {
  int64_t n = j->causal ? TSR_MIN(row + 1, keys) : keys;
  float sum = n == 0 ? NAN : j->nn->weigh(x, mask, mask2, j->scale, n);
  if (isnan(sum) && (n == 0 || (j->safe && mask != NULL && j->nn->max(mask, n) == -INFINITY))) {
    n = 0;
    sum = 1;
  }
  if (n < keys) memset(x + n, 0, (size_t)(keys - n) * sizeof *x);
  return sum;
}

static const float *window_row(const job *j, int64_t b, int64_t h, int64_t row) {
  const tsr_tensor *w = j->windows;
  if (w == NULL) return NULL;
  return (const float *)tsr_tensor_data_ro(w) + b % w->size[1] * w->stride[1] + h * w->stride[2] + row * w->stride[3];
}

typedef struct part { /* rows of a head */
  int64_t b, h, r0, rows, keys; /* keys: those that are looked at */
  float *scores;
} part;

static const float *mask_row(const job *j, const part *p, int64_t r) {
  return j->mask == NULL ? NULL : head_at(j->mask, p->b, p->h) + (p->r0 + r) * j->mask->stride[2];
}

static const float *queries_at(const job *j, const part *p) { return head_at(j->q, p->b, p->h) + p->r0 * j->q->stride[2]; }

/* Weights of the rows, and their sums. */
static void weigh_rows(const job *j, const part *p, tsr_packed *keys, float *sums) {
  float *scores = p->scores;
  if (j->x != NULL) {
    const float *x = head_at(j->x, p->b, p->h) + p->r0 * j->x->stride[2];
    for (int64_t r = 0; r < p->rows; r++, x += j->x->stride[2], scores += j->ld) {
      memcpy(scores, x, (size_t)j->s * sizeof *x);
      sums[r] = j->nn->weigh(scores, NULL, NULL, 1, j->s);
    }
    return;
  }
  tsr_gemm g = {.b = keys, .m = p->rows, .a = queries_at(j, p), .lda = j->q->stride[2], .c = scores, .ldc = j->ld};
  tsr_gemm_part(j->f, &g, 0, tsr_gemm_tiles(&g), 0, keys->panels);
  for (int64_t r = 0; r < p->rows; r++)
    sums[r] = weigh_row(j, scores + r * j->ld, mask_row(j, p, r), window_row(j, p->b, p->h, p->r0 + r), p->r0 + r, p->keys);
}

/* c[m,n] = a . b over the first terms of b's only block, rows of a read in place. */
static void multiply(const job *j, const tsr_packed *b, int64_t m, const float *a, int64_t lda, int64_t terms, float *c, int64_t ldc) {
  const tsr_gemm_fns *f = j->f;
  int64_t width = (int64_t)b->nv * f->lanes, tiles = (m + b->mr - 1) / b->mr;
  for (int64_t tile = 0; tile < tiles; tile++) {
    float *rows[TSR_GEMM_MR];
    int64_t m0 = tile * m / tiles, mr = (tile + 1) * m / tiles - m0;
    for (int64_t i = 0; i < mr; i++) rows[i] = c + (m0 + i) * ldc;
    tsr_tile t = {.a = a + m0 * lda, .kc = terms, .c = rows, .soon = (const char *)a};
    for (int64_t panel = 0; panel < b->panels; panel++) {
      t.c_off = panel * width;
      t.n = (int)TSR_MIN(width, b->n - t.c_off);
      t.b = b->direct != NULL ? b->direct + t.c_off : b->data + t.c_off * b->c;
      t.ldb = b->direct != NULL ? b->direct_ld : TSR_MIN(width, b->n_pad - t.c_off);
      f->near[(t.n + f->lanes - 1) / f->lanes - 1][mr - 1](&t, lda);
    }
  }
}

static void attend_few(const job *j, const part *p, const tsr_packed *keys, const tsr_packed *values, float *out) {
  float sums[BLOCK_ROWS];
  multiply(j, keys, p->rows, queries_at(j, p), j->q->stride[2], keys->c, p->scores, j->ld);
  tsr_weigh w = {.x = p->scores, .ld = j->ld, .rows = p->rows, .n = p->keys, .mask = mask_row(j, p, 0), .mask2 = window_row(j, p->b, p->h, p->r0),
                 .scale = j->scale, .sums = sums};
  if (w.mask != NULL) w.mask_ld = j->mask->stride[2];
  if (w.mask2 != NULL) w.mask2_ld = j->windows->stride[3];
  j->nn->weigh_few(&w);
  for (int64_t r = 0; r < p->rows; r++)
    if (isnan(sums[r]) && j->safe && w.mask != NULL && j->nn->max(w.mask + r * w.mask_ld, p->keys) == -INFINITY)
      memset(p->scores + r * j->ld, 0, (size_t)p->keys * sizeof(float));
  multiply(j, values, p->rows, p->scores, j->ld, p->keys, out, j->out->stride[2]);
}

static void attend_block(const job *j, int64_t head, int64_t block, int64_t slot, int worker) {
  part p = {.b = head / j->heads, .h = head % j->heads, .r0 = block * j->l / j->blocks, .scores = j->scores + (int64_t)worker * BLOCK_ROWS * j->ld};
  p.rows = (block + 1) * j->l / j->blocks - p.r0;
  p.keys = seen_keys(j, p.b, p.h, p.r0, p.rows);
  float sums[BLOCK_ROWS], *out = (float *)j->out->storage->data + p.b * j->out->stride[0] + p.h * j->out->stride[1] + p.r0 * j->out->stride[2];
  tsr_packed values = j->values, keys = j->keys;
  values.data = j->value_data + slot * tsr_packed_floats(&values);
  if (values.direct != NULL) values.direct = head_at(j->v, p.b, p.h / j->group);
  if (j->x == NULL) {
    keys.data = j->key_data + slot * tsr_packed_floats(&keys);
    keys.n = p.keys;
    keys.panels = (p.keys + keys.nv * j->f->lanes - 1) / (keys.nv * j->f->lanes);
  }
  if (j->few) {
    attend_few(j, &p, &keys, &values, out);
    return;
  }
  weigh_rows(j, &p, &keys, sums);
  tsr_gemm w = {.b = &values, .m = p.rows, .a = p.scores, .lda = j->ld, .c = out, .ldc = j->out->stride[2], .terms = p.keys};
  tsr_gemm_part(j->f, &w, 0, tsr_gemm_tiles(&w), 0, values.panels);
  for (int64_t r = 0; r < p.rows; r++) j->nn->scale(out + r * j->out->stride[2], 1 / sums[r], j->v->size[3]);
}

static void attend(void *arg, int64_t task, int worker) {
  const job *j = arg;
  int64_t head = j->whole_heads ? task : task / j->blocks, kv = head / j->heads * j->v->size[1] + head % j->heads / j->group;
  if (!j->whole_heads) {
    attend_block(j, head, task % j->blocks, kv, worker);
    return;
  }
  pack_one(j, kv, worker);
  for (int64_t block = 0; block < j->blocks; block++) attend_block(j, head, block, worker, worker);
}

/* Rows of queries must not fall into one cache set. */
static bool fits_few_keys(const job *j) {
  return j->x == NULL && !j->causal && j->s <= j->nn->few && j->q->size[3] <= FEW_TERMS && (j->q->stride[2] * sizeof(float)) % 4096 != 0;
}

/* Plans and working memory are made from the shapes; with enough heads each is packed by who needs it. */
static tsr_status run_job(job *j, int64_t batch) {
  tsr_ctx *ctx = j->ctx;
  int64_t kv_heads = batch * j->v->size[1], threads = tsr_gemm_threads(ctx);
  j->values = tsr_packed_plan(j->f, j->v->size[3], 1, j->s);
  j->ld = ((j->s + 15) & ~(int64_t)15) + 16; /* + 16: rows must not fall into one cache set */
  j->blocks = (j->l + BLOCK_ROWS - 1) / BLOCK_ROWS;
  j->whole_heads = j->group == 1 && kv_heads >= 4 * threads;
  int64_t slots = j->whole_heads ? threads : kv_heads;
  j->few = fits_few_keys(j);
  if (j->few && j->blocks == 1 && j->v->stride[3] == 1 && j->v->size[3] % j->f->lanes == 0) { /* not worth copying */
    j->values.direct = tsr_tensor_data_ro(j->v);
    j->values.direct_ld = j->v->stride[2];
  }
  if (j->x == NULL) {
    j->keys = tsr_packed_plan(j->f, j->s, 1, j->k->size[3]);
    TSR_TRY(tsr_work(ctx, slots * tsr_packed_floats(&j->keys), &j->key_data));
  }
  TSR_TRY(tsr_work(ctx, slots * tsr_packed_floats(&j->values), &j->value_data));
  TSR_TRY(tsr_work(ctx, threads * BLOCK_ROWS * j->ld, &j->scores));
  if (!j->whole_heads) tsr_parallel_for(ctx, kv_heads, 1, pack_heads, j);
  tsr_pool_run(ctx->pool, ctx->max_threads, batch * j->heads * (j->whole_heads ? 1 : j->blocks), attend, j);
  return TSR_OK;
}

typedef struct mask_job { float *y; const uint8_t *x; } mask_job;

static void mask_task(void *arg, int64_t begin, int64_t end) {
  const mask_job *j = arg;
  for (int64_t i = begin; i < end; i++) j->y[i] = j->x[i] != 0 ? 0 : -INFINITY;
}

/* 0 or -inf, once for what was repeated to fill `full`. */
static tsr_status additive_f32(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *mask, const int64_t full[4]) {
  int64_t size[4];
  void *y;
  for (int d = 0; d < mask->ndim; d++) size[d] = mask->stride[d] == 0 && mask->size[d] == full[4 - mask->ndim + d] ? 1 : mask->size[d];
  TSR_TRY(tsr_new_view(ctx, &mask, mask, mask->offset, mask->ndim, size, mask->stride));
  TSR_TRY(tsr_contiguous(ctx, &mask, mask));
  TSR_TRY(tsr_new(ctx, out, TSR_FLOAT32, mask->ndim, size));
  TSR_TRY(tsr_data_mut(ctx, *out, &y));
  mask_job j = {y, tsr_tensor_data_ro(mask)};
  tsr_parallel_for(ctx, mask->numel, MASK_CHUNK, mask_task, &j);
  return TSR_OK;
}

/* A bool mask becomes 0 or -inf. */
static tsr_status additive(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *mask, tsr_dtype dtype) {
  if (mask->dtype != TSR_BOOL) return tsr_to_dtype(ctx, out, mask, dtype);
  tsr_tensor *zero, *low;
  TSR_TRY(tsr_new_scalar(ctx, &zero, dtype, tsr_scalar_float(0)));
  TSR_TRY(tsr_new_scalar(ctx, &low, dtype, tsr_scalar_float(-INFINITY)));
  return tsr_where(ctx, out, mask, zero, low);
}

static tsr_status expand_mask(tsr_ctx *ctx, tsr_tensor **mask, const tsr_tensor *q, const tsr_tensor *k) {
  int64_t size[] = {q->size[0], q->size[1], q->size[2], k->size[2]};
  TSR_TRY((*mask)->dtype == TSR_BOOL && (*mask)->ndim <= 4 ? additive_f32(ctx, mask, *mask, size) : additive(ctx, mask, *mask, TSR_FLOAT32));
  if ((*mask)->ndim == 0 || (*mask)->size[(*mask)->ndim - 1] != size[3] || (*mask)->stride[(*mask)->ndim - 1] != 1) { /* broadcast along the keys */
    TSR_TRY(tsr_expand(ctx, mask, *mask, 4, size));
    return tsr_contiguous(ctx, mask, *mask);
  }
  return tsr_expand(ctx, mask, *mask, 4, size);
}

static tsr_status inner_contiguous(tsr_ctx *ctx, tsr_tensor **t) {
  return (*t)->stride[3] == 1 || (*t)->size[3] == 1 ? TSR_OK : tsr_contiguous(ctx, t, *t);
}

/* by_row: rows of all heads next to each other, [b,l,h,ev] in memory */
static tsr_status new_result(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *q, int64_t ev, bool by_row) {
  int64_t size[] = {q->size[0], q->size[1], q->size[2], ev}, h = size[1], l = size[2];
  int64_t stride[] = {l * h * ev, by_row ? ev : l * ev, by_row ? h * ev : ev, 1};
  return tsr_new_strided(ctx, out, TSR_FLOAT32, 4, size, stride);
}

/* stride: of the result, or NULL: by row */
static tsr_status attention_f32(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q, tsr_tensor *k, tsr_tensor *v, tsr_tensor *mask, bool causal, double scale, const int64_t *stride) {
  int64_t size[] = {q->size[0], q->size[1], q->size[2], v->size[3]};
  TSR_TRY(inner_contiguous(ctx, &q));
  if (mask != NULL) TSR_TRY(expand_mask(ctx, &mask, q, k));
  TSR_TRY(stride ? tsr_new_strided(ctx, out, TSR_FLOAT32, 4, size, stride) : new_result(ctx, out, q, v->size[3], true));
  if ((*out)->numel == 0) return TSR_OK;
  job j = {.ctx = ctx, .f = ctx->kernels->gemm, .nn = ctx->kernels->nn, .q = q, .k = k, .v = v, .mask = mask, .out = *out, .heads = q->size[1],
           .group = q->size[1] / k->size[1], .l = q->size[2], .s = k->size[2], .causal = causal, .safe = true, .scale = (float)scale};
  if (j.s == 0) {
    memset((*out)->storage->data, 0, (*out)->storage->nbytes);
    return TSR_OK;
  }
  return run_job(&j, q->size[0]);
}

/* Any dtype, step by step; *probs: what the values are multiplied with. */
static tsr_status attention_probs(tsr_ctx *ctx, tsr_tensor **probs, tsr_tensor *q, tsr_tensor *k, tsr_tensor *mask, bool causal, double scale) {
  tsr_tensor *scores;
  TSR_TRY(tsr_transpose(ctx, &k, k, -1, -2));
  TSR_TRY(tsr_matmul(ctx, &scores, q, k));
  TSR_TRY(tsr_binary_scalar(ctx, &scores, "mul", scores, tsr_scalar_float(scale)));
  if (causal) {
    int64_t size[] = {q->size[q->ndim - 2], k->size[k->ndim - 1]};
    TSR_TRY(tsr_new(ctx, &mask, TSR_BOOL, 2, size));
    uint8_t *m = mask->storage->data;
    for (int64_t r = 0; r < size[0]; r++) {
      for (int64_t s = 0; s < size[1]; s++) m[r * size[1] + s] = s <= r;
    }
  }
  if (mask != NULL) {
    TSR_TRY(additive(ctx, &mask, mask, (tsr_dtype)scores->dtype));
    TSR_TRY(tsr_binary(ctx, &scores, "add", scores, mask));
  }
  tsr_val args[] = {tsr_from_obj(scores), tsr_int(-1), tsr_none()}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::_safe_softmax", ""), args, 3, &ret, 1));
  *probs = ret.t;
  return TSR_OK;
}

static tsr_status attention_plain(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q, tsr_tensor *k, tsr_tensor *v, tsr_tensor *mask, bool causal, double scale, double dropout, tsr_tensor **probs) {
  tsr_tensor *p;
  TSR_TRY(attention_probs(ctx, &p, q, k, mask, causal, scale));
  if (dropout > 0) {
    tsr_val drop[] = {tsr_from_obj(p), tsr_float(dropout), tsr_bool(true)}, ret;
    TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::dropout", ""), drop, 3, &ret, 1));
    p = ret.t;
  }
  if (probs != NULL) *probs = p;
  return tsr_matmul(ctx, out, p, v);
}

/* Every head (dimension -3) several times. */
static tsr_status share_heads(tsr_ctx *ctx, tsr_tensor **t, int64_t group) {
  int64_t wide[TSR_MAX_NDIM + 1];
  int n = (*t)->ndim;
  if (group == 1) return TSR_OK;
  TSR_TRY(tsr_unsqueeze(ctx, t, *t, n - 2));
  memcpy(wide, (*t)->size, (size_t)(n + 1) * sizeof *wide);
  wide[n - 2] = group;
  TSR_TRY(tsr_expand(ctx, t, *t, n + 1, wide));
  return tsr_flatten(ctx, t, *t, n - 3, n - 2);
}

/* As many heads of keys and values as of queries. */
static tsr_status group_heads(tsr_ctx *ctx, const tsr_tensor *q, tsr_tensor **k, tsr_tensor **v) {
  const tsr_tensor *low = q->ndim < 3 ? q : (*k)->ndim < 3 ? *k : (*v)->ndim < 3 ? *v : NULL;
  if (low != NULL) return tsr_op_fail(ctx, "Dimension out of range (expected to be in range of [-%d, %d], but got -3)", low->ndim, low->ndim - 1);
  int64_t n = q->size[q->ndim - 3], nk = (*k)->size[(*k)->ndim - 3], nv = (*v)->size[(*v)->ndim - 3];
  if (n == nk && n == nv) return TSR_OK;
  if (nk == 0 || nv == 0 || n % nk != 0 || n % nv != 0) return tsr_op_fail(ctx, "Number of heads in key and value must divide the number of heads in ");
  TSR_TRY(share_heads(ctx, k, n / nk));
  return share_heads(ctx, v, n / nv);
}

static bool fits_fast(const tsr_tensor *q, const tsr_tensor *k, const tsr_tensor *v) {
  return q->dtype == TSR_FLOAT32 && k->dtype == TSR_FLOAT32 && v->dtype == TSR_FLOAT32 && q->ndim == 4 && k->ndim == 4 && v->ndim == 4 &&
         q->size[0] == k->size[0] && k->size[0] == v->size[0] && k->size[1] == v->size[1] && k->size[2] == v->size[2] && q->size[3] == k->size[3] &&
         k->size[1] > 0 && q->size[1] % k->size[1] == 0;
}

static tsr_status attention(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q, tsr_tensor *k, tsr_tensor *v, tsr_tensor *mask, bool causal, double scale, const int64_t *stride) {
  if (fits_fast(q, k, v)) return attention_f32(ctx, out, q, k, v, mask, causal, scale, stride);
  return attention_plain(ctx, out, q, k, v, mask, causal, scale, 0, NULL);
}

tsr_status tsr_attention(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q, tsr_tensor *k, tsr_tensor *v, tsr_tensor *mask, bool causal, double scale) {
  return attention(ctx, out, q, k, v, mask, causal, scale, NULL);
}

/* PyTorch's kernel for rows that lie in memory as they are lays its result out like the queries; its chain of operators gives it in C order. */
static void result_strides(const tsr_tensor *q, const tsr_tensor *k, const tsr_tensor *v, int64_t *stride) {
  int64_t size[] = {q->size[0], q->size[1], q->size[2], v->size[3]};
  bool rows = q->stride[3] == 1 && k->stride[3] == 1 && v->stride[3] == 1 && q->size[3] == v->size[3] && q->size[2] > 0 && k->size[2] > 0;
  if (rows) tsr_dense_strides(q, stride);
  else tsr_strides_contiguous(4, size, stride);
}

static tsr_status check(tsr_ctx *ctx, const tsr_tensor *q, const tsr_tensor *k, const tsr_tensor *v, const tsr_tensor *mask) {
  if (q->ndim < 2 || k->ndim < 2 || v->ndim < 2) {
    return tsr_op_fail(ctx, "scaled_dot_product_attention: Expected query, key, and value to all be  at least 2 dimensional, but got query.dim(): %d, key.dim(): %d and value.dim(): %d instead.", q->ndim, k->ndim, v->ndim);
  }
  if (q->dtype != k->dtype || q->dtype != v->dtype) {
    return tsr_op_fail(ctx, "Expected query, key, and value to have the same dtype, but got query.dtype: %s key.dtype: %s and value.dtype: %s instead.",
                       tsr_dtype_c_name((tsr_dtype)q->dtype), tsr_dtype_c_name((tsr_dtype)k->dtype), tsr_dtype_c_name((tsr_dtype)v->dtype));
  }
  if (mask != NULL && mask->dtype != TSR_BOOL && mask->dtype != q->dtype && mask->dtype != TSR_FLOAT32) {
    return tsr_op_fail(ctx, "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: %s and  query.dtype: %s instead.", tsr_dtype_name((tsr_dtype)mask->dtype), tsr_dtype_name((tsr_dtype)q->dtype));
  }
  return TSR_OK;
}

static tsr_status refuse_both(tsr_ctx *ctx, const tsr_tensor *mask, bool causal) {
  return mask != NULL && causal ? tsr_op_fail(ctx, "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True") : TSR_OK;
}

TSR_KERNEL(sdpa) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *q = tsr_arg_tensor(c, 0), *k = tsr_arg_tensor(c, 1), *v = tsr_arg_tensor(c, 2), *mask = tsr_arg_opt_tensor(c, 3), *out;
  double dropout = tsr_arg_float(c, 4), scale;
  int64_t stride[4];
  bool causal = tsr_arg_bool(c, 5), gqa = tsr_arg_bool(c, 7);
  tsr_dtype dtype = (tsr_dtype)q->dtype;
  TSR_TRY(check(ctx, q, k, v, mask));
  if (q->size[q->ndim - 2] == 0 || v->numel == 0) { /* nothing else is looked at */
    int64_t size[TSR_MAX_NDIM];
    memcpy(size, q->size, q->ndim * sizeof *size);
    size[q->ndim - 1] = v->size[v->ndim - 1];
    TSR_TRY(tsr_new(ctx, &out, dtype, q->ndim, size));
    TSR_TRY(tsr_fill(ctx, out, tsr_scalar_int(0)));
    return tsr_ret_tensor(c, 0, out);
  }
  TSR_TRY(refuse_both(ctx, mask, causal));
  scale = tsr_arg_is_none(c, 6) ? 1 / sqrt((double)q->size[q->ndim - 1]) : tsr_arg_float(c, 6);
  if (dtype == TSR_FLOAT16 || dtype == TSR_BFLOAT16) {
    TSR_TRY(tsr_to_dtype(ctx, &q, q, TSR_FLOAT32));
    TSR_TRY(tsr_to_dtype(ctx, &k, k, TSR_FLOAT32));
    TSR_TRY(tsr_to_dtype(ctx, &v, v, TSR_FLOAT32));
  }
  bool same_heads = q->ndim != 4 || k->ndim != 4 || q->size[1] == k->size[1], equal = k->ndim == v->ndim && k->ndim > 2 && k->size[k->ndim - 3] == v->size[v->ndim - 3];
  bool fast = dropout <= 0 && (gqa ? equal : same_heads), oblong = causal && q->size[q->ndim - 2] != k->size[k->ndim - 2];
  bool ordered = fast && !oblong && q->ndim == 4 && k->ndim == 4 && v->ndim == 4;
  if (ordered) result_strides(q, k, v, stride);
  if (gqa && !(fast && fits_fast(q, k, v))) TSR_TRY(group_heads(ctx, q, &k, &v));
  if (fast) TSR_TRY(attention(ctx, &out, q, k, v, mask, causal, scale, ordered ? stride : NULL));
  else TSR_TRY(attention_plain(ctx, &out, q, k, v, mask, causal, scale, dropout, NULL)); /* heads broadcast, or do not match */
  if (oblong) TSR_TRY(tsr_contiguous(ctx, &out, out)); /* PyTorch's fast one does not take it */
  if (ordered && out->ndim == 4) TSR_TRY(tsr_lay_out(ctx, &out, out, stride));
  TSR_TRY(tsr_to_dtype(ctx, &out, out, dtype));
  return tsr_ret_tensor(c, 0, out);
}

/* (values, probabilities); the last but two argument is a mask of what dropout keeps */
TSR_KERNEL(sdpa_math) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x[3] = {tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1), tsr_arg_tensor(c, 2)}, *mask = tsr_arg_opt_tensor(c, 3), *keep = tsr_arg_opt_tensor(c, 6), *out, *probs;
  double dropout = tsr_arg_float(c, 4), scale;
  tsr_dtype dtype = (tsr_dtype)x[0]->dtype;
  for (int i = 0; i < 3 && (dtype == TSR_FLOAT16 || dtype == TSR_BFLOAT16); i++) TSR_TRY(tsr_to_dtype(ctx, &x[i], x[i], TSR_FLOAT32));
  if (mask != NULL && mask->dtype == TSR_BOOL) TSR_TRY(tsr_to_dtype(ctx, &mask, mask, TSR_FLOAT32)); /* added as it is: to turn it into -inf is the caller's part */
  TSR_TRY(refuse_both(ctx, mask, tsr_arg_bool(c, 5)));
  scale = tsr_arg_is_none(c, 7) ? 1 / sqrt((double)x[0]->size[x[0]->ndim - 1]) : tsr_arg_float(c, 7);
  if (tsr_arg_bool(c, 8)) TSR_TRY(group_heads(ctx, x[0], &x[1], &x[2]));
  if (keep == NULL || dropout <= 0) {
    TSR_TRY(attention_plain(ctx, &out, x[0], x[1], x[2], mask, tsr_arg_bool(c, 5), scale, dropout, &probs));
  } else {
    tsr_tensor *none;
    TSR_TRY(attention_probs(ctx, &probs, x[0], x[1], mask, tsr_arg_bool(c, 5), scale));
    TSR_TRY(tsr_new_scalar(ctx, &none, (tsr_dtype)probs->dtype, tsr_scalar_int(0)));
    TSR_TRY(tsr_where(ctx, &probs, keep, probs, none));
    TSR_TRY(tsr_binary_scalar(ctx, &x[2], "mul", x[2], tsr_scalar_float(1 / (1 - dropout))));
    TSR_TRY(tsr_matmul(ctx, &out, probs, x[2]));
  }
  TSR_TRY(tsr_to_dtype(ctx, &out, out, dtype));
  TSR_TRY(tsr_ret_tensor(c, 0, out));
  TSR_TRY(tsr_to_dtype(ctx, &probs, probs, dtype));
  return tsr_ret_tensor(c, 1, probs);
}

/* softmax that gives 0 instead of NaN where a whole row is -inf */
TSR_KERNEL(safe_softmax) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y, *low, *masked, *zero;
  int64_t dim = tsr_arg_int(c, 1);
  if (!tsr_arg_is_none(c, 2)) TSR_TRY(tsr_to_dtype(ctx, &x, x, (tsr_dtype)tsr_arg_int(c, 2)));
  TSR_TRY(tsr_softmax(ctx, &y, x, dim, false));
  TSR_TRY(tsr_binary_scalar(ctx, &low, "eq", x, tsr_scalar_float(-INFINITY)));
  TSR_TRY(tsr_reduce(ctx, &masked, "all", low, 1, &dim, true, -1));
  TSR_TRY(tsr_new_scalar(ctx, &zero, (tsr_dtype)y->dtype, tsr_scalar_int(0)));
  TSR_TRY(tsr_where(ctx, &y, masked, zero, y));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- softmax(x) . v, which the optimiser puts in place of the two ---- */

static bool fits_scores(const tsr_tensor *x, const tsr_tensor *v, int64_t dim) {
  return x->dtype == TSR_FLOAT32 && v->dtype == TSR_FLOAT32 && x->ndim == 4 && v->ndim == 4 && (dim == -1 || dim == 3) && x->stride[3] == 1 &&
         x->size[0] == v->size[0] && x->size[1] == v->size[1] && x->size[3] == v->size[2] && x->numel > 0 && v->numel > 0;
}

/* Step by step, as the program had it. */
static tsr_status finish_plain(tsr_call *c, tsr_tensor *x, tsr_tensor *v, int64_t dim, tsr_dtype dtype) {
  tsr_tensor *out;
  TSR_TRY(tsr_softmax(c->ctx, &x, x, dim, false));
  TSR_TRY(tsr_to_dtype(c->ctx, &x, x, dtype));
  TSR_TRY(tsr_matmul(c->ctx, &out, x, v));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(softmax_matmul) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *v = tsr_arg_tensor(c, 1), *out;
  int64_t dim = tsr_arg_int(c, 2), dtype = tsr_arg_is_none(c, 3) ? x->dtype : tsr_arg_int(c, 3);
  if (dtype != TSR_FLOAT32 || !fits_scores(x, v, dim)) return finish_plain(c, x, v, dim, (tsr_dtype)dtype);
  TSR_TRY(new_result(ctx, &out, x, v->size[3], tsr_arg_bool(c, 4)));
  job j = {.ctx = ctx, .f = ctx->kernels->gemm, .nn = ctx->kernels->nn, .x = x, .v = v, .out = out, .heads = x->size[1], .group = 1,
           .l = x->size[2], .s = x->size[3]};
  TSR_TRY(run_job(&j, x->size[0]));
  return tsr_ret_tensor(c, 0, out);
}

/* ---- softmax(q . kt * scale + mask) . v, the same for the whole of it ---- */

typedef struct whole {
  tsr_tensor *q, *kt, *v, *mask;
  tsr_tensor *windows;    /* added to the scores in the shape view; or NULL */
  const int64_t *view; int64_t nview;
  double scale;
  bool scale_q;           /* as the program had it: before the product */
  int64_t dim;
  tsr_dtype dtype;
} whole;

/* m broadcasts to the scores and does not enlarge them. */
static bool fits_mask(const tsr_tensor *m, const int64_t size[4]) {
  if (m->dtype != TSR_FLOAT32 || m->ndim > 4) return false;
  for (int d = 0; d < m->ndim; d++)
    if (m->size[d] != 1 && m->size[d] != size[4 - m->ndim + d]) return false;
  return true;
}

/* Scores of b batches seen as [b / w, w, h, l, s], and a mask [1, w, 1 or h, l, s]. */
static bool fits_windows(const whole *a, const int64_t size[4]) {
  const tsr_tensor *w = a->windows;
  if (w == NULL) return true;
  if (w->dtype != TSR_FLOAT32 || w->ndim != 5 || w->size[0] != 1 || w->size[1] == 0 || size[0] % w->size[1] != 0) return false;
  bool shape = (a->view[0] == size[0] / w->size[1] || a->view[0] == -1) && a->view[1] == w->size[1];
  for (int d = 1; d < 4; d++) shape = shape && a->view[1 + d] == size[d] && (w->size[1 + d] == size[d] || (d == 1 && w->size[2] == 1));
  return shape && w->stride[4] == 1;
}

static bool fits_whole(const whole *a) {
  const tsr_tensor *q = a->q, *k = a->kt, *v = a->v;
  if (a->dtype != TSR_FLOAT32 || q->dtype != TSR_FLOAT32 || k->dtype != TSR_FLOAT32 || v->dtype != TSR_FLOAT32) return false;
  if (q->ndim != 4 || k->ndim != 4 || v->ndim != 4 || (a->dim != -1 && a->dim != 3)) return false;
  int64_t size[] = {q->size[0], q->size[1], q->size[2], k->size[3]};
  for (int d = 0; d < 2; d++)
    if (k->size[d] != size[d] || v->size[d] != size[d]) return false;
  if (q->size[3] != k->size[2] || q->size[3] == 0 || size[3] != v->size[2] || v->numel == 0 || q->numel == 0) return false;
  return (a->mask == NULL || fits_mask(a->mask, size)) && fits_windows(a, size);
}

static tsr_status add_windows(tsr_ctx *ctx, const whole *a, tsr_tensor **x) {
  tsr_tensor *seen;
  TSR_TRY(tsr_view_as(ctx, &seen, *x, (int)a->nview, a->view));
  TSR_TRY(tsr_binary(ctx, &seen, "add", seen, a->windows));
  return tsr_view_as(ctx, x, seen, 4, (int64_t[]){-1, a->view[2], a->view[3], a->view[4]});
}

static tsr_status scores_plain(tsr_ctx *ctx, const whole *a, tsr_tensor **x) {
  tsr_tensor *q = a->q;
  if (a->scale_q) TSR_TRY(tsr_binary_scalar(ctx, &q, "mul", q, tsr_scalar_float(a->scale)));
  TSR_TRY(tsr_matmul(ctx, x, q, a->kt));
  if (!a->scale_q && a->scale != 1) TSR_TRY(tsr_binary_scalar(ctx, x, "mul", *x, tsr_scalar_float(a->scale)));
  if (a->mask != NULL) TSR_TRY(tsr_binary(ctx, x, "add", *x, a->mask));
  return a->windows != NULL ? add_windows(ctx, a, x) : TSR_OK;
}

static tsr_status run_whole(tsr_ctx *ctx, whole *a, tsr_tensor *out) {
  tsr_tensor *k;
  TSR_TRY(tsr_transpose(ctx, &k, a->kt, 2, 3));
  TSR_TRY(inner_contiguous(ctx, &a->q));
  if (a->mask != NULL) TSR_TRY(expand_mask(ctx, &a->mask, a->q, k));
  if (a->windows != NULL) {
    int64_t size[5];
    memcpy(size, a->windows->size, sizeof size);
    size[2] = a->q->size[1];
    TSR_TRY(tsr_expand(ctx, &a->windows, a->windows, 5, size));
  }
  job j = {.ctx = ctx, .f = ctx->kernels->gemm, .nn = ctx->kernels->nn, .q = a->q, .k = k, .v = a->v, .mask = a->mask, .windows = a->windows,
           .out = out, .heads = a->q->size[1], .group = 1, .l = a->q->size[2], .s = k->size[2], .scale = (float)a->scale};
  if (j.mask == NULL) { /* one mask comes first */
    tsr_tensor *zero;
    int64_t size[] = {a->q->size[0], j.heads, j.l, j.s}, stride[] = {0, 0, 0, 1};
    if (j.windows == NULL) return run_job(&j, a->q->size[0]);
    TSR_TRY(tsr_new(ctx, &zero, TSR_FLOAT32, 1, &j.s));
    memset(zero->storage->data, 0, (size_t)j.s * sizeof(float));
    TSR_TRY(tsr_new_view(ctx, &zero, zero, 0, 4, size, stride));
    j.mask = zero;
  }
  return run_job(&j, a->q->size[0]);
}

TSR_KERNEL(attention) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *out;
  whole a = {.q = tsr_arg_tensor(c, 0), .kt = tsr_arg_tensor(c, 1), .v = tsr_arg_tensor(c, 2), .mask = tsr_arg_opt_tensor(c, 3),
             .windows = tsr_arg_opt_tensor(c, 4), .scale = tsr_arg_float(c, 6), .scale_q = tsr_arg_bool(c, 7), .dim = tsr_arg_int(c, 8)};
  a.view = tsr_arg_ints(c, 5, &a.nview);
  if (ctx->err.status != TSR_OK) return ctx->err.status;
  if (a.nview != 5) a.windows = NULL;
  a.dtype = tsr_arg_is_none(c, 9) ? (tsr_dtype)a.q->dtype : (tsr_dtype)tsr_arg_int(c, 9);
  if (!fits_whole(&a)) {
    tsr_tensor *x;
    TSR_TRY(scores_plain(ctx, &a, &x));
    return finish_plain(c, x, a.v, a.dim, tsr_arg_is_none(c, 9) ? (tsr_dtype)x->dtype : a.dtype);
  }
  TSR_TRY(new_result(ctx, &out, a.q, a.v->size[3], tsr_arg_bool(c, 10)));
  TSR_TRY(run_whole(ctx, &a, out));
  return tsr_ret_tensor(c, 0, out);
}

const tsr_op tsr_ops_attention[] = {
    {"tsr::softmax_matmul(Tensor x, Tensor v, int dim, ScalarType? dtype, bool by_row) -> Tensor", op_softmax_matmul, TSR_PURE | TSR_HIDDEN},
    {"tsr::attention(Tensor q, Tensor kt, Tensor v, Tensor? mask, Tensor? windows, int[]? view, float scale, bool scale_q, int dim, ScalarType? dtype, bool by_row) -> Tensor", op_attention, TSR_PURE | TSR_HIDDEN},
    {"aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0., bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor", op_sdpa, TSR_PURE},
    {"aten::_scaled_dot_product_attention_math(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0., bool is_causal=False, Tensor? dropout_mask=None, *, float? scale=None, bool enable_gqa=False) -> (Tensor, Tensor)", op_sdpa_math, TSR_PURE},
    {"aten::_safe_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", op_safe_softmax, TSR_PURE},
    {0}};
