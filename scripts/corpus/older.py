"""What older writers wrote: run with the PyTorch whose archives are wanted (1.1 to 1.13; Python 3.7 syntax).

    python scripts/make_corpus.py corpus -f older

The names carry the version.  ScriptModule and script_method are used because every version has them.
"""
import math
from typing import Dict, List, Optional, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from corpus.base import I, T, case, kebab

VERSION = tuple(int("".join(c for c in p if c.isdigit()) or 0) for p in torch.__version__.split("+")[0].split(".")[:2])
LABEL = "%d.%d" % VERSION


def old(*inputs, **opt):
    since, until = opt.pop("since", (1, 0)), opt.pop("until", (9, 0))

    def register(f):
        if since <= VERSION <= until:
            case(*inputs, **dict(opt, family="older", name="%s-%s" % (LABEL, kebab(f.__name__))))(f)
        return f
    return register


method = torch.jit.script_method
export = getattr(torch.jit, "export", lambda f: f)
method_since_1_2 = method if VERSION >= (1, 2) else (lambda f: f)  # 1.1 refuses some syntax when it sees the decorator


@old(T(2, 3), 4)
class Loops(torch.jit.ScriptModule):
    __constants__ = ["depth"]

    def __init__(self):
        super(Loops, self).__init__()
        self.depth = 3
        self.weight = nn.Parameter(T(3, 3, seed=2))

    @method
    def forward(self, x, n):
        # type: (Tensor, int) -> Tuple[Tensor, int, float]
        count = 0
        total = 0.5
        while count < n:
            if bool(x.sum() > 0.0):
                x = x.mm(self.weight) * 0.3
            else:
                x = x - 1.5 * float(count)
            count = count + 2
        for i in range(self.depth):
            x = x + float(i)
            total = total * 1.5 + float(i)
        return x, count, total


@old(7, 2)
class Numbers(torch.jit.ScriptModule):
    @method
    def forward(self, a, b):
        # type: (int, int) -> Tuple[int, int, int, float, bool, float]
        c = a // b
        d = a % b
        e = -a // b
        f = math.sqrt(float(a)) / 3.0
        return c, d, e, f, a > b and b != 3, 1e-5 + float(a) ** 2.0


@old([3, 1, 2], since=(1, 2))
class Lists(torch.jit.ScriptModule):
    @method_since_1_2
    def forward(self, xs):
        # type: (List[int]) -> Tuple[List[int], int, List[float], Tuple[int, str]]
        ys = [x * 2 for x in xs]
        ys.append(7)
        ys[0] = -1
        fs = torch.jit.annotate(List[float], [])
        for y in ys[1:]:
            fs.append(float(y) / 4.0)
        return ys, len(xs), fs, (ys[-1], "text {} {}".format(1, 2.5))


@old("key", 3, since=(1, 2))
class Dicts(torch.jit.ScriptModule):
    @method_since_1_2
    def forward(self, key, n):
        # type: (str, int) -> Tuple[List[int], int, bool, Optional[int]]
        d = {"a": 1, "b": 2}
        d[key] = n
        total = 0
        for k in d.keys():
            total += d[k]
        o = torch.jit.annotate(Optional[int], None)
        if n > 2:
            o = n
        return [len(d), d["a"], d[key]], total, "zz" in d, o  # the order of keys changed in 1.6


@old({"b": 1, "a": 2, "c": 3, "B": 9, "abc": 4}, since=(1, 2), until=(1, 2))
class DictOrder(torch.jit.ScriptModule):
    """Until 1.5 loops went through a dictionary in the order of its keys; today's PyTorch still reads the files of 1.3 on, in insertion order."""
    @torch.jit.script_method
    def forward(self, d):
        # type: (Dict[str, int]) -> Tuple[List[str], List[int], List[str], List[int], int]
        ks = torch.jit.annotate(List[str], [])
        vs = torch.jit.annotate(List[int], [])
        later = torch.jit.annotate(List[str], [])
        ns = torch.jit.annotate(List[int], [])
        for k in d.keys():
            ks += [k]
        for v in d.values():
            vs += [v]
        e = {5: 1, -3: 2, 4: 9}
        e[0] = 5
        for n, m in e.items():
            ns += [n * 10 + m]
        d["zz"] = 1
        d["aa"] = 2
        for k in d.keys():
            later += [k]
        return ks, vs, later, ns, len(d)


