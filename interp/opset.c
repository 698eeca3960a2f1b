/* The overloads of an operator name: rows of the table with their schemas parsed, then builtin functions. */
#include "interp/compile.h"

#include "ops/op.h"

typedef struct row_match { const char *name; size_t name_len; const char *overload; size_t overload_len; } row_match;

static row_match split_row(const char *op) {
  row_match m = {op, strlen(op), "", 0};
  const char *dot = strchr(op, '.');
  if (dot != NULL) {
    m.name_len = (size_t)(dot - op);
    m.overload = dot + 1;
    m.overload_len = strlen(dot + 1);
  }
  return m;
}

static void push(tsr_compiler *c, tsr_opset *set, const tsr_schema *schema, tsr_fnrec *fn) {
  set->items = tsr_compile_grow(c, set->items, set->count, sizeof *set->items);
  set->items[set->count++] = (tsr_candidate){schema, fn};
}

static tsr_fnrec *builtin_function(tsr_compiler *c, const tsr_builtin_set *b, const char *name) {
  if (tsr_strmap_get(&c->files_by_qualifier, b->qualifier, strlen(b->qualifier)) == NULL) {
    tsr_names_add_file(c, b->qualifier, "builtins", b->source, strlen(b->source), SIZE_MAX);
    c->files[c->file_count - 1]->builtin = true;
  }
  const char *full = tsr_compile_text(c, "%s.%s", b->qualifier, name);
  tsr_entity *en = tsr_names_find(c, full, strlen(full));
  if (en == NULL) tsr_compile_fail(c, NULL, NULL, TSR_EINTERNAL, "builtin function '%s' is missing", name);
  return tsr_names_function(c, en);
}

/* The version's function that stands in for this overload, or NULL. */
static tsr_fnrec *replacement(tsr_compiler *c, const tsr_schema *s) {
  for (const tsr_builtin_set *const *b = tsr_builtin_sets; *b != NULL; b++)
    for (const tsr_builtin_row *r = (*b)->rows; r->op != NULL; r++) {
      if (!r->replaces || c->p->version > r->max_version) continue;
      row_match m = split_row(r->op);
      if (strlen(s->name) == m.name_len && memcmp(s->name, r->op, m.name_len) == 0 && strcmp(s->overload, m.overload) == 0)
        return builtin_function(c, *b, r->function);
    }
  return NULL;
}

static void add_builtins(tsr_compiler *c, tsr_opset *set, const char *qualified, size_t len, bool today) {
  for (const tsr_builtin_set *const *b = tsr_builtin_sets; *b != NULL; b++)
    for (const tsr_builtin_row *r = (*b)->rows; r->op != NULL; r++) {
      row_match m = split_row(r->op);
      if (r->replaces || m.name_len != len || memcmp(r->op, qualified, len) != 0) continue;
      if (r->max_version != TSR_ANY_VERSION && (today || c->p->version > r->max_version)) continue;
      tsr_fnrec *f = builtin_function(c, *b, r->function);
      push(c, set, f->fn.schema, f);
    }
}

const tsr_opset *tsr_opset_find(tsr_compiler *c, const char *qualified, size_t len, bool today) {
  tsr_strmap *cache = &c->opsets[today];
  tsr_opset *set = tsr_strmap_get(cache, qualified, len);
  if (set == NULL) {
    set = tsr_compile_alloc(c, sizeof *set);
    char *name = tsr_compile_text(c, "%.*s", (int)len, qualified);
    size_t n = 0;
    const tsr_op *const *ops = tsr_op_find(name, len, &n);
    for (size_t i = 0; ops != NULL && i < n; i++) {
      tsr_schema *s;
      tsr_compile_check(c, tsr_schema_parse(c->types, c->err, ops[i]->schema, &s));
      s->op = ops[i];
      tsr_fnrec *f = today ? NULL : replacement(c, s);
      push(c, set, f != NULL ? f->fn.schema : s, f);
    }
    add_builtins(c, set, name, len, today);
    tsr_compile_strmap_set(c, cache, name, len, set);
  }
  return set->count == 0 ? NULL : set;
}

const tsr_candidate *tsr_opset_overload(tsr_compiler *c, const char *name, const char *overload) {
  char *full = tsr_compile_text(c, "%s.%s", name, overload);
  tsr_candidate *known = tsr_strmap_get(&c->overloads, full, strlen(full));
  if (known != NULL) return known;
  size_t n = 0;
  const tsr_op *const *ops = tsr_op_find(name, strlen(name), &n);
  for (size_t i = 0; ops != NULL && i < n && known == NULL; i++) {
    const char *paren = strchr(ops[i]->schema, '('), *dot = memchr(ops[i]->schema, '.', (size_t)(paren - ops[i]->schema));
    size_t len = dot == NULL ? 0 : (size_t)(paren - dot) - 1;
    if (len != strlen(overload) || (len > 0 && memcmp(dot + 1, overload, len) != 0)) continue;
    tsr_schema *s;
    tsr_compile_check(c, tsr_schema_parse(c->types, c->err, ops[i]->schema, &s));
    s->op = ops[i];
    tsr_fnrec *f = replacement(c, s);
    known = tsr_compile_alloc(c, sizeof *known);
    *known = (tsr_candidate){f != NULL ? f->fn.schema : s, f};
  }
  const tsr_opset *set = known == NULL ? tsr_opset_find(c, name, strlen(name), false) : NULL;
  for (size_t i = 0; set != NULL && known == NULL && i < set->count; i++)
    if (set->count == 1 || set->items[i].fn != NULL) known = &set->items[i];
  if (known != NULL) tsr_compile_strmap_set(c, &c->overloads, full, strlen(full), known);
  return known;
}

void tsr_opset_record_missing(tsr_compiler *c, const char *text, const tsr_loc *loc) {
  tsr_program *p = c->p;
  uintptr_t index = (uintptr_t)tsr_strmap_get(&c->missing_map, text, strlen(text));
  if (index != 0) {
    p->missing[index - 1].count++;
    return;
  }
  p->missing = tsr_compile_grow(c, p->missing, p->missing_count, sizeof *p->missing);
  p->missing[p->missing_count++] = (tsr_missing){text, 1, loc};
  tsr_compile_strmap_set(c, &c->missing_map, text, strlen(text), (void *)(uintptr_t)p->missing_count);
}
