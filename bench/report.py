"""docs/performance.md and its plots from the figures that bench/run collects."""
import os

from compare import PEERS, TORCH, cell, geometric_mean, minimum, ratio_cell, ratios

# Best peer / tsrun that each network should reach.
GOALS = {"resnet18": 1.7, "resnet50": 1.2, "resnet50_b8": 1.2, "mobilenet_v2": 1.2, "mobilenet_v3_large": 1.2, "efficientnet_b0": 1.25, "densenet121": 1.15,
         "convnext_tiny": 1.15, "deeplabv3_mobilenet_v3_large": 1.15, "vit_b_16": 1.1, "swin_t": 1.1, "bert_base": 1.05, "gpt2": 1.1, "minilm": 1.3,
         "minilm_s128_b8": 1.1, "lstm_tagger": 1.15, "gru_cell_loop": 2, "silero_vad": 1.5, "mlp": 1.3, "integer_loop": 5}
SHOWN = {"torch": "PyTorch, scripted", "torch-freeze": "PyTorch, frozen", "torch-ofi": "PyTorch, optimize_for_inference", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
COLOURS = {"tsrun": "#1b6ca8", "torch": "#d1495b", "torch-freeze": "#e07a5f", "torch-ofi": "#edae49", "onnxruntime": "#66a182", "openvino": "#8d6a9f"}


# ---- plots

def svg(width, height, body):
    return ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">\n'
            '<rect width="100%%" height="100%%" fill="white"/>\n%s\n</svg>\n' % (width, height, width, height, "\n".join(body)))


