/* Operators that PyTorch has dropped, in terms of those that took their place: Fourier transforms with complex
 * numbers as pairs (until 1.7), symeig (until 1.12). */
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
    "  return (values, vectors)\n";

static const tsr_builtin_row rows[] = {
    {"aten::fft", "fft", TSR_ANY_VERSION, false},
    {"aten::ifft", "ifft", TSR_ANY_VERSION, false},
    {"aten::rfft", "rfft", TSR_ANY_VERSION, false},
    {"aten::irfft", "irfft", TSR_ANY_VERSION, false},
    {"aten::symeig", "symeig", TSR_ANY_VERSION, false},
    {NULL, NULL, 0, false}};

const tsr_builtin_set tsr_builtins_gone = {"__builtin_gone__", source, rows};
