/* Classes: from their text in a code file to attributes, methods, members and hooks. */
#include "interp/compile.h"

#include <stdio.h>

static const char custom_prefix[] = "__torch__.torch.classes.";

bool tsr_class_is_schema_custom(const char *qualified, size_t len) {
  size_t n = sizeof custom_prefix - 1;
  return len > n && memcmp(qualified, custom_prefix, n) == 0;
}

static bool text_is(const tsr_ast *a, const char *word) { return a->len == strlen(word) && memcmp(a->text, word, a->len) == 0; }

/* The object a runtime needs lives in the types' arena: values that leave the model keep only that. */
tsr_classrec *tsr_class_declare(tsr_compiler *c, tsr_type *type, tsr_class_kind kind, const tsr_ast *ast, tsr_codefile *file) {
  static const tsr_type_kind kinds[] = {[TSR_CLASS_MODULE] = TSR_T_CLASS, [TSR_CLASS_SCRIPT] = TSR_T_CLASS,
                                        [TSR_CLASS_NAMEDTUPLE] = TSR_T_NAMEDTUPLE, [TSR_CLASS_ENUM] = TSR_T_ENUM,
                                        [TSR_CLASS_INTERFACE] = TSR_T_INTERFACE, [TSR_CLASS_CUSTOM] = TSR_T_CLASS};
  tsr_classrec *r = tsr_compile_alloc(c, sizeof *r);
  tsr_class *cls = tsr_arena_alloc(tsr_types_arena(c->types), sizeof *cls);
  if (cls == NULL) tsr_compile_nomem(c);
  cls->name = type->name;
  cls->type = type;
  cls->is_module = kind == TSR_CLASS_MODULE;
  cls->is_custom = kind == TSR_CLASS_CUSTOM;
  cls->impl = r;
  type->kind = kinds[kind];
  type->cls = cls;
  r->cls = cls;
  r->kind = kind;
  r->ast = ast;
  r->file = file;
  c->class_list = tsr_compile_grow(c, c->class_list, c->class_count, sizeof *c->class_list);
  c->class_list[c->class_count++] = r;
  tsr_compile_strmap_set(c, &c->classes, type->name, strlen(type->name), r);
  return r;
}

static void *types_alloc(tsr_compiler *c, size_t size) {
  void *p = tsr_arena_alloc(tsr_types_arena(c->types), size);
  if (p == NULL) tsr_compile_nomem(c);
  return p;
}

/* Like tsr_compile_grow, in the types' arena. */
static void *types_grow(tsr_compiler *c, void *items, size_t count, size_t item_size) {
  if (count != 0 && (count & (count - 1)) != 0) return items;
  void *grown = types_alloc(c, (count == 0 ? 1 : count * 2) * item_size);
  if (count > 0) memcpy(grown, items, count * item_size);
  return grown;
}

static const char *types_text(tsr_compiler *c, const char *text, size_t len) {
  char *copy = tsr_arena_strdup(tsr_types_arena(c->types), text, len);
  if (copy == NULL) tsr_compile_nomem(c);
  return copy;
}

void tsr_class_add_attr(tsr_compiler *c, tsr_classrec *r, const char *name, size_t len, const tsr_type *type) {
  tsr_class *cls = r->cls;
  if (tsr_strmap_get(&r->attrs, name, len) != NULL) {
    tsr_compile_fail(c, r->file, r->ast, TSR_EFORMAT, "class '%s' declares attribute '%.*s' twice", cls->name, (int)TSR_MIN(len, 100), name);
  }
  const char *own = types_text(c, name, len);
  cls->attr_names = types_grow(c, cls->attr_names, cls->attr_count, sizeof *cls->attr_names);
  cls->attr_types = types_grow(c, cls->attr_types, cls->attr_count, sizeof *cls->attr_types);
  cls->attr_names[cls->attr_count] = own;
  cls->attr_types[cls->attr_count] = type;
  cls->attr_count++;
  tsr_compile_strmap_set(c, &r->attrs, own, len, (void *)(uintptr_t)cls->attr_count);
}

