/* Archives of PyTorch 1.0 to 1.2: model.json describes modules and tensors; every module instance has a
 * code file of its own, whose functions are its methods. */
#include <stdlib.h>

#include "frontend/files.h"
#include "frontend/pickle_vm.h"
#include "interp/compile.h"

enum { MAX_MODULE_DEPTH = 200 };

typedef struct legacy {
  tsr_compiler *c;
  tsr_strmap storages;      /* entry -> tsr_storage */
  tsr_val attributes;       /* of attributes.pkl: a tuple or list, owned by the program */
} legacy;

/* ---- reading the description */

static tsr_val field(tsr_compiler *c, tsr_val dict, const char *name) {
  if (dict.tag != TSR_V_DICT) return tsr_none();
  tsr_str *key = tsr_str_new(c->p->mem, name, strlen(name));
  if (key == NULL) tsr_compile_nomem(c);
  const tsr_val *v = tsr_dict_get(dict.m, tsr_from_obj(key));
  tsr_obj_release(key);
  return v == NULL ? tsr_none() : *v;
}

/* 64-bit integers are written as strings. */
static int64_t as_int(tsr_compiler *c, tsr_val v) {
  if (v.tag == TSR_V_INT) return v.i;
  if (v.tag == TSR_V_NONE) return 0;
  char *end = NULL;
  if (v.tag == TSR_V_STR && v.s->len > 0 && v.s->len < 24) {
    long long n = strtoll(v.s->bytes, &end, 10);
    if (*end == 0) return n;
  }
  tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "model.json: expected a number");
}

static const tsr_str *as_str(tsr_compiler *c, tsr_val v, const char *what) {
  if (v.tag != TSR_V_STR || strlen(v.s->bytes) != v.s->len) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "model.json: %s is not a string", what);
  return v.s;
}

static tsr_val item(tsr_val list, size_t i) { return list.l->items[i]; }
static size_t count_of(tsr_val list) { return list.tag == TSR_V_LIST ? list.l->len : 0; }

/* The entry that an "…Arena": {"key": …} names, or NULL. */
static const char *arena_key(tsr_compiler *c, tsr_val dict, const char *name) {
  tsr_val key = field(c, field(c, dict, name), "key");
  return key.tag == TSR_V_NONE ? NULL : as_str(c, key, name)->bytes;
}

/* ---- tensors */

static void release_archive(void *user, const void *data) {
  TSR_UNUSED(data);
  tsr_archive_release(user);
}

static tsr_storage *storage_of(legacy *g, const tsr_str *key) {
  tsr_compiler *c = g->c;
  tsr_storage *known = tsr_strmap_get(&g->storages, key->bytes, key->len);
  if (known != NULL) return known;
  size_t index, len;
  const void *bytes;
  if (!tsr_archive_find(c->p->archive, key->bytes, &index)) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "the archive has no %.200s", key->bytes);
  tsr_compile_check(c, tsr_archive_read(c->p->archive, index, c->err, &bytes, &len));
  bool aligned = (uintptr_t)bytes % 16 == 0; /* an archive that was zipped again lies anywhere */
  tsr_storage *s = aligned ? tsr_storage_borrow(c->p->mem, bytes, len, release_archive, c->p->archive) : tsr_storage_new(c->p->mem, len);
  if (s == NULL) tsr_compile_nomem(c);
  if (aligned) tsr_archive_retain(c->p->archive);
  else memcpy(s->data, bytes, len);
  tsr_values_own(c, tsr_from_obj(s));
  s->entry = (uint32_t)index + 1;
  tsr_compile_strmap_set(c, &g->storages, key->bytes, key->len, s);
  return s;
}

