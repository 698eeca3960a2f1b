/* bytecode.pkl and data.pkl of an archive without sources: methods, and classes as the objects show them. */
#include "interp/lite.h"

#include <stdlib.h>

#include "frontend/pickle.h"

enum { MAX_REGISTERS = 1 << 20, MAX_SLOTS = 1 << 12, FIRST_VERSION = 4, LAST_VERSION = 8, SHARED_TENSORS = 5 };

typedef struct pending { tsr_object *obj; tsr_val state; } pending;

typedef struct signature { tsr_fnrec *f; tsr_val described; } signature;

typedef struct lite {
  tsr_compiler *c;
  signature *signatures; size_t signature_count;
  bool written[MAX_SLOTS];     /* slots that some code sets */
  tsr_object **objects; size_t object_count;
  pending *pending; size_t pending_count;
} lite;

#define bad(c, ...) tsr_compile_fail((c), NULL, NULL, TSR_EFORMAT, "bytecode.pkl: " __VA_ARGS__)

const char *tsr_lite_opcode_name(unsigned op) {
  static const char *const names[] = {
#define X(name, pops) #name,
      TSR_LITE_OPS(X)
#undef X
  };
  return op < TSR_LITE_COUNT ? names[op] : "?";
}

/* ---- reading tuples */

typedef struct items { const tsr_val *v; size_t n; } items;

static items sequence(tsr_compiler *c, tsr_val v, const char *what) {
  if (v.tag == TSR_V_TUPLE) return (items){v.u->items, v.u->len};
  if (v.tag == TSR_V_LIST) return (items){v.l->items, v.l->len};
  bad(c, "%s is not a tuple", what);
}

static const char *text(tsr_compiler *c, tsr_val v, const char *what) {
  if (v.tag != TSR_V_STR || strlen(v.s->bytes) != v.s->len) bad(c, "%s is not a text", what);
  return v.s->bytes;
}

static int64_t number(tsr_compiler *c, tsr_val v, const char *what, int64_t lo, int64_t hi) {
  if (v.tag != TSR_V_INT || v.i < lo || v.i > hi) bad(c, "%s is not a number from %lld to %lld", what, (long long)lo, (long long)hi);
  return v.i;
}

/* The value of key in (("key", value), …). */
static tsr_val field(tsr_compiler *c, tsr_val table, const char *key) {
  items t = sequence(c, table, "a table");
  for (size_t i = 0; i < t.n; i++) {
    items pair = sequence(c, t.v[i], "an entry of a table");
    if (pair.n == 2 && strcmp(text(c, pair.v[0], "a key"), key) == 0) return pair.v[1];
  }
  bad(c, "there is no '%s'", key);
}

/* ---- methods */

static uint8_t opcode(tsr_compiler *c, const char *name) {
  for (unsigned i = 0; i < TSR_LITE_COUNT; i++)
    if (strcmp(tsr_lite_opcode_name(i), name) == 0) return (uint8_t)i;
  bad(c, "unknown instruction '%.40s'", name);
}

static void read_operators(tsr_compiler *c, tsr_lite_code *k, items ops) {
  k->operators = tsr_compile_alloc(c, (ops.n + 1) * sizeof *k->operators);
  k->noperators = (uint32_t)ops.n;
  for (size_t i = 0; i < ops.n; i++) {
    items o = sequence(c, ops.v[i], "an operator");
    if (o.n < 2) bad(c, "an operator has no name");
    k->operators[i].name = text(c, o.v[0], "the name of an operator");
    k->operators[i].overload = text(c, o.v[1], "the overload of an operator");
    k->operators[i].nargs = o.n < 3 || o.v[2].tag == TSR_V_NONE ? -1 : (int32_t)number(c, o.v[2], "a count of arguments", -1, 1 << 16);
  }
}

