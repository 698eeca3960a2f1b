/* Overload resolution: which signature a call means, and what each parameter receives.  Decides by
 * types only; the caller inserts the conversions that the result implies (see tsr_match_convert). */
#ifndef TSR_INTERP_MATCH_H
#define TSR_INTERP_MATCH_H

#include "interp/compile.h"

typedef struct tsr_arg {
  const tsr_type *type;
  const char *keyword; uint32_t keyword_len; /* NULL: positional */
  bool is_self;        /* the receiver of a method call: goes to the parameter named self */
  bool keep_tensor;    /* a tensor stays one: serialized code writes its conversions out */
  bool int_literal;    /* an integer constant: may stand for a float that was printed without its point */
  bool empty_list;     /* the literal []: takes the element type that is expected */
  struct tsr_ir_value *value; /* not looked at here */
} tsr_arg;

typedef enum tsr_bind_how {
  TSR_BIND_DEFAULT,    /* the parameter's default */
  TSR_BIND_ARG,        /* args[arg], converted to type */
  TSR_BIND_REPEAT,     /* int[N] given one number: a list of count times args[arg] */
  TSR_BIND_REST        /* a list of args[arg … arg + count), each converted to the element type */
} tsr_bind_how;

typedef struct tsr_bind { tsr_bind_how how; uint32_t arg, count; const tsr_type *type; } tsr_bind;

typedef struct tsr_matched {
  const tsr_candidate *cand;
  tsr_bind *binds;                      /* one a parameter */
  uint32_t vararg_begin, vararg_count;  /* positional arguments beyond the parameters of a vararg schema */
  const tsr_type **rets;                /* result types, type variables replaced */
  bool convert, lenient;                /* which conversions are allowed */
} tsr_matched;

/* First match wins: without conversions, then with, then with the lenient ones that only files need
 * which PyTorch's own printer broke.  false: none; why (may be NULL) says what is wrong with the only
 * candidate, or lists them, in the arena. */
bool tsr_match(tsr_compiler *c, const tsr_candidate *cands, size_t n, const tsr_arg *args, uint32_t nargs, tsr_matched *out, const char **why);

/* How one value becomes the wanted type. */
typedef enum tsr_conv {
  TSR_CONV_NONE,        /* it is one (or cannot become one: tsr_match_convert returns false) */
  TSR_CONV_OP,          /* through an operator: *op */
  TSR_CONV_LITERAL,     /* an integer constant becomes a float constant */
  TSR_CONV_EMPTY_LIST,  /* [] of the wanted element type */
  TSR_CONV_TUPLE_LIST,  /* tuple unpacked into a list */
  TSR_CONV_TUPLE        /* members converted one by one */
} tsr_conv;

/* false: the value cannot be used as want. */
bool tsr_match_convert(tsr_compiler *c, const tsr_arg *arg, const tsr_type *want, bool convert, bool lenient, tsr_conv *how, const char **op);

#endif