@old(T(1, 2, 6, 6), form=("scripted", "traced"))
class Conv(torch.jit.ScriptModule if VERSION < (1, 2) else nn.Module):
    def __init__(self):
        super(Conv, self).__init__()
        self.c = nn.Conv2d(2, 3, 3, padding=1)
        self.b = nn.BatchNorm2d(3)
        self.l = nn.Linear(27, 4)

    def forward(self, x):
        y = F.max_pool2d(F.relu(self.b(self.c(x))), 2)
        return torch.sigmoid(self.l(y.view(y.size(0), -1)))

    if VERSION < (1, 2):
        forward = method(forward)


@old(T(4, 2, 3), since=(1, 2), form=("scripted", "traced"))
class Lstm(nn.Module):
    def __init__(self):
        super(Lstm, self).__init__()
        self.r = nn.LSTM(3, 5, num_layers=2)

    def forward(self, x):
        y, hidden = self.r(x)
        return y, hidden[0], hidden[1]


@old(T(4, 2, 3), since=(1, 4))
class Gru(nn.Module):
    def __init__(self):
        super(Gru, self).__init__()
        self.r = nn.GRU(3, 5, bidirectional=True)

    def forward(self, x):
        y, h = self.r(x)
        return y, h


@old(I(3, 4), I(3, 4, low=1, seed=2), until=(1, 5))
class IntegerDivision(torch.jit.ScriptModule):
    """Before 1.6 the quotient of two integer tensors was an integer."""
    @method
    def forward(self, a, b):
        return torch.div(a, b), a / b, a.div(2)


@old(3, until=(1, 4))
class FullWithInteger(torch.jit.ScriptModule):
    """Before 1.5 torch.full always made floats."""
    @method
    def forward(self, n):
        # type: (int) -> Tuple[Tensor, Tensor]
        return torch.full([2, 2], n), torch.full([2], 2.5)


@old(T(2, 3, 4), form=("scripted", "traced"))
class Shapes(torch.jit.ScriptModule if VERSION < (1, 2) else nn.Module):
    def forward(self, x):
        y = x.view(x.size(0), -1)[:, 1:6]
        z = torch.cat([x.transpose(1, 2), x.permute(0, 2, 1) * 2], dim=2)
        w = x[0, :, -1].unsqueeze(0).expand(2, 3)
        return y, z, w, torch.stack([w, w], 1), x.mean(-1), x.max(dim=1)[0]

    if VERSION < (1, 2):
        forward = method(forward)


@old(T(2, 4), form=("scripted", "traced"), since=(1, 2))
class Activations(nn.Module):
    def forward(self, x):
        return (F.softmax(x, dim=1), F.gelu(x), F.elu(x), F.leaky_relu(x, 0.2), torch.clamp(x, -1.0, 0.5), F.log_softmax(x, dim=-1), F.hardtanh(x),
                F.layer_norm(x, [4]))


@old(T(3, 2, 8), since=(1, 5))
class Attention(nn.Module):
    def __init__(self):
        super(Attention, self).__init__()
        self.a = nn.MultiheadAttention(8, 2)

    def forward(self, x):
        y, w = self.a(x, x, x)
        return y, w


@old(T(5, 1, 8), since=(1, 6))
class Encoder(nn.Module):
    def __init__(self):
        super(Encoder, self).__init__()
        self.e = nn.TransformerEncoderLayer(8, 2, 16)

    def forward(self, x):
        return self.e(x)


class Child(nn.Module):
    def __init__(self, k):
        super(Child, self).__init__()
        self.k = k
        self.register_buffer("table", T(3, seed=5))

    def forward(self, x):
        # type: (Tensor) -> Tensor
        return x * self.k + self.table


