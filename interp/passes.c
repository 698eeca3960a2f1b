/* The table of passes and their driver.
 *
 * Freezing needs to know what every method of the model writes, so all of them are prepared (inlined,
 * flags folded) before the first is finished. */
#include "interp/compile.h"
#include "interp/pass_util.h"

typedef struct pass_row { const char *name; tsr_pass_fn run; } pass_row;

/* Until every call that can be is inlined and branches on flags are gone. */
static const pass_row prepare_rows[] = {
    {"inline", tsr_pass_inline}, {"scalars", tsr_pass_scalars}, {"fold", tsr_pass_fold}, {"dce", tsr_pass_dce},
};
static const pass_row finish_rows[] = {
    {"freeze", tsr_pass_freeze},       {"lists", tsr_pass_lists}, {"share", tsr_pass_share}, {"fold", tsr_pass_fold}, {"dce", tsr_pass_dce},
    {"cse", tsr_pass_cse},             {"fold", tsr_pass_fold},   {"dce", tsr_pass_dce},
    {"batchnorm", tsr_pass_batchnorm}, {"sums", tsr_pass_sums}, {"norm", tsr_pass_norm},   {"scale", tsr_pass_scale}, {"fuse", tsr_pass_fuse},   {"attention", tsr_pass_attention},
    {"mlp", tsr_pass_mlp},
    {"dce", tsr_pass_dce},
};
/* Once, when all others are done. */
static const pass_row last_rows[] = {{"steps", tsr_pass_steps}, {"block", tsr_pass_block}, {"layout", tsr_pass_layout}};

const tsr_pass_switch tsr_pass_switches[] = {
    {"inline", "calls whose target is known become the target's body"},
    {"scalars", "numbers and flags that no method writes become constants"},
    {"freeze", "tensors and containers that nothing writes become constants"},
    {"fold", "operators on constants, branches and loops that are decided"},
    {"lists", "lists that only grow and are then joined or read are made at once"},
    {"share", "literal lists of constants are built once"},
    {"cse", "common subexpressions among numbers and shapes"},
    {"dce", "what nobody uses"},
    {"batchnorm", "batch normalisation moves into the weights before it"},
    {"sums", "convolutions of one input whose results are added become one"},
    {"norm", "batch normalisation that no convolution took, with the join before and the activation after it"},
    {"scale", "constant factors of a linear layer's results move into its weights, sums with its permuted result in front of the permutation"},
    {"gelu", "GELU written out becomes one operator"},
    {"fuse", "all fusions: layers take what follows them as their epilogue"},
    {"fuse-activation", "an activation after a linear layer or convolution"},
    {"fuse-residual", "the addition of a tensor after a linear layer or convolution"},
    {"attention", "softmax and the product with the values become one operator"},
    {"attention-scores", "the product of queries and keys, scale and masks go into it as well"},
    {"mlp", "two linear layers with an activation between them"},
    {"block", "1x1, depthwise and 1x1 convolution in a row become one operator"},
    {"block-first", "… with a network's first convolution in the place of the first 1x1"},
    {"block-gate", "… with gates made of the channels' means (squeeze and excitation) before the last"},
    {"steps", "recurrent cells in loops multiply the inputs of several steps together"},
    {"layout", "convolution chains stay channels last in memory"},
    {NULL, NULL},
};

enum { MAX_ROUNDS = 4 };

bool tsr_pass_is_known(const char *name, size_t len, size_t *index) {
  for (*index = 0; tsr_pass_switches[*index].name != NULL; ++*index)
    if (strlen(tsr_pass_switches[*index].name) == len && memcmp(tsr_pass_switches[*index].name, name, len) == 0) return true;
  return false;
}

bool tsr_pass_is_on(const tsr_pass_env *env, const char *name) {
  size_t i;
  return env->model->passes_off == 0 || !tsr_pass_is_known(name, strlen(name), &i) || (env->model->passes_off >> i & 1) == 0;
}

static tsr_status fail_unknown(tsr_errrec *e, const char *name, size_t len) {
  tsr_buf all = {0};
  for (const tsr_pass_switch *s = tsr_pass_switches; s->name != NULL; s++) tsr_buf_printf(&all, "%s%s", all.len > 0 ? ", " : "", s->name);
  tsr_status st = tsr_fail(e, TSR_EUSAGE, "no pass is called '%.*s'; there are %s", (int)TSR_MIN(len, (size_t)60), name, all.data != NULL ? all.data : "");
  tsr_buf_dispose(&all);
  return st;
}

tsr_status tsr_pass_parse(const char *list, tsr_errrec *e, uint64_t *off) {
  *off = 0;
  for (const char *p = list; p != NULL && *p != 0;) {
    size_t len = strcspn(p, ","), index;
    if (!tsr_pass_is_known(p, len, &index)) return fail_unknown(e, p, len);
    *off |= (uint64_t)1 << index;
    p += len + (p[len] == ',');
  }
  return TSR_OK;
}

