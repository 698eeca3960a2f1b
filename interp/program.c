/* The program as its users see it: loading, look-ups, lowering what is reachable, missing operators. */
#include "interp/program.h"

#include <stdlib.h>

#include "interp/compile.h"

/* ---- life */

static tsr_status new_program(tsr_mem *mem, const tsr_program_hooks *hooks, tsr_errrec *e, tsr_program **out) {
  tsr_arena *arena = tsr_arena_new();
  tsr_types *types = tsr_types_new();
  tsr_program *p = arena == NULL ? NULL : tsr_arena_alloc(arena, sizeof *p);
  tsr_compiler *c = p == NULL ? NULL : tsr_arena_alloc(arena, sizeof *c);
  if (c == NULL || types == NULL) {
    tsr_arena_free(arena);
    tsr_types_release(types);
    return tsr_fail_nomem(e);
  }
  p->arena = arena;
  p->types = types;
  p->mem = mem;
  p->root = tsr_none();
  p->impl = c;
  c->p = p;
  c->arena = arena;
  c->types = types;
  c->hooks = hooks;
  *out = p;
  return TSR_OK;
}

void tsr_program_free(tsr_program *p) {
  if (p == NULL) return;
  tsr_compiler *c = p->impl;
  tsr_values_dispose(c);
  for (size_t i = 0; i < c->file_count; i++) tsr_ranges_free(c->files[i]->src.debug);
  if (p->archive != NULL) tsr_archive_release(p->archive);
  tsr_types_release(p->types);
  tsr_arena_free(p->arena);
}

typedef void (*loader)(tsr_compiler *c);

static void load(tsr_compiler *c, void *arg) {
  (*(const loader *)arg)(c);
  if (c->hooks != NULL && c->hooks->loaded != NULL) tsr_compile_check(c, c->hooks->loaded(c->hooks->user, c->p, c->err));
  tsr_compile_check(c, tsr_values_freeze(c));
}

/* A mobile archive may have lost its code/ and still run from bytecode. */
static bool has_sources(const tsr_archive *a) {
  for (size_t i = 0; i < tsr_archive_entry_count(a); i++) {
    tsr_entry_info info;
    tsr_archive_entry(a, i, &info);
    if (!info.outside && info.name_len > 8 && memcmp(info.name, "code/", 5) == 0 && memcmp(info.name + info.name_len - 3, ".py", 3) == 0) return tsr_archive_has_code(a);
  }
  return false;
}

/* Files of torch.save: they may hold a whole module. */
static bool is_pickle(tsr_file_kind k) { return k == TSR_FILE_TORCH_ZIP || k == TSR_FILE_TORCH_STREAM || k == TSR_FILE_TORCH_TAR; }

tsr_status tsr_program_load(tsr_archive *a, tsr_mem *mem, const tsr_program_hooks *hooks, tsr_errrec *e, tsr_program **out) {
  *out = NULL;
  bool legacy = tsr_archive_kind(a) == TSR_FILE_TORCHSCRIPT_LEGACY;
  bool lite = tsr_archive_kind(a) == TSR_FILE_LITE && !has_sources(a);
  bool pickled = is_pickle(tsr_archive_kind(a));
  if (!legacy && !lite && !pickled && !tsr_archive_has_code(a)) return tsr_archive_fail_kind(a, e);
  loader how = legacy ? tsr_load_legacy : lite ? tsr_load_lite : pickled ? tsr_load_pickled : tsr_load_archive;
  tsr_program *p;
  TSR_TRY(tsr_archive_check_format(a, e));
  TSR_TRY(new_program(mem, hooks, e, &p));
  tsr_archive_retain(a);
  p->archive = a;
  p->version = tsr_archive_version(a);
  if (p->version <= 0 || pickled) p->version = legacy ? 1 : 10; /* torch.save's own version says nothing about operators */
  tsr_status s = tsr_compile_guard(p->impl, e, load, &how);
  p->impl->hooks = NULL;
  if (s != TSR_OK) {
    tsr_program_free(p);
    return s;
  }
  *out = p;
  return TSR_OK;
}

