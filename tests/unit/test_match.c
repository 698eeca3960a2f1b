/* Overload resolution by types, against PyTorch's rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "interp/match.h"

typedef struct fixture { tsr_program *p; tsr_mem *mem; } fixture;

static int setup(void **state) {
  static fixture f;
  tsr_errrec e = {0};
  f.mem = tsr_mem_new(0);
  assert_int_equal(tsr_program_from_source("", 0, 10, f.mem, &e, &f.p), TSR_OK);
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  tsr_program_free(f->p);
  tsr_mem_close(f->mem);
  return 0;
}

typedef struct match_case {
  const char *schemas[6];
  const char *args;      /* types, comma between: "Tensor, alpha=int"; "[]" is the empty literal, "3" an int literal, "self:" the receiver */
  const char *chosen;    /* overload, or NULL: none */
} match_case;

static const char *trim(const char *p) {
  while (*p == ' ' || *p == ',') p++;
  return p;
}

static uint32_t parse_args(tsr_types *types, const char *text, tsr_arg *out) {
  uint32_t n = 0;
  for (const char *p = trim(text); *p != 0; p = trim(p)) {
    int depth = 0;
    const char *q = p;
    while (*q != 0 && (*q != ',' || depth > 0)) depth += (*q == '[') - (*q == ']'), q++;
    tsr_arg *a = &out[n++];
    memset(a, 0, sizeof *a);
    const char *eq = memchr(p, '=', (size_t)(q - p));
    if (eq != NULL) {
      a->keyword = p;
      a->keyword_len = (uint32_t)(eq - p);
      p = eq + 1;
    }
    if (strncmp(p, "self:", 5) == 0) a->is_self = true, p += 5;
    if (*p == '3') a->type = &tsr_type_int, a->int_literal = true;
    else if (p[0] == '[') a->type = tsr_type_list(types, &tsr_type_tensor), a->empty_list = true;
    else {
      tsr_errrec e = {0};
      assert_int_equal(tsr_type_parse(types, &e, p, (size_t)(q - p), &a->type), TSR_OK);
    }
    p = q;
  }
  return n;
}

typedef struct job { const match_case *m; tsr_matched out; bool found; const char *why; tsr_arg args[8]; } job;

static void run(tsr_compiler *c, void *arg) {
  job *j = arg;
  tsr_candidate cands[6];
  size_t n = 0;
  for (; n < 6 && j->m->schemas[n] != NULL; n++) {
    tsr_schema *s;
    tsr_compile_check(c, tsr_schema_parse(c->types, c->err, j->m->schemas[n], &s));
    cands[n] = (tsr_candidate){s, NULL};
  }
  uint32_t nargs = parse_args(c->types, j->m->args, j->args);
  j->found = tsr_match(c, cands, n, j->args, nargs, &j->out, &j->why);
}

static void check(fixture *f, const match_case *m) {
  job j = {.m = m};
  tsr_errrec e = {0};
  tsr_status s = tsr_compile_guard(f->p->impl, &e, run, &j);
  if (s != TSR_OK) fail_msg("%s(%s): %s", m->schemas[0], m->args, e.message);
  const char *got = !j.found ? "(none)" : j.out.cand->schema->overload;
  const char *want = m->chosen == NULL ? "(none)" : m->chosen;
  if (strcmp(got, want) != 0) fail_msg("%s with (%s): got %s, want %s", m->schemas[0], m->args, got, want);
}

#define ADD_T "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"
#define ADD_S "aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor"
#define ADD_I "aten::add.int(int a, int b) -> int"
#define ADD_F "aten::add.float(float a, float b) -> float"
#define ADD_L "aten::add.t(t[] a, t[] b) -> t[]"
#define ADD_STR "aten::add.str(str a, str b) -> str"

static void test_overloads(void **state) {
  static const match_case cases[] = {
      {{ADD_T, ADD_S, ADD_I, ADD_F}, "Tensor, Tensor", "Tensor"},
      {{ADD_T, ADD_S, ADD_I, ADD_F}, "Tensor, int", "Scalar"},
      {{ADD_T, ADD_S, ADD_I, ADD_F}, "Tensor, float, int", "Scalar"},
      {{ADD_T, ADD_S, ADD_I, ADD_F}, "Tensor, Tensor, alpha=int", "Tensor"},
      {{ADD_T, ADD_S, ADD_I, ADD_F}, "int, int", "int"},
      {{ADD_T, ADD_S, ADD_I, ADD_F}, "float, float", "float"},
      {{ADD_T, ADD_S, ADD_I, ADD_F}, "int, float", NULL}, /* numbers do not convert into each other */
      {{ADD_T, ADD_S, ADD_L, ADD_STR}, "List[int], List[int]", "t"},
      {{ADD_T, ADD_S, ADD_L, ADD_STR}, "List[int], List[str]", NULL},
      {{ADD_T, ADD_S, ADD_L, ADD_STR}, "str, str", "str"},
      {{ADD_I, ADD_F}, "Tensor, int", "int"},             /* with conversions a tensor may become a number */
      {{ADD_I, ADD_F}, "bool, int", "int"},
      {{"aten::view(Tensor self, int[] size) -> Tensor", "aten::view.dtype(Tensor self, ScalarType dtype) -> Tensor"}, "Tensor, int", ""}};
  for (size_t i = 0; i < TSR_COUNT(cases); i++) check(*state, &cases[i]);
}

