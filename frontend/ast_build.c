/* Builders of syntax nodes: what the grammar's actions call.  Nodes and lists live in the arena; text
 * points into the source wherever it stands there as it is. */
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>

#include "frontend/syntax.h"

/* ---- nodes */

static tsr_ast *make(tsr_syntax *s, tsr_ast_kind kind, tsr_span at) {
  tsr_ast *a = tsr_arena_alloc(s->arena, sizeof *a);
  if (a == NULL) {
    tsr_syntax_fail_nomem(s);
    return NULL;
  }
  a->kind = (uint8_t)kind;
  a->height = 1;
  a->begin = at.begin;
  a->end = at.end;
  return a;
}

/* Every kid was made before its parent, so heights are known and a too deep tree is refused here. */
static tsr_ast *adopt(tsr_syntax *s, tsr_ast *a, tsr_ast **kids, uint32_t count) {
  uint16_t tallest = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (kids[i] == NULL) return NULL;
    tallest = TSR_MAX(tallest, kids[i]->height);
  }
  if (tallest >= TSR_MAX_DEPTH) {
    tsr_syntax_fail(s, TSR_ELIMIT, (tsr_span){a->begin, a->end}, "nested more than %d deep", TSR_MAX_DEPTH);
    return NULL;
  }
  a->kids = kids;
  a->count = count;
  a->height = (uint16_t)(tallest + 1);
  return a;
}

static tsr_ast *vmake(tsr_syntax *s, tsr_ast_kind kind, tsr_span at, uint32_t count, va_list ap) {
  tsr_ast *a = make(s, kind, at);
  if (a == NULL || count == 0) return a;
  tsr_ast **kids = tsr_arena_alloc(s->arena, count * sizeof *kids);
  if (kids == NULL) {
    tsr_syntax_fail_nomem(s);
    return NULL;
  }
  for (uint32_t i = 0; i < count; i++) kids[i] = va_arg(ap, tsr_ast *);
  return adopt(s, a, kids, count);
}

tsr_ast *tsr_syntax_node(tsr_syntax *s, tsr_ast_kind kind, tsr_span at, uint32_t count, ...) {
  va_list ap;
  va_start(ap, count);
  tsr_ast *a = vmake(s, kind, at, count, ap);
  va_end(ap);
  return a;
}

tsr_ast *tsr_syntax_named(tsr_syntax *s, tsr_ast_kind kind, tsr_span at, tsr_span name, uint32_t count, ...) {
  va_list ap;
  va_start(ap, count);
  tsr_ast *a = vmake(s, kind, at, count, ap);
  va_end(ap);
  if (a == NULL) return NULL;
  a->text = s->src->text + name.begin;
  a->len = name.end - name.begin;
  return a;
}

tsr_ast *tsr_syntax_op(tsr_syntax *s, tsr_ast_kind kind, tsr_span at, const char *op, uint32_t count, ...) {
  va_list ap;
  va_start(ap, count);
  tsr_ast *a = vmake(s, kind, at, count, ap);
  va_end(ap);
  if (a == NULL) return NULL;
  a->text = op;
  a->len = (uint32_t)strlen(op);
  return a;
}

/* ---- lists */

static bool reserve(tsr_syntax *s, tsr_nodes *list, uint32_t cap) {
  tsr_ast **block = tsr_arena_alloc(s->arena, ((size_t)cap + 1) * sizeof *block);
  if (block == NULL) {
    tsr_syntax_fail_nomem(s);
    return false;
  }
  if (list->count > 0) memcpy(block + 1, list->items, list->count * sizeof *block);
  list->items = block + 1;
  list->cap = cap;
  return true;
}

tsr_nodes *tsr_syntax_list(tsr_syntax *s, tsr_ast *first) {
  if (s->status != TSR_OK) return NULL;
  tsr_nodes *list = tsr_arena_alloc(s->arena, sizeof *list);
  if (list == NULL) {
    tsr_syntax_fail_nomem(s);
    return NULL;
  }
  if (!reserve(s, list, first == NULL ? 0 : 3)) return NULL;
  return first == NULL ? list : tsr_syntax_push(s, list, first);
}

tsr_nodes *tsr_syntax_push(tsr_syntax *s, tsr_nodes *list, tsr_ast *node) {
  if (list == NULL || node == NULL) return NULL;
  if (list->count == list->cap && !reserve(s, list, list->cap * 2 + 3)) return NULL;
  list->items[list->count++] = node;
  return list;
}

