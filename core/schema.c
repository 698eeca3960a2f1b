/* Signatures: PyTorch's schema notation, parsed into and printed from tsr_schema. */
#include "core/schema.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_PARAMS = 256, MAX_NESTING = 64 };

typedef struct cursor {
  tsr_types *types;
  tsr_arena *arena;
  tsr_errrec *e;
  const char *text, *p;
  int depth;
} cursor;

static tsr_status bad(cursor *c, const char *what) {
  return tsr_fail(c->e, TSR_EINTERNAL, "schema \"%s\": %s at character %d", c->text, what, (int)(c->p - c->text) + 1);
}

static void skip(cursor *c) {
  while (*c->p == ' ' || *c->p == '\n') c->p++;
}

static bool eat(cursor *c, const char *token) {
  skip(c);
  size_t n = strlen(token);
  if (strncmp(c->p, token, n) != 0) return false;
  c->p += n;
  return true;
}

static size_t word_len(const char *p) {
  size_t n = 0;
  while (isalnum((unsigned char)p[n]) || p[n] == '_' || p[n] == '.') n++;
  if (n > 2 && strncmp(p + n - 3, "...", 3) == 0) n -= 3;
  return n;
}

static char *take_word(cursor *c) {
  skip(c);
  size_t n = word_len(c->p);
  char *w = tsr_arena_strdup(c->arena, c->p, n);
  c->p += n;
  return w;
}

static const struct { const char *word; const tsr_type *type; } words[] = {
    {"Tensor", &tsr_type_tensor}, {"int", &tsr_type_int}, {"SymInt", &tsr_type_int}, {"float", &tsr_type_float},
    {"SymFloat", &tsr_type_float}, {"bool", &tsr_type_bool}, {"SymBool", &tsr_type_bool}, {"str", &tsr_type_str},
    {"complex", &tsr_type_complex}, {"Scalar", &tsr_type_number}, {"number", &tsr_type_number}, {"ScalarType", &tsr_type_int},
    {"Layout", &tsr_type_int}, {"MemoryFormat", &tsr_type_int}, {"QScheme", &tsr_type_int}, {"Device", &tsr_type_device},
    {"DeviceIndex", &tsr_type_int}, {"Generator", &tsr_type_generator}, {"Stream", &tsr_type_stream}, {"Storage", &tsr_type_storage}, {"Any", &tsr_type_any},
    {"None", &tsr_type_none}, {"NoneType", &tsr_type_none}, {"AnyEnumType", &tsr_type_anyenum}, {"AnyClassType", &tsr_type_anyclass},
    {"Capsule", &tsr_type_capsule}, {"list", &tsr_type_anylist}, {"tuple", &tsr_type_anytuple}, {"Function", &tsr_type_function},
};

static tsr_status parse_type(cursor *c, tsr_param *out);

static tsr_status parse_members(cursor *c, const char *close, const tsr_type **members, uint32_t *n) {
  *n = 0;
  if (eat(c, close)) return TSR_OK;
  for (;;) {
    tsr_param inner;
    memset(&inner, 0, sizeof inner);
    if (*n == MAX_NESTING) return bad(c, "too many members");
    TSR_TRY(parse_type(c, &inner));
    members[(*n)++] = inner.type;
    skip(c);
    if (*c->p != ',' && *c->p != *close) c->p += word_len(c->p); /* a tuple member may be named */
    if (eat(c, close)) return TSR_OK;
    if (!eat(c, ",")) return bad(c, "expected \",\"");
  }
}

