#!/usr/bin/env python3
"""Mobile archives without their code, from cases of the corpus.

    python scripts/make_mobile.py corpus NAME...

For every case NAME writes mobile-NAME: the model saved for the lite interpreter, its code/ taken out so that only
bytecode.pkl tells what to do, the same inputs, and what PyTorch answers when it loads the whole archive.
"""
import io
import os
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


if __name__ == "__main__":
    for n in sys.argv[2:]:
        make(sys.argv[1], n)
