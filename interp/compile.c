/* Errors, memory and bounds that the compiler's files share. */
#include "interp/compile.h"

#include <stdio.h>
#include <stdlib.h>

/* Native stack that one entry into the compiler may use, in bytes: fits a thread of 256 KiB. */
#define STACK_BUDGET (176 * 1024)

const tsr_type tsr_type_unknown = {.kind = TSR_T_ANY};

/* false: it jumped. */
static bool run_guarded(tsr_compiler *c, tsr_compile_fn fn, void *arg) {
  jmp_buf here;
  c->jump = &here;
  if (setjmp(here) != 0) return false;
  fn(c, arg);
  return true;
}

tsr_status tsr_compile_guard(tsr_compiler *c, tsr_errrec *e, tsr_compile_fn fn, void *arg) {
  jmp_buf *outer_jump = c->jump;
  tsr_errrec *outer_err = c->err;
  const char *outer_base = c->stack_base;
  tsr_implements *outer_implements = c->implements;
  tsr_classrec *outer_filling = c->filling;
  tsr_fnrec *outer_declaring = c->declaring;
  c->err = e;
  if (outer_base == NULL) c->stack_base = (const char *)__builtin_frame_address(0);
  bool ok = run_guarded(c, fn, arg);
  c->jump = outer_jump;
  c->err = outer_err;
  c->stack_base = outer_base;
  c->implements = outer_implements;
  for (; c->filling != outer_filling; c->filling = c->filling->next_filling) tsr_class_unfill(c->filling);
  for (; c->declaring != outer_declaring; c->declaring = c->declaring->next_declaring) c->declaring->declaring = false;
  return ok ? TSR_OK : e->status == TSR_OK ? TSR_EINTERNAL : e->status;
}

_Noreturn void tsr_compile_nomem(tsr_compiler *c) {
  tsr_fail_nomem(c->err);
  longjmp(*c->jump, 1);
}

void tsr_compile_check(tsr_compiler *c, tsr_status s) {
  if (s == TSR_OK) return;
  if (c->err->status == TSR_OK) tsr_fail(c->err, s, "compilation failed");
  longjmp(*c->jump, 1);
}

_Noreturn void tsr_compile_fail(tsr_compiler *c, const tsr_codefile *file, const tsr_ast *at, tsr_status status, const char *fmt, ...) {
  char text[900];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  if (file != NULL && at != NULL && file->src.text != NULL) {
    int line = 0, column = 0;
    tsr_source_position(&file->src, at->begin, &line, &column);
    tsr_fail(c->err, status, "%s:%d:%d: %s", file->src.name, line, column, text);
  } else {
    tsr_fail(c->err, status, "%s", text);
  }
  longjmp(*c->jump, 1);
}

void *tsr_compile_alloc(tsr_compiler *c, size_t size) {
  void *p = tsr_arena_alloc(c->arena, size);
  if (p == NULL) tsr_compile_nomem(c);
  return p;
}

char *tsr_compile_text(tsr_compiler *c, const char *fmt, ...) {
  va_list ap, again;
  va_start(ap, fmt);
  va_copy(again, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  char *text = tsr_arena_alloc(c->arena, n < 0 ? 1 : (size_t)n + 1);
  if (text != NULL && n >= 0) vsnprintf(text, (size_t)n + 1, fmt, again);
  va_end(again);
  if (text == NULL) tsr_compile_nomem(c);
  return text;
}

const char *tsr_compile_typename(tsr_compiler *c, const tsr_type *t) {
  tsr_buf b = {0};
  tsr_type_print(t, &b);
  char *text = b.oom ? NULL : tsr_arena_strdup(c->arena, b.data == NULL ? "" : b.data, b.len);
  tsr_buf_dispose(&b);
  if (text == NULL) tsr_compile_nomem(c);
  return text;
}

void tsr_compile_depth(tsr_compiler *c, const tsr_codefile *file, const tsr_ast *at) {
  const char *here = (const char *)__builtin_frame_address(0);
  size_t used = (size_t)(here < c->stack_base ? c->stack_base - here : here - c->stack_base);
  if (used > STACK_BUDGET) tsr_compile_fail(c, file, at, TSR_ELIMIT, "code is nested too deeply");
}

void *tsr_compile_grow(tsr_compiler *c, void *items, size_t count, size_t item_size) {
  if (count != 0 && (count & (count - 1)) != 0) return items;
  if (count > SIZE_MAX / 4 / item_size) tsr_compile_nomem(c);
  void *grown = tsr_compile_alloc(c, (count == 0 ? 1 : count * 2) * item_size);
  if (count > 0) memcpy(grown, items, count * item_size);
  return grown;
}

void tsr_compile_strmap_set(tsr_compiler *c, tsr_strmap *m, const char *key, size_t len, void *value) {
  if (m->arena == NULL) m->arena = c->arena;
  if (!tsr_strmap_set(m, key, len, value)) tsr_compile_nomem(c);
}
