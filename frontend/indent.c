/* Between scanner and grammar: turns line starts into NEWLINE, INDENT and DEDENT, joins two-word
 * operators, makes keywords after a dot into names, and counts brackets. */
#include "frontend/syntax.h"
#include "parser.tab.h"

enum { EMPTY = -1 };

static tsr_raw_token raw_next(tsr_syntax *s) {
  if (s->peeked.kind == EMPTY) return tsr_scanner_next(s);
  tsr_raw_token t = s->peeked;
  s->peeked.kind = EMPTY;
  return t;
}

/* "is not" and "not in" are one token each, except where a name is expected. */
static void join_words(tsr_syntax *s, tsr_raw_token *t, int second, int joined) {
  s->peeked = tsr_scanner_next(s);
  if (s->peeked.kind != second) return;
  t->kind = joined;
  t->span.end = s->peeked.span.end;
  s->peeked.kind = EMPTY;
}

static void fetch(tsr_syntax *s) {
  tsr_raw_token t = raw_next(s);
  while (t.kind == TSR_TOK_NEWLINE) {
    s->new_line |= s->brackets == 0;
    t = raw_next(s);
  }
  if (s->previous == '.' && t.kind >= TSR_TOK_DEF && t.kind <= TSR_TOK_ELLIPSIS) t.kind = TSR_TOK_NAME;
  if (t.kind == TSR_TOK_IS) join_words(s, &t, TSR_TOK_NOT, TSR_TOK_IS_NOT);
  if (t.kind == TSR_TOK_NOT) join_words(s, &t, TSR_TOK_IN, TSR_TOK_NOT_IN);
  if (t.kind == TSR_TOK_EOF) {
    s->new_line = true;
    t.column = 0;
  }
  s->held = t;
}

static bool is_layout(int kind) {
  return kind == TSR_TOK_NEWLINE || kind == TSR_TOK_INDENT || kind == TSR_TOK_DEDENT || kind == TSR_TOK_START_FILE ||
         kind == TSR_TOK_START_EXPR;
}

/* Enum members are written raw, so the scanner must know the bodies of class X(Enum). */
static void track_enum(tsr_syntax *s, const tsr_raw_token *t) {
  const char *text = s->src->text + t->span.begin;
  if (t->kind == TSR_TOK_CLASS && is_layout(s->previous))
    s->class_line = true;
  else if (s->class_line && s->previous == '(' && t->span.end - t->span.begin == 4 && memcmp(text, "Enum", 4) == 0)
    s->enum_line = true;
  if (t->kind == '=' && s->brackets == 0 && s->enum_level != 0 && s->enum_level == s->indent_count)
    tsr_scanner_raw_string(s);
}

static int fail_token(tsr_syntax *s, tsr_status status, tsr_span at, const char *message) {
  tsr_syntax_fail(s, status, at, "%s", message);
  return TSR_TOK_TSR_PARSER_error;
}

/* The next layout token before the held one, or 0. */
static int layout(tsr_syntax *s) {
  uint32_t column = s->held.column, top = s->indents[s->indent_count - 1];
  if (!is_layout(s->previous)) return TSR_TOK_NEWLINE;
  if (column > top) {
    if (s->indent_count == TSR_SYNTAX_MAX_INDENT)
      return fail_token(s, TSR_ELIMIT, s->held.span, "too many nested blocks");
    s->indents[s->indent_count++] = column;
    if (s->enum_line) s->enum_level = s->indent_count;
    s->class_line = s->enum_line = false;
    return TSR_TOK_INDENT;
  }
  s->class_line = s->enum_line = false;
  if (column == top) return 0;
  if (s->enum_level == s->indent_count) s->enum_level = 0;
  s->indent_count--;
  if (s->indents[s->indent_count - 1] < column)
    return fail_token(s, TSR_EFORMAT, s->held.span, "unindent does not match any outer level");
  return TSR_TOK_DEDENT;
}

static int count_brackets(tsr_syntax *s, const tsr_raw_token *t) {
  if (t->kind == '(' || t->kind == '[' || t->kind == '{') {
    if (++s->brackets > TSR_MAX_DEPTH) return fail_token(s, TSR_ELIMIT, t->span, "too many nested brackets");
  } else if ((t->kind == ')' || t->kind == ']' || t->kind == '}') && s->brackets > 0) {
    s->brackets--;
  }
  return t->kind;
}

static int give(tsr_syntax *s, tsr_span *loc) {
  tsr_raw_token t = s->held;
  s->held.kind = EMPTY;
  *loc = t.span;
  if (t.kind == TSR_TOK_FAILED) return TSR_TOK_TSR_PARSER_error;
  if (t.span.end - t.span.begin > TSR_SYNTAX_MAX_TOKEN)
    return fail_token(s, TSR_ELIMIT, t.span, "a token is longer than 1 MiB");
  if (t.kind == TSR_TOK_BAD && (s->src->text[t.span.begin] == '"' || s->src->text[t.span.begin] == '\''))
    return fail_token(s, TSR_EFORMAT, t.span, "unterminated string");
  track_enum(s, &t);
  s->last_end = t.span.end;
  return count_brackets(s, &t);
}

static int next(tsr_syntax *s, tsr_span *loc) {
  loc->begin = loc->end = s->last_end;
  if (s->start != 0) {
    int start = s->start;
    s->start = 0;
    return start;
  }
  if (s->held.kind == EMPTY) fetch(s);
  if (s->new_line) {
    int kind = layout(s);
    if (kind == TSR_TOK_INDENT || kind == TSR_TOK_DEDENT) loc->begin = loc->end = s->held.span.begin;
    if (kind != 0) return kind;
    s->new_line = false;
  }
  return give(s, loc);
}

int tsr_parser_lex(TSR_PARSER_STYPE *value, TSR_PARSER_LTYPE *loc, tsr_syntax *s) {
  TSR_UNUSED(value);
  return s->previous = next(s, loc);
}
