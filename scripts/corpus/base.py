"""The register of corpus cases and the code that writes one folder.

Works with every PyTorch from 1.1 (Python 3.7) on, so no newer syntax here.
"""
import contextlib
import copy
import inspect
import io
import os
import re
import shutil
import sys
import traceback
import zipfile
import zlib

import torch

CASES = []


def with_code(module, code):
    """The bytes of the module's archive with this text for its code, and no records of where other code came from."""
    plain, out = io.BytesIO(), io.BytesIO()
    torch.jit.save(module, plain)
    with zipfile.ZipFile(plain) as src, zipfile.ZipFile(out, "w") as dst:
        for n in src.namelist():
            if "/code/" not in n and not n.endswith(".debug_pkl"):
                dst.writestr(zipfile.ZipInfo(n, (1980, 1, 1, 0, 0, 0)), src.read(n))
        dst.writestr(zipfile.ZipInfo(src.namelist()[0].split("/")[0] + "/code/__torch__.py", (1980, 1, 1, 0, 0, 0)), code)
    return out.getvalue()


def seed_for(shape, kw):
    torch.manual_seed(kw.get("seed", 1) * 1000003 + sum((i + 1) * s for i, s in enumerate(shape)))


def T(*shape, **kw):
    """Normal numbers of this shape, the same on every run; seed= and scale= vary them."""
    seed_for(shape, kw)
    x = torch.randn(list(shape)) * kw.get("scale", 1.0)
    return x.to(kw["dtype"]) if "dtype" in kw else x


def I(*shape, **kw):
    """Integers in [low, high) of this shape, the same on every run."""
    seed_for(shape, kw)
    x = torch.randint(kw.get("low", -9), kw.get("high", 10), list(shape))
    return x.to(kw["dtype"]) if "dtype" in kw else x


def family_of(f):
    return f.__module__.split(".")[-1]


def kebab(name):
    return re.sub("(?<=[a-z0-9])(?=[A-Z])", "-", name.strip("_").replace("_", "-")).lower()


def case(*inputs, **opt):
    """Register a case.  On a function or a Module class: it is scripted.  Options:
    name, family, form ("scripted", "traced", "frozen" or a tuple of them; "written": the function returns the archive's bytes), rtol, atol, method, note;
    init: arguments of the Module's constructor; fails=True: the run must raise; seed: of the default generator; engine: of quantized layers."""
    def register(f):
        forms = opt.get("form", "scripted")
        for form in (forms if isinstance(forms, tuple) else (forms,)):
            name = opt.get("name", kebab(f.__name__))
            if form != "scripted" and not opt.get("plain_name"):
                name += "-" + form
            name = "%s-%s" % (opt.get("family", family_of(f)), name)
            assert name not in [c[0] for c in CASES], name
            CASES.append((name, f, inputs, dict(opt, form=form, source=family_of(f) + ".py")))
        return f
    return register


def names():
    return [c[0] for c in CASES]


def plain(v):
    """What a reader without the program's classes can load: named tuples become tuples, tensors lose autograd."""
    if isinstance(v, torch.Tensor):
        return v.detach().clone()
    if isinstance(v, tuple):
        return tuple(plain(x) for x in v)
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, dict):
        return dict((plain(k), plain(x)) for k, x in v.items())
    assert v is None or isinstance(v, (bool, int, float, complex, str)), type(v)
    return v


def build(f, inputs, opt):
    torch.manual_seed(zlib.crc32(opt["name_full"].encode()))
    thing = f
    if isinstance(f, type) and issubclass(f, torch.nn.Module):
        thing = f(*opt.get("init", ()))
    elif opt.get("make"):
        thing = f()
    if isinstance(thing, torch.nn.Module) and not opt.get("training"):
        thing.eval()
        if not opt.get("calibrated"):
            calibrate(thing, inputs)
    if opt["form"] == "pickled":
        return thing
    if opt["form"] == "traced":
        lenient = {} if torch.__version__ < "1.6" and torch.__version__[3] == "." else {"strict": False}
        return torch.jit.trace(thing, inputs, check_trace=False, **lenient)
    scripted = thing if isinstance(thing, torch.jit.ScriptModule) else torch.jit.script(thing)
    if opt["form"] == "frozen":
        return torch.jit.freeze(scripted.eval())
    return scripted


