/* Inside the unpickler: the machine's state, shared by its opcodes (pickle.c), its containers
 * (pickle_value.c) and the builders of tensors (pickle_build.c). */
#ifndef TSR_FRONTEND_PICKLE_VM_H
#define TSR_FRONTEND_PICKLE_VM_H

#include "frontend/pickle.h"

#define TSR_PICKLE_MAX_NAME 512 /* bytes of a storage's entry name */
#define TSR_PICKLE_MAX_LIVE ((size_t)1 << 26) /* values on the stack, and in the memo */

/* Open-addressing map of 64-bit numbers; keys are stored plus one. */
typedef struct tsr_umap { uint64_t *keys, *vals; size_t count, cap; } tsr_umap;
uint64_t *tsr_umap_get(const tsr_umap *m, uint64_t key); /* NULL: absent */
bool tsr_umap_set(tsr_umap *m, uint64_t key, uint64_t val); /* false: out of memory */
void tsr_umap_dispose(tsr_umap *m);

typedef struct tsr_pvm tsr_pvm;
struct tsr_pvm {
  const tsr_pickle_options *opt;
  tsr_mem *mem;
  tsr_errrec *e;
  const uint8_t *p;      /* the pickle; at: next byte, op_at: the opcode being run, for messages */
  size_t len, at, op_at;
  tsr_val *stack;
  size_t sp, cap;
  size_t *marks;         /* stack heights */
  size_t mark_count, mark_cap;
  tsr_val *memo;
  size_t memo_count, memo_cap;
  tsr_umap memo_ids;     /* memo number -> index in memo */
  uint64_t memo_next;    /* number MEMOIZE gives */
  tsr_umap nest;         /* container's address -> depth << 1 | stored (see pickle_value.c) */
  bool recheck;          /* a cycle was cut: depths must be counted again at the end */
  uint64_t unlink_work;
  tsr_dict *globals;     /* "module.name" -> reference object */
  tsr_dict *storages;    /* key -> 1-D tensor over the whole storage */
  tsr_storage *meta;     /* of every storage on the meta device: it has no bytes */
  tsr_umap swapped;      /* untyped storages of a big-endian file whose bytes were put right */
  tsr_status (*persistent)(tsr_pvm *v, tsr_val id, tsr_val *out); /* own */
  void *user;
};

/* Record "what: offset N: …". */
tsr_status tsr_pvm_fail(tsr_pvm *v, tsr_status st, const char *fmt, ...) TSR_PRINTF(3, 4);
/* Out of memory, or at the memory cap. */
tsr_status tsr_pvm_nomem(tsr_pvm *v);
/* Run one pickle from bytes; *used: bytes up to and including STOP.  A vm may run several, one after the
 * other, that share storages (legacy files). */
void tsr_pvm_init(tsr_pvm *v, const tsr_pickle_options *opt, tsr_errrec *e);
tsr_status tsr_pvm_run(tsr_pvm *v, const void *bytes, size_t len, size_t *used, tsr_val *out);
void tsr_pvm_dispose(tsr_pvm *v);
/* Length of the pickle that starts at bytes, without running it; 0: it has no end. */
size_t tsr_pickle_extent(const void *bytes, size_t len);
/* One opcode with its operand, for readers that follow a pickle without running it.  false: at the end, an unknown
 * opcode (name is NULL), or an operand that reaches past the end. */
typedef struct tsr_pickle_op {
  uint8_t code;
  const char *name;
  size_t at;                     /* of the opcode */
  const uint8_t *arg, *arg2;     /* the bytes after a length; the lines of GLOBAL and INST */
  size_t arg_len, arg2_len;
} tsr_pickle_op;
bool tsr_pickle_decode(const void *bytes, size_t len, size_t *at, tsr_pickle_op *out);

