/* Sessions: registers, random state, limits, and a private copy of what the code may write. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "interp/api.h"
#include "interp/copy.h"
#include "interp/cycles.h"
#include "ops/random.h"
#include "ops/site.h"

#define DEFAULT_SEED 67280421310721u /* PyTorch's */

struct tsr_session {
  tsr_model *model;
  tsr_session_options opt;
  tsr_mem *mem;
  tsr_ctx ctx;
  tsr_vm vm;
  tsr_copier copier;
  tsr_val root;
  tsr_val *constants; uint32_t nconstants; /* copies by the model's numbering; None: not made yet */
  int cancel;                              /* atomic */
};

static void write_all(int fd, const char *text, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, text, len);
    if (n <= 0) return;
    text += n;
    len -= (size_t)n;
  }
}

static void default_print(void *user, const char *text, size_t len) {
  TSR_UNUSED(user);
  fflush(stdout);
  write_all(1, text, len);
}

static void default_warn(void *user, const char *text, size_t len) {
  TSR_UNUSED(user);
  write_all(2, text, len);
}

/* ---- the private copy ---- */

static void drop_state(tsr_session *s) {
  for (uint32_t i = 0; i < s->nconstants; i++) tsr_release(s->constants[i]);
  free(s->constants);
  s->constants = NULL;
  s->nconstants = 0;
  s->vm.constants = NULL;
  s->vm.nconstants = 0;
  tsr_release(s->root);
  s->root = tsr_none();
  tsr_copier_dispose(&s->copier);
  s->copier.mem = s->mem;
}

static tsr_status make_state(tsr_session *s, tsr_errrec *e) {
  drop_state(s);
  if (!tsr_copy_value(&s->copier, s->model->program->root, &s->root)) return tsr_fail_nomem(e);
  if (s->ctx.rng == NULL) s->ctx.rng = malloc(sizeof *s->ctx.rng);
  if (s->ctx.rng == NULL) return tsr_fail_nomem(e);
  tsr_rng_init(s->ctx.rng, s->opt.has_seed ? s->opt.seed : DEFAULT_SEED);
  return TSR_OK;
}

/* The copy of model constant `index`, made on first use. */
static tsr_status session_constant(void *user, tsr_errrec *e, uint32_t index, tsr_val *out) {
  tsr_session *s = user;
  if (index >= s->nconstants) {
    uint32_t n = index + 64;
    tsr_val *grown = realloc(s->constants, n * sizeof *grown);
    if (grown == NULL) return tsr_fail_nomem(e);
    for (uint32_t i = s->nconstants; i < n; i++) grown[i] = tsr_none();
    s->constants = grown;
    s->nconstants = n;
    s->vm.constants = grown;
    s->vm.nconstants = n;
  }
  if (s->constants[index].tag == TSR_V_NONE &&
      !tsr_copy_value(&s->copier, tsr_model_constant(s->model, index), &s->constants[index]))
    return tsr_fail_nomem(e);
  *out = s->constants[index];
  return TSR_OK;
}

/* ---- life ---- */

static tsr_session_options read_options(const tsr_session_options *opt) {
  tsr_session_options o = {.struct_size = sizeof o};
  if (opt != NULL && opt->struct_size > 0) memcpy(&o, opt, TSR_MIN(opt->struct_size, sizeof o));
  if (o.print == NULL) o.print = default_print;
  if (o.warn == NULL) o.warn = default_warn;
  return o;
}

/* The first run of a model shall not wait for pages: what is little beside the weights is there before it.  Networks with
 * large weights have large activations.  Later sessions take what they need when they need it. */
static void warm(tsr_session *s, tsr_model *m) {
  static const uint64_t least = (uint64_t)4 << 20, step = (uint64_t)2 << 20, most = (uint64_t)4 << 20;
  uint64_t weights = tsr_site_heap_bytes(m->heap), bytes = 0;
  if (weights >= least) bytes = TSR_MIN(TSR_MAX(weights / 16 / step * step, step), most);
  if (__atomic_exchange_n(&m->had_session, true, __ATOMIC_RELAXED)) bytes = 0;
  if (s->opt.max_memory != 0) bytes = TSR_MIN(bytes, s->opt.max_memory);
  tsr_mem_warm(s->mem, bytes);
}

/* The same for what operators take for the time of a call; failure costs the first run a little. */
static void warm_scratch(tsr_ctx *ctx) {
  ctx->scratch = tsr_arena_new();
  if (ctx->scratch == NULL) return;
  (void)tsr_arena_alloc(ctx->scratch, (size_t)48 << 10);
  tsr_arena_reset(ctx->scratch);
}

static void session_init(tsr_session *s, tsr_model *m) {
  tsr_vm_hooks hooks = {m, tsr_model_compile_fn, session_constant};
  tsr_model_retain(m);
  s->model = m;
  s->root = tsr_none();
  s->copier.mem = s->mem;
  tsr_ctx_init(&s->ctx, s->mem, m->pool);
  s->ctx.heap = m->heap;
  s->ctx.no_winograd = m->no_winograd;
  s->ctx.max_threads = s->opt.threads;
  s->ctx.types = m->program->types;
  s->ctx.archive_version = m->program->version;
  s->ctx.print = s->opt.print;
  s->ctx.warn = s->opt.warn;
  s->ctx.user = s->opt.user;
  s->ctx.cancel = &s->cancel;
  tsr_vm_init(&s->vm, &s->ctx, &hooks);
  s->vm.hooks.user = s;
  warm_scratch(&s->ctx);
}

