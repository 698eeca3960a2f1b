/* The syntax tree of serialized TorchScript code.  One generic node; what the children mean stands in
 * the table below, one row a kind, and nowhere else.  Built in an arena; resolves no names. */
#ifndef TSR_FRONTEND_AST_H
#define TSR_FRONTEND_AST_H

#include "core/error.h"
#include "core/mem.h"

/* X(kind, "name in dumps", "children; * = any number; payload") */
#define TSR_AST_KINDS(X)                                                                            \
  X(FILE, "file", "* CLASS or DEF or IMPORT; ival: op_version_set or -1")                           \
  X(IMPORT, "import", "text: dotted name")                                                          \
  X(CLASS, "class", "text: name; kid 0: base NAME or NONE; * FIELD, ASSIGN, ANNOTATION, DEF, PASS") \
  X(FIELD, "field", "text: attribute; type, default expr or NONE (name : T [= e])")                 \
  X(ANNOTATION, "annotation", "text: attribute; type (__annotations__[\"n\"] = T)")                 \
  X(DEF, "def", "text: name; PARAMS, return type or NONE, BLOCK")                                   \
  X(PARAMS, "params", "* PARAM; ival: how many stand before a bare *, or -1")                       \
  X(PARAM, "param", "text: name; type or NONE, default or NONE")                                    \
  X(BLOCK, "block", "* statements")                                                                 \
  X(ASSIGN, "assign", "TARGETS, value: one expression or TUPLE; or NONE, type (annotated) or NONE") \
  X(AUGASSIGN, "augassign", "text: operator \"+=\"; target, value")                                 \
  X(TARGETS, "targets", "* NAME, ATTR, SUBSCRIPT, STARRED, nested TUPLE; ival: 1 = trailing comma (unpack)") \
  X(EXPRSTMT, "expr", "expression")                                                                 \
  X(RETURN, "return", "expression or NONE")                                                         \
  X(PASS, "pass", "")                                                                               \
  X(BREAK, "break", "")                                                                             \
  X(CONTINUE, "continue", "")                                                                       \
  X(RAISE, "raise", "expression or NONE")                                                           \
  X(ASSERT, "assert", "condition, message or NONE")                                                 \
  X(DELETE, "delete", "* expressions")                                                              \
  X(IF, "if", "condition, BLOCK, BLOCK or NONE")                                                    \
  X(WHILE, "while", "condition, BLOCK")                                                             \
  X(FOR, "for", "TARGETS, iterable, BLOCK")                                                         \
  X(WITH, "with", "BLOCK, * WITHITEM")                                                              \
  X(WITHITEM, "withitem", "expression, NAME or NONE")                                               \
  X(NAME, "name", "text")                                                                           \
  X(INT, "int", "ival")                                                                             \
  X(FLOAT, "float", "fval")                                                                         \
  X(COMPLEX, "complex", "fval: imaginary part")                                                     \
  X(STR, "str", "text, len: decoded bytes, may hold NUL")                                           \
  X(TRUE, "true", "")                                                                               \
  X(FALSE, "false", "")                                                                             \
  X(NONE, "none", "the word None, and an absent child")                                             \
  X(ELLIPSIS, "ellipsis", "")                                                                       \
  X(ATTR, "attr", "text: attribute; object")                                                        \
  X(SUBSCRIPT, "subscript", "object, * indices (expression or SLICE)")                              \
  X(SLICE, "slice", "begin or NONE, end or NONE, step or NONE")                                     \
  X(CALL, "call", "callee, * arguments (expression, KEYWORD, STARRED)")                             \
  X(KEYWORD, "keyword", "text: name; value")                                                        \
  X(STARRED, "starred", "expression")                                                               \
  X(UNARY, "unary", "text: \"-\" \"not\" \"~\"; operand")                                           \
  X(BINARY, "binary", "text: \"+\" \"and\" \"is not\" \"not in\" …; left, right")                   \
  X(TERNARY, "ternary", "condition, then, else")                                                    \
  X(LISTCOMP, "listcomp", "element, TARGETS, iterable")                                             \
  X(DICTCOMP, "dictcomp", "key, value, TARGETS, iterable")                                          \
  X(LIST, "list", "* expressions")                                                                  \
  X(TUPLE, "tuple", "* expressions")                                                                \
  X(DICT, "dict", "* key, value alternating")

typedef enum tsr_ast_kind {
#define X(kind, name, doc) TSR_AST_##kind,
  TSR_AST_KINDS(X)
#undef X
} tsr_ast_kind;

typedef struct tsr_ast {
  uint8_t kind;
  uint16_t height;        /* 1 for a leaf; at most TSR_MAX_DEPTH, so recursive walkers may trust it */
  uint32_t begin, end;    /* byte range in the source text */
  uint32_t count;         /* kids */
  struct tsr_ast **kids;  /* never NULL entries: absent ones are NONE nodes */
  const char *text; uint32_t len;
  union { int64_t ival; double fval; };
} tsr_ast;

/* A missing child: "-> None" and "return None" have a range, absence has none. */
static inline bool tsr_ast_is_absent(const tsr_ast *a) { return a->kind == TSR_AST_NONE && a->begin == a->end; }

/* One code file.  text must stay alive as long as the tree (it is not copied). */
typedef struct tsr_source {
  const char *name;       /* "code/__torch__/x.py", for messages */
  const char *text; size_t len;
  void *debug;            /* tsr_ranges * or NULL (frontend/ranges.h) */
} tsr_source;

/* Parse a whole file; linear time; errors give "code/….py:12:5: …".  Depth limited by TSR_MAX_DEPTH. */
tsr_status tsr_parse_file(tsr_arena *arena, tsr_errrec *e, const tsr_source *src, tsr_ast **out);
/* Parse one expression or type (used for tests and for operator defaults). */
tsr_status tsr_parse_expr(tsr_arena *arena, tsr_errrec *e, const tsr_source *src, tsr_ast **out);
const char *tsr_ast_kind_name(tsr_ast_kind k);
void tsr_ast_print(const tsr_ast *a, tsr_buf *out);  /* canonical s-expression, indented */
/* 1-based line and column of a byte offset. */
void tsr_source_position(const tsr_source *src, uint32_t offset, int *line, int *column);

#endif