/* One line an instruction: what errors and `tsrun code` show. */
static void print_insn(const tsr_lite_code *k, uint32_t i, tsr_buf *out) {
  const tsr_lite_insn *in = &k->insns[i];
  tsr_buf_printf(out, "%u: %s %d %d", i, tsr_lite_opcode_name(in->op), (int)in->x, (int)in->n);
  if ((in->op == TSR_LITE_OP || in->op == TSR_LITE_OPN) && in->x >= 0 && (uint32_t)in->x < k->noperators) {
    const tsr_lite_operator *o = &k->operators[in->x];
    tsr_buf_printf(out, "  %s%s%s", o->name, o->overload[0] == 0 ? "" : ".", o->overload);
  }
  if (in->op == TSR_LITE_LOADC && in->x >= 0 && (uint32_t)in->x < k->nconstants && k->constants[in->x].tag < TSR_V_TENSOR) {
    tsr_buf_puts(out, "  ");
    tsr_val_print(k->constants[in->x], out);
  }
}

static tsr_codefile *listing(tsr_compiler *c, const char *method, tsr_lite_code *k) {
  tsr_buf b = {0};
  for (uint32_t i = 0; i < k->ninsns; i++) {
    k->insns[i].begin = (uint32_t)b.len;
    print_insn(k, i, &b);
    k->insns[i].end = (uint32_t)b.len;
    tsr_buf_putc(&b, '\n');
  }
  char *copy = b.oom || b.len > UINT32_MAX / 2 ? NULL : tsr_arena_strdup(c->arena, b.data == NULL ? "" : b.data, b.len);
  size_t len = b.len;
  tsr_buf_dispose(&b);
  if (copy == NULL) tsr_compile_nomem(c);
  const char *name = tsr_compile_text(c, "bytecode.pkl:%s", method);
  tsr_names_add_file(c, name, name, "", 0, SIZE_MAX);
  tsr_codefile *f = c->files[c->file_count - 1];
  tsr_names_parse(c, f); /* no syntax in it */
  f->src.text = copy;
  f->src.len = len;
  return f;
}

static void read_insns(lite *g, tsr_lite_code *k, items list) {
  tsr_compiler *c = g->c;
  k->insns = tsr_compile_alloc(c, (list.n + 1) * sizeof *k->insns);
  k->ninsns = (uint32_t)list.n;
  for (size_t i = 0; i < list.n; i++) {
    items in = sequence(c, list.v[i], "an instruction");
    if (in.n != 3) bad(c, "an instruction has not three parts");
    k->insns[i].op = opcode(c, text(c, in.v[0], "the name of an instruction"));
    k->insns[i].x = (int32_t)number(c, in.v[1], "an operand", INT32_MIN, INT32_MAX);
    k->insns[i].n = (int32_t)number(c, in.v[2], "an operand", INT32_MIN, INT32_MAX);
    if (k->insns[i].op == TSR_LITE_SET_ATTR && k->insns[i].x >= 0 && k->insns[i].x < MAX_SLOTS) g->written[k->insns[i].x] = true;
  }
}

static tsr_lite_code *read_code(lite *g, tsr_val code) {
  tsr_compiler *c = g->c;
  tsr_lite_code *k = tsr_compile_alloc(c, sizeof *k);
  read_operators(c, k, sequence(c, field(c, code, "operators"), "operators"));
  items consts = sequence(c, field(c, code, "constants"), "constants"), types = sequence(c, field(c, code, "types"), "types");
  k->constants = consts.v;
  k->nconstants = (uint32_t)consts.n;
  k->types = tsr_compile_alloc(c, (types.n + 1) * sizeof *k->types);
  k->ntypes = (uint32_t)types.n;
  for (size_t i = 0; i < types.n; i++) k->types[i] = text(c, types.v[i], "a type");
  k->nregs = (uint32_t)number(c, field(c, code, "register_size"), "register_size", 0, MAX_REGISTERS);
  read_insns(g, k, sequence(c, field(c, code, "instructions"), "instructions"));
  return k;
}

/* It names a class that no object has, or describes a named tuple. */
static bool names_unknown(tsr_compiler *c, const char *type) {
  if (strstr(type, "NamedTuple") != NULL) return true;
  for (const char *p = type; (p = strstr(p, "__torch__.")) != NULL; p++) {
    size_t len = strcspn(p, " ,[]()");
    if (!tsr_class_is_schema_custom(p, len) && tsr_strmap_get(&c->classes, p, len) == NULL) return true;
  }
  return false;
}

