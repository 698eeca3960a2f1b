/* Functions of the language that are written in the language: the overloads PyTorch keeps outside its
 * operator table, and what operators of older format versions mean. */
#include "interp/compile.h"

#define COMPARE(name, mirrored)                           \
  "def " name "_number(a: number, b: Tensor) -> Tensor:\n" \
  "  return torch." mirrored "(b, a)\n"
#define NTUPLE(name, size)                                                   \
  "def " name "_int(x: BroadcastingList" size "[int]) -> List[int]:\n"        \
  "  return x\n"                                                              \
  "def " name "_float(x: BroadcastingList" size "[float]) -> List[float]:\n"  \
  "  return x\n"

static const char source[] =
    COMPARE("mul", "mul") COMPARE("add", "add") COMPARE("eq", "eq") COMPARE("ne", "ne")
    COMPARE("lt", "gt") COMPARE("le", "ge") COMPARE("gt", "lt") COMPARE("ge", "le")
    "def sub_number(a: number, b: Tensor) -> Tensor:\n"
    "  return torch.add(torch.neg(b), a)\n"
    "def div_number(a: number, b: Tensor) -> Tensor:\n"
    "  return torch.mul(torch.reciprocal(b), a)\n"
    "def floordiv_tensor(self: Tensor, other: Tensor) -> Tensor:\n"
    "  return torch.floor_divide(self, other)\n"
    "def floordiv_scalar(self: Tensor, other: number) -> Tensor:\n"
    "  return torch.floor_divide(self, other)\n"
    NTUPLE("_single", "1") NTUPLE("_pair", "2") NTUPLE("_triple", "3") NTUPLE("_quadruple", "4")
    "def ndim(a: Tensor) -> int:\n"
    "  return torch.dim(a)\n"
    "def shape(a: Tensor) -> List[int]:\n"
    "  return torch.size(a)\n"
    "def T(a: Tensor) -> Tensor:\n"
    "  return torch.numpy_T(a)\n"
    "def H(a: Tensor) -> Tensor:\n"
    "  return torch.matrix_H(a)\n"
    "def mT(a: Tensor) -> Tensor:\n"
    "  return torch.mT(a)\n"
    "def mH(a: Tensor) -> Tensor:\n"
    "  return torch.mH(a)\n"
    "def abs(x: Tensor) -> Tensor:\n"
    "  return torch.abs(x)\n"
    "def _assert_int_or_pair(vals: List[int], name: str, message: str) -> None:\n"
    "  pass\n"
    "def list_with_default(out_size: List[int], defaults: List[int]) -> List[int]:\n"
    "  if not torch.gt(torch.len(defaults), torch.len(out_size)):\n"
    "    ops.prim.RaiseException(\"AssertionError: \")\n"
    "  return out_size\n"
    "def _assert_bool(condition: bool, message: str) -> None:\n"
    "  if not condition:\n"
    "    ops.prim.RaiseException(torch.add(\"AssertionError: \", message))\n"
    "def _assert_tensor(condition: Tensor, message: str) -> None:\n"
    "  if not bool(condition):\n"
    "    ops.prim.RaiseException(torch.add(\"AssertionError: \", message))\n"
    "def type_dtype(self: Tensor, dtype: int, non_blocking: bool=False, copy: bool=False) -> Tensor:\n"
    "  return torch.to(self, dtype, non_blocking, copy)\n"

    /* formats 1 to 3: integers divide to an integer, truncating toward zero */
    "def div_Tensor_3(self: Tensor, other: Tensor) -> Tensor:\n"
    "  if torch.__or__(torch.is_floating_point(self), torch.is_floating_point(other)):\n"
    "    r = torch.div(self, other, rounding_mode=None)\n"
    "  else:\n"
    "    r = torch.div(self, other, rounding_mode=\"trunc\")\n"
    "  return r\n"
    "def div_Scalar_3(self: Tensor, other: number) -> Tensor:\n"
    "  if torch.__or__(torch.is_floating_point(self), isinstance(other, float)):\n"
    "    r = torch.div(self, other, rounding_mode=None)\n"
    "  else:\n"
    "    r = torch.div(self, other, rounding_mode=\"trunc\")\n"
    "  return r\n"
    "def div__Tensor_3(self: Tensor, other: Tensor) -> Tensor:\n"
    "  if torch.__or__(torch.is_floating_point(self), torch.is_floating_point(other)):\n"
    "    r = torch.div_(self, other, rounding_mode=None)\n"
    "  else:\n"
    "    r = torch.div_(self, other, rounding_mode=\"trunc\")\n"
    "  return r\n"
    "def div__Scalar_3(self: Tensor, other: number) -> Tensor:\n"
    "  if torch.__or__(torch.is_floating_point(self), isinstance(other, float)):\n"
    "    r = torch.div_(self, other, rounding_mode=None)\n"
    "  else:\n"
    "    r = torch.div_(self, other, rounding_mode=\"trunc\")\n"
    "  return r\n"
    "def div_out_3(self: Tensor, other: Tensor, *, out: Tensor) -> Tensor:\n"
    "  f = torch.__or__(torch.is_floating_point(self), torch.is_floating_point(other))\n"
    "  if torch.__or__(f, torch.is_floating_point(out)):\n"
    "    r = torch.div(self, other, rounding_mode=None, out=out)\n"
    "  else:\n"
    "    r = torch.div(self, other, rounding_mode=\"trunc\", out=out)\n"
    "  return r\n"

    /* formats 1 to 4: the fill value is a float whatever was written */
    "def full_4(size: List[int], fill_value: number, *, dtype: Optional[int]=None, layout: Optional[int]=None,\n"
    "    device: Optional[Device]=None, pin_memory: Optional[bool]=None) -> Tensor:\n"
    "  if torch.__is__(dtype, None):\n"
    "    v = annotate(number, torch.Float(fill_value))\n"
    "  else:\n"
    "    v = fill_value\n"
    "  return torch.full(size, v, dtype=dtype, layout=layout, device=device, pin_memory=pin_memory)\n"

    /* formats 1 to 7, 1 to 8: steps may be missing */
    "def linspace_7(start: number, end: number, steps: Optional[int]=None, *, dtype: Optional[int]=None,\n"
    "    layout: Optional[int]=None, device: Optional[Device]=None, pin_memory: Optional[bool]=None) -> Tensor:\n"
    "  if torch.__is__(steps, None):\n"
    "    n = 100\n"
    "  else:\n"
    "    n = unchecked_cast(int, steps)\n"
    "  return torch.linspace(start, end, n, dtype=dtype, layout=layout, device=device, pin_memory=pin_memory)\n"
    "def linspace_out_7(start: number, end: number, steps: Optional[int]=None, *, out: Tensor) -> Tensor:\n"
    "  if torch.__is__(steps, None):\n"
    "    n = 100\n"
    "  else:\n"
    "    n = unchecked_cast(int, steps)\n"
    "  return torch.linspace(start, end, n, out=out)\n"
    "def logspace_8(start: number, end: number, steps: Optional[int]=None, base: float=10., *,\n"
    "    dtype: Optional[int]=None, layout: Optional[int]=None, device: Optional[Device]=None,\n"
    "    pin_memory: Optional[bool]=None) -> Tensor:\n"
    "  if torch.__is__(steps, None):\n"
    "    n = 100\n"
    "  else:\n"
    "    n = unchecked_cast(int, steps)\n"
    "  return torch.logspace(start, end, n, base, dtype=dtype, layout=layout, device=device, pin_memory=pin_memory)\n"
    "def logspace_out_8(start: number, end: number, steps: Optional[int]=None, base: float=10., *, out: Tensor) -> Tensor:\n"
    "  if torch.__is__(steps, None):\n"
    "    n = 100\n"
    "  else:\n"
    "    n = unchecked_cast(int, steps)\n"
    "  return torch.logspace(start, end, n, base, out=out)\n";

