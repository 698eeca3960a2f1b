/* Feeding the formulas: blocks of operands in the compute type.  An operand whose elements lie in a row
 * in that very type is read and written where it is; everything else goes through a block buffer. */
#include "ops/pointwise.h"

#define BLOCK 512
#define GRAIN 32768 /* elements a task: fixed, so that results do not depend on the thread count */
#define MIN_ROW 32  /* shorter innermost rows are gathered into blocks */
#define LONG_ROW 512 /* from here on a call a row costs nothing */

typedef struct map_operand {
  tsr_ct ct;
  bool native;       /* the dtype is the compute type */
  bool linear;       /* elements in walk order are adjacent */
  bool periodic;     /* depends on the innermost dimension only: one pattern serves all blocks */
  bool round;        /* must take the common dtype's precision first */
  int64_t item;      /* bytes an element of ct */
  tsr_load_fn load;
  tsr_store_fn store;
} map_operand;

typedef struct map_job {
  tsr_iter *it;
  tsr_map_fn fn;
  const tsr_map_params *p;
  tsr_dtype common, common_out;
  int nin;
  bool rows;         /* walk row by row; else by gathered blocks */
  bool direct;       /* rows need no buffer at all */
  bool copy;         /* the formula is the operand itself: only conversions */
  map_operand op[TSR_ITER_MAX];
} map_job;

typedef struct map_work { /* of one task */
  const map_job *j;
  const char *filled[TSR_ITER_MAX]; /* what a broadcast buffer holds */
  int64_t filled_n[TSR_ITER_MAX];
  _Alignas(64) char buf[TSR_ITER_MAX][(BLOCK + LONG_ROW) * 16];
} map_work;

void tsr_map_set_param(tsr_map_params *p, int i, tsr_scalar s) {
  p->d[i] = s.d;
  p->i[i] = s.i;
  p->z[i] = s.z;
}

static void load_run(const map_work *w, int k, void *dst, const char *src, int64_t step, int64_t n) {
  const map_operand *o = &w->j->op[k];
  o->load(dst, src, step, n);
  if (o->round) tsr_cvt_round(o->ct, w->j->common, dst, n);
}

static void run_fn(const map_job *j, void *out, const void **in, int64_t n) {
  for (int k = j->nin; k < 3; k++) in[k] = in[0];
  j->fn(out, in, n, j->p);
}

static void store_run(const map_job *j, char *dst, int64_t step, void *src, int64_t n) {
  const map_operand *o = &j->op[0];
  if (o->round) tsr_cvt_round(o->ct, j->common_out, src, n);
  o->store(dst, step, src, n);
}

/* Operand k for elements [off, off + n) of a row. */
static const void *row_input(map_work *w, int k, const char *ptr, int64_t off, int64_t n) {
  const map_operand *o = &w->j->op[k];
  int64_t step = w->j->it->op[k].step[0];
  if (o->native && step == o->item) return ptr + off * step;
  if (step == 0) {
    if (w->filled[k] != ptr || w->filled_n[k] < n) {
      load_run(w, k, w->buf[k], ptr, 0, n);
      w->filled[k] = ptr;
      w->filled_n[k] = n;
    }
  } else load_run(w, k, w->buf[k], ptr + off * step, step, n);
  return w->buf[k];
}

/* Conversion only: straight from or to memory where one side needs none. */
static void copy_row(map_work *w, char *const *ptr, int64_t n) {
  const map_job *j = w->j;
  int64_t ostep = j->it->op[0].step[0];
  bool to_place = j->op[0].native && ostep == j->op[0].item;
  for (int64_t off = 0; off < n; off += BLOCK) {
    int64_t m = TSR_MIN(BLOCK, n - off), step = j->it->op[1].step[0];
    if (to_place) load_run(w, 1, ptr[0] + off * ostep, ptr[1] + off * step, step, m);
    else {
      const void *x = row_input(w, 1, ptr[1], off, m);
      if (j->op[0].round) memcpy(w->buf[0], x, (size_t)(m * j->op[0].item)), x = w->buf[0];
      store_run(j, ptr[0] + off * ostep, ostep, (void *)(uintptr_t)x, m);
    }
  }
}