typedef struct source_arg { const char *text; size_t len; } source_arg;

static void load_source(tsr_compiler *c, void *arg) {
  const source_arg *s = arg;
  tsr_names_add_file(c, "__torch__", "code/__torch__.py", s->text, s->len, SIZE_MAX);
  tsr_names_parse(c, c->files[0]);
  c->is_frozen = true;
}

tsr_status tsr_program_from_source(const char *text, size_t len, int version, tsr_mem *mem, tsr_errrec *e, tsr_program **out) {
  *out = NULL;
  tsr_program *p;
  TSR_TRY(new_program(mem, NULL, e, &p));
  p->version = version;
  source_arg arg = {text, len};
  tsr_status s = tsr_compile_guard(p->impl, e, load_source, &arg);
  if (s != TSR_OK) {
    tsr_program_free(p);
    return s;
  }
  *out = p;
  return TSR_OK;
}

/* ---- look-ups */

typedef struct find_arg { const tsr_class *cls; const char *name; tsr_ir_fn *fn; tsr_class *found; } find_arg;

static void find_method(tsr_compiler *c, void *arg) {
  find_arg *a = arg;
  tsr_fnrec *f = a->cls->is_custom ? NULL : tsr_class_find_method(c, a->cls, a->name, strlen(a->name));
  a->fn = f == NULL ? NULL : &f->fn;
}

tsr_status tsr_program_find_method(tsr_program *p, tsr_errrec *e, const tsr_class *cls, const char *name, tsr_ir_fn **out) {
  find_arg a = {.cls = cls, .name = name};
  tsr_status s = tsr_compile_guard(p->impl, e, find_method, &a);
  *out = a.fn;
  return s;
}

static void find_function(tsr_compiler *c, void *arg) {
  find_arg *a = arg;
  tsr_entity *en = tsr_names_find(c, a->name, strlen(a->name));
  tsr_fnrec *f = en == NULL ? NULL : tsr_names_function(c, en);
  a->fn = f == NULL ? NULL : &f->fn;
}

tsr_status tsr_program_find_function(tsr_program *p, tsr_errrec *e, const char *qualified_name, tsr_ir_fn **out) {
  find_arg a = {.name = qualified_name};
  tsr_status s = tsr_compile_guard(p->impl, e, find_function, &a);
  *out = a.fn;
  return s;
}

static void find_class(tsr_compiler *c, void *arg) {
  find_arg *a = arg;
  const tsr_type *t = tsr_class_type(c, a->name, strlen(a->name));
  if (t == NULL) return;
  tsr_class_rec(c, t->cls);
  a->found = t->cls;
}

tsr_status tsr_program_find_class(tsr_program *p, tsr_errrec *e, const char *qualified_name, tsr_class **out) {
  find_arg a = {.name = qualified_name};
  tsr_status s = tsr_compile_guard(p->impl, e, find_class, &a);
  *out = a.found;
  return s;
}

/* ---- lowering what is reachable */

static void enqueue_implementations(tsr_compiler *c) {
  for (size_t i = 0; i < c->iface_count; i++) {
    const tsr_iface_call *call = &c->iface_calls[i];
    for (size_t k = 0; k < c->class_count; k++) {
      tsr_classrec *r = c->class_list[k];
      if (!r->instantiated || r->kind == TSR_CLASS_CUSTOM || !tsr_class_implements(c, r->cls, call->iface)) continue;
      tsr_fnrec *f = tsr_class_find_method(c, r->cls, call->name, strlen(call->name));
      if (f != NULL) tsr_lower_enqueue(c, f);
    }
  }
}

static void push_path(tsr_compiler *c, tsr_fnrec *f) {
  if (f->state == TSR_FN_DECLARED) tsr_lower_function(c, f); /* left over from a lowering that failed */
  c->path = tsr_compile_grow(c, c->path, c->path_len, sizeof *c->path);
  c->path[c->path_len++] = (tsr_call_path){f, 0};
  f->visit = 1;
}

