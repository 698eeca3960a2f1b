"""Random programs of the wider language: classes with properties and magic methods, named tuples, enums, optional and any values, unions,
complex numbers, with blocks, fork and wait, tensor indexing, and modules with containers and state.

make(seed) is that of programs.py, whose grammar this one extends: the same rules hold.
"""
import programs

CLASSES = '''import math
from enum import Enum
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import torch
from torch import Tensor, nn


def maybe(n: int, given: bool) -> Optional[int]:
    if given:
        return n
    return None


def unless(n: Optional[int], other: int) -> int:
    if n is None:
        return other
    return n


def perhaps(s: str, given: bool) -> Optional[str]:
    return s if given else None


def label(s: Optional[str]) -> str:
    if s is not None and len(s) > 0:
        return s
    return "none" if s is None else "empty"


class Pair(NamedTuple):
    a: int
    b: str
    c: float = 0.5


class Color(Enum):
    RED = 1
    GREEN = 2
    BLUE = 5


class Tag(Enum):
    A = "x"
    B = "yy"


class Weight(Enum):
    LIGHT = 0.5
    HEAVY = 20.0


class Point:
    def __init__(self, n: int, name: str):
        self.count = n
        self.name = name
        self.items = [n]
        self.next = maybe(n, False)

    @property
    def size(self) -> int:
        return len(self.items)

    @size.setter
    def size(self, n: int):
        while len(self.items) > max(n, 1):
            self.items.pop()

    @staticmethod
    def twice(n: int) -> int:
        return n * 2

    def bump(self, n: int) -> int:
        self.count += n
        self.items.append(n)
        self.next = self.count if n > 2 else None
        return self.count

    def total(self, more: int = 1) -> int:
        t = more
        for x in self.items:
            if x == 7:
                continue
            if x > 100:
                return -1
            t += x
        return t

    def __add__(self, other: "Point") -> "Point":
        p = Point(self.count + other.count, self.name + other.name[:3])
        p.items = (self.items + other.items)[:12]
        return p

    def __sub__(self, other: "Point") -> "Point":
        return Point(self.count - other.count, other.name)

    def __mul__(self, k: int) -> "Point":
        return Point(self.count * k, self.name)

    def __neg__(self) -> "Point":
        return Point(-self.count, self.name.upper())

    def __lt__(self, other: "Point") -> bool:
        return self.count < other.count

    def __eq__(self, other: "Point") -> bool:
        return self.count == other.count and self.name == other.name

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, n: int) -> bool:
        return n in self.items

    def __getitem__(self, i: int) -> int:
        return self.items[i]

    def __setitem__(self, i: int, n: int):
        self.items[i] = n

    def __call__(self, n: int) -> int:
        return self.count + n

    def __bool__(self) -> bool:
        return self.count != 0


class Guard:
    def __init__(self, name: str):
        self.name = name

    def __enter__(self) -> str:
        print("enter", self.name)
        return self.name + "!"

    def __exit__(self, kind: Any, value: Any, trace: Any):
        print("leave", self.name)


def parts(z: complex) -> Tuple[float, float]:
    t = torch.view_as_real(torch.tensor(z, dtype=torch.complex128))
    return float(t[0]), float(t[1])


def describe(x: Any) -> str:
    if isinstance(x, int):
        return "int {}".format(x + 1)
    elif isinstance(x, str):
        return "str " + x.upper()
    elif isinstance(x, float):
        return "float {}".format(x * 2)
    elif isinstance(x, Tensor):
        return "tensor {}".format(x.dim())
    elif isinstance(x, List[int]):
        return "list {}".format(len(x))
    return "other"


def either(x: Union[int, str, List[int]]) -> int:
    if isinstance(x, int):
        return x + 1
    if isinstance(x, str):
        return len(x)
    return sum(x)


def check(n: int, xs: List[int]) -> int:
    xs.append(n)
    if n > 50:
        raise ValueError("too large: " + str(n))
    assert n != -9, "minus nine"
    return xs[-1] * 2


def sums(x: Tensor, n: int) -> Tensor:
    for i in range(min(max(n, 0), 3)):
        x = x + i
        if bool(x.max() > 6):
            break
    return x


'''

