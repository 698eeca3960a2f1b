#!/usr/bin/env python3
"""Mobile archives without their code, from cases of the corpus.

    python scripts/make_mobile.py corpus NAME...
    python scripts/make_mobile.py corpus --overloads

--overloads writes mobile-overloads: operators by their full names where source code would always mean another overload.

For every case NAME writes mobile-NAME: the model saved for the lite interpreter, its code/ taken out so that only
bytecode.pkl tells what to do, the same inputs, and what PyTorch answers when it loads the whole archive.
"""
import io
import os
import pickle
import shutil
import sys
import zipfile

import torch


def strip(archive):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as z, zipfile.ZipFile(out, "w") as o:
        for e in z.infolist():
            if "/code/" not in e.filename:
                o.writestr(zipfile.ZipInfo(e.filename), z.read(e.filename))
    return out.getvalue()


def make(corpus, name):
    src, dst = os.path.join(corpus, name), os.path.join(corpus, "mobile-" + name)
    os.makedirs(dst, exist_ok=True)
    archive = torch.jit.load(os.path.join(src, "model.pt"))._save_to_buffer_for_lite_interpreter()
    inputs = torch.load(os.path.join(src, "inputs.pt"), weights_only=False)
    with open(os.path.join(dst, "model.pt"), "wb") as f:
        f.write(strip(archive))
    torch.save(torch.jit.load(io.BytesIO(archive))(*inputs), os.path.join(dst, "expected.pt"))
    for f in ("inputs.pt", "expected_stdout.txt"):
        if os.path.exists(os.path.join(src, f)):
            shutil.copy(os.path.join(src, f), dst)
    with open(os.path.join(dst, "case.txt"), "w") as f:
        f.write("made-by: PyTorch %s, scripts/make_mobile.py\nform: mobile, bytecode only\n" % torch.__version__.split("+")[0])
        f.writelines(l for l in open(os.path.join(src, "case.txt")) if l.split(":")[0] in ("rtol", "atol", "method"))


# (a call with such arguments, its operator, the operator that is called instead)
OVERLOADS = (
    ("torch.ceil(x, out=torch.empty([]))", "aten::ceil.out", "aten::max.unary_out"),
    ("torch.floor(x, out=torch.empty([]))", "aten::floor.out", "aten::min.unary_out"),
    ("torch.logical_not(x, out=torch.empty([0], dtype=11))", "aten::logical_not.out", "aten::all.all_out"),
    ("torch.isneginf(x, out=torch.empty([0], dtype=11))", "aten::isneginf.out", "aten::any.all_out"),
    ("torch.glu(x, 3)", "aten::glu", "aten::view.dtype"),
    ("torch.eq_(torch.clone(x), y)", "aten::eq_.Tensor", "aten::copy_.Tensor"),
    ("torch.mT(x)", "aten::mT", "aten::mT.a"), ("torch.mH(x)", "aten::mH", "aten::mH.a"),
    ("torch.numpy_T(x)", "aten::numpy_T", "aten::numpy_T.a"), ("torch.matrix_H(x)", "aten::matrix_H", "aten::matrix_H.a"),
    ("torch.dequantize(q)", "aten::dequantize.self", "aten::dequantize.tensor"), ("torch.dequantize([q, q])", "aten::dequantize.tensors", "aten::dequantize.list"),
    ("torch.len(annotate(List[Any], [x, 3]))", "aten::len.t", "aten::len.any"),
    ("torch.arange(1, 5)", "aten::arange.start", "aten::range"),
)


def overloads(corpus):
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from corpus import base, rows
    x = rows.T(2, 3)
    inputs = {"x": x, "y": rows.T(2, 3, seed=2), "q": rows.q8(x)}
    archive = torch.jit.load(io.BytesIO(rows.archive(inputs, "\n".join(call for call, _, _ in OVERLOADS))))._save_to_buffer_for_lite_interpreter()
    renamed, out = {old: new for _, old, new in OVERLOADS}, io.BytesIO()

    def rename(v):
        if isinstance(v, tuple) and len(v) == 3 and isinstance(v[0], str) and isinstance(v[1], str) and v[0].startswith("aten::"):
            full = renamed.pop(v[0] + ("." + v[1] if v[1] else ""), None)
            return v if full is None else full.partition(".")[::2] + v[2:]
        return type(v)(rename(x) for x in v) if isinstance(v, (tuple, list)) else v

    with zipfile.ZipFile(io.BytesIO(strip(archive))) as z, zipfile.ZipFile(out, "w") as o:
        for e in z.infolist():
            data = z.read(e.filename)
            if e.filename.endswith("bytecode.pkl"):
                data = pickle.dumps(rename(pickle.loads(data)), protocol=2)
            o.writestr(zipfile.ZipInfo(e.filename), data)
    assert not renamed, renamed
    dst = os.path.join(corpus, "mobile-overloads")
    os.makedirs(dst, exist_ok=True)
    with open(os.path.join(dst, "model.pt"), "wb") as f:
        f.write(out.getvalue())
    torch.save(tuple(inputs.values()), os.path.join(dst, "inputs.pt"))
    from torch.jit.mobile import _load_for_lite_interpreter
    torch.save(base.plain(_load_for_lite_interpreter(io.BytesIO(out.getvalue()))(*inputs.values())), os.path.join(dst, "expected.pt"))
    with open(os.path.join(dst, "case.txt"), "w") as f:
        f.write("made-by: PyTorch %s, scripts/make_mobile.py\nform: mobile, bytecode only\n" % torch.__version__.split("+")[0])


if __name__ == "__main__":
    for n in sys.argv[2:]:
        overloads(sys.argv[1]) if n == "--overloads" else make(sys.argv[1], n)
