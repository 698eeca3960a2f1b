#!/usr/bin/env python3
"""Operators on numbers, strings and lists of them, at the edges of their domains, against PyTorch, in this process:

    python scripts/difftest/scalars.py LIBTSRUN [-k NAME] [--limit CALLS]

Every operator whose arguments are integers, floats, bools, complex numbers, strings or lists of these is called with combinations of edge
values (ends of int64, infinities, NaN, both zeros, empty strings, …).  Results must be the same bits; where PyTorch raises, tsrun must raise
the same words.  An operator that kills PyTorch (a division that traps) is left at that call.  Needs torch.
"""
import argparse
import itertools
import os
import random
import re
import signal
import struct
import sys

import torch

import library

INF, NAN = float("inf"), float("nan")
EDGES = {
    "int": [0, 1, -1, 2, 3, -7, 10, 63, 64, -64, 255, 2**31, -2**31, 2**53 + 1, 2**62 + 1, 2**63 - 1, -2**63],
    "float": [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 3.7, -7.25, 1e-3, 1e9, 1e20, -1e20, 5e-324, 1.7e308, INF, -INF, NAN, -NAN, 2.0**53, 2.0**63, 0.1, 30.0],
    "bool": [False, True],
    "complex": [0j, 1 + 0j, -1j, complex(-0.0, -0.0), 2.5 - 3j, complex(INF, 1), complex(NAN, 2), -4 + 0j, complex(-4.0, -0.0), 1e200 + 1e200j, 0.3 + 0.7j, complex(1, -INF)],
    "str": ["", "a", "abc", "Hello World", "  x\ty ", "aXbXc", "-42", "3.5", "ab\nc\r\nd\n", "9", "X", " ", "aaa", "title Case here's", "\x01~"],
    "int[]": [[], [0], [3, -1, 2], [2**63 - 1, 1], [5, 5, 0, 5]],
    "float[]": [[], [0.0], [1.5, -2.0, NAN], [INF, -INF], [3.0, 3.0, -0.0, 0.0]],
    "bool[]": [[], [True], [False, True, False]],
    "str[]": [[], [""], ["b", "a", "B"], ["aa", "aa", ""]],
    "complex[]": [[], [1j]],
}
EDGES["Scalar"] = EDGES["int"][:8] + EDGES["float"][:8] + [INF, NAN, 2.5 - 3j, True]
# Not worth a call: (pattern of the name, why)
LEFT_OUT = re.compile(r"manual_seed|warn|seed|sleep|^aten::(save|wait|rand|empty|bartlett|blackman|hann|hamming|kaiser|eye|arange|linspace|logspace|zeros|ones|full|tensor|"
                      r"as_tensor|scalar_tensor|range|tril_indices|triu_indices|normal|fft|_dim_arange|_efficientzero|complex$|sym_|cudnn|set_grad|set_vital|vander|promote|result|"
                      r"can_cast|is_autocast|autocast)|prim::(rpc|Check|type|RaiseEx|Print|is_|unchecked|data|Tuple)|profiler|c10d|onednn|mkldnn|rpc|cuda|_caffe|inductor|debugprims|"
                      r"prims::|_test|symm_mem|streams|higher|static_runtime|input|cufft|get_autocast|_list_to_tensor")


def kinds(schema):
    out = []
    for a in schema.arguments:
        t = str(a.real_type)
        t = {"number": "Scalar"}.get(t, t)
        if t.startswith("Optional["):
            t = t[9:-1]
        t = {"List[int]": "int[]", "List[float]": "float[]", "List[bool]": "bool[]", "List[str]": "str[]", "List[complex]": "complex[]"}.get(t, t).rstrip("?")
        if t not in EDGES or a.alias_info is not None and a.alias_info.is_write:
            return None
        out.append(t)
    return out or None


def kills(name, call):
    """Calls of which PyTorch dies, or which take all memory or for ever."""
    short = name.split("::")[1]
    if short in ("divmod", "floordiv", "remainder", "__round_to_zero_floordiv") and isinstance(call[0], int) and call[1] in (0, -1):
        return True
    if short == "ceil" and call[0] == 2.0**63:  # overflows, and the compiler decides how
        return True
    if short in ("center", "ljust", "rjust", "zfill", "expandtabs", "rangelist", "factorial", "gcd"):
        return any(isinstance(x, int) and not 0 <= x <= 300 for x in call)
    return short in ("count", "replace", "rsplit") and "" in call[1:] or short == "ReductionSizes"


