/* The grammar of serialized TorchScript, and of what PyTorch's own parser accepts beyond it.
 * Precedences are PyTorch's, not Python's: "and" and "or" bind equally, "~" as loosely as "not",
 * comparisons are left-associative.  Actions only call builders (syntax.h). */
%require "3.7"
%define api.pure full
%define api.prefix {tsr_parser_}
%define api.token.prefix {TSR_TOK_}
%define api.location.type {tsr_span}
%define parse.error custom
%locations
%expect 0
%param { tsr_syntax *s }

%code requires {
#include "frontend/syntax.h"
}
%code provides {
int tsr_parser_lex(TSR_PARSER_STYPE *value, TSR_PARSER_LTYPE *loc, tsr_syntax *s);
}
%code {
#define YYLLOC_DEFAULT(cur, rhs, n)                                        \
  do {                                                                     \
    (cur).begin = (n) ? YYRHSLOC(rhs, 1).begin : YYRHSLOC(rhs, 0).end;     \
    (cur).end = (n) ? YYRHSLOC(rhs, n).end : YYRHSLOC(rhs, 0).end;         \
  } while (0)
#define MAKE(result, expr) do { if (((result) = (expr)) == NULL) YYABORT; } while (0)
#define YYMAXDEPTH 20000 /* symbols; nesting itself is limited by TSR_MAX_DEPTH */
static void tsr_parser_error(tsr_span *loc, tsr_syntax *s, const char *message);
}

%union { tsr_ast *node; tsr_nodes *list; }

%token START_FILE START_EXPR
%token EOF 0 "end of file"
%token NEWLINE INDENT DEDENT NAME NUMBER STRING RAWSTRING DOTS ARROW AUG BAD FAILED
%token POW FLOORDIV SHL SHR EQ NE LE GE IS_NOT NOT_IN
/* keywords: DEF first, ELLIPSIS last (indent.c turns them into names after a dot) */
%token DEF CLASS IMPORT RETURN PASS BREAK CONTINUE IF ELIF ELSE WHILE FOR IN IS NOT AND OR TRUE FALSE NONE
%token AS WITH RAISE ASSERT DEL GLOBAL ELLIPSIS

%left IF ELSE
%left AND OR
%precedence NOT '~'
%left IN NOT_IN IS IS_NOT '<' '>' EQ NE LE GE
%left '|'
%left '^'
%left '&'
%left SHL SHR
%left '+' '-'
%left '*' '/' FLOORDIV '%' '@' UMINUS
%right POW

%type <list> items citems class_body stmts sides elems args arg_list subs params param_list with_items pairs strings target_list
%type <node> item classdef citem base_opt def param block line stmt simple elif_opt with_item name targets target
%type <node> testlist elem expr postfix atom arg sub bound_opt type_opt value_opt result_opt

%%

start: START_FILE items      { MAKE(s->root, tsr_syntax_file(s, @2, $2)); }
     | START_EXPR testlist NEWLINE { s->root = $2; }
     ;

/* ---- files and classes */

items: %empty     { MAKE($$, tsr_syntax_list(s, NULL)); }
     | items item { MAKE($$, tsr_syntax_push(s, $1, $2)); }
     | items NEWLINE { $$ = $1; }
     ;

item: classdef
    | def
    | IMPORT dotted NEWLINE { MAKE($$, tsr_syntax_named(s, TSR_AST_IMPORT, @1, @2, 0)); }
    | NAME '=' expr NEWLINE { MAKE($$, tsr_syntax_header(s, @1, $3)); }
    ;

dotted: NAME | dotted '.' NAME ;

name: NAME { MAKE($$, tsr_syntax_named(s, TSR_AST_NAME, @1, @1, 0)); } ;

classdef: CLASS NAME base_opt ':' NEWLINE class_body { MAKE($$, tsr_syntax_class(s, @$, @2, $3, $6)); } ;

base_opt: %empty          { $$ = s->absent; }
        | '(' ')'         { $$ = s->absent; }
        | '(' expr ')'    { $$ = $2; }
        ;

class_body: %empty               { MAKE($$, tsr_syntax_list(s, NULL)); }
          | INDENT citems DEDENT { $$ = $2; }
          ;

