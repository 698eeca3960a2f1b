/* From source text to typed IR: what stands in the printed form, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "interp/program.h"

/* IR of __torch__.f, or "error: …"; with missing operators listed after it.  own */
static char *lower(const char *source, int version) {
  tsr_errrec e = {0};
  tsr_program *p = NULL;
  tsr_mem *mem = tsr_mem_new(0);
  tsr_ir_fn *fn = NULL;
  tsr_buf b = {0};
  tsr_status s = tsr_program_from_source(source, strlen(source), version, mem, &e, &p);
  if (s == TSR_OK) s = tsr_program_find_function(p, &e, "__torch__.f", &fn);
  if (s == TSR_OK && fn == NULL) s = tsr_fail(&e, TSR_EUSAGE, "no function f");
  if (s == TSR_OK) s = tsr_program_lower(p, &e, fn);
  if (s == TSR_OK) s = tsr_ir_verify(fn, &e);
  if (s == TSR_OK) {
    tsr_ir_print(fn, &b);
    if (p->missing_count > 0) {
      tsr_buf_puts(&b, "missing:\n");
      tsr_program_print_missing(p, &b);
    }
  } else {
    tsr_buf_printf(&b, "error: %s", e.message);
  }
  tsr_errrec_dispose(&e);
  tsr_program_free(p);
  tsr_mem_close(mem);
  return tsr_buf_take(&b);
}

typedef struct lower_case { const char *source; const char *parts[6]; int version; } lower_case;

static void check_all(const lower_case *cases, size_t n) {
  for (size_t i = 0; i < n; i++) {
    char *text = lower(cases[i].source, cases[i].version == 0 ? 10 : cases[i].version);
    assert_non_null(text);
    for (int k = 0; k < 6 && cases[i].parts[k] != NULL; k++)
      if (strstr(text, cases[i].parts[k]) == NULL) fail_msg("source:\n%s\nexpected: %s\nin:\n%s", cases[i].source, cases[i].parts[k], text);
    free(text);
  }
}

static void test_expressions(void **state) {
  static const lower_case cases[] = {
      {"def f(x: Tensor) -> Tensor:\n  return torch.add(x, 1)\n", {"aten::add.Scalar(%0, %", "-> Tensor:"}},
      {"def f(x: Tensor) -> Tensor:\n  return torch.add(x, x, alpha=2)\n", {"aten::add.Tensor"}},
      {"def f(x: Tensor) -> float:\n  return annotate(float, x)\n", {"aten::FloatImplicit"}},
      {"def f(x: Tensor) -> List[int]:\n  return annotate(List[int], x.tolist())\n", {"List[int] = prim::tolist"}},
      {"def f() -> List[str]:\n  return annotate(List[str], [])\n", {"List[str] = prim::ListConstruct()"}},
      {"def f() -> float:\n  return 10000000000\n", {"float = prim::Constant[10000000000]"}},
      {"def f() -> List[float]:\n  return [10000000000, 1.5]\n", {"List[float] = prim::ListConstruct"}},
      {"def f():\n  a = 1.+2.j\n  b = -9223372036854775808\n  c = [inf, nan, -inf]\n", {"complex = prim::Constant[1.+2.j]", "prim::Constant[-9223372036854775808]", "prim::Constant[-inf]"}},
      {"def f(x: Tensor):\n  a, b = torch.max(x, 1)\n  c, d, = torch.size(x)\n", {"aten::max.dim", "c : int, %", "prim::ListUnpack"}},
      {"def f(t: Tuple[int, str]):\n  a, b, = t\n  c = (t)[1]\n  d = (t)[0:1]\n", {"prim::TupleUnpack", "c : str = prim::TupleIndex[1]", "d : Tuple[int]"}},
      {"def f(a: int, b: int):\n  a, b = b, a\n  c = torch.sub(a, b)\n", {"aten::sub.int(%1, %0)"}},
      {"def f(x: Optional[Tensor]) -> Tensor:\n  return unchecked_cast(Tensor, x)\n", {"prim::unchecked_cast[checked]"}},
      {"def f(x: Tensor) -> Optional[Tensor]:\n  y : Optional[Tensor] = x\n  return y\n", {"Optional[Tensor] = prim::unchecked_cast(%0)"}},
      {"def f(x: Union[int, str]) -> bool:\n  return isinstance(x, int)\n", {"prim::isinstance[int]"}},
      {"def f(x: int) -> bool:\n  return isinstance(x, (int, str))\n", {"prim::Constant[True]"}},
      {"def f(x: Tensor):\n  a = ops.prim.dtype(x)\n  b = ops.aten.relu(x)\n  print(x, 1)\n", {"prim::dtype", "aten::relu(%0)", "prim::Print(%0, %"}},
      {"def f(x: Tensor) -> Tensor:\n  return torch.zeros([2, 3], dtype=6, layout=0, device=torch.device(\"cpu\"), pin_memory=False)\n", {"aten::zeros"}},
      {"def f(x: Tensor, y: Tensor) -> Tensor:\n  return x[0, 1:, None] + y @ x\n", {"aten::select.int", "aten::slice.Tensor", "aten::unsqueeze", "aten::matmul", "aten::add.Tensor"}},
      {"def f(xs: List[int]) -> List[int]:\n  return [x * 2 for x in xs]\n", {"prim::Loop", "aten::append.t"}},
      {"def f(a: bool, b: bool) -> bool:\n  return a and not b\n", {"bool = prim::If(%0)", "aten::__not__"}}};
  TSR_UNUSED(state);
  check_all(cases, TSR_COUNT(cases));
}