def text(x, y, s, anchor="start", extra=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (x, y, anchor, extra, s.replace("&", "&amp;").replace("<", "&lt;"))


def bars(data, threads):
    """Time of each system relative to tsrun's: bars beyond the line at 1 are slower."""
    names, left, unit, row = list(data), 190, 90, 34
    most = 5.0
    body = [text(10, 18, "Time of a run relative to tsrun, %d thread%s (shorter is faster; cut at %g)" % (threads, "s" * (threads > 1), most), extra=' font-weight="bold"')]
    y = 34
    for n in names:
        mine, who, best_ms, of_all, of_torch = ratios(data[n]["results"])
        body.append(text(left - 8, y + 18, "%s  %s ms" % (n, cell(mine)), "end"))
        for i, (value, colour, label) in enumerate(((1.0 if mine else None, COLOURS["tsrun"], "tsrun"), (of_all, COLOURS.get(who, "#999"), who), (of_torch, "#d1495b", "best torch"))):
            if value is None:
                continue
            w = min(value, most) * unit
            body.append('<rect x="%d" y="%.1f" width="%.1f" height="8" fill="%s"/>' % (left, y + i * 9, w, colour))
            if i:
                body.append(text(left + w + 4, y + i * 9 + 8, "%s %.2f" % (label, value), extra=' font-size="9"'))
        y += row
    body.append('<line x1="%d" y1="28" x2="%d" y2="%d" stroke="#444" stroke-dasharray="3 3"/>' % (left + unit, left + unit, y))
    return svg(left + int(most * unit) + 150, y + 10, body)


def curves(series, title, axis, unit):
    """series: {system: [(size, value)]}, both axes logarithmic."""
    import math
    width, height, left, top, bottom = 640, 360, 60, 34, 40
    points = [(x, v) for s in series.values() for x, v in s if v]
    if not points:
        return None
    log = lambda v: math.log(v)
    x0, x1 = min(p[0] for p in points), max(p[0] for p in points)
    y0, y1 = min(p[1] for p in points) / 1.2, max(p[1] for p in points) * 1.2
    fx = lambda x: left + (log(x) - log(x0)) / max(1e-9, log(x1) - log(x0)) * (width - left - 150)
    fy = lambda y: height - bottom - (log(y) - log(y0)) / max(1e-9, log(y1) - log(y0)) * (height - top - bottom)
    body = [text(10, 18, title, extra=' font-weight="bold"'), text((left + width - 150) / 2, height - 8, axis, "middle")]
    for x in sorted({p[0] for p in points}):
        body += ['<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#eee"/>' % (fx(x), top, fx(x), height - bottom), text(fx(x), height - bottom + 14, "%g" % x, "middle")]
    for k in range(5):
        v = y0 * (y1 / y0) ** (k / 4)
        body += ['<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#eee"/>' % (left, fy(v), width - 150, fy(v)), text(left - 6, fy(v) + 4, cell(v), "end")]
    body.append(text(8, top - 2, unit, extra=' font-size="9"'))
    ends = []
    for s, values in series.items():
        line = " ".join("%.1f,%.1f" % (fx(x), fy(v)) for x, v in values if v)
        if not line:
            continue
        body.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="%s"/>' % (line, COLOURS[s], "2.5" if s == "tsrun" else "1.3"))
        ends.append((fy([v for _, v in values if v][-1]), s))
    at = 0
    for y, s in sorted(ends):
        at = max(at + 13, y + 4)
        body.append(text(width - 144, at, s, extra=' fill="%s"' % COLOURS[s]))
    return svg(width, height, body)


def size_series(data, prefix, per):
    out = {}
    for n, d in data.items():
        if not n.startswith(prefix) or not n[len(prefix):].isdigit():
            continue
        size = int(n[len(prefix):])
        for s, rows in d["results"].items():
            v = minimum(rows, "min_ms")
            out.setdefault(s, []).append((size, v / size if v and per else v))
    return {s: sorted(v) for s, v in out.items()}


# ---- tables

def ratio_table(data, threads):
    lines = ["| network | tsrun ms | best peer ms | | vs best of all | goal | vs best PyTorch | each run |", "|---|---:|---:|---|---:|---:|---:|---|"]
    for n, d in data.items():
        mine, who, ms, of_all, of_torch = ratios(d["results"])
        goal = GOALS.get(n)
        met = "" if of_all is None or goal is None else " ✓" if of_all >= goal else " –"
        each = " ".join(ratio_cell(r) for r in d.get("runs", []))
        lines.append("| %s | %s | %s | %s | **%s**%s | %s | %s | %s |" % (n, cell(mine), cell(ms), who or "", ratio_cell(of_all), met, "%g" % goal if goal else "", ratio_cell(of_torch), each))
    of = [ratios(d["results"]) for d in data.values()]
    lines.append("| **geometric mean** | | | | **%s** | 1.3 | **%s** (goal 2) | |" % (ratio_cell(geometric_mean([r[3] for r in of])), ratio_cell(geometric_mean([r[4] for r in of]))))
    return lines


def peer_table(data):
    systems = [s for s in ("tsrun",) + PEERS if any(s in d["results"] for d in data.values())]
    lines = ["| network | " + " | ".join(systems) + " |", "|---" + "|---:" * len(systems) + "|"]
    for n, d in data.items():
        lines.append("| %s | %s |" % (n, " | ".join("%s (%s)" % (cell(minimum(d["results"].get(s, []), "min_ms")), cell(minimum(d["results"].get(s, []), "median_ms"))) for s in systems)))
    return lines


def start_table(data):
    lines = ["| network | load ms | of it packing | first call ms | steady ms | first / steady |", "|---|---:|---:|---:|---:|---:|"]
    for n, d in data.items():
        rows = d["results"].get("tsrun", [])
        best = {k: minimum(rows, k) for k in ("load_ms", "pack_ms", "first_ms", "min_ms")}
        ratio = best["first_ms"] / best["min_ms"] if best["first_ms"] and best["min_ms"] else None
        lines.append("| %s | %s | %s | %s | %s | %s |" % (n, cell(best["load_ms"]), cell(best["pack_ms"]), cell(best["first_ms"]), cell(best["min_ms"]), ratio_cell(ratio)))
    return lines


def memory_table(data):
    """Whole processes; and what they hold beside programs and mapped files."""
    lines = ["| network | archive MB | tsrun MB | best peer MB | | tsrun, not of files | best peer, without its imports | ratio (goal 0.5) |",
             "|---|---:|---:|---:|---|---:|---:|---:|"]
    for n, d in data.items():
        rows = d["results"].get("tsrun", [])
        mine, own = minimum(rows, "peak_rss_mb"), minimum(rows, "anonymous_mb")
        peers = [(minimum(d["results"].get(s, []), "peak_rss_mb"), s) for s in PEERS if minimum(d["results"].get(s, []), "peak_rss_mb")]
        net = best_peers_mb(d)
        least = min(peers) if peers else (None, "")
        lines.append("| %s | %s | %s | %s | %s | %s | %s | %s |" % (n, cell(d["file_mb"]), cell(mine), cell(least[0]), least[1], cell(own), cell(net),
                                                                 ratio_cell(own / net if own is not None and net else None)))
    return lines


def best_peers_mb(d):
    """What the peer that needs least needs beside its imports."""
    net = [max(0, minimum(r, "peak_rss_mb") - minimum(r, "base_rss_mb")) for r in (d["results"].get(s, []) for s in PEERS) if r]
    return min(net) if net else None


def cached_table(cached, data, cold):
    """What a filled cache changes; in brackets the same without one, measured in turn."""
    lines = ["| network | load ms | process start to answer ms | python + torch / tsrun (goal 20) | first call ms | first / steady | steady ms | not of files MB | ratio to the best peer's (goal 0.5) |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for n, d in cached.items():
        w = {k: [minimum(d[way], k) for way in ("with", "without")] for k in ("load_ms", "cold_ms", "first_ms", "min_ms", "anonymous_mb")}
        pair = lambda x: "%s (%s)" % (cell(x[0]), cell(x[1]))
        over = lambda x, y: x / y if x and y else None
        peer, start = best_peers_mb(data[n]) if n in data else None, cold.get(n) or {}
        lines.append("| %s | %s | %s | %s | %s | %s | %s | %s | %s |" % (n, pair(w["load_ms"]), pair(w["cold_ms"]), ratio_cell(over(start.get("python + torch"), start.get("tsrun"))), pair(w["first_ms"]),
                                                                     ratio_cell(over(w["first_ms"][0], w["min_ms"][0])), pair(w["min_ms"]), pair(w["anonymous_mb"]), ratio_cell(over(w["anonymous_mb"][0], peer))))
    return lines


def limit_table(data):
    lines = ["| network | GFLOP | MB of weights | arithmetic limit ms | memory limit ms | tsrun ms | share of the nearer limit |", "|---|---:|---:|---:|---:|---:|---:|"]
    for n, d in data.items():
        p, mine = d.get("profile"), minimum(d["results"].get("tsrun", []), "min_ms")
        if not p or not mine:
            continue
        compute, memory = p["flops"] / p["peak_gflops"] / 1e6, d["file_mb"] / p["peak_gbytes"]
        lines.append("| %s | %s | %s | %s | %s | %s | %.0f %% |" % (n, cell(p["flops"] / 1e9), cell(d["file_mb"]), cell(compute), cell(memory), cell(mine), 100 * compute / mine))
    return lines


def cold_table(cold):
    lines = ["| network | python + torch ms | tsrun ms | ratio (goal 20) |", "|---|---:|---:|---:|"]
    for n, r in cold.items():
        a, b = r["python + torch"], r["tsrun"]
        lines.append("| %s | %s | %s | %s |" % (n, cell(a), cell(b), ratio_cell(a / b if a and b else None)))
    return lines


# ---- the page

def write(folder, facts):
    """facts: what bench/run collects; writes performance.md and performance-*.svg."""
    page = ["# Performance", "", "Written by `bench/run`; do not edit. %s." % facts["when"], "",
            "Machine: %s. tsrun %s. Peers: %s." % (facts["machine"], facts["tsrun"], facts["versions"]), "",
            "Every system has a process of its own and the same number of threads, float32. Those of one network take turns, in %d passes; a time is the minimum over"
            % facts["passes"],
            "all runs of all passes. A ratio is the peer's time divided by tsrun's: above 1, tsrun is faster. The best peer is the fastest of " + ", ".join(SHOWN.values()) + ".", ""]
    if facts.get("note"):
        page += ["**" + facts["note"] + "**", ""]
    runs = max(len(d.get("runs", [])) for data in facts["table"].values() for d in data.values())
    if runs > 1:
        page += ["Everything was measured %d times over; of each network the run that was worst for tsrun stands here, and every run's ratio beside it." % runs, ""]
    for threads, data in sorted(facts["table"].items(), key=lambda x: -int(x[0])):
        threads = int(threads)
        name = "performance-%d.svg" % threads
        with open(os.path.join(folder, name), "w") as f:
            f.write(bars(data, threads))
        page += ["## %d thread%s" % (threads, "s" * (threads > 1)), ""] + ratio_table(data, threads) + ["", "![time relative to tsrun](%s)" % name, "",
                 "All systems, minimum (median) in milliseconds:", ""] + peer_table(data) + [""]
    main = facts["table"][max(facts["table"], key=int)]
    page += ["## From the start", "", "Process start to answer:", ""] + cold_table(facts["cold"]) + ["", "In a process, minimum of the passes:", ""] + start_table(main)
    page += ["", "## Memory and size", "", "Peak resident memory of the process:", ""] + memory_table(main) + ["", "Size of the stripped `tsrun` and `libtsrun.so`: %.2f MB (goal 4)." % facts["size_mb"], ""]
    if facts.get("cached"):
        c = facts["cached"]
        page += ["### With a cache of prepared weights", "", "`--cache FOLDER`, filled by an earlier run; in brackets without it, taking turns (%d threads, %s). First calls and ratios to Python are with it.%s" % (c["threads"], c["commit"], " " + c["note"] if c.get("note") else ""), ""]
        page += cached_table(c["networks"], main, c["cold"]) + [""]
    peaks = [d["profile"] for d in main.values() if d.get("profile")]
    if peaks:
        page += ["## Against the machine", "", "Measured in the same processes: %.0f GFLOP/s of multiply-adds, %.1f GB/s read from memory. Winograd convolutions do less arithmetic than is counted here."
                 % (max(p["peak_gflops"] for p in peaks), max(p["peak_gbytes"] for p in peaks)), ""] + limit_table(main) + [""]
    if facts.get("sizes"):
        page += ["## Cost against size", ""]
        for prefix, per, title, axis, unit, name in (("mobilenet_v2_b", True, "mobilenet_v2: time of one image", "batch", "ms", "performance-batch.svg"),
                                                    ("minilm_s", False, "MiniLM-L6: time of one sequence", "tokens", "ms", "performance-length.svg")):
            plot = curves(size_series(facts["sizes"], prefix, per), title, axis, unit)
            if plot is None:
                continue
            with open(os.path.join(folder, name), "w") as f:
                f.write(plot)
            page += ["![%s](%s)" % (title, name), ""]
        page += peer_table(facts["sizes"]) + [""]
    with open(os.path.join(folder, "performance.md"), "w") as f:
        f.write("\n".join(page))
