/* The syntax tree seen from outside: parsing entry points, positions, dumps. */
#include "frontend/ast.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "frontend/syntax.h"
#include "parser.tab.h"

/* ---- failures */

void tsr_source_position(const tsr_source *src, uint32_t offset, int *line, int *column) {
  size_t end = TSR_MIN((size_t)offset, src->len);
  int n = 1, c = 1;
  for (size_t i = 0; i < end; i++) {
    if (src->text[i] == '\n') {
      n++;
      c = 1;
    } else if (((unsigned char)src->text[i] & 0xC0) != 0x80) {
      c++; /* characters, not bytes */
    }
  }
  *line = n;
  *column = c;
}

tsr_status tsr_syntax_fail(tsr_syntax *s, tsr_status status, tsr_span at, const char *fmt, ...) {
  if (s->status != TSR_OK) return s->status;
  char text[256];
  int line, column;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  tsr_source_position(s->src, at.begin, &line, &column);
  s->status = tsr_fail(s->e, status, "%s:%d:%d: %s", s->src->name, line, column, text);
  return s->status;
}

tsr_status tsr_syntax_fail_nomem(tsr_syntax *s) {
  if (s->status == TSR_OK) s->status = tsr_fail_nomem(s->e);
  return s->status;
}

void tsr_syntax_unexpected(tsr_syntax *s, bool end_of_file, tsr_span at) {
  const char *text = s->src->text + at.begin;
  int len = (int)TSR_MIN(at.end - at.begin, 40u);
  while (len > 0 && len == 40 && ((unsigned char)text[len] & 0xC0) == 0x80) len--; /* whole characters */
  const char *newline = memchr(text, '\n', (size_t)len);
  if (newline != NULL) len = (int)(newline - text);
  if (end_of_file)
    tsr_syntax_fail(s, TSR_EFORMAT, at, "unexpected end of file");
  else if (len > 0)
    tsr_syntax_fail(s, TSR_EFORMAT, at, "unexpected \"%.*s\"", len, text);
  else if (at.begin < s->src->len && s->previous == TSR_TOK_INDENT)
    tsr_syntax_fail(s, TSR_EFORMAT, at, "unexpected indent");
  else if (s->previous == TSR_TOK_DEDENT)
    tsr_syntax_fail(s, TSR_EFORMAT, at, "unexpected unindent");
  else
    tsr_syntax_fail(s, TSR_EFORMAT, at, "unexpected end of line");
}

/* ---- parsing */

/* Offset of the first byte that is NUL or not part of valid UTF-8, or len. */
static size_t check_text(const unsigned char *p, size_t len) {
  size_t i = 0;
  while (i < len) {
    unsigned c = p[i];
    if (c < 0x80) {
      if (c == 0) return i;
      i++;
      continue;
    }
    size_t more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
    if (c < 0xC2 || c > 0xF4 || len - i <= more) return i;
    for (size_t k = 1; k <= more; k++)
      if ((p[i + k] & 0xC0) != 0x80) return i;
    /* overlong forms, surrogates, beyond U+10FFFF */
    if ((c == 0xE0 && p[i + 1] < 0xA0) || (c == 0xED && p[i + 1] > 0x9F) || (c == 0xF0 && p[i + 1] < 0x90) ||
        (c == 0xF4 && p[i + 1] > 0x8F))
      return i;
    i += more + 1;
  }
  return len;
}

static tsr_status check_source(tsr_syntax *s) {
  const tsr_source *src = s->src;
  if (src->len > TSR_SYNTAX_MAX_FILE)
    return tsr_syntax_fail(s, TSR_ELIMIT, (tsr_span){0, 0}, "the file is larger than 64 MiB");
  size_t bad = check_text((const unsigned char *)src->text, src->len);
  if (bad == src->len) return TSR_OK;
  tsr_span at = {(uint32_t)bad, (uint32_t)bad};
  return tsr_syntax_fail(s, TSR_EFORMAT, at, src->text[bad] == '\0' ? "a NUL byte" : "invalid UTF-8");
}

static void start(tsr_syntax *s, tsr_arena *arena, tsr_errrec *e, const tsr_source *src, int token) {
  memset(s, 0, sizeof *s);
  s->arena = arena;
  s->e = e;
  s->src = src;
  s->start = s->previous = token;
  s->held.kind = s->peeked.kind = -1;
  s->indent_count = 1;
}