static void map_row(void *arg, char *const *ptr, int64_t n) {
  map_work *w = arg;
  const map_job *j = w->j;
  const void *in[TSR_ITER_MAX];
  if (j->copy && !j->direct) {
    copy_row(w, ptr, n);
    return;
  }
  int64_t ostep = j->it->op[0].step[0];
  bool out_direct = j->op[0].native && ostep == j->op[0].item;
  int64_t block = j->direct ? n : BLOCK;
  for (int64_t off = 0; off < n; off += block) {
    int64_t m = TSR_MIN(block, n - off);
    for (int k = 0; k < j->nin; k++) in[k] = row_input(w, k + 1, ptr[k + 1], off, m);
    void *y = out_direct ? (void *)(ptr[0] + off * ostep) : (void *)w->buf[0];
    run_fn(j, y, in, m);
    if (!out_direct) store_run(j, ptr[0] + off * ostep, ostep, y, m);
  }
}

typedef struct piece { const map_work *w; int k; char *buf; } piece;
static void gather_row(void *arg, char *const *ptr, int64_t n) {
  piece *g = arg;
  load_run(g->w, g->k, g->buf, ptr[g->k], g->w->j->it->op[g->k].step[0], n);
  g->buf += n * g->w->j->op[g->k].item;
}
static void scatter_row(void *arg, char *const *ptr, int64_t n) {
  piece *g = arg;
  store_run(g->w->j, ptr[0], g->w->j->it->op[0].step[0], g->buf, n);
  g->buf += n * g->w->j->op[0].item;
}

/* The rows of a periodic operand, repeated; blocks start somewhere in the first. */
static const void *periodic_input(map_work *w, int k, int64_t at) {
  const map_operand *o = &w->j->op[k];
  const tsr_iter *it = w->j->it;
  int64_t row = it->size[0], total = BLOCK + row;
  if (w->filled[k] == NULL) {
    load_run(w, k, w->buf[k], it->op[k].data, it->op[k].step[0], row);
    for (int64_t have = row; have < total; have *= 2)
      memcpy(w->buf[k] + have * o->item, w->buf[k], (size_t)(TSR_MIN(have, total - have) * o->item));
    w->filled[k] = it->op[k].data;
  }
  return w->buf[k] + at % row * o->item;
}

static void map_block(map_work *w, int64_t at, int64_t n) {
  const map_job *j = w->j;
  const tsr_iter *it = j->it;
  const void *in[TSR_ITER_MAX];
  for (int k = 1; k <= j->nin; k++) {
    const map_operand *o = &j->op[k];
    int64_t item = (int64_t)tsr_dtype_size(it->op[k].dtype);
    if (o->linear && o->native) in[k - 1] = it->op[k].data + at * item;
    else if (o->periodic) in[k - 1] = periodic_input(w, k, at);
    else {
      in[k - 1] = w->buf[k];
      piece g = {w, k, w->buf[k]};
      if (o->linear) load_run(w, k, w->buf[k], it->op[k].data + at * item, item, n);
      else tsr_iter_rows(it, at, at + n, gather_row, &g);
    }
  }
  int64_t item = (int64_t)tsr_dtype_size(it->op[0].dtype);
  char *dst = it->op[0].data + at * item;
  if (j->op[0].linear && j->op[0].native) run_fn(j, dst, in, n);
  else {
    run_fn(j, w->buf[0], in, n);
    piece g = {w, 0, w->buf[0]};
    if (j->op[0].linear) store_run(j, dst, item, w->buf[0], n);
    else tsr_iter_rows(it, at, at + n, scatter_row, &g);
  }
}

static void direct_row(void *arg, char *const *ptr, int64_t n) {
  const map_job *j = arg;
  const void *in[TSR_ITER_MAX];
  for (int k = 0; k < j->nin; k++) in[k] = ptr[k + 1];
  run_fn(j, ptr[0], in, n);
}

static void map_range(void *arg, int64_t begin, int64_t end) {
  const map_job *j = arg;
  map_work w;
  w.j = j;
  for (int k = 0; k < TSR_ITER_MAX; k++) w.filled[k] = NULL;
  if (j->rows && j->direct) tsr_iter_rows(j->it, begin, end, direct_row, arg);
  else if (j->rows) tsr_iter_rows(j->it, begin, end, map_row, &w);
  else
    for (int64_t at = begin; at < end; at += BLOCK) map_block(&w, at, TSR_MIN(BLOCK, end - at));
}

