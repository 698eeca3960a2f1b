/* The walk of a reduction.
 *
 * Kept and reduced dimensions are merged separately.  When a reduced dimension is innermost in memory,
 * runs along it are reduced by vectors (rows); when a kept one is, tiles of outputs are updated
 * elementwise (columns).  Long reductions are cut into segments whose partial results are joined in
 * order: the cuts depend on the shape only, so the result does not depend on the number of threads. */
#include "ops/reduce.h"

#define BLOCK 512
#define TILE 256
#define SEGMENT (1 << 16) /* elements */
#define GRAIN 32768

typedef struct axis { int64_t size, step, out; } axis; /* step in bytes; out in outputs */

typedef struct red_job {
  const tsr_red_fns *fns;
  const char *x;
  tsr_ct ct;
  tsr_load_fn load;
  bool native;
  int64_t item, acc_size;
  int nk, nr;                /* axes, outermost first */
  axis kept[TSR_MAX_NDIM], red[TSR_MAX_NDIM];
  int64_t nout, nred, segments, segment;
  bool columns;
  int64_t tiles;             /* columns: along the last kept axis */
  double p;
  const double *m;
  char *acc;                 /* [segments][nout] */
} red_job;

/* ---- geometry ---- */

static int merge(axis *a, int n) {
  int k = 0;
  for (int i = 0; i < n; i++) {
    if (a[i].size == 1) continue;
    if (k > 0 && a[k - 1].step == a[i].step * a[i].size && a[k - 1].out == a[i].out * a[i].size) {
      a[k - 1] = (axis){a[k - 1].size * a[i].size, a[i].step, a[i].out};
      continue;
    }
    a[k++] = a[i];
  }
  return k;
}

static int64_t mag(int64_t x) { return x < 0 ? -x : x; }

/* Largest step outermost, so that walks go through memory in order; step 0 (expanded) counts as large. */
static void sort_axes(axis *a, int n) {
  for (int i = 1; i < n; i++)
    for (int j = i; j > 0; j--) {
      int64_t s0 = mag(a[j - 1].step), s1 = mag(a[j].step);
      if (s1 == 0 || s0 == 0 ? s0 == 0 || s1 != 0 : s0 >= s1) break;
      axis t = a[j];
      a[j] = a[j - 1];
      a[j - 1] = t;
    }
}

static void find_axes(red_job *j, const tsr_reduction *r) {
  const tsr_tensor *x = r->x;
  int64_t out = 1;
  j->nout = j->nred = 1;
  for (int d = x->ndim - 1; d >= 0; d--) { /* innermost first, turned round below */
    axis a = {x->size[d], x->stride[d] * (int64_t)tsr_tensor_itemsize(x), 0};
    if (r->dims[d]) {
      j->red[j->nr++] = a;
      j->nred *= a.size;
    } else {
      a.out = out;
      out *= a.size;
      j->kept[j->nk++] = a;
      j->nout *= a.size;
    }
  }
  for (int i = 0; i < j->nk / 2; i++) { axis t = j->kept[i]; j->kept[i] = j->kept[j->nk - 1 - i]; j->kept[j->nk - 1 - i] = t; }
  for (int i = 0; i < j->nr / 2; i++) { axis t = j->red[i]; j->red[i] = j->red[j->nr - 1 - i]; j->red[j->nr - 1 - i] = t; }
  sort_axes(j->red, j->nr);
  j->nr = merge(j->red, j->nr);
  sort_axes(j->kept, j->nk);
  j->nk = merge(j->kept, j->nk);
}

static int64_t inner_step(const axis *a, int n) { return n == 0 || a[n - 1].step == 0 ? INT64_MAX : mag(a[n - 1].step); }

/* ---- walking ---- */

typedef struct walk { int64_t at[TSR_MAX_NDIM]; const char *ptr; } walk;

/* Place w at linear position pos of axes [0, n). */
static void walk_seek(walk *w, const axis *a, int n, int64_t pos, const char *base) {
  w->ptr = base;
  for (int d = n - 1; d >= 0; d--) {
    w->at[d] = pos % a[d].size;
    pos /= a[d].size;
    w->ptr += w->at[d] * a[d].step;
  }
}

/* One step along axis d (the innermost of those walked), carrying outwards. */
static void walk_next(walk *w, const axis *a, int d) {
  for (; d >= 0; d--) {
    w->ptr += a[d].step;
    if (++w->at[d] < a[d].size) return;
    w->ptr -= a[d].size * a[d].step;
    w->at[d] = 0;
  }
}

