"""Statements and expressions of the TorchScript language."""
import math
import warnings
from typing import Any, Dict, List, Optional, Tuple, Union

import torch
from torch import Tensor

from corpus.base import I, T, case


@case(T(3, 4), 3)
def if_else(x: Tensor, n: int):
    if n > 5:
        y = x + 1
    elif n > 2:
        y = x * 2
    else:
        y = x - 3
    if bool(y.sum() > 0):
        y = -y
    return y


@case(T(2, 3), 5)
def for_range(x: Tensor, n: int):
    total = torch.zeros(2, 3)
    for i in range(n):
        total = total + x * i
    for i in range(2, 9, 3):
        total = total - i
    for i in range(7, -4, -2):
        total = total + float(i)
    return total


@case(17)
def while_loop(n: int):
    steps = 0
    seen: List[int] = []
    while n != 1:
        seen.append(n)
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps, seen


@case(I(12, seed=3), 4)
def break_continue(x: Tensor, limit: int):
    out: List[int] = []
    for i in range(x.size(0)):
        v = int(x[i])
        if v < 0:
            continue
        if v > limit + 3:
            break
        out.append(v * i)
    i = 0
    while True:
        i += 1
        if i % 3 == 0:
            continue
        if i > 10:
            break
        out.append(i)
    return out


@case([3, -1, 4, -1, 5])
def early_return(xs: List[int]):
    for i, x in enumerate(xs):
        if x == 4:
            return i, "found"
        for j in range(3):
            if j * x == -2:
                return j, "inner"
    return -1, "none"


@case(6, [1, 2, 3])
def nested_loops(n: int, xs: List[int]):
    table: List[List[int]] = []
    for i in range(n):
        row: List[int] = []
        for x in xs:
            for k in range(i):
                if k * x > 6:
                    break
                row.append(k * x + i)
        table.append(row)
    return table


@case([5, 6, 7], [1.5, 2.5])
def zip_enumerate(a: List[int], b: List[float]):
    out: List[float] = []
    for i, (p, q) in enumerate(zip(a, b)):
        out.append(i + p * q)
    for p, q, r in zip(a, b, a):
        out.append(p + q + r)
    for i, s in enumerate(["x", "yy"], 10):
        out.append(float(i + len(s)))
    return out


@case(3, -4)
def swap_and_parallel(a: int, b: int):
    for i in range(5):
        a, b = b, a + b
    (c, d), e = (a, b), a - b
    return a, b, c, d, e


