"""One call of an operator in an archive, for scripts/make_calls.py: arguments that PyTorch accepts, and the text that calls it.

Arguments come from RECIPES, from samples of PyTorch's operator database, or from what fits the schema's types; the first call that PyTorch
answers twice with the same, and whose archive means this very overload, is taken.  The archives' code is written here and not by
torch.jit.save: PyTorch renames some operators (arccos to acos) when it compiles, and old archives hold the old names.
"""
import ast
import io
import itertools
import math
import os
import re
import signal

import torch

from corpus import base
from corpus.calls import DROPPED, OUT, QUANTIZED, RECIPES, Samples, guesses, type_of

LISTS = {"t": "Tensor", "n": "int", "f": "float", "s": "str", "b": "bool", "c": "complex"}
# contents are not defined: only their shapes count
SHAPES_ONLY = re.compile(r"aten::(_?empty|new_empty|resize|_resize|_efficientzero)")
LEFT_OUT = re.compile(r"prim::(TimePoint|id$)|aten::_get_cpu_capability|aten::hash$|aten::(seed|get_rng|set_rng)|profiler::")


class Unfit(Exception):
    pass


class Program:
    """The text of a method that calls operators, and its inputs: lists of tensors, numbers and strings."""
    def __init__(self):
        self.lines, self.results = [], []
        self.inputs = {k: [] for k in LISTS}

    def given(self, v):
        """An element of an input list that is this value."""
        kind = next(k for k, t in zip("tbnfsc", (torch.Tensor, bool, int, float, str, complex)) if isinstance(v, t))
        known = self.inputs[kind]
        for i, x in enumerate(known):
            if x is v or (kind != "t" and repr(x) == repr(v)) or (kind == "t" and x.dtype == v.dtype and x.shape == v.shape and x.stride() == v.stride()
                                                                  and not v.is_quantized and not x.is_quantized and torch.equal(x, v)):
                return "%s[%d]" % (kind, i)
        known.append(v)
        return "%s[%d]" % (kind, len(known) - 1)

    def text(self, v, type_, plain):
        """plain: numbers and strings are inputs, since the compiler computes with constants."""
        if isinstance(v, torch.Tensor) or isinstance(v, complex) or (plain and isinstance(v, (bool, int, float, str))) or (isinstance(v, float) and not math.isfinite(v)):
            return self.given(v)
        if isinstance(v, (list, tuple)):
            inner = re.sub(r"^(?:Optional\[)?List\[(.*?)\](?:\])?$", r"\1", type_)
            inner = {"t": type(v[0]).__name__ if v else "int", "Scalar": "int"}.get(inner, inner)
            inner += "]" * (inner.count("[") - inner.count("]"))
            text = "[%s]" % ", ".join(self.text(x, inner, plain) for x in v)
            return "annotate(List[%s], %s)" % (inner, text) if not v or any(x is None for x in v) or "Optional" in inner else text
        if isinstance(v, dict):
            return "{%s}" % ", ".join("%s: %s" % (self.text(k, "", plain), self.text(x, "", plain)) for k, x in v.items())
        if isinstance(v, torch.device):
            return 'torch.device("%s")' % v
        if v is None or isinstance(v, (bool, int, float, str)):
            return repr(v)
        code = {torch.strided: 0, torch.contiguous_format: 0, torch.preserve_format: 1, torch.channels_last: 2}.get(v)
        if code is None:
            raise Unfit(type(v).__name__)
        return str(code)

    def variable(self, name, v, text):
        """A name of its own for what is written to."""
        if isinstance(v, torch.Tensor):
            text = "torch.clone(%s)" % text
        elif isinstance(v, list) and v and isinstance(v[0], torch.Tensor):
            text = "[%s]" % ", ".join("torch.clone(%s)" % self.given(x) for x in v)
        self.lines.append("%s = %s" % (name, text))
        return name

    def call(self, schema, values, outs=()):
        """values: by name.  What is returned, or else what was written to, is a result."""
        k, parts, written, outs = len(self.results), [], [], iter(outs)
        plain = not any("Tensor" in type_of(a) for a in schema.arguments)
        for a in schema.arguments:
            if a.name not in values:
                continue
            v = values[a.name]
            if v is OUT:
                empty = lambda: "torch.empty([0], dtype=%d)" % next(outs, 6)
                text = "[%s]" % ", ".join(empty() for _ in range(values.get("#outs", 1))) if type_of(a).startswith("List") else empty()
            else:
                text = self.text(v, type_of(a), plain)
            if a.alias_info is not None and a.alias_info.is_write:
                text = self.variable("v%d_%s" % (k, a.name), v, text)
                written.append(text)
            parts.append("%s=%s" % (a.name, text) if a.kwarg_only else text)
        space, name = schema.name.split("::")
        call = "%s.%s(%s)" % ({"aten": "torch", "prim": "prim"}.get(space, "ops." + space), name, ", ".join(parts))
        if schema.returns:
            self.lines.append("r%d = %s" % (k, call))
            self.results.append("torch.zeros_like(r%d)" % k if SHAPES_ONLY.match(schema.name) else "r%d" % k)
        elif written:
            self.lines.append("_%d = %s" % (k, call))
            self.results.append(written[0])
        else:
            raise Unfit("nothing to see")

    def code(self):
        return "def forward(self%s):\n  %s\n  return (%s,)\n" % ("".join(", %s: List[%s]" % p for p in LISTS.items()), "\n  ".join(self.lines), ", ".join(self.results))

    def module(self):
        """Compiled by PyTorch from the text that the archive gets."""
        text = self.code()
        for pattern, new in ((r"\bannotate\(", "torch.jit.annotate("), (r"\bprim\.", "torch.ops.prim."), (r"\bops\.(?=\w+\.)(?<!torch\.ops\.)", "torch.ops."),
                             (r"\btorch\.(?!ops\.|jit\.|device\()", "torch.ops.aten.")):
            text = re.sub(pattern, new, text)
        m = torch.jit._recursive.wrap_cpp_module(torch._C.ScriptModule("__torch__.Calls", torch._C.CompilationUnit(), True))
        m.define(text)
        return m

    def archive(self):
        """The bytes of the archive whose code is the text as it stands here."""
        m = self.module()
        returned = m.forward.schema.returns[0].type.annotation_str
        code = "class Calls(Module):\n  __parameters__ = []\n  __buffers__ = []\n" + "".join("  " + line + "\n" for line in self.code().replace("(self", "(self: __torch__.Calls", 1).splitlines())
        code = code.replace("):\n", ") -> %s:\n" % returned, 1) if ") ->" not in code else code
        code = code.replace("class Calls(Module) -> %s:" % returned, "class Calls(Module):").replace("List[complex]):", "List[complex]) -> %s:" % returned)
        return base.with_code(m, code)

    def arguments(self):
        return tuple(list(self.inputs[k]) for k in LISTS)


