/* From a pickled module to a program: a class for each module instance, as legacy.c has, with attributes and a
 * forward from the table of layers. */
#include "interp/pickled.h"

#include <stdlib.h>

#include "frontend/pickle.h"

enum { MAX_MODULE_DEPTH = 200, MAX_NAMED = 4 };
static const char modules_prefix[] = "torch.nn.modules.";

typedef struct stranger { const char *cls, *path; } stranger;

typedef struct pickled {
  tsr_compiler *c;
  tsr_strmap made;               /* address of a pickled object -> tsr_object */
  tsr_codefile **files;          /* of rows, once used */
  stranger strangers[MAX_NAMED]; /* classes without a known forward, first meeting of each */
  size_t stranger_count;
  const char *root_class;
  int depth;
} pickled;

/* ---- reading ---- */

static bool is_true(const tsr_pmodule *m, const char *name) {
  const tsr_val *v = tsr_pmodule_attr(m, name);
  return v != NULL && ((v->tag == TSR_V_BOOL && v->b) || (v->tag == TSR_V_INT && v->i != 0));
}

static const tsr_layer *layer_of(const tsr_pmodule *m) {
  const char *name = m->cls;
  if (strncmp(name, modules_prefix, sizeof modules_prefix - 1) == 0) name += sizeof modules_prefix - 1;
  for (const tsr_layer *l = tsr_layers; l->name != NULL; l++)
    if (strcmp(l->name, name) == 0 && (l->when == NULL || is_true(m, l->when))) return l;
  return NULL;
}

/* DataParallel and torch.compile wrap one module and call it. */
static const char *wrapped(const tsr_layer *l) {
  if (strncmp(l->name, "torch.nn.parallel.", 18) == 0) return "module";
  return strncmp(l->name, "torch._dynamo.", 14) == 0 ? "_orig_mod" : NULL;
}

static bool is(const tsr_layer *l, const char *name) { return strcmp(l->name, name) == 0; }

static const char *join(tsr_compiler *c, const char *path, const tsr_val name) {
  const char *text = name.tag == TSR_V_STR ? name.s->bytes : "?";
  return tsr_compile_text(c, "%s%s%.200s", path, *path == 0 ? "" : ".", text);
}

/* ---- what cannot run ---- */

static void note_stranger(pickled *g, const char *cls, const char *path) {
  for (size_t i = 0; i < g->stranger_count; i++)
    if (strcmp(g->strangers[i].cls, cls) == 0) return;
  if (g->stranger_count < MAX_NAMED) g->strangers[g->stranger_count++] = (stranger){cls, path};
}

static const tsr_dict *hooks_of(const tsr_pmodule *m, const char *kind) {
  const tsr_val *v = tsr_dict_lookup(m->state, kind);
  return v != NULL ? tsr_pickled_dict(*v) : NULL;
}

/* Hooks are Python functions: two kinds are known (pickled_hooks.c). */
static void refuse_hooks(pickled *g, const tsr_pmodule *m, const char *path) {
  static const char *const kinds[] = {"_forward_pre_hooks", "_forward_hooks"};
  for (size_t k = 0; k < TSR_COUNT(kinds); k++) {
    const tsr_dict *d = hooks_of(m, kinds[k]);
    for (size_t i = d == NULL ? 0 : tsr_dict_next(d, 0); d != NULL && i < d->used; i = tsr_dict_next(d, i + 1)) {
      const tsr_val hook = d->entries[i].value;
      if (k == 0 && tsr_pickled_knows_hook(hook)) continue;
      note_stranger(g, hook.tag == TSR_V_OBJECT ? hook.obj->cls->name : "a hook", tsr_compile_text(g->c, "%s%s%s", path, *path == 0 ? "" : ".", kinds[k]));
    }
  }
  if (tsr_dict_lookup(m->state, "forward") != NULL) note_stranger(g, "a forward of its own", path);
}

