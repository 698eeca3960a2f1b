/* Weights in what a pickle holds: a state dict, one somewhere in a checkpoint, the tensors of a pickled module. */
#include <stdio.h>
#include <stdlib.h>

#include "frontend/pickle_vm.h"
#include "frontend/pmodule.h"
#include "frontend/text.h"
#include "frontend/weights.h"

enum { MAX_CANDIDATES = 1000 };

/* The value of a key, which need not end in NUL; None: there is none. */
static tsr_val get(const tsr_dict *d, const char *key, size_t len) {
  for (size_t i = d == NULL ? 0 : tsr_dict_next(d, 0); d != NULL && i < d->used; i = tsr_dict_next(d, i + 1)) {
    const tsr_entry *e = &d->entries[i];
    if (e->key.tag == TSR_V_STR && e->key.s->len == len && memcmp(e->key.s->bytes, key, len) == 0) return e->value;
  }
  return tsr_none();
}

/* NumPy's scalars are pickled as scalar(dtype("f8"), bytes), its arrays as _reconstruct(ndarray, ...). */
static const char *numpy_type(const tsr_object *o) {
  static const struct { const char *code, *type; } rows[] = {
      {"f8", "numpy.float64"}, {"f4", "numpy.float32"}, {"f2", "numpy.float16"}, {"i8", "numpy.int64"}, {"i4", "numpy.int32"}, {"i2", "numpy.int16"},
      {"i1", "numpy.int8"},    {"u8", "numpy.uint64"},  {"u4", "numpy.uint32"},  {"u2", "numpy.uint16"}, {"u1", "numpy.uint8"}, {"b1", "numpy.bool"}};
  const tsr_val args = o->count > TSR_OPAQUE_ARGS ? o->slots[TSR_OPAQUE_ARGS] : tsr_none();
  const char *name = strrchr(o->cls->name, '.');
  if (strncmp(o->cls->name, "numpy.", 6) != 0 || args.tag != TSR_V_TUPLE || args.u->len == 0 || args.u->items[0].tag != TSR_V_OBJECT) return o->cls->name;
  const tsr_object *first = args.u->items[0].obj;
  if (strcmp(name, "._reconstruct") == 0) return first->cls->name;
  const tsr_val of = first->count > TSR_OPAQUE_ARGS ? first->slots[TSR_OPAQUE_ARGS] : tsr_none();
  if (strcmp(name, ".scalar") != 0 || of.tag != TSR_V_TUPLE || of.u->len == 0 || of.u->items[0].tag != TSR_V_STR) return o->cls->name;
  for (size_t i = 0; i < TSR_COUNT(rows); i++)
    if (strcmp(of.u->items[0].s->bytes, rows[i].code) == 0) return rows[i].type;
  return o->cls->name;
}

/* Python's name of the type of what is no tensor. */
static const char *type_name(tsr_val v) { return v.tag == TSR_V_OBJECT && v.obj->cls->impl == &tsr_opaque_marker ? numpy_type(v.obj) : tsr_val_python_type(v); }

/* ---- taking ---- */

static tsr_status take_dict(tsr_weights *w, tsr_errrec *e, const tsr_dict *d) {
  for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1)) {
    const tsr_entry *en = &d->entries[i];
    bool tensor = en->value.tag == TSR_V_TENSOR;
    TSR_TRY(tsr_weights_add(w, e, en->key.s->bytes, en->key.s->len, tensor ? en->value.t : NULL, tensor ? NULL : type_name(en->value), TSR_ROLE_UNKNOWN));
  }
  return TSR_OK;
}

/* A walk that builds dotted names. */
typedef struct walk {
  tsr_weights *w;
  tsr_errrec *e;
  tsr_buf name;
  int depth;
  size_t visits;
} walk;

static tsr_status enter(walk *k, const char *part, size_t len, size_t *before) {
  *before = k->name.len;
  if (k->name.len > 0) tsr_buf_putc(&k->name, '.');
  tsr_buf_put(&k->name, part, len);
  if (k->name.oom) return tsr_fail_nomem(k->e);
  if (++k->depth > TSR_MAX_DEPTH) return tsr_fail(k->e, TSR_ELIMIT, "modules are nested deeper than %d", TSR_MAX_DEPTH);
  if (++k->visits > (size_t)1 << 22) return tsr_fail(k->e, TSR_ELIMIT, "more than %d values", 1 << 22);
  return TSR_OK;
}

static void leave(walk *k, size_t before) {
  k->depth--;
  k->name.len = before;
  if (k->name.data != NULL) k->name.data[before] = '\0';
}

