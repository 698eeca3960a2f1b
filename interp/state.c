/* Walking a program's modules, and load_state_dict over them. */
#include "interp/state.h"

#include <stdio.h>
#include <stdlib.h>

#include "frontend/text.h"
#include "interp/compile.h"

/* ---- walking ---- */

typedef struct walk {
  const tsr_state_visitor *v;
  tsr_errrec *e;
  tsr_buf path; /* with a dot at its end, but for the root's */
  int depth;
  size_t visits;
} walk;

static tsr_status visit_tensors(walk *k, const tsr_object *o, tsr_role role) {
  size_t before = k->path.len;
  for (uint32_t i = 0; i < o->count && i < o->cls->attr_count; i++) {
    if (o->slots[i].tag != TSR_V_TENSOR || tsr_class_attr_role(o->cls, i) != role) continue;
    tsr_buf_puts(&k->path, o->cls->attr_names[i]);
    tsr_status st = k->path.oom ? tsr_fail_nomem(k->e) : k->v->tensor(k->v->user, k->path.data, o->slots[i].t, role);
    k->path.len = before;
    k->path.data[before] = '\0';
    TSR_TRY(st);
  }
  return TSR_OK;
}

/* Modules may be shared: state_dict() names their tensors once a path. */
static tsr_status visit_module(walk *k, const tsr_object *o) {
  size_t before = k->path.len;
  if (++k->visits > (size_t)1 << 20 || ++k->depth > TSR_MAX_DEPTH) return tsr_fail(k->e, TSR_ELIMIT, "too many modules");
  if (!o->cls->is_module) return TSR_OK;
  TSR_TRY(visit_tensors(k, o, TSR_ROLE_PARAMETER));
  TSR_TRY(visit_tensors(k, o, TSR_ROLE_BUFFER));
  if (k->v->module != NULL) TSR_TRY(k->v->module(k->v->user, before > 0 ? k->path.data : "", o));
  for (uint32_t i = 0; i < o->count && i < o->cls->attr_count; i++) {
    if (o->slots[i].tag != TSR_V_OBJECT || !o->slots[i].obj->cls->is_module) continue;
    tsr_buf_puts(&k->path, o->cls->attr_names[i]);
    tsr_buf_putc(&k->path, '.');
    tsr_status st = k->path.oom ? tsr_fail_nomem(k->e) : visit_module(k, o->slots[i].obj);
    k->path.len = before;
    k->path.data[before] = '\0';
    TSR_TRY(st);
  }
  k->depth--;
  return TSR_OK;
}

tsr_status tsr_state_visit(tsr_program *p, tsr_errrec *e, const tsr_state_visitor *v) {
  walk k = {.v = v, .e = e};
  tsr_status st = p->root.tag == TSR_V_OBJECT ? visit_module(&k, p->root.obj) : TSR_OK;
  tsr_buf_dispose(&k.path);
  return st;
}

static bool is_named(const tsr_object *o, const char *name, size_t len, uint32_t *slot) {
  return tsr_class_find_attr(o->cls, name, len, slot) && *slot < o->count;
}

bool tsr_state_has_child(const tsr_object *o, const char *name, size_t len) {
  uint32_t slot;
  return is_named(o, name, len, &slot) && o->slots[slot].tag == TSR_V_OBJECT && o->slots[slot].obj->cls->is_module;
}

bool tsr_state_has_tensor(const tsr_object *o, const char *name, size_t len) {
  uint32_t slot;
  return is_named(o, name, len, &slot) && o->slots[slot].tag == TSR_V_TENSOR && tsr_class_attr_role(o->cls, slot) != TSR_ROLE_UNKNOWN;
}

/* ---- loading ---- */

typedef struct loading {
  tsr_program *p;
  tsr_errrec *e;
  const tsr_state_options *opt;
  tsr_buf missing, unexpected, errors, ignored; /* lists, and lines that begin with "\n\t" */
  size_t missing_count, unexpected_count, ignored_count, loaded, converted;
  tsr_dtype from, to; /* of the first conversion */
  bool counts_batches; /* the file knows num_batches_tracked */
} loading;