static void survey(pickled *g, const tsr_pmodule *m, const char *path) {
  tsr_compiler *c = g->c;
  if (++g->depth > MAX_MODULE_DEPTH) tsr_compile_fail(c, NULL, NULL, TSR_ELIMIT, "modules are nested deeper than %d", MAX_MODULE_DEPTH);
  tsr_compile_depth(c, NULL, NULL);
  if (layer_of(m) == NULL) note_stranger(g, m->cls, path);
  refuse_hooks(g, m, path);
  for (size_t i = tsr_dict_next(m->children, 0); i < m->children->used; i = tsr_dict_next(m->children, i + 1)) {
    const tsr_entry *en = &m->children->entries[i];
    tsr_pmodule child;
    const char *below = join(c, path, en->key);
    if (en->value.tag == TSR_V_NONE) continue;
    if (en->key.tag != TSR_V_STR || !tsr_pmodule_of(en->value, &child)) {
      note_stranger(g, en->value.tag == TSR_V_OBJECT ? en->value.obj->cls->name : tsr_tag_name(en->value), below);
      continue;
    }
    if (tsr_strmap_get(&g->made, (const char *)&en->value.o, sizeof en->value.o) != NULL) continue; /* seen: shared */
    tsr_compile_strmap_set(c, &g->made, (const char *)&en->value.o, sizeof en->value.o, en->value.o);
    survey(g, &child, below);
  }
  g->depth--;
}

static void refuse_strangers(pickled *g) {
  if (g->stranger_count == 0) return;
  const char *archive = tsr_archive_path(g->c->p->archive);
  tsr_buf b = {0};
  for (size_t i = 0; i < g->stranger_count; i++) {
    const char *path = g->strangers[i].path;
    tsr_buf_printf(&b, "%s%.120s", i == 0 ? "" : ", ", g->strangers[i].cls);
    if (*path != 0) tsr_buf_printf(&b, " (at \"%.80s\")", path);
  }
  const char *list = b.oom || b.data == NULL ? NULL : tsr_arena_strdup(g->c->arena, b.data, b.len);
  tsr_buf_dispose(&b);
  if (list == NULL) tsr_compile_nomem(g->c);
  bool one = g->stranger_count == 1;
  tsr_compile_fail(g->c, NULL, NULL, TSR_EUNSUPPORTED,
                   "%.200s%sthis is a pickled Python object of class %.120s, and the code of %s is not in the file: export the model in Python with "
                   "torch.jit.script(model).save(...) or torch.jit.trace(model, input).save(...), or give its weights to an archive of it: "
                   "tsrun MODEL.pt INPUT --weights %s",
                   archive == NULL ? "" : archive, archive == NULL ? "" : ": ", g->root_class, one && strcmp(list, g->root_class) == 0 ? "that class" : list, archive == NULL ? "FILE" : archive);
}

/* ---- attributes ---- */

/* One word of a row: "stride:i2?=1". */
typedef struct wanted {
  const char *name, *dflt;
  size_t name_len, dflt_len;
  char kind;
  int count;     /* of a list; -1: any length; 0: no list */
  bool optional;
} wanted;

static const char *read_word(const char *p, wanted *w) {
  size_t len = strcspn(p, " ");
  const char *colon = memchr(p, ':', len), *equals = memchr(p, '=', len);
  const char *k = colon + 1, *end = equals != NULL ? equals : p + len;
  *w = (wanted){.name = p, .name_len = (size_t)(colon - p), .kind = *k++};
  if (equals != NULL) {
    w->dflt = equals + 1;
    w->dflt_len = (size_t)(p + len - equals - 1);
  }
  for (; k < end; k++) {
    if (*k == '?') w->optional = true;
    else w->count = *k == '*' ? -1 : *k - '0';
  }
  p += len;
  return p + strspn(p, " ");
}

static tsr_val own_str(tsr_compiler *c, const char *text, size_t len) {
  tsr_str *s = tsr_str_new(c->p->mem, text, len);
  if (s == NULL) tsr_compile_nomem(c);
  return tsr_values_own(c, tsr_from_obj(s));
}

