#!/usr/bin/env python3
"""The same modules written by two versions of PyTorch, scripted, traced, frozen and for the lite interpreter:

    OTHER_PYTHON scripts/difftest/versions.py write FOLDER13        (with PyTorch 1.13)
    python scripts/difftest/versions.py write FOLDER213             (with PyTorch 2.13)
    python scripts/difftest/versions.py answer FOLDER13             (2.13 runs what 1.13 wrote)
    python scripts/difftest/versions.py answer FOLDER213
    python scripts/difftest/versions.py compare TSRUN FOLDER13 FOLDER213

The modules are those of the corpus (scripts/corpus).  compare lets tsrun verify both folders against 2.13's answers, and 1.13's archives
against the answers that 2.13 gave to its own archives; where PyTorch's own two answers differ, that is said.  Needs torch.
"""
import contextlib
import copy
import importlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile

FAMILIES = ["language", "containers", "classes", "errors", "pointwise", "tensors", "nnops", "layout", "nets", "operators", "calls", "edges", "quantops", "sparse", "rows"]
FORMS = ["scripted", "traced", "frozen", "lite"]


def write(out):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    import torch
    torch.set_num_threads(1)
    from corpus import base
    for family in FAMILIES:
        importlib.import_module("corpus." + family)
    done, made = set(), 0
    for name, f, inputs, opt in base.CASES:
        plain_name = re.sub("-(traced|frozen)$", "", name)
        for form in FORMS:
            if (plain_name, form) in done:
                continue
            done.add((plain_name, form))
            d = os.path.join(out, "%s.%s" % (plain_name, form))
            shutil.rmtree(d, ignore_errors=True)
            try:
                made += one(base, d, plain_name, f, inputs, dict(opt, form="scripted" if form == "lite" else form, name_full=plain_name), form == "lite")
            except Exception as e:
                shutil.rmtree(d, ignore_errors=True)
                if form == opt["form"]:
                    print("%s.%s: %s" % (plain_name, form, str(e).strip().split("\n")[0][:150]))
    print("%d archives of %d modules, by PyTorch %s" % (made, len({n for n, _ in done}), torch.__version__))


def one(base, d, name, f, inputs, opt, lite):
    import torch
    tensors = all(isinstance(x, torch.Tensor) for x in inputs)
    module = isinstance(f, type) or opt.get("make")
    if opt["form"] == "traced" and not tensors or opt["form"] == "frozen" and (not module or opt.get("training") or opt.get("method")) or opt["form"] == "pickled":
        return 0
    with torch.no_grad():
        m = base.build(f, copy.deepcopy(inputs), opt)
    os.makedirs(d)
    if lite:
        m._save_for_lite_interpreter(d + "/model.pt")
    else:
        torch.jit.save(m, d + "/model.pt")
    torch.save(inputs, d + "/inputs.pt")
    with open(d + "/case.txt", "w") as h:
        h.write("seed: 1\n")
        for key in ("rtol", "atol", "method"):
            if key in opt:
                h.write("%s: %s\n" % (key, opt[key]))
    return 1


def answer(out):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    import torch
    torch.set_num_threads(1)
    from corpus import base
    for name in sorted(os.listdir(out)):
        d = os.path.join(out, name)
        text = open(d + "/case.txt").read()
        method = re.search("method: (.*)", text)
        printed = io.StringIO()
        for x in ("expected.pt", "expected_error.txt", "expected_stdout.txt"):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(d, x))
        try:
            m = torch.jit.load(d + "/model.pt")
            inputs = torch.load(d + "/inputs.pt", weights_only=False)
            torch.manual_seed(1)
            with torch.no_grad(), contextlib.redirect_stdout(printed):
                r = getattr(m, method.group(1))(*inputs) if method else m(*inputs)
            torch.save(base.plain(r), d + "/expected.pt")
            with open(d + "/expected_stdout.txt", "w") as h:
                h.write(printed.getvalue())
        except Exception as e:
            with open(d + "/expected_error.txt", "w") as h:
                h.write(base.error_line(e) + "\n")


def verify(tsrun, folder):
    done = subprocess.run([tsrun, "verify", folder], capture_output=True, text=True, errors="replace")
    bad = dict(re.findall(r"FAIL \S*/([^/]+): (.*)", done.stdout))
    return bad, re.findall(r"(\d+) passed, (\d+) failed", done.stdout)[-1]


def compare(tsrun, old, new):
    both = [n for n in sorted(os.listdir(old)) if os.path.isdir(os.path.join(new, n))]
    bad = 0
    for folder in (old, new):
        failed, (good, _) = verify(tsrun, folder)
        for n, why in sorted(failed.items()):
            print("%s: %s: %s" % (os.path.basename(folder.rstrip("/")), n, why[:200]))
        print("%s: %s as PyTorch 2.13 answers, %d not" % (folder, good, len(failed)))
        bad += len(failed)
    with tempfile.TemporaryDirectory() as mixed:
        for n in both:
            shutil.copytree(os.path.join(new, n), os.path.join(mixed, n))
            shutil.copy(os.path.join(old, n, "model.pt"), os.path.join(mixed, n, "model.pt"))
        failed, (good, _) = verify(tsrun, mixed)
    own, _ = verify(tsrun, old)
    for n, why in sorted(failed.items()):
        print("between the versions: %s: %s%s" % (n, why[:200], "" if n in own else "   (so does PyTorch 2.13 itself)"))
    print("%d archives written by both: %s give 2.13's answers to its own, %d not" % (len(both), good, len(failed)))
    return 1 if bad or any(n in own for n in failed) else 0


if __name__ == "__main__":
    if sys.argv[1:2] in (["write"], ["answer"]) and len(sys.argv) == 3:
        sys.exit({"write": write, "answer": answer}[sys.argv[1]](sys.argv[2]))
    if sys.argv[1:2] == ["compare"] and len(sys.argv) == 5:
        sys.exit(compare(*sys.argv[2:]))
    sys.exit(__doc__)
