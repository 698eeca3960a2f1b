/* The unpickler: bytes to values, as data only.  Nothing named in a pickle is ever called: a fixed
 * table maps the globals tsrun understands to builders; all others become opaque records. */
#ifndef TSR_FRONTEND_PICKLE_H
#define TSR_FRONTEND_PICKLE_H

#include "core/tensor.h"
#include "frontend/archive.h"

/* Called for `__torch__…` objects (NEWOBJ + BUILD) and enums (REDUCE with the bare value).  The owner
 * (interp) makes the object: it may run __setstate__.  state is borrowed; *out: own. */
typedef struct tsr_pickle_hooks {
  void *user;
  tsr_status (*make_object)(void *user, tsr_errrec *e, const char *qualified_class, size_t len, tsr_val state, tsr_val *out);
  tsr_status (*make_enum)(void *user, tsr_errrec *e, const char *qualified_class, size_t len, tsr_val value, tsr_val *out);
} tsr_pickle_hooks;

typedef struct tsr_pickle_options {
  tsr_mem *mem;
  tsr_types *types;                /* for restore_type_tag and list element types */
  const tsr_pickle_hooks *hooks;   /* NULL: objects become opaque (see below) */
  tsr_archive *archive;            /* storages are entries "<prefix>/<key>"; mapped storages keep it alive */
  const char *prefix;              /* "data", "constants" */
  const char *what;                /* "data.pkl", for messages */
  bool raw;                        /* storages stay as they lie in the file (frontend/raw.h) */
} tsr_pickle_options;

/* Opaque things are objects of a synthetic class named like the global ("torch.optim.adam.Adam",
 * "__torch__.Net"): slot 0 "args" (tuple or None), slot 1 "state" (or None), and for dict or list
 * subclasses slot 2 "items".  Their class has impl == &tsr_opaque_marker. */
extern const char tsr_opaque_marker;

tsr_status tsr_unpickle(const tsr_pickle_options *opt, tsr_errrec *e, const void *bytes, size_t len, tsr_val *out);
/* A whole torch.save file of any age (zip, legacy stream, tar): storages from the file. */
tsr_status tsr_torch_load(tsr_archive *a, tsr_mem *mem, tsr_types *types, tsr_errrec *e, tsr_val *out);
/* The same with raw storages (frontend/raw.h): no byte of a tensor is read. */
tsr_status tsr_torch_load_raw(tsr_archive *a, tsr_mem *mem, tsr_types *types, tsr_errrec *e, tsr_val *out);

#endif
