#!/usr/bin/env python3
"""Archives as other programs leave them, from cases of the corpus.

    python scripts/make_formats.py corpus

formats-cuda-archive: saved on a GPU, its devices in storages and code.  formats-big-endian: tensors of a big-endian
machine.  Inputs and expected results are those of the original.
"""
import os
import pickletools
import shutil
import sys
import zipfile

SIZES = {"Float": 4, "Double": 8, "Long": 8, "Int": 4, "Short": 2, "Half": 2, "BFloat16": 2, "Bool": 1, "Byte": 1, "Char": 1}


def read(path):
    with zipfile.ZipFile(path) as z:
        return [(e.filename, z.read(e)) for e in z.infolist()]


def storages(pickle):
    """Element size by key of every storage a pickle refers to."""
    memo, items, sizes = {}, [], {}
    for op, arg, _ in pickletools.genops(pickle):
        if op.name == "BINPUT":
            memo[arg] = items[-1] if items else None
        elif op.name == "BINGET":
            items.append(memo.get(arg))
        elif op.name in ("GLOBAL", "BINUNICODE"):
            items.append(arg)
        elif op.name == "BINPERSID":
            at = max(i for i, x in enumerate(items) if x is not None and x.endswith("Storage"))
            sizes[items[at + 1]] = SIZES[items[at].split(" ")[1][:-len("Storage")]]
    return sizes


def cuda(root, entries):
    for name, data in entries:
        if name.endswith(".pkl"):
            data = data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
        elif name.endswith(".py"):
            data = data.replace(b'torch.device("cpu")', b'torch.device("cuda:0")')
        yield name, data


def big_endian(root, entries):
    files = dict(entries)
    for name, data in entries:
        part = name[len(root) + 1:].split("/")
        if len(part) == 2 and part[0] in ("data", "constants"):
            n = storages(files["%s/%s.pkl" % (root, part[0])]).get(part[1], 1)
            data = b"".join(data[i:i + n][::-1] for i in range(0, len(data), n))
        yield name, b"big" if name == root + "/byteorder" else data


def main(corpus):
    for name, source, change in [("cuda-archive", "nets-lstm-tagger", cuda), ("big-endian", "nets-resnet", big_endian)]:
        src, dst = os.path.join(corpus, source), os.path.join(corpus, "formats-" + name)
        os.makedirs(dst, exist_ok=True)
        entries = read(os.path.join(src, "model.pt"))
        with zipfile.ZipFile(os.path.join(dst, "model.pt"), "w") as out:
            for entry, data in change(entries[0][0].split("/")[0], entries):
                out.writestr(zipfile.ZipInfo(entry), data)
        for f in ("inputs.pt", "expected.pt"):
            shutil.copy(os.path.join(src, f), dst)
        with open(os.path.join(dst, "case.txt"), "w") as f:
            f.write("made-by: scripts/make_formats.py, from %s\nform: changed archive\n" % source)


if __name__ == "__main__":
    main(sys.argv[1])
