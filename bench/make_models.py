#!/usr/bin/env python3
"""Write the networks that bench/compare.py measures, with random weights from a fixed seed:

    python bench/make_models.py DIR [NAME...] [--set table|sizes|all] [--onnx]      (--list prints the names)

DIR/NAME/model.pt, inputs.pt and expected.pt; model.onnx too with --onnx, and feed.npz where it takes other inputs.  Needs
torch, and torchvision, transformers and silero-vad for the networks that come from there; a network whose package is
missing is left out with a line that says so.
"""
import argparse
import importlib.util
import os
import shutil
import warnings
from typing import List

import torch
from torch import nn

warnings.simplefilter("ignore")
BUILDERS = {}     # name: function that returns (module, inputs), or an archive's path in place of the module
TRACED = set()    # the others are scripted
# What docs/performance.md reports, in its order.
TABLE = ["resnet18", "resnet50", "resnet50_b8", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "densenet121", "convnext_tiny",
         "deeplabv3_mobilenet_v3_large", "vit_b_16", "swin_t", "bert_base", "gpt2", "minilm", "minilm_s128_b8", "lstm_tagger", "gru_cell_loop",
         "silero_vad", "mlp", "integer_loop"]
BATCHES = [1, 2, 4, 8, 16, 32]
LENGTHS = [16, 32, 64, 128, 256, 512]


def network(name):
    def register(f):
        BUILDERS[name] = f
        return f
    return register


def vision(name, build, size=224, batch=1):
    """torchvision network with batch statistics measured on noise, so that its output is not all zero."""
    def make():
        m = build(torchvision_models())
        calibrate(m, lambda: torch.randn(4, 3, size, size))
        return m, (torch.randn(batch, 3, size, size),)
    BUILDERS[name] = make


def torchvision_models():
    """torchvision.models, also where its compiled operators do not fit this torch: these networks do not need them."""
    register = torch.library.register_fake
    torch.library.register_fake = lambda *a, **k: lambda f: f
    try:
        from torchvision import models
        import torchvision.models.segmentation
    finally:
        torch.library.register_fake = register
    return models


def calibrate(m, batch):
    norms = [x for x in m.modules() if isinstance(x, nn.modules.batchnorm._BatchNorm)]
    m.eval()
    for x in norms:
        x.train()
        x.momentum = None
    with torch.no_grad():
        for _ in range(2 if norms else 0):
            m(batch())
    m.eval()


for _name in ("resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "densenet121", "squeezenet1_1", "convnext_tiny", "vit_b_16", "swin_t"):
    vision(_name, lambda models, n=_name: getattr(models, n)(weights=None))
vision("resnet50_b8", lambda models: models.resnet50(weights=None), batch=8)
for _b in BATCHES:
    vision("mobilenet_v2_b%d" % _b, lambda models: models.mobilenet_v2(weights=None), batch=_b)


class Scores(nn.Module):
    """The main result of a segmentation network."""

    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, x):
        return self.m(x)["out"]


vision("deeplabv3_mobilenet_v3_large",
       lambda models: Scores(models.segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None)))


@network("mlp")
def mlp():
    return nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.GELU(), nn.Linear(256, 10), nn.Softmax(-1)), (torch.randn(1, 64),)


class Tagger(nn.Module):
    def __init__(self, kind, hidden):
        super().__init__()
        self.e = nn.Embedding(1000, 64)
        self.r = kind(64, hidden, num_layers=2, bidirectional=True, batch_first=True)
        self.o = nn.Linear(2 * hidden, 17)

    def forward(self, x):
        return torch.log_softmax(self.o(self.r(self.e(x))[0]), -1)


@network("lstm_tagger")
def lstm_tagger():
    return Tagger(nn.LSTM, 256), (torch.randint(0, 1000, (1, 64)),)


@network("gru_tagger")
def gru_tagger():
    return Tagger(nn.GRU, 128), (torch.randint(0, 1000, (1, 40)),)


