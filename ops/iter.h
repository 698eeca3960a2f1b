/* Walking several strided operands together: broadcasting, output allocation with PyTorch's stride
 * rule, merging of dimensions, rows in memory order.  Knows nothing of formulas (see map.h). */
#ifndef TSR_OPS_ITER_H
#define TSR_OPS_ITER_H

#include "ops/op.h"

#define TSR_ITER_MAX 5

typedef struct tsr_iter_operand {
  tsr_tensor *t;       /* NULL: a number held in value, or an output not made yet */
  char *data;          /* first element; set by tsr_iter_plan for outputs */
  tsr_dtype dtype;
  bool out, wrapped;   /* wrapped: a Python number, weakest in promotion */
  int64_t step[TSR_MAX_NDIM];        /* bytes, innermost dimension first, 0 where broadcast */
  _Alignas(16) unsigned char value[16];
} tsr_iter_operand;

typedef struct tsr_iter {
  tsr_ctx *ctx;
  int count, nout;                   /* outputs come first */
  bool overlap_ok;                   /* the output may overlap itself (fill_) */
  bool fixed_out;                    /* the given outputs' shape takes part in broadcasting (copy_) */
  int promoted;                      /* the element type that inputs are converted to first, or -1: what such copies would look like decides the layout */
  int offer[TSR_ITER_MAX], offers;   /* inputs whose buffer a new output may take over */
  int shape_ndim;                    /* result shape, as the program sees it */
  int64_t shape[TSR_MAX_NDIM];
  int ndim;                          /* merged dimensions, innermost first; at least 1 */
  int64_t size[TSR_MAX_NDIM];
  int64_t numel;
  tsr_iter_operand op[TSR_ITER_MAX];
} tsr_iter;

void tsr_iter_init(tsr_iter *it, tsr_ctx *ctx);
/* Outputs first: t NULL makes a new tensor of this dtype; else t is written and must have the result's shape. */
void tsr_iter_add_out(tsr_iter *it, tsr_tensor *t, tsr_dtype dtype);
void tsr_iter_add_in(tsr_iter *it, const tsr_tensor *t);
/* Operand k is dense and nobody else's: op[0] may become it when shape, type and layout agree. */
static inline void tsr_iter_offer(tsr_iter *it, int k) { it->offer[it->offers++] = k; }
void tsr_iter_add_scalar(tsr_iter *it, tsr_scalar s); /* dtype int64, float64, bool or complex128 */
/* Result type of the inputs by PyTorch's rules. */
tsr_dtype tsr_iter_result_type(const tsr_iter *it);
/* The refusals about overlap and shape alone, in PyTorch's order; plan makes them too. */
tsr_status tsr_iter_check(tsr_iter *it);
/* Broadcast, check, allocate, merge.  After it op[0].t is the result. */
tsr_status tsr_iter_plan(tsr_iter *it);
static inline tsr_tensor *tsr_iter_out(const tsr_iter *it, int i) { return it->op[i].t; }

/* Rows of the linear range [begin, end): fn(arg, ptr[count], n); the distance between elements of
 * operand k is op[k].step[0]. */
typedef void (*tsr_iter_row_fn)(void *arg, char *const *ptr, int64_t n);
void tsr_iter_rows(const tsr_iter *it, int64_t begin, int64_t end, tsr_iter_row_fn fn, void *arg);

/* PyTorch's refusals of outputs that overlap themselves or an input. */
tsr_status tsr_check_no_internal_overlap(tsr_ctx *ctx, const tsr_tensor *t);
tsr_status tsr_check_no_partial_overlap(tsr_ctx *ctx, const tsr_tensor *out, const tsr_tensor *in);
tsr_status tsr_check_no_overlap(tsr_ctx *ctx, const tsr_tensor *out, const tsr_tensor *in); /* the same elements neither */
/* Do the two tensors' memory ranges intersect without being the same elements in the same order? */
bool tsr_may_overlap(const tsr_tensor *a, const tsr_tensor *b);

#endif
