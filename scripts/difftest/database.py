#!/usr/bin/env python3
"""Every sample of PyTorch's operator database, operator by operator, against tsrun in this process:

    python scripts/difftest/database.py LIBTSRUN TSRUN -o REPORT [-k SUBSTRING] [--kinds sample,reference,error] [--limit N]

Each sample is traced; every operator of the trace is run by both on the same operands: as it is, on operands with other strides, in its
in-place form and in its out= form.  Samples that must raise are compared by their text.  Needs torch, numpy, scipy and expecttest.
"""
import argparse
import copy
import random
import signal
import subprocess
import sys
import time
import warnings

import numpy
import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

import compare
import library
import slices

DTYPES = [torch.float32, torch.int64, torch.bool, torch.float64, torch.bfloat16, torch.float16, torch.uint8, torch.complex64,
          torch.int32, torch.int8, torch.int16, torch.complex128]
# contents are not defined, or belong to the process
UNDEFINED = {"aten::empty", "aten::empty_like", "aten::new_empty", "aten::empty_strided", "aten::new_empty_strided", "aten::empty_permuted",
             "aten::resize_", "aten::resize_as_", "aten::resize", "aten::resize_as", "aten::empty_quantized", "aten::_resize_output_"}


def seed_all(value):
    torch.manual_seed(value)
    random.seed(value)
    numpy.random.seed(value % 2**32)