tsr_nodes *tsr_syntax_push_statement(tsr_syntax *s, tsr_nodes *list, tsr_ast *node) {
  if (node == NULL || node->kind != TSR_AST_BLOCK) return tsr_syntax_push(s, list, node);
  for (uint32_t i = 0; i < node->count && list != NULL; i++) list = tsr_syntax_push(s, list, node->kids[i]);
  return list;
}

tsr_ast *tsr_syntax_listed(tsr_syntax *s, tsr_ast_kind kind, tsr_span at, tsr_nodes *kids) {
  tsr_ast *a = kids == NULL ? NULL : make(s, kind, at);
  return a == NULL ? NULL : adopt(s, a, kids->items, kids->count);
}

tsr_ast *tsr_syntax_headed(tsr_syntax *s, tsr_ast_kind kind, tsr_span at, tsr_ast *head, tsr_nodes *kids) {
  tsr_ast *a = kids == NULL ? NULL : make(s, kind, at);
  if (a == NULL) return NULL;
  kids->items[-1] = head;
  return adopt(s, a, kids->items - 1, kids->count + 1);
}

tsr_ast *tsr_syntax_tuple(tsr_syntax *s, tsr_span at, tsr_ast *first, tsr_nodes *rest, bool trailing_comma) {
  tsr_ast *a = rest == NULL ? tsr_syntax_node(s, TSR_AST_TUPLE, at, 1, first)
                            : tsr_syntax_headed(s, TSR_AST_TUPLE, at, first, rest);
  if (a != NULL) a->ival = trailing_comma;
  return a;
}

/* ---- numbers */

/* strtod in the C locale, whatever the caller's is.  The text ends where the scanner said. */
static double parse_float(tsr_syntax *s, const char *text) { return strtod_l(text, NULL, (locale_t)s->numeric_locale); }

static bool has_any(const char *text, uint32_t len, const char *set) {
  for (uint32_t i = 0; i < len; i++)
    if (strchr(set, text[i]) != NULL) return true;
  return false;
}

static tsr_ast *integer(tsr_syntax *s, tsr_span at, tsr_ast *a, const char *text) {
  char *end;
  errno = 0;
  unsigned long long u = strtoull(text, &end, 0); /* "010" is 8, as upstream reads it */
  if (*end != '\0') {
    tsr_syntax_fail(s, TSR_EFORMAT, at, "malformed number \"%s\"", text);
    return NULL;
  }
  if (errno == ERANGE || u > (unsigned long long)INT64_MAX + 1) {
    tsr_syntax_fail(s, TSR_EFORMAT, at, "integer constant out of range (must fit in a signed 64 bit integer)");
    return NULL;
  }
  a->ival = (int64_t)u;
  if (u > INT64_MAX) s->big = a;
  return a;
}

tsr_ast *tsr_syntax_number(tsr_syntax *s, tsr_span at) {
  char text[128];
  const char *p = s->src->text + at.begin;
  uint32_t len = at.end - at.begin;
  bool complex = p[len - 1] == 'j', hex = len > 1 && (p[1] == 'x' || p[1] == 'X');
  /* PyTorch decides by these letters alone, so 0xE is the float 14 */
  bool real = complex || has_any(p, len, hex ? ".eEpP" : ".eE");
  len -= complex;
  tsr_ast *a = make(s, complex ? TSR_AST_COMPLEX : real ? TSR_AST_FLOAT : TSR_AST_INT, at);
  if (a == NULL) return NULL;
  char *copy = len < sizeof text ? text : malloc((size_t)len + 1);
  if (copy == NULL) {
    tsr_syntax_fail_nomem(s);
    return NULL;
  }
  memcpy(copy, p, len);
  copy[len] = '\0';
  if (real)
    a->fval = parse_float(s, copy);
  else
    a = integer(s, at, a, copy);
  if (copy != text) free(copy);
  return a;
}

tsr_ast *tsr_syntax_minus(tsr_syntax *s, tsr_span at, tsr_ast *operand) {
  switch (operand->kind) {
  case TSR_AST_INT:
    if (s->big != operand && operand->ival == INT64_MIN) return tsr_syntax_op(s, TSR_AST_UNARY, at, "-", 1, operand);
    if (s->big == operand)
      s->big = NULL; /* -2^63, already negative */
    else
      operand->ival = -operand->ival;
    break;
  case TSR_AST_FLOAT:
  case TSR_AST_COMPLEX:
    operand->fval = -operand->fval;
    break;
  default:
    return tsr_syntax_op(s, TSR_AST_UNARY, at, "-", 1, operand);
  }
  operand->begin = at.begin;
  return operand;
}