/* Elements [begin, end) of the reduced axes at base, into *acc. */
static void reduce_row(const red_job *j, const char *base, int64_t begin, int64_t end, double m, void *acc) {
  _Alignas(64) char buf[BLOCK * 16];
  _Alignas(16) char part[16];
  int last = j->nr - 1;
  int64_t step = j->nr ? j->red[last].step : 0, run = j->nr ? j->red[last].size : 1, fill = 0;
  bool direct = j->native && (step == j->item || run == 1);
  walk w;
  j->fns->init(acc, 1);
  walk_seek(&w, j->red, j->nr, begin, base);
  while (begin < end) {
    int64_t n = TSR_MIN(end - begin, j->nr ? run - w.at[last] : 1);
    const char *src = w.ptr;
    begin += n;
    if (j->nr) { /* to the start of the next run */
      w.ptr += (n - 1) * step;
      w.at[last] += n - 1;
      walk_next(&w, j->red, last);
    }
    if (direct && n >= 32) {
      j->fns->run(part, src, n, m, j->p);
      j->fns->join(acc, part, 1);
      continue;
    }
    while (n > 0) { /* short or strided runs are gathered */
      int64_t k = TSR_MIN(n, BLOCK - fill);
      j->load(buf + fill * j->item, src, step, k);
      src += k * step;
      n -= k;
      fill += k;
      if (fill == BLOCK) {
        j->fns->run(part, buf, fill, m, j->p);
        j->fns->join(acc, part, 1);
        fill = 0;
      }
    }
  }
  if (fill) {
    j->fns->run(part, buf, fill, m, j->p);
    j->fns->join(acc, part, 1);
  }
}

static int64_t out_index(const red_job *j, const walk *w, int n) {
  int64_t o = 0;
  for (int d = 0; d < n; d++) o += w->at[d] * j->kept[d].out;
  return o;
}

static char *acc_at(const red_job *j, int64_t segment, int64_t out) { return j->acc + (segment * j->nout + out) * j->acc_size; }

/* Units are (output, segment). */
static void rows_range(void *arg, int64_t begin, int64_t end) {
  const red_job *j = arg;
  walk w = {0};
  for (int64_t u = begin; u < end; u++) {
    int64_t k = u / j->segments, s = u % j->segments;
    if (u == begin || j->segments > 1) walk_seek(&w, j->kept, j->nk, k, j->x);
    int64_t o = out_index(j, &w, j->nk);
    reduce_row(j, w.ptr, s * j->segment, TSR_MIN((s + 1) * j->segment, j->nred), j->m ? j->m[o] : 0, acc_at(j, s, o));
    if (j->segments == 1) walk_next(&w, j->kept, j->nk - 1);
  }
}

/* Outputs [0, n) of a tile at base over the reduced range. */
static void reduce_tile(const red_job *j, const char *base, int64_t n, int64_t begin, int64_t end, const double *m, char *acc) {
  _Alignas(64) char buf[TILE * 16];
  int64_t step = j->kept[j->nk - 1].step;
  bool direct = j->native && step == j->item;
  walk w;
  j->fns->init(acc, n);
  walk_seek(&w, j->red, j->nr, begin, base);
  for (; begin < end; begin++) {
    const void *x = w.ptr;
    if (!direct) {
      j->load(buf, w.ptr, step, n);
      x = buf;
    }
    j->fns->col(acc, x, n, m, j->p);
    walk_next(&w, j->red, j->nr - 1);
  }
}

/* Units are (outer kept position, tile, segment). */
static void columns_range(void *arg, int64_t begin, int64_t end) {
  const red_job *j = arg;
  const axis *inner = &j->kept[j->nk - 1];
  _Alignas(64) char acc[TILE * 16];
  double m[TILE];
  for (int64_t u = begin; u < end; u++) {
    int64_t s = u % j->segments, tile = u / j->segments % j->tiles, outer = u / j->segments / j->tiles;
    walk w;
    walk_seek(&w, j->kept, j->nk - 1, outer, j->x);
    int64_t at = tile * TILE, n = TSR_MIN(TILE, inner->size - at), o = out_index(j, &w, j->nk - 1) + at * inner->out;
    for (int64_t i = 0; j->m && i < n; i++) m[i] = j->m[o + i * inner->out];
    reduce_tile(j, w.ptr + at * inner->step, n, s * j->segment, TSR_MIN((s + 1) * j->segment, j->nred), j->m ? m : NULL, acc);
    for (int64_t i = 0; i < n; i++) memcpy(acc_at(j, s, o + i * inner->out), acc + i * j->acc_size, (size_t)j->acc_size);
  }
}

/* ---- entry ---- */

static void cut(red_job *j) {
  int64_t units = j->nout; /* rows */
  int64_t inner = j->nk ? j->kept[j->nk - 1].size : 1;
  j->columns = j->nk > 0 && inner >= 4 && inner_step(j->kept, j->nk) < inner_step(j->red, j->nr);
  j->segment = SEGMENT;
  if (j->columns) {
    j->tiles = (inner + TILE - 1) / TILE;
    units = j->nout / inner * j->tiles;
    j->segment = TSR_MAX(SEGMENT / TSR_MIN(inner, TILE), 64);
  }
  if (units >= 64 || j->nred <= 2 * j->segment) j->segment = TSR_MAX(j->nred, 1);
  j->segments = TSR_MAX((j->nred + j->segment - 1) / j->segment, 1);
}

