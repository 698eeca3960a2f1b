/* Operator and function signatures: PyTorch's schema notation, parsed. */
#ifndef TSR_CORE_SCHEMA_H
#define TSR_CORE_SCHEMA_H

#include "core/value.h"

typedef struct tsr_param {
  const char *name;
  const tsr_type *type;
  int32_t list_size;     /* int[2]: 2, a lone int is repeated; int[1]: 1; else 0 */
  bool kwarg_only;
  bool has_default;
  bool is_mut;           /* (a!) */
  bool is_out;           /* mutable keyword-only: out= */
  char alias;            /* 'a' of (a) or (a!) or (a -> *); 0: none */
  tsr_val dflt;          /* immortal */
} tsr_param;

typedef struct tsr_schema {
  const char *name;      /* "aten::add" */
  const char *overload;  /* "Tensor" or "" */
  const char *text;      /* as declared */
  uint32_t param_count, ret_count;
  tsr_param *params;
  tsr_param *rets;       /* name may be "", type, alias, is_mut */
  bool vararg, varret;   /* ... */
  bool has_mut;          /* some parameter is written */
  const void *op;        /* const tsr_op *; NULL for functions */
} tsr_schema;

/* Parse "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor" into the table's arena. */
tsr_status tsr_schema_parse(tsr_types *types, tsr_errrec *e, const char *text, tsr_schema **out);
void tsr_schema_print(const tsr_schema *s, tsr_buf *out);

#endif
