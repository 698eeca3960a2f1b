#!/usr/bin/env python3
"""Random operator calls against PyTorch, in this process:

    python scripts/difftest/calls.py LIBTSRUN TSRUN -n 20000 -s SEED -o REPORT

Calls of every operator that a sample of PyTorch's operator database reaches are gathered first; each trial takes one and changes what it
works on: element types, strides, sizes, special values (NaN, infinities, negative zero, the ends of a type's range), numbers and flags.
Both must raise, or both must give the same values, types and shapes.  What is known and explained (EXPLAINED) is counted apart.
The last line of the report is the count of calls and of unexplained differences.  Needs torch, numpy, scipy and expecttest.
"""
import argparse
import os
import random
import re
import sys
import warnings

import torch

import compare
import database
import slices

FLOATS = [torch.float32, torch.float32, torch.float64, torch.float16, torch.bfloat16]
INTS = [torch.int64, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
LIMIT = 2000  # elements of a tensor that may take part

# (operator pattern, pattern of the difference, why): not defects
EXPLAINED = [
    (r"sort|topk|mode|median|kthvalue|unique|argmax|argmin|min|max|cummax|cummin|pool", r"differ", "which of several equal elements, or of NaN, is taken"),
    (r"linalg_(eig|eigh|svd|qr)|svd|geqrf|_linalg_(eigh|svd)|lstsq|pinv|linalg_ldl|lu|householder|ormqr|orgqr", r".*", "vectors are unique up to a factor; singular input"),
    (r".*", r"strides", "layout of a fresh result"),
    (r".*", r"text:", "both raise; the words differ"),
    (r"grid_sampl|matrix_exp|softmax|norm|var|std|mean|sum|prod|cumsum|cumprod|logcumsumexp|addmm|addmv|addbmm|baddbmm|matmul|mm|linear|conv|dist|"
     r"interpolate|upsample|loss|cross_entropy|einsum|tensordot|inner|dot|mv|attention|gelu|mish|silu|pow|trapezoid|cov|corrcoef|renorm|glu|cosine",
     r"differ.*(float16|bfloat16|half)|differ", "sums in another order, or half precision rounded at other places"),
    (r".*", r"expected (nan|-?inf)|: (nan|-?inf),", "overflow to infinity or NaN at another step"),
]


class Gather(database.Runner):
    """A runner that keeps the operands of calls instead of comparing."""
    def __init__(self, *a):
        super().__init__(*a)
        self.pool = {}

    def once(self, where, key, values):
        key, values = self.settled(key, values)
        if key is None:
            raise NotImplementedError
        pos, kw = self.split(key, values)
        want = self.operator(key)(*pos, **kw)
        kept = self.pool.setdefault(key, [])
        leaves = [t for v in values for t in (v if isinstance(v, (list, tuple)) else [v]) if isinstance(t, torch.Tensor)]
        if len(kept) < 12 and all(t.numel() <= LIMIT for t in leaves):
            kept.append([[x.clone() if isinstance(x, torch.Tensor) else x for x in v] if isinstance(v, (list, tuple)) else v.clone() if isinstance(v, torch.Tensor) else v for v in values])
        return want


def gather(runner, op_db):
    for op in op_db:
        for dtype in (torch.float32, torch.int64, torch.bool, torch.complex64):
            if not op.supports_dtype(dtype, "cpu"):
                continue
            try:
                for i, s in enumerate(database.samples_of(op, dtype, "sample")):
                    if i >= 12:
                        break
                    try:
                        runner.sample("", op.op, s)
                    except Exception:
                        pass
            except Exception:
                pass


def special(t, rng):
    """Some elements become special ones."""
    if t.numel() == 0 or rng.random() < 0.6:
        return t
    t = t.clone()
    flat = t.view(-1) if t.is_contiguous() else t.flatten()
    if t.dtype.is_floating_point or t.dtype.is_complex:
        choice = [float("nan"), float("inf"), -float("inf"), -0.0, 0.0, 1.0, -1.0, 0.5, 1e-5, 65504.0, 2.5, -2.5]
    elif t.dtype == torch.bool:
        choice = [True, False]
    else:
        i = torch.iinfo(t.dtype)
        choice = [i.min, i.max, 0, 1] if rng.random() < 0.3 else [0, 1, 2]
    for _ in range(rng.randint(1, 3)):
        flat[rng.randrange(flat.numel())] = rng.choice(choice)
    return flat.view(t.shape) if t.is_contiguous() else flat.reshape(t.shape)


def restride(runner, t, rng):
    how = rng.choice(["", "", "", "transposed", "channels_last", "stepped", "expanded"])
    if how == "expanded":
        return t.narrow(0, 0, 1).expand(t.shape) if t.dim() and t.shape[0] else t
    return runner.restrided(t, how) if how else t


def resize(t, rng):
    if t.dim() == 0 or rng.random() < 0.85:
        return t
    d = rng.randrange(t.dim())
    n = t.shape[d]
    return t.narrow(d, 0, rng.choice([0, 1, max(n - 1, 0), n])) if n else t


def retype(values, rng):
    """One other element type for all floating operands, one for all integers: mixtures now and then."""
    f, i = rng.choice(FLOATS), rng.choice(INTS)
    indices = rng.random() < 0.7  # int64 tensors are often indices: keep them

    def one(v):
        if isinstance(v, (list, tuple)):
            return [one(x) for x in v]
        if not isinstance(v, torch.Tensor):
            return v
        if rng.random() < 0.03:
            return v.to(rng.choice(FLOATS + INTS + [torch.bool])) if not v.dtype.is_complex else v
        if v.dtype.is_floating_point:
            return v.to(f)
        return v.to(i) if v.dtype == torch.int64 and not indices else v
    return [one(v) for v in values]


def renumber(v, rng):
    if isinstance(v, bool):
        return not v if rng.random() < 0.2 else v
    if isinstance(v, int):
        return rng.choice([v, v, v, v, v + 1, v - 1, 0, 1, -1, 2])
    if isinstance(v, float):
        return rng.choice([v, v, v, v, 0.0, 1.0, -1.5, 0.3])
    if isinstance(v, list) and v and all(isinstance(x, int) and not isinstance(x, bool) for x in v):
        return [renumber(x, rng) if rng.random() < 0.2 else x for x in v]
    return v


def change(runner, args, values, rng):
    values = retype(values, rng)
    out = []
    for a, v in zip(args, values):
        if isinstance(v, torch.Tensor):
            v = restride(runner, special(resize(v, rng), rng), rng)
        elif isinstance(v, (list, tuple)) and any(isinstance(x, torch.Tensor) for x in v):
            v = [restride(runner, special(x, rng), rng) if isinstance(x, torch.Tensor) else x for x in v]
        elif not any(t in str(a.real_type) for t in ("ScalarType", "Layout", "MemoryFormat", "str")):
            v = renumber(v, rng)
        out.append(v)
    return out


def explained(name, why):
    return next((reason for op, text, reason in EXPLAINED if re.search(op, name) and re.search(text, why)), None)


class Trial(database.Runner):
    def __init__(self, *a):
        super().__init__(*a)
        self.tally = {}

    def fail(self, where, key, values, why):
        name = key[0][6:] + ("." + key[1] if key[1] else "")
        reason = explained(name, why)
        self.tally[reason or "unexplained"] = self.tally.get(reason or "unexplained", 0) + 1
        if reason is None:
            super().fail(where, key, values, why)


HUGE = re.compile(r"conv|pool|unfold|fold|repeat|pad|interpol|upsample|linspace|logspace|arange|full|zeros|ones|eye|randint|tri|expand|broadcast|new_|window|vander")


def run(runner, pool, rng, count):
    keys = sorted(pool)
    for _ in range(count):
        key = rng.choice(keys)
        values = change(runner, runner.library.methods[key][2], rng.choice(pool[key]), rng)
        if HUGE.search(key[0]) and any(isinstance(x, int) and not isinstance(x, bool) and abs(x) > 300 for v in values for x in (v if isinstance(v, list) else [v])):
            continue
        try:
            runner.once("", key, values)
        except Exception as e:
            runner.note("skipped: %s" % e)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("library")
    ap.add_argument("tsrun")
    ap.add_argument("-n", type=int, default=20000)
    ap.add_argument("-s", type=int, default=1)
    ap.add_argument("-o", required=True)
    ap.add_argument("--pool", help="keep gathered calls in this file")
    ap.add_argument("-k", default="", help="only operators whose name holds this")
    a = ap.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    parts = slices.Slices(a.o)
    if a.pool and os.path.exists(a.pool):
        pool = torch.load(a.pool, weights_only=False)
    else:
        from torch.testing._internal.common_methods_invocations import op_db
        runner = Gather(a.library, a.tsrun, parts.report, parts.note)
        gather(runner, op_db)
        pool = runner.pool
        if a.pool:
            torch.save(pool, a.pool)
    runner = Trial(a.library, a.tsrun, parts.report, parts.note)
    pool = {k: v for k, v in pool.items() if v and k in runner.library.methods and a.k in k[0] and "nondeterministic_seeded" not in str(runner.operator(k).tags)}
    total, tally, step = 0, {}, 500
    for start in range(0, a.n, step):
        def work():
            run(runner, pool, random.Random(a.s * 1000003 + start), min(step, a.n - start))
            return runner.calls, runner.tally
        calls, part = parts.run("from %d" % start, work) or (0, {"died": 1})
        total += calls
        for k, v in part.items():
            tally[k] = tally.get(k, 0) + v
    lines = ["%7d  %s" % (v, k) for k, v in sorted(tally.items(), key=lambda x: -x[1])]
    last = "%d calls of %d operators, seed %d, torch %s: %d unexplained" % (total, len(pool), a.s, torch.__version__.split("+")[0], tally.get("unexplained", 0))
    parts.report.write("\n".join(lines + [last]) + "\n")
    print("\n".join(lines + [last]))


if __name__ == "__main__":
    main()