MODULES = '''@torch.jit.interface
class Layer(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        pass


class Scale(nn.Module):
    def __init__(self, by: float):
        super().__init__()
        self.by = by

    def forward(self, x: Tensor) -> Tensor:
        return x * self.by


class Shift(nn.Module):
    steps: int

    def __init__(self, by: List[float]):
        super().__init__()
        self.register_buffer("by", torch.tensor(by))
        self.steps = 0

    def forward(self, x: Tensor) -> Tensor:
        self.steps += 1
        return x + self.by * self.steps

    @torch.jit.export
    def peek(self) -> int:
        return self.steps


class program(nn.Module):
    limit: Final[int]
    seen: List[int]
    best: Optional[int]

    def __init__(self):
        super().__init__()
        self.limit = 4
        self.seen = [1]
        self.names = {"a": 1, "b": 2}
        self.best = None
        self.weight = nn.Parameter(torch.tensor([[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]]))
        self.chosen: Layer = Shift([0.5, 0.5, 0.5])
        self.layers = nn.ModuleList([Scale(0.5), Shift([1.0, 0.0, -1.0]), nn.ReLU()])
        self.table = nn.ModuleDict({"up": Scale(2.0), "down": Shift([-1.0, -1.0, 0.5])})
        self.stack = nn.Sequential(Scale(-1.0), nn.Sequential(nn.Tanh(), Shift([0.0, 0.5, 0.25])))

    def note(self, n: int) -> int:
        self.seen.append(n)
        if self.best is None or len(self.seen) > self.limit:
            self.best = n
        best = self.best
        return best + 1 if best is not None else 0

'''
MODULES = "from typing import Final\n\n\n" + MODULES

WIDE = ["Point", "Pair", "Color", "Tag", "Weight", "complex", "Optional[str]", "Dict[str, List[int]]", "List[Pair]", "List[Point]", "List[List[int]]", "Tuple[int, Tuple[str, float]]"]
TYPES = programs.TYPES + WIDE
CLASS_TYPES = ("Point", "Pair", "Color", "Tag", "Weight")