static tsr_class_kind kind_of_base(tsr_compiler *c, const tsr_entity *en) {
  static const struct { const char *word; tsr_class_kind kind; } bases[] = {
      {"Module", TSR_CLASS_MODULE}, {"NamedTuple", TSR_CLASS_NAMEDTUPLE}, {"Enum", TSR_CLASS_ENUM},
      {"Interface", TSR_CLASS_INTERFACE}, {"ModuleInterface", TSR_CLASS_INTERFACE}};
  const tsr_ast *base = en->ast->kids[0];
  if (base->kind == TSR_AST_NONE) return TSR_CLASS_SCRIPT;
  if (base->kind == TSR_AST_NAME)
    for (size_t i = 0; i < TSR_COUNT(bases); i++)
      if (text_is(base, bases[i].word)) return bases[i].kind;
  tsr_compile_fail(c, en->file, base, TSR_EFORMAT, "class '%s' has a base class that TorchScript does not have", en->qualified);
}

static void fill(tsr_compiler *c, tsr_classrec *r);

tsr_type *tsr_class_type(tsr_compiler *c, const char *qualified, size_t len) {
  tsr_classrec *known = tsr_strmap_get(&c->classes, qualified, len);
  if (known != NULL) {
    if (!known->filled && (known->kind == TSR_CLASS_NAMEDTUPLE || known->kind == TSR_CLASS_ENUM)) fill(c, known);
    return (tsr_type *)known->cls->type;
  }
  tsr_classrec *r;
  if (tsr_class_is_schema_custom(qualified, len)) {
    tsr_type *t = tsr_type_named(c->types, qualified, len);
    if (t == NULL) tsr_compile_nomem(c);
    r = tsr_class_declare(c, t, TSR_CLASS_CUSTOM, NULL, NULL);
    tsr_class_add_attr(c, r, "state", 5, &tsr_type_any);
    r->filled = true;
    return t;
  }
  tsr_entity *en = tsr_names_find(c, qualified, len);
  if (en == NULL || en->ast->kind != TSR_AST_CLASS) return NULL;
  tsr_type *t = tsr_type_named(c->types, qualified, len);
  if (t == NULL) tsr_compile_nomem(c);
  r = tsr_class_declare(c, t, kind_of_base(c, en), en->ast, en->file);
  en->type = t;
  /* the fields are part of the type, and members must be known before a constant names one */
  if (r->kind == TSR_CLASS_NAMEDTUPLE || r->kind == TSR_CLASS_ENUM) fill(c, r);
  return t;
}

/* ---- class bodies */

/* Quantized modules written before packed weights had a class of their own declare them as Tensor. */
static const tsr_type *packed_type(tsr_compiler *c, const tsr_classrec *r, const tsr_ast *field, const tsr_type *type) {
  static const struct { const char *tail, *custom; } rows[] = {
      {"linear.LinearPackedParams", "quantized.LinearPackedParamsBase"}, {"linear.Linear", "quantized.LinearPackedParamsBase"},
      {"conv.Conv2d", "quantized.Conv2dPackedParamsBase"}, {"conv.Conv3d", "quantized.Conv3dPackedParamsBase"},
      {"rnn.PackedParameter", "quantized.LinearPackedParamsBase"}, {"rnn.LSTM", "quantized.LinearPackedParamsBase"},
      {"conv_relu.ConvReLU2d", "quantized.Conv2dPackedParamsBase"}, {"conv_relu.ConvReLU3d", "quantized.Conv3dPackedParamsBase"}};
  bool list = type->kind == TSR_T_LIST && type->args[0] == &tsr_type_tensor && text_is(field, "_all_weight_values"); /* 1.3 */
  bool single = type == &tsr_type_tensor && (text_is(field, "_packed_params") || text_is(field, "param"));
  if ((!list && !single) || strstr(r->cls->name, ".quantized.") == NULL) return type;
  char plain[256];
  size_t n = 0;
  for (const char *p = r->cls->name; *p != 0 && n + 1 < sizeof plain;) { /* without ".___torch_mangle_3" components */
    if (strncmp(p, ".___torch_mangle_", 17) == 0) {
      for (p++; *p != 0 && *p != '.'; p++) {}
      continue;
    }
    plain[n++] = *p++;
  }
  plain[n] = 0;
  for (size_t i = 0; i < TSR_COUNT(rows); i++) {
    size_t tail = strlen(rows[i].tail);
    if (n <= tail || plain[n - tail - 1] != '.' || strcmp(plain + n - tail, rows[i].tail) != 0) continue;
    const char *name = tsr_compile_text(c, "%s%s", custom_prefix, rows[i].custom);
    const tsr_type *custom = tsr_class_type(c, name, strlen(name));
    return list && custom != NULL ? tsr_type_list(c->types, custom) : custom;
  }
  return type;
}

