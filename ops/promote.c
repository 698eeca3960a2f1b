/* Type promotion among operands, as torch.result_type. */
#include "ops/iter.h"
#include "ops/native.h"

typedef struct ranks { bool has[3]; tsr_dtype type[3]; } ranks; /* 0: with dims, 1: 0-dim, 2: Python numbers */

static void note(ranks *r, int rank, tsr_dtype d) {
  r->type[rank] = r->has[rank] ? tsr_dtype_promote(r->type[rank], d) : d;
  r->has[rank] = true;
}

static tsr_dtype number_dtype(tsr_dtype d) {
  return tsr_dtype_is_complex(d) ? TSR_COMPLEX64 : tsr_dtype_is_float(d) ? TSR_FLOAT32 : d;
}

/* A lower rank matters only when its category is higher. */
static tsr_dtype combine(tsr_dtype hi, tsr_dtype lo) {
  if (tsr_dtype_is_complex(hi)) return hi;
  if (tsr_dtype_is_float(hi)) return tsr_dtype_is_complex(lo) ? tsr_dtype_complex_of(hi) : hi;
  if (hi == TSR_BOOL || tsr_dtype_is_float(lo) || tsr_dtype_is_complex(lo)) return tsr_dtype_promote(hi, lo);
  return hi;
}

static tsr_dtype settle(const ranks *r) {
  bool any = false;
  tsr_dtype d = TSR_FLOAT32;
  for (int k = 2; k >= 0; k--) {
    if (!r->has[k]) continue;
    d = any ? combine(r->type[k], d) : r->type[k];
    any = true;
  }
  return d;
}

tsr_dtype tsr_result_type(tsr_tensor *const *ts, int n) {
  ranks r = {{false, false, false}, {0}};
  for (int i = 0; i < n; i++) {
    const tsr_tensor *t = ts[i];
    if (t == NULL) continue;
    if (t->wrapped_number) note(&r, t->ndim ? 0 : 2, number_dtype((tsr_dtype)t->dtype));
    else note(&r, t->ndim ? 0 : 1, (tsr_dtype)t->dtype);
  }
  return settle(&r);
}

tsr_dtype tsr_iter_result_type(const tsr_iter *it) {
  ranks r = {{false, false, false}, {0}};
  for (int k = it->nout; k < it->count; k++) {
    const tsr_iter_operand *o = &it->op[k];
    bool dims = o->t && o->t->ndim;
    note(&r, dims ? 0 : o->wrapped ? 2 : 1, o->wrapped ? number_dtype(o->dtype) : o->dtype);
  }
  return settle(&r);
}
