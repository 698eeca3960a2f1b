#!/usr/bin/env python3
"""Time tsrun beside what one would use instead, and print Markdown tables.

    python bench/compare.py DIR TSRUN [-t 1,2] [-p PASSES] [-m NAME,...] [-s SYSTEM,...] [--json FILE]
    python bench/compare.py DIR TSRUN --sizes         (batch 1-32, sequence 16-512)
    python bench/compare.py DIR TSRUN --cold          (process start to answer)

DIR comes from bench/make_models.py; bench/run does everything and writes docs/performance.md.  Each system has a process of its
own; those of one network stay alive while it is measured and take turns within each of the passes, all but one stopped by a
signal, so that a slow minute of the machine meets all of them.  A figure is the minimum over all runs of all passes.
"""
import argparse
import json
import math
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TORCH = ("torch", "torch-freeze", "torch-ofi")
PEERS = TORCH + ("onnxruntime", "openvino")
NEEDS_ONNX = ("onnxruntime", "openvino")
PATIENCE = 300          # seconds for one answer of a peer


# ---- a peer's process

def rss_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peer_call(system, folder, threads):
    """A function that runs the network once, by system, and what its process had taken before it read the model."""
    import torch
    inputs = torch.load(os.path.join(folder, "inputs.pt"))
    archive = os.path.join(folder, "model.pt")
    if system in TORCH:
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        before = rss_mb()
        m = torch.jit.load(archive).eval()
        if system != "torch":
            m = torch.jit.freeze(m)
        if system == "torch-ofi":
            m = torch.jit.optimize_for_inference(m)
        return (lambda: m(*inputs)), before
    import numpy
    feed_file = os.path.join(folder, "feed.npz")
    given = dict(numpy.load(feed_file)) if os.path.exists(feed_file) else None
    path = os.path.join(folder, "model.onnx")
    if system == "onnxruntime":
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        before = rss_mb()
        s = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        feed = given or dict(zip([i.name for i in s.get_inputs()], [x.numpy() for x in inputs]))
        return (lambda: s.run(None, feed)), before
    import openvino
    core = openvino.Core()
    before = rss_mb()
    m = core.compile_model(openvino.convert_model(path), "CPU",
                           {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})
    request = m.create_infer_request()
    arrays = given or [x.numpy() for x in inputs]
    return (lambda: request.infer(arrays)), before