static bool is_final(const tsr_ast *type) {
  return (type->kind == TSR_AST_NAME && text_is(type, "Final")) ||
         (type->kind == TSR_AST_SUBSCRIPT && type->kids[0]->kind == TSR_AST_NAME && text_is(type->kids[0], "Final"));
}

void tsr_class_add_method(tsr_compiler *c, tsr_classrec *r, const tsr_ast *def) {
  if (tsr_strmap_get(&r->methods, def->text, def->len) != NULL) return; /* a hook that is listed twice */
  const char *name = tsr_compile_text(c, "%.*s", (int)def->len, def->text);
  tsr_fnrec *f = tsr_fnrec_new(c, tsr_compile_text(c, "%s.%s", r->cls->name, name), name, def, r->file, r->cls);
  tsr_compile_strmap_set(c, &r->methods, name, def->len, f);
  r->method_list = tsr_compile_grow(c, r->method_list, r->method_count, sizeof *r->method_list);
  r->method_list[r->method_count++] = f;
}

static const char **read_names(tsr_compiler *c, tsr_classrec *r, const tsr_ast *list, size_t *count) {
  if (list->kind != TSR_AST_LIST) tsr_compile_fail(c, r->file, list, TSR_EFORMAT, "expected a list of names");
  const char **names = tsr_compile_alloc(c, (list->count + 1) * sizeof(char *));
  for (uint32_t i = 0; i < list->count; i++) {
    const tsr_ast *s = list->kids[i];
    if (s->kind != TSR_AST_STR) tsr_compile_fail(c, r->file, s, TSR_EFORMAT, "expected a name");
    names[i] = tsr_compile_text(c, "%.*s", (int)s->len, s->text);
  }
  *count = list->count;
  return names;
}

static void add_member(tsr_compiler *c, tsr_classrec *r, const tsr_ast *target, const tsr_ast *value) {
  tsr_class *cls = r->cls;
  tsr_val v;
  if (!tsr_consteval(c, r->file, value, NULL, &v) || v.tag == TSR_V_NONE || v.tag > TSR_V_STR || v.tag == TSR_V_DEVICE)
    tsr_compile_fail(c, r->file, value, TSR_EFORMAT, "value of enum member '%.*s' is not constant", (int)target->len, target->text);
  cls->member_names = types_grow(c, cls->member_names, cls->member_count, sizeof *cls->member_names);
  cls->member_values = types_grow(c, cls->member_values, cls->member_count, sizeof *cls->member_values);
  cls->member_names[cls->member_count] = types_text(c, target->text, target->len);
  cls->member_values[cls->member_count++] = v;
}

static void fill_assign(tsr_compiler *c, tsr_classrec *r, const tsr_ast *a) {
  const tsr_ast *target = a->kids[0]->count == 1 ? a->kids[0]->kids[0] : NULL;
  if (target == NULL || target->kind != TSR_AST_NAME) tsr_compile_fail(c, r->file, a, TSR_EFORMAT, "unexpected statement in a class");
  if (text_is(target, "__forward_pre_hooks__")) r->hooks[0] = read_names(c, r, a->kids[1], &r->hook_count[0]);
  else if (text_is(target, "__forward_hooks__")) r->hooks[1] = read_names(c, r, a->kids[1], &r->hook_count[1]);
  else if (text_is(target, "__parameters__")) r->state[0] = read_names(c, r, a->kids[1], &r->state_count[0]);
  else if (text_is(target, "__buffers__")) {
    r->state[1] = read_names(c, r, a->kids[1], &r->state_count[1]);
    r->lists_buffers = true;
  }
  else if (r->kind == TSR_CLASS_ENUM) add_member(c, r, target, a->kids[1]);
  else if (!(target->len > 2 && memcmp(target->text, "__", 2) == 0)) tsr_compile_strmap_set(c, &r->constants, target->text, target->len, (void *)a);
}

