/* From pickles to objects: constants.pkl, data.pkl, and the classes their objects belong to. */
#include <stdlib.h>

#include "frontend/pickle.h"
#include "interp/compile.h"

/* ---- objects */

static _Noreturn void bad_attr(tsr_compiler *c, const tsr_class *cls, uint32_t slot, tsr_val v) {
  if (v.tag == TSR_V_OBJECT && v.obj->cls->impl == &tsr_opaque_marker)
    tsr_compile_fail(c, NULL, NULL, TSR_EUNSUPPORTED, "attribute '%s' of '%s': objects of class '%.300s' are not supported", cls->attr_names[slot],
                     cls->name, v.obj->cls->name);
  tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "attribute '%s' of '%s' is declared %s but holds a value of type %s", cls->attr_names[slot], cls->name,
                   tsr_compile_typename(c, cls->attr_types[slot]), tsr_tag_name(v));
}

void tsr_load_set_attr(tsr_compiler *c, tsr_object *obj, uint32_t slot, tsr_val v) {
  tsr_val fitted = v;
  if (!tsr_values_fit(c, &fitted, obj->cls->attr_types[slot])) bad_attr(c, obj->cls, slot, v);
  tsr_val old = obj->slots[slot];
  obj->slots[slot] = tsr_retain(fitted);
  tsr_release(old);
}

static void set_from_dict(tsr_compiler *c, tsr_object *obj, const tsr_dict *d) {
  const tsr_class *cls = obj->cls;
  for (uint32_t i = 0; i < cls->attr_count; i++) {
    tsr_str *name = tsr_str_new(c->p->mem, cls->attr_names[i], strlen(cls->attr_names[i]));
    if (name == NULL) tsr_compile_nomem(c);
    const tsr_val *v = tsr_dict_get(d, tsr_from_obj(name));
    tsr_obj_release(name);
    if (v != NULL) tsr_load_set_attr(c, obj, i, *v);
    else tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "attribute '%s' of '%s' is missing in the file", cls->attr_names[i], cls->name);
  }
}

static void run_setstate(tsr_compiler *c, tsr_fnrec *f, tsr_object *obj, tsr_val state) {
  const tsr_schema *s = f->fn.schema;
  if (s->param_count != 2) tsr_compile_fail(c, f->file, f->def, TSR_EFORMAT, "__setstate__ must have two arguments");
  if (!tsr_values_fit(c, &state, s->params[1].type))
    tsr_compile_fail(c, f->file, f->def, TSR_EFORMAT, "the pickled state of '%s' is not a %s", obj->cls->name, tsr_compile_typename(c, s->params[1].type));
  if (c->hooks != NULL && c->hooks->look_only) {
    c->p->kept = tsr_compile_grow(c, c->p->kept, c->p->kept_count, sizeof *c->p->kept);
    c->p->kept[c->p->kept_count++] = (struct tsr_kept_state){obj, tsr_values_own(c, tsr_retain(state))};
    return;
  }
  tsr_compile_check(c, tsr_compile_reachable(c, c->err, f));
  if (c->hooks == NULL || c->hooks->run == NULL) tsr_compile_fail(c, f->file, f->def, TSR_EUNSUPPORTED, "__setstate__ cannot run here");
  tsr_val args[2] = {tsr_from_obj(obj), state}, out = tsr_none();
  tsr_compile_check(c, c->hooks->run(c->hooks->user, c->p, c->err, &f->fn, args, 2, &out));
  tsr_release(out);
  for (uint32_t i = 0; i < obj->count; i++)
    if (obj->slots[i].tag == TSR_V_NONE && !tsr_type_accepts_none(obj->cls->attr_types[i]))
      tsr_compile_fail(c, f->file, f->def, TSR_EFORMAT, "The field '%s' was left uninitialized after '__setstate__', but expected a value of type '%s'",
                       obj->cls->attr_names[i], tsr_compile_typename(c, obj->cls->attr_types[i]));
}

void tsr_load_setstate(tsr_compiler *c, tsr_object *obj, tsr_val state) {
  tsr_fnrec *f = tsr_class_find_method(c, obj->cls, "__setstate__", 12);
  if (f == NULL) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "'%s' has a state but no __setstate__", obj->cls->name);
  run_setstate(c, f, obj, state);
}

tsr_val tsr_load_object(tsr_compiler *c, const tsr_class *cls, tsr_val state) {
  tsr_classrec *r = tsr_class_rec(c, cls);
  if (r->kind != TSR_CLASS_MODULE && r->kind != TSR_CLASS_SCRIPT && r->kind != TSR_CLASS_CUSTOM)
    tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "'%s' is not a class that has objects", cls->name);
  tsr_class_instantiated(c, cls);
  tsr_object *obj = tsr_object_new(c->p->mem, (tsr_class *)cls, cls->attr_count);
  if (obj == NULL) tsr_compile_nomem(c);
  tsr_val out = tsr_values_own(c, tsr_from_obj(obj));
  if (r->kind == TSR_CLASS_CUSTOM) {
    tsr_load_set_attr(c, obj, 0, state);
    return out;
  }
  tsr_fnrec *f = tsr_class_find_method(c, cls, "__setstate__", 12);
  if (f != NULL) run_setstate(c, f, obj, state);
  else if (state.tag == TSR_V_DICT) set_from_dict(c, obj, state.m);
  else tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "the pickled state of '%s' is not a dict", cls->name);
  return out;
}

/* ---- hooks of the unpickler */

