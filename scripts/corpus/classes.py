"""Modules, script classes, enums, interfaces, properties, hooks and containers of modules."""
from enum import Enum
from typing import Any, Dict, Final, List, Optional, Tuple

import torch
from torch import Tensor, nn

from corpus.base import I, T, case


@torch.jit.script
class Counter:
    def __init__(self, start: int):
        self.count = start
        self.history: List[int] = []

    def step(self, by: int = 1) -> int:
        self.count += by
        self.history.append(self.count)
        return self.count


@case(3)
def script_class(n: int):
    c = Counter(10)
    d = c
    for i in range(n):
        c.step()
        d.step(i * 10)
    e = Counter(0)
    e.count = 99
    return c.count, d.history, e.count, c is d


@torch.jit.script
class Vec:
    def __init__(self, x: float, y: float):
        self.x = x
        self.y = y

    def __add__(self, other: "Vec") -> "Vec":
        return Vec(self.x + other.x, self.y + other.y)

    def __mul__(self, k: float) -> "Vec":
        return Vec(self.x * k, self.y * k)

    def __neg__(self) -> "Vec":
        return Vec(-self.x, -self.y)

    def __eq__(self, other: "Vec") -> bool:
        return self.x == other.x and self.y == other.y

    def __lt__(self, other: "Vec") -> bool:
        return self.x < other.x

    def __len__(self) -> int:
        return 2

    def __getitem__(self, i: int) -> float:
        return self.x if i == 0 else self.y

    def __setitem__(self, i: int, v: float) -> None:
        if i == 0:
            self.x = v
        else:
            self.y = v

    def __contains__(self, v: float) -> bool:
        return self.x == v or self.y == v

    def __str__(self) -> str:
        return "Vec(" + str(self.x) + ")"


@case(1.5)
def operator_overloads(a: float):
    u = Vec(a, 2.0)
    v = u + u * 3.0
    w = -v
    u[1] = 9.0
    us = [Vec(3.0, 0.0), Vec(1.0, 0.0), Vec(2.0, 0.0)]
    us.sort()
    return v.x, v.y, w[0], w[1], len(w), u == v, u < v, 9.0 in u, u.y, [k.x for k in us]


@torch.jit.script
class Node:
    def __init__(self, value: int):
        self.value = value
        self.children: List[int] = []
        self.weight = torch.jit.annotate(Optional[Tensor], None)


@case([3, 0, 0, 1], T(2))
def class_graph(parents: List[int], x: Tensor):
    nodes: List[Node] = []
    for i, p in enumerate(parents):
        nodes.append(Node(i * 10))
    for i, p in enumerate(parents):
        if i > 0:
            nodes[p].children.append(i)
    one = nodes[1]
    one.weight = x
    total = 0
    for n in nodes:
        for c in n.children:
            total += nodes[c].value + c
    w = nodes[1].weight
    out = torch.zeros(2)
    if w is not None:
        out = w * 2
    return total, out, nodes[0].children


@torch.jit.script
class Timer:
    def __init__(self, log: List[str]):
        self.log = log

    def __enter__(self) -> int:
        self.log.append("enter")
        return 5

    def __exit__(self, type: Any, value: Any, traceback: Any) -> None:
        self.log.append("exit")


@case(2)
def with_statement(n: int):
    log: List[str] = []
    t = Timer(log)
    with t as five:
        log.append("body " + str(n + five))
        with Timer(log):
            log.append("inner")
    for i in range(n):
        with Timer(log):
            if i == 0:
                continue
            log.append("loop")
    return log


class Color(Enum):
    RED = 1
    GREEN = 2
    BLUE = 7


class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"


def paint(c: Color) -> int:
    if c == Color.RED:
        return 10
    elif c == Color.GREEN:
        return 20
    return c.value


@case(2)
def enums(n: int):
    cs = [Color.RED, Color.GREEN, Color.BLUE]
    total = 0
    names: List[str] = []
    for c in cs:
        total += paint(c) * n
        names.append(c.name)
    m = Mode.FAST if n > 1 else Mode.SLOW
    for c in Color:
        total += c.value
    return total, names, m.value, m == Mode.FAST, Color.RED != Color.BLUE


@torch.jit.interface
class Shape:
    def area(self, k: float) -> float:
        pass