static void test_control_flow(void **state) {
  static const lower_case cases[] = {
      {"def f(x: Tensor, b: bool) -> Optional[Tensor]:\n  if b:\n    y = x\n  else:\n    y = None\n  return y\n", {"y : Optional[Tensor] = prim::If(%1)"}},
      {"def f(n: int) -> int:\n  i, s = 0, 0\n  c = torch.lt(0, n)\n  while c:\n    s = torch.add(s, i)\n    i = torch.add(i, 1)\n    c = torch.lt(i, n)\n  return s\n",
       {"s : int, ", "prim::Loop(%", "-> (%"}},
      {"def f(xs: List[int]) -> int:\n  s = 0\n  for i in range(torch.len(xs)):\n    s = torch.add(s, xs[i])\n  return s\n", {"prim::Loop", "aten::__getitem__.t"}},
      {"def f(xs: List[int]) -> int:\n  for i, x in enumerate(xs):\n    if x > 3:\n      return i\n    if x < 0:\n      break\n    if x == 1:\n      continue\n    print(x)\n  return -1\n",
       {"prim::Loop", "prim::Uninitialized", "prim::Print"}},
      {"def f(x: Optional[int]) -> int:\n  if x is None:\n    return 0\n  return x + 1\n", {"aten::__is__", "prim::unchecked_cast", "aten::add.int"}},
      {"def f(x: Optional[int]) -> int:\n  assert x is not None, \"no\"\n  return x + 1\n", {"prim::RaiseException", "aten::add.int"}},
      {"def f(b: bool) -> int:\n  if b:\n    r = 1\n  else:\n    ops.prim.RaiseException(\"no\", \"builtins.ValueError\")\n    r = uninitialized(int)\n  return r\n", {"prim::RaiseException(%", "prim::Uninitialized"}},
      {"def f(x: Tensor) -> Tensor:\n  def __forked_function():\n    return torch.neg(x)\n  w = fork(__forked_function)\n  return torch.wait(w)\n",
       {"prim::Closure[__torch__.f.__forked_function](%0)", "Future[Tensor] = prim::fork", "Tensor = prim::unchecked_cast"}},
      {"class C:\n  n : int\n  def __enter__(self: __torch__.C) -> int:\n    return self.n\n  def __exit__(self: __torch__.C, a: Any, b: Any, c: Any) -> NoneType:\n    pass\n"
       "def f(c: __torch__.C) -> int:\n  with c as k:\n    r = torch.add(k, 1)\n  return r\n", {"prim::CallFunction[__torch__.C.__enter__](%0)", "prim::With[__torch__.C.__exit__](%0)", "block0()"}},
      {"def f(x: int) -> int:\n  for i in range(x):\n    x = 1.5\n  return x\n", {"error: code/__torch__.py:2:3: Variable 'x' previously had type int but is now being assigned to a value of type float"}}};
  TSR_UNUSED(state);
  check_all(cases, TSR_COUNT(cases));
}