class Runner:
    def __init__(self, path, tsrun, report, note):
        names = {line.split("(")[0] for line in subprocess.run([tsrun, "ops"], capture_output=True, text=True).stdout.splitlines()}
        every = torch._C._jit_get_all_schemas()
        self.all = {(s.name, s.overload_name): s for s in every}
        have = [s for s in every if s.name.split("::")[0] in ("aten", "quantized") and "Tensor" in str(s) and s.name + ("." + s.overload_name if s.overload_name else "") in names]
        self.library = library.Library(path, have)
        self.report, self.note = report, note
        self.seen, self.calls, self.bad, self.outs = set(), 0, 0, {}

    def operator(self, key):
        packet = getattr(getattr(torch.ops, key[0].split("::")[0]), key[0].split("::")[1])
        return getattr(packet, key[1] or "default")

    def split(self, key, values):
        """Positional and keyword arguments of PyTorch's own call."""
        _, schema, args = self.library.methods[key]
        given = dict(zip((a.name for a in args), values))
        pos, kw, positional = [], {}, True
        for a in schema.arguments:
            positional = positional and not a.kwarg_only and a.name in given
            if a.name not in given:
                continue
            v = given[a.name]
            t = str(a.real_type)
            if isinstance(v, int) and not isinstance(v, bool):
                if "ScalarType" in t:
                    v = library.FROM_CODE[v]
                elif "Layout" in t:
                    v = {0: torch.strided, 1: torch.sparse_coo}[v]
                elif "MemoryFormat" in t:
                    v = {n: f for f, n in library.FORMATS.items()}[v]
            if positional:
                pos.append(v)
            else:
                kw[a.name] = v
        return pos, kw

    def fail(self, where, key, values, why):
        self.bad += 1
        name = key[0] + ("." + key[1] if key[1] else "")
        self.report.write("%s\t%s(%s)\t%s\n" % (where, name, ", ".join(compare.show(v) for v in values), why.replace("\n", " | ")))
        self.report.flush()

    def settled(self, key, values):
        """The overload that an archive's code would mean, and values as its types want them."""
        _, _, args = self.library.methods[key]
        for a, v in zip(args, values):
            if str(a.real_type) == "Tensor" and isinstance(v, (bool, int, float, complex)):
                key = (key[0], "Scalar")
        values = [[v] * (a.N or 1) if isinstance(v, int) and str(a.real_type) in ("List[int]", "int[]", "Optional[List[int]]", "int[]?", "SymInt[]") else v
                  for a, v in zip(args, values)]
        return (key, values) if key in self.library.methods and len(self.library.methods[key][2]) == len(values) else (None, values)

    def once(self, where, key, values):
        """One call by both; PyTorch's answer, or None when it raised."""
        given = key
        key, values = self.settled(key, values)
        if key is None:
            return self.operator(given)(*values)
        self.calls += 1
        self.note("%s %s.%s(%s)" % (where, key[0], key[1], ", ".join(compare.show(v) for v in values)))
        op = self.operator(key)
        schema = self.library.methods[key][1]
        draws = "nondeterministic_seeded" in str(op.tags)
        pos, kw = self.split(key, values)
        if draws:
            self.library.seed(3)
            torch.manual_seed(3)
        try:
            got = self.library.call(key, values)
        except library.Raised as e:
            got = e
        except TypeError:
            return None
        try:
            want = op(*pos, **kw)
        except Exception as e:
            text = compare.plain(str(e))
            if not isinstance(got, library.Raised):
                if "not implemented for" not in text and "nyi" not in text.lower():
                    self.fail(where, key, values, "must raise: " + text)
            elif text and compare.plain(str(got)) != text:
                self.fail(where, key, values, "text: %s -- expected: %s" % (got, text))
            return None
        if isinstance(got, library.Raised):
            self.fail(where, key, values, "status %d: %s" % (got.status, got))
            return want
        if key[0] in UNDEFINED or key[0].rstrip("_") in UNDEFINED:
            return want
        try:
            why = compare.differ(got, want)
        except Exception as e:
            why = "cannot be compared: %s" % e
        if why:
            self.fail(where, key, values, why)
        return want

    def signature(self, key, values):
        def one(v):
            if isinstance(v, torch.Tensor):
                return (v.dtype, tuple(v.shape), v.stride())
            return tuple(one(x) for x in v) if isinstance(v, (list, tuple)) else repr(v)
        return key, tuple(one(v) for v in values)

    def restrided(self, t, how):
        if not isinstance(t, torch.Tensor) or t.dim() < 1 or t.layout != torch.strided:
            return t
        if how == "transposed":
            return t.mT.contiguous().mT if t.dim() >= 2 else torch.stack([t, t], -1)[..., 0]
        if how == "channels_last" and t.dim() in (4, 5):
            return t.contiguous(memory_format=torch.channels_last if t.dim() == 4 else torch.channels_last_3d)
        if how == "stepped":
            return torch.stack([t, torch.zeros_like(t)], 0)[0].repeat_interleave(2, -1)[..., ::2]
        return t

    def out_form(self, key):
        """(key of the out= form, how many results it takes), looked up once."""
        if key not in self.outs:
            base = [(a.name, str(a.real_type)) for a in self.all[key].arguments]
            found = None
            for (name, overload), s in self.all.items():
                if name == key[0] and any(a.is_out for a in s.arguments) and (name, overload) in self.library.methods:
                    if [(a.name, str(a.real_type)) for a in s.arguments if not a.is_out and a.name not in ("dtype", "layout")] == [b for b in base if b[0] not in ("dtype", "layout", "device", "pin_memory")] or \
                            [(a.name, str(a.real_type)) for a in s.arguments if not a.is_out] == base:
                        found = (name, overload)
            self.outs[key] = found
        return self.outs[key]

    def variants(self, where, key, values, want):
        tensors = [v for v in values if isinstance(v, torch.Tensor)]
        for how in ("transposed", "channels_last", "stepped"):
            if any(t.numel() > 20000 for t in tensors):
                break
            other = [[self.restrided(x, how) for x in v] if isinstance(v, (list, tuple)) else self.restrided(v, how) for v in values]
            if self.signature(key, other) != self.signature(key, values):
                self.once(where + "/" + how, key, other)
        inplace = (key[0] + "_", key[1])
        if inplace in self.library.methods and isinstance(values[0], torch.Tensor) and len(self.library.methods[inplace][2]) == len(values):
            self.once(where + "/inplace", inplace, [v.clone() if isinstance(v, torch.Tensor) else v for v in values])
        out = self.out_form(key)
        results = list(want) if isinstance(want, (tuple, list)) else [want]
        if out and all(isinstance(r, torch.Tensor) for r in results):
            given = dict(zip((a.name for a in self.library.methods[key][2]), values))
            outs = iter(results)
            full, n = [], 0
            for a in self.library.methods[out][2]:
                if a.is_out and "[]" in str(a.real_type):
                    full.append([torch.empty([0], dtype=r.dtype) for r in results])
                elif isinstance(want, list):
                    return
                elif a.is_out:
                    r = next(outs, None)
                    if r is None:
                        return
                    full.append(torch.empty([0], dtype=r.dtype))
                elif a.name in given:
                    full.append(given[a.name])
                else:
                    return
            self.once(where + "/out", out, full)

    def walk(self, where, graph, inputs, deep):
        env = dict(zip((v.unique() for v in graph.inputs()), inputs))
        for node in graph.nodes():
            kind = node.kind()
            ins = [env.get(v.unique()) for v in node.inputs()]
            if kind == "prim::Constant":
                out = node.output().toIValue()
                env[node.output().unique()] = out
                continue
            if kind in ("prim::ListConstruct", "prim::TupleConstruct"):
                env[node.output().unique()] = list(ins) if kind == "prim::ListConstruct" else tuple(ins)
                continue
            if kind in ("prim::ListUnpack", "prim::TupleUnpack"):
                for v, x in zip(node.outputs(), ins[0]):
                    env[v.unique()] = x
                continue
            if kind == "prim::NumToTensor":
                env[node.output().unique()] = torch.tensor(ins[0])
                continue
            if kind == "aten::Int":
                env[node.output().unique()] = int(ins[0])
                continue
            text = node.schema()
            if text == "(no schema)" or not kind.startswith("aten::"):
                raise NotImplementedError(kind)
            head = text.split("(")[0]
            name, _, overload = head.partition(".")
            key = (name, overload)
            schema = self.all.get(key)
            if key not in self.library.methods:
                op = self.operator(key)
                want = op(*[v for v, a in zip(ins, schema.arguments) if not a.kwarg_only], **{a.name: v for v, a in zip(ins, schema.arguments) if a.kwarg_only and v is not None})
                self.note("missing " + head)
                if ("missing", head) not in self.seen:
                    self.seen.add(("missing", head))
                    self.report.write("%s\t%s\tnot called: no such method\n" % (where, head))
            else:
                wanted = [a.name for a in self.library.methods[key][2]]
                values = [v for v, a in zip(ins, schema.arguments) if a.name in wanted]
                sign = self.signature(key, values)
                known = sign in self.seen and not deep
                self.seen.add(sign)
                if known:
                    pos, kw = self.split(key, values)
                    want = self.operator(key)(*pos, **kw)
                else:
                    mutates = any(a.alias_info is not None and a.alias_info.is_write for a in schema.arguments)
                    want = self.once(where, key, values)
                    if want is None and schema.returns:
                        return
                    if not mutates:
                        self.variants(where, key, values, want)
            outs = list(node.outputs())
            if len(outs) == 1:
                env[outs[0].unique()] = want
            else:
                for v, x in zip(outs, want):
                    env[v.unique()] = x

    def sample(self, where, op, s):
        leaves, spec = tree_flatten((s.input, s.args, s.kwargs))
        idx = [i for i, v in enumerate(leaves) if isinstance(v, torch.Tensor)]
        if not idx or any(leaves[i].layout != torch.strided or leaves[i].numel() > 200000 or leaves[i].is_quantized for i in idx):
            return

        def call(*tensors):
            full = list(leaves)
            for i, t in zip(idx, tensors):
                full[i] = t
            first, args, kwargs = tree_unflatten(full, spec)
            return op(first, *args, **kwargs)
        ts = tuple(leaves[i].detach().clone() for i in idx)
        self.note(where + " tracing")
        graph = torch.jit.trace(call, copy.deepcopy(ts), check_trace=False).inlined_graph
        self.walk(where, graph, [leaves[i].detach() for i in idx], False)


