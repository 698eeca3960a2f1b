/* Loading and compiling models. */
#include "core/warm.h"
#include "frontend/cache.h"
#include "interp/devices.h"
#include "interp/model.h"

#include <stdlib.h>

#include "interp/emit.h"
#include "interp/pass_util.h"
#include "interp/prepare.h"
#include "ops/machine.h"
#include "ops/site.h"
#include "interp/state.h"

/* ---- compiling ---- */

static bool add_code(tsr_model *m, tsr_bytecode *code) {
  if (m->ncodes == m->codes_cap) {
    size_t cap = m->codes_cap == 0 ? 32 : m->codes_cap * 2;
    tsr_bytecode **codes = realloc(m->codes, cap * sizeof *codes);
    if (codes == NULL) return false;
    m->codes = codes;
    m->codes_cap = cap;
  }
  m->codes[m->ncodes++] = code;
  return true;
}

/* Index of a model value that sessions copy; the lock is held. */
static tsr_status session_const(void *user, tsr_errrec *e, tsr_val v, uint32_t *index) {
  tsr_model *m = user;
  for (uint32_t i = 0; i < m->nconstants; i++) {
    if (m->constants[i].o != v.o) continue;
    *index = i;
    return TSR_OK;
  }
  if (m->nconstants == m->constants_cap) {
    uint32_t cap = m->constants_cap == 0 ? 64 : m->constants_cap * 2;
    tsr_val *constants = realloc(m->constants, cap * sizeof *constants);
    if (constants == NULL) return tsr_fail_nomem(e);
    m->constants = constants;
    m->constants_cap = cap;
  }
  *index = m->nconstants;
  m->constants[m->nconstants++] = v;
  return TSR_OK;
}

tsr_val tsr_model_constant(tsr_model *m, uint32_t index) {
  tsr_lock_enter(m->lock);
  tsr_val v = index < m->nconstants ? m->constants[index] : tsr_none();
  tsr_lock_leave(m->lock);
  return v;
}

/* The lock is held. */
static tsr_status emit_locked(tsr_model *m, tsr_errrec *e, tsr_ir_fn *fn) {
  if (fn->code != NULL) return TSR_OK;
  if (!fn->lowered) return tsr_fail(e, TSR_EINTERNAL, "function %s has no body", fn->name);
  tsr_emit_env env = {m, session_const};
  tsr_bytecode *code = NULL;
  TSR_TRY(tsr_emit_fn(&env, e, fn, &code));
  if (!add_code(m, code)) {
    tsr_bytecode_free(code);
    return tsr_fail_nomem(e);
  }
  __atomic_store_n((tsr_bytecode **)&fn->code, code, __ATOMIC_RELEASE);
  return TSR_OK;
}

const tsr_bytecode *tsr_model_compile_fn(void *model, tsr_errrec *e, tsr_ir_fn *fn) {
  tsr_model *m = model;
  tsr_lock_enter(m->lock);
  tsr_status s = emit_locked(m, e, fn);
  tsr_lock_leave(m->lock);
  return s == TSR_OK ? __atomic_load_n((tsr_bytecode **)&fn->code, __ATOMIC_ACQUIRE) : NULL;
}

tsr_status tsr_model_own(tsr_model *m, tsr_errrec *e, tsr_val *v) {
  if (v->o->immortal) return TSR_OK; /* the program's already */
  if (m->nowned == m->owned_cap) {
    size_t cap = m->owned_cap == 0 ? 32 : m->owned_cap * 2;
    tsr_val *owned = realloc(m->owned, cap * sizeof *owned);
    if (owned == NULL) {
      tsr_release(*v);
      *v = tsr_none();
      return tsr_fail_nomem(e);
    }
    m->owned = owned;
    m->owned_cap = cap;
  }
  v->o->immortal = 1;
  m->owned[m->nowned++] = *v;
  return TSR_OK;
}

/* Later constants may hold earlier ones, which are immortal while the later are freed. */
static void free_owned(tsr_model *m) {
  while (m->nowned > 0) {
    tsr_obj *o = m->owned[--m->nowned].o;
    o->immortal = 0;
    tsr_obj_release(o);
  }
  free(m->owned);
}

/* ---- deferred constants ---- */

