/* Operators: the row that declares one, the call it receives, the context it runs in.
 *
 * Temporaries: every tensor or value that a function of ops/ gives you is owned by the context's
 * temp list and released when the operator returns, also on errors.  Kernels never release anything;
 * returning a value (tsr_ret_*) takes its own reference. */
#ifndef TSR_OPS_OP_H
#define TSR_OPS_OP_H

#include "core/schema.h"
#include "core/tensor.h"
#include "core/threads.h"

typedef struct tsr_kernels tsr_kernels; /* ops/kernels.h: this CPU's function table */
typedef struct tsr_rng tsr_rng;         /* ops/random.h: mt19937 */
typedef struct tsr_site_heap tsr_site_heap; /* ops/site.h: where call sites keep packed weights */

typedef struct tsr_ctx { /* one a session */
  tsr_mem *mem;
  tsr_errrec err;
  tsr_pool *pool; int max_threads;
  tsr_site_heap *heap;             /* of the model; NULL in unit tests */
  const tsr_kernels *kernels;
  tsr_types *types;                /* of the model; may be NULL in unit tests */
  tsr_rng *rng;                    /* default generator */
  bool no_winograd;                /* convolutions by direct summation only */
  const struct tsr_maker *makers; uint32_t maker_count; /* while a site is prepared: of weights without bytes (ops/supply.h) */
  bool grad_enabled;               /* set_grad_enabled; starts false */
  tsr_val *temps; size_t temp_count, temp_cap;
  size_t temp_mark;                /* where those of the operator that runs begin */
  tsr_arena *scratch;              /* emptied when the outermost operator returns */
  int depth;                       /* nesting of operator calls */
  void (*print)(void *user, const char *text, size_t len);
  void (*warn)(void *user, const char *text, size_t len);
  void *user;
  uint64_t steps, max_steps;       /* 0: no limit */
  double deadline;                 /* tsr_clock_now() value, 0: none */
  int *cancel;                     /* atomic flag, or NULL */
  int archive_version;             /* operators with history ask */
  void *last_linear;               /* what the site of the last linear layer keeps; its model outlives the context, or this is NULL again */
  /* Run a script method on an object (sorting by __lt__); NULL where no program runs.  *out: own.  The
   * method may do anything, also to the operands: hold what is used afterwards. */
  tsr_status (*call_method)(struct tsr_ctx *ctx, tsr_val self, const char *name, const tsr_val *args, uint32_t nargs, tsr_val *out);
  void *machine;                   /* whoever set call_method */
} tsr_ctx;

/* What one call site remembers between calls: packed weights, shape decisions.  Shared by the sessions
 * of a model: fill, then publish once with compare-and-swap (tsr_site_publish). */
typedef struct tsr_site { void *data; void (*free_fn)(void *data); } tsr_site;

typedef struct tsr_op tsr_op;
typedef struct tsr_call {
  tsr_ctx *ctx;
  const tsr_op *op;
  tsr_val *args;        /* all parameters, defaults filled in, in schema order; borrowed (owned by the caller's window) */
  uint32_t nargs;
  tsr_val *rets;        /* nrets slots, None at entry; tsr_ret_* stores owned values */
  uint32_t nrets;
  uint64_t moved;       /* bit i: args[i] is the caller's last use: its buffer may be reused if unique */
  uint64_t constant;    /* bit i: args[i] is the same value at every call of this site */
  tsr_site *site;       /* NULL when there is none */
  uint64_t released;    /* set by a prepare function, bit i: later calls of this site never read the elements of args[i] */
  const tsr_val *outs;    /* what an out= form (TSR_OUT) will store its results into; NULL in others */
} tsr_call;

typedef tsr_status (*tsr_kernel_fn)(tsr_call *c);