citems: citem        { MAKE($$, tsr_syntax_list(s, $1)); }
      | citems citem { MAKE($$, tsr_syntax_push(s, $1, $2)); }
      ;

citem: word ':' expr value_opt NEWLINE { MAKE($$, tsr_syntax_named(s, TSR_AST_FIELD, @$, @1, 2, $3, $4)); }
     | NAME '=' expr NEWLINE           { MAKE($$, tsr_syntax_assign(s, @$, tsr_syntax_named(s, TSR_AST_NAME, @1, @1, 0), $3, s->absent)); }
     | NAME '=' RAWSTRING NEWLINE      { MAKE($$, tsr_syntax_assign(s, @$, tsr_syntax_named(s, TSR_AST_NAME, @1, @1, 0), tsr_syntax_raw_string(s, @3), s->absent)); }
     | NAME '[' strings ']' '=' expr NEWLINE { MAKE($$, tsr_syntax_annotation(s, @$, @1, tsr_syntax_join(s, @3, $3), $6)); }
     | def
     | PASS NEWLINE                    { MAKE($$, tsr_syntax_node(s, TSR_AST_PASS, @1, 0)); }
     | strings NEWLINE                 { MAKE($$, tsr_syntax_node(s, TSR_AST_PASS, @1, 0)); }
     ;

value_opt: %empty   { $$ = s->absent; }
         | '=' expr { $$ = $2; }
         ;

/* An attribute may be called like a keyword. */
word: NAME | DEF | CLASS | IMPORT | RETURN | PASS | BREAK | CONTINUE | IF | ELIF | ELSE | WHILE | FOR | IN | IS | NOT | AND | OR
    | TRUE | FALSE | NONE | AS | WITH | RAISE | ASSERT | DEL | GLOBAL | ELLIPSIS
    ;

/* ---- functions */

def: DEF NAME '(' params ')' result_opt ':' block
       { MAKE($$, tsr_syntax_named(s, TSR_AST_DEF, @$, @2, 3, tsr_syntax_params(s, (tsr_span){ @3.begin, @5.end }, $4), $6, $8)); } ;

params: %empty         { MAKE($$, tsr_syntax_list(s, NULL)); }
      | param_list
      | param_list ',' { $$ = $1; }
      ;

param_list: param                { MAKE($$, tsr_syntax_list(s, $1)); }
          | param_list ',' param { MAKE($$, tsr_syntax_push(s, $1, $3)); }
          ;

param: NAME type_opt value_opt { MAKE($$, tsr_syntax_named(s, TSR_AST_PARAM, @$, @1, 2, $2, $3)); }
     | '*'                       { MAKE($$, tsr_syntax_node(s, TSR_AST_STARRED, @1, 1, s->absent)); }
     ;

type_opt: %empty   { $$ = s->absent; }
        | ':' expr { $$ = $2; }
        ;

result_opt: %empty     { $$ = s->absent; }
          | ARROW expr { $$ = $2; }
          ;

/* ---- statements */

block: NEWLINE INDENT stmts DEDENT { MAKE($$, tsr_syntax_listed(s, TSR_AST_BLOCK, @3, $3)); }
     | simple NEWLINE              { MAKE($$, tsr_syntax_listed(s, TSR_AST_BLOCK, @1, tsr_syntax_push_statement(s, tsr_syntax_list(s, NULL), $1))); }
     ;

stmts: line       { MAKE($$, tsr_syntax_push_statement(s, tsr_syntax_list(s, NULL), $1)); }
     | stmts line { MAKE($$, tsr_syntax_push_statement(s, $1, $2)); }
     ;

line: stmt
    | simple NEWLINE
    ;

