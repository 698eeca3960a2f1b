"""Lists, dictionaries and tuples."""
from typing import Dict, List, NamedTuple, Optional, Tuple

import torch
from torch import Tensor

from corpus.base import I, T, case


@case([5, 3, 8, 1])
def list_methods(xs: List[int]):
    ys = xs.copy()
    ys.append(9)
    ys.extend([7, 7])
    ys.insert(1, 100)
    ys.insert(-1, 200)
    p = ys.pop()
    q = ys.pop(0)
    ys.remove(8)
    ys.reverse()
    n = ys.count(7)
    i = ys.index(100)
    zs = list(ys)
    zs.sort()
    zs.sort(reverse=True)
    ys += [1]
    return xs, ys, p, q, n, i, zs, sorted(xs), len(ys), 3 in xs, 42 not in xs


@case([0, 1, 2, 3, 4, 5, 6])
def list_slices(xs: List[int]):
    a = xs[2:5]
    b = xs[::2]
    c = xs[::-1]
    d = xs[-3:]
    e = xs[5:1:-2]
    f = xs[100:]
    ys = xs[:]
    ys[-1] = 99
    return a, b, c, d, e, f, ys, xs[-2], xs + [7], xs * 2, [0] * 3


@case([1, 2])
def list_clear_and_eq(xs: List[int]):
    ys = xs.copy()
    same = ys == xs
    ys.clear()
    e: List[float] = []
    return same, ys, xs, ys == xs, [1.5] == [1.5], ["a"] == ["b"], e, [True] == [True]


@case([2.5, -1.0], ["b", "a"], [True, False])
def list_types(f: List[float], s: List[str], b: List[bool]):
    f.append(0.5)
    s.append("c")
    b.append(True)
    return sorted(f), sorted(s), f, s, b, sum(f), max(f), s[0] + s[-1], "-".join(s), sum([1, 2]), all(b)


@case([T(2), T(2, seed=2), T(2, seed=3)])
def list_of_tensors(xs: List[Tensor]):
    ys = [x * 2 for x in xs]
    ys.append(xs[0])
    ys[1] = xs[2]
    ys.reverse()
    total = torch.zeros(2)
    for y in ys:
        total = total + y
    return torch.stack(ys), torch.cat(xs, 0), total, ys.pop(), len(ys)


@case([[1, 2], [3], []])
def nested_lists(xs: List[List[int]]):
    flat: List[int] = []
    for row in xs:
        for v in row:
            flat.append(v)
    xs[2].append(9)
    alias = xs[0]
    alias.append(77)
    ys = [[r * 2 for r in row] for row in xs]
    return flat, xs, ys, len(xs[0]), xs[-1][-1]


@case([3, 1], 4)
def list_aliasing(xs: List[int], n: int):
    ys = xs
    zs = xs.copy()
    ys.append(n)
    grow(xs)
    pair = (xs, zs)
    pair[1].append(-1)
    return xs, ys, zs, pair


def grow(xs: List[int]) -> None:
    xs.append(1000)


@case({"a": 1, "b": 2})
def dict_methods(d: Dict[str, int]):
    e = d.copy()
    e["c"] = 3
    e["a"] = 10
    got = e.get("zz")
    got2 = e.get("zz", 5)
    got3 = e.get("a", 5)
    p = e.pop("b")
    p2 = e.pop("q", -1)
    s = e.setdefault("n", 8)
    e.update({"u": 1, "c": 4})
    last = e.popitem()
    total = 0
    order: List[str] = []
    for k in e:
        total += e[k]
        order.append(k)
    for k, v in e.items():
        total += v * 10
    n = len(e)
    del e["n"]
    return d, e, got, got2, got3, p, p2, s, last, total, order, n, "c" in e, "zz" in e, list(e.keys()), list(e.values())


@case({1: T(2), -5: T(2, seed=2)})
def dict_int_keys(d: Dict[int, Tensor]):
    d[7] = d[1] + d[-5]
    out = torch.zeros(2)
    for k, v in d.items():
        out = out + v * k
    e = {k: v.sum() for k, v in d.items()}
    return out, e, list(d.keys())


@case(3)
def dict_key_types(n: int):
    f = {1.5: "a", 0.25: "b"}
    b = {True: 1, False: 0}
    t: Dict[str, List[int]] = {}
    for i in range(n):
        key = str(i % 2)
        if key not in t:
            t[key] = torch.jit.annotate(List[int], [])
        t[key].append(i)
    e: Dict[str, float] = {}
    d = dict([("k", 1), ("l", 2)])
    return f, b, t, e, len(e), d, {"x": {"y": 1}}


@case({"w": T(2, 2), "b": T(2)}, "w")
def dict_of_tensors(p: Dict[str, Tensor], key: str):
    q: Dict[str, Tensor] = {}
    for k in sorted(p.keys()):
        q[k + "_out"] = p[k] * 2
    q[key] = p[key]
    return q


@case({"a": 1, "b": 2})
def dict_clear_bool(d: Dict[str, int]):
    n = len(d)
    ok = False
    if d:
        ok = True
    d.clear()
    empty = not bool(len(d))
    return n, ok, empty, d


@case((1, 2.5, "s"), T(2))
def tuples(t: Tuple[int, float, str], x: Tensor):
    a, b, c = t
    u = (x, t)
    v = t[0] + len(t)
    w = (a,) + (c, b)
    nested = ((1, (2, 3)), [4])
    (p, (q, r)), l = nested
    return u, v, w, t[1], t[-1], p + q + r + l[0], t[0:2], ()


