/* Emission and the virtual machine, on IR built by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "interp/emit.h"
#include "interp/vm.h"

typedef struct env {
  tsr_arena *arena;
  tsr_types *types;
  tsr_mem *mem;
  tsr_ctx ctx;
  tsr_vm vm;
  tsr_ir_fn *fn;
  tsr_bytecode *codes[8];
  int ncodes;
} env;

static tsr_status no_constant(void *user, tsr_errrec *e, tsr_val v, uint32_t *index) {
  (void)user, (void)v, (void)index;
  return tsr_fail(e, TSR_EINTERNAL, "no session constants here");
}

static const tsr_bytecode *compile(void *user, tsr_errrec *e, tsr_ir_fn *fn) {
  env *x = user;
  tsr_emit_env ee = {x, no_constant};
  tsr_bytecode *code = NULL;
  if (tsr_emit_fn(&ee, e, fn, &code) != TSR_OK) return NULL;
  fn->code = code;
  x->codes[x->ncodes++] = code;
  return code;
}

static void setup(env *x) {
  memset(x, 0, sizeof *x);
  x->arena = tsr_arena_new();
  x->types = tsr_types_new();
  x->mem = tsr_mem_new(0);
  tsr_ctx_init(&x->ctx, x->mem, NULL);
  tsr_vm_hooks hooks = {x, compile, NULL};
  tsr_vm_init(&x->vm, &x->ctx, &hooks);
  x->fn = tsr_ir_fn_new(x->arena, "test");
}

static void teardown(env *x) {
  tsr_vm_dispose(&x->vm);
  tsr_ctx_dispose(&x->ctx);
  for (int i = 0; i < x->ncodes; i++) tsr_bytecode_free(x->codes[i]);
  assert_int_equal(tsr_mem_used(x->mem), 0);
  tsr_mem_close(x->mem);
  tsr_types_release(x->types);
  tsr_arena_free(x->arena);
}

static tsr_ir_value *konst(env *x, tsr_ir_block *b, tsr_val v, const tsr_type *t) {
  tsr_ir_node *n = tsr_ir_node_new(x->fn, TSR_IR_CONST, 0, 1, 0, NULL);
  tsr_ir_append(b, n);
  n->val = v;
  return tsr_ir_add_output(x->fn, n, t, NULL);
}
static tsr_ir_value *kint(env *x, tsr_ir_block *b, int64_t i) { return konst(x, b, tsr_int(i), &tsr_type_int); }
static tsr_ir_value *kbool(env *x, tsr_ir_block *b, bool v) { return konst(x, b, tsr_bool(v), &tsr_type_bool); }

static tsr_ir_node *node(env *x, tsr_ir_block *b, tsr_ir_kind kind, uint32_t nin, tsr_ir_value **in, uint32_t nblocks) {
  tsr_ir_node *n = tsr_ir_node_new(x->fn, kind, nin, 1, nblocks, NULL);
  for (uint32_t i = 0; i < nin; i++) tsr_ir_set_input(n, i, in[i]);
  tsr_ir_append(b, n);
  return n;
}

static tsr_ir_value *op(env *x, tsr_ir_block *b, const char *schema, uint32_t nin, tsr_ir_value **in) {
  tsr_schema *s = NULL;
  tsr_errrec e = {0};
  assert_int_equal(tsr_schema_parse(x->types, &e, schema, &s), TSR_OK);
  s->op = tsr_op_get(s->name, s->overload);
  tsr_ir_node *n = node(x, b, TSR_IR_OP, nin, in, 0);
  n->schema = s;
  return tsr_ir_add_output(x->fn, n, s->rets[0].type, NULL);
}

#define ADD "aten::add.int(int a, int b) -> int"
#define LT "aten::lt.int(int a, int b) -> bool"
#define EQ "aten::eq.int(int a, int b) -> bool"
#define REM "aten::remainder.int(int a, int b) -> int"
#define APPEND "aten::append.t(t[](a!) self, t(c -> *) el) -> t[](a!)"

static tsr_status run(env *x, const tsr_val *args, uint32_t n, tsr_val *out) {
  tsr_errrec e = {0};
  if (tsr_ir_verify(x->fn, &e) != TSR_OK) fail_msg("%s", e.message);
  const tsr_bytecode *code = compile(x, &e, x->fn);
  if (code == NULL) fail_msg("%s", e.message);
  return tsr_vm_run(&x->vm, code, args, n, out);
}

/* for i in range(n): s = s + i; a, b = b, a   ->  (s, a, b) */
static void test_loop_swaps(void **state) {
  (void)state;
  env x;
  setup(&x);
  tsr_ir_block *b = x.fn->body;
  tsr_ir_value *n = tsr_ir_block_add_param(x.fn, b, &tsr_type_int, "n");
  const tsr_type *list = tsr_type_list(x.types, &tsr_type_int);
  tsr_ir_value *p = tsr_ir_block_add_param(x.fn, b, list, "p"), *q = tsr_ir_block_add_param(x.fn, b, list, "q");
  tsr_ir_value *in[] = {n, kbool(&x, b, true), kint(&x, b, 0), p, q};
  tsr_ir_node *loop = node(&x, b, TSR_IR_LOOP, 5, in, 1);
  tsr_ir_block *body = loop->blocks[0];
  tsr_ir_value *i = tsr_ir_block_add_param(x.fn, body, &tsr_type_int, "i"), *s = tsr_ir_block_add_param(x.fn, body, &tsr_type_int, "s");
  tsr_ir_value *lp = tsr_ir_block_add_param(x.fn, body, list, "p"), *lq = tsr_ir_block_add_param(x.fn, body, list, "q");
  tsr_ir_value *sum = op(&x, body, ADD, 2, (tsr_ir_value *[]){s, i});
  tsr_ir_block_add_ret(x.fn, body, kbool(&x, body, true));
  tsr_ir_block_add_ret(x.fn, body, sum);
  tsr_ir_block_add_ret(x.fn, body, lq);
  tsr_ir_block_add_ret(x.fn, body, lp);
  for (int k = 0; k < 3; k++) tsr_ir_add_output(x.fn, loop, k == 0 ? &tsr_type_int : list, NULL);
  const tsr_type *members[] = {&tsr_type_int, list, list};
  tsr_ir_node *tuple = node(&x, b, TSR_IR_TUPLE, 3, loop->out, 0);
  tsr_ir_block_add_ret(x.fn, b, tsr_ir_add_output(x.fn, tuple, tsr_type_tuple(x.types, members, 3), NULL));
  tsr_val args[] = {tsr_int(7), tsr_from_obj(tsr_list_new(x.mem, &tsr_type_int, 0)), tsr_from_obj(tsr_list_new(x.mem, &tsr_type_int, 0))}, out;
  assert_int_equal(run(&x, args, 3, &out), TSR_OK);
  assert_int_equal(out.u->items[0].i, 21);
  assert_ptr_equal(out.u->items[1].l, args[2].l);
  assert_ptr_equal(out.u->items[2].l, args[1].l);
  tsr_release(out);
  tsr_release(args[1]);
  tsr_release(args[2]);
  teardown(&x);
}