static tsr_tensor *blank_like(tsr_mem *mem, const tsr_tensor *w) {
  tsr_tensor *t = tsr_tensor_new(mem, TSR_FLOAT32, 1, (int64_t[]){0});
  tsr_storage *s = t == NULL ? NULL : t->storage;
  if (t == NULL) return NULL;
  if (!tsr_tensor_set_dims(t, w->ndim, w->size, NULL)) {
    tsr_obj_release(t);
    return NULL;
  }
  s->nbytes = (size_t)w->numel * sizeof(float);
  s->owned = true;
  return t;
}

tsr_status tsr_model_defer(tsr_model *m, tsr_errrec *e, const tsr_tensor *w, void (*fill)(const void *, int64_t, int64_t, float *),
                           void (*name)(const void *, tsr_block_name *), void *recipe, tsr_val *out) {
  tsr_tensor *t = blank_like(m->mem, w);
  if (t == NULL || !tsr_grow((void **)&m->deferred, &m->deferred_cap, m->ndeferred + 1, sizeof *m->deferred)) {
    if (t != NULL) t->storage->nbytes = 0;
    tsr_obj_release(t);
    free(recipe);
    return tsr_fail_nomem(e);
  }
  m->deferred[m->ndeferred++] = (tsr_deferred){t, fill, name, recipe, w};
  *out = tsr_from_obj(t);
  return tsr_model_own(m, e, out);
}

static bool settle(tsr_model *m, const tsr_deferred *d) {
  tsr_storage *s = d->t->storage;
  if (s->data != NULL) return true;
  s->data = tsr_buf_alloc(m->mem, s->nbytes);
  if (s->data == NULL) return false;
  d->fill(d->recipe, 0, d->t->size[0], s->data);
  return true;
}

bool tsr_model_settle(tsr_model *m, const tsr_tensor *t) {
  if (!tsr_is_deferred(t)) return true;
  for (uint32_t i = 0; i < m->ndeferred; i++)
    if (m->deferred[i].t->storage == t->storage) return settle(m, &m->deferred[i]);
  return true;
}

bool tsr_model_settle_all(tsr_model *m) {
  for (uint32_t i = 0; i < m->ndeferred; i++)
    if (!settle(m, &m->deferred[i])) return false;
  tsr_model_forget_deferred(m);
  return true;
}

void tsr_model_forget_deferred(tsr_model *m) {
  for (uint32_t i = 0; i < m->ndeferred; i++) free(m->deferred[i].recipe);
  m->ndeferred = 0;
}

static tsr_status optimise_locked(tsr_model *m, tsr_errrec *e, tsr_method *method) {
  if (method->optimised) return TSR_OK;
  TSR_TRY(tsr_passes_run(m, e, method));
  if (!m->defer && !tsr_model_settle_all(m)) return tsr_fail_nomem(e);
  method->optimised = true;
  return TSR_OK;
}

tsr_status tsr_model_optimise_method(tsr_model *m, tsr_errrec *e, tsr_method *method) {
  tsr_lock_enter(m->lock);
  tsr_status s = optimise_locked(m, e, method);
  tsr_lock_leave(m->lock);
  return s;
}

tsr_status tsr_model_compile_method(tsr_model *m, tsr_errrec *e, tsr_method *method) {
  if (__atomic_load_n(&method->code, __ATOMIC_ACQUIRE) != NULL) return TSR_OK;
  tsr_lock_enter(m->lock);
  tsr_status s = optimise_locked(m, e, method);
  if (s == TSR_OK) s = emit_locked(m, e, method->entry);
  if (s == TSR_OK) __atomic_store_n(&method->code, (const tsr_bytecode *)method->entry->code, __ATOMIC_RELEASE);
  tsr_lock_leave(m->lock);
  return s;
}

void tsr_model_drop_ir(tsr_model *m, tsr_method *method) {
  tsr_lock_enter(m->lock);
  if (method->code != NULL) tsr_ir_clone_drop(method->entry);
  tsr_lock_leave(m->lock);
}

/* ---- __setstate__ while loading: the model's own values are worked on directly ---- */

static tsr_status load_constant(void *user, tsr_errrec *e, uint32_t index, tsr_val *out) {
  TSR_UNUSED(e);
  *out = tsr_model_constant(user, index);
  return TSR_OK;
}