const tsr_type *tsr_lite_type(tsr_compiler *c, const char *type) {
  if (names_unknown(c, type)) return &tsr_type_any;
  tsr_codefile *f = tsr_compile_alloc(c, sizeof *f);
  f->src = (tsr_source){.name = "bytecode.pkl", .text = type, .len = strlen(type)};
  f->qualifier = "__torch__";
  tsr_ast *a;
  tsr_compile_check(c, tsr_parse_expr(c->arena, c->err, &f->src, &a));
  return tsr_resolve_type(c, f, a);
}

static void read_param(tsr_compiler *c, tsr_val v, tsr_param *p) {
  p->name = text(c, field(c, v, "name"), "the name of an argument");
  p->type = tsr_lite_type(c, text(c, field(c, v, "type"), "the type of an argument"));
  p->dflt = field(c, v, "default_value");
  p->has_default = p->dflt.tag != TSR_V_NONE || tsr_type_accepts_none(p->type);
  if (p->has_default && !tsr_values_fit(c, &p->dflt, p->type)) bad(c, "default of '%.100s' has another type", p->name);
}

static tsr_schema *read_schema(tsr_compiler *c, const char *name, const tsr_class *cls, tsr_val v) {
  items args = sequence(c, field(c, v, "arguments"), "arguments"), rets = sequence(c, field(c, v, "returns"), "returns");
  if (args.n == 0 || args.n > 1 << 16 || rets.n > 1) bad(c, "'%.200s' has a bad signature", name);
  tsr_schema *s = tsr_compile_alloc(c, sizeof *s);
  s->name = name;
  s->overload = "";
  s->params = tsr_compile_alloc(c, args.n * sizeof *s->params);
  s->rets = tsr_compile_alloc(c, sizeof *s->rets);
  s->param_count = (uint32_t)args.n;
  s->ret_count = 1;
  for (size_t i = 0; i < args.n; i++) read_param(c, args.v[i], &s->params[i]);
  s->params[0].type = cls->type;
  s->params[0].has_default = false;
  s->rets[0].name = "";
  s->rets[0].type = rets.n == 0 ? &tsr_type_none : tsr_lite_type(c, text(c, field(c, rets.v[0], "type"), "the type of a result"));
  return s;
}

/* Early files of version 4 have no signature: as many values as the method begins by storing. */
static tsr_schema *guess_schema(tsr_compiler *c, const char *name, const tsr_class *cls, const tsr_lite_code *k) {
  const tsr_lite_insn *in = k->ninsns > 0 ? &k->insns[0] : NULL;
  if (in == NULL || (in->op != TSR_LITE_STOREN && in->op != TSR_LITE_STORE) || in->n < 0 || in->n > 1 << 16) bad(c, "'%.200s' has no signature", name);
  uint32_t n = in->op == TSR_LITE_STORE ? 1 : (uint32_t)in->n;
  if (n == 0) bad(c, "'%.200s' has no signature", name);
  tsr_schema *s = tsr_compile_alloc(c, sizeof *s);
  *s = (tsr_schema){.name = name, .overload = "", .param_count = n, .ret_count = 1};
  s->params = tsr_compile_alloc(c, n * sizeof *s->params);
  s->rets = tsr_compile_alloc(c, sizeof *s->rets);
  for (uint32_t i = 0; i < n; i++) {
    s->params[i].name = i == 0 ? "self" : tsr_compile_text(c, "argument_%u", i);
    s->params[i].type = i == 0 ? cls->type : &tsr_type_any;
  }
  s->rets[0].name = "";
  s->rets[0].type = &tsr_type_any;
  return s;
}

static tsr_classrec *class_of(tsr_compiler *c, const char *name, size_t len) {
  tsr_classrec *r = tsr_strmap_get(&c->classes, name, len);
  if (r != NULL) return r;
  tsr_type *t = tsr_type_named(c->types, name, len);
  if (t == NULL) tsr_compile_nomem(c);
  r = tsr_class_declare(c, t, TSR_CLASS_MODULE, NULL, NULL);
  r->filled = true;
  return r;
}

