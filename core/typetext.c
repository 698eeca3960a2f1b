/* Types as text: the annotations of serialized code and of bytecode files, both ways; and whether a
 * value has a type. */
#include "core/value.h"

enum { MAX_TYPE_DEPTH = 200, MAX_MEMBERS = 1024 };

typedef struct cursor {
  tsr_types *types;
  tsr_errrec *e;
  const char *text, *p, *end;
  int depth;
} cursor;

static const struct { const char *word; const tsr_type *type; } words[] = {
    {"Tensor", &tsr_type_tensor},   {"int", &tsr_type_int},           {"float", &tsr_type_float},
    {"bool", &tsr_type_bool},       {"str", &tsr_type_str},           {"None", &tsr_type_none},
    {"NoneType", &tsr_type_none},   {"complex", &tsr_type_complex},   {"number", &tsr_type_number},
    {"Scalar", &tsr_type_number},   {"Any", &tsr_type_any},           {"Device", &tsr_type_device},
    {"Generator", &tsr_type_generator}, {"Stream", &tsr_type_stream}, {"Capsule", &tsr_type_capsule},
    {"Storage", &tsr_type_storage}, {"list", &tsr_type_anylist},      {"tuple", &tsr_type_anytuple},
    {"AnyListType", &tsr_type_anylist}, {"AnyTupleType", &tsr_type_anytuple}, {"AnyEnumType", &tsr_type_anyenum},
    {"AnyClassType", &tsr_type_anyclass}, {"Function", &tsr_type_function}, {"Layout", &tsr_type_int},
    {"ScalarType", &tsr_type_int},  {"MemoryFormat", &tsr_type_int},  {"QScheme", &tsr_type_int},
    {"torch.Tensor", &tsr_type_tensor}, {"torch.device", &tsr_type_device}, {"dtype", &tsr_type_int},
};

static void skip(cursor *c) {
  while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\t')) c->p++;
}

static tsr_status bad(cursor *c, const char *what) {
  return tsr_fail(c->e, TSR_EFORMAT, "type \"%.*s\": %s at character %d", (int)TSR_MIN(c->end - c->text, (ptrdiff_t)120), c->text,
                  what, (int)(c->p - c->text) + 1);
}

static bool eat(cursor *c, char ch) {
  skip(c);
  if (c->p >= c->end || *c->p != ch) return false;
  c->p++;
  return true;
}

static bool is_word_char(char ch) {
  return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_' || ch == '.';
}

static tsr_status parse(cursor *c, const tsr_type **out);

/* "[A, B]" after a generic name; "()" inside Tuple[()] counts as no member. */
static tsr_status parse_args(cursor *c, const tsr_type **members, uint32_t *n) {
  *n = 0;
  if (!eat(c, '[')) return bad(c, "expected \"[\"");
  if (eat(c, ']')) return TSR_OK;
  if (eat(c, '(')) {
    if (!eat(c, ')') || !eat(c, ']')) return bad(c, "expected \")]\"");
    return TSR_OK;
  }
  for (;;) {
    if (*n == MAX_MEMBERS) return bad(c, "too many members");
    TSR_TRY(parse(c, &members[*n]));
    ++*n;
    if (eat(c, ']')) return TSR_OK;
    if (!eat(c, ',')) return bad(c, "expected \",\" or \"]\"");
    if (eat(c, ']')) return TSR_OK;
  }
}

static tsr_status make_generic(cursor *c, const char *word, size_t len, const tsr_type *const *m, uint32_t n, const tsr_type **out) {
#define IS(name) (len == sizeof name - 1 && memcmp(word, name, len) == 0)
  *out = NULL;
  if (IS("Tuple") || IS("tuple")) *out = tsr_type_tuple(c->types, m, n);
  else if (IS("Union")) *out = tsr_type_union(c->types, m, n);
  else if ((IS("Dict") || IS("dict")) && n == 2) *out = tsr_type_dict(c->types, m[0], m[1]);
  else if (n != 1) return bad(c, "wrong number of members");
  else if (IS("List") || IS("list")) *out = tsr_type_list(c->types, m[0]);
  else if (IS("Optional")) *out = tsr_type_optional(c->types, m[0]);
  else if (IS("Future")) *out = tsr_type_wrap(c->types, TSR_T_FUTURE, m[0]);
  else if (IS("Await")) *out = tsr_type_wrap(c->types, TSR_T_AWAIT, m[0]);
  else if (IS("RRef")) *out = tsr_type_wrap(c->types, TSR_T_RREF, m[0]);
  else if (IS("Final")) *out = m[0];
  else return bad(c, "unknown generic type");
#undef IS
  return *out == NULL ? tsr_fail_nomem(c->e) : TSR_OK;
}

static tsr_status parse_generic(cursor *c, const char *word, size_t len, const tsr_type **out) {
  /* Members are few nearly always; the large array lives on the heap only for the rare long one. */
  const tsr_type *small[16];
  const char *start = c->p;
  uint32_t commas = 0, n;
  for (const char *q = start; q < c->end && commas < MAX_MEMBERS; q++) commas += *q == ',';
  const tsr_type **members = commas < TSR_COUNT(small) ? small : tsr_arena_alloc(tsr_types_arena(c->types), MAX_MEMBERS * sizeof *members);
  if (members == NULL) return tsr_fail_nomem(c->e);
  TSR_TRY(parse_args(c, members, &n));
  return make_generic(c, word, len, members, n, out);
}

