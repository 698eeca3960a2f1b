/* Inside the parser: what lexer.l, indent.c, parser.y and ast_build.c share.  One tsr_syntax lives for
 * one parse.  Builders return NULL after recording the failure; the grammar then gives up (YYABORT). */
#ifndef TSR_FRONTEND_SYNTAX_H
#define TSR_FRONTEND_SYNTAX_H

#include <setjmp.h>

#include "frontend/ast.h"

#define TSR_SYNTAX_MAX_FILE (64u << 20) /* bytes */
#define TSR_SYNTAX_MAX_TOKEN (1u << 20) /* bytes */
#define TSR_SYNTAX_MAX_INDENT 200       /* open blocks */

typedef struct tsr_span {
  uint32_t begin, end;
} tsr_span; /* bytes of the source text */

/* Growable list of nodes in the arena.  items[-1] is a free slot for a head (tsr_syntax_headed). */
typedef struct tsr_nodes {
  tsr_ast **items;
  uint32_t count, cap;
} tsr_nodes;

typedef struct tsr_raw_token {
  int kind;
  tsr_span span;
  uint32_t column;
} tsr_raw_token;

typedef struct tsr_syntax {
  tsr_arena *arena;
  tsr_errrec *e;
  const tsr_source *src;
  tsr_status status;                       /* first failure */
  tsr_ast *root;                           /* result */
  tsr_ast *absent;                         /* stands for every missing child */
  tsr_ast *big;                            /* the literal 9223372036854775808 that waits for its minus sign */
  void *scanner;                           /* yyscan_t */
  void *numeric_locale;                    /* "C", for strtod_l */
  jmp_buf fatal;                           /* where a fatal error of the scanner goes */
  uint32_t pos, line_start;                /* of the scanner */
  int start;                               /* TSR_TOK START_FILE or START_EXPR, emitted first; then 0 */
  tsr_raw_token held, peeked;              /* kind < 0: empty */
  bool new_line;                           /* held is the first token of a line */
  int previous;                            /* kind of the last token given to the grammar */
  uint32_t last_end;                       /* end of the last token that is text */
  uint32_t brackets;                       /* open ( [ { */
  uint32_t indents[TSR_SYNTAX_MAX_INDENT]; /* columns of the open blocks; [0] is 0 */
  uint32_t indent_count;
  bool class_line, enum_line; /* in a class header; it named Enum */
  uint32_t enum_level;        /* indent_count of the enum body we are in, 0: none */
} tsr_syntax;

tsr_status tsr_syntax_fail(tsr_syntax *s, tsr_status status, tsr_span at, const char *fmt, ...) TSR_PRINTF(4, 5);
tsr_status tsr_syntax_fail_nomem(tsr_syntax *s);

void tsr_syntax_unexpected(tsr_syntax *s, bool end_of_file, tsr_span at);

/* lexer.l */
tsr_status tsr_scanner_open(tsr_syntax *s, char *text_with_two_nuls, size_t size /* with the NULs */);
void tsr_scanner_close(tsr_syntax *s);
tsr_raw_token tsr_scanner_next(tsr_syntax *s);
void tsr_scanner_raw_string(tsr_syntax *s); /* a string that starts here reaches to the end of its line */

/* ast_build.c */
tsr_ast *tsr_syntax_node(tsr_syntax *s, tsr_ast_kind kind, tsr_span at, uint32_t count, ...);
/* a node whose text is the source between name.begin and name.end */
tsr_ast *tsr_syntax_named(tsr_syntax *s, tsr_ast_kind kind, tsr_span at, tsr_span name, uint32_t count, ...);
tsr_ast *tsr_syntax_op(tsr_syntax *s, tsr_ast_kind kind, tsr_span at, const char *op, uint32_t count, ...);
tsr_ast *tsr_syntax_number(tsr_syntax *s, tsr_span at);
tsr_ast *tsr_syntax_minus(tsr_syntax *s, tsr_span at, tsr_ast *operand); /* folds into a literal */
tsr_ast *tsr_syntax_string(tsr_syntax *s, tsr_span at);
tsr_ast *tsr_syntax_raw_string(tsr_syntax *s, tsr_span at);
tsr_ast *tsr_syntax_join(tsr_syntax *s, tsr_span at, tsr_nodes *strings);
tsr_nodes *tsr_syntax_list(tsr_syntax *s, tsr_ast *first /* or NULL */);
tsr_nodes *tsr_syntax_push(tsr_syntax *s, tsr_nodes *list, tsr_ast *node);
tsr_ast *tsr_syntax_listed(tsr_syntax *s, tsr_ast_kind kind, tsr_span at, tsr_nodes *kids);
tsr_ast *tsr_syntax_headed(tsr_syntax *s, tsr_ast_kind kind, tsr_span at, tsr_ast *head, tsr_nodes *kids);
tsr_nodes *tsr_syntax_push_statement(tsr_syntax *s, tsr_nodes *list, tsr_ast *node); /* a BLOCK gives its statements */
tsr_ast *tsr_syntax_tuple(tsr_syntax *s, tsr_span at, tsr_ast *first, tsr_nodes *rest /* or NULL */,
                          bool trailing_comma);
tsr_ast *tsr_syntax_targets(tsr_syntax *s, tsr_ast *expr); /* checks that it can be assigned to */
tsr_ast *tsr_syntax_assign(tsr_syntax *s, tsr_span at, tsr_ast *target, tsr_ast *value, tsr_ast *type);
tsr_ast *tsr_syntax_assign_chain(tsr_syntax *s, tsr_span at, tsr_nodes *targets, tsr_ast *value); /* BLOCK */
tsr_ast *tsr_syntax_class(tsr_syntax *s, tsr_span at, tsr_span name, tsr_ast *base, tsr_nodes *body);
tsr_ast *tsr_syntax_annotation(tsr_syntax *s, tsr_span at, tsr_span table, tsr_ast *name, tsr_ast *type);
tsr_ast *tsr_syntax_params(tsr_syntax *s, tsr_span at, tsr_nodes *params); /* drops the bare * */
tsr_ast *tsr_syntax_header(tsr_syntax *s, tsr_span name, tsr_ast *value);
tsr_ast *tsr_syntax_file(tsr_syntax *s, tsr_span at, tsr_nodes *items);

#endif