static bool is_linear(const tsr_iter *it, int k) {
  int64_t next = (int64_t)tsr_dtype_size(it->op[k].dtype);
  for (int d = 0; d < it->ndim; d++) {
    if (it->size[d] != 1 && it->op[k].step[d] != next) return false;
    next *= it->size[d];
  }
  return true;
}

static bool keeps_number(tsr_map_id id) {
  return id == TSR_MAP_mul || id == TSR_MAP_div || id == TSR_MAP_div_floor || id == TSR_MAP_div_trunc;
}

static bool is_periodic(const tsr_iter *it, int k) {
  for (int d = 1; d < it->ndim; d++)
    if (it->op[k].step[d] != 0) return false;
  return it->ndim > 1 && it->size[0] < LONG_ROW;
}

/* full: a number beside a half precision tensor keeps float32 precision */
static void setup_operand(map_job *j, int k, tsr_ct ct, tsr_dtype common, bool full) {
  map_operand *o = &j->op[k];
  tsr_dtype d = j->it->op[k].dtype;
  o->ct = ct;
  o->item = tsr_ct_size(ct);
  o->native = tsr_ct_is_native(ct, d);
  o->linear = is_linear(j->it, k);
  o->load = tsr_cvt_load(ct, d);
  o->store = tsr_cvt_store(ct, d);
  o->round = d != common && !tsr_ct_is_native(ct, common) && ct != TSR_CT_U8 &&
             !(full && (j->it->op[k].t == NULL || j->it->op[k].t->numel == 1));
}

tsr_status tsr_map_run(tsr_iter *it, tsr_map_id id, tsr_dtype common, const tsr_map_params *p) {
  tsr_map_params none;
  if (it->numel == 0) return TSR_OK;
  if (p == NULL) {
    memset(&none, 0, sizeof none);
    p = &none;
  }
  tsr_ct ct = common == TSR_BOOL && tsr_map_get(id, TSR_CT_U8) ? TSR_CT_U8 : tsr_ct_of(common);
  int kind = tsr_map_out_kind(id);
  if (kind == TSR_MAP_OUT_Z) ct = TSR_CT_F64;
  map_job j = {.it = it, .fn = tsr_map_get(id, ct), .p = p, .common = common, .nin = it->count - 1};
  if (j.fn == NULL) return tsr_fail(&it->ctx->err, TSR_EINTERNAL, "formula %d has no code for %s", (int)id, tsr_dtype_name(common));
  tsr_ct out = kind == TSR_MAP_OUT_B ? TSR_CT_U8 : kind == TSR_MAP_OUT_Z ? TSR_CT_C128 : kind == TSR_MAP_OUT_M && ct == TSR_CT_C128 ? TSR_CT_F64 : ct;
  j.common_out = kind == TSR_MAP_OUT_B ? TSR_BOOL : kind == TSR_MAP_OUT_Z ? tsr_dtype_complex_of(common) : kind == TSR_MAP_OUT_M ? tsr_dtype_real_of(common) : common;
  setup_operand(&j, 0, out, j.common_out, false);
  for (int k = 1; k < it->count; k++) setup_operand(&j, k, id == TSR_MAP_where && k == 1 ? TSR_CT_U8 : ct, common, k == 2 && keeps_number(id));
  j.copy = id == TSR_MAP_copy;
  bool blocks = it->size[0] < LONG_ROW; /* rows that blocks of many rows can serve as well */
  for (int k = 0; k < it->count; k++) {
    j.op[k].periodic = k > 0 && is_periodic(it, k);
    blocks = blocks && (j.op[k].linear || j.op[k].periodic);
  }
  j.rows = it->ndim == 1 || (it->size[0] >= MIN_ROW && !blocks);
  j.direct = true;
  for (int k = 0; k < it->count; k++) {
    if (j.op[k].load == NULL || j.op[k].store == NULL)
      return tsr_fail(&it->ctx->err, TSR_EUNSUPPORTED, "elementwise operators are not available for %s", tsr_dtype_name(it->op[k].dtype));
    j.direct = j.direct && j.op[k].native && it->op[k].step[0] == j.op[k].item;
  }
  if (it->numel <= GRAIN) map_range(&j, 0, it->numel);
  else tsr_parallel_for(it->ctx, it->numel, GRAIN, map_range, &j);
  return TSR_OK;
}