@old(T(3), since=(1, 3))
class Nested(nn.Module):
    __constants__ = ["mods", "names"]

    def __init__(self):
        super(Nested, self).__init__()
        self.mods = nn.ModuleList([Child(2.0), Child(0.5)])
        self.seq = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
        self.one = Child(1.5)

    def helper(self, x):
        # type: (Tensor) -> Tensor
        return self.one(x) - 1

    @export
    def other(self, x):
        # type: (Tensor) -> Tensor
        return self.helper(x) * 3

    def forward(self, x):
        for m in self.mods:
            x = m(x)
        return self.seq(x), self.other(x)


@old(T(2), since=(1, 5))
class State(nn.Module):
    def __init__(self):
        super(State, self).__init__()
        self.count = 0
        self.names = torch.jit.Attribute(["x", "yy"], List[str])
        self.table = torch.jit.Attribute({"p": 1.5}, Dict[str, float])
        self.register_buffer("sum", torch.zeros(2))

    def forward(self, x):
        # type: (Tensor) -> Tuple[Tensor, int, List[str], float]
        for i in range(3):
            self.sum += x
            self.count += 1
        return self.sum, self.count, self.names, self.table["p"]


@old(2, since=(1, 8), fails=True)
def raises(n):
    # type: (int) -> int
    if n == 2:
        raise ValueError("two is not allowed")
    return n


@old(T(2, 3), since=(1, 7))
def later_forms(x):
    # type: (Tensor) -> Tuple[Tensor, List[int], str]
    sizes = [s for s in x.size()]
    out = torch.zeros_like(x)
    for i, row in enumerate(x):
        out[i] = row * i
        if i > 0:
            break
    text = "shape {}".format(sizes)
    return out, sizes, text


if VERSION < (1, 3):
    @torch.jit.script
    class Account(object):
        def __init__(self, n):
            # type: (int) -> None
            self.items = torch.jit.annotate(List[int], [])
            self.n = n
            self.pair = (n, self.n + 1)

        def push(self, k):
            # type: (int) -> int
            self.items.append(k + self.n)
            self.n = self.n + 1
            return len(self.items)

    @old(T(2, 3), until=(1, 2))
    class ScriptClass(torch.jit.ScriptModule):
        """Their attributes are those that __init__ sets: the file does not list them."""
        @method
        def forward(self, x):
            a = Account(3)
            k = a.push(1)
            k = k + a.push(4)
            return a.items, k, a.pair[1], x

    @old(T(2, 3), I(2, 3), until=(1, 2))
    class EarlyMeanings(torch.jit.ScriptModule):
        """Numbers did not change the type of a tensor, factories gave floats, 1.1 compared to uint8."""
        @method
        def forward(self, x, i):
            m = x > 0.0
            return i * 2.5, i + 1.5, i / 2, i < 2.5, torch.arange(5), m, m.sum(), x.masked_fill(m, 0.0), x[m], torch.rfft(x, 1)


@old(T(2, 3, 8, 8), form="pickled", make=True, plain_name=True, since=(1, 6))
def whole_module():
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, padding_mode="circular"), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Upsample(scale_factor=2), nn.Dropout(),
                         nn.Flatten(), nn.Linear(512, 4), nn.GELU(), nn.LayerNorm(4))


@old(I(3, 5, low=0), form="pickled", make=True, plain_name=True, stream=True)
def whole_module_before_1_6():
    return nn.Sequential(nn.Embedding(10, 8), nn.TransformerEncoderLayer(8, 2, 16), nn.LSTM(8, 4, batch_first=True))


def quantized(layer, kinds):
    torch.manual_seed(5)
    torch.backends.quantized.engine = "fbgemm" if "fbgemm" in torch.backends.quantized.supported_engines else "qnnpack"
    return torch.quantization.quantize_dynamic(layer().eval(), kinds, dtype=torch.qint8)


