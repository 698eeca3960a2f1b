/* The elementwise engine: a formula of map.h over an iterator, and the rows of operators made of it. */
#ifndef TSR_OPS_POINTWISE_H
#define TSR_OPS_POINTWISE_H

#include "ops/iter.h"
#include "ops/map.h"
#include "ops/native.h"

/* Run formula id over a planned iterator in the common dtype: operands are converted to it, results
 * from it.  p may be NULL. */
tsr_status tsr_map_run(tsr_iter *it, tsr_map_id id, tsr_dtype common, const tsr_map_params *p);
void tsr_map_set_param(tsr_map_params *p, int i, tsr_scalar s);

typedef enum tsr_promo {
  TSR_PROMO_SAME,   /* computed in the operands' result type */
  TSR_PROMO_FLOAT,  /* integers and truth values become the default float first */
} tsr_promo;

enum { /* what a kernel refuses */
  TSR_NO_BOOL = 1, TSR_NO_INT = 2, TSR_NO_FLOAT = 4, TSR_NO_COMPLEX = 8, TSR_NO_HALF = 16,
  TSR_FLOAT_ONLY = TSR_NO_BOOL | TSR_NO_INT | TSR_NO_COMPLEX, TSR_INT_ONLY = TSR_NO_FLOAT | TSR_NO_COMPLEX,
};

/* An elementwise call being set up: operands are in, the result is not planned yet. */
typedef struct tsr_pw tsr_pw;
typedef struct tsr_pw_state {
  tsr_iter it;
  tsr_map_params p;
  tsr_map_id id;
  tsr_dtype common;
  const tsr_pw *pw;    /* its refusals are checked by tsr_pw_finish; or NULL */
  const char *name;    /* of the operator, for them */
  const tsr_call *call; /* whose out argument is looked at once the result's shape is known; or NULL */
} tsr_pw_state;

/* One elementwise operator.  plan has a letter for each argument of the schema: o operand (tensor or
 * number), p number parameter (the next of tsr_map_params; None leaves 0), . not used here. */
struct tsr_pw {
  tsr_map_id id;
  const char *plan;
  tsr_promo promo;
  uint32_t refuse;
  const char *kernel;        /* name in "\"abs_cpu\" not implemented for 'Bool'"; NULL: <operator>_cpu */
  const char *no_bool, *no_complex; /* the whole refusal where PyTorch has another text */
  tsr_status (*prepare)(tsr_call *c, tsr_pw_state *s); /* may change id, parameters, common; or NULL */
};

tsr_status tsr_pw_call(tsr_call *c);     /* functional rows; data: tsr_pw */
tsr_status tsr_pw_inplace(tsr_call *c);  /* args[0] is written and returned */

/* The steps of those, for kernels with arguments of their own. */
void tsr_pw_begin(tsr_pw_state *s, tsr_ctx *ctx, tsr_tensor *out /* NULL: new */);
void tsr_pw_operand(tsr_pw_state *s, tsr_val v); /* tensor or number */
/* All refusals of a dtype at once, for kernels of other shape. */
tsr_status tsr_pw_refuse(tsr_ctx *ctx, const tsr_pw *pw, const char *name, tsr_dtype common);
/* Plan and run in s->common; the result is op[0].t. */
tsr_status tsr_pw_finish(tsr_pw_state *s);
void tsr_pw_swap(tsr_pw_state *s, int a, int b);

tsr_status tsr_check_result_cast(tsr_ctx *ctx, tsr_dtype from, tsr_dtype to);
/* PyTorch's check when a number is stored as d: "value cannot be converted to type int8_t without overflow". */
tsr_status tsr_check_scalar_fits(tsr_ctx *ctx, tsr_scalar s, tsr_dtype d);
tsr_status tsr_not_implemented(tsr_ctx *ctx, const char *kernel, tsr_dtype d);
/* "abs" of "aten::abs_.out(…": borrowed from buf. */
const char *tsr_op_short_name(const tsr_op *op, char *buf, size_t cap);

#endif
