#!/usr/bin/env python3
"""Random programs of the language (programs.py), run by PyTorch and by tsrun:

    python scripts/difftest/language.py TSRUN [--first SEED] [--count N] [--keep FOLDER]

Each program is scripted, saved, loaded and run by PyTorch; its result, output and error must be tsrun's.  What differs is printed with its
seed (`python scripts/difftest/programs.py SEED` shows the program) and kept in FOLDER as a case for `tsrun verify`.
Seeds from 1000000 on are programs of wide.py: classes, enums, named tuples, modules, forks, tensor indexing.
Programs that PyTorch's compiler refuses are counted and left out.  Needs torch.
"""
import argparse
import collections
import contextlib
import io
import linecache
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import types

import programs
import wide

WIDE = 1000000  # seeds from here on are programs of wide.py

# Differences that are meant: (reason, pattern of tsrun's complaint)
EXPLAINED = [
    # isinstance with a list of numbers, inlined: the archive that PyTorch wrote does not compile again.
    ("PyTorch's alias analysis stops at an assertion about itself", r"(expected: |where \")!failed INTERNAL ASSERT FAILED at .*alias_analysis\.cpp"),
]
# A value that is made in a branch, read in a loop of that branch and returned by the branch is moved out of its register by the loop's
# first round: the second finds None, which an operator refuses or which comes out.  The program run by Python itself gives tsrun's answer.
LOST_VALUE = "PyTorch's interpreter loses a value that a loop in a branch still needs"
NONE_INSTEAD = re.compile(r"(expected: |where \").*(IValues with tag 'None'|INTERNAL ASSERT FAILED at .*ivalue.*([Ee]xpected (int|float|bool|str)|but got None))|None.* expected")
# Sums of float32 are carried in float64 here, and rounded to float32 at each step in PyTorch.  Where numbers cancel this shows.
ROUNDED_SUMS = "PyTorch rounds partial sums to float32: with sums in float64 it gives tsrun's answer"


def exact(text):
    """The program with its sums of floats taken in float64."""
    text = re.sub(r"\.(sum|mean|cumsum)\((\d?)\)", r".double().\1(\2).float()", text)
    return text.replace(" @ torch.ones(3, 3))", ".double() @ torch.ones(3, 3).double()).float()")


def tensors(torch, v):
    if isinstance(v, tuple) and len(v) == 2 and v[0] == "tensor":
        return torch.tensor(v[1])
    return v


def last_line(e):
    lines = str(e).strip("\n").split("\n")
    at = max([i for i, line in enumerate(lines) if "<--- HERE" in line] or [-1])
    named = [line for line in lines[at + 1:] if re.match(r"[A-Za-z_][\w.]*(Error|Exception): ", line)]
    text = named[0] if named else lines[-1]
    return re.sub(r"^RuntimeError: ", "", text)


class Oracle:
    """PyTorch, without the optimiser's rewriting of what a program says."""

    def __init__(self):
        import torch
        self.torch = torch
        torch.set_num_threads(1)
        torch._C._jit_set_profiling_executor(False)
        torch._C._set_graph_executor_optimize(False)

    def compile(self, seed, text):
        """The program as Python runs it, and scripted."""
        name = "program_%d" % seed
        module = types.ModuleType(name)
        module.__file__ = name + ".py"
        linecache.cache[module.__file__] = (len(text), None, text.splitlines(True), module.__file__)
        sys.modules[name] = module
        exec(compile(text, module.__file__, "exec"), module.__dict__)
        try:
            made = module.program
            made = made() if isinstance(made, type) else made
            return made, self.torch.jit.script(made)
        finally:
            del linecache.cache[module.__file__], sys.modules[name]

    def write(self, seed, folder, change=None, by_python=False):
        """A case for `tsrun verify`, answered by PyTorch, or by_python.  Otherwise why PyTorch does not compile the program."""
        torch = self.torch
        text, given = (programs if seed < WIDE else wide).make(seed)
        text = change(text) if change else text
        try:
            plain, f = self.compile(seed, text)
            os.makedirs(folder)
            torch.jit.save(f, folder + "/model.pt")
        except Exception as e:
            return str(e).strip().split("\n")[0][:150]
        inputs = tuple(tensors(torch, v) for v in given)
        torch.save(inputs, folder + "/inputs.pt")
        with open(folder + "/case.txt", "w") as out:
            out.write("rtol: 2e-6\natol: 1e-7\nseed: 0\n")
        printed = io.StringIO()
        run = plain if by_python else torch.jit.load(folder + "/model.pt")
        try:
            with contextlib.redirect_stdout(printed), torch.no_grad():
                result = run(*inputs)
        except Exception as e:
            with open(folder + "/expected_error.txt", "w") as out:
                out.write(last_line(e) + "\n")
        else:
            torch.save(result, folder + "/expected.pt")
            if by_python:
                return None  # it prints containers in another way
            with open(folder + "/expected_stdout.txt", "w") as out:
                out.write(printed.getvalue())
        return None


def write_all(seeds, root, change=None, by_python=False):
    """In a process of its own: a program that kills PyTorch says so by its missing answer."""
    oracle = Oracle()
    for seed in seeds:
        print(seed, flush=True)
        signal.alarm(20)
        why = oracle.write(seed, "%s/%d" % (root, seed), change, by_python)
        signal.alarm(0)
        if why is not None:
            print("refused", seed, why, flush=True)
            shutil.rmtree("%s/%d" % (root, seed), ignore_errors=True)