simple: testlist                   { MAKE($$, tsr_syntax_node(s, TSR_AST_EXPRSTMT, @$, 1, $1)); }
      | testlist '=' testlist      { MAKE($$, tsr_syntax_assign(s, @$, $1, $3, s->absent)); }
      | sides '=' testlist         { MAKE($$, tsr_syntax_assign_chain(s, @$, $1, $3)); }
      | expr ':' expr              { MAKE($$, tsr_syntax_assign(s, @$, $1, s->absent, $3)); }
      | expr ':' expr '=' testlist { MAKE($$, tsr_syntax_assign(s, @$, $1, $5, $3)); }
      | expr AUG testlist          { MAKE($$, tsr_syntax_named(s, TSR_AST_AUGASSIGN, @$, @2, 2, $1, $3)); }
      | RETURN                     { MAKE($$, tsr_syntax_node(s, TSR_AST_RETURN, @$, 1, s->absent)); }
      | RETURN testlist            { MAKE($$, tsr_syntax_node(s, TSR_AST_RETURN, @$, 1, $2)); }
      | PASS                       { MAKE($$, tsr_syntax_node(s, TSR_AST_PASS, @$, 0)); }
      | BREAK                      { MAKE($$, tsr_syntax_node(s, TSR_AST_BREAK, @$, 0)); }
      | CONTINUE                   { MAKE($$, tsr_syntax_node(s, TSR_AST_CONTINUE, @$, 0)); }
      | RAISE                      { MAKE($$, tsr_syntax_node(s, TSR_AST_RAISE, @$, 1, s->absent)); }
      | RAISE expr                 { MAKE($$, tsr_syntax_node(s, TSR_AST_RAISE, @$, 1, $2)); }
      | ASSERT expr                { MAKE($$, tsr_syntax_node(s, TSR_AST_ASSERT, @$, 2, $2, s->absent)); }
      | ASSERT expr ',' expr       { MAKE($$, tsr_syntax_node(s, TSR_AST_ASSERT, @$, 2, $2, $4)); }
      | DEL elems                  { MAKE($$, tsr_syntax_listed(s, TSR_AST_DELETE, @$, $2)); }
      | DEL elems ','              { MAKE($$, tsr_syntax_listed(s, TSR_AST_DELETE, @$, $2)); }
      ;

sides: testlist '=' testlist { MAKE($$, tsr_syntax_push(s, tsr_syntax_list(s, $1), $3)); }
     | sides '=' testlist    { MAKE($$, tsr_syntax_push(s, $1, $3)); }
     ;

stmt: def
    | IF expr ':' block elif_opt           { MAKE($$, tsr_syntax_node(s, TSR_AST_IF, @$, 3, $2, $4, $5)); }
    | WHILE expr ':' block                 { MAKE($$, tsr_syntax_node(s, TSR_AST_WHILE, @$, 2, $2, $4)); }
    | FOR targets IN testlist ':' block    { MAKE($$, tsr_syntax_node(s, TSR_AST_FOR, @$, 3, $2, $4, $6)); }
    | WITH with_items ':' block            { MAKE($$, tsr_syntax_headed(s, TSR_AST_WITH, @$, $4, $2)); }
    ;

elif_opt: %empty                       { $$ = s->absent; }
        | ELSE ':' block               { $$ = $3; }
        | ELIF expr ':' block elif_opt { MAKE($$, tsr_syntax_node(s, TSR_AST_BLOCK, @$, 1, tsr_syntax_node(s, TSR_AST_IF, @$, 3, $2, $4, $5))); }
        ;

with_items: with_item                { MAKE($$, tsr_syntax_list(s, $1)); }
          | with_items ',' with_item { MAKE($$, tsr_syntax_push(s, $1, $3)); }
          ;

with_item: expr         { MAKE($$, tsr_syntax_node(s, TSR_AST_WITHITEM, @$, 2, $1, s->absent)); }
         | expr AS name { MAKE($$, tsr_syntax_node(s, TSR_AST_WITHITEM, @$, 2, $1, $3)); }
         ;

targets: target                     { MAKE($$, tsr_syntax_targets(s, $1)); }
       | target ','                 { MAKE($$, tsr_syntax_targets(s, tsr_syntax_tuple(s, @$, $1, NULL, true))); }
       | target ',' target_list     { MAKE($$, tsr_syntax_targets(s, tsr_syntax_tuple(s, @$, $1, $3, false))); }
       | target ',' target_list ',' { MAKE($$, tsr_syntax_targets(s, tsr_syntax_tuple(s, @$, $1, $3, true))); }
       ;

target_list: target                 { MAKE($$, tsr_syntax_list(s, $1)); }
           | target_list ',' target { MAKE($$, tsr_syntax_push(s, $1, $3)); }
           ;