static const char classes[] =
    "class E(Enum):\n  A = 1\n  B = 2\n"
    "class P(NamedTuple):\n  x : int\n  y : Optional[str] = None\n"
    "class I(ModuleInterface):\n  def forward(self, x: Tensor) -> Tensor:\n    pass\n"
    "class L(Module):\n  __parameters__ = [\"w\", ]\n  w : Tensor\n  k : Final[int] = 3\n  __annotations__[\"0\"] = Tensor\n"
    "  def forward(self: __torch__.L, x: Tensor) -> Tensor:\n    w = self.w\n    return torch.add(x, w)\n"
    "  def pre(self: __torch__.L, t: Tuple[Tensor]) -> Tuple[Tensor]:\n    return t\n"
    "class M(Module):\n  a : __torch__.L\n  b : __torch__.I\n"
    "class S:\n  v : int\n  def __init__(self: __torch__.S, v: int) -> NoneType:\n    self.v = v\n  def __add__(self: __torch__.S, o: __torch__.S) -> int:\n    return torch.add(self.v, o.v)\n";

static void test_classes(void **state) {
  static const struct { const char *body; const char *parts[4]; } cases[] = {
      {"def f(e: __torch__.E) -> bool:\n  return torch.eq(e, __torch__.E.B)\n", {"prim::Constant[__torch__.E.B]", "aten::eq.enum"}},
      {"def f(e: __torch__.E) -> int:\n  return e.value\n", {"int = prim::EnumValue"}},
      {"def f() -> Optional[str]:\n  p = __torch__.P(1, \"a\")\n  q = __torch__.P(2)\n  return p.y\n", {"__torch__.P = prim::TupleConstruct"}},
      {"def f(p: __torch__.P) -> int:\n  return p.x\n", {"prim::TupleIndex[0]"}},
      {"def f(m: __torch__.M, x: Tensor) -> Tensor:\n  return (m.a).forward(x, )\n", {"prim::GetAttr[a@0]", "prim::CallFunction[__torch__.L.forward]"}},
      {"def f(m: __torch__.M, x: Tensor) -> Tensor:\n  return (m.b).forward(x, )\n", {"prim::CallMethod[forward]"}},
      {"def f(m: __torch__.L) -> int:\n  return m.k\n", {"prim::Constant[3]"}},
      {"def f(m: __torch__.L) -> Tensor:\n  return getattr(m, \"0\")\n", {"prim::GetAttr[0@1]"}},
      {"def f(m: __torch__.L, x: Tensor) -> Tensor:\n  a, = __torch__.L.pre(m, (x,), )\n  return a\n", {"prim::CallFunction[__torch__.L.pre]"}},
      {"def f() -> int:\n  s = __torch__.S.__new__(__torch__.S)\n  _0 = (s).__init__(3, )\n  s.v = 4\n  return s + s\n",
       {"prim::CreateObject", "prim::CallFunction[__torch__.S.__init__]", "prim::SetAttr[v@0]", "prim::CallFunction[__torch__.S.__add__]"}},
      {"def f(m: __torch__.L) -> int:\n  return m.nothing\n", {"error: code/__torch__.py:", "Module '__torch__.L' has no attribute 'nothing'"}},
      {"def f(s: __torch__.S):\n  s.v = \"text\"\n", {"Wrong type for attribute assignment. Expected int but got str"}},
      {"def f(m: __torch__.S):\n  (m).__init__(1.5, )\n", {"expected a value of type 'int' for argument 'v' but instead found type 'float'"}},
      {"def f(x: __torch__.Nope):\n  pass\n", {"Unknown type name '__torch__.Nope'"}},
      {"def f() -> __torch__.I:\n  return __torch__.S(1)\n", {"Return value was annotated as having type __torch__.I but is actually of type __torch__.S"}}};
  TSR_UNUSED(state);
  for (size_t i = 0; i < TSR_COUNT(cases); i++) {
    tsr_buf source = {0};
    tsr_buf_puts(&source, classes);
    tsr_buf_puts(&source, cases[i].body);
    lower_case one = {.source = source.data};
    for (int k = 0; k < 4; k++) one.parts[k] = cases[i].parts[k];
    check_all(&one, 1);
    tsr_buf_dispose(&source);
  }
}