static void read_method(lite *g, tsr_val v) {
  tsr_compiler *c = g->c;
  items m = sequence(c, v, "a method");
  if (m.n < 2) bad(c, "a method has no code");
  const char *name = text(c, m.v[0], "the name of a method"), *dot = strrchr(name, '.');
  if (dot == NULL || dot == name || dot[1] == 0 || strncmp(name, "__torch__.", 10) != 0) bad(c, "'%.200s' is not the name of a method", name);
  tsr_classrec *r = class_of(c, name, (size_t)(dot - name));
  if (tsr_strmap_get(&r->methods, dot + 1, strlen(dot + 1)) != NULL) bad(c, "method '%.200s' is there twice", name);
  tsr_lite_code *k = read_code(g, m.v[1]);
  tsr_fnrec *f = tsr_fnrec_new(c, name, dot + 1, NULL, listing(c, name, k), r->cls);
  f->lite = k;
  g->signatures = tsr_compile_grow(c, g->signatures, g->signature_count, sizeof *g->signatures);
  g->signatures[g->signature_count++] = (signature){f, m.n > 2 ? m.v[2] : tsr_none()};
  tsr_compile_strmap_set(c, &r->methods, dot + 1, strlen(dot + 1), f);
  r->method_list = tsr_compile_grow(c, r->method_list, r->method_count, sizeof *r->method_list);
  r->method_list[r->method_count++] = f;
}

/* ---- objects */

/* What the slots of a class hold, learnt from its objects; None alone, or what code sets, may be anything. */
static const tsr_type *slot_type(lite *g, uint32_t slot, tsr_val v) {
  const tsr_type *t = tsr_resolve_type_of(g->c, v);
  if (v.tag == TSR_V_OBJECT) return t;
  return slot < MAX_SLOTS && g->written[slot] ? &tsr_type_any : t;
}

static void learn_first(lite *g, tsr_classrec *r, const tsr_dict *d) {
  uint32_t slot = 0;
  for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1), slot++) {
    tsr_val key = d->entries[i].key;
    if (key.tag != TSR_V_STR) tsr_compile_fail(g->c, NULL, NULL, TSR_EFORMAT, "data.pkl: an attribute of '%s' has no name", r->cls->name);
    tsr_class_add_attr(g->c, r, key.s->bytes, key.s->len, slot_type(g, slot, d->entries[i].value));
  }
}

static void fill_slots(lite *g, tsr_classrec *r, tsr_object *o, const tsr_dict *d) {
  const tsr_type **types = (const tsr_type **)(uintptr_t)r->cls->attr_types;
  uint32_t slot = 0;
  for (size_t i = tsr_dict_next(d, 0); i < d->used && slot < o->count; i = tsr_dict_next(d, i + 1), slot++) {
    tsr_val key = d->entries[i].key, v = d->entries[i].value;
    const char *name = r->cls->attr_names[slot];
    if (key.tag != TSR_V_STR || strlen(name) != key.s->len || memcmp(name, key.s->bytes, key.s->len) != 0)
      tsr_compile_fail(g->c, NULL, NULL, TSR_EFORMAT, "data.pkl: objects of '%s' have different attributes", r->cls->name);
    const tsr_type *t = tsr_resolve_unify(g->c, types[slot], slot_type(g, slot, v));
    types[slot] = t == NULL ? &tsr_type_any : t;
    o->slots[slot] = tsr_retain(v);
  }
}

/* An object that __setstate__ fills: as many slots as that sets. */
static void slots_of_setstate(lite *g, tsr_classrec *r, const tsr_fnrec *f) {
  const tsr_lite_code *k = f->lite;
  int32_t n = 0;
  for (uint32_t i = 0; i < k->ninsns; i++)
    if (k->insns[i].op == TSR_LITE_SET_ATTR && k->insns[i].x >= n) n = k->insns[i].x + 1;
  if (n > MAX_SLOTS) bad(g->c, "'%s' has too many attributes", r->cls->name);
  for (int32_t i = 0; i < n; i++) {
    const char *name = tsr_compile_text(g->c, "slot%d", (int)i);
    tsr_class_add_attr(g->c, r, name, strlen(name), &tsr_type_any);
  }
}

