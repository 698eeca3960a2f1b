/* The intermediate representation: SSA values with TorchScript types, nodes in nested blocks.
 *
 * If:   inputs (cond);                 blocks then, else;  outputs = the blocks' returns
 * Loop: inputs (max_trip, cond, carried…); block params (i, carried…), returns (cond, carried…); outputs = carried
 * With: inputs (object); one block; the block's returns are the outputs.  __enter__ has been called
 *       before; callee is __exit__: run with (object, None, None, None) at the end, also when the block raises.
 * Op:   schema == NULL: the operator is missing; name says which; reaching the node is TSR_EUNSUPPORTED.
 *       An operator without results has no outputs.
 * Cast: slot 1: the file claims a type that its static type does not prove: check it at run time
 *       (tsr_val_is_instance), slot 0: proven, identity.
 * GetAttr: the slot of an object whose __init__ or __setstate__ is running may be unset: None
 *       where the type does not accept None must raise.
 * Uninitialized: any harmless value OF that type (0, "", [], an empty tensor, …): a hostile file may read it.
 * Fork runs its closure in place; a Future[T] is represented by the T itself, wait is a Cast; an Await[T] is a list (lower_special.c).
 * Text form: "%3 : Tensor = aten::add(%1, %2, %c1) # code/__torch__.py:5:9". */
#ifndef TSR_INTERP_IR_H
#define TSR_INTERP_IR_H

#include "core/schema.h"
#include "frontend/ranges.h"

typedef struct tsr_ir_value tsr_ir_value;
typedef struct tsr_ir_node tsr_ir_node;
typedef struct tsr_ir_block tsr_ir_block;
typedef struct tsr_ir_fn tsr_ir_fn;

/* X(kind, name, "inputs -> outputs; attributes") */
#define TSR_IR_KINDS(X)                                                                     \
  X(CONST, "prim::Constant", "-> 1; val")                                                   \
  X(OP, "op", "operands in schema order, defaults included -> rets; schema")                \
  X(IF, "prim::If", "cond -> n; 2 blocks")                                                  \
  X(LOOP, "prim::Loop", "max_trip, cond, carried -> carried; 1 block")                      \
  X(WITH, "prim::With", "object -> n; 1 block; callee: __exit__")                                             \
  X(GETATTR, "prim::GetAttr", "object -> 1; name, slot")                                    \
  X(SETATTR, "prim::SetAttr", "object, value; name, slot")                                  \
  X(CALL, "prim::CallFunction", "args -> 1; callee (tsr_ir_fn)")                            \
  X(CALL_VALUE, "prim::CallValue", "function value, args -> 1")                             \
  X(CALL_METHOD, "prim::CallMethod", "object, args -> 1; name: looked up in the object's class (interfaces)") \
  X(NEW, "prim::CreateObject", "-> 1; type")                                                \
  X(CLOSURE, "prim::Closure", "captures -> 1; callee")                                      \
  X(FORK, "prim::fork", "closure -> future, or -> future; 1 block.  Runs in place, an error waits") \
  X(TUPLE, "prim::TupleConstruct", "items -> 1; type may be a NamedTuple")                  \
  X(TUPLE_GET, "prim::TupleIndex", "tuple -> 1; slot (constant)")                           \
  X(TUPLE_UNPACK, "prim::TupleUnpack", "tuple -> n")                                        \
  X(LIST, "prim::ListConstruct", "items -> 1; type")                                        \
  X(LIST_UNPACK, "prim::ListUnpack", "list -> n, exact length")                             \
  X(DICT, "prim::DictConstruct", "key, value… -> 1; type")                                  \
  X(CAST, "prim::unchecked_cast", "any -> 1; type (no check)")                              \
  X(UNWRAP, "aten::_unwrap_optional", "optional -> 1; raises on None")                      \
  X(ISINSTANCE, "prim::isinstance", "any -> bool; types (a Union or one type)")             \
  X(UNINIT, "prim::Uninitialized", "-> 1; type")                                            \
  X(RAISE, "prim::RaiseException", "message, class name or None")                           \
  X(MODULE_ITEM, "prim::ModuleContainerIndex", "container, index or key -> 1; type")

typedef enum tsr_ir_kind {
#define X(kind, name, doc) TSR_IR_##kind,
  TSR_IR_KINDS(X)
#undef X
} tsr_ir_kind;

