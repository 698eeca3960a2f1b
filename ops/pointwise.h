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

/* How the common dtype follows from the operands, and the result's from it. */
typedef enum tsr_promo {
  TSR_PROMO_SAME,   /* result type of the operands */
  TSR_PROMO_FLOAT,  /* integers and truth values become the default float */
  TSR_PROMO_BOOL,   /* computed in the operands' type, the result is truth values */
  TSR_PROMO_NOINT,  /* integers are refused by the kernel */
} tsr_promo;

enum { /* dtypes a kernel refuses */
  TSR_NO_BOOL = 1, TSR_NO_INT = 2, TSR_NO_FLOAT = 4, TSR_NO_COMPLEX = 8, TSR_NO_HALF = 16,
};

/* One elementwise operator.  plan has a letter for each argument of the schema:
 * t operand, s number that is an operand, p number parameter (the next P), . ignored (out=, None …). */
typedef struct tsr_pw tsr_pw;
struct tsr_pw {
  tsr_map_id id;
  const char *plan;
  tsr_promo promo;
  uint32_t refuse;
  const char *kernel;  /* name in "\"%s\" not implemented for 'Bool'"; NULL: from the row's own name */
  /* checks and adjusts before the iterator is planned; may be NULL */
  tsr_status (*prepare)(tsr_call *c, const tsr_pw *pw, tsr_iter *it, tsr_map_params *p, tsr_map_id *id);
};
tsr_status tsr_pw_call(tsr_call *c);     /* functional rows; data: tsr_pw */
tsr_status tsr_pw_inplace(tsr_call *c);  /* args[0] is written and returned */
/* The same without a call: out NULL makes a new tensor, else it is written. */
tsr_status tsr_pw_run(tsr_ctx *ctx, const tsr_pw *pw, tsr_iter *it, tsr_map_params *p, tsr_map_id id, const char *name);
tsr_status tsr_check_result_cast(tsr_ctx *ctx, tsr_dtype from, tsr_dtype to);
tsr_status tsr_not_implemented(tsr_ctx *ctx, const char *kernel, tsr_dtype d);

/* Name of the running operator without namespace and overload, in buf. */
const char *tsr_op_short_name(const tsr_op *op, char *buf, size_t cap);

#endif