static tsr_dtype dtype_of(tsr_compiler *c, const tsr_str *name) {
  static const struct { const char *word; tsr_dtype d; } rows[] = {
      {"FLOAT", TSR_FLOAT32}, {"INT32", TSR_INT32}, {"BYTE", TSR_UINT8}, {"BOOL", TSR_BOOL}, {"UINT8", TSR_UINT8}, {"INT8", TSR_INT8},
      {"UINT16", TSR_UINT16}, {"INT16", TSR_INT16}, {"INT64", TSR_INT64}, {"FLOAT16", TSR_FLOAT16}, {"DOUBLE", TSR_FLOAT64}};
  for (size_t i = 0; i < TSR_COUNT(rows); i++)
    if (strcmp(rows[i].word, name->bytes) == 0) return rows[i].d;
  tsr_compile_fail(c, NULL, NULL, TSR_EUNSUPPORTED, "model.json: element type '%.40s' is not supported", name->bytes);
}

static tsr_val make_tensor(legacy *g, tsr_val def) {
  tsr_compiler *c = g->c;
  tsr_val dims = field(c, def, "dims"), strides = field(c, def, "strides");
  size_t n = count_of(dims);
  int64_t size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM];
  if (n > TSR_MAX_NDIM || (count_of(strides) != n && count_of(strides) != 0)) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "model.json: bad tensor shape");
  for (size_t i = 0; i < n; i++) size[i] = as_int(c, item(dims, i));
  int64_t numel;
  if (!tsr_numel((int)n, size, &numel)) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "model.json: bad tensor shape");
  tsr_strides_contiguous((int)n, size, stride);
  for (size_t i = 0; i < count_of(strides); i++) stride[i] = as_int(c, item(strides, i));
  tsr_dtype dtype = dtype_of(c, as_str(c, field(c, def, "dataType"), "dataType"));
  if (field(c, def, "isQuantized").tag == TSR_V_BOOL && field(c, def, "isQuantized").b)
    tsr_compile_fail(c, NULL, NULL, TSR_EUNSUPPORTED, "quantized tensors of PyTorch 1.2 are not supported");
  tsr_storage *s = storage_of(g, as_str(c, field(c, field(c, def, "data"), "key"), "key of a tensor"));
  int64_t offset = as_int(c, field(c, def, "offset"));
  if (offset < 0 || !tsr_view_fits(s->nbytes, dtype, offset, (int)n, size, stride))
    tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "model.json: a tensor reaches beyond its data");
  if (dtype == TSR_BOOL && !tsr_bools_are_clean(s->data, s->nbytes))
    tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "model.json: a bool tensor holds other numbers than 0 and 1");
  tsr_val grad = field(c, def, "requiresGrad");
  tsr_tensor *t = tsr_tensor_view(c->p->mem, s, dtype, offset, (int)n, size, stride);
  if (t == NULL) tsr_compile_nomem(c);
  t->requires_grad = grad.tag == TSR_V_BOOL && grad.b;
  return tsr_from_obj(t);
}

/* The tensor table; CONSTANTS.cN are its entries. */
static void load_tensors(legacy *g, tsr_val list) {
  tsr_program *p = g->c->p;
  size_t n = count_of(list);
  p->constants = calloc(n + 1, sizeof *p->constants);
  if (p->constants == NULL) tsr_compile_nomem(g->c);
  for (size_t i = 0; i < n; i++) {
    p->constants[i] = make_tensor(g, item(list, i));
    p->constant_count = i + 1;
  }
}

static tsr_val tensor_by_id(tsr_compiler *c, tsr_val id) {
  int64_t i = as_int(c, id);
  if (i < 0 || (uint64_t)i >= c->p->constant_count) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "model.json: there is no tensor %lld", (long long)i);
  return c->p->constants[i];
}

/* ---- attributes */

/* Records that stand for tensors, lists of ints, … become those. */
static tsr_val resolve(tsr_compiler *c, tsr_val v, int depth);

static void resolve_slot(tsr_compiler *c, tsr_val *slot, int depth) {
  tsr_val old = *slot, v = resolve(c, old, depth);
  if (v.tag == old.tag && (!tsr_is_boxed(v) || v.o == old.o)) return;
  *slot = tsr_retain(v);
  tsr_release(old);
}