class Tagger(nn.Module):
    def __init__(self):
        super(Tagger, self).__init__()
        self.a = nn.Linear(8, 6)
        self.r = nn.LSTM(6, 5, 2)
        self.g = nn.Linear(5, 3)

    def forward(self, x):
        y, h = self.r(torch.relu(self.a(x)))
        return self.g(y)


@old(T(4, 2, 8), since=(1, 3), until=(1, 12), form=("scripted", "traced"), make=True)
def quantized_tagger():
    """Before 1.6 packed weights passed for tensors, in lists too."""
    return quantized(Tagger, {nn.Linear, nn.LSTM})


class QuantizedConv(nn.Module):
    def __init__(self):
        super(QuantizedConv, self).__init__()
        self.q = torch.quantization.QuantStub()
        self.c = nn.Conv2d(3, 8, 3, padding=1, stride=2)
        self.d = torch.quantization.DeQuantStub()

    def forward(self, x):
        return self.d(self.c(self.q(x)))


@old(T(2, 3, 8, 8), since=(1, 3), until=(1, 12), make=True)
def quantized_conv():
    """Scales by channel; 1.3 and 1.4 stored them as lists."""
    torch.manual_seed(6)
    torch.backends.quantized.engine = "fbgemm"
    m = QuantizedConv().eval()
    m.qconfig = torch.quantization.get_default_qconfig("fbgemm")
    p = torch.quantization.prepare(m)
    p(T(2, 3, 8, 8))
    return torch.quantization.convert(p)


@old(T(3, 3), T(3, 2, seed=2), since=(1, 3), until=(1, 9))
def dropped_operators(a, b):
    # type: (Tensor, Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
    s = a.mm(a.t()) + torch.eye(3)
    x = torch.solve(b, s)[0]
    w = torch.symeig(s, False, True)[0]
    return x, w, torch.lstsq(b, s)[0], torch.matrix_rank(s), torch.eig(s)[0].sum()


class Mobile(nn.Module):
    def __init__(self):
        super(Mobile, self).__init__()
        self.c = nn.Conv2d(3, 8, 3, padding=1, stride=2)
        self.b = nn.BatchNorm2d(8)
        self.d = nn.Conv2d(8, 8, 3, groups=8, padding=1)
        self.t = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.l = nn.Linear(4 * 64, 6)

    def forward(self, x):
        y = F.hardtanh(self.b(self.c(x)), 0.0, 6.0)
        y = self.t(F.relu(self.d(y)))
        return F.relu(self.l(torch.flatten(y, 1)))


@old(T(2, 3, 8, 8), since=(1, 9), until=(1, 12), make=True)
def mobile_optimized():
    """Convolutions and linear layers in objects of torch.classes.xnnpack."""
    from torch.utils.mobile_optimizer import optimize_for_mobile
    torch.manual_seed(1)
    return optimize_for_mobile(torch.jit.script(Mobile().eval()))


class ComputedWeights(nn.Module):
    def __init__(self):
        super(ComputedWeights, self).__init__()
        self.w = nn.Parameter(T(24, 8))
        self.b = nn.Parameter(T(24))
        self.k = nn.Parameter(T(8, 3, 3, 3, seed=2))
        self.t = nn.Parameter(T(8, 4, 2, 2, seed=3))

    def forward(self, x, scale):
        y = F.relu(F.conv2d(x, self.k * scale, None, [2, 2], [1, 1]))
        y = F.conv_transpose2d(y, self.t * scale, self.b[:4], [2, 2])
        y = y.reshape(-1, 8)
        q, k = F.linear(y, self.w[:8] * scale, self.b[:8]), F.hardtanh(F.linear(y, self.w[8:16] * scale), -1.0, 0.5)
        return torch.matmul(q, k.t()).softmax(-1)


@old(T(1, 3, 4, 4), T(1), since=(1, 9), until=(1, 13), make=True)
def mobile_computed_weights():
    """Weights that are known when the program runs are packed by it."""
    from torch.utils.mobile_optimizer import optimize_for_mobile
    return optimize_for_mobile(torch.jit.script(ComputedWeights().eval()))