static tsr_status parse_named(cursor *c, const tsr_type **out) {
  const char *start = c->p;
  size_t n = word_len(c->p);
  if (n == 0) return bad(c, "expected a type");
  c->p += n;
  *out = NULL;
  for (size_t i = 0; i < TSR_COUNT(words); i++) {
    if (strlen(words[i].word) == n && memcmp(words[i].word, start, n) == 0) {
      *out = words[i].type;
      return TSR_OK;
    }
  }
  static const char *const generics[] = {"Dict", "Tuple", "Optional", "Union", "Future", "Await", "RRef", "List"};
  for (size_t g = 0; g < TSR_COUNT(generics); g++) {
    if (strlen(generics[g]) != n || memcmp(generics[g], start, n) != 0) continue;
    const tsr_type *m[MAX_NESTING];
    uint32_t count;
    if (eat(c, "(")) TSR_TRY(parse_members(c, ")", m, &count));
    else if (eat(c, "[")) TSR_TRY(parse_members(c, "]", m, &count));
    else return bad(c, "expected members");
    if ((g == 0 && count != 2) || (g != 0 && g != 1 && g != 3 && count != 1)) return bad(c, "wrong number of members");
    switch (g) {
      case 0: *out = tsr_type_dict(c->types, m[0], m[1]); break;
      case 1: *out = tsr_type_tuple(c->types, m, count); break;
      case 2: *out = tsr_type_optional(c->types, m[0]); break;
      case 3: *out = tsr_type_union(c->types, m, count); break;
      case 4: *out = tsr_type_wrap(c->types, TSR_T_FUTURE, m[0]); break;
      case 5: *out = tsr_type_wrap(c->types, TSR_T_AWAIT, m[0]); break;
      case 6: *out = tsr_type_wrap(c->types, TSR_T_RREF, m[0]); break;
      default: *out = tsr_type_list(c->types, m[0]); break;
    }
    return *out == NULL ? tsr_fail_nomem(c->e) : TSR_OK;
  }
  char *name = tsr_arena_strdup(c->arena, start, n);
  if (name == NULL) return tsr_fail_nomem(c->e);
  *out = name[0] == 't' && strchr(name, '.') == NULL ? tsr_type_var(c->types, name) : tsr_type_named(c->types, name, n);
  return *out == NULL ? tsr_fail_nomem(c->e) : TSR_OK;
}

/* "(a)", "(a!)", "(a -> *)", "(a|b)", "(*)" after a type */
static bool parse_alias(cursor *c, tsr_param *out) {
  if (*c->p != '(') return true;
  const char *close = strchr(c->p, ')');
  if (close == NULL) return false;
  for (const char *q = c->p + 1; q < close; q++) {
    if (*q == '!') out->is_mut = true;
    else if (out->alias == 0 && (isalpha((unsigned char)*q) || *q == '*')) out->alias = *q;
  }
  c->p = close + 1;
  return true;
}

static tsr_status parse_suffixes(cursor *c, tsr_param *out) {
  for (;;) {
    if (*c->p == '(') {
      if (!parse_alias(c, out)) return bad(c, "unfinished alias annotation");
    } else if (*c->p == '[') {
      char *end;
      long n = strtol(c->p + 1, &end, 10);
      if (*end != ']') return bad(c, "expected \"]\"");
      out->list_size = (int32_t)n;
      c->p = end + 1;
      out->type = tsr_type_list(c->types, out->type);
    } else if (*c->p == '?') {
      c->p++;
      out->type = tsr_type_optional(c->types, out->type);
    } else {
      return TSR_OK;
    }
    if (out->type == NULL) return tsr_fail_nomem(c->e);
  }
}

static tsr_status parse_type(cursor *c, tsr_param *out) {
  if (++c->depth > MAX_NESTING) return bad(c, "nested too deeply");
  skip(c);
  if (*c->p == '(') {
    const tsr_type *m[MAX_NESTING];
    uint32_t n;
    c->p++;
    TSR_TRY(parse_members(c, ")", m, &n));
    out->type = tsr_type_tuple(c->types, m, n);
    if (out->type == NULL) return tsr_fail_nomem(c->e);
  } else {
    TSR_TRY(parse_named(c, &out->type));
  }
  tsr_status status = parse_suffixes(c, out);
  c->depth--;
  return status;
}

/* ---- defaults ---- */

static void *immortal(cursor *c, tsr_tag tag, size_t size) {
  tsr_obj *o = tsr_arena_alloc(c->arena, size);
  if (o != NULL) {
    o->refs = 1;
    o->tag = (uint8_t)tag;
    o->immortal = 1;
  }
  return o;
}