@torch.jit.script
class Square:
    def __init__(self, s: float):
        self.s = s

    def area(self, k: float) -> float:
        return self.s * self.s * k


@torch.jit.script
class Disc:
    def __init__(self, r: float):
        self.r = r

    def area(self, k: float) -> float:
        return 3.0 * self.r * self.r * k


@case(2.0)
def class_interface(k: float):
    total = 0.0
    shapes: List[Shape] = []
    shapes.append(Square(2.0))
    shapes.append(Disc(1.0))
    shapes.append(Square(0.5))
    for s in shapes:
        total += s.area(k)
    return total


@torch.jit.interface
class Peer:
    def reach(self, steps: int) -> float:
        pass


@torch.jit.script
class Link:
    def __init__(self, x: Tensor):
        self.x = x
        self.peers: List[Peer] = []

    def add(self, other: Peer):
        self.peers.append(other)

    def reach(self, steps: int) -> float:
        s = float(self.x.sum())
        if steps > 0:
            s += self.peers[0].reach(steps - 1)
        return s


@case(3, T(8, 8))
def values_that_contain_themselves(n: int, x: Tensor):
    """Rings of objects, lists and dictionaries, most of which nobody holds any more."""
    kept: List[Link] = []
    shelf: List[Any] = []
    for i in range(n):
        a = Link(x + i)
        b = Link(x - i)
        a.add(b)
        b.add(a)
        if i % 1000 == 1:
            kept.append(a)
        own: List[Any] = [x * i]
        own.append(own)
        names: Dict[str, Any] = {"list": own, "tensor": x * 2}
        names["self"] = names
        if i % 1000 == 2:
            shelf.append(names)
    total = 0.0
    for k in kept:
        total += k.reach(5)
    alike = 0
    for s in shelf:
        if isinstance(s, Dict[str, Any]):
            alike += 1 if s["self"] is s and len(s) == 3 else 0
    return total, alike, len(kept), len(shelf)


@case(T(8))
class WrittenListAttribute(nn.Module):
    """A list that the module writes anew in each call: archives of bytecode do not say of what."""
    levels: List[Tensor]

    def __init__(self):
        super().__init__()
        self.levels = [torch.zeros(1)]

    def build(self, x: Tensor):
        self.levels = [x]
        for _ in range(2):
            x = x[::2] + 1
            self.levels.append(x)
        self.levels.insert(1, x * 2)
        self.levels[0] = x - 1

    def forward(self, x: Tensor):
        self.build(x)
        return torch.cat(self.levels), len(self.levels)


@torch.jit.interface
class Block(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        pass


class Add(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def forward(self, x: Tensor) -> Tensor:
        return x + self.n


class Mul(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(torch.full((1,), float(n)))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


@case(T(2, 2), 1)
class ModuleInterface(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Add(1), Mul(3), Add(-2)])
        self.named = nn.ModuleDict({"up": Mul(2), "down": Mul(-1)})

    def forward(self, x: Tensor, k: int):
        for i in range(3):
            b: Block = self.blocks[i]
            x = b.forward(x)
        m: Block = self.blocks[k]
        name = "up" if k > 0 else "down"
        n: Block = self.named[name]
        return x, m.forward(x), n.forward(x)


@case(T(2, 4))
class ModuleContainers(nn.Module):
    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 4), nn.Tanh()))
        self.list = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        self.dict = nn.ModuleDict({"a": nn.Linear(4, 2), "b": nn.Linear(4, 3)})
        self.params = nn.ParameterList([nn.Parameter(T(4, seed=i)) for i in range(2)])

    def forward(self, x: Tensor):
        x = self.seq(x)
        for m in self.list:
            x = m(x) + x
        for i, m in enumerate(self.list):
            x = x + m(x) * i
        out: Dict[str, Tensor] = {}
        for k, v in self.dict.items():
            out[k] = v(x)
        for p in self.params:
            x = x * p
        y = self.list[1](x)
        z = self.seq[0](y)
        return out, x, y, z, len(self.list), self.dict["a"](x), "a" in self.dict