/* A default, as the word gives it. */
static tsr_val parse_default(tsr_compiler *c, const wanted *w) {
  char text[40];
  size_t n = TSR_MIN(w->dflt_len, sizeof text - 1);
  memcpy(text, w->dflt, n);
  text[n] = 0;
  if (w->kind == 's' || w->kind == 'A') return own_str(c, w->dflt, w->dflt_len);
  if (w->kind == 'b') return tsr_bool(text[0] == '1');
  if (w->kind == 'f' || (w->kind == 'n' && strchr(text, '.') != NULL)) return tsr_float(strtod(text, NULL));
  return tsr_int(strtoll(text, NULL, 10));
}

static _Noreturn void bad_value(pickled *g, const tsr_pmodule *m, const wanted *w, const tsr_val *v) {
  tsr_compile_fail(g->c, NULL, NULL, TSR_EFORMAT, "attribute '%.*s' of %.200s %s", (int)w->name_len, w->name, m->cls,
                   v == NULL ? "is missing in the file" : "is not what torch.nn writes");
}

/* A lone value of the kind; false: it is something else. */
static bool scalar(const wanted *w, tsr_val v, tsr_val *out) {
  *out = v;
  switch (w->kind) {
    case 'T': return v.tag == TSR_V_TENSOR;
    case 's': return v.tag == TSR_V_STR;
    case 'b':
      if (v.tag == TSR_V_INT) *out = tsr_bool(v.i != 0);
      return v.tag == TSR_V_BOOL || v.tag == TSR_V_INT;
    case 'f':
      if (v.tag == TSR_V_INT) *out = tsr_float((double)v.i);
      if (v.tag == TSR_V_BOOL) *out = tsr_float(v.b);
      return v.tag == TSR_V_FLOAT || v.tag == TSR_V_INT || v.tag == TSR_V_BOOL;
    case 'n': return v.tag == TSR_V_FLOAT || v.tag == TSR_V_INT;
    case 'a':
      if (v.tag == TSR_V_NONE) *out = tsr_int(-1);
      return v.tag == TSR_V_INT || v.tag == TSR_V_NONE;
    default:
      if (v.tag == TSR_V_BOOL) *out = tsr_int(v.b);
      return v.tag == TSR_V_INT || v.tag == TSR_V_BOOL;
  }
}

/* A list of the kind from one value, a tuple or a list; None: *ok is false. */
static tsr_val list_value(tsr_compiler *c, const wanted *w, tsr_val v, bool *ok) {
  bool tuple = v.tag == TSR_V_TUPLE, list = v.tag == TSR_V_LIST, zeros = w->kind == 'p' && v.tag == TSR_V_STR;
  size_t n = tuple ? v.u->len : list ? v.l->len : w->count > 0 ? (size_t)w->count : 1;
  const tsr_val *items = tuple ? v.u->items : list ? v.l->items : NULL;
  bool spread = n == 1 && w->count > 1; /* torch takes one for all */
  tsr_list *l = tsr_list_new(c->p->mem, w->kind == 'f' ? &tsr_type_float : &tsr_type_int, n);
  if (l == NULL) tsr_compile_nomem(c);
  tsr_val out = tsr_values_own(c, tsr_from_obj(l));
  *ok = n <= TSR_MAX_NDIM && (w->count <= 0 || spread || n == (size_t)w->count);
  size_t total = spread ? (size_t)w->count : n;
  for (size_t i = 0; *ok && i < total; i++) {
    tsr_val item = tsr_int(0);
    if (!zeros) *ok = scalar(w, items == NULL ? v : items[spread ? 0 : i], &item);
    if (*ok && !tsr_list_push_take(l, item)) tsr_compile_nomem(c);
  }
  return out;
}