/* ---- containers (pickle_value.c): depth is bounded and no value can come to contain itself ---- */
tsr_status tsr_pvm_new_list(tsr_pvm *v, tsr_val *out);
tsr_status tsr_pvm_new_dict(tsr_pvm *v, tsr_val *out);
tsr_status tsr_pvm_new_tuple(tsr_pvm *v, tsr_val *items_take, size_t n, tsr_val *out); /* takes items, also on failure */
/* items: n values, taken also on failure.  Works on lists, and on opaque objects (their items). */
tsr_status tsr_pvm_append(tsr_pvm *v, tsr_val list, tsr_val *items, size_t n);
tsr_status tsr_pvm_setitems(tsr_pvm *v, tsr_val dict, tsr_val *pairs, size_t n); /* n: keys and values */
/* A value is about to be held by something the machine cannot see (a hook). */
tsr_status tsr_pvm_seal(tsr_pvm *v, tsr_val child);
unsigned tsr_pvm_depth(tsr_pvm *v, tsr_val val);
tsr_status tsr_pvm_set_depth(tsr_pvm *v, tsr_val val, unsigned depth);
tsr_status tsr_pvm_check_depth(tsr_pvm *v, tsr_val root); /* after recheck */

/* Opaque objects.  A reference to a global is one whose args are None. */
enum { TSR_OPAQUE_ARGS, TSR_OPAQUE_STATE, TSR_OPAQUE_ITEMS, TSR_OPAQUE_SLOTS };
typedef struct tsr_pglobal { tsr_class cls; int tag; int64_t value; } tsr_pglobal; /* cls.impl == &tsr_opaque_marker */
tsr_status tsr_pvm_global(tsr_pvm *v, const char *module, size_t module_len, const char *name, size_t name_len, tsr_val *out);
const tsr_pglobal *tsr_pvm_as_global(tsr_val val);    /* NULL: not a bare reference */
const tsr_pglobal *tsr_pvm_as_opaque(tsr_val val);    /* NULL: not an opaque object (reference or made) */
bool tsr_pvm_is_script_class(tsr_val obj);            /* an opaque object or reference named "__torch__.…" */
tsr_status tsr_pvm_new_opaque(tsr_pvm *v, const tsr_pglobal *g, tsr_val args, tsr_val *out); /* args: borrowed */
tsr_status tsr_pvm_set_state(tsr_pvm *v, tsr_val obj, tsr_val state);                        /* state: borrowed */

/* ---- builders (pickle_build.c) ---- */
/* Tag (and constant value) of a global's name; 0: opaque. */
int tsr_pickle_tag(const char *name, size_t len, int64_t *value);
bool tsr_pickle_tag_is_constant(int tag);
/* callable(args): args is a tuple, or for enums the bare value. */
tsr_status tsr_pvm_reduce(tsr_pvm *v, tsr_val callable, tsr_val args, tsr_val *out);
/* Persistent ids of zip archives: ('storage', type, key, location, numel[, view]). */
tsr_status tsr_pvm_persistent_zip(tsr_pvm *v, tsr_val id, tsr_val *out);
/* An id of protocol 0, which is text: the tuple it shows, else the text itself. */
tsr_status tsr_pvm_text_id(tsr_pvm *v, const char *text, size_t len, tsr_val *out);

/* The parts of a persistent id. */
typedef struct tsr_pstorage {
  const tsr_str *key;
  tsr_dtype dtype;       /* UINT8 when untyped: numel is bytes then */
  bool untyped, meta;
  tsr_device device;     /* where it was saved */
  int64_t numel;
  size_t nbytes;
  const tsr_tuple *view; /* (key, offset, numel) in elements, or NULL */
} tsr_pstorage;
tsr_status tsr_pvm_parse_storage_id(tsr_pvm *v, tsr_val id, tsr_pstorage *out);
/* A 1-D tensor over the storage: what stands for a storage while unpickling.  storage: borrowed. */
tsr_status tsr_pvm_storage_token(tsr_pvm *v, tsr_storage *s, tsr_dtype dtype, int64_t offset, int64_t numel, tsr_val *out);
/* Element type named by a storage class or tensor class global. */
bool tsr_pickle_storage_type(const tsr_pglobal *g, tsr_dtype *dtype, bool *untyped);
/* Bring bytes of a storage into this machine's order, and bools to 0 or 1. */
void tsr_swap_bytes(void *data, size_t nbytes, tsr_dtype dtype);
bool tsr_bools_are_clean(const void *data, size_t nbytes);

#endif