@case(T(2, 3))
class AttributesOfAllTypes(nn.Module):
    scale: Final[float] = 1.5
    names: List[str]
    table: Dict[str, List[int]]
    maybe: Optional[Tensor]
    pair: Tuple[int, float]

    def __init__(self):
        super().__init__()
        self.names = ["a", "bc"]
        self.table = {"x": [1, 2], "y": []}
        self.maybe = None
        self.pair = (3, 0.5)
        self.flag = True
        self.label = "lab \"q\" \n\t☃"
        self.big = 1 << 40
        self.small = -5
        self.ratio = 0.1
        self.z = 1 + 2j
        self.floats = [0.5, 1.5]
        self.bools = [True, False]
        self.sizes = [300, -70000, 5]
        self.dtype = torch.float64
        self.device = torch.device("cpu")
        self.register_buffer("buf", T(2, 3, seed=4))
        self.register_buffer("nothing", None)
        self.register_buffer("scratch", T(3, seed=5), persistent=False)
        self.tied = self.buf
        self.weird = nn.ModuleDict({"x-y": Add(4), "two words": Add(5), "0": Add(6)})

    def forward(self, x: Tensor):
        if self.maybe is not None:
            x = x + 1
        y = self.weird["x-y"](x) + self.weird["0"](x) + self.weird["0"](x)
        w = x.to(self.dtype).to(self.device)
        return (x * self.scale + self.buf + self.scratch, self.names, self.table, self.pair, self.flag, self.label, self.big, self.small, self.ratio,
                self.z, self.floats, self.bools, self.sizes, y, w, self.tied)


@case(T(3))
class MutatedState(nn.Module):
    log: List[int]
    last: Optional[Tensor]

    def __init__(self):
        super().__init__()
        self.register_buffer("total", torch.zeros(3))
        self.calls = 0
        self.log = []
        self.last = None

    def update(self, x: Tensor, k: int) -> None:
        self.total += x * k  # in place, seen by everyone who holds the buffer
        self.calls += 1
        self.log.append(k)
        last = self.last
        if last is not None:
            self.total = self.total + last * 0.5
        self.last = x

    def forward(self, x: Tensor):
        for k in range(4):
            self.update(x, k)
        return self.total, self.calls, self.log


@case(T(2))
class Properties(nn.Module):
    def __init__(self):
        super().__init__()
        self._gain = 2.0

    @property
    def gain(self) -> float:
        return self._gain * 10

    @gain.setter
    def gain(self, v: float) -> None:
        self._gain = v

    def forward(self, x: Tensor):
        a = self.gain
        self.gain = 0.5
        return x * self.gain, a


@case(T(2))
class StaticMethodsAndExports(nn.Module):
    @staticmethod
    def twice(x: Tensor) -> Tensor:
        return x * 2

    @torch.jit.export
    def extra(self, x: Tensor, n: int) -> Tensor:
        return x + n

    @torch.jit.ignore
    def ignored(self, x: Tensor) -> Tensor:
        return x

    def helper(self, x: Tensor) -> Tensor:
        return self.extra(self.twice(x), 3)

    def forward(self, x: Tensor):
        return self.helper(x), StaticMethodsAndExports.twice(x)