enum { /* flags of a row */
  TSR_PURE = 1 << 0,     /* no side effects, result depends on arguments only: may be folded, shared, dropped */
  TSR_EFFECT = 1 << 1,   /* prints, raises, draws random numbers, … : never dropped or reordered */
  TSR_OUT = 1 << 2,      /* row is an out= form of a functional kernel: call.c runs it without the out arguments, then resizes and copies */
  TSR_INPLACE = 1 << 3,  /* row is an in-place form of a functional kernel: call.c runs it, checks shape and castability, copies into args[0] */
  TSR_NOOPT = 1 << 4,    /* never fold at compile time (e.g. creates a fresh mutable list or tensor) */
  TSR_HIDDEN = 1 << 5,   /* tsrun's own operator (tsr::…): not listed */
  TSR_ANY_LAYOUT = 1 << 6, /* looks at no element, or knows sparse tensors: others refuse them */
  TSR_ANY_ORDER = 1 << 7,  /* same values whatever order memory has, C-ordered results for C-ordered operands (layout.h) */
  TSR_OWN_ORDER = 1 << 8,  /* sees hidden operands (layout.h) and deals with them */
  TSR_OUT_SAME = TSR_OUT | 1 << 10,  /* … whose out argument has the result's element type: "Expected out tensor to have dtype …" */
  TSR_OUT_PLAIN = TSR_OUT | 1 << 14, /* … which PyTorch, too, copies a fresh result into: an out argument that is resized is contiguous */
  TSR_OUT_NEW = TSR_OUT_SAME | TSR_OUT_PLAIN,
  TSR_OUT_FOUND = TSR_OUT | 1 << 11, /* … in the words "Found dtype … but expected …" */
  TSR_OUT_OBJECT = TSR_OUT | 1 << 12, /* … "Expected object of scalar type … but got scalar type … for argument 'out'" */
  TSR_OUT_ANEW4 = 1 << 16,           /* added to those: PyTorch lays an out argument of 4 dimensions, even of the right size, out as a fresh result would be */
  TSR_OUT_ANEW5 = 1 << 17,           /* … of 5 */
  TSR_OUT_ACCESS = TSR_OUT | 1 << 15, /* … "expected scalar type … but found …" */
  TSR_OUT_LAPACK = TSR_OUT | 1 << 18, /* out arguments that are empty or laid out as LAPACK does are written to; else all of them are copied into, as in TSR_OUT_PLAIN */
  TSR_OUT_TRUTH = TSR_OUT | 1 << 13, /* the out argument is of bools or bytes: "… only supports bool tensor for result, got: …" */
  TSR_MAKES = 1 << 15, /* prepare asks for rows of float32 weights (ops/supply.h), which need not have bytes yet */
  TSR_STRUCTURED = 1 << 9, /* in-place form that PyTorch refuses in these words: "Bad in-place call: …" */
};

struct tsr_op {
  const char *schema;    /* PyTorch's notation, the whole declaration */
  tsr_kernel_fn kernel;
  uint32_t flags;
  const void *data;      /* family's formula or NULL */
  /* Fill c->site ahead of the first call, while the model loads: the arguments whose `constant` bit is set are
   * there, the others are None, there are no results.  It must publish what a call would (tsr_site_publish), may
   * do nothing when something that it needs is unknown or odd (the call will complain), and runs on one of several
   * threads, each with its own ctx.  NULL: nothing to prepare. */
  tsr_kernel_fn prepare;
};

/* Each family file defines one `const tsr_op tsr_ops_<family>[]` ending with {0}; ops/table.c lists them. */
extern const tsr_op *const tsr_op_families[]; /* NULL-terminated */
size_t tsr_op_count(void);
/* Overloads of "aten::add" in matching order (table order); n: how many; NULL when unknown. */
const tsr_op *const *tsr_op_find(const char *qualified_name, size_t len, size_t *n);
/* The row with exactly this name and overload, or NULL: tsr_op_get("aten::add", "Tensor"). */
const tsr_op *tsr_op_get(const char *name, const char *overload);

/* Run op->prepare, with temps and scratch memory as in a call; nothing happens when it is NULL. */
tsr_status tsr_call_prepare(tsr_call *c);
/* Run a call: handles TSR_OUT and TSR_INPLACE, temps, limits.  On failure rets are all None. */
tsr_status tsr_call_run(tsr_call *c);
void tsr_ctx_init(tsr_ctx *ctx, tsr_mem *mem, tsr_pool *pool); /* kernels of this CPU, seed 67280421310721 */
void tsr_ctx_dispose(tsr_ctx *ctx);
tsr_status tsr_ctx_poll(tsr_ctx *ctx, uint64_t steps); /* counts, and checks cancel, deadline, max_steps */

#define TSR_KERNEL(name) static tsr_status op_##name(tsr_call *c)
/* An operator refused its operands: PyTorch's text. */
#define tsr_op_fail(ctx, ...) tsr_fail(&(ctx)->err, TSR_ERAISED, __VA_ARGS__)
#define tsr_op_nomem(ctx) tsr_ctx_nomem(ctx)
tsr_status tsr_ctx_nomem(tsr_ctx *ctx); /* TSR_ENOMEM, or TSR_ELIMIT when the cap was hit */