static void test_versions(void **state) {
  static const lower_case cases[] = {
      {"def f(a: Tensor, b: Tensor) -> Tensor:\n  return torch.div(a, b)\n", {"prim::CallFunction[__builtin__.div_Tensor_3]"}, 3},
      {"def f(a: Tensor, b: Tensor) -> Tensor:\n  return torch.div(a, b)\n", {"aten::div.Tensor(%0, %1)"}, 4},
      {"def f(a: int, b: int) -> float:\n  return torch.div(a, b)\n", {"aten::div.int"}, 3},
      {"def f() -> Tensor:\n  return torch.full([2], 1)\n", {"prim::CallFunction[__builtin__.full_4]"}, 4},
      {"def f() -> Tensor:\n  return torch.full([2], 1)\n", {"aten::full("}, 5},
      {"def f() -> Tensor:\n  return torch.linspace(0, 1)\n", {"prim::CallFunction[__builtin__.linspace_7]"}, 7},
      {"def f(x: Tensor) -> Tensor:\n  return torch.gelu(x)\n", {"aten::gelu"}, 9},
      {"def f(x: Tensor) -> Tensor:\n  return torch.mul(2, x)\n", {"prim::CallFunction[__builtin__.mul_number]"}, 10}};
  TSR_UNUSED(state);
  check_all(cases, TSR_COUNT(cases));
}

static void test_missing(void **state) {
  static const lower_case cases[] = {
      {"def f(x: Tensor) -> Tensor:\n  a = ops.nowhere.nothing(x, 1)\n  b, c = a\n  d = torch.add(b, c.attr[0])\n  if d:\n    a = x\n  for i in a:\n    print(i)\n  return ops.nowhere.nothing(x, 2)\n",
       {"missing nowhere::nothing(Tensor, int)", "missing:\nnowhere::nothing(Tensor, int)  2 uses  code/__torch__.py:2\n"}},
      {"def f(x: Tensor) -> Tensor:\n  return torch.relu(x, x, x)\n", {"missing:\naten::relu(Tensor, Tensor, Tensor)  1 use"}}};
  TSR_UNUSED(state);
  check_all(cases, TSR_COUNT(cases));
}

static void test_refusals(void **state) {
  static const lower_case cases[] = {
      {"def f(x: int) -> int:\n  return __torch__.g(x)\ndef g(x: int) -> int:\n  return __torch__.f(x)\n", {"function '__torch__.f' is called recursively. Recursive calls are not supported"}},
      {"def f(x: int):\n  return __torch__.f(x)\n", {"Recursive calls are not supported"}},
      {"def f(x: int) -> str:\n  return x\n", {"Return value was annotated as having type str but is actually of type int"}},
      {"def f() -> int:\n  return y\n", {"error: code/__torch__.py:2:10: undefined value y"}},
      {"def f(b: bool) -> int:\n  if b:\n    y = 1\n  else:\n    pass\n  return y\n", {"undefined value y"}},
      {"def f(t: Tuple[int, int]):\n  a, b, c, = t\n", {"need 3 values to unpack but found a tuple of size 2"}},
      {"def f(t: Tuple[int, int]):\n  a = (t)[2]\n", {"Tuple index out of range"}},
      {"def f(x: int):\n  y : str = x\n", {"Variable 'y' is annotated with type str but is being assigned to a value of type int"}},
      {"def f(x: Optional[Tensor]):\n  y = torch.neg(x.attr)\n", {"'Optional[Tensor]' object has no attribute"}},
      {"def f(b: bool) -> int:\n  if b:\n    return 1\n", {"does not return along all paths"}},
      {"def f():\n  break\n", {"break outside a loop"}},
      {"def f(x: List[int, str]):\n  pass\n", {"List takes 1 type arguments, not 2"}}};
  TSR_UNUSED(state);
  check_all(cases, TSR_COUNT(cases));
}

/* ---- the verifier finds what it promises to */

typedef struct broken { tsr_arena *arena; tsr_ir_fn *fn; tsr_ir_node *one, *two; } broken;

static broken make_ir(void) {
  broken b;
  b.arena = tsr_arena_new();
  b.fn = tsr_ir_fn_new(b.arena, "test");
  b.one = tsr_ir_node_new(b.fn, TSR_IR_CONST, 0, 1, 0, NULL);
  b.one->val = tsr_bool(true);
  tsr_ir_value *v = tsr_ir_add_output(b.fn, b.one, &tsr_type_bool, NULL);
  tsr_ir_append(b.fn->body, b.one);
  b.two = tsr_ir_node_new(b.fn, TSR_IR_IF, 1, 1, 2, NULL);
  tsr_ir_set_input(b.two, 0, v);
  tsr_ir_add_output(b.fn, b.two, &tsr_type_bool, NULL);
  tsr_ir_block_add_ret(b.fn, b.two->blocks[0], v);
  tsr_ir_block_add_ret(b.fn, b.two->blocks[1], v);
  tsr_ir_append(b.fn->body, b.two);
  tsr_ir_block_add_ret(b.fn, b.fn->body, b.two->out[0]);
  return b;
}