static tsr_status parse_string(cursor *c, tsr_val *out) {
  char quote = *c->p++;
  const char *end = strchr(c->p, quote);
  if (end == NULL) return bad(c, "unfinished string");
  size_t n = (size_t)(end - c->p);
  tsr_str *s = immortal(c, TSR_V_STR, sizeof *s + n + 1);
  if (s == NULL) return tsr_fail_nomem(c->e);
  s->len = n;
  memcpy(s->bytes, c->p, n);
  c->p = end + 1;
  *out = tsr_from_obj(s);
  return TSR_OK;
}

static tsr_status parse_default(cursor *c, const tsr_type *type, tsr_val *out);

static tsr_status parse_list(cursor *c, const tsr_type *type, tsr_val *out) {
  const tsr_type *elem = type->kind == TSR_T_OPTIONAL ? type->args[0] : type;
  elem = elem->kind == TSR_T_LIST ? elem->args[0] : &tsr_type_int;
  tsr_list *l = immortal(c, TSR_V_LIST, sizeof *l);
  tsr_val *items = tsr_arena_alloc(c->arena, 16 * sizeof *items);
  if (l == NULL || items == NULL) return tsr_fail_nomem(c->e);
  l->elem = elem;
  l->items = items;
  l->cap = 16;
  c->p++;
  while (!eat(c, "]")) {
    if (l->len == l->cap) return bad(c, "default list too long");
    TSR_TRY(parse_default(c, elem, &l->items[l->len]));
    l->len++;
    eat(c, ",");
  }
  *out = tsr_from_obj(l);
  return TSR_OK;
}

static const struct { const char *word; int64_t code; } constants[] = {
    {"Mean", 1}, {"Sum", 2}, {"None", 0}, {"contiguous_format", 0}, {"preserve_format", 1}, {"channels_last", 2}, {"long", 4}, {"strided", 0}, {"float", 6}};

static tsr_status parse_default(cursor *c, const tsr_type *type, tsr_val *out) {
  skip(c);
  const tsr_type *base = type->kind == TSR_T_OPTIONAL ? type->args[0] : type;
  if (*c->p == '"' || *c->p == '\'') return parse_string(c, out);
  if (*c->p == '[') return parse_list(c, type, out);
  if (eat(c, "None")) *out = tsr_none();
  else if (eat(c, "True")) *out = tsr_bool(true);
  else if (eat(c, "False")) *out = tsr_bool(false);
  else if (eat(c, "inf")) *out = tsr_float(INFINITY);
  else if (eat(c, "-inf")) *out = tsr_float(-INFINITY);
  else if (eat(c, "nan")) *out = tsr_float(NAN);
  else if (isdigit((unsigned char)*c->p) || *c->p == '-' || *c->p == '.') {
    /* Schemas are our own text: mantissa, point, exponent; read without the locale. */
    char *end;
    const char *start = c->p;
    bool is_float = base->kind == TSR_T_FLOAT;
    int64_t i = strtoll(start, &end, 10);
    double d = (double)i;
    if (*end == '.' || *end == 'e') {
      is_float = true;
      double unit = 1, sign = *start == '-' ? -1 : 1;
      d = fabs(d);
      if (*end == '.') {
        for (end++; isdigit((unsigned char)*end); end++) d += (*end - '0') * (unit /= 10);
      }
      if (*end == 'e') {
        long e10 = strtol(end + 1, &end, 10);
        d = e10 < 0 ? d / pow(10, (double)-e10) : d * pow(10, (double)e10);
      }
      d *= sign;
    }
    c->p = end;
    *out = is_float ? tsr_float(d) : tsr_int(i);
  } else {
    size_t n = word_len(c->p);
    for (size_t k = 0; k < TSR_COUNT(constants); k++) {
      if (strlen(constants[k].word) == n && memcmp(constants[k].word, c->p, n) == 0) {
        c->p += n;
        *out = tsr_int(constants[k].code);
        return TSR_OK;
      }
    }
    return bad(c, "unknown default");
  }
  return TSR_OK;
}