def run(m, arguments):
    torch.manual_seed(5)
    with torch.no_grad():
        return base.plain(m(*[list(a) for a in arguments]))


def same(a, b):
    if isinstance(a, torch.Tensor):
        if a.layout != torch.strided or a.is_nested:
            raise Unfit("of another layout")
        if a.is_quantized:
            return torch.equal(a.int_repr(), b.int_repr())
        return a.dtype == b.dtype and a.shape == b.shape and a.stride() == b.stride() and torch.equal(torch.nan_to_num(a) if a.is_floating_point() else a, torch.nan_to_num(b) if b.is_floating_point() else b)
    if isinstance(a, (list, tuple)):
        return all(same(x, y) for x, y in zip(a, b))
    return a == b or a != a


def dtypes_of(schema, values):
    """Codes of the element types of the results, for the out= arguments."""
    given = {k: v for k, v in values.items() if v is not OUT}
    for s in torch._C._jit_get_schemas_for_operator(schema.name):
        if any(a.is_out for a in s.arguments) or not set(given) <= {a.name for a in s.arguments}:
            continue
        try:
            program = Program()
            program.call(s, given)
            result = run(program.module(), program.arguments())[0]
            return [CODES[r.dtype] for r in (result if isinstance(result, (list, tuple)) else [result])]
        except Exception:
            pass
    return [6] * 4


CODES = {torch.uint8: 0, torch.int8: 1, torch.int16: 2, torch.int32: 3, torch.int64: 4, torch.float16: 5, torch.float32: 6, torch.float64: 7,
         torch.complex64: 9, torch.complex128: 10, torch.bool: 11, torch.bfloat16: 15}