static void test_parameters(void **state) {
  static const match_case cases[] = {
      {{"aten::a.x(Tensor self, int[2] k, int[2] s=1) -> Tensor"}, "Tensor, int", "x"},              /* repeated */
      {{"aten::a.x(Tensor self, int[2] k) -> Tensor"}, "Tensor, Tuple[int, int]", "x"},
      {{"aten::a.x(Tensor self, int[2] k) -> Tensor"}, "Tensor, float", NULL},
      {{"aten::a.x(int[] size, *, int? dtype=None) -> Tensor"}, "int, int, dtype=int", "x"},          /* zeros(2, 3) */
      {{"aten::a.x(int[] size, *, int? dtype=None) -> Tensor"}, "int, int, int, int", "x"},
      {{"aten::a.x(int[] size, *, int? dtype=None) -> Tensor"}, "int, str", NULL},
      {{"aten::a.x(Tensor self, int? dim) -> Tensor"}, "Tensor, NoneType", "x"},
      {{"aten::a.x(Tensor self, int dim) -> Tensor"}, "Tensor, NoneType", NULL},
      {{"aten::a.x(Tensor self, int dim) -> Tensor"}, "Tensor, Optional[int]", NULL},
      {{"aten::a.x(Tensor self, int dim) -> Tensor"}, "Tensor", NULL},
      {{"aten::a.x(Tensor self, int dim) -> Tensor"}, "Tensor, int, int", NULL},
      {{"aten::a.x(Tensor self, int dim) -> Tensor"}, "dim=int, input=Tensor", "x"},
      {{"aten::a.x(Tensor self, int dim) -> Tensor"}, "Tensor, int, dim=int", NULL},
      {{"aten::a.x(Tensor self, int dim) -> Tensor"}, "Tensor, axis=int", NULL},
      {{"aten::a.x(Tensor self, *, int dim) -> Tensor"}, "Tensor, int", NULL},
      {{"aten::a.x(int[] sizes) -> Tensor"}, "[]", "x"},
      {{"aten::a.x(str[] words) -> Tensor"}, "[]", "x"},
      {{"aten::a.x(Device d) -> Tensor"}, "str", "x"},
      {{"aten::a.x(Tensor self, float eps) -> Tensor"}, "Tensor, 3", "x"},                            /* printed without its point */
      {{"aten::a.x(Tensor self, float eps) -> Tensor"}, "Tensor, int", NULL},
      {{"aten::a.x(str self, ...) -> str"}, "self:str, int, Tensor", "x"},
      {{"aten::a.x(Tensor other, Tensor self) -> Tensor"}, "self:Tensor, Tensor", "x"},
      {{"aten::a.x(Tensor x) -> Tensor"}, "self:Tensor", NULL},                                       /* no parameter is called self */
      {{"aten::a.x(Dict(str, t) self, str key) -> t"}, "Dict[str, List[int]], str", "x"},
      {{"aten::a.x(t? a, t b) -> t"}, "Optional[int], int", "x"},
      {{"aten::a.x(t a, t b) -> t"}, "int, str", NULL}};
  for (size_t i = 0; i < TSR_COUNT(cases); i++) check(*state, &cases[i]);
}

static void test_results(void **state) {
  fixture *f = *state;
  static const match_case m = {{"aten::pop.t(t[](a!) self, int idx=-1) -> t(*)"}, "List[Optional[str]]", "t"};
  job j = {.m = &m};
  tsr_errrec e = {0};
  assert_int_equal(tsr_compile_guard(f->p->impl, &e, run, &j), TSR_OK);
  assert_true(j.found);
  tsr_buf b = {0};
  tsr_type_print(j.out.rets[0], &b);
  assert_string_equal(b.data, "Optional[str]");
  tsr_buf_dispose(&b);
  assert_int_equal(j.out.binds[1].how, TSR_BIND_DEFAULT);
}

static void test_reason(void **state) {
  fixture *f = *state;
  static const match_case named = {{"f(Tensor x, int n) -> Tensor"}, "Tensor, List[int]", NULL};
  job j = {.m = &named};
  tsr_errrec e = {0};
  assert_int_equal(tsr_compile_guard(f->p->impl, &e, run, &j), TSR_OK);
  assert_false(j.found);
  assert_string_equal(j.why, "expected a value of type 'int' for argument 'n' but instead found type 'List[int]'");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_overloads, setup, teardown), cmocka_unit_test_setup_teardown(test_parameters, setup, teardown),
      cmocka_unit_test_setup_teardown(test_results, setup, teardown), cmocka_unit_test_setup_teardown(test_reason, setup, teardown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