/* ---- whole schemas ---- */

static tsr_status parse_param(cursor *c, bool kwarg_only, tsr_param *p) {
  memset(p, 0, sizeof *p);
  p->kwarg_only = kwarg_only;
  TSR_TRY(parse_type(c, p));
  p->name = take_word(c);
  if (p->name == NULL) return tsr_fail_nomem(c->e);
  skip(c);
  if (*c->p == '[') { /* old style: "int stride[2]" */
    char *end;
    p->list_size = (int32_t)strtol(c->p + 1, &end, 10);
    c->p = end + 1;
    p->type = tsr_type_list(c->types, p->type);
    if (p->type == NULL) return tsr_fail_nomem(c->e);
  }
  if (eat(c, "=")) {
    p->has_default = true;
    TSR_TRY(parse_default(c, p->type, &p->dflt));
  }
  p->is_out = p->kwarg_only && p->is_mut && !p->has_default;
  return TSR_OK;
}

static tsr_status parse_params(cursor *c, tsr_schema *s) {
  tsr_param params[MAX_PARAMS];
  bool kwarg_only = false;
  if (!eat(c, "(")) return bad(c, "expected \"(\"");
  while (!eat(c, ")")) {
    if (eat(c, "...")) {
      s->vararg = true;
    } else if (eat(c, "*")) {
      kwarg_only = true;
    } else {
      if (s->param_count == MAX_PARAMS) return bad(c, "too many parameters");
      TSR_TRY(parse_param(c, kwarg_only, &params[s->param_count]));
      s->has_mut |= params[s->param_count].is_mut;
      s->param_count++;
    }
    eat(c, ",");
  }
  s->params = tsr_arena_alloc(c->arena, s->param_count * sizeof *s->params);
  if (s->params == NULL) return tsr_fail_nomem(c->e);
  memcpy(s->params, params, s->param_count * sizeof *params);
  return TSR_OK;
}

static tsr_status parse_ret(cursor *c, tsr_param *p) {
  memset(p, 0, sizeof *p);
  TSR_TRY(parse_type(c, p));
  skip(c);
  p->name = take_word(c);
  return p->name == NULL ? tsr_fail_nomem(c->e) : TSR_OK;
}

static tsr_status parse_rets(cursor *c, tsr_schema *s) {
  tsr_param rets[MAX_NESTING];
  if (!eat(c, "->")) return bad(c, "expected \"->\"");
  skip(c);
  if (eat(c, "...")) {
    s->varret = true;
  } else if (*c->p == '(') {
    c->p++;
    while (!eat(c, ")")) {
      if (eat(c, "...")) {
        s->varret = true;
        continue;
      }
      if (s->ret_count == MAX_NESTING) return bad(c, "too many results");
      TSR_TRY(parse_ret(c, &rets[s->ret_count]));
      s->ret_count++;
      eat(c, ",");
    }
    skip(c);
    if (*c->p == '[' || *c->p == '?') { /* "(int, int)[]": one result, a container of tuples */
      const tsr_type *m[MAX_NESTING];
      for (uint32_t i = 0; i < s->ret_count; i++) m[i] = rets[i].type;
      memset(&rets[0], 0, sizeof rets[0]);
      rets[0].type = tsr_type_tuple(c->types, m, s->ret_count);
      rets[0].name = "";
      if (rets[0].type == NULL) return tsr_fail_nomem(c->e);
      s->ret_count = 1;
      TSR_TRY(parse_suffixes(c, &rets[0]));
    }
  } else {
    TSR_TRY(parse_ret(c, &rets[0]));
    s->ret_count = 1;
  }
  s->rets = tsr_arena_alloc(c->arena, s->ret_count * sizeof *s->rets);
  if (s->rets == NULL) return tsr_fail_nomem(c->e);
  memcpy(s->rets, rets, s->ret_count * sizeof *rets);
  return TSR_OK;
}