target: postfix
      | '*' postfix { MAKE($$, tsr_syntax_node(s, TSR_AST_STARRED, @$, 1, $2)); }
      ;

/* ---- expressions */

testlist: elem
        | elem ','           { MAKE($$, tsr_syntax_tuple(s, @$, $1, NULL, true)); }
        | elem ',' elems     { MAKE($$, tsr_syntax_tuple(s, @$, $1, $3, false)); }
        | elem ',' elems ',' { MAKE($$, tsr_syntax_tuple(s, @$, $1, $3, true)); }
        ;

elems: elem           { MAKE($$, tsr_syntax_list(s, $1)); }
     | elems ',' elem { MAKE($$, tsr_syntax_push(s, $1, $3)); }
     ;

elem: expr
    | '*' expr { MAKE($$, tsr_syntax_node(s, TSR_AST_STARRED, @$, 1, $2)); }
    ;

expr: postfix
    | '-' expr %prec UMINUS         { MAKE($$, tsr_syntax_minus(s, @$, $2)); }
    | NOT expr                      { MAKE($$, tsr_syntax_op(s, TSR_AST_UNARY, @$, "not", 1, $2)); }
    | '~' expr                      { MAKE($$, tsr_syntax_op(s, TSR_AST_UNARY, @$, "~", 1, $2)); }
    | expr IF expr ELSE expr        { MAKE($$, tsr_syntax_node(s, TSR_AST_TERNARY, @$, 3, $3, $1, $5)); }
    | expr AND expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "and", 2, $1, $3)); }
    | expr OR expr                { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "or", 2, $1, $3)); }
    | expr IN expr                { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "in", 2, $1, $3)); }
    | expr NOT_IN expr            { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "not in", 2, $1, $3)); }
    | expr IS expr                { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "is", 2, $1, $3)); }
    | expr IS_NOT expr            { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "is not", 2, $1, $3)); }
    | expr '<' expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "<", 2, $1, $3)); }
    | expr '>' expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, ">", 2, $1, $3)); }
    | expr EQ expr                { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "==", 2, $1, $3)); }
    | expr NE expr                { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "!=", 2, $1, $3)); }
    | expr LE expr                { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "<=", 2, $1, $3)); }
    | expr GE expr                { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, ">=", 2, $1, $3)); }
    | expr '|' expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "|", 2, $1, $3)); }
    | expr '^' expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "^", 2, $1, $3)); }
    | expr '&' expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "&", 2, $1, $3)); }
    | expr SHL expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "<<", 2, $1, $3)); }
    | expr SHR expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, ">>", 2, $1, $3)); }
    | expr '+' expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "+", 2, $1, $3)); }
    | expr '-' expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "-", 2, $1, $3)); }
    | expr '*' expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "*", 2, $1, $3)); }
    | expr '/' expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "/", 2, $1, $3)); }
    | expr FLOORDIV expr          { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "//", 2, $1, $3)); }
    | expr '%' expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "%", 2, $1, $3)); }
    | expr '@' expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "@", 2, $1, $3)); }
    | expr POW expr               { MAKE($$, tsr_syntax_op(s, TSR_AST_BINARY, @$, "**", 2, $1, $3)); }
    ;

postfix: atom
       | postfix '.' NAME      { MAKE($$, tsr_syntax_named(s, TSR_AST_ATTR, @$, @3, 1, $1)); }
       | postfix '(' args ')'  { MAKE($$, tsr_syntax_headed(s, TSR_AST_CALL, @$, $1, $3)); }
       | postfix '[' subs ']'  { MAKE($$, tsr_syntax_headed(s, TSR_AST_SUBSCRIPT, @$, $1, $3)); }
       | postfix '[' subs ',' ']' { MAKE($$, tsr_syntax_headed(s, TSR_AST_SUBSCRIPT, @$, $1, $3)); }
       ;