/* Depth-first over the calls; what is met again on the path calls itself. */
static void refuse_recursion(tsr_compiler *c, tsr_fnrec *from) {
  if (from->visit == 2) return;
  push_path(c, from);
  while (c->path_len > 0) {
    tsr_call_path *top = &c->path[c->path_len - 1];
    if (top->next == top->f->callee_count) {
      top->f->visit = 2;
      c->path_len--;
      continue;
    }
    tsr_fnrec *g = top->f->callees[top->next++];
    if (g->visit == 1)
      tsr_compile_fail(c, g->file, g->def, TSR_EFORMAT, "function '%s' is called recursively. Recursive calls are not supported", g->short_name);
    if (g->visit == 0) push_path(c, g);
  }
}

static void lower_reachable(tsr_compiler *c, void *arg) {
  tsr_fnrec *f = arg;
  if (f->visit == 2 && !c->iface_dirty && c->queue_done == c->queue_len) return;
  tsr_lower_enqueue(c, f);
  do {
    while (c->queue_done < c->queue_len) tsr_lower_function(c, c->queue[c->queue_done++]);
    if (c->iface_dirty) {
      c->iface_dirty = false;
      enqueue_implementations(c);
    }
    if (c->queue_done == c->queue_len) refuse_recursion(c, f);
  } while (c->queue_done < c->queue_len || c->iface_dirty);
}

/* Functions whose lowering failed half-way start again from nothing. */
static void abandon(tsr_compiler *c, tsr_fnrec *outer_active, size_t outer_path) {
  for (; c->active != outer_active && c->active != NULL; c->active = c->active->next_active) {
    tsr_fnrec *f = c->active;
    f->state = TSR_FN_DECLARED;
    f->queued = false;
    f->fn.next_id = 0;
    f->callee_count = 0;
    tsr_ir_block *body = tsr_ir_block_new(&f->fn, NULL);
    if (body != NULL) f->fn.body = body;
    else memset(f->fn.body, 0, sizeof *f->fn.body);
  }
  while (c->path_len > outer_path) c->path[--c->path_len].f->visit = 0;
  for (; c->queue_done < c->queue_len; c->queue_done++) c->queue[c->queue_done]->queued = false;
  c->iface_dirty = true;
}

tsr_status tsr_compile_reachable(tsr_compiler *c, tsr_errrec *e, tsr_fnrec *f) {
  tsr_fnrec *outer = c->active;
  size_t outer_path = c->path_len;
  tsr_status s = tsr_compile_guard(c, e, lower_reachable, f);
  if (s != TSR_OK) abandon(c, outer, outer_path);
  return s;
}

tsr_status tsr_program_lower(tsr_program *p, tsr_errrec *e, tsr_ir_fn *fn) { return tsr_compile_reachable(p->impl, e, (tsr_fnrec *)fn); }

/* ---- missing operators */

void tsr_program_print_missing(const tsr_program *p, tsr_buf *out) {
  for (size_t i = 0; i < p->missing_count; i++) {
    const tsr_missing *m = &p->missing[i];
    tsr_buf_printf(out, "%s  %u use%s", m->text, m->count, m->count == 1 ? "" : "s");
    if (m->loc != NULL && m->loc->src != NULL) {
      int line = 0, column = 0;
      tsr_source_position(m->loc->src, m->loc->begin, &line, &column);
      tsr_buf_printf(out, "  %s:%d", m->loc->src->name, line);
    }
    tsr_buf_putc(out, '\n');
  }
}

/* torch.jit.optimize_for_inference puts weights into a layout that torch.jit.save drops. */
static bool lacks_weights(const tsr_program *p) {
  static const char lost[] = "prim::ConstantMKLDNNTensor(";
  for (size_t i = 0; i < p->missing_count; i++)
    if (strncmp(p->missing[i].text, lost, sizeof lost - 1) == 0) return true;
  return false;
}