/* Where a node comes from: a byte offset in a source, and the chain of calls it was inlined through. */
typedef struct tsr_loc {
  const tsr_source *src; uint32_t begin, end;
  const char *function;         /* "forward", qualified for free functions */
  const struct tsr_loc *caller; /* NULL at the outermost */
  const char *module_path;      /* "layer1.0.conv2" after inlining, else NULL */
} tsr_loc;

struct tsr_ir_value {
  uint32_t id; const tsr_type *type; const char *name; /* name: user's, or NULL */
  tsr_ir_node *def;             /* NULL: parameter of `block` */
  tsr_ir_block *block;
  uint32_t uses;
};
struct tsr_ir_node {
  tsr_ir_kind kind;
  uint32_t nin, nout, nblocks;
  tsr_ir_value **in, **out;
  tsr_ir_block **blocks;
  tsr_ir_block *parent;
  tsr_ir_node *prev, *next;
  const tsr_loc *loc;
  const tsr_schema *schema;     /* OP */
  tsr_val val;                  /* CONST: immortal or owned by the function's constants */
  const char *name; uint32_t slot;
  const tsr_type *type;
  tsr_ir_fn *callee;
};
struct tsr_ir_block {
  uint32_t nparams, nrets;
  tsr_ir_value **params; tsr_ir_value **rets;
  tsr_ir_node *first, *last;
  tsr_ir_node *owner;           /* NULL: body of the function */
};
struct tsr_ir_fn {
  const char *name;             /* "__torch__.Net.forward" */
  tsr_schema *schema;           /* parameters (self first for methods) and result */
  tsr_ir_block *body;
  tsr_arena *arena;             /* of blocks, nodes and values: the model's, or an optimised copy's own */
  tsr_arena *names;             /* of what bytecode refers to, locations and paths: the model's */
  uint32_t next_id;
  bool lowered;                 /* body is filled; recursion is refused while lowering */
  void *code;                   /* tsr_bytecode once emitted (interp/bytecode.h); published atomically */
};

/* ---- building.  NULL or false: out of memory.  Arrays and nodes live in fn->arena. ---- */

tsr_ir_fn *tsr_ir_fn_new(tsr_arena *arena, const char *name);
tsr_ir_block *tsr_ir_block_new(tsr_ir_fn *fn, tsr_ir_node *owner);
tsr_ir_value *tsr_ir_block_add_param(tsr_ir_fn *fn, tsr_ir_block *b, const tsr_type *type, const char *name);
bool tsr_ir_block_add_ret(tsr_ir_fn *fn, tsr_ir_block *b, tsr_ir_value *v);
/* A detached node: nin inputs (NULL until set), room for nout outputs (see tsr_ir_add_output), nblocks empty blocks. */
tsr_ir_node *tsr_ir_node_new(tsr_ir_fn *fn, tsr_ir_kind kind, uint32_t nin, uint32_t nout, uint32_t nblocks, const tsr_loc *loc);
void tsr_ir_set_input(tsr_ir_node *n, uint32_t i, tsr_ir_value *v); /* keeps the counts of uses */
bool tsr_ir_add_input(tsr_ir_fn *fn, tsr_ir_node *n, tsr_ir_value *v);
tsr_ir_value *tsr_ir_add_output(tsr_ir_fn *fn, tsr_ir_node *n, const tsr_type *type, const char *name);
void tsr_ir_set_ret(tsr_ir_block *b, uint32_t i, tsr_ir_value *v);
void tsr_ir_append(tsr_ir_block *b, tsr_ir_node *n);
void tsr_ir_insert_before(tsr_ir_node *n, tsr_ir_node *before);
void tsr_ir_unlink(tsr_ir_node *n);        /* out of its block, inputs kept */
void tsr_ir_remove(tsr_ir_node *n);        /* unlink and drop its uses; outputs must be unused */
/* Every use of from inside block (and nested ones) becomes to. */
void tsr_ir_replace_uses(tsr_ir_block *block, tsr_ir_value *from, tsr_ir_value *to);

const char *tsr_ir_kind_name(tsr_ir_kind k);
void tsr_ir_print(const tsr_ir_fn *fn, tsr_buf *out); /* canonical text; locations as comments */
/* Types, dominance, shapes of blocks, counts of uses.  TSR_EINTERNAL names the first node that is wrong. */
tsr_status tsr_ir_verify(const tsr_ir_fn *fn, tsr_errrec *e);

#endif