typedef struct hook_call { lite *g; const char *name; size_t len; tsr_val in, out; } hook_call;

static tsr_object *new_object(lite *g, tsr_classrec *r) {
  tsr_compiler *c = g->c;
  r->instantiated = true;
  tsr_object *o = tsr_object_new(c->p->mem, r->cls, r->cls->attr_count);
  if (o == NULL) tsr_compile_nomem(c);
  tsr_values_own(c, tsr_from_obj(o));
  g->objects = tsr_compile_grow(c, g->objects, g->object_count, sizeof *g->objects);
  g->objects[g->object_count++] = o;
  return o;
}

static void make_object(tsr_compiler *c, void *arg) {
  hook_call *h = arg;
  lite *g = h->g;
  if (tsr_class_is_schema_custom(h->name, h->len)) {
    h->out = tsr_load_object(c, tsr_class_type(c, h->name, h->len)->cls, h->in);
    return;
  }
  tsr_classrec *r = class_of(c, h->name, h->len);
  const tsr_fnrec *setstate = tsr_strmap_get(&r->methods, "__setstate__", 12);
  if (setstate != NULL) {
    if (!r->instantiated) slots_of_setstate(g, r, setstate);
    tsr_object *o = new_object(g, r);
    h->out = tsr_from_obj(o);
    g->pending = tsr_compile_grow(c, g->pending, g->pending_count, sizeof *g->pending);
    g->pending[g->pending_count++] = (pending){o, tsr_values_own(c, tsr_retain(h->in))};
    return;
  }
  if (h->in.tag != TSR_V_DICT) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "the pickled state of '%s' is not a dict", r->cls->name);
  if (!r->instantiated) learn_first(g, r, h->in.m);
  if (h->in.m->count != r->cls->attr_count)
    tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "data.pkl: objects of '%s' have different attributes", r->cls->name);
  tsr_object *o = new_object(g, r);
  fill_slots(g, r, o, h->in.m);
  h->out = tsr_from_obj(o);
}

static tsr_status hook_object(void *user, tsr_errrec *e, const char *name, size_t len, tsr_val state, tsr_val *out) {
  lite *g = user;
  hook_call h = {g, name, len, state, tsr_none()};
  tsr_status s = tsr_compile_guard(g->c, e, make_object, &h);
  *out = s == TSR_OK ? tsr_retain(h.out) : tsr_none();
  return s;
}

static tsr_status hook_enum(void *user, tsr_errrec *e, const char *name, size_t len, tsr_val value, tsr_val *out) {
  TSR_UNUSED(user), TSR_UNUSED(value);
  *out = tsr_none();
  return tsr_fail(e, TSR_EUNSUPPORTED, "enum '%.*s' in an archive without code is not supported", (int)TSR_MIN(len, 200), name);
}

/* Slots hold what their types say, however the other objects widened them. */
static void settle(lite *g) {
  tsr_compiler *c = g->c;
  for (size_t i = 0; i < g->signature_count; i++) { /* now that the classes are known */
    tsr_fnrec *f = g->signatures[i].f;
    tsr_val described = g->signatures[i].described;
    f->fn.schema = described.tag == TSR_V_NONE ? guess_schema(c, f->fn.name, f->cls, f->lite) : read_schema(c, f->fn.name, f->cls, described);
    f->declared = true;
  }
  for (size_t i = 0; i < g->object_count; i++) {
    tsr_object *o = g->objects[i];
    for (uint32_t k = 0; k < o->count; k++) {
      if (tsr_values_fit(c, &o->slots[k], o->cls->attr_types[k])) continue;
      tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "data.pkl: attribute '%s' of '%s' holds elements of another type than it declares", o->cls->attr_names[k], o->cls->name);
    }
  }
  for (size_t i = 0; i < g->pending_count; i++) tsr_load_setstate(c, g->pending[i].obj, g->pending[i].state);
}