@case(7, 2.5, True)
def arithmetic(i: int, f: float, b: bool):
    return (i + 3, i - 3, i * f, i / 2, i // 2, -i // 2, i % 3, -i % 3, i ** 2, f ** 0.5, -f, abs(-i), i & 5, i | 8, i ^ 3, i << 2,
            i >> 1, not b, f // 0.7, f % 0.7, -f % 0.7, divmod(i, 3), divmod(-f, 0.7), int(f), float(i), bool(i), round(f), round(-3.5))


@case(9223372036854775807, -9223372036854775807)
def integer_wrap(a: int, b: int):
    return a + 1, b - 2, a * 3, -b, a // 2, a % 1000, (a + b) * 7, a == b, a > b


@case(2.0, 0.3)
def math_functions(x: float, y: float):
    return [math.sqrt(x), math.exp(y), math.log(x), math.log10(x), math.log1p(y), math.expm1(y), math.sin(x), math.cos(x),
            math.tan(x), math.asin(y), math.acos(y), math.atan(x), math.atan2(x, y), math.sinh(x), math.cosh(x), math.tanh(y), math.asinh(x),
            math.acosh(x), math.atanh(y), math.pow(x, y), math.fmod(-x, y), math.fabs(-x), math.copysign(x, -1.0), math.degrees(x), math.radians(x),
            math.erf(y), math.erfc(y), math.gamma(x), math.lgamma(y), math.ldexp(x, 3), math.pi, math.e, math.inf, math.log(x, 3.0)]


@case(2.7, -2.2, 12, 18)
def math_integers(x: float, y: float, a: int, b: int):
    m, e = math.frexp(x)
    fr, ip = math.modf(y)
    return (math.floor(x), math.ceil(x), math.floor(y), math.ceil(y), math.gcd(a, b), math.factorial(5), m, e, fr, ip,
            math.isnan(math.nan), math.isinf(-math.inf), math.isfinite(x))


@case(1, 2.5)
def min_max_sum(a: int, b: float):
    xs = [3, 1, 2]
    fs = [0.5, -1.5]
    return (min(a, 4), max(b, 1.0), min(xs), max(fs), sum(xs), sum(fs), min(1, 2, 0), max(2.0, 3.0), any([False, True]), all([True, False]),
            any([0, 3]))


@case(5)
def comparisons(n: int):
    a = n < 6 and n > 4
    b = n <= 5 or n != 5
    c = not (n == 5) or n >= 9
    d = 3 < n < 6
    e = "a" < "b" and "b" >= "a" and "x" != "y"
    return a, b, c, d, e, [1, 2] == [1, 2], [1.0] != [2.0], (n if a else -n), n is not None


@case(T(3), 2)
def ternary(x: Tensor, n: int):
    y = x + 1 if n > 1 else x - 1
    k = "big" if n > 1 else "small"
    z = (x if n == 0 else y) if k == "big" else -x
    return y, k, z


@case(4, None, T(2))
def short_circuit(n: int, o: Optional[int], x: Tensor):
    a = o is not None and o > 3
    b = o is None or o > 3
    c = n > 0 and bool(x.sum() > -100.0)
    return a, b, c


@case(None, 3, T(2, 2))
def optional_refinement(a: Optional[int], b: Optional[int], x: Optional[Tensor]):
    total = 0
    if a is not None:
        total += a
    if b is not None:
        total += b
    else:
        total -= 1
    if x is None:
        y = torch.zeros(1)
    else:
        y = x * 2
    if a is None and b is not None:
        total += b * 10
    assert x is not None
    return total, y, x.sum()


@case(2, "s", T(2))
def union_types(a: Union[int, str], b: Union[int, str], c: Union[Tensor, List[Tensor]]):
    out = 0
    if isinstance(a, int):
        out = a + 1
    else:
        out = len(a)
    if isinstance(b, str):
        out += len(b) * 100
    if isinstance(c, Tensor):
        r = [c]
    else:
        r = c
    return out, r


@case(1)
def any_values(n: int):
    out: List[str] = []
    things: List[Any] = [1, 2.5, "t", True, [1, 2], (3, "u"), torch.zeros(1), None]
    for t in things:
        if isinstance(t, bool):
            out.append("bool")
        elif isinstance(t, int):
            out.append("int " + str(t + n))
        elif isinstance(t, float):
            out.append("float")
        elif isinstance(t, str):
            out.append("str " + t)
        elif isinstance(t, Tensor):
            out.append("tensor")
        elif t is None:
            out.append("none")
        elif isinstance(t, List[int]):
            out.append("list " + str(len(t)))
        else:
            out.append("other")
    return out


def helper(x: Tensor, scale: float = 2.0, names: Optional[List[str]] = None) -> Tuple[Tensor, int]:
    if names is None:
        return x * scale, 0
    return x + scale, len(names)


@case(T(2, 2))
def calls_and_defaults(x: Tensor):
    a, n = helper(x)
    b, m = helper(x, 3.0)
    c, k = helper(x, names=["p", "q"])
    d, j = helper(names=None, scale=0.5, x=x)
    return a, b, c, d, n, m, k, j


@case(T(4), 3.5, 2)
class ArgumentsWithDefaults(torch.nn.Module):
    def forward(self, x: Tensor, a: float = 1.5, n: int = 7, s: str = "word", flag: bool = False, dims: Tuple[int, int] = (1, 2),
                o: Optional[float] = None):
        if o is None:
            return x * a + n, s, flag, dims
        return x, s, True, dims


@case(T(5))
class OnlyDefaultsGiven(torch.nn.Module):
    def forward(self, x: Tensor, a: float = 1.5, n: int = -7, big: float = 1e-30, low: float = -math.inf):
        return x * a + n, big, low


@case("Hello, World", 42, 3.14159)
def format_strings(s: str, n: int, f: float):
    return (f"{s} has {len(s)} letters and {n}", "{} / {}".format(n, f), "%d %s" % (n, s), "a" + s + "b", "{}".format([1, 2]),
            "{}{}".format(True, None), str(n) + str(f) + str(True) + str([1.5, 2.0]), "%f|%d|%s|%%|%i" % (f, n, "ab", 7))


@case("  The quick, brown fox  ")
def string_methods(s: str):
    t = s.strip()
    return [t.upper(), t.lower(), t.capitalize(), t.title(), t.swapcase(), t.replace("quick", "slow"), t.lstrip("T"), t.rstrip("xof"),
            t.center(30, "*"), t.ljust(25) + "|", t.rjust(25) + "|", t.zfill(26), "-".join(t.split(" ")), t[4:9], t[::2], t[-3:], t[3],
            "\t".expandtabs(4) + "x"]


@case("a1b22c", "b2")
def string_queries(s: str, t: str):
    return (s.find(t), s.rfind("2"), s.index("b"), s.count("2"), s.startswith("a1"), s.endswith("c"), t in s, "zz" in s, s.isalnum(), s.isalpha(),
            "12".isdigit(), "ab".islower(), "AB".isupper(), " ".isspace(), "Ab Cd".istitle(), "ab".isidentifier(), ord("a"), chr(98), len(s),
            hex(255), oct(8), bin(5), int("12"), float("2.5"), s == t, s < t)


@case("one two  three\nfour", "a,b,,c")
def string_splits(s: str, t: str):
    return s.split(), t.split(","), t.split(",", 1), s.splitlines(), s.partition(" "), t.rpartition(","), t.rsplit(",", 1)


@case(T(2, 3))
def numbers_from_tensors(x: Tensor):
    a = int(x[0, 0] * 100)
    b = float(x.sum())
    c = x.max().item()
    d = bool((x > -100).all())
    e = x.size(0) * x.shape[1] + x.dim() + x.numel() + len(x)
    return a, b, c, d, e


@case(complex(1.5, -2.0), 3)
def complex_numbers(z: complex, n: int):
    w = z * 2.0
    return w, z + n, z * z, z / (1 + 1j), abs(z), complex(n, 4.0), z == w, -z, z - 1.0


@case(T(3, 3))
def assertions(x: Tensor):
    assert x.dim() == 2, "must be a matrix"
    assert x.size(0) == x.size(1)
    return x.t()


@case(T(4))
def none_and_del(x: Tensor):
    y = x + 1
    z = y * 2
    del y
    d = {"a": 1, "b": 2}
    del d["a"]
    l = [1, 2, 3]
    del l[1]
    nothing = None
    return z, d, l, nothing


@case(4)
def local_function_values(n: int):
    fs = [1, 2, 3]
    total = 0
    for f in fs:
        total = add_twice(total, f, n)
    return total


def add_twice(a: int, b: int, n: int) -> int:
    return a + b + b + n


def twice_then(x: Tensor, n: int) -> Tensor:
    return x * 2 + n


@case(T(3), 2)
def fork_wait(x: Tensor, n: int):
    a = torch.jit.fork(twice_then, x, n)
    b = torch.jit.fork(twice_then, x + 1, n + 1)
    later: List[torch.jit.Future[Tensor]] = []
    for i in range(3):
        later.append(torch.jit.fork(twice_then, x, i))
    y = torch.jit.wait(a) + torch.jit.wait(b)
    for f in later:
        y = y + torch.jit.wait(f)
    return y


@case(T(2, 2), 3)
def prints(x: Tensor, n: int):
    print("n is", n, 2.5, True, None)
    print([1, 2], (1, "a"), {"k": 1.5}, "")
    print("1.0", 1.0, 1e20, 1e-5, -0.5, 100000.0, 3.0e10)
    print(["a", "b"], [True], [1.0, 2.5])
    return x


@case(T(2, 3))
def with_no_grad(x: Tensor):
    with torch.no_grad():
        y = x * 2
    with torch.no_grad():
        z = y + 1
    return y, z


@case([1, 2, 3, 4], ["a", "bb"])
def comprehensions(xs: List[int], ss: List[str]):
    squares = [x * x for x in xs]
    lengths = {s: len(s) for s in ss}
    shifted = [x + i for i, x in enumerate(xs)]
    floats = [float(x) / 2 for x in range(4)]
    tensors = torch.stack([torch.full([2], x) for x in xs])
    return squares, lengths, shifted, floats, tensors


@case(1.0)
def special_floats(x: float):
    a = float("inf")
    b = float("nan")
    return a, -a, b, x / 3.0, 1e300 * 1e10, 1e-320, 123456789.0, 0.1 + 0.2, -0.0, 1e17, 123456.5e4


@case(T(2, 5))
def unpacking(x: Tensor):
    a, b = x.unbind(0)
    n, m = x.size()
    first, (second, third) = 1, (2, 3)
    v, i = x.max(1)
    q, r = divmod(17, 5)
    c, d, e = x.split([2, 2, 1], 1)
    return a - b, n, m, first + second + third, v, i, q, r, c, d, e


@case(5)
def many_locals(n: int):
    a = n + 1
    b = a * 2
    if n > 3:
        a = b
        c = a + b
        if c > 20:
            b = c - a
        else:
            c = b
    else:
        c = a
    i = 0
    while i < 3:
        c, b = b + i, c
        i += 1
    return a, b, c, i


@case("naïve ☃ 日本", "é")
def unicode_strings(s: str, t: str):
    return s + t, "constant ☃ é", ["ü", "x"], {"ключ": "значение"}, "tab\tquote\"back\\slash\nline"


@case(T(6), T(6, seed=2))
def chained_temporaries(x: Tensor, y: Tensor):
    return torch.relu(torch.sigmoid(torch.add(torch.mul(x, y), torch.sub(x, y) * torch.tanh(x + y))) - 0.5) + (x + y) * (x - y) / (1.0 + x * x) - torch.abs(y)


@case(10)
def fibonacci_memo(n: int):
    memo: Dict[int, int] = {0: 0, 1: 1}
    for i in range(2, n + 1):
        memo[i] = memo[i - 1] + memo[i - 2]
    return memo[n], memo


@case(60)
def sieve(n: int):
    composite = [False for _ in range(n)]
    primes: List[int] = []
    for i in range(2, n):
        if not composite[i]:
            primes.append(i)
            j = i * i
            while j < n:
                composite[j] = True
                j += i
    return primes


@case("kitten", "sitting")
def edit_distance(a: str, b: str):
    row = [j for j in range(len(b) + 1)]
    for i in range(len(a)):
        previous = row[0]
        row[0] = i + 1
        for j in range(len(b)):
            keep = row[j + 1]
            cost = 0 if a[i] == b[j] else 1
            row[j + 1] = min(row[j + 1] + 1, row[j] + 1, previous + cost)
            previous = keep
    return row[-1]


@case(7, 2.5, True, False)
def mixed_scalars(i: int, f: float, p: bool, q: bool):
    numbers = [i - f, f - i, i + f, f * i, f / i, i / f, i ** f, f ** i, 2.0 ** 3, float(p), float("1e3"), float(round(f)), f // i, i // f, i % f,
               f % i]
    tests = [i < f, f < i, i > f, f > i, i <= f, f >= i, i == f, f != i, i == 7.0, p ^ q, p | q, p & q, p == q, p != q, bool(f), bool(i), bool(0.0)]
    whole = [i + 1, int(p), int(-2.9), i - 9, -7 // 2, -7 % 3, 7 % -3, int("-12"), i * i - 1]
    return numbers, tests, whole, divmod(i, f), divmod(f, i), divmod(-7, 2), 2 ** -1, 2 ** 10


@case(3, 1.5, True, T(1))
def complex_construction(i: int, f: float, b: bool, t: Tensor):
    z = complex(i, i + 1)
    w = complex(f, -f)
    return (z, w, complex(b, False), complex(i, f), complex(f, i), z + w, z - 1, z * f, 2 + z, z != w,
            [z, w])


@case([3, 0, 2], ["b", "a", "b"], 0.5)
def truth_and_membership(xs: List[int], ss: List[str], f: float):
    empty: List[int] = []
    a = 1 if xs else 2
    b = 1 if empty else 2
    c = "yes" if ss and not empty else "no"
    n = 0
    while xs:
        n += xs.pop()
    return a, b, c, n, "a" in ss, "z" not in ss, f in [0.5, 1.0], any(ss), any([f, 0.0]), all([1, 2]), len(ss) and 5, not ss


@case("text", None)
def optional_strings(s: Optional[str], t: Optional[str]):
    out: List[str] = []
    for v in [s, t]:
        if v is not None:
            out.append(v.upper())
        else:
            out.append("nothing")
    n = len(s) if s is not None else 0
    return out, n, s is None, t is None


@case(T(3))
def tensors_as_conditions(x: Tensor):
    n = 0
    if (x > -100).all():
        n += 1
    if x.sum() > 1e6 or x[0] == x[0]:
        n += 10
    if not (x != x).any():
        n += 100
    while x.abs().sum() > 0.1:
        x = x / 2
        n += 1000
    if x.size(0) == 3 and x.dim() == 1 and x.dtype == torch.float32:
        n += 5
    return n, x


@case([0.0, 1.5, -2.25, 1e300], ["", "a", "eight678", "a longer text, not of eight bytes"])
def hashes(xs: List[float], texts: List[str]):
    out = [hash(x) for x in xs]
    out += [hash(t) for t in texts]
    out += [hash(True), hash(7), hash(-7)]
    return out, hash((1, 2.5, "ab")), hash((1, (2, 3))), hash(torch.device("cuda:1"))


@case(-3, 16777217, 2.5, "text")
def percent_formats(n: int, big: int, x: float, s: str):
    out = ["%d %i" % (n, big), "%d" % x, "%e|%E" % (x, x), "%e" % big, "%f|%F" % (x, n), "%f" % big]
    out += ["%c%c" % (65, "z"), "%s %s %s" % (s, x, [n, big]), "100%%" % ()]
    out.append("%f %e" % (1e39, 1e300))
    return out


@case(2)
def complex_infinities(n: int):
    z = complex(0.0, float("inf"))
    w = complex(float("nan"), 1.0)
    return n + z, z + 1.5, z - z, z == z, w == w, z * 2, abs(z)


@case(T(2, 3, 4, 5))
def devices_dtypes_layouts(x: Tensor):
    d = x.device
    same = d == torch.device("cpu")
    other = torch.device("cuda", 1)
    last = x.contiguous(memory_format=torch.channels_last)
    flags = [x.dtype == torch.float32, x.dtype == torch.float64, x.layout == torch.strided, same, other == d]
    return flags, d.type, other.type, other.index, last.stride(), last.is_contiguous(), torch.zeros_like(x, dtype=torch.int16)[0, 0, 0], str(d), str(other)


@case(5)
def own_generator(n: int):
    g = torch.Generator(device="cpu")
    g.manual_seed(17)
    a = torch.randn([n], generator=g)
    b = torch.randint(0, 100, [n], generator=g)
    g.manual_seed(17)
    return a, b, torch.randn([n], generator=g), g.initial_seed()


@case(3)
def warnings_and_scripting(n: int):
    if not torch.jit.is_scripting():
        n += 1000
    for i in range(n):
        warnings.warn("number {}".format(i))
    print(n, None, True, 1.5, "text", [1, 2], {"k": 1.0}, (1, "a"), torch.device("cpu"))
    return n


@case(T(3), T(3))
def record_function_scopes(x: Tensor, y: Tensor):
    with torch.autograd.profiler.record_function("outer"):
        with torch.autograd.profiler.record_function("inner"):
            a = x + y
        b = a * 2
    return b


@case(10, [5, 1, 4, 2, 3])
def countdowns(n: int, xs: List[int]):
    out: List[int] = []
    for i in range(n, -1, -3):
        out.append(i)
    for i in range(n, 0):
        out.append(-1)
    for i in range(-2, 2):
        out.append(i)
    for x in xs[::-1]:
        out.append(x)
    return out, xs[4:1:-2], xs[-1:0:-1], xs[10:2:-1], xs[-100:2], xs[:-100:-1], "stressed"[::-1], "abcdef"[-2:1:-2]


@case(T(2, 3), T(4, 3), form="traced")
def einsum_with_numbers(x, y):
    return torch.einsum(x, [0, 1], y, [2, 1], [0, 2]), torch.einsum(x, [30, 7])


def waited(x: Tensor) -> Tensor:
    return x * 2


@case(T(3))
def awaits(x: Tensor):
    w = torch.jit._awaitable(waited, x)
    a = torch.jit._awaitable_wait(w)
    b = torch.jit._awaitable_wait(w)
    n = torch.jit._awaitable_nowait(x)
    return a + b + torch.jit._awaitable_wait(n)


def waited_for(xs: List[int], n: int) -> int:
    print("runs", n)
    xs.append(n)
    return n * 2


Await = getattr(torch.jit, "_Await", List)  # 1.13 has none: its case is left out there


def waits(w: Await[int]) -> int:
    print("waits")
    return torch.jit._awaitable_wait(w)


@case(3)
def awaits_are_lazy(n: int):
    xs = [n]
    w = torch.jit._awaitable(waited_for, xs, n)
    v = torch.jit._awaitable(waited_for, xs, n + 1)
    never = torch.jit._awaitable(waited_for, xs, n + 100)
    print("made", xs)
    a = waits(v)
    xs.append(-1)
    for i in range(3):
        a += torch.jit._awaitable_wait(v) + torch.jit._awaitable_wait(w)
        print("round", i, xs)
    known = torch.jit._awaitable_nowait(n)
    return a + torch.jit._awaitable_wait(known), xs


@case([5, -5, 0, 2 ** 62 + 1, 2 ** 63 - 2, -2 ** 63], [5, -3, 2 ** 63 - 1, -2 ** 63])
def integer_divisions_at_the_edges(a: List[int], b: List[int]):
    out: List[Tuple[int, int, Tuple[int, int]]] = []
    for x in a:
        for y in b:
            out.append((x // y, x % y, divmod(x, y)))
    return out


@case([0.001, -0.001, 5.5, -6.0, 1e300, float("inf"), float("nan"), -0.0], [3.0, -3.0, 7.1, float("inf"), -float("inf"), 0.0])
def float_divisions_at_the_edges(a: List[float], b: List[float]):
    out: List[Tuple[float, float]] = []
    for x in a:
        for y in b:
            out.append((x // y, x % y))
            if y != 0.0:
                q, r = divmod(x, y)
                out.append((q, r))
    print(out)
    return out


@case([5, -5, 0, 2 ** 31, 2 ** 32 + 1], [3.0, -0.1, 7.1], [4, -3, 2 ** 33 + 2])
def mixed_divmod(a: List[int], b: List[float], c: List[int]):
    out: List[Tuple[float, float]] = []
    for x in a:
        for y in b:
            out.append(divmod(x, y))
    for y in b:
        for z in c:
            out.append(divmod(y, z))
    return out


@case(torch.tensor(0.3, dtype=torch.float64), torch.tensor(0.3 + 0.7j, dtype=torch.complex128), torch.tensor(-7))
def functions_of_numbers_from_tensors(x: Tensor, z: Tensor, n: Tensor):
    a, c, i = x.item(), z.item(), n.item()
    return (-a, math.sqrt(a), math.sin(a), math.exp(a), abs(c), a + 1, a * 3, -i, abs(i), math.floor(a), math.degrees(a), i // 2, i % 4, a == 0.3, float(a), int(i))


@case(0.0, -1.0, float("inf"))
def signs_of_nan(zero: float, minus: float, inf: float):
    a, b, c = inf - inf, zero * inf, math.sqrt(minus)
    print(a, b, c, -a, [a, -a], {1: b}, (c, 1), str(a), "{}".format(-a), "%s %f" % (a, b), zero / inf)
    print(complex(1.5, zero), complex(zero, minus), complex(inf, a), complex(minus, -inf))
    return a, b, c


@case(complex(1.5, -2.0), complex(-0.0, 0.0), 2.0, 3)
def complex_with_reals(z: complex, w: complex, f: float, n: int):
    out = [z + f, f + z, z - n, n - z, z * f, f * w, z + w, z * w, w - f, -w, z ** 2.0, 2.0 ** z]
    print(out)
    return out


@case("Hello World", "ab\nc\r\nd\n")
def string_methods_at_the_edges(s: str, lines: str):
    return (s.find("", 40, 3), s.find("o", 5), s.rfind("o", 0, 6), s.startswith("lo", 3), s.startswith("World", 6, 2), s.endswith("o", 0, 5), s.count("l", 3, 9), lines.splitlines(True),
            lines.splitlines(), s.rsplit("o", 1), "x".rsplit("", 2), s[::-1], s[20:], s[-3:9223372036854775807], chr(65), chr(321), int("  -42"), int("+7"), float(" 1e3"), float("0x10"), float("inf"))


@case([1.5, 3.0, float("nan"), -2.5, float("inf"), float("nan"), 0.0], [(2.0, 1), (float("nan"), 0), (1.0, 5), (2.0, 0)])
def sorting_with_nan(xs: List[float], ps: List[Tuple[float, int]]):
    up = sorted(xs)
    xs.sort(reverse=True)
    pairs = sorted(ps)
    ps.sort(reverse=True)
    print(up, xs, pairs, ps)
    return up, xs


@case([1, 2, 6, 20, 25, 66])
def factorials_and_ranges(ns: List[int]):
    a = [math.factorial(n) for n in ns]
    b: List[int] = []
    for i in range(4611686018427387904, 9223372036854775807, 2305843009213693952):
        b.append(i)
    for i in range(-4611686018427387904, -9223372036854775803, -2305843009213693952):
        b.append(i)
    return a, b, list(range(9, 0, -4)), [math.floor(2.0 ** 53), math.ceil(-2.5)], hash(7), round(2.5), round(-0.5)


@case([0, 1, -1, 2, 6, -7, 65520, 65521, 2 ** 31 - 1, 2 ** 31, -2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 12345, -2 ** 32 - 1, 10 ** 18 + 7,
       -10 ** 18 - 7, 2 ** 63 - 1, -2 ** 63 + 1])
def divisions_by_constants(xs: List[int]):
    out: List[List[int]] = []
    for x in xs:
        out.append([x // 1, x % 1, x // 2, x % 2, x // 3, x % 3, x // 7, x % 7, x // 10, x % 10, x // 4096, x % 4096, x // 65521, x % 65521])
        out.append([x // 2147483647, x % 2147483647, x // 2147483648, x % 2147483648, x // -1, x % -1, x // -3, x % -3, x // -65521, x % -65521])
        for y in xs:
            if y != 0:
                out.append([x // y, x % y])
    return out


@case(24, [3, 1, 4, 1, 5, 9, 2, 6])
def carried_numbers(n: int, xs: List[int]):
    a, b, c = 0, 1, 2.5
    flag, was = False, True
    trace: List[int] = []
    for i in range(n):
        a, b = b, a + b                       # exchanged: what is written last still needs what was first
        flag, was = was, not flag
        if a % 3 == 0:
            kept = a
        else:
            if b > 100:
                kept = a + xs[i % 8]
                if flag:
                    kept = kept - 1
            else:
                kept = a
                trace.append(kept)
        old = a
        a = kept % 1009
        if was:
            c = c * 1.5
        else:
            c, a = c - float(old), a + 1
        while b > 2000:
            b, old = b // 3, b
            trace.append(old)
        trace.append(a)
    x = n
    for i in range(3):
        y = x
        x = x + i
        if x > y:
            y, x = x, y
        trace.append(x - y)
    return a, b, c, flag, was, trace


@case([5, 0, 3], fails=True)
def division_inside_a_loop(xs: List[int]):
    total = 0
    for x in xs:
        total = total + 100 // x
    return total


@case(7, 5, True)
def carried_numbers_nested(n: int, k: int, up: bool):
    last, seen, p, q = -1, 0, 1, 2
    out: List[int] = []
    for i in range(n):
        last = i                              # the counter itself is handed on
        u, v = q, p
        for j in range(k):
            if j > i:
                break
            u, v = v, u + j                   # starts as the outer pair exchanged
            last = last + j
            if v % 5 == 4:
                continue
            seen = j
        p, q = v, u
        while up and p > 3:
            p = p - 2
            if p % 7 == 0:
                up = False
        m = k
        while m != 0:                         # tested where it is carried
            m = m - 1
            if m == i:
                out.append(m * 100 + seen)
        same = q
        if q > p:
            q = p
        out.append(same - q)
        up = not up or i == k
    done = False
    steps, best, at = 0, 0.0, -1
    while not done:
        x = float(steps * 7 % 11)
        if x > best:
            best, at = x, steps
        steps += 1
        done = steps >= n + k
    y = n if up else (k if done else last)
    z = y
    if z > 3:
        z, y = y - 1, z + 1
    return last, seen, p, q, up, out, steps, best, at, y, z


@case([0.0, -0.0, 1.5, float("nan"), float("inf"), -float("inf"), -2.25])
def float_branches(xs: List[float]):
    out: List[int] = []
    for a in xs:
        for b in xs:
            n = 0
            if a < b:
                n += 1
            if a <= b:
                n += 2
            if a > b:
                n += 4
            if a >= b:
                n += 8
            if a == b:
                n += 16
            if a != b:
                n += 32
            if not (a < b):
                n += 64
            while a > b and n < 1000:
                n += 300
            out.append(n)
    return out, [float(i) / 2 for i in range(4)]


@case([0.0, 0.0, 1.0, -0.0, 0.0, -2.5, float("inf"), 1.0, -float("inf"), float("nan"), 2.0, 3.0, 0.0, 0.0, -1.0, float("inf"), float("inf"), 0.0, 5.0, 1e300, 1e-300, 1e308, 1e308,
       -2.5, 100.125, -2.0, 3.25, 0.1, -7.3, 6.9, 0.7, -0.3, 8.1, 1.1, -5.7, 4.3, 3.3, -9.7])
def complex_quotients(xs: List[float]):
    for i in range(len(xs) - 3):
        z = complex(xs[i], xs[i + 1]) / complex(xs[i + 2], xs[i + 3])
        print(z)
        z /= complex(0.3, 0.7)
        print(z, z / complex(3.0, 0.0))


@torch.jit.script
def steps_until(x: Tensor, n: int) -> Tensor:
    ys: List[Tensor] = []
    for i in range(5):
        ys.append(x + i)
        if i == n:
            raise ValueError("step " + str(i))
    return torch.stack(ys).sum(0)


@torch.jit.script
def whole_part(a: int, b: int) -> int:
    return a // b


@torch.jit.script
def all_forked(x: Tensor, n: int) -> Tensor:
    a = torch.jit.fork(steps_until, x, n)
    b = torch.jit.fork(whole_part, 7, n - 3)
    x = torch.jit.wait(a) if n > 4 else x
    return x * torch.jit.wait(b)


@case(T(3), 3)
def forks_that_nobody_waits_for(x: Tensor, n: int):
    """What a forked function raises is raised by who waits for it."""
    a = torch.jit.fork(steps_until, x, n)
    b = torch.jit.fork(whole_part, 7, n - 3)
    c = [torch.jit.fork(steps_until, x * i, i + 3) for i in range(4)]
    y = torch.zeros(3)
    for i in range(len(c)):
        if i > 1:
            y = y + torch.jit.wait(c[i])
    print("all started")
    d = torch.jit.fork(all_forked, x, n)
    e = torch.jit.fork(all_forked, x, n + 2)
    z = torch.jit.wait(e)
    if n == 9:
        z = torch.jit.wait(a) + torch.jit.wait(b) + torch.jit.wait(d)
    return y, z