static const tsr_type *type_of(tsr_compiler *c, const wanted *w, tsr_val v) {
  if (v.tag == TSR_V_NONE) return &tsr_type_none;
  if (w->count != 0) return tsr_resolve_list(c, w->kind == 'f' ? &tsr_type_float : &tsr_type_int);
  switch (v.tag) {
    case TSR_V_TENSOR: return &tsr_type_tensor;
    case TSR_V_STR: return &tsr_type_str;
    case TSR_V_BOOL: return &tsr_type_bool;
    case TSR_V_FLOAT: return &tsr_type_float;
    default: return &tsr_type_int;
  }
}

static void refuse_absent(pickled *g, tsr_val v, const char *path, const char *name, size_t len) {
  if (v.tag == TSR_V_TENSOR && v.t->storage->absent)
    tsr_compile_fail(g->c, NULL, NULL, TSR_EFORMAT, "\"%.200s%s%.*s\" was saved on the meta device: it has no data", path, *path == 0 ? "" : ".", (int)len, name);
}

typedef struct pending { const char *name; size_t len; const tsr_type *type; tsr_val v; } pending;
typedef struct attributes { pending *items; size_t count; } attributes;

static void add(tsr_compiler *c, attributes *a, const char *name, size_t len, const tsr_type *type, tsr_val v) {
  a->items = tsr_compile_grow(c, a->items, a->count, sizeof *a->items);
  a->items[a->count++] = (pending){name, len, type, v};
}

static void read_attribute(pickled *g, const tsr_pmodule *m, const wanted *w, const char *path, attributes *out) {
  tsr_compiler *c = g->c;
  const char *name = tsr_compile_text(c, "%.*s", (int)w->name_len, w->name);
  const tsr_val *found = tsr_pmodule_attr(m, name);
  bool ok = true;
  if (w->kind == 'A') return; /* $activation, in the text */
  if (found == NULL && w->dflt == NULL && !w->optional) bad_value(g, m, w, NULL);
  tsr_val v = found != NULL ? *found : w->dflt != NULL ? parse_default(c, w) : tsr_none();
  if (w->kind == 'p') add(c, out, tsr_compile_text(c, "%s_same", name), w->name_len + 5, &tsr_type_bool, tsr_bool(v.tag == TSR_V_STR && strcmp(v.s->bytes, "same") == 0));
  if (v.tag == TSR_V_NONE && w->optional) ok = true;
  else if (w->count != 0) v = list_value(c, w, v, &ok);
  else ok = scalar(w, v, &v);
  if (!ok) bad_value(g, m, w, &v);
  refuse_absent(g, v, path, name, w->name_len);
  add(c, out, name, w->name_len, type_of(c, w, v), v);
}

/* Recurrent layers name their weights by layer and direction: all parameters. */
static void read_parameters(pickled *g, const tsr_pmodule *m, const char *path, attributes *out) {
  for (size_t i = tsr_dict_next(m->params, 0); i < m->params->used; i = tsr_dict_next(m->params, i + 1)) {
    const tsr_entry *en = &m->params->entries[i];
    if (en->key.tag != TSR_V_STR || en->value.tag != TSR_V_TENSOR) continue;
    refuse_absent(g, en->value, path, en->key.s->bytes, en->key.s->len);
    add(g->c, out, en->key.s->bytes, en->key.s->len, &tsr_type_tensor, en->value);
  }
}

/* What a hook makes a weight of. */
typedef struct parts {
  pickled *g;
  const tsr_pmodule *m;
  const char *path;
  attributes *out;
} parts;

static void read_part(void *user, const char *name) {
  const parts *p = user;
  const tsr_val *v = tsr_pmodule_attr(p->m, name);
  const wanted w = {.name = name, .name_len = strlen(name), .kind = 'T'};
  for (size_t i = 0; i < p->out->count; i++)
    if (strcmp(p->out->items[i].name, name) == 0) return; /* recurrent layers have all */
  if (v == NULL || v->tag != TSR_V_TENSOR) bad_value(p->g, p->m, &w, v);
  refuse_absent(p->g, *v, p->path, name, strlen(name));
  add(p->g->c, p->out, name, strlen(name), &tsr_type_tensor, *v);
}

