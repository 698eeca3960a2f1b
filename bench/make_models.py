#!/usr/bin/env python3
"""Write the networks that bench/compare.py measures, with random weights from a fixed seed:

    python bench/make_models.py DIR [NAME...]      (--list prints the names)

DIR/NAME/model.pt, inputs.pt and expected.pt; model.onnx too with --onnx.  Needs torch, and torchvision and transformers for
the networks that come from there.
"""
import argparse
import os
import warnings

import torch
from torch import nn

warnings.simplefilter("ignore")
BUILDERS = {}                               # name: function that returns (module, inputs)
TRACED = {"bert_base", "minilm", "gpt2"}    # the others are scripted


def network(name):
    def register(f):
        BUILDERS[name] = f
        return f
    return register


def vision(name, build, size=224):
    """torchvision network with batch statistics measured on noise, so that its output is not all zero."""
    def make():
        m = build(torchvision_models())
        calibrate(m, lambda: torch.randn(4, 3, size, size))
        return m, (torch.randn(1, 3, size, size),)
    BUILDERS[name] = make


def torchvision_models():
    """torchvision.models, also where its compiled operators do not fit this torch: classification does not need them."""
    register = torch.library.register_fake
    torch.library.register_fake = lambda *a, **k: lambda f: f
    try:
        from torchvision import models
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


@network("mlp")
def mlp():
    return nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.GELU(), nn.Linear(256, 10), nn.Softmax(-1)), (torch.randn(1, 64),)


class Tagger(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.e = nn.Embedding(1000, 64)
        self.r = kind(64, 128, num_layers=2, bidirectional=True, batch_first=True)
        self.o = nn.Linear(256, 17)

    def forward(self, x):
        return torch.log_softmax(self.o(self.r(self.e(x))[0]), -1)


@network("lstm_tagger")
def lstm_tagger():
    return Tagger(nn.LSTM), (torch.randint(0, 1000, (1, 40)),)


@network("gru_tagger")
def gru_tagger():
    return Tagger(nn.GRU), (torch.randint(0, 1000, (1, 40)),)


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


@network("minilm")
def minilm():
    torchvision_models()
    from transformers import BertConfig, BertModel
    ins = (torch.randint(0, 30000, (1, 32)), torch.ones(1, 32, dtype=torch.long))
    config = BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536, attn_implementation="sdpa")
    return Wrapped(BertModel(config, add_pooling_layer=False)), ins


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


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("dir")
    ap.add_argument("names", nargs="*")
    ap.add_argument("--onnx", action="store_true", help="also write model.onnx, for ONNX Runtime")
    ap.add_argument("--list", action="store_true")
    a = ap.parse_args()
    if a.list:
        print("\n".join(BUILDERS))
        return
    torch.set_grad_enabled(False)
    for name in a.names or BUILDERS:
        folder = os.path.join(a.dir, name)
        os.makedirs(folder, exist_ok=True)
        torch.manual_seed(1)
        module, inputs = BUILDERS[name]()
        module.eval()
        model = torch.jit.trace(module, inputs, check_trace=False) if name in TRACED else torch.jit.script(module)
        torch.jit.save(model, os.path.join(folder, "model.pt"))
        torch.save(inputs, os.path.join(folder, "inputs.pt"))
        torch.save(torch.jit.load(os.path.join(folder, "model.pt"))(*inputs), os.path.join(folder, "expected.pt"))
        if a.onnx:
            export(module, inputs, os.path.join(folder, "model.onnx"))
        print("%-20s %7.1f MB" % (name, os.path.getsize(os.path.join(folder, "model.pt")) / 1e6), flush=True)


if __name__ == "__main__":
    main()