static tsr_status parse(cursor *c, const tsr_type **out) {
  if (++c->depth > MAX_TYPE_DEPTH) return bad(c, "nested too deeply");
  skip(c);
  const char *word = c->p;
  while (c->p < c->end && is_word_char(*c->p)) c->p++;
  size_t len = (size_t)(c->p - word);
  if (len == 0) return bad(c, "expected a type name");
  skip(c);
  tsr_status status = TSR_OK;
  if (c->p < c->end && *c->p == '[') {
    status = parse_generic(c, word, len, out);
  } else {
    *out = NULL;
    for (size_t i = 0; i < TSR_COUNT(words) && *out == NULL; i++) {
      if (strlen(words[i].word) == len && memcmp(words[i].word, word, len) == 0) *out = words[i].type;
    }
    if (*out == NULL) *out = tsr_type_named(c->types, word, len);
    if (*out == NULL) status = tsr_fail_nomem(c->e);
  }
  c->depth--;
  return status;
}

tsr_status tsr_type_parse(tsr_types *t, tsr_errrec *e, const char *text, size_t len, const tsr_type **out) {
  cursor c = {t, e, text, text, text + len, 0};
  TSR_TRY(parse(&c, out));
  skip(&c);
  return c.p == c.end ? TSR_OK : bad(&c, "unexpected text");
}

/* ---- printing ---- */

static void print_members(const tsr_type *t, const char *name, tsr_buf *out) {
  tsr_buf_printf(out, "%s[", name);
  if (t->count == 0) tsr_buf_puts(out, "()");
  for (uint32_t i = 0; i < t->count; i++) {
    if (i > 0) tsr_buf_puts(out, ", ");
    tsr_type_print(t->args[i], out);
  }
  tsr_buf_putc(out, ']');
}

void tsr_type_print(const tsr_type *t, tsr_buf *out) {
  switch (t->kind) {
    case TSR_T_TENSOR: tsr_buf_puts(out, "Tensor"); break;
    case TSR_T_INT: tsr_buf_puts(out, "int"); break;
    case TSR_T_FLOAT: tsr_buf_puts(out, "float"); break;
    case TSR_T_BOOL: tsr_buf_puts(out, "bool"); break;
    case TSR_T_COMPLEX: tsr_buf_puts(out, "complex"); break;
    case TSR_T_NUMBER: tsr_buf_puts(out, "number"); break;
    case TSR_T_STR: tsr_buf_puts(out, "str"); break;
    case TSR_T_NONE: tsr_buf_puts(out, "NoneType"); break;
    case TSR_T_ANY: tsr_buf_puts(out, "Any"); break;
    case TSR_T_DEVICE: tsr_buf_puts(out, "Device"); break;
    case TSR_T_GENERATOR: tsr_buf_puts(out, "Generator"); break;
    case TSR_T_STREAM: tsr_buf_puts(out, "Stream"); break;
    case TSR_T_CAPSULE: tsr_buf_puts(out, "Capsule"); break;
    case TSR_T_STORAGE: tsr_buf_puts(out, "Storage"); break;
    case TSR_T_ANYLIST: tsr_buf_puts(out, "list"); break;
    case TSR_T_ANYTUPLE: tsr_buf_puts(out, "tuple"); break;
    case TSR_T_ANYENUM: tsr_buf_puts(out, "AnyEnumType"); break;
    case TSR_T_ANYCLASS: tsr_buf_puts(out, "AnyClassType"); break;
    case TSR_T_FUNCTION: tsr_buf_puts(out, "Function"); break;
    case TSR_T_LIST: print_members(t, "List", out); break;
    case TSR_T_DICT: print_members(t, "Dict", out); break;
    case TSR_T_TUPLE: print_members(t, "Tuple", out); break;
    case TSR_T_OPTIONAL: print_members(t, "Optional", out); break;
    case TSR_T_UNION: print_members(t, "Union", out); break;
    case TSR_T_FUTURE: print_members(t, "Future", out); break;
    case TSR_T_AWAIT: print_members(t, "Await", out); break;
    case TSR_T_RREF: print_members(t, "RRef", out); break;
    case TSR_T_CLASS: case TSR_T_INTERFACE: case TSR_T_ENUM: case TSR_T_NAMEDTUPLE: case TSR_T_VAR:
      tsr_buf_puts(out, t->name != NULL ? t->name : "?");
      break;
  }
}

/* ---- values against types ---- */

static bool tuple_is_instance(tsr_val v, const tsr_type *t) {
  if (v.tag != TSR_V_TUPLE) return false;
  if (t->kind == TSR_T_NAMEDTUPLE) {
    if (v.u->type != NULL) return tsr_type_equal(v.u->type, t);
    return t->cls != NULL && v.u->len == t->cls->attr_count;
  }
  if (v.u->len != t->count) return false;
  for (size_t i = 0; i < v.u->len; i++) {
    if (!tsr_val_is_instance(v.u->items[i], t->args[i])) return false;
  }
  return true;
}