tsr_status tsr_schema_parse(tsr_types *types, tsr_errrec *e, const char *text, tsr_schema **out) {
  cursor c = {types, tsr_types_arena(types), e, text, text, 0};
  tsr_schema *s = tsr_arena_alloc(c.arena, sizeof *s);
  if (s == NULL) return tsr_fail_nomem(e);
  s->text = text;
  size_t n = 0;
  while (isalnum((unsigned char)c.p[n]) || c.p[n] == '_' || c.p[n] == ':') n++;
  s->name = tsr_arena_strdup(c.arena, c.p, n);
  c.p += n;
  s->overload = "";
  if (*c.p == '.') {
    c.p++;
    s->overload = take_word(&c);
  }
  if (s->name == NULL || s->overload == NULL) return tsr_fail_nomem(e);
  TSR_TRY(parse_params(&c, s));
  TSR_TRY(parse_rets(&c, s));
  skip(&c);
  if (*c.p != 0) return bad(&c, "unexpected text");
  *out = s;
  return TSR_OK;
}

/* ---- printing ---- */

static void print_type(const tsr_type *t, int32_t list_size, tsr_buf *out) {
  switch (t->kind) {
    case TSR_T_LIST:
      print_type(t->args[0], 0, out);
      if (list_size > 0) tsr_buf_printf(out, "[%d]", list_size);
      else tsr_buf_puts(out, "[]");
      break;
    case TSR_T_OPTIONAL:
      print_type(t->args[0], list_size, out);
      tsr_buf_putc(out, '?');
      break;
    case TSR_T_DICT:
      tsr_buf_puts(out, "Dict(");
      print_type(t->args[0], 0, out);
      tsr_buf_puts(out, ", ");
      print_type(t->args[1], 0, out);
      tsr_buf_putc(out, ')');
      break;
    case TSR_T_TUPLE:
      tsr_buf_putc(out, '(');
      for (uint32_t i = 0; i < t->count; i++) {
        if (i > 0) tsr_buf_puts(out, ", ");
        print_type(t->args[i], 0, out);
      }
      tsr_buf_putc(out, ')');
      break;
    case TSR_T_NUMBER: tsr_buf_puts(out, "Scalar"); break;
    default: tsr_type_print(t, out); break;
  }
}

static void print_default(tsr_val v, tsr_buf *out) {
  if (v.tag == TSR_V_STR) tsr_buf_printf(out, "\"%s\"", v.s->bytes);
  else tsr_val_print(v, out);
}

void tsr_schema_print(const tsr_schema *s, tsr_buf *out) {
  tsr_buf_puts(out, s->name);
  if (s->overload != NULL && s->overload[0] != 0) tsr_buf_printf(out, ".%s", s->overload);
  tsr_buf_putc(out, '(');
  bool star = false;
  for (uint32_t i = 0; i < s->param_count; i++) {
    const tsr_param *p = &s->params[i];
    if (i > 0) tsr_buf_puts(out, ", ");
    if (p->kwarg_only && !star) {
      tsr_buf_puts(out, "*, ");
      star = true;
    }
    print_type(p->type, p->list_size, out);
    if (p->alias != 0) tsr_buf_printf(out, "(%c%s)", p->alias, p->is_mut ? "!" : "");
    tsr_buf_printf(out, " %s", p->name);
    if (p->has_default) {
      tsr_buf_putc(out, '=');
      print_default(p->dflt, out);
    }
  }
  if (s->vararg) tsr_buf_puts(out, s->param_count > 0 ? ", ..." : "...");
  tsr_buf_puts(out, ") -> ");
  if (s->ret_count != 1) tsr_buf_putc(out, '(');
  for (uint32_t i = 0; i < s->ret_count; i++) {
    if (i > 0) tsr_buf_puts(out, ", ");
    print_type(s->rets[i].type, 0, out);
    if (s->rets[i].alias != 0) tsr_buf_printf(out, "(%c%s)", s->rets[i].alias, s->rets[i].is_mut ? "!" : "");
  }
  if (s->varret) tsr_buf_puts(out, "...");
  if (s->ret_count != 1) tsr_buf_putc(out, ')');
}
