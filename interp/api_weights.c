/* Public weights: opening any file of named tensors, reading them, writing them. */
#include "frontend/weights.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "frontend/raw.h"
#include "frontend/text.h"
#include "interp/api.h"
#include "interp/state.h"

/* ---- FILE:KEY ---- */

static bool exists(const char *path, size_t len) {
  struct stat s;
  char *copy = strndup(path, len);
  bool there = copy != NULL && stat(copy, &s) == 0;
  free(copy);
  return there;
}

/* The longest beginning that is a file, up to a colon; the whole when there is none. */
static size_t path_length(const char *where) {
  size_t n = strlen(where);
  if (exists(where, n)) return n;
  for (size_t i = n; i-- > 1;)
    if (where[i] == ':' && exists(where, i)) return i;
  const char *slash = strrchr(where, '/'), *colon = strchr(slash != NULL ? slash : where, ':');
  return colon != NULL && colon != where ? (size_t)(colon - where) : n; /* for the message that it is not there */
}

/* ---- archives that hold a program ---- */

typedef struct collector { tsr_weights *w; tsr_errrec *e; } collector;

static tsr_status on_tensor(void *user, const char *name, tsr_tensor *t, tsr_role role) {
  collector *c = user;
  return tsr_weights_add(c->w, c->e, name, strlen(name), t, NULL, role);
}

static tsr_status collect(void *user, tsr_program *p, tsr_errrec *e) {
  collector c = {user, e};
  tsr_state_visitor v = {&c, on_tensor, NULL};
  return tsr_state_visit(p, e, &v);
}

static tsr_status read_program(tsr_weights *w, tsr_errrec *e, tsr_archive *a, const char *key) {
  tsr_load_options opt = {.struct_size = sizeof opt, .threads = 1, .allow_missing_ops = true};
  bool found = true;
  tsr_archive_retain(a);
  TSR_TRY(tsr_model_visit_archive(a, &opt, collect, w, e));
  if (w->count == 0) return tsr_fail(e, TSR_EFORMAT, "%s has no parameters or buffers (torch.jit.freeze makes constants of them)", w->path);
  w->of_program = true;
  TSR_TRY(tsr_weights_index(w, e));
  if (key == NULL) return TSR_OK;
  TSR_TRY(tsr_weights_select(w, e, key, &found));
  return found ? TSR_OK : tsr_weights_fail_key(w, e, key);
}

static tsr_status read_any(tsr_weights *w, tsr_errrec *e, const char *key) {
  tsr_archive *a = NULL;
  TSR_TRY(tsr_archive_open(w->path, false, e, &a));
  tsr_file_kind k = tsr_archive_kind(a);
  bool program = k == TSR_FILE_TORCHSCRIPT || k == TSR_FILE_TORCHSCRIPT_LEGACY || k == TSR_FILE_LITE;
  tsr_status st = program ? read_program(w, e, a, key) : tsr_weights_read(w, e, a, key);
  tsr_archive_release(a);
  return st;
}

static tsr_status open_weights(const char *where, const tsr_weights_options *given, tsr_errrec *e, tsr_weights **out) {
  tsr_weights_options opt = {.struct_size = sizeof opt};
  size_t n = path_length(where);
  const char *key = where[n] == ':' && where[n + 1] != '\0' ? where + n + 1 : NULL;
  char *path = strndup(where, n);
  if (path == NULL) return tsr_fail_nomem(e);
  if (given != NULL && given->struct_size > 0) memcpy(&opt, given, TSR_MIN(given->struct_size, sizeof opt));
  tsr_status st = tsr_weights_new(path, e, out);
  free(path);
  TSR_TRY(st);
  st = read_any(*out, e, key);
  if (st == TSR_OK) st = tsr_weights_rename(*out, e, &opt);
  if (st == TSR_OK) return st;
  tsr_weights_free(*out);
  *out = NULL;
  return st;
}