atom: name
    | NUMBER              { MAKE($$, tsr_syntax_number(s, @1)); }
    | strings             { MAKE($$, tsr_syntax_join(s, @1, $1)); }
    | TRUE                { MAKE($$, tsr_syntax_node(s, TSR_AST_TRUE, @$, 0)); }
    | FALSE               { MAKE($$, tsr_syntax_node(s, TSR_AST_FALSE, @$, 0)); }
    | NONE                { MAKE($$, tsr_syntax_node(s, TSR_AST_NONE, @$, 0)); }
    | ELLIPSIS            { MAKE($$, tsr_syntax_node(s, TSR_AST_ELLIPSIS, @$, 0)); }
    | DOTS                { MAKE($$, tsr_syntax_node(s, TSR_AST_ELLIPSIS, @$, 0)); }
    | '(' ')'             { MAKE($$, tsr_syntax_node(s, TSR_AST_TUPLE, @$, 0)); }
    | '(' testlist ')'    { $$ = $2; }
    | '[' ']'             { MAKE($$, tsr_syntax_node(s, TSR_AST_LIST, @$, 0)); }
    | '[' elems ']'       { MAKE($$, tsr_syntax_listed(s, TSR_AST_LIST, @$, $2)); }
    | '[' elems ',' ']'   { MAKE($$, tsr_syntax_listed(s, TSR_AST_LIST, @$, $2)); }
    | '[' expr FOR targets IN expr ']' { MAKE($$, tsr_syntax_node(s, TSR_AST_LISTCOMP, @$, 3, $2, $4, $6)); }
    | '{' '}'             { MAKE($$, tsr_syntax_node(s, TSR_AST_DICT, @$, 0)); }
    | '{' pairs '}'       { MAKE($$, tsr_syntax_listed(s, TSR_AST_DICT, @$, $2)); }
    | '{' pairs ',' '}'   { MAKE($$, tsr_syntax_listed(s, TSR_AST_DICT, @$, $2)); }
    | '{' expr ':' expr FOR targets IN expr '}' { MAKE($$, tsr_syntax_node(s, TSR_AST_DICTCOMP, @$, 4, $2, $4, $6, $8)); }
    ;

pairs: expr ':' expr           { MAKE($$, tsr_syntax_push(s, tsr_syntax_list(s, $1), $3)); }
     | pairs ',' expr ':' expr { MAKE($$, tsr_syntax_push(s, tsr_syntax_push(s, $1, $3), $5)); }
     ;

strings: STRING         { MAKE($$, tsr_syntax_list(s, tsr_syntax_string(s, @1))); }
       | strings STRING { MAKE($$, tsr_syntax_push(s, $1, tsr_syntax_string(s, @2))); }
       ;

args: %empty       { MAKE($$, tsr_syntax_list(s, NULL)); }
    | arg_list
    | arg_list ',' { $$ = $1; }
    ;

arg_list: arg              { MAKE($$, tsr_syntax_list(s, $1)); }
        | arg_list ',' arg { MAKE($$, tsr_syntax_push(s, $1, $3)); }
        ;

arg: elem
   | NAME '=' expr            { MAKE($$, tsr_syntax_named(s, TSR_AST_KEYWORD, @$, @1, 1, $3)); }
   | expr FOR targets IN expr { MAKE($$, tsr_syntax_node(s, TSR_AST_LISTCOMP, @$, 3, $1, $3, $5)); }
   ;

subs: sub          { MAKE($$, tsr_syntax_list(s, $1)); }
    | subs ',' sub { MAKE($$, tsr_syntax_push(s, $1, $3)); }
    ;

sub: expr
   | bound_opt ':' bound_opt               { MAKE($$, tsr_syntax_node(s, TSR_AST_SLICE, @$, 3, $1, $3, s->absent)); }
   | bound_opt ':' bound_opt ':' bound_opt { MAKE($$, tsr_syntax_node(s, TSR_AST_SLICE, @$, 3, $1, $3, $5)); }
   ;

bound_opt: %empty { $$ = s->absent; }
         | expr
         ;

%%

static void tsr_parser_error(tsr_span *loc, tsr_syntax *s, const char *message) {
  TSR_UNUSED(message); /* syntax errors are reported below: what is left is the parser's own stack */
  tsr_syntax_fail(s, TSR_ELIMIT, *loc, "nested too deeply");
}

static int yyreport_syntax_error(const yypcontext_t *ctx, tsr_syntax *s) {
  tsr_syntax_unexpected(s, yypcontext_token(ctx) == YYSYMBOL_YYEOF, *yypcontext_location(ctx));
  return 0;
}
