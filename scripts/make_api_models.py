"""Write the small models that tests/unit/test_api.c loads: python scripts/make_api_models.py tests/unit/data"""
import sys
from typing import Any, List, Optional, Tuple

import torch
from torch import Tensor, nn


class Counter(nn.Module):
    calls: int

    def __init__(self):
        super().__init__()
        self.register_buffer("total", torch.zeros(2))
        self.w = nn.Parameter(torch.ones(2))
        self.calls = 0

    def forward(self, x: Tensor) -> Tuple[Tensor, int]:
        self.total += x * self.w
        self.calls += 1
        return self.total.clone(), self.calls


class Args(nn.Module):
    def forward(self, x: Tensor, n: int = 3, f: float = 0.5, names: Optional[List[str]] = None) -> Tuple[Tensor, int, float, int]:
        count = 0
        if names is not None:
            count = len(names)
        return x, n, f, count


class InPlace(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        x.add_(5.0)
        return x


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(3, 3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.matmul(x, self.w)


class Inner(nn.Module):
    def __init__(self):
        super().__init__()
        self.deep = Deep()

    def forward(self, x: Tensor) -> Tensor:
        return self.deep(x) + 1


@torch.jit.script
class Level:
    def __init__(self, log: List[int]):
        self.log = log

    def __enter__(self):
        self.log.append(1)

    def __exit__(self, type: Any, value: Any, tb: Any):
        self.log.append(-1)


class Fails(nn.Module):
    log: List[int]

    def __init__(self):
        super().__init__()
        self.inner = Inner()
        self.log = []

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)

    @torch.jit.export
    def checked(self, x: Tensor) -> Tensor:
        with Level(self.log):
            if x.numel() == 2:
                raise ValueError("bad value %d" % x.numel())
        return x

    @torch.jit.export
    def entries(self) -> List[int]:
        return self.log


class Spin(nn.Module):
    def forward(self, n: int) -> int:
        s = 0
        i = 0
        while i < n:
            s += i
            i += 1
        return s

    @torch.jit.export
    def grow(self, n: int) -> int:
        out: List[Tensor] = []
        for i in range(n):
            out.append(torch.zeros(1000))
        return len(out)


def main(folder):
    models = {"counter": Counter(), "args": Args(), "inplace": InPlace(), "fails": Fails(), "spin": Spin()}
    for name, model in models.items():
        torch.jit.script(model.eval()).save(f"{folder}/{name}.pt")


main(sys.argv[1])