/* ---- modules ---- */

static tsr_object *make_module(pickled *g, tsr_val v, const char *path);

static const char *write_forward(pickled *g, const tsr_layer *l, const tsr_pmodule *m, const char *path) {
  if (l->forward != NULL) return tsr_pickled_fill(g->c, m, path, l->forward);
  if (strncmp(l->name, "rnn.", 4) == 0) return tsr_pickled_rnn(g->c, m);
  if (is(l, "transformer.TransformerEncoder")) return tsr_pickled_stack(g->c, m, false);
  if (is(l, "transformer.TransformerDecoder")) return tsr_pickled_stack(g->c, m, true);
  return tsr_pickled_chain(g->c, m);
}

/* Rows whose text is the same for every object are parsed once. */
static tsr_codefile *code_of(pickled *g, const tsr_layer *l, const tsr_pmodule *m, const char *path, const char *qualifier) {
  tsr_compiler *c = g->c;
  tsr_codefile **known = &g->files[l - tsr_layers];
  const char *text = tsr_pickled_hooked(c, m, write_forward(g, l, m, path));
  if (text == l->forward && *known != NULL) return *known;
  tsr_names_add_file(c, qualifier, tsr_compile_text(c, "%s", m->cls), text, strlen(text), SIZE_MAX);
  tsr_codefile *f = tsr_names_parse(c, c->files[c->file_count - 1]);
  if (text == l->forward) *known = f;
  return f;
}

static tsr_classrec *declare_class(pickled *g, const char *cls) {
  tsr_compiler *c = g->c;
  const char *dot = strrchr(cls, '.');
  const char *name = tsr_compile_text(c, "__torch__.%s", cls);
  if (tsr_strmap_get(&c->classes, name, strlen(name)) != NULL && dot != NULL)
    name = tsr_compile_text(c, "__torch__.%.*s.___torch_mangle_%zu.%s", (int)(dot - cls), cls, c->class_count, dot + 1);
  tsr_type *type = tsr_type_named(c->types, name, strlen(name));
  if (type == NULL) tsr_compile_nomem(c);
  tsr_classrec *r = tsr_class_declare(c, type, TSR_CLASS_MODULE, NULL, NULL);
  r->filled = r->instantiated = true;
  return r;
}

/* Which attributes state_dict() names. */
static void list_state(tsr_compiler *c, tsr_classrec *r, const tsr_pmodule *m) {
  const tsr_dict *tables[2] = {m->params, m->buffers};
  r->lists_buffers = true;
  for (int k = 0; k < 2; k++) {
    const tsr_dict *d = tables[k];
    r->state[k] = tsr_compile_alloc(c, (d->count + 1) * sizeof(char *));
    for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1))
      if (d->entries[i].key.tag == TSR_V_STR && !(k == 1 && tsr_pmodule_is_volatile(m, d->entries[i].key)))
        r->state[k][r->state_count[k]++] = tsr_compile_text(c, "%s", d->entries[i].key.s->bytes);
  }
}

static void make_children(pickled *g, const tsr_pmodule *m, const char *path, attributes *out) {
  const tsr_dict *d = m->children;
  for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1)) {
    const tsr_entry *en = &d->entries[i];
    const tsr_str *name = en->key.s; /* survey has seen to it */
    if (en->value.tag == TSR_V_NONE) {
      add(g->c, out, name->bytes, name->len, &tsr_type_none, tsr_none());
      continue;
    }
    tsr_object *child = make_module(g, en->value, join(g->c, path, en->key));
    add(g->c, out, name->bytes, name->len, child->cls->type, tsr_from_obj(child));
  }
}