static void fill_item(tsr_compiler *c, tsr_classrec *r, const tsr_ast *a) {
  switch (a->kind) {
  case TSR_AST_FIELD:
    if (r->kind == TSR_CLASS_ENUM && a->kids[1]->kind != TSR_AST_NONE) add_member(c, r, a, a->kids[1]);
    else if (is_final(a->kids[0])) tsr_compile_strmap_set(c, &r->constants, a->text, a->len, (void *)a);
    else tsr_class_add_attr(c, r, a->text, a->len, packed_type(c, r, a, tsr_resolve_type(c, r->file, a->kids[0])));
    break;
  case TSR_AST_ANNOTATION: tsr_class_add_attr(c, r, a->text, a->len, tsr_resolve_type(c, r->file, a->kids[0])); break;
  case TSR_AST_ASSIGN: fill_assign(c, r, a); break;
  case TSR_AST_DEF: tsr_class_add_method(c, r, a); break;
  case TSR_AST_PASS: break;
  default: tsr_compile_fail(c, r->file, a, TSR_EFORMAT, "unexpected statement in a class");
  }
}

/* Before 1.3 a class did not list its attributes: what its __init__ assigns, in order. */
static void fill_from_init(tsr_compiler *c, tsr_classrec *r) {
  tsr_fnrec *f = tsr_strmap_get(&r->methods, "__init__", 8);
  if (r->kind != TSR_CLASS_SCRIPT || r->cls->attr_count > 0 || r->file->ast->ival < 0 || f == NULL) return;
  r->open = true;
  tsr_lower_function(c, f);
  r->open = false;
}

void tsr_class_define(tsr_compiler *c, const tsr_fnrec *f, const tsr_class *cls, const tsr_ast *target, const tsr_type *type) {
  tsr_classrec *r = cls->impl;
  if (!r->open || f->cls != cls || strcmp(f->short_name, "__init__") != 0) return;
  if (tsr_strmap_get(&r->attrs, target->text, target->len) == NULL) tsr_class_add_attr(c, r, target->text, target->len, type);
}

static void fill(tsr_compiler *c, tsr_classrec *r) {
  if (r->filled) return;
  if (r->filling) {
    if (r->kind == TSR_CLASS_NAMEDTUPLE) tsr_compile_fail(c, r->file, r->ast, TSR_EFORMAT, "named tuple '%s' contains itself", r->cls->name);
    return;
  }
  tsr_compile_depth(c, r->file, r->ast);
  r->filling = true;
  r->next_filling = c->filling;
  c->filling = r;
  for (uint32_t i = 1; i < r->ast->count; i++) fill_item(c, r, r->ast->kids[i]);
  r->filled = true;
  r->filling = false;
  fill_from_init(c, r);
  c->filling = r->next_filling;
}

void tsr_class_unfill(tsr_classrec *r) {
  tsr_class *cls = r->cls;
  r->filled = r->filling = false;
  r->attrs = r->constants = r->methods = (tsr_strmap){0};
  r->method_count = 0;
  r->hook_count[0] = r->hook_count[1] = r->state_count[0] = r->state_count[1] = 0;
  cls->attr_count = cls->member_count = 0;
}

tsr_classrec *tsr_class_rec(tsr_compiler *c, const tsr_class *cls) {
  tsr_classrec *r = cls->impl;
  if (!r->filled) fill(c, r);
  return r;
}

tsr_fnrec *tsr_class_find_method(tsr_compiler *c, const tsr_class *cls, const char *name, size_t len) {
  tsr_classrec *r = tsr_class_rec(c, cls);
  tsr_fnrec *f = tsr_strmap_get(&r->methods, name, len);
  if (f != NULL) tsr_fnrec_declare(c, f);
  return f;
}

void tsr_class_instantiated(tsr_compiler *c, const tsr_class *cls) {
  tsr_classrec *r = tsr_class_rec(c, cls);
  c->iface_dirty |= !r->instantiated;
  r->instantiated = true;
}

static bool signature_fits(tsr_compiler *c, const tsr_schema *want, const tsr_schema *have) {
  if (have->param_count != want->param_count) return false;
  for (uint32_t k = 1; k < want->param_count; k++)
    if (!tsr_resolve_subtype(c, want->params[k].type, have->params[k].type)) return false;
  const tsr_type *rw = want->rets[0].type, *rh = have->rets[0].type;
  return rw == NULL || (rh != NULL && tsr_resolve_subtype(c, rh, rw));
}

