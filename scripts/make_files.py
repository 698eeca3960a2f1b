#!/usr/bin/env python3
"""Write tests/files: what people save, and what somebody hostile would, for the tests of inspect, scan and loading.

    python scripts/make_files.py tests/files         with PyTorch 2.13
    python scripts/make_files.py tests/files/1.13    with PyTorch 1.13: what people save
"""
import io
import os
import pickle
import shutil
import struct
import sys
import tarfile
import zipfile

import torch
import torch.nn as nn

MODERN = int(torch.__version__.split(".")[0]) >= 2


def path(name):
    return os.path.join(OUT, name)


# ---- what people save

def trained():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    return model, torch.Generator().manual_seed(3)


def step(model, optimizer, generator):
    model(torch.randn(5, 3, generator=generator)).sum().backward()
    optimizer.step()


def checkpoint(name, stream=False):
    model, g = trained()
    optimizer = torch.optim.Adam([{"params": list(model[0].parameters()), "lr": 0.01}, {"params": list(model[2].parameters())}], lr=0.001)
    step(model, optimizer, g)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)
    state = {"epoch": 7, "model_state_dict": model.state_dict(), "optimizer_state_dict": optimizer.state_dict(), "loss": 0.125,
             "scheduler": scheduler.state_dict(), "arch": "tiny", "best": True}
    state["scheduler"] = dict((k, v) for k, v in state["scheduler"].items() if isinstance(v, (int, float, list)))
    torch.save(state, path(name), _use_new_zipfile_serialization=not stream)


def in_module(name, *bases):
    """A class whose code no reader has."""
    cls = type(name, bases, {"__init__": lambda self: (super(cls, self).__init__(), setattr(self, "fc", nn.Linear(3, 2)))[0]})
    module = type(sys)("shop.models")
    sys.modules["shop"], sys.modules["shop.models"] = type(sys)("shop"), module
    cls.__module__ = "shop.models"
    cls.__qualname__ = name
    setattr(module, name, cls)
    return cls


def saved_elsewhere():
    tags = {"a": "cuda:3", "b": "mps", "c": "cpu"}
    values = dict((k, torch.arange(3.0) + i) for i, k in enumerate(tags))
    places = dict((v.data_ptr(), tags[k]) for k, v in values.items())
    own = torch.serialization.location_tag
    torch.serialization.location_tag = lambda s: places.get(s.data_ptr(), own(s))
    values["d"] = torch.empty(2, 3, device="meta")
    torch.save(values, path("devices.pth"))
    torch.serialization.location_tag = own


def people():
    checkpoint("checkpoint.tar")
    checkpoint("checkpoint-stream.tar", stream=True)
    net = in_module("Net", nn.Module)
    torch.save(net(), path("custom.pth"))
    torch.save(nn.Sequential(nn.Linear(3, 3), net()), path("custom-inside.pth"))
    torch.save({"epoch": 1, "model": net()}, path("custom-checkpoint.pth"))
    torch.save(nn.Sequential(nn.Linear(3, 2, device="meta")), path("meta-module.pth"))
    saved_elsewhere()
    for protocol in range(6):
        torch.save({"w": torch.arange(4.0), "names": ["a", ("b", 2)], "ok": True, "none": None, "bytes": b"\x00\xff"} if protocol else {"n": 1, "names": ["a", "b"]},
                   path("protocol-%d.pth" % protocol), pickle_protocol=protocol)
    hooked = nn.Sequential(nn.Linear(3, 2))
    hooked[0].register_forward_hook(print)
    torch.save(hooked, path("hook.pth"))
    folder = path("folder")
    os.makedirs(folder, exist_ok=True)
    torch.save(trained()[0].state_dict(), os.path.join(folder, "pytorch_model.bin"))
    with open(os.path.join(folder, "config.json"), "w") as f:
        f.write('{"architectures": ["TinyModel"], "hidden_size": 4, "layer_norm_eps": 1e-12}\n')


# ---- what somebody hostile saves

class Call:
    def __init__(self, f, *args):
        self.call = (f, args)

    def __reduce__(self):
        return self.call


def zip_of(name, entries, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path(name), "w", method) as z:
        for n, data in entries:
            i = zipfile.ZipInfo(n)
            i.compress_type = method
            z.writestr(i, data)


def patched(name, source, *changes):
    data = bytearray(open(path(source), "rb").read())
    for old, new, nth in changes:
        at = -1
        for _ in range(nth):
            at = data.index(old, at + 1)
        data[at:at + len(old)] = new
    with open(path(name), "wb") as f:
        f.write(data)


def write(name, data):
    with open(path(name), "wb") as f:
        f.write(data)


EMPTY = b"\x80\x02}."