def works(schema, values):
    """Does PyTorch answer this call, the same each time, and does the archive mean this overload?  Codes of the element types of its out= arguments."""
    tries = [()]
    if any(v is OUT for v in values.values()):
        outs = dtypes_of(schema, values)
        if any(v is OUT and type_of(a).startswith("List") for a in schema.arguments for v in [values.get(a.name)]):
            values["#outs"] = len(outs)
        tries = [outs] + [[code] * max(len(outs), 4) for code in (6, 4, 11, 9, 7)]
    last = Unfit("nothing")
    for dtypes in tries:
        try:
            program = Program()
            program.call(schema, values, dtypes)
            m = torch.jit.load(io.BytesIO(program.archive()))
            nodes = [n for n in m.graph.nodes() if "(" in n.schema()]
            heads = [n.schema().split("(")[0].partition(".") for n in nodes]
            if not any((h[0] == schema.name or h[0].split("::")[0] == "aten" and schema.name not in [n.kind() for n in nodes]) and h[2] == schema.overload_name for h in heads):
                raise Unfit("another overload")
            if same(run(m, program.arguments()), run(m, program.arguments())):
                return dtypes
        except Unfit:
            raise
        except Exception as e:
            last = e
    raise last


def candidates(schema, samples):
    """Dictionaries of arguments that might do."""
    form = "key" if any(type_of(a).startswith("Dict") for a in schema.arguments) else "quantized" if QUANTIZED.match(schema.name) else ""
    for sample in samples.of(schema.name):
        values = {}
        for a in schema.arguments:
            if a.is_out:
                values[a.name] = OUT
            elif a.name in sample and not (isinstance(sample[a.name], torch.Tensor) and type_of(a) in ("float", "int", "Scalar", "bool")) and (sample[a.name] is not None or not a.has_default_value()):
                values[a.name] = sample[a.name]
            elif not a.has_default_value():
                fit = guesses(a, form)
                if not fit:
                    break
                values[a.name] = fit[0]
        else:
            yield values
            for a in schema.arguments:  # a number where the sample has a tensor, and the other way round
                v = values.get(a.name)
                if type_of(a) in ("Scalar", "float", "int") and isinstance(v, torch.Tensor):
                    yield dict(values, **{a.name: 2})
                if type_of(a) == "Tensor" and isinstance(v, (int, float)):
                    yield dict(values, **{a.name: torch.tensor(v)})
                if type_of(a).startswith("List[Tensor") and isinstance(v, (int, float)):
                    yield dict(values, **{a.name: [torch.tensor(v)] * 2})
                if type_of(a).startswith("List[Scalar") and not isinstance(v, (list, tuple)) or type_of(a) == "List[Scalar]" and isinstance(v, (list, tuple)) and any(isinstance(x, torch.Tensor) for x in v):
                    yield dict(values, **{a.name: [2] * (len(v) if isinstance(v, (list, tuple)) else 2)})
    need = [a for a in schema.arguments if not a.is_out and not a.has_default_value()]
    outs = {a.name: OUT for a in schema.arguments if a.is_out}
    for n, values in enumerate(itertools.product(*[guesses(a, form) for a in need])):
        if n >= 60:
            return
        yield dict(zip((a.name for a in need), values), **outs)
    if need and not outs:  # everything given
        for n, values in enumerate(itertools.product(*[guesses(a, form) for a in schema.arguments])):
            if n >= 30:
                return
            yield dict(zip((a.name for a in schema.arguments), values))


def apart(work):
    """work() in a process of its own: some arguments end PyTorch's.  What it returned, in plain values."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        try:
            os.write(write, repr(work())[:60000].encode())
        finally:
            os._exit(0)
    os.close(write)
    got = b""
    while True:
        part = os.read(read, 65536)
        if not part:
            break
        got += part
    os.close(read)
    os.waitpid(pid, 0)
    return ast.literal_eval(got.decode()) if got else None


def first_that_works(schema, tries):
    """(its index, codes of the outs' element types) of the first arguments that will do, or the last reason why not."""
    why = "no argument fits"
    for i, values in enumerate(tries):
        try:
            return i, list(works(schema, values)), values.get("#outs")
        except Exception as e:
            why = str(e).strip().split("\n")[-1][:200]
    return why


def find(names, samples):
    """(schema, arguments, element types of outs) for each operator that can be called; and why the others cannot."""
    found, failed = [], []
    for full in names:
        name, _, overload = full.partition(".")
        schema = samples.schemas.get((name, overload))
        if schema is None or LEFT_OUT.match(name) or full in DROPPED:
            failed.append((full, "not tried"))
            continue
        tries = list(itertools.chain(RECIPES.get(full, ()), candidates(schema, samples)))
        got = apart(lambda: first_that_works(schema, tries))
        if isinstance(got, tuple):
            values = dict(tries[got[0]], **({"#outs": got[2]} if got[2] else {}))
            found.append((schema, values, got[1]))
        else:
            failed.append((full, got or "PyTorch's process ended"))
    return found, failed