@case(T(2), 4, method="encode")
class OtherMethod(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(T(2, seed=8))

    def forward(self, x: Tensor):
        return x

    @torch.jit.export
    def encode(self, x: Tensor, n: int):
        return x * self.w, n


class Hooked(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2


def before(self, inputs: Tuple[Tensor]) -> Tuple[Tensor]:
    return (inputs[0] + 1,)


def after(self, inputs: Tuple[Tensor], output: Tensor) -> Tensor:
    return output - inputs[0]


def after_again(self, inputs: Tuple[Tensor], output: Tensor) -> Tensor:
    return output * 10


@case(T(3))
class ForwardHooks(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Hooked()
        self.inner.register_forward_pre_hook(before)
        self.inner.register_forward_hook(after)
        self.inner.register_forward_hook(after_again)

    def forward(self, x: Tensor):
        return self.inner(x)


class Stateful(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = T(2, seed=3)
        self.b = 5

    @torch.jit.export
    def __getstate__(self):
        return self.a * 2, self.b + 1, self.training

    @torch.jit.export
    def __setstate__(self, state: Tuple[Tensor, int, bool]):
        self.a = state[0] - 1
        self.b = state[1] * 10
        self.training = state[2]

    def forward(self, x: Tensor):
        return x + self.a, self.b


@case(T(2))
class GetstateSetstate(nn.Module):
    def __init__(self):
        super().__init__()
        self.child = Stateful()

    def forward(self, x: Tensor):
        return self.child(x)


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(T(3, 3, seed=2))
        self.hits = 0

    def forward(self, x: Tensor):
        self.hits += 1
        return x @ self.w


@case(T(2, 3))
class SharedSubmodule(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = Shared()
        self.b = self.a
        self.c = Shared()
        self.c.w = self.a.w

    def forward(self, x: Tensor):
        y = self.a(self.b(x)) + self.c(x)
        return y, self.a.hits, self.b.hits, self.c.hits


@case(T(2, 3))
class ConstantsAndFinals(nn.Module):
    __constants__ = ["k", "dims"]
    rate: Final[float]

    def __init__(self):
        super().__init__()
        self.k = 4
        self.dims = (1, 0)
        self.rate = 0.25
        self.act = torch.tanh
        self.mode = "fan"

    def forward(self, x: Tensor):
        if self.mode == "fan":
            x = x * self.rate
        for i in range(self.k):
            x = self.act(x + i)
        return x.permute(self.dims)


class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = 2

    def inner(self, x: Tensor) -> Tensor:
        return x + self.w

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


@case(T(2))
class Inheritance(Base):
    def __init__(self):
        super().__init__()
        self.v = 7

    def inner(self, x: Tensor) -> Tensor:
        return x * self.w - self.v


class MaybeBias(nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.w = nn.Parameter(T(3, 3, seed=6))
        if bias:
            self.b = nn.Parameter(T(3, seed=7))
        else:
            self.register_parameter("b", None)

    def forward(self, x: Tensor):
        y = x @ self.w
        if self.b is not None:
            y = y + self.b
        return y


@case(T(2, 3))
class OptionalParameters(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = MaybeBias(True)
        self.b = MaybeBias(False)

    def forward(self, x: Tensor):
        return self.a(x), self.b(x)


@case(T(2, 4), form=("scripted", "frozen"))
class UnusedAndTraining(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(4, 4)

    @torch.jit.unused
    def never(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor):
        if self.training:
            return self.never(x)
        return self.drop(self.fc(x))


@torch.jit.script
class Stack:
    def __init__(self, items: List[Tensor], meta: Dict[str, int]):
        self.items = items
        self.meta = meta

    def push(self, x: Tensor) -> "Stack":
        self.items.append(x)
        self.meta["n"] = self.meta.get("n", 0) + 1
        return self


@case(T(2))
class ObjectAttribute(nn.Module):
    def __init__(self):
        super().__init__()
        self.stack = Stack([T(2, seed=5)], {"n": 4})

    def forward(self, x: Tensor):
        s = self.stack.push(x).push(x * 2)
        return s.items, self.stack.meta["n"]


class Inner(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.fc = nn.Linear(n, n)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.fc(x))


@case(T(2, 3), T(2, 5), form=("scripted", "traced", "frozen"))
class SameClassTwoTypes(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = Inner(3)
        self.b = Inner(5)

    def forward(self, x: Tensor, y: Tensor):
        return self.a(x), self.b(y)


class ScriptedPart(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if bool(x.sum() > 0):
            return x * 2
        return -x


@case(T(3), form="traced")
class ScriptInsideTrace(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = torch.jit.script(ScriptedPart())

    def forward(self, x: Tensor):
        return self.part(x + 1) + self.part(x - 10)


@case(T(3, 3))
class TraceInsideScript(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = torch.jit.trace(Inner(3).eval(), T(3, 3), check_trace=False)

    def forward(self, x: Tensor, n: int = 2):
        for i in range(n):
            x = self.part(x) + i
        return x


@torch.jit.script
class Card:
    def __init__(self, rank: int, suit: str):
        self.rank = rank
        self.suit = suit

    def __lt__(self, other: "Card") -> bool:
        return self.rank < other.rank


@case([5, 2, 9, 2], ["a", "b", "c", "d"])
def sorting_objects(ranks: List[int], suits: List[str]):
    cards = [Card(r, s) for r, s in zip(ranks, suits)]
    pairs = [(r // 5, Card(r, s)) for r, s in zip(ranks, suits)]
    cards.sort()
    up = [c.suit for c in cards]
    cards.sort(reverse=True)
    down = [c.suit for c in cards]
    pairs.sort()
    again = sorted([Card(3, "x"), Card(1, "y")])
    return up, down, [p[1].suit for p in pairs], [c.suit for c in again]


class HookedRoot(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x: Tensor, scale: float) -> Tuple[Tensor, int]:
        return x * scale, self.calls


def widen(self, inputs: Tuple[Tensor, float]) -> Tuple[Tensor, float]:
    self.calls += 1
    return inputs[0] + 1, inputs[1] * 10


def look(self, inputs: Tuple[Tensor, float]) -> None:
    print("called with", inputs[1])


def shorten(self, inputs: Tuple[Tensor, float], output: Tuple[Tensor, int]) -> Tuple[Tensor, int]:
    return output[0][:2], output[1] + self.calls


def watch(self, inputs: Tuple[Tensor, float], output: Tuple[Tensor, int]) -> None:
    print("gave", output[1])


def hooked_root():
    m = HookedRoot()
    m.register_forward_pre_hook(widen)
    m.register_forward_pre_hook(look)
    m.register_forward_hook(shorten)
    m.register_forward_hook(shorten)
    m.register_forward_hook(watch)
    return m


case(T(3), 0.5, make=True, name="hooks-of-root")(hooked_root)


class Weight(Enum):
    LIGHT = 0.5
    HEAVY = 20.0


def heavier(w: Weight) -> Weight:
    return Weight.HEAVY if w == Weight.LIGHT else Weight.LIGHT


@case(3)
def enums_of_floats(n: int):
    w = Weight.LIGHT
    total = 0.0
    for i in range(n):
        total += w.value * i
        w = heavier(w)
    names: List[str] = []
    for e in Weight:
        names.append(e.name + str(e.value))
    print(w.name, w.value)
    return total, w.value, w.name, names, w == Weight.HEAVY, w != Weight.HEAVY, [x.value for x in [Weight.HEAVY, w]]


class Room:
    def __init__(self, name: str):
        self.name = name

    def __enter__(self) -> str:
        print("into", self.name)
        return self.name

    def __exit__(self, kind: Any, value: Any, trace: Any):
        print("out of", self.name)


def wander(n: int) -> int:
    total = 0
    for i in range(5):
        with Room("outer" + str(i)) as name:
            if i == n:
                total += len(name)
            with Room("inner"), torch.no_grad():
                total += i
                if i > n:
                    total += 100
        if total > 100:
            break
        for j in range(4):
            if j == 1:
                continue
            if j + i > n + 3:
                return -total
            total += j
    return total


@case([0, 1, 2, 3, 9])
def rooms_with_returns(ns: List[int]):
    return [wander(n) for n in ns]


@torch.jit.script
class Ranked:
    def __init__(self, rank: int, at: int):
        self.rank = rank
        self.at = at

    def __lt__(self, other: "Ranked") -> bool:
        return self.rank < other.rank


@case([17, 40, 300, 1000])
def equal_objects_of_long_lists(sizes: List[int]):
    """Which of equal ones comes first follows from the steps of the sort; the last list sends a quicksort too deep."""
    orders: List[List[int]] = []
    for n in sizes:
        for how in range(5):
            ranks: List[int] = []
            for i in range(n):
                if how < 3:
                    ranks.append((i * 7919) % [3, 11, n][how])
                elif how == 3:
                    ranks.append(i // 3)
                elif i < n // 2:
                    ranks.append(i if i % 2 == 0 else n // 2 + i)
                else:
                    ranks.append(2 * (i - n // 2))
            many = [Ranked(ranks[i], i) for i in range(n)]
            many.sort()
            orders.append([x.at for x in many][:60])
            many.sort(reverse=True)
            orders.append([x.at for x in many][:60])
            pairs = [(ranks[i] // 2, Ranked(ranks[i], i)) for i in range(n)]
            orders.append([x[1].at for x in sorted(pairs)][:60])
            zeros = [(float(r % 2) - 0.5) * 0.0 for r in ranks]
            zeros.sort()
            print([z for z in zeros][:60])
    return orders