def hostile():
    torch.save({"w": torch.zeros(2), "x": Call(os.system, "echo caught")}, path("evil.pth"))
    torch.save({"x": Call(os.system, "echo caught")}, path("evil-stream.pth"), _use_new_zipfile_serialization=False)
    for protocol in range(6):
        write("evil-protocol-%d.pkl" % protocol, pickle.dumps([1, Call(eval, "1+1")], protocol))
    write("evil-memo.pkl", b"\x80\x04\x8c\x06system\x94\x8c\x02os\x940h\x01h\x00\x93\x8c\x02id\x85R.")
    write("evil-inst.pkl", b"(S'id'\nios\nsystem\n.")
    write("evil-obj.pkl", b"(cos\nsystem\nX\x02\x00\x00\x00ido.")
    write("evil-thrown-away.pkl", b"\x80\x02cwidgets\nignite\n)R0}.")
    write("evil-result.pkl", b"\x80\x02c__builtin__\ngetattr\nc__builtin__\nstr\nX\x05\x00\x00\x00upper\x86R)R.")
    write("evil-extension.pkl", b"\x80\x02\x82\x01)R.")
    write("odd-trailing.pkl", EMPTY + b"more")
    write("odd-underflow.pkl", b"\x80\x020}.")
    write("odd-memo.pkl", b"\x80\x02h\x07.")
    write("odd-endless.pkl", b"\x80\x02}")
    write("odd-protocol.pkl", b"\x80\x02\x8c\x01a.")
    write("odd-huge-memo.pkl", b"\x80\x02}r\xff\xff\xff\x7f.")
    write("odd-long-string.pkl", b"\x80\x02X\xff\xff\xff\xff.")
    zip_of("odd-twice.pth", [("a/data.pkl", EMPTY), ("a/data.pkl", b"\x80\x02cos\nsystem\n."), ("a/version", b"3\n")])
    zip_of("odd-path.pth", [("a/data.pkl", EMPTY), ("a/../../x", b"1"), ("/etc/x", b"1"), ("a\\b", b"1"), ("a/version", b"3\n")])
    zip_of("plain.pth", [("a/data.pkl", EMPTY), ("a/version", b"3\n")])
    zip_of("bomb.pth", [("a/data.pkl", EMPTY), ("a/data/0", bytes(20 << 20))], zipfile.ZIP_DEFLATED)
    patched("odd-local-name.pth", "plain.pth", (b"a/data.pkl", b"a/Data.pkl", 1))
    patched("odd-checksum.pth", "plain.pth", (b"\x80\x02}.", b"\x80\x02].", 1))
    patched("odd-encrypted.pth", "plain.pth", (b"PK\1\2\x14\x03\x14\x00\x00", b"PK\1\2\x14\x03\x14\x00\x01", 1))
    write("odd-before.pth", b"#!/bin/sh\nexit\n" + open(path("plain.pth"), "rb").read())
    write("odd-behind.pth", open(path("plain.pth"), "rb").read() + b"more")
    overlap()
    with tarfile.open(path("evil-tar.tar"), "w", tarfile.USTAR_FORMAT) as t:
        for n, data in (("storages", pickle.dumps(0, 2) + pickle.dumps([], 2)), ("tensors", pickle.dumps(0, 2)), ("pickle", pickle.dumps(Call(os.system, "id"), 2))):
            i = tarfile.TarInfo(n)
            i.size = len(data)
            t.addfile(i, io.BytesIO(data))
    write("object.npy", b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n" + pickle.dumps([None], 2))
    torch.jit.save(torch.jit.script(writes_a_file), path("writes-a-file.pt"))


def writes_a_file(x: torch.Tensor) -> torch.Tensor:
    torch.ops.aten.save(x, "caught.pt")
    return x


def without_weights():
    """What torch.jit.save makes of convolutions in oneDNN's layout: their weights are not written."""
    torch.manual_seed(3)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval()
    torch.jit.save(torch.jit.optimize_for_inference(torch.jit.script(net)), path("without-weights.pt"))


def parts_of_bytes():
    """Elements of 4 and 2 bits; nine of them do not fill the last byte."""
    x = torch.tensor([[-0.2, 0.1, 0.5], [1.4, 0.0, 2.0], [-0.5, 0.25, 9.0]])
    values = {}
    for name, dtype in (("four", torch.quint4x2), ("two", torch.quint2x4)):
        values[name] = torch.quantize_per_channel(x, torch.tensor([0.2, 0.3, 0.25]), torch.tensor([1.0, 1.5, 2.0]), 0, dtype)
    values["whole"] = torch.quantize_per_tensor(x, 0.2, 3, torch.quint4x2)
    torch.save(values, path("parts-of-bytes.pth"))
    torch.save(values, path("parts-of-bytes-stream.pth"), _use_new_zipfile_serialization=False)


def overlap():
    """Two names for the same bytes."""
    data = bytearray(open(path("plain.pth"), "rb").read())
    at = data.rindex(b"PK\1\2")
    struct.pack_into("<I", data, at + 42, 0)
    write("odd-overlap.pth", bytes(data))


def main():
    os.makedirs(OUT, exist_ok=True)
    people()
    if MODERN:
        hostile()
        parts_of_bytes()
        without_weights()


if __name__ == "__main__":
    OUT = os.path.abspath(sys.argv[1])
    stage = "/src"
    if os.path.dirname(os.path.abspath(__file__)) != stage:  # archives record the paths of their sources
        shutil.rmtree(stage, ignore_errors=True)
        os.makedirs(stage)
        shutil.copy(__file__, stage)
        os.execv(sys.executable, [sys.executable, os.path.join(stage, os.path.basename(__file__)), OUT])
    main()
