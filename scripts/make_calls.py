#!/usr/bin/env python3
"""Corpus cases that call every operator of docs/operators.md once, some dozens in an archive, answered by PyTorch:

    python scripts/make_calls.py corpus [--only 07,33] [--failed FILE]

An operator belongs to the case that its name's checksum says, so that a new one changes one case.  --failed lists what could not be called
and why: those need a case by hand or a line in tests/rows_without_case.txt.  Needs torch 2.13, numpy, scipy and expecttest; takes some ten minutes.
"""
import argparse
import os
import re
import shutil
import sys
import zlib

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from corpus import base, operators  # noqa: E402

CASES = 64


def bucket(name):
    return zlib.crc32(name.encode()) % CASES


def write(folder, calls):
    """Whatever PyTorch cannot answer in one archive with the others is left out again: returns those names."""
    program = operators.Program()
    for schema, values, outs in calls:
        program.call(schema, values, outs)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    model = os.path.join(folder, "model.pt")
    with open(model, "wb") as f:
        f.write(program.archive())
    torch.save(program.arguments(), os.path.join(folder, "inputs.pt"))
    torch.manual_seed(67280421310721)
    with torch.no_grad():
        expected = torch.jit.load(model)(*[list(a) for a in program.arguments()])
    torch.save(base.plain(expected), os.path.join(folder, "expected.pt"))
    with open(os.path.join(folder, "case.txt"), "w") as f:
        f.write("made-by: PyTorch %s, scripts/make_calls.py\nform: written\nrtol: 0.0005\natol: 0.0001\n" % torch.__version__.split("+")[0])


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("out")
    ap.add_argument("--only", default="", help="numbers of cases, comma separated")
    ap.add_argument("--failed", help="write operators that could not be called, and why, into this file")
    ap.add_argument("--samples", help="keep the samples of the operator database in this file")
    a = ap.parse_args()
    torch.set_num_threads(1)
    samples = operators.Samples()
    if a.samples and os.path.exists(a.samples):
        samples.by_name = torch.load(a.samples, weights_only=False)
    else:
        samples.gather()
        if a.samples:
            torch.save(samples.by_name, a.samples)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../docs/operators.md")) as f:
        names = sorted(set(re.findall(r"^\| `([\w:.]+)` \| `", f.read(), re.M)))
    wanted = [int(x) for x in a.only.split(",")] if a.only else range(CASES)
    failed = []
    for k in wanted:
        calls, bad = operators.find([n for n in names if bucket(n) == k], samples)
        failed += bad
        write(os.path.join(a.out, "calls-%02d" % k), calls)
        print("calls-%02d: %d operators, %d not called" % (k, len(calls), len(bad)), flush=True)
    if a.failed:
        with open(a.failed, "w") as f:
            f.write("".join("%s\t%s\n" % x for x in failed))


if __name__ == "__main__":
    main()