static tsr_status add_named(walk *k, const tsr_str *part, tsr_tensor *t, tsr_role role) {
  size_t before;
  TSR_TRY(enter(k, part->bytes, part->len, &before));
  tsr_status st = tsr_weights_add(k->w, k->e, k->name.data, k->name.len, t, NULL, role);
  leave(k, before);
  return st;
}

/* What state_dict() gives: parameters, buffers that are kept, then the children, each in order. */
static tsr_status take_module(walk *k, const tsr_pmodule *m) {
  const tsr_dict *const parts[] = {m->params, m->buffers, m->children};
  for (int p = 0; p < 3; p++) {
    const tsr_dict *items = parts[p];
    for (size_t i = tsr_dict_next(items, 0); i < items->used; i = tsr_dict_next(items, i + 1)) {
      const tsr_entry *en = &items->entries[i];
      tsr_pmodule child;
      size_t before;
      if (en->key.tag != TSR_V_STR) continue;
      if (p < 2 && en->value.tag == TSR_V_TENSOR && !(p == 1 && tsr_pmodule_is_volatile(m, en->key)))
        TSR_TRY(add_named(k, en->key.s, en->value.t, p == 0 ? TSR_ROLE_PARAMETER : TSR_ROLE_BUFFER));
      if (p < 2 || !tsr_pmodule_of(en->value, &child)) continue;
      TSR_TRY(enter(k, en->key.s->bytes, en->key.s->len, &before));
      TSR_TRY(take_module(k, &child));
      leave(k, before);
    }
  }
  return TSR_OK;
}

/* Any nest: its tensors, by where they lie. */
static tsr_status take_any(walk *k, tsr_val v) {
  tsr_pmodule m;
  size_t before;
  char number[32];
  if (v.tag == TSR_V_TENSOR)
    return tsr_weights_add(k->w, k->e, k->name.len > 0 ? k->name.data : "0", k->name.len > 0 ? k->name.len : 1, v.t, NULL, TSR_ROLE_UNKNOWN);
  if (tsr_pmodule_of(v, &m)) return take_module(k, &m);
  const tsr_dict *d = tsr_pickled_dict(v) != NULL ? tsr_pickled_dict(v) : tsr_pickled_attributes(v);
  for (size_t i = d != NULL ? tsr_dict_next(d, 0) : 0; d != NULL && i < d->used; i = tsr_dict_next(d, i + 1)) {
    tsr_buf text = {0};
    if (d->entries[i].key.tag == TSR_V_STR) tsr_buf_put(&text, d->entries[i].key.s->bytes, d->entries[i].key.s->len);
    else tsr_val_print(d->entries[i].key, &text);
    tsr_status st = enter(k, text.data != NULL ? text.data : "", text.len, &before);
    tsr_buf_dispose(&text);
    if (st == TSR_OK) st = take_any(k, d->entries[i].value);
    TSR_TRY(st);
    leave(k, before);
  }
  if (v.tag != TSR_V_LIST && v.tag != TSR_V_TUPLE) return TSR_OK;
  size_t n = v.tag == TSR_V_LIST ? v.l->len : v.u->len;
  for (size_t i = 0; i < n; i++) {
    int len = snprintf(number, sizeof number, "%zu", i);
    TSR_TRY(enter(k, number, (size_t)len, &before));
    TSR_TRY(take_any(k, v.tag == TSR_V_LIST ? v.l->items[i] : v.u->items[i]));
    leave(k, before);
  }
  return TSR_OK;
}

/* key names a lone tensor; else it is empty. */
static tsr_status walk_from(tsr_weights *w, tsr_errrec *e, tsr_val v, const char *key) {
  walk k = {.w = w, .e = e};
  if (v.tag == TSR_V_TENSOR) tsr_buf_puts(&k.name, key); /* a lone tensor has the name it was asked for by */
  tsr_status st = take_any(&k, v);
  tsr_buf_dispose(&k.name);
  return st;
}

/* ---- finding ---- */

typedef struct candidate {
  char *path;
  tsr_val v;
  size_t tensors;
  bool proper;
} candidate;

typedef struct search {
  tsr_errrec *e;
  tsr_umap seen;
  candidate *found;
  size_t count;
  tsr_buf path;
  int depth;
  size_t proper;
} search;

static tsr_status look(search *s, tsr_val v);

static tsr_status look_below(search *s, const char *part, size_t len, tsr_val v) {
  size_t before = s->path.len;
  if (!tsr_is_boxed(v) || v.tag == TSR_V_STR || v.tag == TSR_V_TENSOR) return TSR_OK;
  if (before > 0) tsr_buf_putc(&s->path, '.');
  tsr_buf_put(&s->path, part, len);
  if (s->path.oom) return tsr_fail_nomem(s->e);
  s->depth++;
  tsr_status st = s->depth > TSR_MAX_DEPTH ? TSR_OK : look(s, v);
  s->depth--;
  s->path.len = before;
  s->path.data[before] = '\0';
  return st;
}

