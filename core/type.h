/* TorchScript types, interned in a table: equal types are equal pointers within one table, and the
 * basic types are the same static objects everywhere.
 *
 * A table (tsr_types) belongs to a model; values that leave the model keep the table alive.
 * Classes (modules, script classes, named tuples, enums, interfaces) are declared by the frontend's
 * user (interp) and only named here. */
#ifndef TSR_CORE_TYPE_H
#define TSR_CORE_TYPE_H

#include "core/mem.h"
#include "core/error.h"

typedef enum tsr_type_kind {
  TSR_T_TENSOR, TSR_T_INT, TSR_T_FLOAT, TSR_T_BOOL, TSR_T_COMPLEX, TSR_T_NUMBER, TSR_T_STR, TSR_T_NONE,
  TSR_T_ANY, TSR_T_DEVICE, TSR_T_GENERATOR, TSR_T_STREAM, TSR_T_CAPSULE, TSR_T_STORAGE,
  TSR_T_ANYLIST, TSR_T_ANYTUPLE, TSR_T_ANYENUM, TSR_T_ANYCLASS, /* "list", "tuple", "AnyEnumType", "AnyClassType" */
  TSR_T_LIST, TSR_T_DICT, TSR_T_TUPLE, TSR_T_OPTIONAL, TSR_T_UNION, TSR_T_FUTURE, TSR_T_AWAIT, TSR_T_RREF,
  TSR_T_CLASS, TSR_T_INTERFACE, TSR_T_ENUM, TSR_T_NAMEDTUPLE, TSR_T_FUNCTION, TSR_T_VAR /* schema variable: t, tVal */
} tsr_type_kind;

typedef struct tsr_class tsr_class;

typedef struct tsr_type {
  tsr_type_kind kind;
  uint32_t count;                        /* args */
  const struct tsr_type *const *args;    /* List: elem; Dict: key, value; Tuple, NamedTuple, Union: members; Optional, Future: inner */
  const char *name;                      /* VAR: "t"; class-like kinds: qualified name; else NULL */
  tsr_class *cls;                        /* CLASS, INTERFACE, ENUM, NAMEDTUPLE; NULL while undeclared */
} tsr_type;

/* A class as the runtime needs it.  Declared once, filled by interp, immutable afterwards. */
struct tsr_class {
  const char *name;               /* "__torch__.torch.nn.modules.linear.Linear" */
  const tsr_type *type;           /* its own type */
  bool is_module;
  bool is_custom;                 /* __torch__.torch.classes.*: slot 0 holds the pickled state */
  uint32_t attr_count;
  const char **attr_names;        /* slot order = declaration order; also NamedTuple fields */
  const tsr_type **attr_types;
  uint32_t member_count;          /* enum members */
  const char **member_names;
  struct tsr_val *member_values;
  void *impl;                     /* interp's own record (AST, methods) */
};

extern const tsr_type tsr_type_tensor, tsr_type_int, tsr_type_float, tsr_type_bool, tsr_type_complex,
    tsr_type_number, tsr_type_str, tsr_type_none, tsr_type_any, tsr_type_device, tsr_type_generator,
    tsr_type_stream, tsr_type_capsule, tsr_type_storage, tsr_type_anylist, tsr_type_anytuple,
    tsr_type_anyenum, tsr_type_anyclass, tsr_type_function;

typedef struct tsr_types tsr_types;
tsr_types *tsr_types_new(void);                /* one reference; thread-safe once built: look-ups lock */
void tsr_types_retain(tsr_types *t);
void tsr_types_release(tsr_types *t);
tsr_arena *tsr_types_arena(tsr_types *t);      /* lives as long as the table */

/* NULL: out of memory. */
const tsr_type *tsr_type_list(tsr_types *t, const tsr_type *elem);
const tsr_type *tsr_type_dict(tsr_types *t, const tsr_type *key, const tsr_type *value);
const tsr_type *tsr_type_tuple(tsr_types *t, const tsr_type *const *members, uint32_t n);
const tsr_type *tsr_type_optional(tsr_types *t, const tsr_type *inner); /* of Optional, None or Any: as PyTorch collapses them */
const tsr_type *tsr_type_union(tsr_types *t, const tsr_type *const *members, uint32_t n); /* flattened, as a set; T|None becomes Optional */
const tsr_type *tsr_type_wrap(tsr_types *t, tsr_type_kind kind /* FUTURE, AWAIT, RREF */, const tsr_type *inner);
const tsr_type *tsr_type_var(tsr_types *t, const char *name);
/* The class-like type of this qualified name, made when first asked for; kind is set by the declarer.
 * Unknown names start as TSR_T_CLASS with cls == NULL. */
tsr_type *tsr_type_named(tsr_types *t, const char *qualified_name, size_t len);

/* Parse "Dict[str, List[Optional[Tensor]]]", "Tensor(a!)?" is NOT accepted here (see schema.h).
 * Accepts every type word of serialized code and of bytecode files. */
tsr_status tsr_type_parse(tsr_types *t, tsr_errrec *e, const char *text, size_t len, const tsr_type **out);
void tsr_type_print(const tsr_type *t, tsr_buf *out); /* "Optional[Tensor]", as annotations are printed */

/* a is usable where b is declared, without conversion: Optional, Union, Any, number, base classes, None. */
bool tsr_type_is_subtype(const tsr_type *a, const tsr_type *b);
bool tsr_type_equal(const tsr_type *a, const tsr_type *b); /* structural: also across tables */
bool tsr_type_accepts_none(const tsr_type *t);
bool tsr_type_may_hold(const tsr_type *t); /* objects, or what holds any: only through such types can values contain themselves */
/* Least common type of two branches: NULL when there is none but Union. */
const tsr_type *tsr_type_unify(tsr_types *t, const tsr_type *a, const tsr_type *b);

#endif