/* ---- arguments: types were checked against the schema ---- */
static inline bool tsr_arg_is_none(const tsr_call *c, uint32_t i) { return c->args[i].tag == TSR_V_NONE; }
static inline tsr_tensor *tsr_arg_tensor(const tsr_call *c, uint32_t i) { return c->args[i].t; }
static inline tsr_tensor *tsr_arg_opt_tensor(const tsr_call *c, uint32_t i) { return c->args[i].tag == TSR_V_TENSOR ? c->args[i].t : NULL; }
static inline int64_t tsr_arg_int(const tsr_call *c, uint32_t i) { return c->args[i].i; }
static inline int64_t tsr_arg_int_or(const tsr_call *c, uint32_t i, int64_t dflt) { return tsr_arg_is_none(c, i) ? dflt : c->args[i].i; }
static inline bool tsr_arg_bool(const tsr_call *c, uint32_t i) { return c->args[i].b; }
static inline double tsr_arg_float(const tsr_call *c, uint32_t i) { return c->args[i].tag == TSR_V_INT ? (double)c->args[i].i : c->args[i].d; }
static inline tsr_str *tsr_arg_str(const tsr_call *c, uint32_t i) { return c->args[i].s; }
static inline tsr_list *tsr_arg_list(const tsr_call *c, uint32_t i) { return c->args[i].l; }
static inline tsr_dtype tsr_arg_dtype_or(const tsr_call *c, uint32_t i, tsr_dtype d) { return tsr_arg_is_none(c, i) ? d : (tsr_dtype)c->args[i].i; }
/* int[] / float[] / bool[] arguments (an int stands for a list of one): scratch memory; *n elements.  None: *n = -1, NULL. */
const int64_t *tsr_arg_ints(tsr_call *c, uint32_t i, int64_t *n);
const double *tsr_arg_floats(tsr_call *c, uint32_t i, int64_t *n);
/* Tensor[] or Tensor?[]: scratch array of borrowed pointers, NULL for None. */
tsr_tensor **tsr_arg_tensors(tsr_call *c, uint32_t i, int64_t *n);

/* A number argument of type Scalar. */
typedef struct tsr_scalar { tsr_tag tag; /* BOOL, INT, FLOAT, COMPLEX */ int64_t i; double d; tsr_c128 z; } tsr_scalar; /* every field is set by conversion */
tsr_scalar tsr_arg_scalar(const tsr_call *c, uint32_t i);
tsr_scalar tsr_scalar_of(tsr_val v);
static inline tsr_scalar tsr_scalar_int(int64_t i) { tsr_scalar s = {TSR_V_INT, i, (double)i, {(double)i, 0}}; return s; }
static inline tsr_scalar tsr_scalar_float(double d) { tsr_scalar s = {TSR_V_FLOAT, (d >= -9.2e18 && d <= 9.2e18) ? (int64_t)d : 0, d, {d, 0}}; return s; }

/* ---- results ---- */
tsr_status tsr_ret(tsr_call *c, uint32_t i, tsr_val v);                 /* retains v (temps keep theirs) */
tsr_status tsr_ret_tensor(tsr_call *c, uint32_t i, tsr_tensor *t);
static inline tsr_status tsr_ret_int(tsr_call *c, int64_t x) { c->rets[0] = tsr_int(x); return TSR_OK; }
static inline tsr_status tsr_ret_float(tsr_call *c, double x) { c->rets[0] = tsr_float(x); return TSR_OK; }
static inline tsr_status tsr_ret_bool(tsr_call *c, bool x) { c->rets[0] = tsr_bool(x); return TSR_OK; }
tsr_status tsr_ret_complex(tsr_call *c, double re, double im);
tsr_status tsr_ret_str(tsr_call *c, const char *bytes, size_t len);
tsr_status tsr_ret_tensors(tsr_call *c, uint32_t i, tsr_tensor **ts, int64_t n); /* a List[Tensor] */
tsr_status tsr_ret_ints(tsr_call *c, uint32_t i, const int64_t *xs, int64_t n);  /* a List[int] */