static void run_units(tsr_ctx *ctx, red_job *j) {
  int64_t inner = j->nk ? j->kept[j->nk - 1].size : 1;
  int64_t units = (j->columns ? j->nout / inner * j->tiles : j->nout) * j->segments;
  int64_t each = TSR_MIN(j->segment, j->nred) * (j->columns ? TSR_MIN(inner, TILE) : 1);
  int64_t grain = TSR_MAX(GRAIN / TSR_MAX(each, 1), 1);
  void (*fn)(void *, int64_t, int64_t) = j->columns ? columns_range : rows_range;
  if (units <= grain) fn(j, 0, units);
  else tsr_parallel_for(ctx, units, grain, fn, j);
}

tsr_status tsr_reduce_run(tsr_ctx *ctx, const tsr_reduction *r, void **acc) {
  red_job j = {.fns = tsr_red_get(r->id, r->ct), .x = tsr_tensor_data_ro(r->x), .ct = r->ct, .p = r->p, .m = r->m};
  tsr_dtype d = (tsr_dtype)r->x->dtype;
  j.load = tsr_cvt_load(r->ct, d);
  if (j.fns == NULL || j.load == NULL) return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "this reduction is not available for %s", tsr_dtype_name(d));
  j.native = tsr_ct_is_native(r->ct, d);
  j.item = tsr_ct_size(r->ct);
  j.acc_size = tsr_red_acc_size(r->ct);
  find_axes(&j, r);
  tsr_tensor *t;
  tsr_dtype kind = r->ct == TSR_CT_C128 ? TSR_COMPLEX128 : TSR_FLOAT64;
  if (j.nout == 0 || j.nred == 0) {
    TSR_TRY(tsr_new(ctx, &t, kind, 1, &j.nout));
    *acc = t->storage->data;
    if (j.nout) j.fns->init(*acc, j.nout);
    return TSR_OK;
  }
  cut(&j);
  TSR_TRY(tsr_new(ctx, &t, kind, 2, (int64_t[]){j.segments, j.nout}));
  *acc = j.acc = t->storage->data;
  run_units(ctx, &j);
  for (int64_t s = 1; s < j.segments; s++) j.fns->join(j.acc, acc_at(&j, s, 0), j.nout);
  return TSR_OK;
}

tsr_status tsr_reduce_dims(tsr_ctx *ctx, const tsr_tensor *x, const int64_t *dims, int64_t n, bool *mask) {
  for (int d = 0; d < TSR_MAX_NDIM; d++) mask[d] = n <= 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t d;
    TSR_TRY(tsr_wrap_dim(ctx, dims[i], x->ndim, &d));
    if (mask[d]) return tsr_op_fail(ctx, "dim %lld appears multiple times in the list of dims", (long long)d);
    mask[d] = true;
  }
  return TSR_OK;
}

int tsr_reduce_shape(const tsr_tensor *x, const bool *mask, bool keepdim, int64_t *size) {
  int n = 0;
  for (int d = 0; d < x->ndim; d++) {
    if (!mask[d]) size[n++] = x->size[d];
    else if (keepdim) size[n++] = 1;
  }
  return n;
}

int64_t tsr_reduce_count(const tsr_tensor *x, const bool *mask) {
  int64_t n = 1;
  for (int d = 0; d < x->ndim; d++)
    if (mask[d]) n *= x->size[d];
  return n;
}

tsr_status tsr_reduce_store(tsr_ctx *ctx, tsr_tensor **out, tsr_dtype dtype, int ndim, const int64_t *size, tsr_ct ct, const void *acc) {
  tsr_ct kind = ct == TSR_CT_F32 ? TSR_CT_F64 : ct;
  tsr_store_fn store = tsr_cvt_store(kind, dtype);
  if (store == NULL) return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "reductions to %s are not available", tsr_dtype_name(dtype));
  TSR_TRY(tsr_new(ctx, out, dtype, ndim, size));
  if ((*out)->numel) store((*out)->storage->data, (int64_t)tsr_dtype_size(dtype), acc, (*out)->numel);
  return TSR_OK;
}

tsr_status tsr_reduce_nonempty(tsr_ctx *ctx, const tsr_tensor *x, const bool *mask, const char *name) {
  if (x->numel > 0) return TSR_OK;
  for (int d = 0; d < x->ndim; d++)
    if (mask[d] && x->size[d] == 0)
      return tsr_op_fail(ctx, "%s(): Expected reduction dim %d to have non-zero size.", name, d);
  return TSR_OK;
}
