/* Operators that PyTorch has dropped, in terms of those that took their place: Fourier transforms with complex
 * numbers as pairs (until 1.7); symeig, solve, lstsq, eig, matrix_rank (until 1.12); and those that its optimiser leaves in
 * an archive: fused sums, layouts of another library. */
#include "interp/compile.h"

/* dims and norm of the last signal_ndim dimensions */
#define LAST                                                   \
  "  dims = annotate(List[int], [])\n"                         \
  "  for i in range(signal_ndim):\n"                           \
  "    torch.append(dims, torch.sub(i, signal_ndim))\n" \
  "  if normalized:\n"                                         \
  "    norm = \"ortho\"\n"                                     \
  "  else:\n"                                                  \
  "    norm = \"backward\"\n"
#define COMPLEX "torch.view_as_complex(torch.contiguous(self))"

static const char source[] =
    "def fft(self: Tensor, signal_ndim: int, normalized: bool=False) -> Tensor:\n" LAST
    "  return torch.view_as_real(torch.fft_fftn(" COMPLEX ", None, dims, norm))\n"
    "def ifft(self: Tensor, signal_ndim: int, normalized: bool=False) -> Tensor:\n" LAST
    "  return torch.view_as_real(torch.fft_ifftn(" COMPLEX ", None, dims, norm))\n"
    "def rfft(self: Tensor, signal_ndim: int, normalized: bool=False, onesided: bool=True) -> Tensor:\n" LAST
    "  if onesided:\n"
    "    z = torch.fft_rfftn(self, None, dims, norm)\n"
    "  else:\n"
    "    z = torch.fft_fftn(self, None, dims, norm)\n"
    "  return torch.view_as_real(z)\n"
    "def irfft(self: Tensor, signal_ndim: int, normalized: bool=False, onesided: bool=True, signal_sizes: List[int]=[]) -> Tensor:\n" LAST
    "  if torch.gt(torch.len(signal_sizes), 0):\n"
    "    sizes = annotate(Optional[List[int]], signal_sizes)\n"
    "  else:\n"
    "    sizes = annotate(Optional[List[int]], None)\n"
    "  if onesided:\n"
    "    r = torch.fft_irfftn(" COMPLEX ", sizes, dims, norm)\n"
    "  else:\n"
    "    r = torch.clone(torch.real(torch.fft_ifftn(" COMPLEX ", sizes, dims, norm)))\n"
    "  return r\n"
    "def symeig(self: Tensor, eigenvectors: bool=False, upper: bool=True) -> Tuple[Tensor, Tensor]:\n"
    "  if upper:\n"
    "    side = \"U\"\n"
    "  else:\n"
    "    side = \"L\"\n"
    "  values, vectors = torch.linalg_eigh(self, side)\n"
    "  if not eigenvectors:\n"
    "    vectors = torch.new_empty(self, [0])\n"
    "  return (values, vectors)\n"
    "def solve(self: Tensor, A: Tensor) -> Tuple[Tensor, Tensor]:\n"
    "  lu, pivots = torch.linalg_lu_factor(A)\n"
    "  return (torch.linalg_solve(A, self), lu)\n"
    /* rows after the solution hold what is left of the right side */
    "def lstsq(self: Tensor, A: Tensor) -> Tuple[Tensor, Tensor]:\n"
    "  m = torch.size(A, 0)\n"
    "  n = torch.size(A, 1)\n"
    "  qr, tau = torch.geqrf(A)\n"
    "  if torch.ge(m, n):\n"
    "    q, r = torch.linalg_qr(A, \"complete\")\n"
    "    y = torch.matmul(torch.t(q), self)\n"
    "    top = torch.linalg_solve_triangular(torch.slice(r, 0, 0, n), torch.slice(y, 0, 0, n), upper=True)\n"
    "    x = torch.cat([top, torch.slice(y, 0, n)])\n"
    "  else:\n"
    "    x, rest, rank, values = torch.linalg_lstsq(A, self)\n"
    "  return (x, qr)\n"
    /* the vectors of a conjugate pair: real parts in one column, imaginary parts in the next */
    "def eig(self: Tensor, eigenvectors: bool=False) -> Tuple[Tensor, Tensor]:\n"
    "  z, v = torch.linalg_eig(self)\n"
    "  values = torch.clone(torch.view_as_real(z))\n"
    "  if eigenvectors:\n"
    "    second = torch.lt(torch.select(values, 1, 1), 0)\n"
    "    vectors = torch.where(second, torch.neg(torch.imag(v)), torch.real(v))\n"
    "  else:\n"
    "    vectors = torch.new_empty(self, [0])\n"
    "  return (values, vectors)\n"
    "def matrix_rank(self: Tensor, symmetric: bool=False) -> Tensor:\n"
    "  return torch.linalg_matrix_rank(self, atol=None, rtol=None, hermitian=symmetric)\n"
    "def matrix_rank_tol(self: Tensor, tol: float, symmetric: bool=False) -> Tensor:\n"
    "  return torch.linalg_matrix_rank(self, tol, symmetric)\n"
    "def frobenius_norm(self: Tensor) -> Tensor:\n"
    "  return torch.norm(self)\n"
    "def _add_relu(self: Tensor, other: Tensor, *, alpha: number=1) -> Tensor:\n"
    "  return torch.relu(torch.add(self, other, alpha=alpha))\n"
    "def _add_relu_out(self: Tensor, other: Tensor, *, alpha: number=1, out: Tensor) -> Tensor:\n"
    "  return torch.relu_(torch.add(self, other, alpha=alpha, out=out))\n"
    "def _add_relu_scalar(self: Tensor, other: number, alpha: number=1) -> Tensor:\n"
    "  return torch.relu(torch.add(self, other, alpha))\n"
    "def _add_relu_(self: Tensor, other: Tensor, *, alpha: number=1) -> Tensor:\n"
    "  return torch.relu_(torch.add_(self, other, alpha=alpha))\n"
    "def _add_relu__scalar(self: Tensor, other: number, alpha: number=1) -> Tensor:\n"
    "  return torch.relu_(torch.add_(self, other, alpha))\n"
    "def to_mkldnn(self: Tensor, dtype: Optional[int]=None) -> Tensor:\n"
    "  return torch.clone(torch.to(self, dtype=dtype), memory_format=0)\n"
    "def MKLDNNHardSwish(a: Tensor) -> Tensor:\n"
    "  return torch.hardswish(a)\n"
    "def MKLDNNHardSwish_(a: Tensor) -> Tensor:\n"
    "  return torch.hardswish_(a)\n"
    "def MKLDNNHardSigmoid(a: Tensor) -> Tensor:\n"
    "  return torch.hardsigmoid(a)\n"
    "def MKLDNNHardSigmoid_(a: Tensor) -> Tensor:\n"
    "  return torch.hardsigmoid_(a)\n";

