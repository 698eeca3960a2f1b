#!/usr/bin/env python3
"""Archives that somebody unpacked and zipped again, from cases of the corpus.

    python scripts/make_rezipped.py corpus NAME...

For every case NAME writes rezipped-NAME: the same entries under another root, stored without the alignment that PyTorch gives
them (each starts at an odd address).  Inputs and answers are the case's own.  Needs no PyTorch.
"""
import os
import shutil
import sys
import zipfile


def rezip(src, dst):
    with zipfile.ZipFile(src) as z, zipfile.ZipFile(dst, "w") as o:
        for e in z.infolist():
            info = zipfile.ZipInfo("again/" + e.filename.split("/", 1)[1])
            header = o.fp.tell() + 30 + len(info.filename)
            info.extra = b"zz" + (pad := 1 - header % 2).to_bytes(2, "little") + bytes(pad)  # the data starts at an odd address
            o.writestr(info, z.read(e.filename))


def make(corpus, name):
    src, dst = os.path.join(corpus, name), os.path.join(corpus, "rezipped-" + name)
    os.makedirs(dst, exist_ok=True)
    rezip(os.path.join(src, "model.pt"), os.path.join(dst, "model.pt"))
    for f in os.listdir(src):
        if f not in ("model.pt", "case.txt"):
            shutil.copy(os.path.join(src, f), dst)
    with open(os.path.join(dst, "case.txt"), "w") as f:
        f.writelines(l.rstrip("\n") + (", scripts/make_rezipped.py\n" if l.startswith("made-by") else "\n") for l in open(os.path.join(src, "case.txt")))


if __name__ == "__main__":
    for n in sys.argv[2:]:
        make(sys.argv[1], n)
