/* Weight sources: an ordered set of named tensors, whatever file they lie in.  Their bytes stay in the file
 * until they are needed (frontend/raw.h). */
#ifndef TSR_FRONTEND_WEIGHTS_H
#define TSR_FRONTEND_WEIGHTS_H

#include "core/tensor.h"
#include "frontend/archive.h"
#include "frontend/atomic.h"

typedef enum tsr_role { TSR_ROLE_UNKNOWN, TSR_ROLE_PARAMETER, TSR_ROLE_BUFFER } tsr_role;

typedef struct tsr_weight {
  char *name;
  tsr_tensor *t;     /* raw; NULL: not a tensor, but a value of Python type other */
  char *other;       /* or NULL */
  tsr_role role;
  size_t first;      /* index of the first weight over the same bytes; its own when there is none before */
  char device[24];   /* where it was saved: "cpu", "cuda:1", "meta" */
} tsr_weight;

struct tsr_weights {
  tsr_mem *mem;
  tsr_types *types;
  char *path; /* of the file, as given */
  char *key;  /* where in it the weights were found; "" for the whole */
  tsr_weight *items;
  size_t count, cap;
  bool of_program; /* they are a TorchScript archive's own */
  tsr_dict *index; /* name -> position; made by tsr_weights_index */
};

tsr_status tsr_weights_new(const char *path, tsr_errrec *e, tsr_weights **out); /* own: tsr_weights_free */
/* t is borrowed and may be NULL; then other says what it is.  role: how a module declares it. */
tsr_status tsr_weights_add(tsr_weights *w, tsr_errrec *e, const char *name, size_t len, tsr_tensor *t, const char *other, tsr_role role);
/* All names are in: look for doubles, find who shares storage. */
tsr_status tsr_weights_index(tsr_weights *w, tsr_errrec *e);
bool tsr_weights_find(const tsr_weights *w, const char *name, size_t len, size_t *index);
/* Keep what key names: one tensor, or the names below "key.", which lose that prefix.  *found false: nothing was. */
tsr_status tsr_weights_select(tsr_weights *w, tsr_errrec *e, const char *key, bool *found);
tsr_status tsr_weights_fail_key(const tsr_weights *w, tsr_errrec *e, const char *key); /* "has no …" */
/* Fill from a file that is no TorchScript archive; key may be NULL. */
tsr_status tsr_weights_read(tsr_weights *w, tsr_errrec *e, tsr_archive *a, const char *key);
/* Strip, rename, add, in this order; indexes again. */
tsr_status tsr_weights_rename(tsr_weights *w, tsr_errrec *e, const tsr_weights_options *opt);
bool tsr_weight_has_data(const tsr_weight *x); /* not of the meta device */

/* ---- parts ---- */
tsr_status tsr_weights_from_value(tsr_weights *w, tsr_errrec *e, tsr_val v, const char *key); /* a pickle's value (weights_tree.c) */
tsr_status tsr_weights_from_folder(tsr_weights *w, tsr_errrec *e, const char *path);          /* Hugging Face's (weights_folder.c) */
tsr_status tsr_weights_from_index(tsr_weights *w, tsr_errrec *e, tsr_archive *a);             /* model.safetensors.index.json */
/* Whole tensors into a file of a format: one at a time.  note: told what the format cannot keep; may be NULL. */
typedef void (*tsr_note_fn)(void *user, const char *line);
tsr_status tsr_weights_write(const tsr_weights *w, tsr_errrec *e, const char *path, const char *format, tsr_note_fn note, void *user);

#endif