static void put_shape(tsr_buf *b, const tsr_tensor *t) {
  tsr_buf_puts(b, "torch.Size([");
  for (int d = 0; d < t->ndim; d++) tsr_buf_printf(b, d == 0 ? "%lld" : ", %lld", (long long)t->size[d]);
  tsr_buf_puts(b, "])");
}

static void put_name(tsr_buf *list, size_t *count, const char *name) { tsr_buf_printf(list, "%s\"%s\"", (*count)++ == 0 ? "" : ", ", name); }

static void copy_failed(loading *l, const char *name, const tsr_tensor *t, const tsr_tensor *x, const char *why) {
  tsr_buf *b = &l->errors;
  tsr_buf_printf(b, "\n\tWhile copying the parameter named \"%s\", whose dimensions in the model are ", name);
  put_shape(b, t);
  tsr_buf_puts(b, " and whose dimensions in the checkpoint are ");
  put_shape(b, x);
  tsr_buf_printf(b, ", an exception occurred : ('%s',).", why);
}

static void mismatch(loading *l, const char *name, const tsr_tensor *t, const tsr_tensor *x) {
  tsr_buf *b = l->opt->ignore_mismatched_sizes ? &l->ignored : &l->errors;
  if (l->opt->ignore_mismatched_sizes) {
    tsr_buf_printf(b, "%s%s: found shape ", l->ignored_count++ == 0 ? "" : "\n", name);
    put_shape(b, x);
    tsr_buf_puts(b, " in the checkpoint and ");
    put_shape(b, t);
    tsr_buf_puts(b, " in the model instantiated");
    return;
  }
  tsr_buf_printf(b, "\n\tsize mismatch for %s: copying a param with shape ", name);
  put_shape(b, x);
  tsr_buf_puts(b, " from checkpoint, the shape in current model is ");
  put_shape(b, t);
  tsr_buf_putc(b, '.');
}

static bool ends_with(const char *s, const char *end) {
  size_t n = strlen(s), m = strlen(end);
  return n >= m && strcmp(s + n - m, end) == 0;
}

static tsr_status on_tensor(void *user, const char *name, tsr_tensor *t, tsr_role role) {
  loading *l = user;
  size_t at;
  tsr_why why = {0};
  TSR_UNUSED(role);
  if (!tsr_weights_find(l->opt->weights, name, strlen(name), &at)) {
    /* before 0.4.1 batch normalisation did not count: PyTorch takes such files, too */
    if (!l->counts_batches && ends_with(name, "num_batches_tracked")) return TSR_OK;
    put_name(&l->missing, &l->missing_count, name);
    return TSR_OK;
  }
  const tsr_weight *x = &l->opt->weights->items[at];
  if (x->t == NULL) {
    tsr_buf_printf(&l->errors, "\n\tWhile copying the parameter named \"%s\", expected torch.Tensor or Tensor-like object from checkpoint but received <class '%s'>", name, x->other);
    return TSR_OK;
  }
  bool one = t->ndim == 0 && x->t->ndim == 1 && x->t->size[0] == 1; /* before 0.4 there were no scalars */
  if (!one && !tsr_tensor_same_size(t, x->t)) {
    mismatch(l, name, t, x->t);
    return TSR_OK;
  }
  if (!tsr_weight_has_data(x)) {
    copy_failed(l, name, t, x->t, "Cannot copy out of meta tensor; no data!");
    return TSR_OK;
  }
  tsr_status st = tsr_state_copy(l->p, l->e, t, x, &why);
  if (why.why != NULL) {
    copy_failed(l, name, t, x->t, why.why);
    return TSR_OK;
  }
  l->loaded++;
  if (x->t->dtype != t->dtype && l->converted++ == 0) {
    l->from = (tsr_dtype)x->t->dtype;
    l->to = (tsr_dtype)t->dtype;
  }
  return st;
}