def calibrate(module, inputs):
    """Running statistics of batch norms as if trained, so that deep random networks keep their signal."""
    norms = [m for m in module.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm) and m.track_running_stats]
    if not norms:
        return
    for m in norms:
        m.momentum = None
        m.train()
    with torch.no_grad():
        for i in range(3):
            module(*[x + 0.1 * i * T(*x.shape, seed=9 + i) if isinstance(x, torch.Tensor) and x.is_floating_point() else x for x in inputs])
    for m in norms:
        m.momentum = 0.1
        m.eval()


@contextlib.contextmanager
def stdout_to(path):
    """File descriptor 1 goes to path: the interpreter prints from C++."""
    sys.stdout.flush()
    saved, f = os.dup(1), os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(f, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(f)
        os.close(saved)


def error_line(e):
    lines = [x for x in str(e).splitlines() if x.strip()]
    text = lines[-1].strip()
    for prefix in ("builtins.", "RuntimeError: "):
        if text.startswith(prefix):
            text = text[len(prefix):]
    return text


def pickle_whole(module, path, opt):
    """torch.save(module) and back.  strip: attributes that a file of an older PyTorch would not have."""
    def no_source(thing):
        raise OSError("left out")
    written = copy.deepcopy(module)
    for m in written.modules():
        for name in opt.get("strip", ()):
            m.__dict__.pop(name, None)
            m._buffers.pop(name, None)
    if not opt.get("stream"):
        torch.save(written, path, pickle_protocol=opt.get("protocol", 2))
    else:  # the stream of before 1.6 would carry the text of torch.nn's own sources
        lines, inspect.getsourcelines = inspect.getsourcelines, no_source
        torch.save(written, path, _use_new_zipfile_serialization=False)
        inspect.getsourcelines = lines
    if opt.get("strip"):
        return module
    return torch.load(path, weights_only=False) if torch.__version__ >= "2" else torch.load(path)


def write(out, name, f, inputs, opt):
    opt["name_full"] = name
    d = os.path.join(out, name)
    shutil.rmtree(d, ignore_errors=True)
    os.makedirs(d)
    if opt["form"] == "written":
        with open(os.path.join(d, "model.pt"), "wb") as h:
            h.write(f())
        m = torch.jit.load(os.path.join(d, "model.pt"))
    else:
        with torch.no_grad():
            m = build(f, copy.deepcopy(inputs), opt)
    if opt["form"] == "pickled":
        m = pickle_whole(m, os.path.join(d, "model.pt"), opt)
    elif opt["form"] != "written":
        torch.jit.save(m, os.path.join(d, "model.pt"))
        m = torch.jit.load(os.path.join(d, "model.pt"))
    torch.save(inputs, os.path.join(d, "inputs.pt"))
    printed = os.path.join(d, "expected_stdout.txt")
    torch.manual_seed(opt.get("seed", 67280421310721))
    result = error = None
    if "engine" in opt:
        engine, torch.backends.quantized.engine = torch.backends.quantized.engine, opt["engine"]
    with torch.no_grad(), stdout_to(printed):
        try:
            result = getattr(m, opt.get("method", "forward"))(*copy.deepcopy(inputs)) if opt.get("method") else m(*copy.deepcopy(inputs))
        except Exception as e:
            error = e
    if "engine" in opt:
        torch.backends.quantized.engine = engine
    if os.path.getsize(printed) == 0:
        os.unlink(printed)
    if opt.get("fails"):
        assert error is not None, "did not raise"
        with open(os.path.join(d, "expected_error.txt"), "w") as h:
            h.write(error_line(error) + "\n")
    elif error is not None:
        raise error
    else:
        torch.save(plain(result), os.path.join(d, "expected.pt"))
    if opt.get("after"):
        opt["after"](d)
    with open(os.path.join(d, "case.txt"), "w") as h:
        h.write("made-by: PyTorch %s, scripts/corpus/%s\nform: %s\n" % (torch.__version__.split("+")[0], opt["source"], opt["form"]))
        for key in ("rtol", "atol", "method", "note"):
            if key in opt:
                h.write("%s: %s\n" % (key, opt[key]))


def write_all(out, only):
    made = failed = 0
    for name, f, inputs, opt in CASES:
        if only not in name:
            continue
        try:
            write(out, name, f, inputs, opt)
            made += 1
        except Exception:
            failed += 1
            shutil.rmtree(os.path.join(out, name), ignore_errors=True)
            print("---- %s failed" % name)
            print("\n".join(traceback.format_exc().splitlines()[-6:]))
    return made, failed