/* ---- temporaries ---- */
tsr_status tsr_temp(tsr_ctx *ctx, tsr_val v_take);                      /* register an owned value */
void *tsr_scratch(tsr_ctx *ctx, size_t size);                           /* zeroed, until the outermost operator returns; NULL: out of memory */
tsr_status tsr_new(tsr_ctx *ctx, tsr_tensor **out, tsr_dtype dtype, int ndim, const int64_t *size); /* C order, uninitialised */
tsr_status tsr_new_strided(tsr_ctx *ctx, tsr_tensor **out, tsr_dtype dtype, int ndim, const int64_t *size, const int64_t *stride);
tsr_status tsr_new_like(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *like, tsr_dtype dtype); /* preserve_format: strides kept, gaps closed */
void tsr_dense_strides(const tsr_tensor *t, int64_t *stride); /* in the order of t's own: what PyTorch gives a copy of a tensor with gaps or repetitions */
tsr_status tsr_new_scalar(tsr_ctx *ctx, tsr_tensor **out, tsr_dtype dtype, tsr_scalar s);         /* 0-dim */
/* A view of t's storage; checks that it stays inside. offset is absolute, in elements. */
tsr_status tsr_new_view(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *t, int64_t offset, int ndim, const int64_t *size, const int64_t *stride);
bool tsr_arg_moved(const tsr_call *c, uint32_t i); /* a tensor that was moved in and is the only holder of an owned, dense storage */
/* Result buffer for an operator whose output has args[i]'s shape, strides and dtype: args[i] itself when tsr_arg_moved; else tsr_new_like. */
tsr_status tsr_out_like(tsr_call *c, uint32_t i, tsr_tensor **out);
/* To write in place: tsr_tensor_data_mut with the error reported. */
tsr_status tsr_data_mut(tsr_ctx *ctx, tsr_tensor *t, void **data);

/* Split [0, n) into chunks of `grain` (fixed by the shape, never by the thread count) and run them on the pool. */
void tsr_parallel_for(tsr_ctx *ctx, int64_t n, int64_t grain, void (*fn)(void *arg, int64_t begin, int64_t end), void *arg);

/* Dimensions: wrap a negative dim, PyTorch's message ("Dimension out of range (expected to be in range of [-2, 1], but got 3)"). */
tsr_status tsr_wrap_dim(tsr_ctx *ctx, int64_t dim, int64_t ndim, int64_t *out); /* ndim 0 counts as 1 */
/* The element type as C++ spells it: what PyTorch's texts have ("c10::Half", "long int"). */
const char *tsr_dtype_c_name(tsr_dtype d);
/* A tensor's type as PyTorch's older checks print it: torch.FloatTensor, but CPUBoolType.  Returns buf. */
const char *tsr_dtype_class_print(char *buf, size_t cap, tsr_dtype d);
/* The element type of the i-th out argument of a TSR_OUT row; false in other forms. */
bool tsr_out_dtype(const tsr_call *c, uint32_t i, tsr_dtype *dtype);
/* The i-th out argument must be fit for results of this type: for kernels that PyTorch checks before it looks at something else.  words: in those of which
 * flag, also where a row forwards its out arguments; 0: of the row's own flag, and nothing happens in other forms. */
tsr_status tsr_out_check(const tsr_call *c, uint32_t i, tsr_dtype dtype, uint32_t words);
static inline tsr_status tsr_out_expect(const tsr_call *c, uint32_t i, tsr_dtype dtype) { return tsr_out_check(c, i, dtype, 0); }
static inline tsr_status tsr_out_same(const tsr_call *c, uint32_t i, tsr_dtype dtype) { return tsr_out_check(c, i, dtype, TSR_OUT_SAME); }
/* … must be of a type that this one can be cast to, in other words of PyTorch's: a format of the two types' names, this one's and the argument's; or in those
 * of linear algebra's older functions. */
tsr_status tsr_out_cast(const tsr_call *c, uint32_t i, tsr_dtype dtype, const char *format);
tsr_status tsr_out_access(const tsr_call *c, uint32_t i, tsr_dtype dtype); /* "expected scalar_type … but found …" */
tsr_status tsr_out_castable(const tsr_call *c, uint32_t i, tsr_dtype dtype, const char *function, const char *name);
/* What TSR_OUT_NEW does with a result, for kernels that store by themselves. */
tsr_status tsr_out_store(tsr_ctx *ctx, tsr_tensor *dst, tsr_tensor *src);
void tsr_sizes_print(char *buf, size_t cap, int ndim, const int64_t *size); /* "[2, 3]" */

/* Call another operator by row; args borrowed; result is a temp. */
tsr_status tsr_invoke(tsr_ctx *ctx, const tsr_op *op, tsr_val *args, uint32_t nargs, tsr_val *rets, uint32_t nrets);
/* … whose results will be stored into these (as many as results), or NULL. */
tsr_status tsr_invoke_for(tsr_ctx *ctx, const tsr_op *op, tsr_val *args, uint32_t nargs, tsr_val *rets, uint32_t nrets, const tsr_val *outs);

#endif