typedef struct hook_call { const char *name; size_t len; tsr_val in, out; } hook_call;

static const tsr_type *class_named(tsr_compiler *c, const hook_call *h) {
  const tsr_type *t = tsr_class_type(c, h->name, h->len);
  if (t == NULL) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "class '%.*s' is not in the archive's code", (int)TSR_MIN(h->len, 200), h->name);
  return t;
}

static void make_object(tsr_compiler *c, void *arg) {
  hook_call *h = arg;
  h->out = tsr_load_object(c, class_named(c, h)->cls, h->in);
}

static void make_enum(tsr_compiler *c, void *arg) {
  hook_call *h = arg;
  const tsr_type *t = class_named(c, h);
  if (t->kind != TSR_T_ENUM) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "'%s' is not an enum", t->name);
  for (uint32_t i = 0; i < t->cls->member_count; i++) {
    if (t->cls->member_values[i].tag != h->in.tag || !tsr_val_equal(t->cls->member_values[i], h->in)) continue;
    tsr_enumval *e = tsr_enumval_new(c->p->mem, t->cls, i);
    if (e == NULL) tsr_compile_nomem(c);
    h->out = tsr_values_own(c, tsr_from_obj(e));
    return;
  }
  tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "enum '%s' has no member with the pickled value", t->name);
}

static tsr_status guarded(tsr_compiler *c, tsr_errrec *e, tsr_compile_fn fn, const char *name, size_t len, tsr_val in, tsr_val *out) {
  hook_call h = {name, len, in, tsr_none()};
  tsr_status s = tsr_compile_guard(c, e, fn, &h);
  *out = s == TSR_OK ? tsr_retain(h.out) : tsr_none();
  return s;
}

static tsr_status hook_object(void *user, tsr_errrec *e, const char *name, size_t len, tsr_val state, tsr_val *out) {
  return guarded(user, e, make_object, name, len, state, out);
}

static tsr_status hook_enum(void *user, tsr_errrec *e, const char *name, size_t len, tsr_val value, tsr_val *out) {
  return guarded(user, e, make_enum, name, len, value, out);
}

/* ---- the archive */

static void index_code(tsr_compiler *c) {
  tsr_archive *a = c->p->archive;
  size_t n = tsr_archive_entry_count(a);
  for (size_t i = 0; i < n; i++) {
    tsr_entry_info info;
    tsr_archive_entry(a, i, &info);
    if (info.outside || info.name_len < 9 || memcmp(info.name, "code/", 5) != 0 || memcmp(info.name + info.name_len - 3, ".py", 3) != 0) continue;
    char *qualifier = tsr_compile_text(c, "%.*s", (int)(info.name_len - 8), info.name + 5);
    for (char *p = qualifier; *p != 0; p++)
      if (*p == '/') *p = '.';
    if (strlen(qualifier) != info.name_len - 8) continue; /* a NUL in the name */
    tsr_names_add_file(c, qualifier, tsr_compile_text(c, "%.*s", (int)info.name_len, info.name), NULL, 0, i);
    c->files[c->file_count - 1]->debug_name = tsr_compile_text(c, "%.*s.debug_pkl", (int)info.name_len, info.name);
  }
}

static tsr_status unpickle(tsr_compiler *c, const char *entry, const char *prefix, tsr_val *out) {
  tsr_program *p = c->p;
  size_t index;
  const void *bytes;
  size_t len;
  *out = tsr_none();
  if (!tsr_archive_find(p->archive, entry, &index)) return tsr_fail(c->err, TSR_EFORMAT, "the archive has no %s", entry);
  TSR_TRY(tsr_archive_read(p->archive, index, c->err, &bytes, &len));
  tsr_pickle_hooks hooks = {c, hook_object, hook_enum};
  tsr_pickle_options opt = {p->mem, p->types, &hooks, p->archive, prefix, entry};
  return tsr_unpickle(&opt, c->err, bytes, len, out);
}

static void load_constants(tsr_compiler *c) {
  tsr_val v;
  tsr_compile_check(c, unpickle(c, "constants.pkl", "constants", &v));
  v = tsr_values_own(c, v);
  const tsr_val *items = v.tag == TSR_V_TUPLE ? v.u->items : v.tag == TSR_V_LIST ? v.l->items : NULL;
  size_t n = v.tag == TSR_V_TUPLE ? v.u->len : v.tag == TSR_V_LIST ? v.l->len : 0;
  if (items == NULL && v.tag != TSR_V_TUPLE && v.tag != TSR_V_LIST) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "constants.pkl does not hold a tuple");
  c->p->constants = calloc(n + 1, sizeof *c->p->constants);
  if (c->p->constants == NULL) tsr_compile_nomem(c);
  for (size_t i = 0; i < n; i++) {
    c->p->constants[i] = tsr_retain(items[i]);
    c->p->constant_count = i + 1;
    if (!tsr_values_fit(c, &c->p->constants[i], &tsr_type_any)) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "constant %zu has elements of another type than it declares", i);
  }
}

void tsr_load_archive(tsr_compiler *c) {
  index_code(c);
  load_constants(c);
  tsr_compile_check(c, unpickle(c, "data.pkl", "data", &c->p->root));
  if (c->p->root.tag != TSR_V_OBJECT || c->p->root.obj->cls->impl == NULL || !c->p->root.obj->cls->is_module)
    tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "data.pkl does not hold a module");
  c->p->root_class = c->p->root.obj->cls;
}