/* ---- strings */

/* Decode one escape after the backslash; *in points behind the backslash and moves. */
static bool unescape(const char **in, const char *end, char *out) {
  static const char from[] = "\\'\"abfnrtv\n", to[] = "\\'\"\a\b\f\n\r\t\v\n";
  const char *p = *in;
  if (p == end) return false;
  const char *known = *p == '\0' ? NULL : strchr(from, *p);
  if (known != NULL) {
    *out = to[known - from];
    *in = p + 1;
    return true;
  }
  unsigned code = 0;
  int digits = 0;
  for (; digits < 3 && p < end && *p >= '0' && *p <= '7'; digits++) code = code * 8 + (unsigned)(*p++ - '0');
  if (digits == 0 || code > 255) return false;
  *out = (char)code;
  *in = p;
  return true;
}

static tsr_ast *text_node(tsr_syntax *s, tsr_span at, const char *text, size_t len) {
  tsr_ast *a = make(s, TSR_AST_STR, at);
  if (a == NULL) return NULL;
  a->text = text;
  a->len = (uint32_t)len;
  return a;
}

static tsr_ast *decode(tsr_syntax *s, tsr_span at, const char *p, const char *end) {
  char *bytes = tsr_arena_alloc(s->arena, (size_t)(end - p) + 1), *out = bytes;
  if (bytes == NULL) {
    tsr_syntax_fail_nomem(s);
    return NULL;
  }
  while (p < end) {
    if (*p != '\\') {
      *out++ = *p++;
      continue;
    }
    p++;
    if (!unescape(&p, end, out++)) {
      tsr_syntax_fail(s, TSR_EFORMAT, at, "malformed escape in a string");
      return NULL;
    }
  }
  return text_node(s, at, bytes, (size_t)(out - bytes));
}

tsr_ast *tsr_syntax_string(tsr_syntax *s, tsr_span at) {
  const char *p = s->src->text + at.begin, *end = s->src->text + at.end;
  int quotes = end - p >= 6 && p[1] == p[0] && p[2] == p[0] ? 3 : 1;
  p += quotes;
  end -= quotes;
  if (memchr(p, '\\', (size_t)(end - p)) == NULL) return text_node(s, at, p, (size_t)(end - p));
  return decode(s, at, p, end);
}

tsr_ast *tsr_syntax_raw_string(tsr_syntax *s, tsr_span at) {
  const char *p = s->src->text + at.begin + 1, *end = s->src->text + at.end;
  while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) end--;
  if (end == p || end[-1] != '"') {
    tsr_syntax_fail(s, TSR_EFORMAT, at, "unterminated string");
    return NULL;
  }
  return text_node(s, at, p, (size_t)(end - 1 - p));
}

tsr_ast *tsr_syntax_join(tsr_syntax *s, tsr_span at, tsr_nodes *strings) {
  if (strings->count == 1) return strings->items[0];
  size_t len = 0;
  for (uint32_t i = 0; i < strings->count; i++) len += strings->items[i]->len; /* a file is at most 64 MiB */
  char *bytes = tsr_arena_alloc(s->arena, len + 1), *out = bytes;
  if (bytes == NULL) {
    tsr_syntax_fail_nomem(s);
    return NULL;
  }
  for (uint32_t i = 0; i < strings->count; i++) {
    memcpy(out, strings->items[i]->text, strings->items[i]->len);
    out += strings->items[i]->len;
  }
  return text_node(s, at, bytes, len);
}

/* ---- assignments */

static bool check_target(tsr_syntax *s, const tsr_ast *a) {
  switch (a->kind) {
  case TSR_AST_NAME:
  case TSR_AST_ATTR:
  case TSR_AST_SUBSCRIPT:
    return true;
  case TSR_AST_STARRED:
    return check_target(s, a->kids[0]);
  case TSR_AST_TUPLE:
    for (uint32_t i = 0; i < a->count; i++)
      if (!check_target(s, a->kids[i])) return false;
    if (a->count > 0) return true;
    break;
  default:
    break;
  }
  tsr_syntax_fail(s, TSR_EFORMAT, (tsr_span){a->begin, a->end}, "cannot assign to this expression");
  return false;
}

