#!/usr/bin/env python3
"""Write the conformance corpus: one folder a case, made and answered by PyTorch.

    python scripts/make_corpus.py corpus [-k SUBSTRING] [-f FAMILY[,FAMILY]] [--list]

Each case is a folder <family>-<name>/ with model.pt (torch.jit.save), inputs.pt (a tuple of positional
arguments), expected.pt (what the loaded archive returned) or expected_error.txt (the last line of the error),
expected_stdout.txt where the model prints, and case.txt (provenance and tolerances).

Archives record the paths of the sources they were made from.  The script therefore copies itself to /src,
links the installed packages there too and runs from that folder, so that a corpus made anywhere is the same.
Families live in scripts/corpus/*.py; every function under @case is one case.
"""
import argparse
import os
import shutil
import subprocess
import sys

STAGE = "/src"
MODERN = ["language", "containers", "classes", "errors", "pointwise", "tensors", "nnops", "layout", "nets", "quantized", "quantops", "rows", "sparse", "pickled", "digits", "edges"]
FAMILIES = {True: MODERN, False: ["older"]}


def restage():
    """Run the same command line again from STAGE, where file names say nothing about this machine."""
    import torch
    here = os.path.dirname(os.path.abspath(__file__))
    shutil.rmtree(STAGE, ignore_errors=True)
    os.makedirs(STAGE, exist_ok=True)
    shutil.copy(os.path.join(here, "make_corpus.py"), STAGE)
    shutil.copytree(os.path.join(here, "corpus"), os.path.join(STAGE, "corpus"),
                    ignore=shutil.ignore_patterns("__pycache__"))
    packages = os.path.dirname(os.path.dirname(torch.__file__))
    os.symlink(packages, os.path.join(STAGE, "lib"))
    argv = [os.path.abspath(a) if i == 0 else a for i, a in enumerate(sys.argv[1:])]
    env = dict(os.environ, PYTHONPATH=os.path.join(STAGE, "lib"), PYTHONDONTWRITEBYTECODE="1", OMP_NUM_THREADS="1")
    sys.exit(subprocess.call([sys.executable, os.path.join(STAGE, "make_corpus.py")] + argv, cwd=STAGE, env=env))


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("out")
    ap.add_argument("-k", default="", help="only cases whose name holds this")
    ap.add_argument("-f", default="", help="only these families (comma separated)")
    ap.add_argument("--list", action="store_true", help="print the names and make nothing")
    a = ap.parse_args()
    if os.path.dirname(os.path.abspath(__file__)) != STAGE:
        restage()
    sys.path.insert(0, STAGE)
    import importlib
    import torch
    from corpus import base
    torch.set_num_threads(1)
    modern = int(torch.__version__.split(".")[0]) >= 2
    for family in (a.f.split(",") if a.f else FAMILIES[modern]):
        importlib.import_module("corpus." + family)
    if a.list:
        print("\n".join(n for n in base.names() if a.k in n))
        return 0
    made, failed = base.write_all(a.out, a.k)
    print("%d cases made, %d failed" % (made, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