static tsr_status run_at_load(void *user, tsr_program *p, tsr_errrec *e, tsr_ir_fn *fn, const tsr_val *args, uint32_t nargs,
                              tsr_val *out) {
  tsr_model *m = user;
  tsr_ctx ctx;
  tsr_vm vm;
  tsr_vm_hooks hooks = {m, tsr_model_compile_fn, load_constant};
  const tsr_bytecode *code = tsr_model_compile_fn(m, e, fn);
  if (code == NULL) return e->status;
  tsr_ctx_init(&ctx, m->mem, m->pool);
  ctx.heap = m->heap;
  ctx.no_winograd = m->no_winograd;
  ctx.types = p->types;
  ctx.archive_version = p->version;
  tsr_vm_init(&vm, &ctx, &hooks);
  tsr_status s = tsr_vm_run(&vm, code, args, nargs, out);
  tsr_vm_dispose(&vm);
  if (s != TSR_OK && e->status == TSR_OK) {
    *e = ctx.err;
    memset(&ctx.err, 0, sizeof ctx.err);
  }
  tsr_ctx_dispose(&ctx);
  return s;
}

/* ---- methods ---- */

static char *print_signature(const tsr_schema *s) {
  tsr_buf b = {0};
  tsr_declaration_print(s, "", false, &b);
  return tsr_buf_take(&b);
}

static bool print_arg_types(tsr_method *method) {
  uint32_t n = method->fn->schema->param_count;
  method->arg_types = calloc((size_t)n + 1, sizeof *method->arg_types);
  if (method->arg_types == NULL) return false;
  for (uint32_t i = 1; i < n; i++) {
    tsr_buf b = {0};
    tsr_type_print(method->fn->schema->params[i].type, &b);
    method->arg_types[i - 1] = tsr_buf_take(&b);
    if (method->arg_types[i - 1] == NULL) return false;
  }
  return true;
}

static tsr_status declare_method(tsr_model *m, tsr_errrec *e, const char *name) {
  tsr_program *p = m->program;
  tsr_method *method = &m->methods[m->method_count];
  method->name = name;
  TSR_TRY(tsr_program_find_method(p, e, p->root_class, name, &method->fn));
  if (method->fn == NULL) return TSR_OK;
  m->method_count++;
  TSR_TRY(tsr_program_lower(p, e, method->fn));
  method->signature = print_signature(method->fn->schema);
  return method->signature != NULL && print_arg_types(method) ? TSR_OK : tsr_fail_nomem(e);
}

static tsr_status declare_methods(tsr_model *m, tsr_errrec *e) {
  const tsr_class *root = m->program->root_class;
  size_t n = tsr_program_method_count(m->program, root), hooks[2];
  const char *const *names[2];
  for (int k = 0; k < 2; k++) names[k] = tsr_class_hooks(root, k == 0, &hooks[k]);
  m->methods = calloc(n + hooks[0] + hooks[1] + 1, sizeof *m->methods);
  if (m->methods == NULL) return tsr_fail_nomem(e);
  for (size_t i = 0; i < n; i++) TSR_TRY(declare_method(m, e, tsr_program_method_name(m->program, root, i)));
  m->exported = m->method_count;
  for (int k = 0; k < 2; k++)
    for (size_t i = 0; i < hooks[k]; i++)
      if (tsr_model_find_method(m, names[k][i]) == NULL) TSR_TRY(declare_method(m, e, names[k][i]));
  return TSR_OK;
}

/* Methods that operators call: __lt__ of the classes whose lists are sorted. */
static tsr_status lower_compared(tsr_model *m, tsr_errrec *e, const tsr_ir_fn *fn, tsr_ptrset *seen);

static tsr_status lower_compared_block(tsr_model *m, tsr_errrec *e, const tsr_ir_block *b, tsr_ptrset *seen) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    if (n->callee != NULL) TSR_TRY(lower_compared(m, e, n->callee, seen));
    for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(lower_compared_block(m, e, n->blocks[k], seen));
    const tsr_type *elem;
    for (uint32_t k = 0; (elem = tsr_ir_sorted_class(n, k)) != NULL; k++) {
      tsr_ir_fn *fn = NULL;
      TSR_TRY(tsr_program_find_method(m->program, e, elem->cls, "__lt__", &fn));
      if (fn == NULL) continue;
      TSR_TRY(tsr_program_lower(m->program, e, fn));
      TSR_TRY(lower_compared(m, e, fn, seen));
    }
  }
  return TSR_OK;
}