static const tsr_bytecode *compile(void *user, tsr_errrec *e, tsr_ir_fn *fn) {
  return tsr_model_compile_fn(((tsr_session *)user)->model, e, fn);
}

tsr_status tsr_session_new(tsr_model *m, const tsr_session_options *opt, tsr_session **out, tsr_error **err) {
  tsr_errrec e = {0};
  if (m == NULL || out == NULL) {
    tsr_fail(&e, TSR_EUSAGE, "tsr_session_new: model and out must not be NULL");
    return tsr_errrec_publish(&e, err);
  }
  tsr_session *s = calloc(1, sizeof *s);
  if (s != NULL) {
    s->opt = read_options(opt);
    s->mem = tsr_mem_new(s->opt.max_memory);
  }
  if (s == NULL || s->mem == NULL) {
    free(s);
    tsr_fail_nomem(&e);
    return tsr_errrec_publish(&e, err);
  }
  tsr_mem_watch_all(s->mem);
  warm(s, m);
  session_init(s, m);
  s->vm.hooks.compile = compile;
  if (make_state(s, &e) != TSR_OK) {
    tsr_session_free(s);
    return tsr_errrec_publish(&e, err);
  }
  *out = s;
  return TSR_OK;
}

void tsr_session_free(tsr_session *s) {
  if (s == NULL) return;
  drop_state(s);
  tsr_vm_dispose(&s->vm);
  tsr_ctx_dispose(&s->ctx);
  if (tsr_mem_leave(s->mem)) tsr_cycles_collect(s->mem);
  tsr_mem_close(s->mem);
  tsr_model_free(s->model);
  free(s);
}

/* ---- running ---- */

static void begin_run(tsr_session *s) {
  __atomic_store_n(&s->cancel, 0, __ATOMIC_RELAXED);
  tsr_errrec_dispose(&s->ctx.err);
  s->ctx.steps = 0;
  s->ctx.max_steps = s->opt.max_steps;
  s->ctx.deadline = s->opt.timeout > 0 ? tsr_clock_now() + s->opt.timeout : 0;
  s->ctx.grad_enabled = false;
}

static tsr_status run_bound(tsr_session *s, const tsr_method *method, tsr_val *args, tsr_value **out) {
  uint32_t n = method->fn->schema->param_count;
  tsr_val result;
  args[0] = tsr_retain(s->root);
  tsr_status st = tsr_vm_run(&s->vm, method->code, args, n, &result);
  for (uint32_t i = 0; i < n; i++) tsr_release(args[i]);
  if (st != TSR_OK) return st;
  *out = tsr_value_wrap_take(result, s->model, NULL);
  return *out != NULL ? TSR_OK : tsr_fail_nomem(&s->ctx.err);
}

static tsr_status run_method(tsr_session *s, const char *name, tsr_value *const *args, const char *const *names, size_t count,
                             tsr_value **out) {
  tsr_errrec *e = &s->ctx.err;
  tsr_method *method = tsr_model_find_method(s->model, name);
  if (method == NULL) return tsr_fail(e, TSR_EUSAGE, "the model has no method '%s'", name);
  TSR_TRY(tsr_model_compile_method(s->model, e, method));
  uint32_t n = method->fn->schema->param_count;
  tsr_val *bound = calloc((size_t)n + 1, sizeof *bound);
  if (bound == NULL) return tsr_fail_nomem(e);
  tsr_status st = tsr_args_bind(s->model, s->mem, e, method->fn->schema, name, args, names, count, bound);
  if (st == TSR_OK) st = run_bound(s, method, bound, out);
  free(bound);
  return st;
}

/* ---- calling the module: forward between its hooks ---- */

static tsr_status wrap_tuple(tsr_session *s, const tsr_val *items, size_t count, tsr_value **out) {
  tsr_tuple *u = tsr_tuple_new(s->mem, NULL, count);
  if (u == NULL) return tsr_fail_nomem(&s->ctx.err);
  for (size_t i = 0; i < count; i++) u->items[i] = tsr_retain(items[i]);
  *out = tsr_value_wrap_take(tsr_from_obj(u), s->model, NULL);
  return *out != NULL ? TSR_OK : tsr_fail_nomem(&s->ctx.err);
}