def samples_of(op, dtype, kind):
    seed_all(11)
    if kind == "sample":
        return op.sample_inputs("cpu", dtype, requires_grad=False)
    if kind == "reference":
        return op.reference_inputs("cpu", dtype, requires_grad=False)
    return (e.sample_input for e in op.error_inputs("cpu")) if op.error_inputs_func else ()


def errors(runner, where, op, dtype):
    """Samples that must raise: called by name, since they cannot be traced."""
    for i, e in enumerate(op.error_inputs("cpu")):
        s = e.sample_input
        name = "aten::" + op.name.replace("nn.functional.", "").replace(".", "_")
        function = op.op
        found = torch.jit._builtins._find_builtin(function) or name
        args = (s.input,) + tuple(s.args)
        try:
            _, overloads = None, torch._C._jit_resolve_packet(found, *args, **s.kwargs)
        except Exception:
            continue
        key = (found, "" if overloads == "default" else overloads)
        if key not in runner.library.methods:
            continue
        _, schema, wanted = runner.library.methods[key]
        given = dict(zip((a.name for a in schema.arguments), args))
        given.update({"self" if k == "input" else k: v for k, v in s.kwargs.items()})
        try:
            values = [given[a.name] if a.name in given else a.default_value for a in wanted]
        except Exception:
            continue
        leaves = tree_flatten(values)[0]
        if any(isinstance(v, torch.Tensor) and (v.layout != torch.strided or v.device.type != "cpu") for v in leaves):
            continue
        runner.once("%s/error%d" % (where, i), key, values)