/* l = []; i = 0; while i < n: if i % 3 == 0: l.append(i) else: pass; i += 1; return l */
static void test_while_if_append(void **state) {
  (void)state;
  env x;
  setup(&x);
  tsr_ir_block *b = x.fn->body;
  tsr_ir_value *n = tsr_ir_block_add_param(x.fn, b, &tsr_type_int, "n");
  const tsr_type *list = tsr_type_list(x.types, &tsr_type_int);
  tsr_ir_node *make = node(&x, b, TSR_IR_LIST, 0, NULL, 0);
  tsr_ir_value *l = tsr_ir_add_output(x.fn, make, list, "l"), *zero = kint(&x, b, 0);
  tsr_ir_value *in[] = {kint(&x, b, INT64_MAX), op(&x, b, LT, 2, (tsr_ir_value *[]){zero, n}), zero};
  tsr_ir_node *loop = node(&x, b, TSR_IR_LOOP, 3, in, 1);
  tsr_ir_block *body = loop->blocks[0];
  tsr_ir_block_add_param(x.fn, body, &tsr_type_int, NULL);
  tsr_ir_value *i = tsr_ir_block_add_param(x.fn, body, &tsr_type_int, "i");
  tsr_ir_value *r = op(&x, body, REM, 2, (tsr_ir_value *[]){i, kint(&x, body, 3)});
  tsr_ir_value *c = op(&x, body, EQ, 2, (tsr_ir_value *[]){r, kint(&x, body, 0)});
  tsr_ir_node *iff = node(&x, body, TSR_IR_IF, 1, &c, 2);
  op(&x, iff->blocks[0], APPEND, 2, (tsr_ir_value *[]){l, i});
  tsr_ir_value *next = op(&x, body, ADD, 2, (tsr_ir_value *[]){i, kint(&x, body, 1)});
  tsr_ir_block_add_ret(x.fn, body, op(&x, body, LT, 2, (tsr_ir_value *[]){next, n}));
  tsr_ir_block_add_ret(x.fn, body, next);
  tsr_ir_add_output(x.fn, loop, &tsr_type_int, NULL);
  tsr_ir_block_add_ret(x.fn, b, l);
  tsr_val arg = tsr_int(10), out;
  assert_int_equal(run(&x, &arg, 1, &out), TSR_OK);
  assert_int_equal(out.l->len, 4);
  assert_int_equal(out.l->items[3].i, 9);
  tsr_release(out);
  x.ctx.max_steps = 50;
  arg = tsr_int(INT64_MAX);
  assert_int_equal(tsr_vm_run(&x.vm, x.codes[0], &arg, 1, &out), TSR_ELIMIT);
  tsr_errrec_dispose(&x.ctx.err);
  teardown(&x);
}