static tsr_status look_in_dict(search *s, const tsr_dict *d) {
  for (size_t i = d != NULL ? tsr_dict_next(d, 0) : 0; d != NULL && i < d->used; i = tsr_dict_next(d, i + 1)) {
    const tsr_entry *en = &d->entries[i];
    char number[32];
    if (en->key.tag == TSR_V_STR) TSR_TRY(look_below(s, en->key.s->bytes, en->key.s->len, en->value));
    if (en->key.tag == TSR_V_INT)
      TSR_TRY(look_below(s, number, (size_t)snprintf(number, sizeof number, "%lld", (long long)en->key.i), en->value));
  }
  return TSR_OK;
}

/* Lightning keeps the arguments of the constructor beside the state dict: modules among them are no rival to it. */
static bool is_setting(const char *path) { return strncmp(path, "hyper_parameters.", 17) == 0; }

static tsr_status add_candidate(search *s, tsr_val v, size_t tensors, bool proper) {
  if (s->count == MAX_CANDIDATES) return TSR_OK;
  candidate *grown = realloc(s->found, (s->count + 1) * sizeof *grown);
  if (grown == NULL) return tsr_fail_nomem(s->e);
  s->found = grown;
  char *path = strdup(s->path.data != NULL ? s->path.data : "");
  if (path == NULL) return tsr_fail_nomem(s->e);
  proper = proper && !is_setting(path);
  s->found[s->count++] = (candidate){path, v, tensors, proper};
  s->proper += proper;
  return TSR_OK;
}

static tsr_status look(search *s, tsr_val v) {
  bool proper;
  char number[32];
  tsr_pmodule m;
  if (!tsr_is_boxed(v) || tsr_umap_get(&s->seen, (uint64_t)(uintptr_t)v.o) != NULL) return TSR_OK;
  if (!tsr_umap_set(&s->seen, (uint64_t)(uintptr_t)v.o, 1)) return tsr_fail_nomem(s->e);
  if (tsr_pmodule_of(v, &m)) { /* one without weights (an activation, a metric) is none to choose */
    size_t n = tsr_pmodule_tensors(&m);
    return n > 0 ? add_candidate(s, v, n, true) : TSR_OK;
  }
  size_t tensors = tsr_state_dict_tensors(v, &proper);
  if (tensors > 0) return add_candidate(s, v, tensors, proper);
  const tsr_dict *d = tsr_pickled_dict(v);
  if (get(d, "param_groups", 12).tag == TSR_V_LIST) return TSR_OK; /* an optimizer's state */
  TSR_TRY(look_in_dict(s, d));
  if (d == NULL) TSR_TRY(look_in_dict(s, tsr_pickled_attributes(v)));
  if (v.tag != TSR_V_LIST && v.tag != TSR_V_TUPLE) return TSR_OK;
  size_t n = v.tag == TSR_V_LIST ? v.l->len : v.u->len;
  for (size_t i = 0; i < n; i++)
    TSR_TRY(look_below(s, number, (size_t)snprintf(number, sizeof number, "%zu", i), v.tag == TSR_V_LIST ? v.l->items[i] : v.u->items[i]));
  return TSR_OK;
}

/* ---- a key given by the user ---- */

static bool is_separator(char c) { return c == '.' || c == ':' || c == '/'; }

static bool step(tsr_val v, const char *part, size_t len, tsr_val *out) {
  static const char *const nests[] = {"_modules", "_parameters", "_buffers"};
  bool digits = len > 0 && len < 10 && strspn(part, "0123456789") >= len;
  size_t number = digits ? strtoul(part, NULL, 10) : 0;
  const tsr_dict *tables[5] = {tsr_pickled_dict(v), tsr_pickled_attributes(v)};
  for (int i = 0; i < 3; i++) tables[2 + i] = tsr_pickled_dict(get(tables[1], nests[i], strlen(nests[i])));
  for (size_t i = 0; i < TSR_COUNT(tables); i++) {
    *out = get(tables[i], part, len);
    if (out->tag != TSR_V_NONE) return true;
  }
  if (digits && tables[0] != NULL) {
    tsr_val *found = tsr_dict_get(tables[0], tsr_int((int64_t)number));
    if (found != NULL) *out = *found;
    return found != NULL;
  }
  bool list = v.tag == TSR_V_LIST;
  if (!digits || (!list && v.tag != TSR_V_TUPLE) || number >= (list ? v.l->len : v.u->len)) return false;
  *out = list ? v.l->items[number] : v.u->items[number];
  return true;
}