def serve(system, folder, threads):
    """Reads seconds from stdin, a line a pass, and answers with figures named like those of `tsrun bench --format json`."""
    start = time.perf_counter()
    call, before = peer_call(system, folder, threads)
    loaded = time.perf_counter()
    call()
    head = {"load_ms": (loaded - start) * 1e3, "first_ms": (time.perf_counter() - loaded) * 1e3, "threads": threads}
    call()
    print(json.dumps(head), flush=True)
    for line in sys.stdin:
        seconds = float(line)
        call()
        times, end = [], time.perf_counter() + seconds
        while len(times) < 3 or time.perf_counter() < end:
            t = time.perf_counter()
            call()
            times.append(time.perf_counter() - t)
        times.sort()
        print(json.dumps(dict(head, min_ms=times[0] * 1e3, median_ms=times[len(times) // 2] * 1e3, p90_ms=times[len(times) * 9 // 10] * 1e3,
                              peak_rss_mb=rss_mb(), base_rss_mb=before)), flush=True)


class Peer:
    """A live process that measures when asked and is stopped otherwise."""

    def __init__(self, system, folder, threads):
        env = dict(os.environ, OMP_NUM_THREADS=str(threads))
        self.system = system
        self.p = subprocess.Popen([sys.executable, os.path.abspath(__file__), folder, "-", "--serve", system, "-t", str(threads)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
        self.rest = b""

    def wait_ready(self):
        if self.answer() is None:
            self.close()
        self.signal(signal.SIGSTOP)

    def signal(self, number):
        if self.p is not None:
            self.p.send_signal(number)

    def answer(self):
        end = time.monotonic() + PATIENCE
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.p.stdout], [], [], max(0, end - time.monotonic()))
            data = os.read(self.p.stdout.fileno(), 65536) if ready else b""
            if not data:
                return None
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        try:
            return json.loads(line)
        except ValueError:
            return self.answer()        # a library's own words

    def measure(self, seconds):
        if self.p is None:
            return None
        self.signal(signal.SIGCONT)
        try:
            self.p.stdin.write(b"%g\n" % seconds)
            self.p.stdin.flush()
            result = self.answer()
        except OSError:
            result = None
        self.signal(signal.SIGSTOP)
        if result is None:
            self.close()
        return result

    def close(self):
        if self.p is None:
            return
        self.p.kill()
        self.p.wait()
        self.p = None


# ---- tsrun

def run_json(command):
    try:
        r = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        return json.loads(r.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None


def measure_tsrun(tsrun, folder, threads, seconds, more=()):
    r = run_json([tsrun, "bench", folder + "/model.pt", folder + "/inputs.pt", "-t", str(threads), "--min-time", str(seconds),
                  "--min-runs", "3", "--format", "json", *more])
    if r:
        r.pop("environment", None)
    return r


def profile_tsrun(tsrun, folder, threads):
    """Arithmetic of a run, and the machine's peaks measured beside it."""
    r = run_json([tsrun, "profile", folder + "/model.pt", folder + "/inputs.pt", "-t", str(threads), "--min-time", "0", "--runs", "1", "--json"])
    return None if r is None else {"flops": sum(x["flops"] for x in r["by_op"]), "peak_gflops": r["peak_gflops"], "peak_gbytes": r["peak_gbytes"]}


# ---- measuring

def available(systems):
    def has(module):
        return subprocess.run([sys.executable, "-c", "import " + module], capture_output=True).returncode == 0
    known = {m: has(m) for m in ("torch",) + NEEDS_ONNX}
    return [s for s in systems if s == "tsrun" or known["torch" if s in TORCH else s]]


def compare(tsrun, folder, threads, systems, passes, seconds):
    """{system: [figures of each pass]} of one network."""
    onnx = os.path.exists(os.path.join(folder, "model.onnx"))
    peers = [Peer(s, folder, threads) for s in systems if s != "tsrun" and (onnx or s not in NEEDS_ONNX)]
    results = {s: [] for s in systems}
    try:
        for p in peers:
            p.wait_ready()
        for _ in range(passes):
            if "tsrun" in results:
                results["tsrun"].append(measure_tsrun(tsrun, folder, threads, seconds))
            for p in peers:
                results[p.system].append(p.measure(seconds))
    finally:
        for p in peers:
            p.close()
    return {s: [r for r in rs if r] for s, rs in results.items()}


def compare_all(tsrun, root, names, threads, systems, passes, seconds, deadline=None):
    """{name: {"results": …, "file_mb": …, "profile": …}}; stops in time when there is a deadline (time.monotonic)."""
    out = {}
    for i, n in enumerate(names):
        folder = os.path.join(root, n)
        if deadline and time.monotonic() > deadline:
            print("out of time: %d networks left out" % (len(names) - i), file=sys.stderr)
            break
        start = time.monotonic()
        results = compare(tsrun, folder, threads, systems, passes, seconds)
        out[n] = {"results": results, "file_mb": os.path.getsize(os.path.join(folder, "model.pt")) / 1e6, "profile": profile_tsrun(tsrun, folder, threads)}
        ms = {s: minimum(rs, "min_ms") for s, rs in results.items()}
        print("%d threads, %-28s %5.1f s  %s" % (threads, n, time.monotonic() - start, "  ".join("%s %s" % (s, cell(v)) for s, v in ms.items())),
              file=sys.stderr, flush=True)
    return out


def minimum(rows, key):
    values = [r[key] for r in rows if r and r.get(key) is not None]
    return min(values) if values else None


def geometric_mean(values):
    values = [v for v in values if v]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


COLD = "import torch,sys; torch.set_grad_enabled(False); print(type(torch.jit.load(sys.argv[1])(*torch.load(sys.argv[2]))))"


def cold(tsrun, root, names, passes, cache=None):
    """{name: {"python + torch": ms, "tsrun": ms}}: from starting the process to its answer, minimum of the passes.  cache: a folder for tsrun."""
    out = {}
    for n in names:
        args = [os.path.join(root, n, "model.pt"), os.path.join(root, n, "inputs.pt")]
        commands = {"python + torch": [sys.executable, "-c", COLD] + args, "tsrun": [tsrun] + args + ["--print", "none"] + (["--cache", cache] if cache else [])}
        if cache:
            subprocess.run(commands["tsrun"])
        times = {k: [] for k in commands}
        for _ in range(passes):
            for k, command in commands.items():
                t = time.perf_counter()
                if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                    times[k].append((time.perf_counter() - t) * 1e3)
        out[n] = {k: min(v) if v else None for k, v in times.items()}
    return out


def cached(tsrun, root, names, threads, passes, seconds):
    """{name: {"with": figures, "without": figures}} of each pass, taking turns; the cache is filled before.  cold_ms: process start to answer."""
    out = {}
    for n in names:
        folder = os.path.join(root, n)
        with tempfile.TemporaryDirectory() as d:
            ways = {"with": ["--cache", os.path.join(d, "cache")], "without": []}
            args = [tsrun, folder + "/model.pt", folder + "/inputs.pt", "-t", str(threads), "--print", "none"]
            subprocess.run(args + ways["with"])
            out[n] = {k: [] for k in ways}
            for _ in range(passes):
                for k, more in ways.items():
                    r = measure_tsrun(tsrun, folder, threads, seconds, more)
                    t = time.perf_counter()
                    subprocess.run(args + more)
                    if r:
                        out[n][k].append(dict(r, cold_ms=(time.perf_counter() - t) * 1e3))
        print("cache, %d threads, %s" % (threads, n), file=sys.stderr, flush=True)
    return out


# ---- tables

def cell(v):
    return "–" if v is None else "%.3g" % v if v < 100 else "%.0f" % v


def ratio_cell(v):
    return "–" if v is None else "%.2f" % v


def ratios(results):
    """(tsrun ms, best peer, its ms, ratio to the best of all, ratio to the best torch)"""
    ms = {s: minimum(rs, "min_ms") for s, rs in results.items()}
    mine = ms.get("tsrun")
    best = lambda group: min(((ms[s], s) for s in group if ms.get(s)), default=(None, None))
    (all_ms, who), (torch_ms, _) = best(PEERS), best(TORCH)
    return mine, who, all_ms, mine and all_ms and all_ms / mine, mine and torch_ms and torch_ms / mine


def table(data, systems):
    lines = ["| network | " + " | ".join(systems) + " | vs best torch | vs best of all | first / steady | peak MB |", "|---" + "|---:" * (len(systems) + 4) + "|"]
    for n, d in data.items():
        results = d["results"]
        ms = {s: minimum(results.get(s, []), "min_ms") for s in systems}
        mine, _, _, of_all, of_torch = ratios(results)
        first = minimum(results.get("tsrun", []), "first_ms")
        lines.append("| %s | %s | %s | %s | %s | %s |" % (n, " | ".join(cell(ms[s]) for s in systems), ratio_cell(of_torch), ratio_cell(of_all),
                                                        ratio_cell(first and mine and first / mine), cell(minimum(results.get("tsrun", []), "peak_rss_mb"))))
    of = [ratios(d["results"]) for d in data.values()]
    lines.append("| **geometric mean** |" + " |" * len(systems) + " **%s** | **%s** | | |" % (ratio_cell(geometric_mean([r[4] for r in of])), ratio_cell(geometric_mean([r[3] for r in of]))))
    return "\n".join(lines)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("dir")
    ap.add_argument("tsrun")
    ap.add_argument("-t", "--threads", default="2", help="N or N,N")
    ap.add_argument("-p", "--passes", type=int, default=3)
    ap.add_argument("-m", "--models", default="", help="those of DIR, in the order of make_models.py, when not given")
    ap.add_argument("-s", "--systems", default=",".join(PEERS + ("tsrun",)))
    ap.add_argument("--seconds", type=float, default=0.4, help="of measuring in each pass (and at least 3 runs)")
    ap.add_argument("--json", help="all figures of all passes")
    ap.add_argument("--cold", action="store_true")
    ap.add_argument("--sizes", action="store_true")
    ap.add_argument("--serve", help=argparse.SUPPRESS)
    a = ap.parse_args()
    if a.serve:
        serve(a.serve, a.dir, int(a.threads))
        return
    tsrun = shutil.which(a.tsrun) or sys.exit("no such program: " + a.tsrun)
    there = [n for n in network_names(a.sizes) if os.path.exists(os.path.join(a.dir, n, "model.pt"))]
    names = a.models.split(",") if a.models else there
    if a.cold:
        print("| network | python + torch | tsrun | ratio |\n|---|---:|---:|---:|")
        for n, r in cold(tsrun, a.dir, names, a.passes).items():
            print("| %s | %s | %s | %s |" % (n, cell(r["python + torch"]), cell(r["tsrun"]), ratio_cell(r["tsrun"] and r["python + torch"] and r["python + torch"] / r["tsrun"])))
        return
    systems, everything = available(a.systems.split(",")), {}
    for threads in map(int, a.threads.split(",")):
        everything[threads] = compare_all(tsrun, a.dir, names, threads, systems, a.passes, a.seconds)
        print("\nMilliseconds a run, %d thread%s, minimum of %d passes; ratios are peer / tsrun (above 1: tsrun is faster).\n" % (threads, "s" * (threads > 1), a.passes))
        print(table(everything[threads], systems), flush=True)
    if a.json:
        with open(a.json, "w") as f:
            json.dump(everything, f, indent=1)


def network_names(sizes):
    """Names of make_models.py without importing torch."""
    import ast
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "make_models.py")
    values = {t.targets[0].id: ast.literal_eval(t.value) for t in ast.parse(open(path).read()).body
              if isinstance(t, ast.Assign) and isinstance(t.targets[0], ast.Name) and t.targets[0].id in ("TABLE", "BATCHES", "LENGTHS")}
    if sizes:
        return ["mobilenet_v2_b%d" % b for b in values["BATCHES"]] + ["minilm_s%d" % n for n in values["LENGTHS"]]
    return values["TABLE"]


if __name__ == "__main__":
    main()