/* ---- the archive */

static tsr_val unpickle(lite *g, const char *entry, const char *prefix) {
  tsr_compiler *c = g->c;
  size_t index, len;
  const void *bytes;
  if (!tsr_archive_find(c->p->archive, entry, &index)) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "the archive has no %s", entry);
  tsr_compile_check(c, tsr_archive_read(c->p->archive, index, c->err, &bytes, &len));
  tsr_pickle_hooks hooks = {g, hook_object, hook_enum};
  tsr_pickle_options opt = {c->p->mem, c->p->types, &hooks, c->p->archive, prefix, entry};
  tsr_val v;
  tsr_compile_check(c, tsr_unpickle(&opt, c->err, bytes, len, &v));
  return tsr_values_own(c, v);
}

/* The constants of all methods are the program's: a session copies those that its code can write. */
static void own_constants(lite *g, tsr_lite_code **codes, size_t n) {
  tsr_program *p = g->c->p;
  size_t total = 0;
  for (size_t i = 0; i < n; i++) total += codes[i]->nconstants;
  p->constants = calloc(total + 1, sizeof *p->constants);
  if (p->constants == NULL) tsr_compile_nomem(g->c);
  for (size_t i = 0; i < n; i++) {
    const tsr_val *from = codes[i]->constants;
    codes[i]->constants = p->constants + p->constant_count;
    for (uint32_t k = 0; k < codes[i]->nconstants; k++) {
      tsr_val *to = &p->constants[p->constant_count];
      *to = tsr_retain(from[k]);
      p->constant_count++;
      if (!tsr_values_fit(g->c, to, &tsr_type_any)) bad(g->c, "a constant has elements of another type than it declares");
    }
  }
}

static void read_methods(lite *g, tsr_val bytecode) {
  tsr_compiler *c = g->c;
  items all = sequence(c, bytecode, "the whole");
  size_t first = all.n > 0 && all.v[0].tag == TSR_V_INT ? 1 : 0;
  for (size_t i = first; i < all.n; i++) read_method(g, all.v[i]);
  tsr_lite_code **codes = tsr_compile_alloc(c, (all.n + 1) * sizeof *codes);
  size_t n = 0;
  for (size_t i = 0; i < c->class_count; i++)
    for (uint32_t k = 0; k < c->class_list[i]->method_count; k++) codes[n++] = c->class_list[i]->method_list[k]->lite;
  own_constants(g, codes, n);
}

/* The format's number stands first in the tuple, before the tensors, whose folder depends on it. */
static const char *tensor_folder(tsr_compiler *c) {
  size_t index;
  return tsr_archive_find(c->p->archive, "constants.pkl", &index) ? "constants" : "bytecode";
}

static void check_version(tsr_compiler *c, tsr_val bytecode) {
  items all = sequence(c, bytecode, "the whole");
  int64_t version = all.n > 0 && all.v[0].tag == TSR_V_INT ? all.v[0].i : 3;
  if (version < FIRST_VERSION || version > LAST_VERSION)
    tsr_compile_fail(c, NULL, NULL, TSR_EUNSUPPORTED, "bytecode.pkl has version %lld; versions %d to %d are supported", (long long)version, FIRST_VERSION, LAST_VERSION);
}

void tsr_load_lite(tsr_compiler *c) {
  lite *g = tsr_compile_alloc(c, sizeof *g);
  g->c = c;
  tsr_val bytecode = unpickle(g, "bytecode.pkl", tensor_folder(c));
  check_version(c, bytecode);
  read_methods(g, bytecode);
  c->p->root = tsr_values_hold(unpickle(g, "data.pkl", "data"));
  if (c->p->root.tag != TSR_V_OBJECT || c->p->root.obj->cls->impl == NULL || !c->p->root.obj->cls->is_module)
    tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "data.pkl does not hold a module");
  c->p->root_class = c->p->root.obj->cls;
  settle(g);
}