/* Keys below this module that it has no use for, as _load_from_state_dict finds them. */
static tsr_status on_module(void *user, const char *prefix, const tsr_object *module) {
  loading *l = user;
  const tsr_weights *w = l->opt->weights;
  size_t n = strlen(prefix), at;
  char *extra;
  if (asprintf(&extra, "%s_extra_state", prefix) < 0) return tsr_fail_nomem(l->e);
  if (!l->opt->no_strict && tsr_weights_find(w, extra, strlen(extra), &at)) put_name(&l->unexpected, &l->unexpected_count, extra); /* no archive has any */
  free(extra);
  for (size_t i = 0; i < w->count; i++) {
    const char *name = w->items[i].name;
    if (strncmp(name, prefix, n) != 0 || strcmp(name + n, "_extra_state") == 0) continue;
    const char *rest = name + n, *dot = strchr(rest, '.');
    bool known = dot != NULL ? tsr_state_has_child(module, rest, (size_t)(dot - rest)) : tsr_state_has_tensor(module, rest, strlen(rest));
    if (!known) put_name(&l->unexpected, &l->unexpected_count, name);
  }
  return TSR_OK;
}

/* "Net" of "__torch__.a.___torch_mangle_3.Net" */
static const char *class_name(const tsr_program *p) {
  const char *dot = strrchr(p->root_class->name, '.');
  return dot != NULL ? dot + 1 : p->root_class->name;
}

static void note_lines(const loading *l, const char *title, const tsr_buf *lines) {
  tsr_buf b = {0};
  tsr_buf_puts(&b, title);
  tsr_buf_put(&b, lines->data, lines->len);
  if (!b.oom && l->opt->note != NULL) l->opt->note(l->opt->user, b.data);
  tsr_buf_dispose(&b);
}

static void report(const loading *l) {
  char text[160];
  if (l->missing_count > 0) note_lines(l, "Missing key(s) in state_dict: ", &l->missing);
  if (l->unexpected_count > 0) note_lines(l, "Unexpected key(s) in state_dict: ", &l->unexpected);
  if (l->ignored_count > 0) note_lines(l, "not loaded because the shapes did not match: ", &l->ignored);
  if (l->converted > 0 && l->opt->note != NULL) {
    snprintf(text, sizeof text, "%zu tensor%s converted to the model's type (%s to %s)", l->converted, l->converted == 1 ? " was" : "s were", tsr_dtype_name(l->from), tsr_dtype_name(l->to));
    l->opt->note(l->opt->user, text);
  }
}

static tsr_status fail_loading(loading *l) {
  tsr_buf b = {0}, hints = {0};
  if (!l->opt->no_strict && l->missing_count > 0) {
    tsr_buf_puts(&b, "\n\tMissing key(s) in state_dict: ");
    tsr_buf_put(&b, l->missing.data, l->missing.len);
    tsr_buf_puts(&b, ". ");
  }
  if (!l->opt->no_strict && l->unexpected_count > 0) {
    tsr_buf_puts(&b, "\n\tUnexpected key(s) in state_dict: ");
    tsr_buf_put(&b, l->unexpected.data, l->unexpected.len);
    tsr_buf_puts(&b, ". ");
  }
  tsr_buf_put(&b, l->errors.data, l->errors.len);
  tsr_state_hints(l->p, l->opt->weights, &hints);
  tsr_status st = b.oom || hints.oom ? tsr_fail_nomem(l->e)
                                     : tsr_fail(l->e, TSR_EFORMAT, "Error(s) in loading state_dict for %s:%s%s", class_name(l->p), b.data, hints.data != NULL ? hints.data : "");
  tsr_buf_dispose(&b);
  tsr_buf_dispose(&hints);
  return st;
}

tsr_status tsr_state_load(tsr_program *p, tsr_errrec *e, const tsr_state_options *opt) {
  loading l = {.p = p, .e = e, .opt = opt};
  tsr_state_visitor v = {&l, on_tensor, on_module};
  for (size_t i = 0; i < opt->weights->count; i++) l.counts_batches = l.counts_batches || ends_with(opt->weights->items[i].name, "num_batches_tracked");
  tsr_status st = tsr_state_visit(p, e, &v);
  if (st == TSR_OK && (l.missing.oom || l.unexpected.oom || l.errors.oom || l.ignored.oom)) st = tsr_fail_nomem(e);
  bool keys = l.missing_count + l.unexpected_count > 0 && !opt->no_strict;
  if (st == TSR_OK && (keys || l.errors.len > 0)) st = fail_loading(&l);
  if (st == TSR_OK) report(&l);
  tsr_buf_dispose(&l.missing);
  tsr_buf_dispose(&l.unexpected);
  tsr_buf_dispose(&l.errors);
  tsr_buf_dispose(&l.ignored);
  return st;
}