/* Every method of iface exists in cls and may be called through iface's signature.  Classes that name each
 * other are taken to fit while that is being found out. */
bool tsr_class_implements(tsr_compiler *c, const tsr_class *cls, const tsr_class *iface) {
  if (cls == iface) return true;
  if (cls->is_custom) return false;
  for (const tsr_implements *i = c->implements; i != NULL; i = i->up)
    if (i->cls == cls && i->iface == iface) return true;
  tsr_classrec *want = tsr_class_rec(c, iface);
  tsr_compile_depth(c, want->file, want->ast);
  tsr_implements here = {cls, iface, c->implements};
  bool fits = true;
  c->implements = &here;
  for (uint32_t i = 0; i < want->method_count && fits; i++) {
    tsr_fnrec *a = want->method_list[i], *b = tsr_class_find_method(c, cls, a->short_name, strlen(a->short_name));
    tsr_fnrec_declare(c, a);
    fits = b != NULL && signature_fits(c, a->fn.schema, b->fn.schema);
  }
  c->implements = here.up;
  return fits;
}

/* ---- what the runtime asks */

bool tsr_class_find_attr(const tsr_class *cls, const char *name, size_t len, uint32_t *slot) {
  const tsr_classrec *r = cls->impl;
  uintptr_t found = (uintptr_t)tsr_strmap_get(&r->attrs, name, len);
  *slot = found == 0 ? 0 : (uint32_t)(found - 1);
  return found != 0;
}

bool tsr_class_find_child(const tsr_class *cls, int64_t index, const char *key, size_t len, uint32_t *slot) {
  uint32_t children = 0;
  for (uint32_t i = 0; i < cls->attr_count; i++) {
    const tsr_type *t = cls->attr_types[i];
    bool module = (t->kind == TSR_T_CLASS && t->cls != NULL && t->cls->is_module) || t->kind == TSR_T_INTERFACE;
    children += module;
  }
  if (key == NULL && index < 0) index += children;
  int64_t at = 0;
  for (uint32_t i = 0; i < cls->attr_count; i++) {
    const tsr_type *t = cls->attr_types[i];
    if (!((t->kind == TSR_T_CLASS && t->cls != NULL && t->cls->is_module) || t->kind == TSR_T_INTERFACE)) continue;
    const char *name = cls->attr_names[i];
    if (key != NULL ? strlen(name) == len && memcmp(name, key, len) == 0 : at == index) {
      *slot = i;
      return true;
    }
    at++;
  }
  return false;
}

tsr_ir_fn *tsr_class_method(const tsr_class *cls, const char *name) {
  const tsr_classrec *r = cls->impl;
  tsr_fnrec *f = cls->is_custom ? NULL : tsr_strmap_get(&r->methods, name, strlen(name));
  return f != NULL && f->state == TSR_FN_LOWERED ? &f->fn : NULL;
}

static bool is_state(const tsr_classrec *r, int which, const char *name) {
  for (size_t i = 0; i < r->state_count[which]; i++)
    if (strcmp(r->state[which][i], name) == 0) return true;
  return false;
}

tsr_role tsr_class_attr_role(const tsr_class *cls, uint32_t index) {
  const tsr_classrec *r = cls->impl;
  const char *name = cls->attr_names[index];
  bool tensor = cls->attr_types[index]->kind == TSR_T_TENSOR;
  if (r == NULL || !cls->is_module) return TSR_ROLE_UNKNOWN;
  if (r->ast == NULL && !r->lists_buffers) return TSR_ROLE_PARAMETER; /* of bytecode: nobody says what is what */
  if (is_state(r, 0, name)) return TSR_ROLE_PARAMETER;
  bool buffer = r->lists_buffers ? is_state(r, 1, name) : tensor;
  return buffer && tensor ? TSR_ROLE_BUFFER : TSR_ROLE_UNKNOWN;
}

const char *const *tsr_class_hooks(const tsr_class *cls, bool pre, size_t *count) {
  const tsr_classrec *r = cls->impl;
  *count = r->hook_count[pre ? 0 : 1];
  return (const char *const *)r->hooks[pre ? 0 : 1];
}