def batch(seeds, root, counts, refusals):
    """Write the cases of these seeds, beginning anew after one that ends the process."""
    todo = list(seeds)
    while todo:
        done = subprocess.run([sys.executable, os.path.abspath(__file__), "--write", root] + [str(s) for s in todo], capture_output=True, text=True)
        started = [int(line) for line in done.stdout.split("\n") if line.isdigit()]
        for line in done.stdout.split("\n"):
            if line.startswith("refused "):
                counts["refused"] += 1
                refusals[re.sub(r"\d+|'[^']*'", "#", line.split(" ", 2)[2])[:100]] += 1
        if done.returncode == 0:
            return
        if not started:
            sys.exit("the oracle does not start:\n" + done.stderr[-2000:])
        counts["killed PyTorch"] += 1
        shutil.rmtree("%s/%d" % (root, started[-1]), ignore_errors=True)
        todo = todo[todo.index(started[-1]) + 1:]


NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")


def last_places(complaint):
    """Printed text that differs in the last places of numbers from float32 tensors only."""
    m = re.match(r'printed "(.*)" where "(.*)" is expected', complaint)
    if not m or NUMBER.sub("#", m.group(1)) != NUMBER.sub("#", m.group(2)):
        return False
    pairs = zip(NUMBER.findall(m.group(1)), NUMBER.findall(m.group(2)))
    return all(a == b or "." in a and abs(float(a) - float(b)) <= 2e-6 * abs(float(b)) for a, b in pairs)


def agrees(tsrun, seed, how):
    with tempfile.TemporaryDirectory() as root:
        done = subprocess.run([sys.executable, os.path.abspath(__file__), how, root, seed], capture_output=True)
        return done.returncode == 0 and answers(tsrun, root + "/" + seed)


def run_in_python(seed):
    """The program without TorchScript: the last line of its error."""
    import torch
    text, given = (programs if seed < WIDE else wide).make(seed)
    module = types.ModuleType("program_%d" % seed)
    sys.modules[module.__name__] = module
    exec(compile(text, module.__name__, "exec"), module.__dict__)
    made = module.program
    try:
        (made() if isinstance(made, type) else made)(*[tensors(torch, v) for v in given])
    except Exception as e:
        print(str(e).strip("\n").split("\n")[-1], file=sys.stderr)


def raises_in_python(seed, complaint):
    done = subprocess.run([sys.executable, os.path.abspath(__file__), "--python", seed], capture_output=True, text=True)
    last = done.stderr.strip("\n").split("\n")[-1]
    return last != "" and last == complaint.strip()


def answers(tsrun, case, *options):
    return subprocess.run([tsrun, "verify", *options, case], capture_output=True).returncode == 0


def explain(tsrun, case, seed, complaint):
    why = next((reason for reason, pattern in EXPLAINED if re.search(pattern, complaint)), None)
    if why is None and NONE_INSTEAD.search(complaint) and agrees(tsrun, seed, "--write-python"):
        why = LOST_VALUE
    if why is None and ("did not raise" in complaint or complaint.startswith("raised ")) and answers(tsrun, case, "-O0"):
        why = "what nobody uses is not computed, and so does not raise"  # PyTorch's optimiser, off here, leaves it out too
    if why is None and raises_in_python(seed, complaint):
        why = "PyTorch leaves out a container that nobody reads, and what would raise while it is filled; Python and tsrun raise"
    if why is None and last_places(complaint):
        why = "functions of float32 tensors agree to rounding, and print shows every digit"
    if why is None and "raise" not in complaint and agrees(tsrun, seed, "--write-exact"):
        why = ROUNDED_SUMS
    return why


def verify(tsrun, root, keep, counts):
    if not os.listdir(root):
        return
    done = subprocess.run([tsrun, "verify", root], capture_output=True, text=True, errors="replace")
    good = re.search(r"(\d+) passed, (\d+) failed", done.stdout)
    if good is None:
        sys.exit("tsrun verify: " + done.stdout[-500:] + done.stderr[-500:])
    counts["same"] += int(good.group(1))
    for line in done.stdout.split("\n"):
        m = re.match(r"FAIL (.*/(\d+)): (.*)", line)
        if m is None:
            continue
        why = explain(tsrun, m.group(1), m.group(2), m.group(3))
        counts["explained: " + why if why else "different"] += 1
        if why is None:
            print("seed %s: %s" % (m.group(2), m.group(3)[:300]), flush=True)
            if keep:
                shutil.copytree(m.group(1), "%s/%s" % (keep, m.group(2)), dirs_exist_ok=True)


def main():
    if len(sys.argv) > 2 and sys.argv[1] == "--write":
        return write_all([int(s) for s in sys.argv[3:]], sys.argv[2])
    if len(sys.argv) > 2 and sys.argv[1] == "--write-exact":
        return write_all([int(s) for s in sys.argv[3:]], sys.argv[2], exact)
    if len(sys.argv) > 2 and sys.argv[1] == "--write-python":
        return write_all([int(s) for s in sys.argv[3:]], sys.argv[2], by_python=True)
    if len(sys.argv) > 2 and sys.argv[1] == "--python":
        return run_in_python(int(sys.argv[2]))
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("tsrun")
    ap.add_argument("--first", type=int, default=1)
    ap.add_argument("--count", type=int, default=1000)
    ap.add_argument("--keep", default="")
    a = ap.parse_args()
    counts, refusals = collections.Counter(), collections.Counter()
    for first in range(a.first, a.first + a.count, 250):
        with tempfile.TemporaryDirectory() as root:
            batch(range(first, min(first + 250, a.first + a.count)), root, counts, refusals)
            verify(os.path.abspath(a.tsrun), root, a.keep, counts)
    for text, n in refusals.most_common(8):
        print("refused by PyTorch's compiler %d times: %s" % (n, text))
    print("%d programs: %s" % (a.count, ", ".join("%d %s" % (n, what) for what, n in counts.most_common())))
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
