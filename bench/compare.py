#!/usr/bin/env python3
"""Time tsrun beside what one would use instead, and print a Markdown table.

    python bench/compare.py DIR TSRUN [-t THREADS] [-p PASSES] [-m NAME,...] [-s SYSTEM,...] [--json FILE]
    python bench/compare.py DIR TSRUN --cold [-m NAME,...]      (process start to answer)

DIR comes from bench/make_models.py.  Every measurement is a process of its own; the systems take turns within each of the passes, so
that a slow minute of the machine meets all of them, and each figure is the minimum over all runs of all passes.
"""
import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time

TORCH = ("torch", "torch-freeze", "torch-ofi")
PEERS = TORCH + ("onnxruntime", "openvino")


def peer_call(system, folder, threads):
    """A function that runs the network once, by system."""
    import torch
    inputs = torch.load(os.path.join(folder, "inputs.pt"))
    archive = os.path.join(folder, "model.pt")
    if system in TORCH:
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        m = torch.jit.load(archive).eval()
        if system != "torch":
            m = torch.jit.freeze(m)
        if system == "torch-ofi":
            m = torch.jit.optimize_for_inference(m)
        return lambda: m(*inputs)
    if system == "onnxruntime":
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        s = onnxruntime.InferenceSession(os.path.join(folder, "model.onnx"), options, providers=["CPUExecutionProvider"])
        feed = dict(zip([i.name for i in s.get_inputs()], [x.numpy() for x in inputs]))
        return lambda: s.run(None, feed)
    import openvino
    core = openvino.Core()
    m = core.compile_model(openvino.convert_model(os.path.join(folder, "model.onnx")), "CPU",
                           {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})
    request = m.create_infer_request()
    arrays = [x.numpy() for x in inputs]
    return lambda: request.infer(arrays)


def measure_peer(system, folder, threads, seconds):
    """Runs in a child: loads, runs until the time is over, prints the figures of `tsrun bench --format json`."""
    start = time.perf_counter()
    call = peer_call(system, folder, threads)
    loaded = time.perf_counter()
    call()
    first = time.perf_counter()
    for _ in range(3):
        call()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        t = time.perf_counter()
        call()
        times.append(time.perf_counter() - t)
    times.sort()
    print(json.dumps({"load_ms": (loaded - start) * 1e3, "first_ms": (first - loaded) * 1e3, "min_ms": times[0] * 1e3, "median_ms": times[len(times) // 2] * 1e3,
                      "p90_ms": times[len(times) * 9 // 10] * 1e3, "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "threads": threads}))


def measure(system, folder, a):
    env = dict(os.environ, OMP_NUM_THREADS=str(a.threads))
    if system == "tsrun":
        command = [a.tsrun, "bench", folder + "/model.pt", folder + "/inputs.pt", "-t", str(a.threads), "--min-time", str(a.seconds), "--format", "json"]
    else:
        command = [sys.executable, __file__, folder, "-", "--one", system, "-t", str(a.threads), "--seconds", str(a.seconds)]
    try:
        r = subprocess.run(command, capture_output=True, text=True, timeout=600, env=env)
        return json.loads(r.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return None


def best(results, key):
    values = [r[key] for r in results if r and key in r]
    return min(values) if values else None


def available(systems):
    def has(module):
        return subprocess.run([sys.executable, "-c", "import " + module], capture_output=True).returncode == 0
    return [s for s in systems if s == "tsrun" or has("torch" if s in TORCH else s)]


def table(names, systems, results, a):
    cell = lambda v: "–" if v is None else "%.3g" % v if v < 100 else "%.0f" % v
    peers = [s for s in systems if s != "tsrun"]
    print("\nMilliseconds a run, %d thread%s, minimum of %d passes; the last columns are peer / tsrun (above 1: tsrun is faster).\n" % (a.threads, "s" * (a.threads > 1), a.passes))
    print("| network | " + " | ".join(systems) + " | vs best torch | vs best of all | tsrun first run | tsrun MB |")
    print("|---" * (len(systems) + 5) + "|")
    for n in names:
        ms = {s: best(results[n][s], "min_ms") for s in systems}
        ratio = lambda group: min((ms[s] for s in group if ms[s]), default=None)
        against = [ratio([s for s in peers if s in TORCH]), ratio(peers)]
        mine = ms.get("tsrun")
        print("| %s | %s | %s | %s | %s |" % (n, " | ".join(cell(ms[s]) for s in systems), " | ".join("–" if not v or not mine else "%.2f" % (v / mine) for v in against),
                                            cell(best(results[n].get("tsrun", []), "first_ms")), cell(best(results[n].get("tsrun", []), "peak_rss_mb"))))


def cold(names, a):
    """From starting the process to its answer: what a command-line user waits for."""
    script = "import torch,sys; torch.set_grad_enabled(False); print(type(torch.jit.load(sys.argv[1])(*torch.load(sys.argv[2]))))"
    null = subprocess.DEVNULL
    print("\nProcess start to answer, milliseconds, minimum of %d.\n\n| network | python + torch | tsrun | ratio |\n|---|---|---|---|" % a.passes)
    for n in names:
        args = [os.path.join(a.dir, n, "model.pt"), os.path.join(a.dir, n, "inputs.pt")]
        figures = []
        for command in ([sys.executable, "-c", script] + args, [a.tsrun] + args + ["--print", "none"]):
            times = []
            for _ in range(a.passes):
                t = time.perf_counter()
                ok = subprocess.run(command, stdout=null, stderr=null).returncode == 0
                times.append((time.perf_counter() - t) * 1e3 if ok else float("inf"))
            figures.append(min(times))
        ok = all(f < float("inf") for f in figures)
        print("| %s | %.0f | %s | %s |" % (n, figures[0], "%.1f" % figures[1] if ok else "–", "%.1f" % (figures[0] / figures[1]) if ok else "–"), flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("dir")
    ap.add_argument("tsrun")
    ap.add_argument("-t", "--threads", type=int, default=1)
    ap.add_argument("-p", "--passes", type=int, default=3)
    ap.add_argument("-m", "--models", default="")
    ap.add_argument("-s", "--systems", default=",".join(PEERS + ("tsrun",)))
    ap.add_argument("--seconds", type=float, default=1.0, help="of measuring in each process")
    ap.add_argument("--json", help="all figures of all passes")
    ap.add_argument("--cold", action="store_true")
    ap.add_argument("--one", help=argparse.SUPPRESS)
    a = ap.parse_args()
    if a.one:
        measure_peer(a.one, a.dir, a.threads, a.seconds)
        return
    a.tsrun = shutil.which(a.tsrun) or sys.exit("no such program: " + a.tsrun)
    names = a.models.split(",") if a.models else sorted(n for n in os.listdir(a.dir) if os.path.exists(os.path.join(a.dir, n, "model.pt")))
    if a.cold:
        cold(names, a)
        return
    systems = available(a.systems.split(","))
    results = {n: {s: [] for s in systems} for n in names}
    for p in range(a.passes):
        for n in names:
            folder = os.path.join(a.dir, n)
            for s in systems:
                if s in ("onnxruntime", "openvino") and not os.path.exists(folder + "/model.onnx"):
                    continue
                results[n][s].append(measure(s, folder, a))
            print("pass %d of %d: %s" % (p + 1, a.passes, n), file=sys.stderr, flush=True)
    table(names, systems, results, a)
    if a.json:
        with open(a.json, "w") as f:
            json.dump(results, f, indent=1)


if __name__ == "__main__":
    main()
