/* Names of a function being lowered: bindings with an undo log for each block. */
#include "interp/lower.h"

tsr_var *tsr_env_var(tsr_lower *L, const char *name, uint32_t len) {
  tsr_var *v = tsr_strmap_get(&L->vars, name, len);
  if (v != NULL) return v;
  v = tsr_compile_alloc(L->c, sizeof *v);
  v->name = name;
  v->len = len;
  tsr_compile_strmap_set(L->c, &L->vars, name, len, v);
  return v;
}

void tsr_env_set_var(tsr_lower *L, tsr_var *var, tsr_sv sv) {
  tsr_frame *f = L->frame;
  if (f != NULL && var->logged != f) {
    f->changes = tsr_compile_grow(L->c, f->changes, f->count, sizeof *f->changes);
    f->changes[f->count++] = (tsr_change){var, var->sv, var->logged};
    var->logged = f;
  }
  var->sv = sv;
  if (sv.kind == TSR_SV_VALUE && sv.v->name == NULL && var->name[0] != '$')
    sv.v->name = tsr_compile_text(L->c, "%.*s", (int)var->len, var->name);
}

void tsr_env_set(tsr_lower *L, const char *name, uint32_t len, tsr_sv sv) { tsr_env_set_var(L, tsr_env_var(L, name, len), sv); }

/* A value of an enclosing function becomes a parameter of the closure, once. */
static tsr_sv capture(tsr_lower *L, const char *name, uint32_t len, tsr_sv outer) {
  L->captured = tsr_compile_grow(L->c, L->captured, L->captured_count, sizeof *L->captured);
  L->captured[L->captured_count++] = outer.v;
  tsr_ir_value *p = tsr_build_param(L, L->fn->body, outer.v->type, tsr_compile_text(L->c, "%.*s", (int)len, name));
  tsr_sv sv = outer;
  sv.v = p;
  tsr_env_var(L, name, len)->sv = sv; /* valid in every block of the closure */
  return sv;
}

tsr_sv tsr_env_get(tsr_lower *L, const char *name, uint32_t len) {
  tsr_var *v = tsr_strmap_get(&L->vars, name, len);
  if (v != NULL && v->sv.kind != TSR_SV_UNBOUND) return v->sv;
  if (L->outer == NULL) return (tsr_sv){.kind = TSR_SV_UNBOUND};
  tsr_sv sv = tsr_env_get(L->outer, name, len);
  if (sv.kind == TSR_SV_VALUE || sv.kind == TSR_SV_CLOSURE) return capture(L, name, len, sv);
  return sv;
}

void tsr_env_enter(tsr_lower *L, tsr_frame *f) {
  *f = (tsr_frame){.up = L->frame};
  L->frame = f;
}

void tsr_env_leave(tsr_lower *L, tsr_frame *f, tsr_change **changes, uint32_t *count) {
  L->frame = f->up;
  for (uint32_t i = f->count; i-- > 0;) {
    tsr_change *ch = &f->changes[i];
    tsr_sv now = ch->var->sv;
    ch->var->sv = ch->sv;
    ch->var->logged = ch->logged;
    ch->sv = now;
  }
  *changes = f->changes;
  *count = f->count;
}