static tsr_status run(tsr_syntax *s, char *copy) {
  memcpy(copy, s->src->text, s->src->len);
  copy[s->src->len] = copy[s->src->len + 1] = '\0'; /* what flex wants at the end */
  TSR_TRY(tsr_scanner_open(s, copy, s->src->len + 2));
  s->absent = tsr_arena_alloc(s->arena, sizeof *s->absent);
  if (s->absent == NULL) return tsr_syntax_fail_nomem(s);
  s->absent->kind = TSR_AST_NONE;
  s->absent->height = 1;
  int rc = tsr_parser_parse(s);
  if (s->status == TSR_OK && s->big != NULL)
    tsr_syntax_fail(s, TSR_EFORMAT, (tsr_span){s->big->begin, s->big->end},
                    "integer constant out of range (must fit in a signed 64 bit integer)");
  if (s->status == TSR_OK && rc == 2) tsr_syntax_fail_nomem(s);
  if (s->status == TSR_OK && (rc != 0 || s->root == NULL)) tsr_syntax_fail_nomem(s);
  return s->status;
}

static tsr_status parse(tsr_arena *arena, tsr_errrec *e, const tsr_source *src, int token, tsr_ast **out) {
  tsr_syntax *s = malloc(sizeof *s);
  if (s == NULL) return tsr_fail_nomem(e);
  start(s, arena, e, src, token);
  tsr_status status = check_source(s);
  if (status == TSR_OK) {
    char *copy = malloc(src->len + 2);
    s->numeric_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    status = copy == NULL || s->numeric_locale == NULL ? tsr_syntax_fail_nomem(s) : run(s, copy);
    tsr_scanner_close(s);
    if (s->numeric_locale != NULL) freelocale((locale_t)s->numeric_locale);
    free(copy);
  }
  if (status == TSR_OK) *out = s->root;
  free(s);
  return status;
}

tsr_status tsr_parse_file(tsr_arena *arena, tsr_errrec *e, const tsr_source *src, tsr_ast **out) {
  return parse(arena, e, src, TSR_TOK_START_FILE, out);
}

tsr_status tsr_parse_expr(tsr_arena *arena, tsr_errrec *e, const tsr_source *src, tsr_ast **out) {
  return parse(arena, e, src, TSR_TOK_START_EXPR, out);
}

/* ---- dumps */

const char *tsr_ast_kind_name(tsr_ast_kind k) {
  static const char *const names[] = {
#define X(kind, name, doc) name,
      TSR_AST_KINDS(X)
#undef X
  };
  return (size_t)k < TSR_COUNT(names) ? names[k] : "?";
}

static void print_text(const tsr_ast *a, tsr_buf *out) {
  tsr_buf_puts(out, " \"");
  for (uint32_t i = 0; i < a->len; i++) {
    unsigned char c = (unsigned char)a->text[i];
    if (c == '"' || c == '\\')
      tsr_buf_printf(out, "\\%c", c);
    else if (c == '\n')
      tsr_buf_puts(out, "\\n");
    else if (c < 32 || c == 127)
      tsr_buf_printf(out, "\\%03o", c);
    else
      tsr_buf_putc(out, (char)c);
  }
  tsr_buf_putc(out, '"');
}

static void print_payload(const tsr_ast *a, tsr_buf *out) {
  switch (a->kind) {
  case TSR_AST_NAME:
    tsr_buf_printf(out, " %.*s", (int)a->len, a->text);
    break;
  case TSR_AST_INT:
    tsr_buf_printf(out, " %lld", (long long)a->ival);
    break;
  case TSR_AST_FLOAT:
  case TSR_AST_COMPLEX:
    tsr_buf_printf(out, " %.17g", a->fval);
    break;
  case TSR_AST_STR:
    print_text(a, out);
    break;
  case TSR_AST_FILE:
  case TSR_AST_PARAMS:
    if (a->ival >= 0) tsr_buf_printf(out, " %lld", (long long)a->ival);
    break;
  case TSR_AST_TARGETS:
  case TSR_AST_TUPLE:
    if (a->ival != 0) tsr_buf_puts(out, " ,");
    break;
  default:
    if (a->len > 0) print_text(a, out);
  }
}

static void print(const tsr_ast *a, int depth, tsr_buf *out) {
  tsr_buf_putc(out, '(');
  tsr_buf_puts(out, tsr_ast_is_absent(a) ? "absent" : tsr_ast_kind_name((tsr_ast_kind)a->kind));
  print_payload(a, out);
  for (uint32_t i = 0; i < a->count; i++) {
    if (a->height > 2) {
      tsr_buf_putc(out, '\n');
      for (int k = 0; k <= depth; k++) tsr_buf_puts(out, "  ");
    } else {
      tsr_buf_putc(out, ' ');
    }
    print(a->kids[i], depth + 1, out);
  }
  tsr_buf_putc(out, ')');
}

void tsr_ast_print(const tsr_ast *a, tsr_buf *out) {
  print(a, 0, out);
  tsr_buf_putc(out, '\n');
}