def run_operator(runner, op, a, name):
    for kind in a.kinds.split(","):
        if kind == "error":
            if op.error_inputs_func is not None:
                try:
                    errors(runner, name, op, torch.float32)
                except Exception as e:
                    runner.note("%s errors: %s" % (name, e))
            continue
        for dtype in DTYPES:
            if not op.supports_dtype(dtype, "cpu"):
                continue
            where = "%s/%s/%s" % (name, str(dtype)[6:], kind)
            start = time.time()
            try:
                for i, s in enumerate(samples_of(op, dtype, kind)):
                    if i >= a.limit or time.time() - start > a.seconds:
                        break
                    try:
                        seed_all(5)
                        runner.sample("%s/%d" % (where, i), op.op, s)
                    except Exception as e:
                        if a.verbose:
                            runner.report.write("%s/%d\tskipped: %s\n" % (where, i, str(e).split("\n")[0][:200]))
            except Exception:
                pass


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("library")
    ap.add_argument("tsrun")
    ap.add_argument("-o", required=True)
    ap.add_argument("-k", default="")
    ap.add_argument("--kinds", default="sample,error")
    ap.add_argument("--limit", type=int, default=1000)
    ap.add_argument("--seconds", type=float, default=20, help="at most this long for one operator and element type")
    ap.add_argument("--shard", default="0/1", help="I/N: every Nth operator from the Ith on")
    ap.add_argument("-v", "--verbose", action="store_true")
    a = ap.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    from torch.testing._internal.common_methods_invocations import op_db
    parts = slices.Slices(a.o)
    runner = Runner(a.library, a.tsrun, parts.report, parts.note)
    shard, shards = map(int, a.shard.split("/"))
    total = 0
    for i, op in enumerate(op_db):
        name = op.name + ("." + op.variant_test_name if op.variant_test_name else "")
        if a.k not in name or i % shards != shard:
            continue

        def work():
            run_operator(runner, op, a, name)
            return runner.calls
        total += parts.run(name, work) or 0
    print("%d calls" % total)


if __name__ == "__main__":
    main()
