/* Values: 16-byte tagged unions and the reference-counted objects behind them.
 *
 * Ownership: borrow in, own out, take_ steals.  A function that receives a tsr_val borrows it; one
 * that returns or stores into *out gives the caller a reference; names with take_ consume their
 * argument.  Counts are atomic; objects flagged immortal are never counted (they belong to a model). */
#ifndef TSR_CORE_VALUE_H
#define TSR_CORE_VALUE_H

#include "core/mem.h"
#include "core/type.h"
#include "core/dtype.h"

typedef enum tsr_tag {
  TSR_V_NONE, TSR_V_BOOL, TSR_V_INT, TSR_V_FLOAT, TSR_V_DEVICE, /* unboxed */
  TSR_V_COMPLEX, TSR_V_STR, TSR_V_TENSOR, TSR_V_LIST, TSR_V_DICT, TSR_V_TUPLE, TSR_V_OBJECT, TSR_V_ENUM,
  TSR_V_FUNC, TSR_V_GENERATOR, TSR_V_CAPSULE
} tsr_tag;

typedef struct tsr_obj { /* header of every object */
  uint32_t refs;
  uint8_t tag;
  uint8_t immortal;
  uint16_t reserved;
  tsr_mem *mem;      /* what it is freed to */
} tsr_obj;

typedef struct tsr_str tsr_str;
typedef struct tsr_tensor tsr_tensor;
typedef struct tsr_list tsr_list;
typedef struct tsr_dict tsr_dict;
typedef struct tsr_tuple tsr_tuple;
typedef struct tsr_object tsr_object;
typedef struct tsr_enumval tsr_enumval;
typedef struct tsr_complex tsr_complex;
typedef struct tsr_func tsr_func;
typedef struct tsr_capsule tsr_capsule;

typedef struct tsr_device { int16_t type; int16_t index; } tsr_device; /* type: 0 cpu, 1 cuda, …; index -1: none */

typedef struct tsr_val {
  uint8_t tag;
  uint8_t reserved[7];
  union {
    int64_t i; double d; bool b; tsr_device dev;
    tsr_obj *o; tsr_str *s; tsr_tensor *t; tsr_list *l; tsr_dict *m; tsr_tuple *u; tsr_object *obj;
    tsr_enumval *e; tsr_complex *c; tsr_func *f; tsr_capsule *cap;
  };
} tsr_val;

struct tsr_complex { tsr_obj h; tsr_c128 z; };
struct tsr_str { tsr_obj h; size_t len; uint64_t hash; /* 0: not computed */ char bytes[]; /* NUL-terminated */ };
struct tsr_list { tsr_obj h; const tsr_type *elem; size_t len, cap; tsr_val *items; uint32_t watch; /* core/mem.h */ };
struct tsr_tuple { tsr_obj h; const tsr_type *type; /* NULL or a NamedTuple type: names */ size_t len; tsr_val items[]; };
struct tsr_object { tsr_obj h; tsr_class *cls; uint32_t count, watch; tsr_val slots[]; };
struct tsr_enumval { tsr_obj h; tsr_class *cls; uint32_t member; };
struct tsr_func { tsr_obj h; const void *code; uint32_t captured; tsr_val captures[]; }; /* function value or closure; code is interp's */
#define TSR_CAPSULE_ERROR "error" /* a future whose function raised: data is a tsr_errrec */
struct tsr_capsule { tsr_obj h; const char *kind; void *data; void (*free_fn)(void *data); };

/* Ordered dictionary: entries in insertion order, deleted ones have live == false until compaction. */
typedef struct tsr_entry { tsr_val key, value; uint64_t hash; bool live; } tsr_entry;
struct tsr_dict { tsr_obj h; const tsr_type *key_type, *value_type; size_t count; /* live */
                  tsr_entry *entries; size_t used, cap; uint32_t *index; size_t index_cap; uint32_t watch; };

static inline tsr_val tsr_none(void) { tsr_val v; memset(&v, 0, sizeof v); return v; }
static inline tsr_val tsr_bool(bool b) { tsr_val v = tsr_none(); v.tag = TSR_V_BOOL; v.b = b; return v; }
static inline tsr_val tsr_int(int64_t i) { tsr_val v = tsr_none(); v.tag = TSR_V_INT; v.i = i; return v; }
static inline tsr_val tsr_float(double d) { tsr_val v = tsr_none(); v.tag = TSR_V_FLOAT; v.d = d; return v; }
static inline tsr_val tsr_device_val(tsr_device d) { tsr_val v = tsr_none(); v.tag = TSR_V_DEVICE; v.dev = d; return v; }
/* Wrap an object pointer; the reference moves into the value. */
static inline tsr_val tsr_from_obj(void *object) { tsr_val v = tsr_none(); v.o = (tsr_obj *)object; v.tag = v.o->tag; return v; }
static inline bool tsr_is_boxed(tsr_val v) { return v.tag >= TSR_V_COMPLEX; }