static tsr_status lower_compared(tsr_model *m, tsr_errrec *e, const tsr_ir_fn *fn, tsr_ptrset *seen) {
  return fn->lowered && tsr_ptrset_add(seen, fn) ? lower_compared_block(m, e, fn->body, seen) : TSR_OK;
}

static tsr_status lower_all_compared(tsr_model *m, tsr_errrec *e) {
  tsr_ptrset seen = {0};
  tsr_status s = TSR_OK;
  for (size_t i = 0; i < m->method_count && s == TSR_OK; i++) s = lower_compared(m, e, m->methods[i].fn, &seen);
  if (seen.oom && s == TSR_OK) s = tsr_fail_nomem(e);
  tsr_ptrset_dispose(&seen);
  return s;
}

tsr_method *tsr_model_find_method(tsr_model *m, const char *name) {
  for (size_t i = 0; i < m->method_count; i++)
    if (strcmp(m->methods[i].name, name) == 0) return &m->methods[i];
  return NULL;
}

/* ---- loading ---- */

static void model_destroy(tsr_model *m) {
  for (size_t i = 0; i < m->method_count; i++) {
    tsr_method *method = &m->methods[i];
    for (char **t = method->arg_types; t != NULL && *t != NULL; t++) free(*t);
    free(method->arg_types);
    tsr_ir_clone_drop(method->entry);
    free(method->signature);
  }
  free(m->methods);
  for (size_t i = 0; i < m->ncodes; i++) tsr_bytecode_free(m->codes[i]);
  free(m->codes);
  free(m->constants);
  tsr_model_forget_deferred(m);
  free(m->deferred);
  free_owned(m);
  tsr_writes_dispose(&m->writes);
  tsr_program_free(m->program);
  if (m->archive != NULL) tsr_archive_release(m->archive);
  if (m->mem != NULL) tsr_mem_close(m->mem);
  tsr_site_heap_free(m->heap);
  tsr_cache_close(m->cache);
  if (m->pool != NULL) tsr_pool_free(m->pool);
  if (m->lock != NULL) tsr_lock_free(m->lock);
  free(m);
}

void tsr_model_retain(tsr_model *m) { __atomic_fetch_add(&m->refs, 1, __ATOMIC_RELAXED); }

void tsr_model_free(tsr_model *m) {
  if (m != NULL && __atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL) == 0) model_destroy(m);
}

static tsr_model *model_new(tsr_errrec *e, uint64_t max_memory, int threads, int opt_level) {
  tsr_model *m = calloc(1, sizeof *m);
  if (m != NULL) {
    m->refs = 1;
    m->opt_level = opt_level;
    m->mem = tsr_mem_new(max_memory);
    m->lock = tsr_lock_new();
    m->pool = tsr_pool_new(threads > 0 ? threads : tsr_threads_default());
    m->heap = tsr_site_heap_new();
    if (m->mem != NULL) tsr_mem_warm(m->mem, 0);
    if (m->mem != NULL && m->heap != NULL && m->lock != NULL && m->pool != NULL) return m;
    model_destroy(m);
  }
  tsr_fail_nomem(e);
  return NULL;
}

static bool can_run(tsr_file_kind k) {
  return k == TSR_FILE_TORCHSCRIPT || k == TSR_FILE_TORCHSCRIPT_LEGACY || k == TSR_FILE_LITE || k == TSR_FILE_TORCH_ZIP ||
         k == TSR_FILE_TORCH_STREAM || k == TSR_FILE_TORCH_TAR;
}

/* model.eval(): objects are not shared yet, so their flags may be written. */
static void leave_training(const tsr_val v, tsr_ptrset *seen, int depth) {
  uint32_t slot;
  if (v.tag == TSR_V_LIST && depth < TSR_MAX_DEPTH)
    for (size_t i = 0; i < v.l->len; i++) leave_training(v.l->items[i], seen, depth + 1);
  if (v.tag != TSR_V_OBJECT || depth > TSR_MAX_DEPTH || !tsr_ptrset_add(seen, v.obj)) return;
  const tsr_class *cls = v.obj->cls;
  if (cls->is_module && tsr_class_find_attr(cls, "training", 8, &slot) && v.obj->slots[slot].tag == TSR_V_BOOL) v.obj->slots[slot] = tsr_bool(false);
  for (uint32_t i = 0; i < v.obj->count; i++) leave_training(v.obj->slots[i], seen, depth + 1);
}