static tsr_val resolve_record(tsr_compiler *c, const tsr_object *o) {
  const char *name = o->cls->name;
  tsr_val args = o->count > 0 ? o->slots[0] : tsr_none(), state = o->count > 1 ? o->slots[1] : tsr_none();
  tsr_val first = args.tag == TSR_V_TUPLE && args.u->len > 0 ? args.u->items[0] : state;
  if (strcmp(name, "torch.jit._pickle.build_tensor_from_id") == 0 || strcmp(name, "__main__.TensorID") == 0) return tensor_by_id(c, first);
  if (strcmp(name, "__main__.IntList") == 0 || strncmp(name, "torch.jit._pickle.build_", 24) == 0) return first;
  tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "attributes.pkl: unknown record '%.100s'", name);
}

static tsr_val resolve(tsr_compiler *c, tsr_val v, int depth) {
  if (depth > TSR_MAX_DEPTH) tsr_compile_fail(c, NULL, NULL, TSR_ELIMIT, "attributes.pkl is nested too deeply");
  tsr_compile_depth(c, NULL, NULL);
  if (v.tag == TSR_V_OBJECT && v.obj->cls->impl == &tsr_opaque_marker) return resolve(c, resolve_record(c, v.obj), depth + 1);
  if (v.tag == TSR_V_LIST)
    for (size_t i = 0; i < v.l->len; i++) resolve_slot(c, &v.l->items[i], depth + 1);
  if (v.tag == TSR_V_TUPLE)
    for (size_t i = 0; i < v.u->len; i++) resolve_slot(c, &v.u->items[i], depth + 1);
  if (v.tag == TSR_V_DICT)
    for (size_t i = tsr_dict_next(v.m, 0); i < v.m->used; i = tsr_dict_next(v.m, i + 1)) resolve_slot(c, &v.m->entries[i].value, depth + 1);
  return v;
}

static void load_attributes(legacy *g) {
  tsr_program *p = g->c->p;
  size_t index, len;
  const void *bytes;
  g->attributes = tsr_none();
  if (!tsr_archive_find(p->archive, "attributes.pkl", &index)) return;
  tsr_compile_check(g->c, tsr_archive_read(p->archive, index, g->c->err, &bytes, &len));
  tsr_pickle_options opt = {p->mem, p->types, NULL, p->archive, "tensors", "attributes.pkl"};
  tsr_val v;
  tsr_compile_check(g->c, tsr_unpickle(&opt, g->c->err, bytes, len, &v));
  g->attributes = resolve(g->c, tsr_values_own(g->c, v), 0);
}

static tsr_val attribute(legacy *g, int64_t id) {
  tsr_val a = g->attributes;
  size_t n = a.tag == TSR_V_TUPLE ? a.u->len : a.tag == TSR_V_LIST ? a.l->len : 0;
  if (id == -1) return tsr_none();
  if (id < 0 || (uint64_t)id >= n) tsr_compile_fail(g->c, NULL, NULL, TSR_EFORMAT, "model.json: there is no attribute %lld", (long long)id);
  return a.tag == TSR_V_TUPLE ? a.u->items[id] : a.l->items[id];
}

static const tsr_type *parse_type(tsr_compiler *c, const tsr_str *text) {
  tsr_codefile *f = tsr_compile_alloc(c, sizeof *f);
  f->src = (tsr_source){.name = "model.json", .text = tsr_compile_text(c, "%s", text->bytes), .len = text->len};
  f->qualifier = "__torch__";
  tsr_ast *a;
  tsr_compile_check(c, tsr_parse_expr(c->arena, c->err, &f->src, &a));
  return tsr_resolve_type(c, f, a);
}

/* ---- modules */

