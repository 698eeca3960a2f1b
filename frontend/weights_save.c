/* Weights into a new file: safetensors, npz, or what torch.load and load_state_dict take. */
#include <stdlib.h>
#include <strings.h>

#include "frontend/formats.h"
#include "frontend/text.h"
#include "frontend/weights.h"

typedef tsr_status (*writer)(const tsr_file_env *env, tsr_outfile *o, const tsr_named *items, size_t count);

typedef struct row {
  const char *name;
  writer write;
  bool shares; /* two tensors may have one storage */
} row;

static const row *find_format(const char *path, const char *format) {
  static const row rows[] = {{"safetensors", tsr_safetensors_write, false}, {"npz", tsr_npz_write, false}, {"pt", tsr_torch_write, true},
                             {"pth", tsr_torch_write, true}, {"bin", tsr_torch_write, true}, {"ckpt", tsr_torch_write, true}};
  const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
  if (format == NULL && (dot == NULL || (slash != NULL && dot < slash))) return NULL;
  for (size_t i = 0; i < TSR_COUNT(rows); i++)
    if (strcasecmp(rows[i].name, format != NULL ? format : dot + 1) == 0) return &rows[i];
  return NULL;
}

typedef struct notes {
  tsr_note_fn fn;
  void *user;
} notes;

static void note(const notes *n, const char *name, const char *what, const char *other) {
  tsr_buf b = {0};
  if (n->fn == NULL) return;
  tsr_buf_printf(&b, "%s %s", tsr_show(name, strlen(name)).text, what);
  if (other != NULL) tsr_buf_puts(&b, tsr_show(other, strlen(other)).text);
  if (!b.oom) n->fn(n->user, b.data);
  tsr_buf_dispose(&b);
}

/* What is written, and what is said about it. */
static tsr_status choose(const tsr_weights *w, tsr_errrec *e, const row *r, const notes *n, tsr_named *items, size_t *count) {
  *count = 0;
  for (size_t i = 0; i < w->count; i++) {
    const tsr_weight *x = &w->items[i];
    if (x->t == NULL) {
      note(n, x->name, "is no tensor and was left out: it is of type ", x->other);
      continue;
    }
    if (!tsr_weight_has_data(x))
      return tsr_fail(e, TSR_EFORMAT, "\"%s\" was saved on the meta device: it has no data to write", tsr_show(x->name, strlen(x->name)).text);
    if (!r->shares && x->first != i) note(n, x->name, "is written on its own, though it shares its data with ", w->items[x->first].name);
    items[(*count)++] = (tsr_named){x->name, x->t};
  }
  return TSR_OK;
}

tsr_status tsr_weights_write(const tsr_weights *w, tsr_errrec *e, const char *path, const char *format, tsr_note_fn fn, void *user) {
  const row *r = find_format(path, format);
  tsr_file_env env = {w->mem, w->types, e, false};
  tsr_outfile o;
  size_t count;
  if (r == NULL)
    return tsr_fail(e, TSR_EUSAGE, "%s: weights are written as .safetensors, .npz or .pt", tsr_show(path, strlen(path)).text);
  tsr_named *items = malloc((w->count + 1) * sizeof *items);
  if (items == NULL) return tsr_fail_nomem(e);
  tsr_status st = choose(w, e, r, &(notes){fn, user}, items, &count);
  if (st == TSR_OK) st = tsr_outfile_open(&o, e, path);
  if (st == TSR_OK) {
    st = r->write(&env, &o, items, count);
    if (st == TSR_OK) st = tsr_outfile_commit(&o, e);
    else tsr_outfile_abort(&o);
  }
  free(items);
  return st;
}