class Program(programs.Program):
    def __init__(self, seed):
        super().__init__(seed)
        self.module = False
        self.inside = False

    def literal(self, type_):
        lit = super().literal
        if type_ == "Point":
            return "Point(%s, %s)" % (lit("int"), lit("str"))
        if type_ == "Pair":
            return "Pair(%s, %s%s)" % (lit("int"), lit("str"), self.pick("", ", " + lit("float"), ", c=" + lit("float")))
        if type_ in ("Color", "Tag", "Weight"):
            return type_ + "." + self.pick(*{"Color": ("RED", "GREEN", "BLUE"), "Tag": ("A", "B"), "Weight": ("LIGHT", "HEAVY")}[type_])
        if type_ == "complex":
            return "complex(%s, %s)" % (self.pick("0.0", "1.5", "-2.0"), self.pick("0.0", "1.0", "-0.5", "3.25"))
        if type_ == "Optional[str]":
            return "perhaps(%s, %s)" % (lit("str"), lit("bool"))
        if type_ == "Dict[str, List[int]]":
            return "{%s}" % ", ".join("%s: %s" % (k, lit("List[int]")) for k in self.rng.sample(['"a"', '"b"', '"zz"', '""'], self.rng.randint(1, 3)))
        if type_ == "Tuple[int, Tuple[str, float]]":
            return "(%s, (%s, %s))" % (lit("int"), lit("str"), lit("float"))
        if type_ in ("List[Pair]", "List[Point]", "List[List[int]]"):
            return "[%s]" % ", ".join(self.literal(type_[5:-1]) for _ in range(self.rng.randint(1, 3)))
        return lit(type_)

    # ---- expressions: some of the base's, some of the wider language's

    def wider(self, type_, options, d):
        return self.rng.choice(options)() if self.chance(0.45) else getattr(super(), "expr_" + type_.split("[")[0].lower())(type_, d)

    def expr_int(self, type_, d):
        e = lambda t: self.expr(t, d)
        options = [
            lambda: "%s.%s" % (e("Point"), self.pick("count", "size")), lambda: "%s.total(%s)" % (e("Point"), self.pick("", e("int"), "more=" + e("int"))),
            lambda: "Point.twice(%s)" % e("int"), lambda: "%s[%s]" % (e("Point"), self.index()), lambda: "%s(%s)" % (e("Point"), e("int")),
            lambda: "len(%s)" % e(self.pick("Point", "List[Pair]", "Dict[str, List[int]]", "List[List[int]]")), lambda: "%s.bump(%s)" % (self.named("Point"), e("int")),
            lambda: "%s.%s" % (e("Pair"), "a"), lambda: "%s[0]" % e("Pair"), lambda: "%s.value" % e("Color"), lambda: "either(%s)" % e(self.pick("int", "str", "List[int]")),
            lambda: "check(%s, %s)" % (e("int"), e("List[int]")), lambda: "%s[%s][%s]" % (e("List[List[int]]"), self.index(), self.index()),
            lambda: "%s[0]" % e("Tuple[int, Tuple[str, float]]"), lambda: "len(label(%s))" % e("Optional[str]"), lambda: "int(%s.numel())" % self.indexed(d),
            lambda: "torch.jit.wait(torch.jit.fork(either, %s))" % e("int"),
            lambda: "math.%s(%s)" % (self.pick("floor", "ceil"), self.expr("float", 0)),
            lambda: "unless(%s.next, %s)" % (e("Point"), e("int")),
        ]
        if self.inside:
            options += [lambda: "self.note(%s)" % e("int"), lambda: "self.limit", lambda: "self.layers[1].peek()", lambda: "len(self.%s)" % self.pick("layers", "table", "stack", "seen"),
                        lambda: 'self.names.get(%s, %s)' % (e("str"), e("int")), lambda: "self.table[%s].steps" % '"down"', lambda: "self.seen[%s]" % self.index()]
        return self.wider(type_, options, d)

    def expr_float(self, type_, d):
        e = lambda t: self.expr(t, d)
        return self.wider(type_, [
            lambda: "%s.c" % e("Pair"), lambda: "%s.value" % e("Weight"), lambda: "parts(%s)[%d]" % (e("complex"), self.rng.randint(0, 1)), lambda: "abs(%s)" % e("complex"),
            lambda: "%s[1][1]" % e("Tuple[int, Tuple[str, float]]"), lambda: "float(%s)" % self.pick('"1.5"', '"-2"', '"1e3"'), lambda: "(%s ** %s)" % (self.pick("2", "0.5", "3.0"), self.pick("2", "-1.5", "0.5")),
            lambda: "math.pow(%s, 2.0)" % e("float"), lambda: "float(-%s.item())" % ("torch.max(%s)" % e("Vec"))], d)

    def expr_bool(self, type_, d):
        e = lambda t: self.expr(t, d)
        return self.wider(type_, [
            lambda: "(%s %s %s)" % (e("Point"), self.pick("<", "=="), e("Point")), lambda: "(%s in %s)" % (e("int"), e("Point")), lambda: "bool(%s)" % e("Point"),
            lambda: "(%s %s %s)" % (e("Color"), self.pick("==", "!="), e("Color")), lambda: "(%s == %s)" % (e("Tag"), e("Tag")), lambda: "(%s == %s)" % (e("complex"), e("complex")),
            lambda: "(%s is %sNone)" % (e("Optional[str]"), self.pick("", "not ")), lambda: "(str(%s) == str(%s))" % (e("Pair"), e("Pair")),
            lambda: "(%s < %s < %s)" % (e("int"), e("int"), e("int")), lambda: "(%s in %s)" % (e("str"), e("Dict[str, List[int]]")),
            lambda: "(%s is None)" % (self.named("Point") + ".next"), lambda: "torch.equal(%s, %s)" % (e("Vec"), e("Vec")), lambda: "torch.jit.is_scripting()"], d)

    def expr_str(self, type_, d):
        e = lambda t: self.expr(t, d)
        return self.wider(type_, [
            lambda: "%s.name[:9]" % e("Point"), lambda: "%s.b" % e("Pair"), lambda: "%s.%s" % (e("Tag"), "value"), lambda: "%s.name" % e(self.pick("Color", "Tag", "Weight")),
            lambda: "label(%s)" % e("Optional[str]"), lambda: "describe(%s)" % e(self.pick("int", "str", "float", "Vec", "List[int]", "bool", "List[str]")), lambda: "str(%s)" % e(self.pick("Pair", "complex", "Dict[str, List[int]]", "List[List[int]]", "List[Pair]")),
            lambda: "%s[1][0]" % e("Tuple[int, Tuple[str, float]]"), lambda: 'f"{%s}/{%s}"' % (self.name_of("float"), self.name_of("int")),
            lambda: '"{}:{}:{}".format(%s, %s, %s)' % (e("Pair"), e("bool"), e("complex")),
            lambda: '("%%s %%d" %% (%s, %s))' % (e("str"), e("int")), lambda: "%s.split()[0]" % e("str") if self.chance(0.2) else e("str")], d)

    def expr_list(self, type_, d):
        e = lambda t: self.expr(t, d)
        x = self.fresh()
        if type_ in ("List[Pair]", "List[Point]", "List[List[int]]"):
            part = type_[5:-1]
            options = [lambda: "[%s]" % ", ".join(e(part) for _ in range(self.rng.randint(1, 3))), lambda: "%s%s" % (e(type_), self.cut()), lambda: "(%s + %s)[:9]" % (e(type_), e(type_)),
                       lambda: "[%s for %s in %s]" % (self.within([(x, "int")], part, d), x, e("List[int]"))]
            if part == "Point":
                options.append(lambda: "sorted(%s)" % e(type_))
            return self.rng.choice(options)()
        if type_ == "List[int]":
            return self.wider(type_, [
                lambda: "%s.items" % e("Point"), lambda: "%s[%s]" % (e("List[List[int]]"), self.index()), lambda: "%s.get(%s, %s)" % (e("Dict[str, List[int]]"), e("str"), e("List[int]")),
                lambda: "[%s.a for %s in %s]" % (x, x, e("List[Pair]")), lambda: "[%s.count for %s in %s]" % (x, x, e("List[Point]")),
                lambda: "list(range(%s))" % self.rng.randint(0, 5),
                lambda: "list(%s.shape)" % self.indexed(d)] + ([lambda: "self.seen"] if self.inside else []), d)
        if type_ == "List[str]":
            return self.wider(type_, [lambda: "[%s.b for %s in %s]" % (x, x, e("List[Pair]")), lambda: "list(%s.keys())" % e("Dict[str, List[int]]")], d)
        return super().expr_list(type_, d)

    def expr_tuple(self, type_, d):
        if type_ == "Tuple[int, str]":
            return super().expr_tuple(type_, d)
        return "(%s, (%s, %s))" % (self.expr("int", d), self.expr("str", d), self.expr("float", d))

    def expr_dict(self, type_, d):
        if type_ != "Dict[str, List[int]]":
            return super().expr_dict(type_, d)
        x = self.fresh()
        return self.pick(lambda: "{%s: %s}" % (self.expr("str", d), self.expr("List[int]", d)),
                         lambda: "{%s: %s for %s in %s}" % (x, self.within([(x, "str")], "List[int]", d), x, self.expr("List[str]", d)))()

    def expr_optional(self, type_, d):
        return super().expr_optional(type_, d) if type_ == "Optional[int]" else "perhaps(%s, %s)" % (self.expr("str", d), self.expr("bool", d))

    def expr_point(self, _, d):
        e = lambda t: self.expr(t, d)
        return self.pick(lambda: "(%s %s %s)" % (e("Point"), self.pick("+", "-"), e("Point")), lambda: "(%s * %s)" % (e("Point"), e("int")), lambda: "(-%s)" % e("Point"),
                         lambda: "Point(%s, %s)" % (e("int"), e("str")), lambda: "%s[%s]" % (e("List[Point]"), self.index()))()

    def expr_pair(self, _, d):
        e = lambda t: self.expr(t, d)
        return self.pick(lambda: "Pair(%s, %s)" % (e("int"), e("str")), lambda: "Pair(a=%s, b=%s, c=%s)" % (e("int"), e("str"), e("float")), lambda: "%s[%s]" % (e("List[Pair]"), self.index()))()

    def expr_color(self, type_, d):
        return self.literal(type_)

    expr_tag = expr_weight = expr_color

    def expr_complex(self, _, d):
        e = lambda t: self.expr(t, d)
        return self.pick(lambda: "complex(%s, %s)" % (e("float"), e("float")), lambda: "(%s %s %s)" % (e("complex"), self.pick("+", "-", "*"), e(self.pick("complex", "float", "int"))),
                         lambda: "(-%s)" % e("complex"), lambda: "(%s / %s)" % (e("complex"), self.literal("complex")))()

    # ---- tensors

    def place(self):
        """An index of a tensor of two by three."""
        return self.pick("0", "-1", ":, 1", "0, 2", "..., -1", "None", ":, None", "1:", "::2", ":, ::2", "0, 1:", ":, -2:", "torch.tensor([1, 0])", ":, torch.tensor([2, 0])",
                         "torch.tensor([0, 1]), torch.tensor([2, 0])", "torch.tensor([True, False])", "None, 0, ..., None", "torch.tensor([[0], [1]]), torch.tensor([0, 2])", "[1, 0]")

    def indexed(self, d):
        return "%s[%s]" % (self.expr("Mat", d), self.place())

    def expr_mat(self, type_, d):
        e = lambda t: self.expr(t, d)
        options = [lambda: "sums(%s, %s)" % (e("Mat"), e("int")), lambda: "torch.stack(torch.unbind(%s, 0))" % e("Mat"), lambda: "%s[torch.tensor([%d, %d])]" % (e("Mat"), self.rng.randint(-2, 1), self.rng.randint(-2, 1)),
                   lambda: "torch.jit.wait(torch.jit.fork(sums, %s, %s))" % (e("Mat"), e("int"))]
        if self.inside:
            options += [lambda: "self.%s(%s)" % (self.pick("chosen", "layers[0]", "layers[-1]", 'table["up"]', "stack", "stack[0]"), e("Mat")), lambda: "(self.weight + %s)" % e("Mat"), lambda: "self.weight.detach().clone()"]
        return self.wider(type_, options, d)

    # ---- statements

    def named(self, type_):
        """A variable of this type, or a literal."""
        known = self.variables(type_)
        return self.rng.choice(known) if known else self.literal(type_)

    def statement(self, depth, budget):
        if self.chance(0.6):
            return super().statement(depth, budget)
        kinds = [self.declare_wide] * 4 + [self.mutate_object] * 3 + [self.write_at] * 3 + [self.unpack] * 2 + [self.refine] * 2 + [self.futures] + [self.show_wide]
        if depth < 4 and budget > 0:
            kinds += [self.guarded] * 2 + [self.pairs] * 2 + [self.endless]
            kinds += [self.through_layers] * 2 if self.inside else []
        self.rng.choice(kinds)(depth, budget)

    def declare_wide(self, depth, _):
        type_ = self.rng.choice(WIDE)
        value, name = self.expr(type_), self.fresh()
        self.emit(depth, "%s%s = %s" % (name, "" if type_ in CLASS_TYPES else ": " + type_, value))
        self.scopes[-1].append((name, type_))

    def mutate_object(self, depth, _):
        names = self.variables("Point")
        if names and self.chance(0.6):
            p = self.rng.choice(names)
            e = lambda t: self.expr(t, 1)
            self.emit(depth, self.pick("%s.count %s= %s" % (p, self.pick("", "+", "-"), e("int")), "%s.name = %s" % (p, e("str")), "%s.size = %d" % (p, self.rng.randint(0, 3)), "%s[%s] = %s" % (p, self.index(), e("int")),
                                       "%s.items.append(%s)" % (p, e("int")), "%s.items = %s" % (p, e("List[int]")), "%s.next = %s" % (p, e("Optional[int]")), "%s.items[0] += %s" % (p, e("int"))))
        elif self.inside:
            self.emit(depth, self.pick("self.seen.append(%s)" % self.expr("int", 1), "self.names[%s] = %s" % (self.expr("str", 1), self.expr("int", 1)), "self.best = %s" % self.expr("Optional[int]", 1), "self.seen = %s" % self.expr("List[int]", 1),
                                       "self.layers[1].steps += 1"))
        else:
            names = self.variables("Dict[str, List[int]]") + self.variables("List[List[int]]")
            if names:
                x = self.rng.choice(names)
                key = self.expr("str", 0) if (x, "Dict[str, List[int]]") in [v for s in self.scopes for v in s] else self.index()
                self.emit(depth, self.pick("%s[%s] = %s" % (x, key, self.expr("List[int]", 1)), "%s[%s].append(%s)" % (x, key, self.expr("int", 1))))

    def write_at(self, depth, _):
        names = self.variables("Mat")
        if names:
            m = self.rng.choice(names)
            self.emit(depth, "%s[%s] %s= %s" % (m, self.place(), self.pick("", "", "+", "*"), self.pick(self.expr("float", 0), self.expr("int", 0), "torch.tensor(%s)" % self.literal("float"))))

    def unpack(self, depth, _):
        kind = self.rng.randint(0, 3)
        a, b, c = self.fresh(), self.fresh(), self.fresh()
        if kind == 0:
            self.emit(depth, "%s, (%s, %s) = %s" % (a, b, c, self.expr("Tuple[int, Tuple[str, float]]")))
            self.scopes[-1] += [(a, "int"), (b, "str"), (c, "float")]
        elif kind == 1:
            self.emit(depth, "%s, %s, %s = %s" % (a, b, c, self.expr("Pair")))
            self.scopes[-1] += [(a, "int"), (b, "str"), (c, "float")]
        elif kind == 2:
            self.emit(depth, "%s, *%s = (%s, %s, %s)" % (a, b, self.expr("int"), self.expr("str"), self.expr("float")))
            self.scopes[-1] += [(a, "int")]
        else:
            names = self.variables("int", True)
            if len(names) > 1:
                x, y = self.rng.sample(names, 2)
                self.emit(depth, "%s, %s = %s, %s + 1" % (x, y, y, x))

    def refine(self, depth, budget):
        kind = self.rng.randint(0, 2)
        x = self.fresh()
        if kind == 0:
            self.emit(depth, "%s = %s" % (x, self.expr("Optional[str]")))
            self.emit(depth, "if %s is not None:" % x)
            self.block(depth + 1, min(budget, 1), [(x, "str")])
        elif kind == 1:
            self.emit(depth, "%s: Union[int, str] = %s" % (x, self.expr(self.pick("int", "str"))))
            self.emit(depth, "if isinstance(%s, int):" % x)
            self.block(depth + 1, min(budget, 1), [(x, "int")])
            self.emit(depth, "else:")
            self.block(depth + 1, min(budget, 1), [(x, "str")])
        else:
            self.emit(depth, "%s = %s" % (x, self.expr("Optional[int]")))
            self.emit(depth, "assert %s is not None" % x)
            self.scopes[-1].append((x, "int"))

    def futures(self, depth, _):
        f, g, r = self.fresh(), self.fresh(), self.fresh()
        self.emit(depth, "%s = torch.jit.fork(sums, %s.clone(), %s)" % (f, self.expr("Mat"), self.expr("int")))
        self.emit(depth, "%s = torch.jit.fork(either, %s)" % (g, self.expr("str")))
        self.statement(depth, 0)
        self.emit(depth, "%s = torch.jit.wait(%s) + torch.jit.wait(%s)" % (r, f, g))
        self.scopes[-1].append((r, "Mat"))

    def show_wide(self, depth, _):
        types = [self.pick("Pair", "complex", "List[List[int]]", "Dict[str, List[int]]", "List[Pair]", "Optional[str]", "Tuple[int, Tuple[str, float]]", "List[float]") for _ in range(2)]
        self.emit(depth, "print(%s)" % ", ".join(self.expr(t, 1) for t in types))

    def guarded(self, depth, budget):
        x = self.fresh()
        self.emit(depth, self.pick("with Guard(%s) as %s:" % (self.expr("str", 0), x), "with torch.no_grad(), Guard(%s) as %s:" % (self.expr("str", 0), x)))
        self.fixed.add(x)
        self.block(depth + 1, budget, [(x, "str")])

    def pairs(self, depth, budget):
        if self.loops >= 2:
            return
        self.loops += 1
        i, a, b = self.fresh(), self.fresh(), self.fresh()
        kind = self.rng.randint(0, 3)
        if kind == 0:
            names = [(a, "int"), (b, "str")]
            self.emit(depth, "for %s, %s in zip(%s[:4], %s):" % (a, b, self.expr("List[int]"), self.expr("List[str]")))
        elif kind == 1:
            names = [(i, "int"), (a, "int"), (b, "str")]
            self.emit(depth, "for %s, (%s, %s) in enumerate(zip(%s[:3], %s)):" % (i, a, b, self.expr("List[int]"), self.expr("List[str]")))
        elif kind == 2:
            names = [(a, "Point")]
            self.emit(depth, "for %s in %s:" % (a, self.expr("List[Point]")))
        else:
            names = [(a, "str"), (b, "List[int]")]
            self.emit(depth, "for %s, %s in %s.items():" % (a, b, self.expr("Dict[str, List[int]]")))
        self.fixed |= {n for n, _ in names}
        self.block(depth + 1, budget, names)
        self.loops -= 1

    def endless(self, depth, budget):
        """while True with several ways out."""
        if self.loops >= 2:
            return
        self.loops += 1
        i = self.fresh()
        self.fixed.add(i)
        self.emit(depth, "%s = 0" % i)
        self.emit(depth, "while True:")
        self.emit(depth + 1, "%s += 1" % i)
        self.emit(depth + 1, "if %s > %d:" % (i, self.rng.randint(1, 4)))
        self.emit(depth + 2, "break")
        if self.chance(0.5):
            self.emit(depth + 1, "if %s:" % self.within([(i, "int")], "bool", 1))
            self.emit(depth + 2, self.pick("continue", "break") if not self.result or self.chance(0.5) else "return " + self.expr(self.result, 1))
        self.block(depth + 1, budget, [(i, "int")])
        self.loops -= 1

    def through_layers(self, depth, budget):
        names = self.variables("Mat", True)
        if not names:
            return
        x, m, n = self.rng.choice(names), self.fresh(), self.fresh()
        kind = self.rng.randint(0, 2)
        if kind == 0:
            self.emit(depth, "for %s in self.%s:" % (m, self.pick("layers", "stack", "layers[1:]", "table.values()")))
        elif kind == 1:
            self.emit(depth, "for %s, %s in self.table.items():" % (n, m))
            self.emit(depth + 1, "print(%s)" % n)
        else:
            self.emit(depth, "for %s, %s in enumerate(self.layers):" % (n, m))
        self.emit(depth + 1, "%s = %s(%s)" % (x, m, x))

    # ---- whole programs

    def leave(self, depth, _):
        if not self.inside or self.result:
            super().leave(depth, _)

    def final(self, name, type_):
        if type_ == "Point":
            return "(%s.count, %s.name, %s.items, %s.next)" % (name, name, name, name)
        if type_ in ("Color", "Tag", "Weight"):
            return name + ".value"
        if type_ == "Pair":
            return "(%s.a, %s.b, %s.c)" % (name, name, name)
        if type_ == "complex":
            return "parts(%s)" % name
        if type_ == "List[Point]":
            return "[p.count for p in %s]" % name
        if type_ == "List[Pair]":
            return "[p.b for p in %s]" % name
        return name

    def program(self):
        kinds = ["int", "float", "str"] + self.rng.sample(programs.TYPES, self.rng.randint(1, 4))
        params = [(self.fresh(), t) for t in kinds]
        self.inside = self.module
        start = len(self.lines)
        self.head("forward" if self.module else "program", params, None)
        if self.module:
            self.lines[-1] = self.lines[-1].replace("(", "(self, ", 1)
        for _ in range(self.rng.randint(3, 9)):
            self.statement(1, 3)
        extra = ["self.seen", "self.names", "self.best", "self.table[\"down\"].steps"] if self.module else []
        self.emit(1, "return (%s,)" % ", ".join([self.final(n, t) for n, t in self.scopes[0]] + extra))
        if self.module:
            self.lines[start:] = ["    " + line for line in self.lines[start:]]
        return [self.argument(t) for t in kinds]


def make(seed):
    p = Program(seed)
    for _ in range(p.rng.randint(0, 2)):
        p.helper()
        p.emit(0, "")
        p.emit(0, "")
    p.module = p.chance(0.5)
    if p.module:
        p.lines += MODULES.split("\n")
    arguments = p.program()
    return CLASSES + "\n".join(p.lines) + "\n", arguments


if __name__ == "__main__":
    import sys
    text, given = make(int(sys.argv[1]))
    print(text)
    print("# arguments:", given)