tsr_ast *tsr_syntax_targets(tsr_syntax *s, tsr_ast *expr) {
  if (expr == NULL || !check_target(s, expr)) return NULL;
  tsr_span at = {expr->begin, expr->end};
  if (expr->kind != TSR_AST_TUPLE) return tsr_syntax_node(s, TSR_AST_TARGETS, at, 1, expr);
  tsr_ast *a = make(s, TSR_AST_TARGETS, at);
  if (a == NULL) return NULL;
  a->ival = expr->ival;
  return adopt(s, a, expr->kids, expr->count);
}

tsr_ast *tsr_syntax_assign(tsr_syntax *s, tsr_span at, tsr_ast *target, tsr_ast *value, tsr_ast *type) {
  tsr_ast *targets = tsr_syntax_targets(s, target);
  return targets == NULL ? NULL : tsr_syntax_node(s, TSR_AST_ASSIGN, at, 3, targets, value, type);
}

/* "a = b = value" becomes "a = value; b = a": some target must be a plain name, which then stands for
 * the value, so that it is evaluated once. */
tsr_ast *tsr_syntax_assign_chain(tsr_syntax *s, tsr_span at, tsr_nodes *targets, tsr_ast *value) {
  uint32_t first = 0;
  while (first < targets->count && targets->items[first]->kind != TSR_AST_NAME) first++;
  if (first == targets->count) {
    tsr_syntax_fail(s, TSR_EFORMAT, at, "a chained assignment needs a plain name among its targets");
    return NULL;
  }
  tsr_ast *name = targets->items[first];
  tsr_nodes *list = tsr_syntax_list(s, tsr_syntax_assign(s, at, name, value, s->absent));
  for (uint32_t i = 0; i < targets->count && list != NULL; i++)
    if (i != first) list = tsr_syntax_push(s, list, tsr_syntax_assign(s, at, targets->items[i], name, s->absent));
  return tsr_syntax_listed(s, TSR_AST_BLOCK, at, list);
}

/* ---- definitions and files */

tsr_ast *tsr_syntax_class(tsr_syntax *s, tsr_span at, tsr_span name, tsr_ast *base, tsr_nodes *body) {
  tsr_ast *a = tsr_syntax_headed(s, TSR_AST_CLASS, at, base, body);
  if (a == NULL) return NULL;
  a->text = s->src->text + name.begin;
  a->len = name.end - name.begin;
  return a;
}

static bool span_is(const tsr_syntax *s, tsr_span at, const char *word) {
  size_t len = strlen(word);
  return at.end - at.begin == len && memcmp(s->src->text + at.begin, word, len) == 0;
}

tsr_ast *tsr_syntax_annotation(tsr_syntax *s, tsr_span at, tsr_span table, tsr_ast *name, tsr_ast *type) {
  if (name == NULL) return NULL;
  if (!span_is(s, table, "__annotations__")) {
    tsr_syntax_fail(s, TSR_EFORMAT, table, "expected __annotations__");
    return NULL;
  }
  tsr_ast *a = tsr_syntax_node(s, TSR_AST_ANNOTATION, at, 1, type);
  if (a == NULL) return NULL;
  a->text = name->text;
  a->len = name->len;
  return a;
}

tsr_ast *tsr_syntax_params(tsr_syntax *s, tsr_span at, tsr_nodes *params) {
  int64_t star = -1;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < params->count; i++) {
    tsr_ast *p = params->items[i];
    if (p->kind != TSR_AST_STARRED) {
      params->items[kept++] = p;
    } else if (star < 0) {
      star = kept;
    } else {
      tsr_syntax_fail(s, TSR_EFORMAT, (tsr_span){p->begin, p->end}, "a second bare *");
      return NULL;
    }
  }
  params->count = kept;
  tsr_ast *a = tsr_syntax_listed(s, TSR_AST_PARAMS, at, params);
  if (a != NULL) a->ival = star;
  return a;
}

tsr_ast *tsr_syntax_header(tsr_syntax *s, tsr_span name, tsr_ast *value) {
  if (!span_is(s, name, "op_version_set") || value->kind != TSR_AST_INT || value->ival < 0) {
    tsr_syntax_fail(s, TSR_EFORMAT, name, "expected a class, a function or op_version_set");
    return NULL;
  }
  return value;
}

tsr_ast *tsr_syntax_file(tsr_syntax *s, tsr_span at, tsr_nodes *items) {
  int64_t version = -1;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < items->count; i++) {
    if (items->items[i]->kind == TSR_AST_INT)
      version = items->items[i]->ival;
    else
      items->items[kept++] = items->items[i];
  }
  items->count = kept;
  tsr_ast *a = tsr_syntax_listed(s, TSR_AST_FILE, at, items);
  if (a != NULL) a->ival = version;
  return a;
}