class CellLoop(nn.Module):
    """A cell stepped by hand: the loop is the program's."""

    def __init__(self):
        super().__init__()
        self.c = nn.GRUCell(64, 128)
        self.o = nn.Linear(128, 10)

    def forward(self, x):
        h = torch.zeros(x.size(1), 128)
        for i in range(x.size(0)):
            h = self.c(x[i], h)
        return self.o(h)


@network("gru_cell_loop")
def gru_cell_loop():
    return CellLoop(), (torch.randn(200, 1, 64),)


@network("silero_vad")
def silero_vad():
    """The archive and the ONNX file that the package ships: one chunk of 512 samples."""
    import numpy
    spec = importlib.util.find_spec("silero_vad")
    if spec is None:
        raise ImportError("No module named 'silero_vad'")
    data = os.path.join(spec.submodule_search_locations[0], "data")
    chunk = torch.randn(1, 512) * 0.1
    feed = {"input": torch.cat([torch.zeros(1, 64), chunk], 1).numpy(), "state": numpy.zeros((2, 1, 128), numpy.float32), "sr": numpy.array(16000)}
    return (os.path.join(data, "silero_vad.jit"), os.path.join(data, "silero_vad.onnx"), feed), (chunk, 16000)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(500, 128)
        self.t = nn.TransformerEncoder(nn.TransformerEncoderLayer(128, 8, 512, batch_first=True, activation="gelu"), 3, enable_nested_tensor=False)
        self.o = nn.Linear(128, 7)

    def forward(self, x):
        return self.o(self.t(self.e(x)))


@network("transformer_encoder")
def transformer_encoder():
    return Encoder(), (torch.randint(0, 500, (1, 64)),)


class Sieve(nn.Module):
    """Control flow and no arithmetic to speak of: the cost of interpreting."""

    def forward(self, n: int):
        composite = [False for _ in range(n)]
        count = 0
        for i in range(2, n):
            if not composite[i]:
                count += 1
                j = i * i
                while j < n:
                    composite[j] = True
                    j += i
        return count


@network("interpreter_sieve")
def interpreter_sieve():
    return Sieve(), (100000,)


class IntegerLoop(nn.Module):
    """Integers, branches and a list."""

    def forward(self, n: int):
        kept: List[int] = []
        a = 1
        for i in range(n):
            a = (a * 31 + i) % 65521
            if a % 3 == 0:
                kept.append(a)
            elif len(kept) > 16:
                a += kept[a % len(kept)]
        return a, len(kept)


@network("integer_loop")
def integer_loop():
    return IntegerLoop(), (200000,)