static tsr_status eval(tsr_program *p, tsr_errrec *e) {
  tsr_ptrset seen = {0};
  leave_training(p->root, &seen, 0);
  bool oom = seen.oom;
  tsr_ptrset_dispose(&seen);
  return oom ? tsr_fail_nomem(e) : TSR_OK;
}

static tsr_status on_loaded(void *user, tsr_program *p, tsr_errrec *e) {
  const tsr_model *m = user;
  const tsr_load_options *opt = m->opt;
  tsr_state_options state = {opt->weights, opt->weights_no_strict, opt->weights_ignore_mismatched_sizes, opt->note, opt->note_user};
  if (opt->strict_device) TSR_TRY(tsr_devices_check(p, e));
  if (opt->eval) TSR_TRY(eval(p, e));
  if (opt->weights != NULL) TSR_TRY(tsr_state_load(p, e, &state));
  return m->visit == NULL ? TSR_OK : m->visit(m->visit_user, p, e);
}

static tsr_status load_program(tsr_model *m, tsr_errrec *e, const tsr_load_options *opt, bool lower) {
  tsr_program_hooks hooks = {m, m->look_only, run_at_load, on_loaded};
  if (!can_run(tsr_archive_kind(m->archive))) return tsr_archive_fail_kind(m->archive, e);
  TSR_TRY(tsr_program_load(m->archive, m->mem, &hooks, e, &m->program));
  if (!lower) return TSR_OK;
  TSR_TRY(declare_methods(m, e));
  TSR_TRY(lower_all_compared(m, e));
  return opt->allow_missing_ops ? TSR_OK : tsr_program_check_missing(m->program, e);
}

tsr_status tsr_model_load_archive(tsr_archive *archive, const tsr_load_options *opt, tsr_model_depth depth, tsr_errrec *e, tsr_model **out) {
  uint64_t off;
  bool lower = depth != TSR_MODEL_SOURCES;
  tsr_model *m = tsr_pass_parse(opt->disable_passes, e, &off) == TSR_OK ? model_new(e, opt->max_memory, opt->threads, opt->opt_level) : NULL;
  if (m == NULL) {
    tsr_archive_release(archive);
    return e->status;
  }
  m->passes_off = off;
  m->archive = archive;
  m->no_winograd = opt->no_winograd || opt->opt_level < 0;
  m->opt = opt;
  m->look_only = depth == TSR_MODEL_LOOK;
  tsr_status s = load_program(m, e, opt, lower);
  m->opt = NULL;
  if (s != TSR_OK) tsr_model_free(m);
  else *out = m;
  return s;
}

tsr_status tsr_model_visit_archive(tsr_archive *archive, const tsr_load_options *opt,
                                   tsr_status (*fn)(void *user, tsr_program *p, tsr_errrec *e), void *user, tsr_errrec *e) {
  tsr_model *m = model_new(e, opt->max_memory, 1, 0);
  if (m == NULL) {
    tsr_archive_release(archive);
    return e->status;
  }
  m->archive = archive;
  m->opt = opt;
  m->visit = fn;
  m->visit_user = user;
  tsr_status s = load_program(m, e, opt, false);
  tsr_model_free(m);
  return s;
}

/* Options as this version knows them: a caller built against an older header passes fewer bytes. */
static tsr_load_options read_options(const tsr_load_options *opt) {
  tsr_load_options o = {.struct_size = sizeof o};
  if (opt != NULL && opt->struct_size > 0) memcpy(&o, opt, TSR_MIN(opt->struct_size, sizeof o));
  return o;
}

/* archive: taken.  Everything that does not depend on inputs happens now, unless the user wants it later. */
static void load_and_prepare(tsr_archive *archive, const tsr_load_options *o, double start, tsr_errrec *e, tsr_model **out) {
  tsr_model *m = NULL;
  tsr_warm_code();
  if (tsr_model_load_archive(archive, o, TSR_MODEL_RUN, e, &m) != TSR_OK) return;
  m->stats.read_seconds = tsr_clock_now() - start;
  if (o->lazy || tsr_model_prepare(m, e, o) == TSR_OK) *out = m;
  else tsr_model_free(m);
}