@case([(1, "a"), (0, "b")])
def list_of_tuples(xs: List[Tuple[int, str]]):
    total = 0
    names = ""
    for n, s in xs:
        total += n
        names += s
    xs.append((5, "c"))
    xs.sort()
    return total, names, xs, xs[0][1], (1, 2) == (1, 2)


class Point(NamedTuple):
    x: int
    y: float = 2.0
    tag: str = "none"


@case(T(2))
def named_tuple_basic(t: Tensor):
    p = Point(3, 1.5, "here")
    q = Point(x=7)
    x, y, tag = p
    return p, q, p.x + q.x, p.y * q.y, tag + q.tag, p[0], len(p)


class Box(NamedTuple):
    corner: Tensor
    sizes: List[int]
    label: Optional[str]


def grown(b: Box, n: int) -> Box:
    return Box(b.corner + n, [s + n for s in b.sizes], b.label)


@case(T(2), 3)
def named_tuple_functions(t: Tensor, n: int):
    b = Box(t, [1, 2], None)
    c = grown(b, n)
    boxes = [b, c]
    boxes.append(grown(c, 1))
    total = 0
    for k in boxes:
        total += sum(k.sizes)
        if k.label is not None:
            total += 1000
    return c.corner, boxes[2].sizes, total, c.label


@case([None, 3, None, 4])
def list_of_optionals(xs: List[Optional[int]]):
    total = 0
    gaps: List[int] = []
    for i, x in enumerate(xs):
        if x is not None:
            total += x
        else:
            gaps.append(i)
    return total, gaps


@case({"a": [T(2), T(2, seed=2)], "b": [T(3)]})
def deep_structure(d: Dict[str, List[Tensor]]):
    out: Dict[str, Tuple[int, List[Tensor]]] = {}
    for k, v in d.items():
        out[k] = (len(v), [t * len(v) for t in v])
    return out


@case([(1, [2.0]), (2, [3.0, 4.0])], {"k": (1, "v")})
def structured_inputs(a: List[Tuple[int, List[float]]], b: Dict[str, Tuple[int, str]]):
    s = 0.0
    for n, fs in a:
        for f in fs:
            s += n * f
    return s, b["k"][1], a[1][1][0]


@case([4, 2, 9])
def list_to_tensor(xs: List[int]):
    return (torch.tensor(xs), torch.tensor([1.5, 2.0]), torch.tensor([[1, 2], [3, 4]]), torch.tensor(3), torch.tensor(2.5), torch.tensor(True),
            torch.tensor(xs, dtype=torch.float32), torch.tensor([[True], [False]]), torch.as_tensor(xs))


@case(T(2, 3), I(4))
def tensor_to_lists(x: Tensor, i: Tensor):
    a: List[List[float]] = x.tolist()
    b: List[int] = i.tolist()
    c: int = i[1].tolist()
    d: float = x[0, 0].tolist()
    return a, b, c, d


@case(["pear", "fig", "apple", "fig"], [2.0, 1.0], [True, False, True])
def list_methods_by_type(ss: List[str], fs: List[float], bs: List[bool]):
    n = ss.count("fig")
    i = ss.index("apple")
    ss.remove("fig")
    ss.sort()
    fs.insert(0, 9.5)
    fs.reverse()
    fs.sort(reverse=True)
    f = fs.pop(1)
    bs.extend([False])
    b = bs.pop()
    ss.extend(["x", "y"])
    del ss[0]
    return n, i, ss, fs, f, bs, b, ss == ["fig"], ss != ["fig"], sorted(bs), fs.index(9.5), ss[::-1], bs[1:], min(fs)


@case([T(2), T(2, seed=2)], T(2))
def tensor_list_methods(xs: List[Tensor], t: Tensor):
    ys = xs + [t]
    ys.extend(xs)
    ys.insert(1, t * 2)
    p = ys.pop(0)
    zs = ys[::2]
    ys[0] += 1
    ys.reverse()
    n = len(ys)
    ys.clear()
    ws = [torch.zeros(1)] * 2
    ws[0] += 1
    return p, zs, n, ys, ws


@case({3: "c", 1: "a"}, {"x": 1.5})
def dict_forms(d: Dict[int, str], e: Dict[str, float]):
    f = dict(e)
    f["y"] = 2.5
    g = {k: v for k, v in zip([1, 2], ["p", "q"])}
    h: Dict[int, int] = {}
    for i in range(5):
        h[i % 3] = h.get(i % 3, 0) + i
    words: List[str] = []
    for k in sorted(d.keys()):
        words.append(d[k])
    b = {True: "t"}
    b[False] = "f"
    keys = [k for k in f]
    return f, e, g, h, words, len(d), d.get(7, "none"), 3 in d, b, keys, d.pop(3), d, [v for v in f.values()]


@case([[1.5, 2.0], [3.0]], 2)
def ragged_to_padded(rows: List[List[float]], fill: int):
    width = max([len(r) for r in rows])
    out = torch.full([len(rows), width], float(fill))
    for i, r in enumerate(rows):
        out[i, :len(r)] = torch.tensor(r)
    sizes = torch.tensor([len(r) for r in rows])
    return out, sizes, torch.nn.utils.rnn.pad_sequence([torch.tensor(r) for r in rows], True, -1.0)


@case(3, "x")
def named_tuples_as_text(n: int, s: str):
    p = Point(n, n + 1.0, s)
    q = [p, Point(0)]
    print(p, q, {1: p}, (p, s))
    return str(p), "{}".format(p), f"{q}", str((p, 2))