class SmallSteps(nn.Module):
    """Many operators on tiny tensors: the cost of a call."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(8, 8) * 0.3)

    def forward(self, x):
        for i in range(200):
            x = torch.tanh(x @ self.w + 0.1) * 0.9 + x * 0.1
        return x


@network("small_steps")
def small_steps():
    return SmallSteps(), (torch.randn(1, 8),)


class Wrapped(nn.Module):
    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, ids, mask):
        return self.m(input_ids=ids, attention_mask=mask, return_dict=False)[0]


@network("bert_base")
def bert_base():
    torchvision_models()
    from transformers import BertConfig, BertModel
    ins = (torch.randint(0, 30000, (1, 128)), torch.ones(1, 128, dtype=torch.long))
    return Wrapped(BertModel(BertConfig(attn_implementation="sdpa"))), ins


def minilm(length, batch):
    torchvision_models()
    from transformers import BertConfig, BertModel
    ins = (torch.randint(0, 30000, (batch, length)), torch.ones(batch, length, dtype=torch.long))
    config = BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536, attn_implementation="sdpa")
    return Wrapped(BertModel(config, add_pooling_layer=False)), ins


BUILDERS["minilm"] = lambda: minilm(32, 1)
BUILDERS["minilm_s128_b8"] = lambda: minilm(128, 8)
for _n in LENGTHS:
    BUILDERS["minilm_s%d" % _n] = lambda n=_n: minilm(n, 1)
TRACED.update(["bert_base", "gpt2"], [n for n in BUILDERS if n.startswith("minilm")])


@network("gpt2")
def gpt2():
    torchvision_models()
    from transformers import GPT2Config, GPT2LMHeadModel
    ins = (torch.randint(0, 50000, (1, 64)), torch.ones(1, 64, dtype=torch.long))
    return Wrapped(GPT2LMHeadModel(GPT2Config(use_cache=False, attn_implementation="eager"))), ins


def export(module, inputs, path):
    """Write an ONNX file, or say in one line why not; the exporter's own pages of text go nowhere."""
    saved = [os.dup(1), os.dup(2)]
    null = os.open(os.devnull, os.O_WRONLY)
    error = None
    try:
        os.dup2(null, 1)
        os.dup2(null, 2)
        torch.backends.mha.set_fastpath_enabled(False)  # ONNX has no operator for it
        torch.onnx.export(module, inputs, path, dynamo=False)
    except Exception as e:
        error = (str(e).strip() or type(e).__name__).splitlines()[0][:100]
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
        for fd, keep in enumerate(saved, 1):
            os.dup2(keep, fd)
            os.close(keep)
        os.close(null)
    if error:
        print("%s: no ONNX file: %s" % (os.path.basename(os.path.dirname(path)), error))


def write(name, folder, onnx):
    torch.manual_seed(1)
    module, inputs = BUILDERS[name]()
    archive = os.path.join(folder, "model.pt")
    os.makedirs(folder, exist_ok=True)
    if isinstance(module, tuple):
        import numpy
        shutil.copy(module[0], archive)
        if onnx:
            shutil.copy(module[1], os.path.join(folder, "model.onnx"))
            numpy.savez(os.path.join(folder, "feed.npz"), **module[2])
    else:
        module.eval()
        torch.jit.save(torch.jit.trace(module, inputs, check_trace=False) if name in TRACED else torch.jit.script(module), archive)
        if onnx:
            export(module, inputs, os.path.join(folder, "model.onnx"))
    torch.save(inputs, os.path.join(folder, "inputs.pt"))
    torch.save(torch.jit.load(archive)(*inputs), os.path.join(folder, "expected.pt"))
    print("%-28s %7.1f MB" % (name, os.path.getsize(archive) / 1e6), flush=True)


def sizes():
    return ["mobilenet_v2_b%d" % b for b in BATCHES] + ["minilm_s%d" % n for n in LENGTHS]


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("dir", nargs="?")
    ap.add_argument("names", nargs="*")
    ap.add_argument("--set", choices=("table", "sizes", "all"), default="table", help="which networks when none is named")
    ap.add_argument("--onnx", action="store_true", help="also write model.onnx, for ONNX Runtime and OpenVINO")
    ap.add_argument("--missing", action="store_true", help="leave alone what is there")
    ap.add_argument("--list", action="store_true")
    a = ap.parse_args()
    names = a.names or {"table": TABLE, "sizes": sizes(), "all": list(BUILDERS)}[a.set]
    unknown = [n for n in names if n not in BUILDERS]
    if unknown:
        ap.error("no such network: %s (--list prints them)" % ", ".join(unknown))
    if a.list:
        print("\n".join(a.names or BUILDERS))
        return
    if a.dir is None:
        ap.error("where to? give a folder")
    torch.set_grad_enabled(False)
    for name in names:
        folder = os.path.join(a.dir, name)
        if a.missing and os.path.exists(os.path.join(folder, "expected.pt")):
            continue
        try:
            write(name, folder, a.onnx)
        except ImportError as e:
            print("%-28s left out: %s" % (name, e), flush=True)


if __name__ == "__main__":
    main()