tsr_status tsr_weights_open(const char *where, const tsr_weights_options *opt, tsr_weights **out, tsr_error **err) {
  tsr_errrec e = {0};
  if (where == NULL || out == NULL) tsr_fail(&e, TSR_EUSAGE, "tsr_weights_open: where and out must not be NULL");
  else open_weights(where, opt, &e, out);
  return e.status == TSR_OK ? TSR_OK : tsr_errrec_publish(&e, err);
}

/* ---- reading ---- */

const char *tsr_weights_key(const tsr_weights *w) { return w == NULL ? "" : w->key; }
bool tsr_weights_is_archive(const tsr_weights *w) { return w != NULL && w->of_program; }
size_t tsr_weights_count(const tsr_weights *w) { return w == NULL ? 0 : w->count; }

bool tsr_weights_info(const tsr_weights *w, size_t index, tsr_weight_info *out) {
  static const char *const layouts[] = {"strided", "sparse_coo", "sparse_csr", "mkldnn", "sparse_csc", "sparse_bsr", "sparse_bsc"};
  if (w == NULL || index >= w->count) return false;
  const tsr_weight *x = &w->items[index];
  *out = (tsr_weight_info){.name = x->name, .other = x->other, .first = x->first};
  if (x->t == NULL) return true;
  const tsr_tensor *t = x->t;
  out->dtype = (tsr_dtype)t->dtype;
  out->ndim = t->ndim;
  out->sizes = t->size;
  out->strides = t->stride;
  out->numel = t->numel;
  out->nbytes = (uint64_t)t->numel * tsr_tensor_itemsize(t);
  out->device = x->device;
  out->layout = t->layout < TSR_COUNT(layouts) ? layouts[t->layout] : "other";
  out->has_data = tsr_weight_has_data(x);
  out->requires_grad = t->requires_grad;
  out->is_parameter = x->role == TSR_ROLE_PARAMETER;
  out->is_buffer = x->role == TSR_ROLE_BUFFER;
  return true;
}

static tsr_status get(const tsr_weights *w, size_t index, tsr_errrec *e, tsr_value **out) {
  tsr_tensor *t = NULL;
  if (w == NULL || index >= w->count) return tsr_fail(e, TSR_EUSAGE, "tsr_weights_get: there is no weight %zu", index);
  const tsr_weight *x = &w->items[index];
  if (x->t == NULL) return tsr_fail(e, TSR_EUSAGE, "\"%s\" is no tensor, but a value of type %s", x->name, x->other);
  if (!tsr_weight_has_data(x)) return tsr_fail(e, TSR_EFORMAT, "\"%s\" was saved on the meta device: it has no data", x->name);
  TSR_TRY(tsr_tensor_cook(w->mem, e, x->t, &t));
  *out = tsr_value_wrap_take(tsr_from_obj(t), NULL, w->types);
  return *out != NULL ? TSR_OK : tsr_fail_nomem(e);
}

tsr_status tsr_weights_get(const tsr_weights *w, size_t index, tsr_value **out, tsr_error **err) {
  tsr_errrec e = {0};
  get(w, index, &e, out);
  return e.status == TSR_OK ? TSR_OK : tsr_errrec_publish(&e, err);
}

void tsr_weights_forget(const tsr_weights *w, size_t index) {
  if (w != NULL && index < w->count && w->items[index].t != NULL) tsr_storage_forget(w->items[index].t->storage);
}

tsr_status tsr_weights_save(const tsr_weights *w, const char *path, const char *format, void (*note)(void *user, const char *line), void *user,
                            tsr_error **err) {
  tsr_errrec e = {0};
  if (w == NULL || path == NULL) tsr_fail(&e, TSR_EUSAGE, "tsr_weights_save: weights and path must not be NULL");
  else tsr_weights_write(w, &e, path, format, note, user);
  return e.status == TSR_OK ? TSR_OK : tsr_errrec_publish(&e, err);
}