tsr_status tsr_program_check_missing(const tsr_program *p, tsr_errrec *e) {
  if (p->missing_count == 0) return TSR_OK;
  tsr_buf b = {0};
  if (lacks_weights(p)) {
    return tsr_fail(e, TSR_EUNSUPPORTED, "the weights are not in the file: torch.jit.save does not write what torch.jit.optimize_for_inference made of convolutions "
                                         "(prim::ConstantMKLDNNTensor), and torch.jit.load refuses it as well; save the result of torch.jit.freeze instead");
  }
  for (size_t i = 0; i < p->missing_count; i++) tsr_buf_printf(&b, "%s%s", i == 0 ? "" : "; ", p->missing[i].text);
  tsr_status s = tsr_fail(e, TSR_EUNSUPPORTED, "%zu operator%s missing: %s", p->missing_count, p->missing_count == 1 ? " is" : "s are",
                          b.data == NULL ? "" : b.data);
  tsr_buf_dispose(&b);
  return s;
}

/* ---- methods and sources */

static bool is_hook(const tsr_classrec *r, const char *name) {
  for (int k = 0; k < 2; k++)
    for (size_t i = 0; i < r->hook_count[k]; i++)
      if (strcmp(r->hooks[k][i], name) == 0) return true;
  return false;
}

static bool is_exported(const tsr_classrec *r, uint32_t i) {
  const char *name = r->method_list[i]->short_name;
  return !(name[0] == '_' && name[1] == '_') && !is_hook(r, name);
}

size_t tsr_program_method_count(const tsr_program *p, const tsr_class *cls) {
  TSR_UNUSED(p);
  const tsr_classrec *r = cls->impl;
  size_t n = 0;
  for (uint32_t i = 0; i < r->method_count; i++) n += is_exported(r, i);
  return n;
}

const char *tsr_program_method_name(const tsr_program *p, const tsr_class *cls, size_t index) {
  TSR_UNUSED(p);
  const tsr_classrec *r = cls->impl;
  for (uint32_t i = 0; i < r->method_count; i++)
    if (is_exported(r, i) && index-- == 0) return r->method_list[i]->short_name;
  return NULL;
}

/* Before format 1.2 the flag was a tensor. */
static bool is_true(tsr_val v) {
  if (v.tag == TSR_V_TENSOR && v.t->numel == 1 && v.t->layout == 0 && v.t->quant == NULL) v = tsr_tensor_get(v.t->h.mem, v.t, 0);
  return (v.tag == TSR_V_BOOL && v.b) || (v.tag == TSR_V_INT && v.i != 0);
}

bool tsr_program_is_training(const tsr_program *p) {
  const tsr_compiler *c = p->impl;
  for (size_t i = 0; i < c->frozen_count; i++) {
    if (c->frozen[i]->tag != TSR_V_OBJECT) continue;
    const tsr_object *o = (const tsr_object *)c->frozen[i];
    uint32_t slot;
    if (o->cls->is_module && tsr_class_find_attr(o->cls, "training", 8, &slot) && is_true(o->slots[slot])) return true;
  }
  return false;
}

size_t tsr_program_source_count(const tsr_program *p) {
  size_t n = 0;
  for (size_t i = 0; i < p->impl->file_count; i++) n += !p->impl->files[i]->builtin;
  return n;
}

static tsr_codefile *source_at(const tsr_program *p, size_t index) {
  for (size_t i = 0; i < p->impl->file_count; i++)
    if (!p->impl->files[i]->builtin && index-- == 0) return p->impl->files[i];
  return NULL;
}

const tsr_source *tsr_program_source(const tsr_program *p, size_t index) {
  tsr_codefile *f = source_at(p, index);
  return f == NULL ? NULL : &f->src;
}

static void parse_source(tsr_compiler *c, void *arg) { tsr_names_parse(c, arg); }

tsr_status tsr_program_parse_source(tsr_program *p, tsr_errrec *e, size_t index, const struct tsr_ast **out) {
  tsr_codefile *f = source_at(p, index);
  *out = NULL;
  if (f == NULL) return tsr_fail(e, TSR_EUSAGE, "no source %zu", index);
  tsr_status s = tsr_compile_guard(p->impl, e, parse_source, f);
  *out = f->ast;
  return s;
}
