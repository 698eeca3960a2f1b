"""Writes the files of tests/weights: weights as people save them, by PyTorch.

python scripts/make_weights.py tests/weights      with PyTorch 2.13, safetensors and numpy: everything
python scripts/make_weights.py tests/weights old  with PyTorch 1.13: the files that carry its name

The numbers are the same whichever version writes them, so the files can be compared with each other.
"""
import os
import sys
import zipfile

import torch
import torch.nn as nn

# Module classes must be importable when a pickled module is written; nothing imports them when tsrun reads it.


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


def dtypes(modern):
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
    if modern:
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


def write_old(folder):
    net = fill(Net(), 5)
    save(folder, "state-1.13.pth", net.state_dict())
    save(folder, "stream-1.13.pth", net.state_dict(), _use_new_zipfile_serialization=False)
    save(folder, "dtypes-1.13.pth", dtypes(False))
    save(folder, "module-1.13.pth", fill(nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)), 5))


def write_new(folder):
    import numpy as np
    from safetensors.torch import save_file

    first, net = fill(Net(), 2), fill(Net(), 5)
    x = (torch.arange(128) % 17).float().reshape(2, 1, 8, 8) / 17
    traced = torch.jit.trace(first, x)
    traced.save(os.path.join(folder, "net.pt"))
    torch.jit.script(fill(Plain(), 2)).save(os.path.join(folder, "plain.pt"))
    torch.jit.freeze(torch.jit.script(fill(Plain(), 2))).save(os.path.join(folder, "frozen.pt"))
    save(folder, "input.pt", x)
    save(folder, "expected.pt", net(x).detach())
    plain = fill(Plain(), 5)
    px = (torch.arange(8) % 5).float().reshape(2, 4) / 5
    save(folder, "plain-input.pt", px)
    save(folder, "plain-expected.pt", plain(px).detach())

    state = net.state_dict()
    save(folder, "state.pth", state)
    save(folder, "stream.pth", state, _use_new_zipfile_serialization=False)
    full = dict(state, cache=net.cache)
    save(folder, "full.pth", full)
    apart = {k: v.clone() for k, v in full.items()}
    save_file(apart, os.path.join(folder, "full.safetensors"))
    np.savez(os.path.join(folder, "full.npz"), **{k: v.numpy() for k, v in apart.items()})
    np.savez_compressed(os.path.join(folder, "packed.npz"), **{k: v.numpy() for k, v in apart.items()})
    save(folder, "checkpoint.tar", checkpoint(fill(Plain(), 5)))
    save(folder, "two.pth", {"generator": plain.state_dict(), "critic": fill(Plain(), 9).state_dict()})
    save(folder, "parallel.pth", {"module." + k: v for k, v in plain.state_dict().items()})
    save(folder, "compiled.pth", {k.replace("fc1.", "fc1._orig_mod."): v for k, v in plain.state_dict().items()})
    save(folder, "wrapped.pth", {"state_dict": {"backbone." + k: v for k, v in plain.state_dict().items()}, "hyper_parameters": {"lr": 0.1}})
    save(folder, "half.pth", {k: v.half() for k, v in plain.state_dict().items()})
    wrong = dict(plain.state_dict())
    wrong["fc1.weight"] = wrong["fc1.weight"].t().contiguous()
    wrong["head.weight"] = wrong.pop("fc2.bias")
    save(folder, "wrong.pth", wrong)
    save(folder, "wrong-part.pth", {"fc1.weight": torch.ones(2, 4), **{k: v for k, v in plain.state_dict().items() if k != "fc1.weight"}})
    save(folder, "meta.pth", dict(plain.state_dict(), **{"fc1.bias": torch.empty(5, device="meta"), "fc2.bias": 3}))
    rezip(folder, "plain.pt", "later.pt", "version", b"11\n")
    rezip(folder, "state.pth", "later.pth", "version", b"11\n")
    rezip(folder, "state.pth", "order.pth", "byteorder", b"middle")
    odd = dict(plain.state_dict(), **{"fc1.weight": plain.fc1.weight.detach().to_sparse(), "fc1.bias": np.float64(0.5), "fc1._extra_state": 3})
    odd["fc2.weight"] = torch.quantize_per_tensor(plain.fc2.weight.detach(), 0.1, 0, torch.qint8)
    save(folder, "odd.pth", odd)
    sequence = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    save(folder, "module.pth", fill(sequence, 5))
    save(folder, "dtypes.pth", dtypes(True))
    bits = torch.tensor([0x00, 0x01, 0x3C, 0x7C, 0x80, 0xFB], dtype=torch.uint8)
    save(folder, "bits.pth", {"bits8": bits.clone().view(torch.bits8), "bits16": bits.clone().view(torch.bits16), "bits2x4": bits.clone().view(torch.bits2x4),
                              "complex32": torch.tensor([1 + 2j, -3.5j], dtype=torch.complex32), "complex128": torch.tensor([1 + 2j, -3.5j], dtype=torch.complex128)})
    whole = torch.arange(12.0).reshape(3, 4)
    save(folder, "views.pth", {"whole": whole, "turned": whole.t()})
    base = (torch.arange(48.0) - 20).reshape(6, 8)
    turned = {"all": base.t(), "odd": base[1::2, ::2], "deep": base.reshape(2, 3, 2, 4).permute(3, 0, 2, 1), "row": base[2:3].expand(3, 8),
                                "bool": (base > 0).t(), "int8": base.to(torch.int8)[:, ::3], "complex": torch.complex(base, -base).t(), "conj": torch.complex(base, -base).t().conj()}
    save(folder, "turned.pth", turned)
    save(folder, "turned-flat.pth", {k: v.resolve_conj().contiguous() for k, v in turned.items()})
    recurrent = fill(nn.LSTM(3, 2), 4)
    flat, at = torch.cat([p.detach().flatten() for p in recurrent.parameters()]), 0
    parts = {}
    for k, p in recurrent.named_parameters():  # as cuDNN lays them out
        parts[k] = flat[at:at + p.numel()].view(p.shape)
        at += p.numel()
    save(folder, "recurrent.pth", parts)
    save(folder, "lightning.ckpt", {"epoch": 3, "pytorch-lightning_version": "2.4.0", "state_dict": {"net." + k: v for k, v in plain.state_dict().items()},
                                    "hyper_parameters": {"scaler": Scaler(), "activation": nn.ReLU()}})
    save(folder, "nested.pth", {"model": {"state_dict": plain.state_dict(), "args": {"depth": 2}}, "trainer": [{"best": np.float64(0.5)}]})
    save(folder, "layers.pth", {"layers.%d.weight" % i: torch.ones(2, 2) for i in range(3)})

    shards = os.path.join(folder, "sharded")
    os.makedirs(shards, exist_ok=True)
    parts = plain.state_dict()
    names = {"fc1.weight": 1, "fc1.bias": 1, "fc2.weight": 2, "fc2.bias": 2}
    for i in (1, 2):
        save_file({k: parts[k].clone() for k, n in names.items() if n == i}, os.path.join(shards, "model-0000%d-of-00002.safetensors" % i))
    index = ",".join('"%s":"model-0000%d-of-00002.safetensors"' % (k, n) for k, n in names.items())
    with open(os.path.join(shards, "model.safetensors.index.json"), "w") as f:
        f.write('{"metadata":{"total_size":172},"weight_map":{%s}}' % index)
    with open(os.path.join(shards, "config.json"), "w") as f:
        f.write('{"model_type":"plain","hidden_size":5}\n')


if __name__ == "__main__":
    torch.set_num_threads(1)
    (write_old if sys.argv[2:] == ["old"] else write_new)(sys.argv[1])