void tsr_obj_free(tsr_obj *o); /* refs reached 0; iterative, so deep values cannot exhaust the stack */
static inline void tsr_obj_retain(void *object) {
  tsr_obj *o = (tsr_obj *)object;
  if (!o->immortal) __atomic_fetch_add(&o->refs, 1, __ATOMIC_RELAXED);
}
static inline void tsr_obj_release(void *object) {
  tsr_obj *o = (tsr_obj *)object;
  if (o == NULL || o->immortal) return;
  if (__atomic_load_n(&o->refs, __ATOMIC_ACQUIRE) == 1 || __atomic_fetch_sub(&o->refs, 1, __ATOMIC_ACQ_REL) == 1) tsr_obj_free(o);
}
static inline bool tsr_obj_is_unique(const void *object) {
  const tsr_obj *o = (const tsr_obj *)object;
  return !o->immortal && __atomic_load_n(&o->refs, __ATOMIC_ACQUIRE) == 1;
}
static inline tsr_val tsr_retain(tsr_val v) { if (tsr_is_boxed(v)) tsr_obj_retain(v.o); return v; }
static inline void tsr_release(tsr_val v) { if (tsr_is_boxed(v)) tsr_obj_release(v.o); }

/* Constructors: one reference, NULL when out of memory (or at the cap). */
tsr_str *tsr_str_new(tsr_mem *mem, const char *bytes, size_t len); /* bytes may be NULL: uninitialised */
tsr_complex *tsr_complex_new(tsr_mem *mem, double re, double im);
tsr_list *tsr_list_new(tsr_mem *mem, const tsr_type *elem, size_t reserve);
tsr_tuple *tsr_tuple_new(tsr_mem *mem, const tsr_type *named_or_null, size_t len); /* items None */
tsr_dict *tsr_dict_new(tsr_mem *mem, const tsr_type *key, const tsr_type *value);
tsr_object *tsr_object_new(tsr_mem *mem, tsr_class *cls, uint32_t slots); /* slots None */
tsr_enumval *tsr_enumval_new(tsr_mem *mem, tsr_class *cls, uint32_t member);
tsr_func *tsr_func_new(tsr_mem *mem, const void *code, uint32_t captures);
tsr_capsule *tsr_capsule_new(tsr_mem *mem, const char *kind, void *data, void (*free_fn)(void *));

/* Lists.  false: out of memory (the taken value is released). */
bool tsr_list_reserve(tsr_list *l, size_t cap);
bool tsr_list_push_take(tsr_list *l, tsr_val v);
bool tsr_list_insert_take(tsr_list *l, size_t at, tsr_val v);
void tsr_list_erase(tsr_list *l, size_t at);
void tsr_list_clear(tsr_list *l);

/* Dictionaries.  Keys: str, int, float, bool, complex, tensor (identity).  get borrows, NULL: absent. */
tsr_val *tsr_dict_get(const tsr_dict *d, tsr_val key);
bool tsr_dict_set(tsr_dict *d, tsr_val key, tsr_val value_take); /* key is borrowed and retained; false: out of memory */
bool tsr_dict_erase(tsr_dict *d, tsr_val key);                   /* true: was there */
void tsr_dict_clear(tsr_dict *d);
/* Iterate: for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1)) … d->entries[i] */
size_t tsr_dict_next(const tsr_dict *d, size_t from);

struct tsr_errrec;
static inline const struct tsr_errrec *tsr_val_error(tsr_val v) { /* of a future whose function raised, else NULL */
  return v.tag == TSR_V_CAPSULE && strcmp(v.cap->kind, TSR_CAPSULE_ERROR) == 0 ? (const struct tsr_errrec *)v.cap->data : NULL;
}
static inline bool tsr_val_is_watched(tsr_val v) { /* core/mem.h */
  return v.tag == TSR_V_OBJECT ? v.obj->watch != 0 : v.tag == TSR_V_LIST ? v.l->watch != 0 : v.tag == TSR_V_DICT && v.m->watch != 0;
}
bool tsr_val_may_hold(tsr_val v);                   /* by its type: see tsr_type_may_hold */
bool tsr_val_identical(tsr_val a, tsr_val b);       /* TorchScript's "is" */
/* Structural equality of everything but tensors (those: identity). */
bool tsr_val_equal(tsr_val a, tsr_val b);
uint64_t tsr_val_hash(tsr_val v);
const char *tsr_tag_name(tsr_val v);                /* "int", "List", … for messages */
const char *tsr_val_python_type(tsr_val v);         /* "NoneType", "list", …: what Python calls its type */
/* Would PyTorch accept v where t is declared?  Checks containers' element types by declaration, not by element. */
bool tsr_val_is_instance(tsr_val v, const tsr_type *t);
/* str(): as TorchScript prints (print, str, format).  See FORMAT facts: "1.", "[a, b]", "True", C++-style tensors. */
void tsr_val_print(tsr_val v, tsr_buf *out);
void tsr_val_print_type(tsr_val v, tsr_buf *out); /* "List[int]": the type that the value itself shows */
tsr_str *tsr_str_take_buf(tsr_mem *mem, tsr_buf *b); /* NULL: out of memory; disposes b */

const char *tsr_device_type_name(int type);          /* "cpu", "cuda", … */
bool tsr_device_parse(const char *text, size_t len, tsr_device *out);

#endif