/* A value that dies in one arm only, and one that one arm returns. */
static void test_branch_ownership(void **state) {
  (void)state;
  env x;
  setup(&x);
  tsr_ir_block *b = x.fn->body;
  const tsr_type *list = tsr_type_list(x.types, &tsr_type_int);
  tsr_ir_value *c = tsr_ir_block_add_param(x.fn, b, &tsr_type_bool, "c");
  tsr_ir_value *k = kint(&x, b, 5);
  tsr_ir_value *p = tsr_ir_add_output(x.fn, node(&x, b, TSR_IR_LIST, 1, &k, 0), list, "p");
  tsr_ir_value *q = tsr_ir_add_output(x.fn, node(&x, b, TSR_IR_LIST, 2, (tsr_ir_value *[]){k, k}, 0), list, "q");
  tsr_ir_node *iff = node(&x, b, TSR_IR_IF, 1, &c, 2);
  tsr_ir_value *joined = op(&x, iff->blocks[0], "aten::add.t(t[] a, t[] b) -> t[]", 2, (tsr_ir_value *[]){p, q});
  tsr_ir_block_add_ret(x.fn, iff->blocks[0], joined);
  tsr_ir_block_add_ret(x.fn, iff->blocks[1], q);
  tsr_ir_block_add_ret(x.fn, b, tsr_ir_add_output(x.fn, iff, list, NULL));
  tsr_val arg = tsr_bool(true), out;
  assert_int_equal(run(&x, &arg, 1, &out), TSR_OK);
  assert_int_equal(out.l->len, 3);
  tsr_release(out);
  arg = tsr_bool(false);
  assert_int_equal(tsr_vm_run(&x.vm, x.codes[0], &arg, 1, &out), TSR_OK);
  assert_int_equal(out.l->len, 2);
  tsr_release(out);
  teardown(&x);
}

static void test_raise_unwinds(void **state) {
  (void)state;
  env x;
  setup(&x);
  tsr_ir_block *b = x.fn->body;
  const tsr_type *list = tsr_type_list(x.types, &tsr_type_int);
  tsr_ir_value *i = tsr_ir_block_add_param(x.fn, b, &tsr_type_int, "i"), *k = kint(&x, b, 5);
  tsr_ir_value *p = tsr_ir_add_output(x.fn, node(&x, b, TSR_IR_LIST, 1, &k, 0), list, "p");
  tsr_ir_value *item = op(&x, b, "aten::__getitem__.t(t[](a) list, int idx) -> t(*)", 2, (tsr_ir_value *[]){p, i});
  item->type = &tsr_type_int;
  op(&x, b, APPEND, 2, (tsr_ir_value *[]){p, item});
  tsr_ir_block_add_ret(x.fn, b, p);
  tsr_val arg = tsr_int(-1), out;
  assert_int_equal(run(&x, &arg, 1, &out), TSR_OK);
  assert_int_equal(out.l->len, 2);
  tsr_release(out);
  arg = tsr_int(1);
  assert_int_equal(tsr_vm_run(&x.vm, x.codes[0], &arg, 1, &out), TSR_ERAISED);
  assert_string_equal(x.ctx.err.message, "list index out of range");
  assert_non_null(x.ctx.err.traceback);
  tsr_errrec_dispose(&x.ctx.err);
  teardown(&x);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_loop_swaps), cmocka_unit_test(test_while_if_append),
                                     cmocka_unit_test(test_branch_ownership), cmocka_unit_test(test_raise_unwinds)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
