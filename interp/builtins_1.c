/* What operators meant in PyTorch 1.0 to 1.2, whose archives (model.json) no later PyTorch reads: numbers
 * did not change the type of a tensor, factories gave floats, comparisons of 1.0 and 1.1 gave uint8. */
#include "interp/compile.h"

enum { V1_1 = -1, V1_2 = 0 };

/* A number takes the type of an integral tensor. */
#define CAST                                 \
  "  if torch.is_floating_point(self):\n"    \
  "    o = other\n"                          \
  "  else:\n"                                \
  "    o = annotate(number, int(other))\n"
#define ARITHMETIC(name)                                                           \
  "def " name "_1(self: Tensor, other: number, alpha: number=1) -> Tensor:\n" CAST \
  "  return torch." name "(self, o, alpha)\n"
#define PRODUCT(name)                                          \
  "def " name "_1(self: Tensor, other: number) -> Tensor:\n" CAST \
  "  return torch." name "(self, o)\n"
#define QUOTIENT(name)                                         \
  "def " name "_1(self: Tensor, other: number) -> Tensor:\n"    \
  "  if torch.is_floating_point(self):\n"                      \
  "    r = torch." name "(self, other)\n"                      \
  "  else:\n"                                                  \
  "    r = torch." name "(self, int(other), rounding_mode=\"trunc\")\n" \
  "  return r\n"
#define COMPARISON(name)                                              \
  "def " name "_1(self: Tensor, other: number) -> Tensor:\n" CAST      \
  "  return torch." name "(self, o)\n"                                \
  "def " name "_byte_1(self: Tensor, other: number) -> Tensor:\n" CAST \
  "  return torch.to(torch." name "(self, o), 0)\n"                   \
  "def " name "_byte_tensor_1(self: Tensor, other: Tensor) -> Tensor:\n" \
  "  return torch.to(torch." name "(self, other), 0)\n"
#define MASKED(name, kind, type) \
  "def " name "_" kind "_1(self: Tensor, mask: Tensor, value: " type ") -> Tensor:\n" \
  "  return torch." name "(self, torch.to(mask, 11), value)\n"
#define OPTIONS "dtype: Optional[int]=None, layout: Optional[int]=None, device: Optional[Device]=None, pin_memory: Optional[bool]=None"
#define PASS "layout=layout, device=device, pin_memory=pin_memory"
#define FACTORY(function, name, params, args)                            \
  "def " function "(" params ", *, " OPTIONS ") -> Tensor:\n"            \
  "  if torch.__is__(dtype, None):\n"                                    \
  "    d = 6\n"                                                          \
  "  else:\n"                                                            \
  "    d = unchecked_cast(int, dtype)\n"                                 \
  "  return torch." name "(" args ", dtype=d, " PASS ")\n"

static const char source[] =
    ARITHMETIC("add") ARITHMETIC("sub") ARITHMETIC("add_") ARITHMETIC("sub_") ARITHMETIC("rsub") PRODUCT("mul") PRODUCT("mul_")
    QUOTIENT("div") QUOTIENT("div_")
    COMPARISON("eq") COMPARISON("ne") COMPARISON("lt") COMPARISON("le") COMPARISON("gt") COMPARISON("ge")
    FACTORY("arange_1", "arange", "end: number", "end")
    FACTORY("arange_start_1", "arange", "start: number, end: number", "start, end")
    FACTORY("arange_step_1", "arange", "start: number, end: number, step: number=1", "start, end, step")
    FACTORY("randint_1", "randint", "high: int, size: List[int]", "high, size")
    FACTORY("randint_low_1", "randint", "low: int, high: int, size: List[int]", "low, high, size")
    FACTORY("randperm_1", "randperm", "n: int", "n")
    MASKED("masked_fill", "scalar", "number") MASKED("masked_fill", "tensor", "Tensor") MASKED("masked_fill_", "scalar", "number")
    MASKED("masked_fill_", "tensor", "Tensor") MASKED("masked_scatter", "tensor", "Tensor") MASKED("masked_scatter_", "tensor", "Tensor")
    "def masked_select_1(self: Tensor, mask: Tensor) -> Tensor:\n"
    "  return torch.masked_select(self, torch.to(mask, 11))\n"
    "def isnan_1(self: Tensor) -> Tensor:\n"
    "  return torch.to(torch.isnan(self), 0)\n"
    "def pow_tensor_1(self: Tensor, exponent: number) -> Tensor:\n"
    "  if torch.is_floating_point(self):\n"
    "    r = torch.pow(self, exponent)\n"
    "  else:\n"
    "    r = torch.to(torch.pow(torch.to(self, 7), float(int(exponent))), ops.prim.dtype(self))\n"
    "  return r\n"
    "def tensor_float_1(t: float, *, dtype: Optional[int]=None, device: Optional[Device]=None, requires_grad: bool=False) -> Tensor:\n"
    "  if torch.__is__(dtype, None):\n"
    "    d = 7\n"
    "  else:\n"
    "    d = unchecked_cast(int, dtype)\n"
    "  return torch.tensor(t, dtype=d, device=device, requires_grad=requires_grad)\n"
    "def pow_1(a: int, b: int) -> int:\n"
    "  return int(torch.pow(float(a), float(b)))\n";

#define NUMBER(name) {"aten::" name ".Scalar", name "_1", V1_2, true}
#define COMPARE(name)                                             \
  {"aten::" name ".Scalar", name "_byte_1", V1_1, true},          \
  {"aten::" name ".Tensor", name "_byte_tensor_1", V1_1, true}, NUMBER(name)

static const tsr_builtin_row rows[] = {
    NUMBER("add"), NUMBER("sub"), NUMBER("add_"), NUMBER("sub_"), NUMBER("rsub"), NUMBER("mul"), NUMBER("mul_"), NUMBER("div"), NUMBER("div_"),
    COMPARE("eq"), COMPARE("ne"), COMPARE("lt"), COMPARE("le"), COMPARE("gt"), COMPARE("ge"),
    {"aten::arange", "arange_1", V1_2, true},
    {"aten::arange.start", "arange_start_1", V1_2, true},
    {"aten::arange.start_step", "arange_step_1", V1_2, true},
    {"aten::randint", "randint_1", V1_2, true},
    {"aten::randint.low", "randint_low_1", V1_2, true},
    {"aten::randperm", "randperm_1", V1_2, true},
    {"aten::masked_fill.Scalar", "masked_fill_scalar_1", V1_2, true},
    {"aten::masked_fill.Tensor", "masked_fill_tensor_1", V1_2, true},
    {"aten::masked_fill_.Scalar", "masked_fill__scalar_1", V1_2, true},
    {"aten::masked_fill_.Tensor", "masked_fill__tensor_1", V1_2, true},
    {"aten::masked_scatter", "masked_scatter_tensor_1", V1_2, true},
    {"aten::masked_scatter_", "masked_scatter__tensor_1", V1_2, true},
    {"aten::masked_select", "masked_select_1", V1_2, true},
    {"aten::isnan", "isnan_1", V1_1, true},
    {"aten::pow.Tensor_Scalar", "pow_tensor_1", V1_2, true},
    {"aten::tensor.float", "tensor_float_1", V1_2, true},
    {"aten::pow.int", "pow_1", V1_1, true},
    {NULL, NULL, 0, false}};

const tsr_builtin_set tsr_builtins_1 = {"__builtin_1__", source, rows};
