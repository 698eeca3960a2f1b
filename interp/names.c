/* Qualified names: which code file holds a class or function, and the declarations of functions. */
#include "interp/compile.h"

void tsr_names_add_file(tsr_compiler *c, const char *qualifier, const char *name, const char *text, size_t len, size_t entry) {
  tsr_codefile *f = tsr_compile_alloc(c, sizeof *f);
  f->src.name = name;
  f->src.text = text;
  f->src.len = len;
  f->qualifier = qualifier;
  f->entry = entry;
  f->loaded = entry == SIZE_MAX;
  c->files = tsr_compile_grow(c, c->files, c->file_count, sizeof *c->files);
  c->files[c->file_count++] = f;
  tsr_compile_strmap_set(c, &c->files_by_qualifier, qualifier, strlen(qualifier), f);
}

static void load_debug(tsr_compiler *c, tsr_codefile *f) {
  tsr_archive *a = c->p->archive;
  size_t index;
  if (a == NULL || f->debug_name == NULL || !tsr_archive_find(a, f->debug_name, &index)) return;
  tsr_errrec ignored = {0};
  const void *bytes;
  size_t len;
  /* a damaged record costs only the second half of a traceback */
  if (tsr_archive_read(a, index, &ignored, &bytes, &len) == TSR_OK) f->src.debug = tsr_ranges_parse(c->arena, bytes, len);
  tsr_errrec_dispose(&ignored);
}

static void index_entities(tsr_compiler *c, tsr_codefile *f) {
  for (uint32_t i = 0; i < f->ast->count; i++) {
    const tsr_ast *a = f->ast->kids[i];
    if (a->kind != TSR_AST_CLASS && a->kind != TSR_AST_DEF) continue;
    tsr_entity *en = tsr_compile_alloc(c, sizeof *en);
    en->ast = a;
    en->file = f;
    en->qualified = tsr_compile_text(c, "%s.%.*s", f->qualifier, (int)a->len, a->text);
    size_t len = strlen(en->qualified);
    if (tsr_strmap_get(&c->entities, en->qualified, len) != NULL) continue; /* the first of a name counts */
    tsr_compile_strmap_set(c, &c->entities, en->qualified, len, en);
  }
}

tsr_codefile *tsr_names_parse(tsr_compiler *c, tsr_codefile *f) {
  if (f->parsed) return f;
  if (!f->loaded) {
    const void *bytes;
    size_t len;
    tsr_compile_check(c, tsr_archive_read(c->p->archive, f->entry, c->err, &bytes, &len));
    f->src.text = bytes;
    f->src.len = len;
    f->loaded = true;
    load_debug(c, f);
  }
  tsr_compile_check(c, tsr_parse_file(c->arena, c->err, &f->src, &f->ast));
  index_entities(c, f);
  f->parsed = true;
  return f;
}

tsr_entity *tsr_names_find(tsr_compiler *c, const char *qualified, size_t len) {
  tsr_entity *en = tsr_strmap_get(&c->entities, qualified, len);
  if (en != NULL) return en;
  size_t dot = len;
  while (dot > 0 && qualified[dot - 1] != '.') dot--;
  if (dot < 2) return NULL;
  tsr_codefile *f = tsr_strmap_get(&c->files_by_qualifier, qualified, dot - 1);
  if (f == NULL || f->parsed) return NULL;
  tsr_names_parse(c, f);
  return tsr_strmap_get(&c->entities, qualified, len);
}

tsr_fnrec *tsr_fnrec_new(tsr_compiler *c, const char *name, const char *short_name, const tsr_ast *def, tsr_codefile *file, const tsr_class *cls) {
  tsr_fnrec *f = tsr_compile_alloc(c, sizeof *f);
  f->fn.name = name;
  f->fn.arena = f->fn.names = c->arena;
  f->fn.body = tsr_ir_block_new(&f->fn, NULL);
  if (f->fn.body == NULL) tsr_compile_nomem(c);
  f->short_name = short_name;
  f->def = def;
  f->file = file;
  f->cls = cls;
  return f;
}

static bool absent(const tsr_ast *a) { return a->kind == TSR_AST_NONE && a->begin == a->end; }

/* BroadcastingList2[int]: a lone int is repeated. */
static int32_t broadcast_size(const tsr_ast *type) {
  const tsr_ast *head = type->kind == TSR_AST_SUBSCRIPT ? type->kids[0] : type;
  if (head->kind != TSR_AST_NAME || head->len != 17 || memcmp(head->text, "BroadcastingList", 16) != 0) return 0;
  return head->text[16] >= '1' && head->text[16] <= '9' ? head->text[16] - '0' : 0;
}

static void declare_param(tsr_compiler *c, tsr_fnrec *f, const tsr_ast *a, bool is_self, bool kwarg_only, tsr_param *out) {
  out->name = tsr_compile_text(c, "%.*s", (int)a->len, a->text);
  out->kwarg_only = kwarg_only;
  out->list_size = broadcast_size(a->kids[0]);
  if (!absent(a->kids[0])) out->type = tsr_resolve_type(c, f->file, a->kids[0]);
  else out->type = is_self ? f->cls->type : &tsr_type_tensor;
  if (is_self && out->type != f->cls->type) out->type = f->cls->type;
  if (!absent(a->kids[1])) {
    out->has_default = true;
    if (!tsr_consteval(c, f->file, a->kids[1], out->type, &out->dflt))
      tsr_compile_fail(c, f->file, a->kids[1], TSR_EFORMAT, "default value of parameter '%s' is not constant", out->name);
  }
}

void tsr_fnrec_declare(tsr_compiler *c, tsr_fnrec *f) {
  if (f->declared) return;
  if (f->declaring) tsr_compile_fail(c, f->file, f->def, TSR_EFORMAT, "function '%s' refers to itself in its signature", f->short_name);
  f->declaring = true;
  f->next_declaring = c->declaring;
  c->declaring = f;
  const tsr_ast *params = f->def->kids[0];
  tsr_schema *s = tsr_compile_alloc(c, sizeof *s);
  s->name = f->fn.name;
  s->overload = "";
  s->params = tsr_compile_alloc(c, (params->count + 1) * sizeof *s->params);
  s->rets = tsr_compile_alloc(c, sizeof *s->rets);
  s->ret_count = 1;
  bool kwarg_only = false;
  for (uint32_t i = 0; i < params->count; i++) {
    if (params->kids[i]->kind == TSR_AST_STARRED) kwarg_only = true;
    else declare_param(c, f, params->kids[i], f->cls != NULL && s->param_count == 0, kwarg_only, &s->params[s->param_count]), s->param_count++;
  }
  if (f->cls != NULL && s->param_count == 0)
    tsr_compile_fail(c, f->file, f->def, TSR_EFORMAT, "method '%s' does not have a self argument", f->short_name);
  s->rets[0].name = "";
  f->infer_return = absent(f->def->kids[1]);
  s->rets[0].type = f->infer_return ? NULL : tsr_resolve_type(c, f->file, f->def->kids[1]);
  f->fn.schema = s;
  f->declared = true;
  f->declaring = false;
  c->declaring = f->next_declaring;
}

tsr_fnrec *tsr_names_function(tsr_compiler *c, tsr_entity *en) {
  if (en->ast->kind != TSR_AST_DEF) return NULL;
  if (en->fn == NULL) en->fn = tsr_fnrec_new(c, en->qualified, en->qualified, en->ast, en->file, NULL);
  tsr_fnrec_declare(c, en->fn);
  return en->fn;
}
