/* Readers and writers of single formats, behind tsr_file_load and tsr_file_save. */
#ifndef TSR_FRONTEND_FORMATS_H
#define TSR_FRONTEND_FORMATS_H

#include "frontend/archive.h"
#include "frontend/atomic.h"
#include "frontend/files.h"

/* Readers.  Tensors point into the archive's bytes where alignment and byte order allow, and keep it alive. */
tsr_status tsr_npy_load(const tsr_file_env *env, tsr_archive *a, tsr_val *out);
tsr_status tsr_npz_load(const tsr_file_env *env, tsr_archive *a, tsr_val *out);
tsr_status tsr_safetensors_load(const tsr_file_env *env, tsr_archive *a, tsr_val *out);

/* Writers, into an open output file. */
tsr_status tsr_npy_save(const tsr_file_env *env, tsr_outfile *o, tsr_val v);
tsr_status tsr_npz_save(const tsr_file_env *env, tsr_outfile *o, tsr_val v);
tsr_status tsr_safetensors_save(const tsr_file_env *env, tsr_outfile *o, tsr_val v);
tsr_status tsr_torch_save(const tsr_file_env *env, tsr_outfile *o, tsr_val v);

/* Named tensors, raw or not, written one after the other: at most one of them is in memory at a time. */
typedef struct tsr_named { const char *name; tsr_tensor *t; } tsr_named;
/* The tensors of a nest under the names of tsr_visit_tensors; free them also on failure. */
tsr_status tsr_collect_named(const tsr_file_env *env, tsr_val v, const char *alone, const char *prefix, tsr_named **items, size_t *count);
void tsr_named_free(tsr_named *items, size_t count);
tsr_status tsr_safetensors_write(const tsr_file_env *env, tsr_outfile *o, const tsr_named *items, size_t count);
tsr_status tsr_npz_write(const tsr_file_env *env, tsr_outfile *o, const tsr_named *items, size_t count);
tsr_status tsr_torch_write(const tsr_file_env *env, tsr_outfile *o, const tsr_named *items, size_t count); /* a dict */

/* What an npy header says. */
typedef struct tsr_npy_info { tsr_dtype dtype; bool swap, fortran; int ndim; int64_t size[TSR_MAX_NDIM]; size_t data_off; } tsr_npy_info;
tsr_status tsr_npy_parse_header(tsr_errrec *e, const void *bytes, size_t len, const char *what, tsr_npy_info *out);

/* Called for each tensor of a safetensors header, in the header's order, and for each metadata pair. */
typedef struct tsr_safetensors_visitor {
  void *user;
  tsr_status (*tensor)(void *user, const char *name, size_t name_len, tsr_dtype dtype, int ndim, const int64_t *size, const void *data, size_t nbytes);
  tsr_status (*metadata)(void *user, const char *key, size_t key_len, const char *value, size_t value_len); /* or NULL */
} tsr_safetensors_visitor;
tsr_status tsr_safetensors_visit(tsr_errrec *e, const void *bytes, size_t len, const tsr_safetensors_visitor *v);

/* ---- shared (files.c) ---- */

/* A tensor over the whole of a raw storage, which is taken (NULL: there was no memory for it). */
tsr_status tsr_tensor_raw(const tsr_file_env *env, tsr_storage *take, tsr_dtype dtype, int ndim, const int64_t *size,
                          const int64_t *stride, tsr_val *out);
/* A tensor over nbytes of foreign data: in place when it can be (keep != NULL), else copied, swapped, bools cleaned. */
tsr_status tsr_tensor_from_bytes(const tsr_file_env *env, tsr_archive *keep, const void *data, tsr_dtype dtype, bool swap, int ndim,
                                 const int64_t *size, const int64_t *stride, tsr_val *out);
/* Bytes of a dense tensor in C order: its own when it is, else a copy.  owned: free it. */
tsr_status tsr_tensor_pack(const tsr_file_env *env, const tsr_tensor *t, const void **data, size_t *nbytes, void **owned);
/* Visit the tensors of nested dicts, lists and tuples, with dotted names ("a.0").  Positions at the top get
 * prefix before their number; alone names a single tensor. */
typedef tsr_status (*tsr_named_fn)(void *user, const char *name, tsr_tensor *t);
tsr_status tsr_visit_tensors(const tsr_file_env *env, tsr_val v, const char *alone, const char *prefix, tsr_named_fn fn, void *user);
/* A number as a tensor of no dimensions, a tensor as itself.  own */
tsr_status tsr_as_tensor(const tsr_file_env *env, tsr_val v, tsr_tensor **out);
tsr_status tsr_env_nomem(const tsr_file_env *env);

#endif
