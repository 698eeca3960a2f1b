"""Writes the files of tests/weights: weights as people save them, by PyTorch.

python scripts/make_weights.py tests/weights       with PyTorch 2.13, safetensors and numpy
python scripts/make_weights.py tests/weights/1.13  with PyTorch 1.13 and numpy: the same, but for types and formats that it did not have

The numbers are the same whichever version writes them, so the files can be compared with each other.
"""
import io
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import types
import zipfile

import numpy as np
import torch
import torch.nn as nn

MODERN = int(torch.__version__.split(".")[0]) >= 2

# The classes of pickled modules have a name that no reader can import.
sys.modules["shop"] = types.ModuleType("shop")
sys.modules["shop.models"] = sys.modules[__name__]


class Net(nn.Module):
    """Convolution, batch norm, two linear layers that share a weight, a plain buffer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 3)
        self.tied = nn.Linear(4, 3)
        self.tied.weight = self.fc.weight
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("cache", torch.ones(2), persistent=False)

    def forward(self, x):
        h = torch.relu(self.bn(self.conv(x))).mean((2, 3))
        return self.fc(h) + self.tied(h) * self.scale + self.cache.sum()


class Plain(nn.Module):
    """Every tensor of it is in its state dict."""
    __module__ = "shop.models"

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 5)
        self.fc2 = nn.Linear(5, 3)

    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))


def fill(module, seed):
    """Numbers that no version of the generator can change."""
    at = seed
    with torch.no_grad():
        for t in module.state_dict(keep_vars=True).values():
            n = t.numel()
            if t.is_floating_point():
                t.copy_((((torch.arange(n) * 37 + at * 11) % 64).float() / 64 + 0.03).reshape(t.shape))
            at += n
    return module.eval()


def save(folder, name, value, **kw):
    torch.save(value, os.path.join(folder, name), **kw)


def dtypes():
    """One tensor of each type, with awkward values."""
    bits = torch.tensor([0x00, 0x01, 0x3C, 0x7C, 0x80, 0xFB], dtype=torch.uint8)
    out = {
        "float32": torch.tensor([0.0, -0.0, 1e-45, float("inf"), float("nan"), 3.5]),
        "float64": torch.tensor([5e-324, -1.0, float("nan")], dtype=torch.float64),
        "float16": torch.tensor([6e-8, 65504.0, float("-inf")], dtype=torch.float16),
        "bfloat16": torch.tensor([1e-40, 3.0, float("nan")]).bfloat16(),
        "int8": torch.tensor([-128, 127], dtype=torch.int8),
        "uint8": torch.tensor([0, 255], dtype=torch.uint8),
        "int16": torch.tensor([-32768, 5], dtype=torch.int16),
        "int32": torch.tensor([-2**31, 7], dtype=torch.int32),
        "int64": torch.tensor([-2**63, 2**53 + 1]),
        "bool": torch.tensor([True, False, True]),
        "complex64": torch.tensor([1 + 2j, -3.5j], dtype=torch.complex64),
        "scalar": torch.tensor(7.25),
        "empty": torch.zeros(0, 3),
    }
    if MODERN:
        out.update({
            "uint16": torch.tensor([0, 65535], dtype=torch.uint16),
            "uint32": torch.tensor([0, 2**32 - 1], dtype=torch.uint32),
            "uint64": torch.tensor([0, 2**63], dtype=torch.uint64),
            "float8_e5m2": bits.view(torch.float8_e5m2),
            "float8_e4m3fn": bits.view(torch.float8_e4m3fn),
            "float8_e5m2fnuz": bits.view(torch.float8_e5m2fnuz),
            "float8_e4m3fnuz": bits.view(torch.float8_e4m3fnuz),
            "float8_e8m0fnu": bits.clone().view(torch.float8_e8m0fnu),
            "float4_e2m1fn_x2": bits.clone().reshape(3, 2).view(torch.float4_e2m1fn_x2),
        })
    return out


class Scaler(nn.Module):
    """A module among the arguments of another: no rival to the state dict."""
    __module__ = "shop.models"

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(2))


def rezip(folder, name, to, record, content):
    """A file as a PyTorch of the future might write it."""
    with zipfile.ZipFile(os.path.join(folder, name)) as src, zipfile.ZipFile(os.path.join(folder, to), "w") as dst:
        for entry in src.namelist():
            dst.writestr(zipfile.ZipInfo(entry), content if entry.endswith("/" + record) else src.read(entry))


def checkpoint(net):
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    return {"epoch": 7, "model_state_dict": net.state_dict(), "optimizer_state_dict": optimizer.state_dict(), "loss": torch.tensor(0.25)}


def saved_on(folder, name, value, device):
    """As if it had been on that device."""
    own = torch.serialization.location_tag
    torch.serialization.location_tag = lambda storage: device
    save(folder, name, value)
    torch.serialization.location_tag = own


def save_tar(folder, name, state):
    """The tar that PyTorch wrote before 0.2: numbers stand for storages and tensors.  torch.load still reads it."""
    kinds = {torch.float32: (torch.FloatTensor, torch.FloatStorage), torch.int64: (torch.LongTensor, torch.LongStorage)}
    parts = {"storages": io.BytesIO(), "tensors": io.BytesIO(), "pickle": io.BytesIO()}
    roots = {t.data_ptr(): t for t in reversed(list(state.values()))}  # tied weights have one
    pickle.dump(len(roots), parts["storages"], 2)
    for i, t in enumerate(roots.values()):
        pickle.dump((i, "cpu", kinds[t.dtype][1]), parts["storages"], 2)
        parts["storages"].write(t.numel().to_bytes(8, "little") + t.numpy().tobytes())
    pickle.dump([], parts["storages"], 2)
    pickle.dump(len(state), parts["tensors"], 2)
    for i, t in enumerate(state.values()):
        pickle.dump((100 + i, list(roots).index(t.data_ptr()), kinds[t.dtype][0]), parts["tensors"], 2)
        parts["tensors"].write(t.dim().to_bytes(8, "little") + b"".join(n.to_bytes(8, "little") for n in (*t.shape, *t.stride(), 0)))
    by_number = pickle.Pickler(parts["pickle"], 2)
    by_number.persistent_id = lambda x: x.number if isinstance(x, Number) else None
    by_number.dump({key: Number(100 + i) for i, key in enumerate(state)})
    with tarfile.open(os.path.join(folder, name), "w", tarfile.USTAR_FORMAT) as out:
        for member, data in parts.items():
            info = tarfile.TarInfo(member)
            info.size = data.tell()
            data.seek(0)
            out.addfile(info, data)
    back = torch.load(os.path.join(folder, name), **({"weights_only": False} if MODERN else {}))
    assert list(back) == list(state) and all(torch.equal(back[k], v) for k, v in state.items())


class Number:
    def __init__(self, number):
        self.number = number


def save_shards(folder, name, parts, write):
    """Two files and the index that says what is in which."""
    stem, ending = os.path.splitext(name)
    shards = ["%s-0000%d-of-00002%s" % (stem, i, ending) for i in (1, 2)]
    where = {k: shards[i >= len(parts) // 2] for i, k in enumerate(parts)}
    os.makedirs(folder, exist_ok=True)
    for shard in shards:
        write({k: parts[k].clone() for k in parts if where[k] == shard}, os.path.join(folder, shard))
    with open(os.path.join(folder, name + ".index.json"), "w") as f:
        f.write('{"metadata":{"total_size":172},"weight_map":{%s}}' % ",".join('"%s":"%s"' % item for item in where.items()))
    with open(os.path.join(folder, "config.json"), "w") as f:
        f.write('{"model_type":"plain","hidden_size":5}\n')


def archives(folder):
    """Models whose weights are not those of the files, inputs, and the results with the weights of the files."""
    first, net = fill(Net(), 2), fill(Net(), 5)
    x = (torch.arange(128) % 17).float().reshape(2, 1, 8, 8) / 17
    torch.jit.trace(first, x).save(os.path.join(folder, "net.pt"))
    torch.jit.script(fill(Plain(), 2)).save(os.path.join(folder, "plain.pt"))
    torch.jit.freeze(torch.jit.script(fill(Plain(), 2))).save(os.path.join(folder, "frozen.pt"))
    save(folder, "input.pt", x)
    save(folder, "expected.pt", net(x).detach())
    px = (torch.arange(8) % 5).float().reshape(2, 4) / 5
    save(folder, "plain-input.pt", px)
    save(folder, "plain-expected.pt", fill(Plain(), 5)(px).detach())


def state_dicts(folder):
    net, plain = fill(Net(), 5), fill(Plain(), 5)
    state, parts = net.state_dict(), plain.state_dict()
    save(folder, "state.pth", state)
    save(folder, "stream.pth", state, _use_new_zipfile_serialization=False)
    save_tar(folder, "old.tar", state)
    full = dict(state, cache=net.cache)
    apart = {k: v.clone() for k, v in full.items()}
    save(folder, "full.pth", full)
    np.savez(os.path.join(folder, "full.npz"), **{k: v.numpy() for k, v in apart.items()})
    np.savez_compressed(os.path.join(folder, "packed.npz"), **{k: v.numpy() for k, v in apart.items()})
    for protocol in range(6):
        save(folder, "protocol-%d.pth" % protocol, parts, pickle_protocol=protocol)
    pickler = types.ModuleType("python_pickler")  # as dill and cloudpickle are given
    pickler.__dict__.update(Pickler=pickle._Pickler, Unpickler=pickle._Unpickler, dump=pickle._dump, dumps=pickle._dumps)
    save(folder, "pickle-module.pth", parts, pickle_module=pickler)
    saved_on(folder, "cuda.pth", parts, "cuda:3")
    saved_on(folder, "mps.pth", parts, "mps")
    save(folder, "two.pth", {"generator": parts, "critic": fill(Plain(), 9).state_dict()})
    save(folder, "half.pth", {k: v.half() for k, v in parts.items()})
    save(folder, "layers.pth", {"layers.%d.weight" % i: torch.ones(2, 2) for i in range(3)})
    save_shards(os.path.join(folder, "sharded-bin"), "pytorch_model.bin", parts, torch.save)
    os.makedirs(os.path.join(folder, "single-bin"), exist_ok=True)
    save(os.path.join(folder, "single-bin"), "pytorch_model.bin", parts)


def checkpoints(folder):
    parts = fill(Plain(), 5).state_dict()
    trained = fill(Plain(), 5)
    x = torch.load(os.path.join(folder, "plain-input.pt"))
    save(folder, "checkpoint.tar", checkpoint(trained))
    save(folder, "checkpoint-stream.tar", checkpoint(fill(Plain(), 5)), _use_new_zipfile_serialization=False)
    save(folder, "checkpoint-expected.pt", trained(x).detach())
    save(folder, "nested.pth", {"model": {"state_dict": parts, "args": {"depth": 2}}, "trainer": [{"best": np.float64(0.5)}]})
    save(folder, "lightning.ckpt", {"epoch": 3, "pytorch-lightning_version": "2.4.0", "state_dict": {"net." + k: v for k, v in parts.items()},
                                    "hyper_parameters": {"scaler": Scaler(), "activation": nn.ReLU()}})
    save(folder, "wrapped.pth", {"state_dict": {"backbone." + k: v for k, v in parts.items()}, "hyper_parameters": {"lr": 0.1}})


def modules(folder):
    save(folder, "module.pth", fill(nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)), 5))
    save(folder, "custom.pth", fill(Plain(), 5))


def what_does_not_fit(folder):
    plain = fill(Plain(), 5)
    parts = plain.state_dict()
    save(folder, "parallel.pth", {"module." + k: v for k, v in parts.items()})
    save(folder, "compiled.pth", {k.replace("fc1.", "fc1._orig_mod."): v for k, v in parts.items()})
    wrong = dict(parts)
    wrong["fc1.weight"] = wrong["fc1.weight"].t().contiguous()
    wrong["head.weight"] = wrong.pop("fc2.bias")
    save(folder, "wrong.pth", wrong)
    save(folder, "wrong-part.pth", {"fc1.weight": torch.ones(2, 4), **{k: v for k, v in parts.items() if k != "fc1.weight"}})
    save(folder, "meta.pth", dict(parts, **{"fc1.bias": torch.empty(5, device="meta"), "fc2.bias": 3}))
    odd = dict(parts, **{"fc1.weight": plain.fc1.weight.detach().to_sparse(), "fc1.bias": np.float64(0.5), "fc1._extra_state": 3})
    odd["fc2.weight"] = torch.quantize_per_tensor(plain.fc2.weight.detach(), 0.1, 0, torch.qint8)
    save(folder, "odd.pth", odd)
    save(folder, "dict.pth", dict(parts, **{"fc1.bias": {"a": [1, {}]}}))
    save(folder, "empty.pth", {})


def types_and_views(folder):
    save(folder, "dtypes.pth", dtypes())
    pair = torch.tensor([1 + 2j, -3.5j])
    rare = {"complex128": pair.to(torch.complex128)}
    if MODERN:
        bits = torch.tensor([0x00, 0x01, 0x3C, 0x7C, 0x80, 0xFB], dtype=torch.uint8)
        rare = {**{k: bits.clone().view(getattr(torch, k)) for k in ("bits8", "bits16", "bits2x4")}, "complex32": pair.to(torch.complex32), **rare}
    save(folder, "bits.pth", rare)
    whole = torch.arange(12.0).reshape(3, 4)
    save(folder, "views.pth", {"whole": whole, "turned": whole.t()})
    base = (torch.arange(48.0) - 20).reshape(6, 8)
    turned = {"all": base.t(), "odd": base[1::2, ::2], "deep": base.reshape(2, 3, 2, 4).permute(3, 0, 2, 1), "row": base[2:3].expand(3, 8),
              "bool": (base > 0).t(), "int8": base.to(torch.int8)[:, ::3], "complex": torch.complex(base, -base).t()}
    if MODERN:  # 1.13 loses the conjugation when it saves
        turned["conj"] = turned["complex"].conj()
    save(folder, "turned.pth", turned)
    save(folder, "turned-flat.pth", {k: v.resolve_conj().contiguous() for k, v in turned.items()})
    recurrent = fill(nn.LSTM(3, 2), 4)
    flat, at = torch.cat([p.detach().flatten() for p in recurrent.parameters()]), 0
    parts = {}
    for k, p in recurrent.named_parameters():  # as cuDNN lays them out
        parts[k] = flat[at:at + p.numel()].view(p.shape)
        at += p.numel()
    save(folder, "recurrent.pth", parts)


def safetensors(folder):
    from safetensors.torch import save_file
    net = fill(Net(), 5)
    save_file({k: v.clone() for k, v in dict(net.state_dict(), cache=net.cache).items()}, os.path.join(folder, "full.safetensors"))
    save_shards(os.path.join(folder, "sharded"), "model.safetensors", fill(Plain(), 5).state_dict(), save_file)


def of_a_later_version(folder):
    rezip(folder, "plain.pt", "later.pt", "version", b"11\n")
    rezip(folder, "state.pth", "later.pth", "version", b"11\n")
    rezip(folder, "state.pth", "order.pth", "byteorder", b"middle")


def main(folder):
    torch.set_num_threads(1)
    os.makedirs(folder, exist_ok=True)
    for step in (archives, state_dicts, checkpoints, modules, what_does_not_fit, types_and_views) + ((safetensors, of_a_later_version) if MODERN else ()):
        step(folder)


def restage():
    """Archives record the paths of their sources: run from a folder whose name says nothing about this machine."""
    stage = "/src"
    shutil.rmtree(stage, ignore_errors=True)
    os.makedirs(stage)
    shutil.copy(__file__, stage)
    os.symlink(os.path.dirname(os.path.dirname(torch.__file__)), os.path.join(stage, "lib"))
    env = dict(os.environ, PYTHONPATH=os.path.join(stage, "lib"), PYTHONDONTWRITEBYTECODE="1")
    sys.exit(subprocess.call([sys.executable, os.path.join(stage, os.path.basename(__file__)), os.path.abspath(sys.argv[1])], cwd=stage, env=env))


if __name__ == "__main__":
    if os.path.dirname(os.path.abspath(__file__)) == "/src":
        main(sys.argv[1])
    else:
        restage()
