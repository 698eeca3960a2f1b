"""Programs that raise: the message must be PyTorch's."""
import math
from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor, nn

from corpus.base import I, T, case


def bad(*inputs, **opt):
    return case(*inputs, fails=True, **opt)


@torch.jit.script
def started(n: int, xs: List[int]) -> int:
    k = xs[n]
    if n > 1:
        raise ValueError("fork of " + str(n))
    return k


@bad(4)
def fork_raises_at_the_wait(n: int):
    xs = list(range(9))
    futures = [torch.jit.fork(started, i, xs) for i in range(n)]
    print("started", n)
    total = 0
    for f in futures:
        total += torch.jit.wait(f)
        print(total)
    return total


@bad(3)
def raise_value_error(n: int):
    if n > 2:
        raise ValueError("n is too large")
    return n


@bad(T(2))
def raise_formatted(x: Tensor):
    raise RuntimeError("size is {} not {}".format(x.size(0), 3))
    return x


@bad(T(2, 3))
def failed_assert(x: Tensor):
    assert x.size(0) == x.size(1), "not square"
    return x


class Custom(Exception):
    pass


@bad(1)
def raise_custom(n: int):
    if n == 1:
        raise Custom("custom text")
    return n


@bad([1, 2, 3], 7)
def list_index(xs: List[int], i: int):
    return xs[i]


@bad({"a": 1}, "zz")
def dict_key(d: Dict[str, int], k: str):
    return d[k]


@bad(None)
def unwrap_none(x: Optional[int]):
    assert x is not None
    return x


@bad(T(2, 3), T(4, 5))
def matmul_shapes(a: Tensor, b: Tensor):
    return a @ b


@bad(T(2, 3), T(2, 4))
def broadcast_shapes(a: Tensor, b: Tensor):
    return a + b


@bad(T(2, 6))
def view_size(x: Tensor):
    return x.view(5, 2)


@bad(T(2, 3))
def view_strides(x: Tensor):
    return x.t().view(6)


@bad(T(2, 3), 5)
def dim_range(x: Tensor, d: int):
    return x.sum(d)


@bad(T(3), I(2, low=5, high=6))
def gather_range(x: Tensor, i: Tensor):
    return x[i]


@bad(T(2, 3))
def cat_shapes(x: Tensor):
    return torch.cat([x, x.t()], 0)


@bad(1, 0)
def integer_division_by_zero(a: int, b: int):
    return a // b


@bad(T(1, 3, 8, 8))
class ConvChannels(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(4, 2, 3)

    def forward(self, x: Tensor):
        return self.c(x)


@bad(T(2, 5))
class LinearShape(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 2))

    def forward(self, x: Tensor):
        return self.inner(x)


@bad(I(3, low=8, high=12))
class EmbeddingRange(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(8, 2)

    def forward(self, x: Tensor):
        return self.e(x)


@bad(T(2, 2))
def item_of_many(x: Tensor):
    return int(x)


@bad(T(3, dtype=torch.int64))
def in_place_cast(x: Tensor):
    x += 0.5
    return x


@bad(T(3))
def squeeze_unpack(x: Tensor):
    a, b = x.unbind(0)
    return a


@bad(T(3))
def deep_call(x: Tensor):
    return outer(x)


def outer(x: Tensor) -> Tensor:
    return middle(x) + 1


def middle(x: Tensor) -> Tensor:
    return torch.stack([x, x[:2]])


@bad(2)
def fork_raises(n: int):
    f = torch.jit.fork(checked, n)
    return torch.jit.wait(f)


def checked(n: int) -> int:
    if n == 2:
        raise ValueError("in the fork")
    return n


@bad([])
def pop_empty(xs: List[int]):
    return xs.pop()


@bad(["a"], "b")
def remove_missing(xs: List[str], s: str):
    return xs.index(s)


@bad((1, [2]))
def unhashable(x: Tuple[int, List[int]]):
    return hash(x)


@bad("text")
def percent_d_of_text(s: str):
    return "%d" % s


@bad(65)
def percent_unknown(n: int):
    return "%x" % n


@bad("ab")
def percent_c_of_two(s: str):
    return "%c" % s


@bad([1, 2], 7)
def delete_range(xs: List[int], i: int):
    del xs[i]
    return xs


@bad(1)
def missing_argument(a: int, b: str):
    return a


@bad(1, "b", 2)
def too_many_arguments(a: int, b: str):
    return a


@bad(T(2))
def gradient_of_constant(x: Tensor):
    return torch.autograd.grad([x.sum()], [x])


@bad(float("nan"))
def floor_of_nan(x: float):
    return math.floor(x)


@bad("3.5")
def integer_from_text(s: str):
    return int(s)


@bad("")
def float_from_nothing(s: str):
    return float(s)


@bad("abc")
def index_of_string(s: str):
    return s[3]


@bad("abc")
def find_behind_the_end(s: str):
    return s.find("c", 7, 9)


@bad([1, 2, 3], 0)
def slice_without_step(xs: List[int], step: int):
    return xs[::step]


@bad(1e39)
def too_large_for_float32(x: float):
    return torch.tensor(x)


@bad([1 + 2j])
def tensor_of_complex_list(zs: List[complex]):
    return torch.tensor(zs)


@bad(T(2), 300)
def too_large_for_int8(x: Tensor, n: int):
    return torch.where(x > 0, x.to(torch.int8), n)


def too_much(n: int) -> int:
    print("runs")
    if n > 5:
        raise ValueError("too much: " + str(n))
    return n


@bad(9)
def await_raises(n: int):
    w = torch.jit._awaitable(too_much, n)
    print("made")
    return torch.jit._awaitable_wait(w) + 1