static tsr_object *build(pickled *g, const tsr_layer *l, const tsr_pmodule *m, const char *path) {
  tsr_compiler *c = g->c;
  attributes a = {0};
  tsr_classrec *r = declare_class(g, m->cls);
  for (const char *p = l->attributes; *p != 0;) {
    wanted w;
    p = read_word(p, &w);
    read_attribute(g, m, &w, path, &a);
  }
  if (strstr(l->attributes, "training:") == NULL) add(c, &a, "training", 8, &tsr_type_bool, tsr_bool(is_true(m, "training")));
  if (strncmp(l->name, "rnn.", 4) == 0 && l->forward == NULL) read_parameters(g, m, path, &a);
  tsr_pickled_hook_names(c, m, read_part, &(parts){g, m, path, &a});
  make_children(g, m, path, &a);
  r->file = code_of(g, l, m, path, r->cls->name);
  for (size_t i = 0; i < a.count; i++) tsr_class_add_attr(c, r, a.items[i].name, a.items[i].len, a.items[i].type);
  list_state(c, r, m);
  for (uint32_t i = 0; i < r->file->ast->count; i++)
    if (r->file->ast->kids[i]->kind == TSR_AST_DEF) tsr_class_add_method(c, r, r->file->ast->kids[i]);
  tsr_object *obj = tsr_object_new(c->p->mem, r->cls, r->cls->attr_count);
  if (obj == NULL) tsr_compile_nomem(c);
  tsr_values_own(c, tsr_from_obj(obj));
  for (size_t i = 0; i < a.count; i++) tsr_load_set_attr(c, obj, (uint32_t)i, a.items[i].v);
  return obj;
}

static tsr_object *make_module(pickled *g, tsr_val v, const char *path) {
  tsr_compiler *c = g->c;
  tsr_object *known = tsr_strmap_get(&g->made, (const char *)&v.o, sizeof v.o);
  tsr_pmodule m;
  if (known != NULL) return known;
  tsr_compile_depth(c, NULL, NULL);
  if (!tsr_pmodule_of(v, &m)) tsr_compile_fail(c, NULL, NULL, TSR_EINTERNAL, "\"%.200s\" is no module", path);
  const tsr_layer *l = layer_of(&m);
  const char *inner = wrapped(l);
  if (inner != NULL) {
    const tsr_val *module = tsr_pmodule_attr(&m, inner);
    if (module == NULL || !tsr_pmodule_of(*module, &(tsr_pmodule){0})) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "%.200s without its %s", m.cls, inner);
    return make_module(g, *module, path);
  }
  tsr_object *obj = build(g, l, &m, path);
  void **key = tsr_compile_alloc(c, sizeof *key);
  *key = v.o;
  tsr_compile_strmap_set(c, &g->made, (const char *)key, sizeof *key, obj);
  return obj;
}

static bool has_root_module(tsr_compiler *c, tsr_val *root) {
  tsr_pmodule m;
  tsr_val v;
  tsr_compile_check(c, tsr_torch_load(c->p->archive, c->p->mem, c->types, c->err, &v));
  *root = tsr_values_own(c, v);
  return tsr_pmodule_of(v, &m);
}

void tsr_load_pickled(tsr_compiler *c) {
  pickled g = {.c = c};
  tsr_val root;
  tsr_pmodule m;
  size_t rows = 0;
  if (!has_root_module(c, &root) || !tsr_pmodule_of(root, &m)) tsr_compile_check(c, tsr_archive_fail_kind(c->p->archive, c->err));
  g.root_class = m.cls;
  g.made = (tsr_strmap){c->arena};
  survey(&g, &m, "");
  refuse_strangers(&g);
  g.made = (tsr_strmap){c->arena};
  while (tsr_layers[rows].name != NULL) rows++;
  g.files = tsr_compile_alloc(c, (rows + 1) * sizeof *g.files);
  tsr_names_add_file(c, TSR_LAYERS_QUALIFIER, "torch.nn.functional", tsr_layers_helpers, strlen(tsr_layers_helpers), SIZE_MAX);
  c->p->root = tsr_values_hold(tsr_from_obj(make_module(&g, root, "")));
  c->p->root_class = c->p->root.obj->cls;
}