static void add_methods(tsr_compiler *c, tsr_classrec *r, const char *entry, const char *debug) {
  size_t index;
  if (!tsr_archive_find(c->p->archive, entry, &index)) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "the archive has no %.200s", entry);
  tsr_names_add_file(c, r->cls->name, tsr_compile_text(c, "%s", entry), NULL, 0, index);
  tsr_codefile *f = c->files[c->file_count - 1];
  f->debug_name = debug == NULL ? NULL : tsr_compile_text(c, "%s", debug);
  tsr_names_parse(c, f);
  r->file = f;
  c->p->version = f->ast->ival <= 0 ? -1 : 0;
  f->loose_returns = f->ast->ival == 1;
  for (uint32_t i = 0; i < f->ast->count; i++)
    if (f->ast->kids[i]->kind == TSR_AST_DEF) tsr_class_add_method(c, r, f->ast->kids[i]);
}

static tsr_val make_module(legacy *g, tsr_val def, const char *qualified, int depth);

static const char *child_name(tsr_compiler *c, const char *parent, const tsr_str *name) {
  bool digits = name->len > 0 && strspn(name->bytes, "0123456789") == name->len;
  return tsr_compile_text(c, "%s.%s%s", parent, digits ? "_" : "", name->bytes);
}

typedef struct pending { const char *name; tsr_val v; } pending;

static void declare_attr(tsr_compiler *c, tsr_classrec *r, const tsr_str *name, const tsr_type *type, tsr_val v, pending *p) {
  tsr_class_add_attr(c, r, name->bytes, name->len, type);
  p->name = r->cls->attr_names[r->cls->attr_count - 1];
  p->v = v;
}

/* Parameters say that they are buffers, or buffers stand among the attributes (as "training" did, too). */
static void list_state(tsr_compiler *c, tsr_classrec *r, tsr_val params, tsr_val attrs) {
  for (int k = 0; k < 2; k++) r->state[k] = tsr_compile_alloc(c, (count_of(params) + count_of(attrs) + 1) * sizeof(char *));
  r->lists_buffers = true;
  for (size_t i = 0; i < count_of(params); i++) {
    tsr_val buffer = field(c, item(params, i), "isBuffer");
    bool is_buffer = buffer.tag == TSR_V_BOOL && buffer.b;
    r->state[is_buffer][r->state_count[is_buffer]++] = tsr_compile_text(c, "%s", as_str(c, field(c, item(params, i), "name"), "name")->bytes);
  }
  for (size_t i = 0; i < count_of(attrs); i++) {
    const char *name = as_str(c, field(c, item(attrs, i), "name"), "name")->bytes;
    if (strcmp(as_str(c, field(c, item(attrs, i), "type"), "type")->bytes, "Tensor") == 0 && strcmp(name, "training") != 0)
      r->state[1][r->state_count[1]++] = tsr_compile_text(c, "%s", name);
  }
}