tsr_status tsr_model_load(const char *path, const tsr_load_options *opt, tsr_model **out, tsr_error **err) {
  tsr_errrec e = {0};
  tsr_archive *archive = NULL;
  tsr_load_options o = read_options(opt);
  double start = tsr_clock_now();
  if (path == NULL || out == NULL) tsr_fail(&e, TSR_EUSAGE, "tsr_model_load: path and out must not be NULL");
  else if (tsr_archive_open(path, o.no_mmap, &e, &archive) == TSR_OK) load_and_prepare(archive, &o, start, &e, out);
  return e.status == TSR_OK ? TSR_OK : tsr_errrec_publish(&e, err);
}

tsr_status tsr_model_load_memory(const void *data, size_t len, const tsr_load_options *opt, tsr_model **out, tsr_error **err) {
  tsr_errrec e = {0};
  tsr_archive *archive = NULL;
  tsr_load_options o = read_options(opt);
  double start = tsr_clock_now();
  if (data == NULL || out == NULL) tsr_fail(&e, TSR_EUSAGE, "tsr_model_load_memory: data and out must not be NULL");
  else if (tsr_archive_open_memory(data, len, &e, &archive) == TSR_OK) load_and_prepare(archive, &o, start, &e, out);
  return e.status == TSR_OK ? TSR_OK : tsr_errrec_publish(&e, err);
}

tsr_status tsr_model_load_fd(int fd, const tsr_load_options *opt, tsr_model **out, tsr_error **err) {
  tsr_errrec e = {0};
  tsr_archive *archive = NULL;
  tsr_load_options o = read_options(opt);
  double start = tsr_clock_now();
  if (out == NULL) tsr_fail(&e, TSR_EUSAGE, "tsr_model_load_fd: out must not be NULL");
  else if (tsr_archive_open_fd(fd, o.no_mmap, &e, &archive) == TSR_OK) load_and_prepare(archive, &o, start, &e, out);
  return e.status == TSR_OK ? TSR_OK : tsr_errrec_publish(&e, err);
}

void tsr_model_load_stats(const tsr_model *m, tsr_load_stats *out) {
  if (m == NULL || out == NULL) return;
  tsr_load_stats s = m->stats;
  s.struct_size = out->struct_size;
  s.packed_bytes = tsr_site_heap_bytes(m->heap);
  s.cached_bytes = tsr_site_heap_lent(m->heap);
  memcpy(out, &s, TSR_MIN(out->struct_size, sizeof s));
}

/* ---- methods, for the user ---- */

size_t tsr_model_method_count(const tsr_model *m) { return m == NULL ? 0 : m->exported; }
const char *tsr_model_method_name(const tsr_model *m, size_t index) {
  return m != NULL && index < m->exported ? m->methods[index].name : NULL;
}

static tsr_method *method_of(tsr_model *m, const char *name) {
  return m == NULL ? NULL : tsr_model_find_method(m, name != NULL ? name : "forward");
}

const char *tsr_model_method_signature(tsr_model *m, const char *name) {
  tsr_method *method = method_of(m, name);
  return method != NULL ? method->signature : NULL;
}

size_t tsr_model_method_arg_count(tsr_model *m, const char *name) {
  tsr_method *method = method_of(m, name);
  return method != NULL && method->fn->schema->param_count > 0 ? method->fn->schema->param_count - 1 : 0;
}

const char *tsr_model_method_arg_name(tsr_model *m, const char *name, size_t index) {
  return index < tsr_model_method_arg_count(m, name) ? method_of(m, name)->fn->schema->params[index + 1].name : NULL;
}

const char *tsr_model_method_arg_type(tsr_model *m, const char *name, size_t index) {
  return index < tsr_model_method_arg_count(m, name) ? method_of(m, name)->arg_types[index] : NULL;
}

bool tsr_model_method_arg_has_default(tsr_model *m, const char *name, size_t index) {
  return index < tsr_model_method_arg_count(m, name) && method_of(m, name)->fn->schema->params[index + 1].has_default;
}

tsr_status tsr_model_measure_machine(tsr_model *m, double *flops, double *bandwidth) {
  if (m == NULL || flops == NULL || bandwidth == NULL) return TSR_EUSAGE;
  return tsr_machine_measure(m->pool, flops, bandwidth) ? TSR_OK : TSR_ENOMEM;
}

int tsr_model_threads(const tsr_model *m) { return m == NULL ? 0 : tsr_pool_threads(m->pool); }

bool tsr_model_is_training(const tsr_model *m) { return m != NULL && tsr_program_is_training(m->program); }