static tsr_status run_rows(tsr_pass_env *env, tsr_ir_fn *fn, const pass_row *rows, size_t count, int rounds) {
  const struct tsr_pass_watch *watch = env->model->watch;
  bool changed = true;
  for (int round = 0; round < rounds && changed; round++) {
    changed = false;
    for (size_t i = 0; i < count; i++) {
      bool here = false;
      if (!tsr_pass_is_on(env, rows[i].name)) continue;
      TSR_TRY(rows[i].run(env, fn, &here));
      changed |= here;
#ifndef NDEBUG
      TSR_TRY(tsr_ir_verify(fn, env->e));
#endif
      if (watch != NULL) watch->after(watch->user, rows[i].name, fn, here);
    }
  }
  return TSR_OK;
}

/* ---- what the methods write ---- */

/* Methods that an interface call may reach: of any class, by name. */
static void add_interface_sets(tsr_model *m, tsr_ptrset *seen) {
  const tsr_compiler *c = m->program->impl;
  for (size_t i = 0; i < c->iface_count; i++)
    for (size_t k = 0; k < c->class_count; k++) {
      const tsr_ir_fn *fn = tsr_class_method(c->class_list[k]->cls, c->iface_calls[i].name);
      if (fn != NULL) tsr_writes_add_sets(&m->writes, fn, seen);
    }
}

static void add_calls(tsr_model *m, const tsr_ir_fn *fn, tsr_ptrset *seen);

static void add_calls_block(tsr_model *m, const tsr_ir_block *b, tsr_ptrset *seen) {
  const tsr_compiler *c = m->program->impl;
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    if (n->callee != NULL) add_calls(m, n->callee, seen);
    for (size_t k = 0; n->kind == TSR_IR_CALL_METHOD && k < c->class_count; k++) {
      const tsr_ir_fn *fn = tsr_class_method(c->class_list[k]->cls, n->name);
      if (fn != NULL) add_calls(m, fn, seen);
    }
    const tsr_type *sorted;
    for (uint32_t k = 0; (sorted = tsr_ir_sorted_class(n, k)) != NULL; k++) {
      const tsr_ir_fn *less = tsr_class_method(sorted->cls, "__lt__");
      if (less != NULL) add_calls(m, less, seen);
    }
    for (uint32_t k = 0; k < n->nblocks; k++) add_calls_block(m, n->blocks[k], seen);
  }
}

/* Writes of a function and of what it calls out of line. */
static void add_calls(tsr_model *m, const tsr_ir_fn *fn, tsr_ptrset *seen) {
  if (!fn->lowered || !tsr_ptrset_add(seen, fn)) return;
  tsr_writes_add_body(&m->writes, fn, NULL);
  add_calls_block(m, fn->body, seen);
}

static void add_sets(tsr_model *m) {
  tsr_ptrset seen = {0};
  for (size_t i = 0; i < m->method_count; i++) tsr_writes_add_sets(&m->writes, m->methods[i].fn, &seen);
  add_interface_sets(m, &seen);
  if (seen.oom) m->writes.anything = true;
  tsr_ptrset_dispose(&seen);
}

static void add_writes(tsr_model *m) {
  tsr_ptrset seen = {0}, objects = {0};
  for (size_t i = 0; i < m->method_count; i++) add_calls(m, m->methods[i].entry, &seen);
  tsr_writes_add_storages(&m->writes, m->program->root, false, &objects);
  for (size_t i = 0; i < m->writes.consts.cap; i++)
    if (m->writes.consts.slots[i] != NULL)
      tsr_writes_add_storages(&m->writes, tsr_from_obj((void *)(uintptr_t)m->writes.consts.slots[i]), true, &objects);
  if (seen.oom || objects.oom) m->writes.anything = true;
  tsr_ptrset_dispose(&seen);
  tsr_ptrset_dispose(&objects);
}

/* ---- driver ---- */

/* A copy of the method to work on. */
static tsr_status prepare_one(tsr_pass_env *env, tsr_method *method) {
  tsr_model *m = env->model;
  tsr_ir_fn *copy = NULL;
  TSR_TRY(tsr_ir_clone_fn(method->fn, env->e, &copy));
  tsr_ir_clone_drop(method->entry);
  method->entry = copy;
  if (m->watch != NULL) m->watch->after(m->watch->user, "as lowered", copy, true);
  return run_rows(env, copy, prepare_rows, TSR_COUNT(prepare_rows), MAX_ROUNDS);
}

static tsr_status prepare_all(tsr_pass_env *env) {
  tsr_model *m = env->model;
  if (m->prepared) return TSR_OK;
  add_sets(m);
  for (size_t i = 0; i < m->method_count; i++) TSR_TRY(prepare_one(env, &m->methods[i]));
  add_writes(m);
  m->prepared = true;
  return TSR_OK;
}

tsr_status tsr_passes_run(tsr_model *m, tsr_errrec *e, tsr_method *method) {
  tsr_pass_env env = {m, e};
  if (m->opt_level < 0) {
    method->entry = method->fn;
    return TSR_OK;
  }
  TSR_TRY(prepare_all(&env));
  TSR_TRY(run_rows(&env, method->entry, finish_rows, TSR_COUNT(finish_rows), MAX_ROUNDS));
  return run_rows(&env, method->entry, last_rows, TSR_COUNT(last_rows), 1);
}