static tsr_val make_module(legacy *g, tsr_val def, const char *qualified, int depth) {
  tsr_compiler *c = g->c;
  if (depth > MAX_MODULE_DEPTH) tsr_compile_fail(c, NULL, NULL, TSR_ELIMIT, "model.json: modules are nested too deeply");
  tsr_compile_depth(c, NULL, NULL);
  if (tsr_strmap_get(&c->classes, qualified, strlen(qualified)) != NULL) qualified = tsr_compile_text(c, "%s.___instance_%zu", qualified, c->class_count);
  tsr_type *type = tsr_type_named(c->types, qualified, strlen(qualified));
  if (type == NULL) tsr_compile_nomem(c);
  tsr_classrec *r = tsr_class_declare(c, type, TSR_CLASS_MODULE, NULL, NULL);
  r->filled = r->instantiated = true;
  tsr_val params = field(c, def, "parameters"), attrs = field(c, def, "attributes"), subs = field(c, def, "submodules");
  pending *list = tsr_compile_alloc(c, (count_of(params) + count_of(attrs) + count_of(subs) + 1) * sizeof *list);
  size_t n = 0;
  list_state(c, r, params, attrs);
  for (size_t i = 0; i < count_of(params); i++, n++)
    declare_attr(c, r, as_str(c, field(c, item(params, i), "name"), "name"), &tsr_type_tensor, tensor_by_id(c, field(c, item(params, i), "tensorId")), &list[n]);
  for (size_t i = 0; i < count_of(attrs); i++, n++) {
    const tsr_type *t = parse_type(c, as_str(c, field(c, item(attrs, i), "type"), "type"));
    declare_attr(c, r, as_str(c, field(c, item(attrs, i), "name"), "name"), t, attribute(g, as_int(c, field(c, item(attrs, i), "id"))), &list[n]);
  }
  for (size_t i = 0; i < count_of(subs); i++, n++) {
    const tsr_str *name = as_str(c, field(c, item(subs, i), "name"), "name");
    tsr_val child = make_module(g, item(subs, i), child_name(c, qualified, name), depth + 1);
    declare_attr(c, r, name, child.obj->cls->type, child, &list[n]);
  }
  const char *code = arena_key(c, def, "torchscriptArena");
  if (code != NULL) add_methods(c, r, code, arena_key(c, def, "torchscriptDebugArena"));
  tsr_object *obj = tsr_object_new(c->p->mem, r->cls, r->cls->attr_count);
  if (obj == NULL) tsr_compile_nomem(c);
  tsr_values_own(c, tsr_from_obj(obj));
  tsr_val state = field(c, def, "getStateAttributeId");
  for (size_t i = 0; i < n; i++)
    if (list[i].v.tag != TSR_V_NONE || state.tag == TSR_V_NONE || as_int(c, state) < 0) tsr_load_set_attr(c, obj, (uint32_t)i, list[i].v);
  if (state.tag != TSR_V_NONE && as_int(c, state) >= 0) tsr_load_setstate(c, obj, attribute(g, as_int(c, state)));
  return tsr_from_obj(obj);
}

static void index_libs(tsr_compiler *c) {
  size_t n = tsr_archive_entry_count(c->p->archive);
  for (size_t i = 0; i < n; i++) {
    tsr_entry_info info;
    tsr_archive_entry(c->p->archive, i, &info);
    if (info.outside || info.name_len < 9 || memcmp(info.name, "libs/", 5) != 0 || memcmp(info.name + info.name_len - 3, ".py", 3) != 0) continue;
    char *qualifier = tsr_compile_text(c, "%.*s", (int)(info.name_len - 8), info.name + 5);
    for (char *p = qualifier; *p != 0; p++)
      if (*p == '/') *p = '.';
    tsr_names_add_file(c, qualifier, tsr_compile_text(c, "%.*s", (int)info.name_len, info.name), NULL, 0, i);
  }
}

void tsr_load_legacy(tsr_compiler *c) {
  legacy g = {.c = c};
  size_t index, len;
  const void *bytes;
  if (!tsr_archive_find(c->p->archive, "model.json", &index)) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "the archive has no model.json");
  tsr_compile_check(c, tsr_archive_read(c->p->archive, index, c->err, &bytes, &len));
  tsr_file_env env = {c->p->mem, c->p->types, c->err};
  tsr_val json;
  tsr_compile_check(c, tsr_json_parse(&env, bytes, len, &json));
  json = tsr_values_own(c, json);
  index_libs(c);
  load_tensors(&g, field(c, json, "tensors"));
  load_attributes(&g);
  tsr_val main = field(c, json, "mainModule");
  if (main.tag != TSR_V_DICT) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "model.json has no mainModule");
  tsr_val name = field(c, main, "name");
  const char *qualified = tsr_compile_text(c, "__torch__.%s", name.tag == TSR_V_STR ? name.s->bytes : "module");
  c->p->root = tsr_values_hold(make_module(&g, main, qualified, 0));
  c->p->root_class = c->p->root.obj->cls;
}