/* Names may hold separators themselves: the longest part that is there is tried first. */
static bool resolve(tsr_val v, const char *key, size_t len, int depth, tsr_val *out) {
  tsr_val next;
  if (step(v, key, len, out)) return true;
  for (size_t n = len; n-- > 0 && depth < 32;)
    if (is_separator(key[n]) && n > 0 && step(v, key, n, &next) && resolve(next, key + n + 1, len - n - 1, depth + 1, out)) return true;
  return false;
}

/* ---- all of it ---- */

static tsr_status set_key(tsr_weights *w, tsr_errrec *e, const char *key, const char *below) {
  char *joined;
  int n = asprintf(&joined, "%s%s%s", key, *key != '\0' && *below != '\0' ? "." : "", below);
  if (n < 0) return tsr_fail_nomem(e);
  free(w->key);
  w->key = joined;
  return TSR_OK;
}

static tsr_status fail_choice(const tsr_weights *w, tsr_errrec *e, const search *s) {
  tsr_buf b = {0};
  const char *first = NULL;
  size_t n = 0;
  for (size_t i = 0; i < s->count; i++) {
    const candidate *c = &s->found[i];
    if (s->proper > 0 && !c->proper) continue;
    if (first == NULL) first = c->path;
    if (n++ >= 12) continue;
    tsr_buf_printf(&b, "%s%s", n > 1 ? ", " : "", tsr_show(c->path, strlen(c->path)).text);
    tsr_buf_printf(&b, " (%s%zu tensor%s)", tsr_pmodule_of(c->v, &(tsr_pmodule){0}) ? "a module, " : "", c->tensors, c->tensors == 1 ? "" : "s");
  }
  tsr_status st = tsr_fail(e, TSR_EUSAGE, "%s holds %zu state dicts: %s; name one, as in %s:%s", w->path, n, b.data != NULL ? b.data : "", w->path, first != NULL ? first : "");
  tsr_buf_dispose(&b);
  return st;
}

static tsr_status take_found(tsr_weights *w, tsr_errrec *e, const candidate *c, const char *key) {
  tsr_pmodule m;
  TSR_TRY(set_key(w, e, key, c->path));
  if (!tsr_pmodule_of(c->v, &m)) return take_dict(w, e, tsr_pickled_dict(c->v));
  walk k = {.w = w, .e = e};
  tsr_status st = take_module(&k, &m);
  tsr_buf_dispose(&k.name);
  return st;
}

static tsr_status take_default(tsr_weights *w, tsr_errrec *e, tsr_val v, const char *key) {
  search s = {.e = e};
  const candidate *only = NULL;
  tsr_status st = look(&s, v);
  for (size_t i = 0; i < s.count; i++)
    if (s.proper == 0 || s.found[i].proper) only = &s.found[i];
  if (st == TSR_OK && only == NULL) {
    st = set_key(w, e, key, "");
    if (st == TSR_OK) st = walk_from(w, e, v, key);
    const tsr_dict *d = tsr_pickled_dict(v); /* an empty state dict is one */
    if (st == TSR_OK && w->count == 0 && (d == NULL || d->count > 0)) st = tsr_fail(e, TSR_EFORMAT, "%s holds no tensors%s%s", w->path, *key != '\0' ? " in " : "", key);
  } else if (st == TSR_OK) {
    st = (s.proper > 0 ? s.proper : s.count) > 1 ? fail_choice(w, e, &s) : take_found(w, e, only, key);
  }
  for (size_t i = 0; i < s.count; i++) free(s.found[i].path);
  free(s.found);
  tsr_buf_dispose(&s.path);
  tsr_umap_dispose(&s.seen);
  return st;
}

tsr_status tsr_weights_from_value(tsr_weights *w, tsr_errrec *e, tsr_val v, const char *key) {
  tsr_val at;
  for (size_t n = key != NULL ? strlen(key) : 0; n > 0; n--) { /* the end of a key may be the beginning of names */
    if ((key[n] != '\0' && !is_separator(key[n])) || !resolve(v, key, n, 0, &at)) continue;
    char *begin = strndup(key, n);
    if (begin == NULL) return tsr_fail_nomem(e);
    tsr_status st = take_default(w, e, at, begin);
    if (st == TSR_OK) st = set_key(w, e, begin, ""); /* what was asked for is what was found */
    free(begin);
    return st;
  }
  return take_default(w, e, v, "");
}