/* The arguments of forward as one tuple, as hooks take them. */
static tsr_status pack(tsr_session *s, tsr_value *const *args, const char *const *names, size_t count, tsr_value **out) {
  tsr_errrec *e = &s->ctx.err;
  const tsr_method *forward = tsr_model_find_method(s->model, "forward");
  if (forward == NULL) return tsr_fail(e, TSR_EUSAGE, "the model has no method 'forward'");
  uint32_t n = forward->fn->schema->param_count;
  tsr_val *bound = calloc((size_t)n + 1, sizeof *bound);
  if (bound == NULL) return tsr_fail_nomem(e);
  tsr_status st = tsr_args_bind(s->model, s->mem, e, forward->fn->schema, "forward", args, names, count, bound);
  if (st == TSR_OK) st = wrap_tuple(s, bound + 1, n - 1, out);
  for (uint32_t i = 0; i < n; i++) tsr_release(bound[i]);
  free(bound);
  return st;
}

/* What a hook returns takes the place of *value, unless it is None. */
static tsr_status run_hook(tsr_session *s, const char *name, tsr_value *const *args, size_t count, tsr_value **value) {
  tsr_value *result = NULL;
  TSR_TRY(run_method(s, name, args, NULL, count, &result));
  if (result->v.tag == TSR_V_NONE) {
    tsr_value_free(result);
  } else {
    tsr_value_free(*value);
    *value = result;
  }
  return TSR_OK;
}

static tsr_status run_pre_hooks(tsr_session *s, const char *const *hooks, size_t n, tsr_value **packed) {
  for (size_t i = 0; i < n; i++) {
    TSR_TRY(run_hook(s, hooks[i], packed, 1, packed));
    if ((*packed)->v.tag != TSR_V_TUPLE) {
      tsr_value *single = *packed;
      TSR_TRY(wrap_tuple(s, &single->v, 1, packed));
      tsr_value_free(single);
    }
  }
  return TSR_OK;
}

/* forward with the items of *packed. */
static tsr_status run_forward(tsr_session *s, const tsr_value *packed, tsr_value **out) {
  size_t n = tsr_value_count(packed);
  tsr_value **items = calloc(n + 1, sizeof *items);
  if (items == NULL) return tsr_fail_nomem(&s->ctx.err);
  tsr_status st = TSR_OK;
  for (size_t i = 0; i < n && st == TSR_OK; i++)
    if ((items[i] = tsr_value_item(packed, i)) == NULL) st = tsr_fail_nomem(&s->ctx.err);
  if (st == TSR_OK) st = run_method(s, "forward", items, NULL, n, out);
  for (size_t i = 0; i < n; i++) tsr_value_free(items[i]);
  free(items);
  return st;
}

static tsr_status run_module(tsr_session *s, tsr_value *const *args, const char *const *names, size_t count, tsr_value **out) {
  size_t npre, npost;
  const char *const *pre = tsr_class_hooks(s->model->program->root_class, true, &npre);
  const char *const *post = tsr_class_hooks(s->model->program->root_class, false, &npost);
  if (npre + npost == 0) return run_method(s, "forward", args, names, count, out);
  tsr_value *both[2] = {NULL, NULL};
  tsr_status st = pack(s, args, names, count, &both[0]);
  if (st == TSR_OK) st = run_pre_hooks(s, pre, npre, &both[0]);
  if (st == TSR_OK) st = run_forward(s, both[0], &both[1]);
  for (size_t i = 0; i < npost && st == TSR_OK; i++) st = run_hook(s, post[i], both, 2, &both[1]);
  tsr_value_free(both[0]);
  if (st == TSR_OK) *out = both[1];
  else tsr_value_free(both[1]);
  return st;
}

tsr_status tsr_session_run(tsr_session *s, const char *method, tsr_value *const *args, const char *const *names, size_t count,
                           tsr_value **out, tsr_error **err) {
  if (s == NULL || out == NULL || (args == NULL && count > 0)) {
    tsr_errrec e = {0};
    tsr_fail(&e, TSR_EUSAGE, "tsr_session_run: session, args and out must not be NULL");
    return tsr_errrec_publish(&e, err);
  }
  *out = NULL;
  begin_run(s);
  tsr_status st = method == NULL ? run_module(s, args, names, count, out) : run_method(s, method, args, names, count, out);
  if (tsr_mem_cycles_due(s->mem)) tsr_cycles_collect(s->mem);
  return st == TSR_OK ? TSR_OK : tsr_errrec_publish(&s->ctx.err, err);
}

tsr_status tsr_session_reset(tsr_session *s, tsr_error **err) {
  tsr_errrec e = {0};
  if (s == NULL) tsr_fail(&e, TSR_EUSAGE, "tsr_session_reset: session must not be NULL");
  else make_state(s, &e);
  return e.status == TSR_OK ? TSR_OK : tsr_errrec_publish(&e, err);
}

void tsr_session_profile(tsr_session *s, tsr_profile_fn fn, void *user) {
  if (s == NULL) return;
  s->vm.profile = fn;
  s->vm.profile_user = user;
}

void tsr_session_cancel(tsr_session *s) {
  if (s != NULL) __atomic_store_n(&s->cancel, 1, __ATOMIC_RELAXED);
}

uint64_t tsr_session_memory(const tsr_session *s, uint64_t *peak) {
  if (peak != NULL) *peak = s != NULL ? tsr_mem_peak(s->mem) : 0;
  return s != NULL ? tsr_mem_used(s->mem) : 0;
}
