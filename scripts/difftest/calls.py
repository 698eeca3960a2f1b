#!/usr/bin/env python3
"""Random operator calls against PyTorch, in this process:

    python scripts/difftest/calls.py LIBTSRUN TSRUN -n 20000 -s SEED -o REPORT [--pool FILE]

Calls that PyTorch accepts are gathered first, for every operator (pool.py; --pool keeps them).  Each trial takes one and changes what it works
on: element types, strides, special values (NaN, infinities, negative zero, the ends of a type's range), numbers and flags; one in three also
gets one thing that may be wrong (a size, a number out of range, a mixture of element types, an unfit out= argument).
Both must give the same values, element types, shapes and strides, or raise the same text.  Differences that are none (judge.py proves each for
the call at hand) are counted by class.  The report has a line for each difference; its last line is the count of calls, operators and
unexplained differences.  Needs torch, numpy, scipy and expecttest.
"""
import argparse
import os
import random
import re
import warnings

import torch

import compare
import database
import judge
import library
import pool as pools
import slices

FLOATS = [torch.float32, torch.float32, torch.float64, torch.float16, torch.bfloat16]
INTS = [torch.int64, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
COMPLEX = {torch.float64: torch.complex128}
UNCALLED = {"aten::is_pinned", "aten::cuda", "aten::pin_memory", "aten::_pin_memory",  # they ask for another device
            "aten::_version", "aten::set_data", "aten::_debug_has_internal_overlap", "aten::detach_",  # they look at what a caller outside has no part in
            "aten::fbgemm_pack_gemm_matrix_fp16"}  # its result is no tensor to PyTorch either
OTHER_MEANING = {("aten::view", "dtype")}  # an archive cannot name them: the same words mean another overload


def special(t, rng):
    """Some elements become special ones."""
    if t.numel() == 0 or rng.random() < 0.6:
        return t
    t = t.clone(memory_format=torch.contiguous_format)
    flat = t.view(-1)
    if t.dtype.is_floating_point or t.dtype.is_complex:
        choice = [float("nan"), float("inf"), -float("inf"), -0.0, 0.0, 1.0, -1.0, 0.5, 1e-5, 65504.0, 2.5, -2.5]
    elif t.dtype == torch.bool:
        choice = [True, False]
    else:
        i = torch.iinfo(t.dtype)
        choice = [i.min, i.max, 0, 1] if rng.random() < 0.1 else [0, 1, 2]
    for _ in range(rng.randint(1, 3)):
        flat[rng.randrange(flat.numel())] = rng.choice(choice)
    return flat.view(t.shape)


def restride(runner, t, rng, written):
    how = rng.choice(["", "", "", "transposed", "channels_last", "stepped", "" if written else "expanded"])
    if how == "expanded":
        return t.narrow(0, 0, 1).expand(t.shape) if t.dim() and t.shape[0] else t
    return runner.restrided(t, how) if how else t


def resize(t, rng):
    d = rng.randrange(t.dim()) if t.dim() else 0
    n = t.shape[d] if t.dim() else 0
    return t.narrow(d, 0, rng.choice([0, 1, n - 1])) if n else t.unsqueeze(0)


def each(v, f):
    """f of every tensor in v."""
    if isinstance(v, (list, tuple)):
        return [each(x, f) for x in v]
    return f(v) if isinstance(v, torch.Tensor) else v


def retype(values, rng):
    """One other element type for all floating operands, one for all integers."""
    f, i = rng.choice(FLOATS), rng.choice(INTS)
    indices = rng.random() < 0.7  # int64 tensors are often indices: keep them

    def one(t):
        if t.dtype.is_floating_point:
            return t.to(f)
        if t.dtype.is_complex:
            return t.to(COMPLEX.get(f, t.dtype))
        return t.to(i) if t.dtype == torch.int64 and not indices else t
    return [each(v, one) for v in values]


def harmless(a, v, rng):
    """Another flag or float, and rarely another integer."""
    if isinstance(v, bool):
        return not v if rng.random() < 0.2 else v
    if isinstance(v, float):
        return rng.choice([v, v, v, v, 0.0, 1.0, 0.3])
    return v


def renumber(v, rng):
    if isinstance(v, bool):
        return not v
    if isinstance(v, int):
        return rng.choice([v + 1, v - 1, 0, 1, -1, 2])
    if isinstance(v, float):
        return rng.choice([0.0, 1.0, -1.5, 0.3])
    if isinstance(v, list) and v and all(isinstance(x, int) and not isinstance(x, bool) for x in v):
        i = rng.randrange(len(v))
        return [renumber(x, rng) if k == i else x for k, x in enumerate(v)]
    return v


def hostile(a, v, rng):
    """One argument gets something that may be wrong."""
    if isinstance(v, (list, tuple)) and any(isinstance(x, torch.Tensor) for x in v):
        i = rng.randrange(len(v))
        return [hostile(a, x, rng) if k == i else x for k, x in enumerate(v)]
    if not isinstance(v, torch.Tensor):
        return renumber(v, rng) if not is_code(a) else v
    how = rng.randrange(4)
    if how == 0 and not v.dtype.is_complex:
        return v.to(rng.choice(FLOATS + INTS + [torch.bool]))
    if how == 1 and v.dim() and v.shape[0]:
        return v.narrow(0, 0, 1).expand(v.shape)
    return resize(v, rng)


def is_code(a):
    return any(t in str(a.real_type) for t in ("ScalarType", "Layout", "MemoryFormat", "QScheme", "str"))


def change(runner, args, values, rng):
    values = retype(values, rng)
    out = []
    wrong = rng.randrange(len(values)) if values and rng.random() < 0.33 else -1
    for k, (a, v) in enumerate(zip(args, values)):
        written = a.alias_info is not None and a.alias_info.is_write
        if a.name not in ("batch_sizes", "lengths", "offsets"):  # what is no partition is nothing at all
            v = each(v, lambda t: special(t, rng))
        v = each(v, lambda t: restride(runner, t, rng, written))
        if k == wrong:
            v = hostile(a, v, rng)
        elif not is_code(a):
            v = harmless(a, v, rng)
        out.append(v)
    return out


def twin(v):
    """A tensor with memory of its own, laid out in the same way."""
    def one(t):
        if t.is_conj() or t.is_neg() or not t.numel():
            return t.clone()
        own = t.new_empty([1 + sum((n - 1) * s for n, s in zip(t.shape, t.stride()))]).as_strided(t.shape, t.stride())
        own.as_strided([own.untyped_storage().nbytes() // own.element_size()], [1]).copy_(t.as_strided([own.untyped_storage().nbytes() // own.element_size()], [1]))
        return own
    return each(v, one)


class Trial(database.Runner):
    alone = False

    def survives(self, key, values):
        """Does tsrun's call end in a process of its own, where PyTorch has called nothing?"""
        pid = os.fork()
        if pid == 0:
            try:
                self.library.call(key, [twin(v) for v in values])
            except (library.Raised, TypeError):
                pass
            os._exit(0)
        return os.waitpid(pid, 0)[1] == 0

    def once(self, where, key, values):
        self.calls += 1
        text = "%s.%s(%s)" % (key[0], key[1], ", ".join(compare.show(v) for v in values))
        op = self.operator(key)
        pos, kw = self.split(key, [twin(v) for v in values])
        innocent = self.alone and self.survives(key, values)
        if "nondeterministic_seeded" in str(op.tags) or "_no_grad_" in key[0]:
            self.library.seed(3)
            torch.manual_seed(3)
        self.note("PyTorch died in\t" + text)
        try:
            want = op(*pos, **kw)
        except Exception as e:
            want = e
        self.note(("PyTorch died, or its memory was found damaged, in\t" if innocent else "tsrun died in\t") + text)
        try:
            got = self.library.call(key, [twin(v) for v in values])
        except library.Raised as e:
            got = e
        except TypeError as e:
            return self.note("skipped: %s" % e)
        self.note("PyTorch died, or its memory was found damaged, in\t" + text)  # the judges call it again; it may have written where it must not
        try:
            why = self.why(key, got, want)
        except RuntimeError as e:  # an element type that torch has no comparison for
            return self.note("skipped: %s" % e)
        if why:
            name = key[0][6:] + ("." + key[1] if key[1] else "") if key[0].startswith("aten::") else key[0]
            self.report.write("%s\t%s\t%s(%s)\t%s\n" % (judge.explain(self, key, values, got, want) or "unexplained", where, name,
                                                        ", ".join(compare.show(v) for v in values), why.replace("\n", " | ")))
            self.report.flush()

    def why(self, key, got, want):
        if isinstance(want, Exception):
            text = compare.plain(str(want))
            if not isinstance(got, library.Raised):
                return "must raise: " + text
            return "text: %s -- expected: %s" % (got, text) if text and compare.plain(str(got)) != text else None
        if isinstance(got, library.Raised):
            return "status %d: %s" % (got.status, got)
        if key[0] in database.UNDEFINED or key[0].rstrip("_") in database.UNDEFINED:
            return None
        if any(isinstance(t, torch.Tensor) and t.layout != torch.strided for t in judge.flat(want)):
            return None
        return compare.differ(got, want)


HUGE = re.compile(r"conv|pool|unfold|fold|repeat|pad|interpol|upsample|linspace|logspace|arange|range|full|zeros|ones|eye|rand|tri|expand|broadcast|new_|window|vander|empty|sample|fft|stft|bincount|histc|one_hot|_dim_arange")


def huge(key, values):
    """A number would make results of gigabytes."""
    return HUGE.search(key[0]) and any(isinstance(x, int) and not isinstance(x, bool) and abs(x) > 300 for v in values for x in (v if isinstance(v, list) else [v])) or \
        any(t.dtype == torch.int64 and t.numel() and HUGE.search(key[0]) and t.abs().max() > 300 for t in pools.leaves(values))


def as_number(a, v):
    """TorchScript hands a number over as int, float or complex, never as bool."""
    if "number" not in str(a.real_type) and "Scalar" not in str(a.real_type) or "ScalarType" in str(a.real_type):
        return v
    return int(v) if isinstance(v, bool) else [int(x) if isinstance(x, bool) else x for x in v] if isinstance(v, list) else v


def trial(runner, pool, keys, seed, index):
    rng = random.Random("%d:%d" % (seed, index))
    while True:
        key = rng.choice(keys)
        try:
            values = change(runner, runner.library.methods[key][2], rng.choice(pool[key]), rng)
        except RuntimeError:  # a value that the element type does not have
            continue
        values = [as_number(a, v) for a, v in zip(runner.library.methods[key][2], values)]
        settled, values = runner.settled(key, values)
        if settled is not None and not huge(key, values):
            return runner.once(str(index), settled, values)


KINDS = [("text: ", "both raise, in other words"), ("must raise: ", "PyTorch refuses, tsrun answers"), ("status ", "tsrun refuses, PyTorch answers"), ("strides ", "other strides")]


def tally(path):
    """How many lines of each class; those that no class explains by what differs."""
    classes = {}
    for line in open(path):
        name, _, _, why = (line.rstrip("\n") + "\t\t\t").split("\t")[:4]
        if name.startswith("tsrun died"):
            name = "unexplained: tsrun died"
        elif name == "unexplained":
            name = "unexplained: " + next((kind for head, kind in KINDS if why.startswith(head)), "other values, shapes or element types")
        classes[name] = classes.get(name, 0) + 1
    return classes


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("library")
    ap.add_argument("tsrun")
    ap.add_argument("-n", type=int, default=20000)
    ap.add_argument("-s", type=int, default=1)
    ap.add_argument("-o", required=True)
    ap.add_argument("--pool", help="keep gathered calls in this file")
    ap.add_argument("-k", default="", help="only operators in whose name this regular expression is found")
    ap.add_argument("-x", default="^$", help="... and this is not")
    ap.add_argument("--only", help="only these trials, comma separated")
    a = ap.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    parts = slices.Slices(a.o)
    if a.pool and os.path.exists(a.pool):
        pool = torch.load(a.pool, weights_only=False)
    else:
        pool = pools.gather(a.library, a.tsrun, parts.report, parts.note)
        if a.pool:
            torch.save(pool, a.pool)
    runner = Trial(a.library, a.tsrun, parts.report, parts.note)
    pool = {k: v for k, v in pool.items() if v and k in runner.library.methods and re.search(a.k, k[0]) and not re.search(a.x, k[0]) and k[0] not in UNCALLED and k not in OTHER_MEANING}
    keys = sorted(pool)
    todo = [int(x) for x in a.only.split(",")] if a.only else list(range(a.n))
    total = len(todo)
    while todo:
        runner.alone = parts.alone
        done = parts.each(todo[:250], lambda i: trial(runner, pool, keys, a.s, i))
        del todo[:done]
    classes = tally(a.o)
    lines = ["%7d  %s" % (v, k) for k, v in sorted(classes.items(), key=lambda x: -x[1])]
    last = "%d calls of %d operators, seed %d, torch %s: %d unexplained" % (total, len(keys), a.s, torch.__version__.split("+")[0], sum(v for k, v in classes.items() if k.startswith("unexplained")))
    parts.report.write("\n".join(lines + [last]) + "\n")
    print("\n".join(lines + [last]))


if __name__ == "__main__":
    main()