def bits(v):
    if isinstance(v, float):
        return ("float", struct.pack("d", v) if v == v else ("nan", struct.pack("d", v)[7] >> 7))
    if isinstance(v, complex):
        return ("complex", bits(v.real), bits(v.imag))
    if isinstance(v, (list, tuple)):
        return (type(v).__name__, [bits(x) for x in v])
    return (type(v).__name__, v)


def close(a, b):
    """The same, or numbers of a library function that differ in the last places."""
    if bits(a) == bits(b):
        return True
    if isinstance(a, (list, tuple)) and type(a) is type(b) and len(a) == len(b):
        return all(close(x, y) for x, y in zip(a, b))
    if isinstance(a, complex) and isinstance(b, complex):
        same = lambda x, y: x != x and y != y or close(x, y)  # the sign of NaN is that of one operand or the other
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, float) and isinstance(b, float):
        if a != a and b != b:
            return False
        return a == b and str(a) == str(b) or a != 0 and abs(a - b) <= 4e-16 * abs(a)
    return False


def last(e):
    return re.sub(r"^(RuntimeError|IndexError|ValueError): ", "", str(e).strip("\n").split("\nException raised from")[0].split("\n")[-1])


def trial(lib, key, schema, types, limit, report):
    calls = list(itertools.product(*(EDGES[t] for t in types)))
    if len(calls) > limit:
        calls = random.Random(1).sample(calls, limit)
    space, name = schema.name.split("::")
    operator = getattr(getattr(getattr(torch.ops, space), name), schema.overload_name or "default")
    different = 0
    for call in calls:
        if kills(schema.name, call) or name == "chr" and not 0 < call[0] < 128:
            continue
        report(call, True)
        want = got = text = None
        pos = {a.name: v for a, v in zip(schema.arguments, call) if a.kwarg_only}
        try:
            want = operator(*[v for a, v in zip(schema.arguments, call) if not a.kwarg_only], **pos)
        except Exception as e:
            text = last(e)
        if isinstance(want, torch.Tensor) or "INTERNAL ASSERT" in (text or "") or want is None and text is None:
            continue
        try:
            got = lib.call(key, list(call))
        except library.Raised as e:
            got = e
        except TypeError:
            continue
        if text is not None and isinstance(got, library.Raised) and text.split(". ")[0] in str(got) or text is None and close(want, got):
            continue
        different += 1
        if different <= 3:
            report("%s%r: %r, expected %r" % (key, call, got if not isinstance(got, Exception) else "raised " + str(got)[:150], want if text is None else "raised " + text[:150]), False)
    return different


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("library")
    ap.add_argument("-k", default="")
    ap.add_argument("--limit", type=int, default=400)
    a = ap.parse_args()
    schemas = [s for s in torch._C._jit_get_all_schemas() if s.name.split("::")[0] in ("aten", "prim") and a.k in s.name and kinds(s) and not LEFT_OUT.search(s.name) and s.overload_name != "int_to_int"]
    lib = library.Library(os.path.abspath(a.library), schemas)
    total = bad = 0
    for s in schemas:
        key = (s.name, s.overload_name)
        if key not in lib.methods:
            continue
        sys.stdout.flush()
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            signal.alarm(10)  # some of PyTorch's searches for an empty string never end
            state = {"n": 0}

            def report(x, call):
                if call:
                    state["n"] += 1
                else:
                    print(x, flush=True)
            n = 1
            try:
                n = trial(lib, key, s, kinds(s), a.limit, report)
            except BaseException as e:
                print("%s: %s: %s" % (key, type(e).__name__, str(e)[:200]), flush=True)
            os.write(write, b"%d %d" % (state["n"], n))
            os._exit(0)
        os.close(write)
        got = os.read(read, 100)
        os.close(read)
        os.waitpid(pid, 0)
        if not got:
            print("%s: killed" % (key,))
            continue
        n, b = map(int, got.split())
        total += n
        bad += b
    print("%d calls of %d operators, torch %s: %d differences" % (total, len(schemas), torch.__version__.split("+")[0], bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