static const tsr_builtin_row rows[] = {
    {"aten::mul", "mul_number", TSR_ANY_VERSION, false},
    {"aten::add", "add_number", TSR_ANY_VERSION, false},
    {"aten::sub", "sub_number", TSR_ANY_VERSION, false},
    {"aten::div", "div_number", TSR_ANY_VERSION, false},
    {"aten::eq", "eq_number", TSR_ANY_VERSION, false},
    {"aten::ne", "ne_number", TSR_ANY_VERSION, false},
    {"aten::lt", "lt_number", TSR_ANY_VERSION, false},
    {"aten::le", "le_number", TSR_ANY_VERSION, false},
    {"aten::gt", "gt_number", TSR_ANY_VERSION, false},
    {"aten::ge", "ge_number", TSR_ANY_VERSION, false},
    {"aten::floordiv", "floordiv_tensor", TSR_ANY_VERSION, false},
    {"aten::floordiv", "floordiv_scalar", TSR_ANY_VERSION, false},
    {"aten::_single", "_single_int", TSR_ANY_VERSION, false},
    {"aten::_single", "_single_float", TSR_ANY_VERSION, false},
    {"aten::_pair", "_pair_int", TSR_ANY_VERSION, false},
    {"aten::_pair", "_pair_float", TSR_ANY_VERSION, false},
    {"aten::_triple", "_triple_int", TSR_ANY_VERSION, false},
    {"aten::_triple", "_triple_float", TSR_ANY_VERSION, false},
    {"aten::_quadruple", "_quadruple_int", TSR_ANY_VERSION, false},
    {"aten::_quadruple", "_quadruple_float", TSR_ANY_VERSION, false},
    {"prim::ndim", "ndim", TSR_ANY_VERSION, false},
    {"prim::shape", "shape", TSR_ANY_VERSION, false},
    {"prim::T", "T", TSR_ANY_VERSION, false},
    {"prim::H", "H", TSR_ANY_VERSION, false},
    {"prim::mT", "mT", TSR_ANY_VERSION, false},
    {"prim::mH", "mH", TSR_ANY_VERSION, false},
    {"prim::abs", "abs", TSR_ANY_VERSION, false},
    {"aten::_assert_int_or_pair", "_assert_int_or_pair", TSR_ANY_VERSION, false},
    {"aten::list_with_default", "list_with_default", TSR_ANY_VERSION, false},
    {"aten::_assert", "_assert_bool", TSR_ANY_VERSION, false},
    {"aten::_assert", "_assert_tensor", TSR_ANY_VERSION, false},
    {"aten::type", "type_dtype", TSR_ANY_VERSION, false},
    {"aten::div.Tensor", "div_Tensor_3", 3, true},
    {"aten::div.Scalar", "div_Scalar_3", 3, true},
    {"aten::div_.Tensor", "div__Tensor_3", 3, true},
    {"aten::div_.Scalar", "div__Scalar_3", 3, true},
    {"aten::div.out", "div_out_3", 3, true},
    {"aten::full", "full_4", 4, true},
    {"aten::linspace", "linspace_7", 7, false},
    {"aten::linspace.out", "linspace_out_7", 7, false},
    {"aten::logspace", "logspace_8", 8, false},
    {"aten::logspace.out", "logspace_out_8", 8, false},
    {NULL, NULL, 0, false}};

static const tsr_builtin_set builtins = {"__builtin__", source, rows};

/* the older first: an overload has one meaning */
const tsr_builtin_set *const tsr_builtin_sets[] = {&tsr_builtins_1, &builtins, &tsr_builtins_gone, NULL};
