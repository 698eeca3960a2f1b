/* A copy of an archive with other weights: the bytes of its parameters and buffers are exchanged, every other entry
 * is carried over as it is. */
#include <stdlib.h>

#include "frontend/pour.h"
#include "frontend/text.h"
#include "interp/api.h"
#include "interp/state.h"

/* Bytes for an entry. */
typedef struct part {
  const tsr_file_env *env;
  tsr_storage *s; /* NULL: as they are */
} part;

typedef struct merge {
  tsr_errrec *e;
  tsr_archive *a;
  const char *path;
  tsr_file_env env;
  part *by_entry;
} merge;

static tsr_status on_tensor(void *user, const char *name, tsr_tensor *t, tsr_role role) {
  merge *m = user;
  tsr_storage *s = t->storage;
  tsr_entry_info info = {0};
  TSR_UNUSED(role);
  if (t->numel == 0) return TSR_OK;
  if (s->entry != 0) tsr_archive_entry(m->a, s->entry - 1, &info);
  if (s->entry == 0 || info.size != s->nbytes)
    return tsr_fail(m->e, TSR_EUNSUPPORTED, "the archive has no bytes of its own for \"%s\" (it was saved without data, or is made while loading): they cannot be exchanged",
                    tsr_show(name, strlen(name)).text);
  m->by_entry[s->entry - 1] = (part){&m->env, s};
  return TSR_OK;
}

static tsr_status open_part(void *user, tsr_pour **out) {
  const part *p = user;
  return tsr_pour_storage(p->env, p->s, TSR_UINT8, out);
}

static tsr_status add_entry(merge *m, tsr_zip_writer *z, size_t i) {
  part *p = &m->by_entry[i];
  size_t len;
  const char *whole = tsr_archive_entry_name(m->a, i, &len);
  if (p->s == NULL) return tsr_zip_writer_copy(z, m->e, m->a, i);
  char *name = strndup(whole, len);
  if (name == NULL) return tsr_fail_nomem(m->e);
  tsr_status st = tsr_zip_writer_add_part(z, m->e, name, NULL, 0, &(tsr_zip_part){p, open_part}, p->s->nbytes);
  free(name);
  return st;
}

static tsr_status write_archive(merge *m) {
  tsr_outfile o;
  tsr_zip_writer *z = NULL;
  TSR_TRY(tsr_outfile_open(&o, m->e, m->path));
  tsr_status st = tsr_zip_writer_new(o.fd, m->path, m->e, &z);
  for (size_t i = 0; i < tsr_archive_entry_count(m->a) && st == TSR_OK; i++) st = add_entry(m, z, i);
  if (st == TSR_OK) st = tsr_zip_writer_finish(z, m->e);
  else tsr_zip_writer_free(z);
  if (st == TSR_OK) return tsr_outfile_commit(&o, m->e);
  tsr_outfile_abort(&o);
  return st;
}

static tsr_status on_loaded(void *user, tsr_program *p, tsr_errrec *e) {
  merge *m = user;
  tsr_state_visitor v = {m, on_tensor, NULL};
  m->env = (tsr_file_env){p->mem, p->types, e, false};
  m->by_entry = calloc(tsr_archive_entry_count(m->a) + 1, sizeof *m->by_entry);
  if (m->by_entry == NULL) return tsr_fail_nomem(e);
  tsr_status st = tsr_state_visit(p, e, &v);
  if (st == TSR_OK) st = write_archive(m);
  free(m->by_entry);
  return st;
}

static tsr_status run(const char *model, const tsr_load_options *opt, const char *path, tsr_errrec *e) {
  tsr_archive *a = NULL;
  TSR_TRY(tsr_archive_open(model, false, e, &a));
  merge m = {.e = e, .a = a, .path = path};
  tsr_status st = TSR_OK;
  if (tsr_archive_is_big_endian(a)) st = tsr_fail(e, TSR_EUNSUPPORTED, "%s is big-endian: its weights are not exchanged", model);
  tsr_archive_retain(a);
  if (st == TSR_OK) st = tsr_model_visit_archive(a, opt, on_loaded, &m, e);
  else tsr_archive_release(a);
  tsr_archive_release(a);
  return st;
}

tsr_status tsr_weights_merge(const char *model, const tsr_load_options *opt, const char *path, tsr_error **err) {
  tsr_errrec e = {0};
  tsr_load_options o = {.struct_size = sizeof o};
  if (opt != NULL && opt->struct_size > 0) memcpy(&o, opt, TSR_MIN(opt->struct_size, sizeof o));
  o.allow_missing_ops = true;
  if (model == NULL || path == NULL || o.weights == NULL) tsr_fail(&e, TSR_EUSAGE, "tsr_weights_merge: model, weights and path must not be NULL");
  else run(model, &o, path, &e);
  return e.status == TSR_OK ? TSR_OK : tsr_errrec_publish(&e, err);
}