static bool is_some_instance(tsr_val v, const tsr_type *t) {
  for (uint32_t i = 0; i < t->count; i++) {
    if (tsr_val_is_instance(v, t->args[i])) return true;
  }
  return false;
}

bool tsr_val_is_instance(tsr_val v, const tsr_type *t) {
  switch (t->kind) {
    case TSR_T_ANY: return true;
    case TSR_T_TENSOR: return v.tag == TSR_V_TENSOR;
    case TSR_T_INT: return v.tag == TSR_V_INT;
    case TSR_T_FLOAT: return v.tag == TSR_V_FLOAT;
    case TSR_T_BOOL: return v.tag == TSR_V_BOOL;
    case TSR_T_COMPLEX: return v.tag == TSR_V_COMPLEX;
    case TSR_T_NUMBER: return v.tag == TSR_V_INT || v.tag == TSR_V_FLOAT || v.tag == TSR_V_COMPLEX;
    case TSR_T_STR: return v.tag == TSR_V_STR;
    case TSR_T_NONE: return v.tag == TSR_V_NONE;
    case TSR_T_DEVICE: return v.tag == TSR_V_DEVICE;
    case TSR_T_GENERATOR: return v.tag == TSR_V_GENERATOR || v.tag == TSR_V_CAPSULE;
    case TSR_T_ANYLIST: return v.tag == TSR_V_LIST;
    case TSR_T_ANYTUPLE: return v.tag == TSR_V_TUPLE;
    case TSR_T_ANYENUM: return v.tag == TSR_V_ENUM;
    case TSR_T_ANYCLASS: case TSR_T_INTERFACE: return v.tag == TSR_V_OBJECT;
    case TSR_T_FUNCTION: return v.tag == TSR_V_FUNC;
    case TSR_T_CAPSULE: case TSR_T_STREAM: case TSR_T_STORAGE: return v.tag == TSR_V_CAPSULE;
    case TSR_T_LIST: return v.tag == TSR_V_LIST && (v.l->elem == NULL || tsr_type_equal(v.l->elem, t->args[0]));
    case TSR_T_DICT:
      return v.tag == TSR_V_DICT && (v.m->key_type == NULL || tsr_type_equal(v.m->key_type, t->args[0])) &&
             (v.m->value_type == NULL || tsr_type_equal(v.m->value_type, t->args[1]));
    case TSR_T_TUPLE: case TSR_T_NAMEDTUPLE: return tuple_is_instance(v, t);
    case TSR_T_OPTIONAL: return v.tag == TSR_V_NONE || tsr_val_is_instance(v, t->args[0]);
    case TSR_T_UNION: return is_some_instance(v, t);
    case TSR_T_CLASS:
      if (v.tag == TSR_V_CAPSULE) return t->cls != NULL && strcmp(t->cls->name, "__torch__.torch.classes.profiler._RecordFunction") == 0;
      return v.tag == TSR_V_OBJECT && (v.obj->cls == t->cls || tsr_type_equal(v.obj->cls->type, t));
    case TSR_T_ENUM: return v.tag == TSR_V_ENUM && (v.e->cls == t->cls || tsr_type_equal(v.e->cls->type, t));
    case TSR_T_FUTURE: case TSR_T_AWAIT: case TSR_T_RREF: return true; /* run in place: the value itself stands for it */
    case TSR_T_VAR: return true;
  }
  return false;
}

static void print_item_type(const tsr_type *t, tsr_buf *out) {
  if (t != NULL) tsr_type_print(t, out);
  else tsr_buf_puts(out, "Tensor");
}

static void print_val_type(tsr_val v, tsr_buf *out, int depth) {
  switch (v.tag) {
    case TSR_V_LIST:
      tsr_buf_puts(out, "List[");
      print_item_type(v.l->elem, out);
      break;
    case TSR_V_DICT:
      tsr_buf_puts(out, "Dict[");
      print_item_type(v.m->key_type, out);
      tsr_buf_puts(out, ", ");
      print_item_type(v.m->value_type, out);
      break;
    case TSR_V_TUPLE:
      if (v.u->type != NULL) {
        tsr_type_print(v.u->type, out);
        return;
      }
      tsr_buf_puts(out, v.u->len == 0 ? "Tuple[()" : "Tuple[");
      for (size_t i = 0; i < v.u->len && depth < TSR_MAX_DEPTH; i++) {
        if (i > 0) tsr_buf_puts(out, ", ");
        print_val_type(v.u->items[i], out, depth + 1);
      }
      break;
    case TSR_V_OBJECT: tsr_buf_puts(out, v.obj->cls->name); return;
    case TSR_V_ENUM: tsr_buf_printf(out, "Enum<%s>", v.e->cls->name); return;
    default: tsr_buf_puts(out, tsr_tag_name(v)); return;
  }
  tsr_buf_putc(out, ']');
}

void tsr_val_print_type(tsr_val v, tsr_buf *out) { print_val_type(v, out, 0); }