static void expect_broken(broken *b, const char *part) {
  tsr_errrec e = {0};
  assert_int_equal(tsr_ir_verify(b->fn, &e), TSR_EINTERNAL);
  if (strstr(e.message, part) == NULL) fail_msg("expected %s, got %s", part, e.message);
  tsr_errrec_dispose(&e);
  tsr_arena_free(b->arena);
}

static void test_verifier(void **state) {
  TSR_UNUSED(state);
  tsr_errrec e = {0};
  broken b = make_ir();
  assert_int_equal(tsr_ir_verify(b.fn, &e), TSR_OK);
  tsr_arena_free(b.arena);
  b = make_ir();
  tsr_ir_unlink(b.one);
  tsr_ir_append(b.fn->body, b.one); /* now after its use */
  expect_broken(&b, "dominate");
  b = make_ir();
  b.one->out[0]->uses++;
  expect_broken(&b, "count of uses");
  b = make_ir();
  b.two->blocks[1]->nrets = 0;
  expect_broken(&b, "another number of values");
  b = make_ir();
  b.two->out[0]->type = NULL;
  expect_broken(&b, "without a type");
  b = make_ir();
  b.one->out[0]->type = &tsr_type_int;
  expect_broken(&b, "condition is not a bool");
}

static void test_editing(void **state) {
  TSR_UNUSED(state);
  broken b = make_ir();
  tsr_errrec e = {0};
  tsr_ir_node *n = tsr_ir_node_new(b.fn, TSR_IR_CONST, 0, 1, 0, NULL);
  tsr_ir_value *v = tsr_ir_add_output(b.fn, n, &tsr_type_bool, NULL);
  tsr_ir_insert_before(n, b.one);
  tsr_ir_replace_uses(b.fn->body, b.one->out[0], v);
  assert_int_equal(b.one->out[0]->uses, 0);
  assert_int_equal(v->uses, 3);
  tsr_ir_remove(b.one);
  assert_ptr_equal(b.fn->body->first, n);
  assert_int_equal(tsr_ir_verify(b.fn, &e), TSR_OK);
  tsr_ir_set_ret(b.fn->body, 0, v);
  tsr_ir_remove(b.two);
  assert_int_equal(v->uses, 1);
  assert_int_equal(tsr_ir_verify(b.fn, &e), TSR_OK);
  tsr_arena_free(b.arena);
}

/* One program after a failure: other functions still lower, the failing one fails again the same way. */
static void test_after_failure(void **state) {
  TSR_UNUSED(state);
  const char *text = "def bad(x: int) -> str:\n  return __torch__.worse(x)\ndef worse(x: int) -> str:\n  return x\ndef good(x: int) -> int:\n  return x\n";
  tsr_errrec e = {0};
  tsr_program *p;
  tsr_mem *mem = tsr_mem_new(0);
  tsr_ir_fn *fn;
  assert_int_equal(tsr_program_from_source(text, strlen(text), 10, mem, &e, &p), TSR_OK);
  for (int i = 0; i < 2; i++) {
    tsr_errrec again = {0};
    assert_int_equal(tsr_program_find_function(p, &again, "__torch__.bad", &fn), TSR_OK);
    assert_int_equal(tsr_program_lower(p, &again, fn), TSR_EFORMAT);
    assert_non_null(strstr(again.message, "annotated as having type str"));
    tsr_errrec_dispose(&again);
  }
  assert_int_equal(tsr_program_find_function(p, &e, "__torch__.good", &fn), TSR_OK);
  assert_int_equal(tsr_program_lower(p, &e, fn), TSR_OK);
  tsr_program_free(p);
  tsr_mem_close(mem);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_expressions), cmocka_unit_test(test_control_flow), cmocka_unit_test(test_classes),
                                     cmocka_unit_test(test_versions),    cmocka_unit_test(test_missing),      cmocka_unit_test(test_refusals),
                                     cmocka_unit_test(test_verifier),    cmocka_unit_test(test_editing),      cmocka_unit_test(test_after_failure)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