static const tsr_builtin_row rows[] = {
    {"aten::fft", "fft", TSR_ANY_VERSION, false},
    {"aten::ifft", "ifft", TSR_ANY_VERSION, false},
    {"aten::rfft", "rfft", TSR_ANY_VERSION, false},
    {"aten::irfft", "irfft", TSR_ANY_VERSION, false},
    {"aten::symeig", "symeig", TSR_ANY_VERSION, false},
    {"aten::solve", "solve", TSR_ANY_VERSION, false},
    {"aten::lstsq", "lstsq", TSR_ANY_VERSION, false},
    {"aten::eig", "eig", TSR_ANY_VERSION, false},
    {"aten::matrix_rank.tol", "matrix_rank_tol", TSR_ANY_VERSION, false},
    {"aten::matrix_rank", "matrix_rank", TSR_ANY_VERSION, false},
    {"aten::frobenius_norm", "frobenius_norm", TSR_ANY_VERSION, false},
    {"aten::_add_relu", "_add_relu", TSR_ANY_VERSION, false},
    {"aten::_add_relu", "_add_relu_out", TSR_ANY_VERSION, false},
    {"aten::_add_relu", "_add_relu_scalar", TSR_ANY_VERSION, false},
    {"aten::_add_relu_", "_add_relu_", TSR_ANY_VERSION, false},
    {"aten::_add_relu_", "_add_relu__scalar", TSR_ANY_VERSION, false},
    {"aten::to_mkldnn", "to_mkldnn", TSR_ANY_VERSION, false},
    {"prim::MKLDNNHardSwish", "MKLDNNHardSwish", TSR_ANY_VERSION, false},
    {"prim::MKLDNNHardSwish_", "MKLDNNHardSwish_", TSR_ANY_VERSION, false},
    {"prim::MKLDNNHardSigmoid", "MKLDNNHardSigmoid", TSR_ANY_VERSION, false},
    {"prim::MKLDNNHardSigmoid_", "MKLDNNHardSigmoid_", TSR_ANY_VERSION, false},
    {NULL, NULL, 0, false}};

const tsr_builtin_set tsr_builtins_gone = {"__builtin_gone__", source, rows};
