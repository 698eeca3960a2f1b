"""Quantized layers and operators: integers must be those of PyTorch's kernels, not one step beside them."""
from typing import List, Tuple

import torch
import torch.ao.nn.intrinsic.quantized as nniq
import torch.ao.nn.quantized as nnq
from torch import Tensor, nn
from torch.ao import quantization
from torch.nn import functional as F

from corpus.base import I, T, case

torch.backends.quantized.engine = "fbgemm"  # one kernel on every processor


def weight(*shape, **kw):
    w = T(*shape, seed=4, scale=0.3)
    if not kw.get("by_channel", True):
        return torch.quantize_per_tensor(w, float(w.abs().max()) / 127, 0, torch.qint8)
    axis = kw.get("axis", 0)
    scales = w.abs().amax([d for d in range(w.dim()) if d != axis]).double() / 127
    return torch.quantize_per_channel(w, scales, torch.zeros(shape[axis], dtype=torch.long), axis, torch.qint8)


def filled(m, w, bias):
    m.set_weight_bias(w, bias)
    m.scale, m.zero_point = 0.06, 57
    return m


class Layers(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor):
        out = []
        for m in self.layers:
            out.append(m(torch.quantize_per_tensor(x, 0.03, 63, torch.quint8)).int_repr())
        return out


@case(T(5, 24, scale=2), form=("scripted", "traced"))
class LinearLayers(Layers):
    def __init__(self):
        super().__init__([filled(nnq.Linear(24, 9), weight(9, 24), T(9)), filled(nniq.LinearReLU(24, 9), weight(9, 24), T(9)),
                          filled(nnq.Linear(24, 9), weight(9, 24, by_channel=False), T(9)), filled(nnq.Linear(24, 9), weight(9, 24), None)])


@case(T(2, 8, 7, 9), form=("scripted", "traced"))
class Convolutions(Layers):
    def __init__(self):
        super().__init__([filled(nnq.Conv2d(8, 6, 3, padding=1), weight(6, 8, 3, 3), T(6)), filled(nniq.ConvReLU2d(8, 6, 1), weight(6, 8, 1, 1), T(6)),
                          filled(nnq.Conv2d(8, 8, 3, groups=8, stride=2), weight(8, 1, 3, 3), T(8)),
                          filled(nnq.Conv2d(8, 4, 3, groups=2, dilation=2, padding=2), weight(4, 4, 3, 3, by_channel=False), T(4)),
                          filled(nnq.ConvTranspose2d(8, 5, 3, stride=2, output_padding=1), weight(8, 5, 3, 3, by_channel=False), T(5))])


@case(T(3, 9, 11), T(3, 9, 11, seed=2))
class Arithmetic(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nnq.QFunctional()
        self.f.scale, self.f.zero_point = 0.0531, 71

    def forward(self, a: Tensor, b: Tensor):
        x, y = torch.quantize_per_tensor(a, 0.03, 63, torch.quint8), torch.quantize_per_tensor(b, 0.021, 99, torch.quint8)
        rs = [self.f.add(x, y), self.f.add_relu(x, y), self.f.mul(x, y), self.f.cat([x, y], 1), torch.ops.quantized.add_scalar(x, 0.7), torch.ops.quantized.add_scalar(x, -9.7),
              torch.ops.quantized.mul_scalar(x, 1.3), torch.ops.quantized.mul_scalar(x, -0.4), torch.ops.quantized.add_scalar_relu(x, 0.2)]
        out: List[Tuple[Tensor, float, int]] = []
        for r in rs:
            out.append((r.int_repr(), r.q_scale(), r.q_zero_point()))
        return out


@case(T(2, 4, 6, 8))
def operators(x: Tensor):
    v = torch.quantize_per_tensor(x, 0.03, 63, torch.quint8)
    rs = [torch.relu(v), F.hardtanh(v, -0.5, 0.7), torch.sigmoid(v), torch.tanh(v), torch.ops.quantized.hardswish(v, 0.04, 41), torch.ops.quantized.leaky_relu(v, 0.1, False, 0.0417, 41),
          F.max_pool2d(v, 3, 2, 1), F.avg_pool2d(v, 3, 2, 1), F.avg_pool2d(v, 3, 2, 1, ceil_mode=True, count_include_pad=False), F.adaptive_avg_pool2d(v, [2, 3]),
          F.interpolate(v, scale_factor=2.0), v[:, torch.tensor([1, 0])], torch.stack([v, v], 1), torch.cat([v, v], 1), v.reshape(2, -1), v.permute(0, 2, 3, 1),
          torch.max(v, 1)[0], v.max(), torch.ops.quantized.layer_norm(v, [8], weight=torch.ones(8) * 0.7, bias=torch.ones(8) * 0.2, eps=1e-5, output_scale=0.031, output_zero_point=71),
          torch.ops.quantized.matmul(v, v.transpose(2, 3), 0.5, 61), torch.ops.quantized.dropout(v, 0.03, 63, 0.5, False), v.masked_fill(x > 0, 0.0)]
    out: List[Tuple[Tensor, float, int]] = []
    for r in rs:
        out.append((r.int_repr(), r.q_scale(), r.q_zero_point()))
    return out, v > 0.5, v == v


@case(T(40, scale=2))
def quantizing(x: Tensor):
    """Ties: the zero point is added before rounding."""
    t = (x * 10).round() * 0.5
    out = []
    for zero in [2, 3]:
        out.append(torch.quantize_per_tensor(t, 1.0, zero, torch.qint8).int_repr())
    c = torch.quantize_per_channel(t.reshape(2, 20), torch.tensor([1.0, 0.5]), torch.tensor([3, 4]), 0, torch.qint8)
    d = torch.quantize_per_tensor_dynamic(x, torch.quint8, True)
    return out, c.int_repr(), c.dequantize(), d.int_repr(), d.q_scale(), d.q_zero_point(), torch.fake_quantize_per_tensor_affine(x, 0.1, 3, -128, 127)


def dynamic(m, *kinds, **kw):
    torch.manual_seed(3)
    return quantization.quantize_dynamic(m().eval(), set(kinds), kw.get("dtype", torch.qint8))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.LSTM(6, 5, 2, bidirectional=True)
        self.g = nn.GRU(10, 4, batch_first=True)
        self.o = nn.Linear(4, 3)

    def forward(self, x: Tensor):
        y, hc = self.l(x)
        z, h = self.g(y)
        return self.o(z), h, hc[0], hc[1]


@case(T(6, 3, 6), form=("scripted", "traced"), make=True)
def dynamic_layers():
    return dynamic(Recurrent, nn.LSTM, nn.GRU, nn.Linear)


@case(T(6, 3, 6), make=True)
def dynamic_layers_half():
    return dynamic(Recurrent, nn.LSTM, nn.GRU, nn.Linear, dtype=torch.float16)


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.LSTM(6, 5, bidirectional=True)
        self.g = nn.GRU(6, 4)

    def forward(self, x: Tensor, n: Tensor):
        p = nn.utils.rnn.pack_padded_sequence(x, n, enforce_sorted=False)
        y, hc = self.l(p)
        z, h = self.g(p)
        return nn.utils.rnn.pad_packed_sequence(y)[0], nn.utils.rnn.pad_packed_sequence(z)[0], hc[0], hc[1], h


@case(T(6, 3, 6), torch.tensor([3, 6, 2]), make=True)
def dynamic_packed_sequence():
    return dynamic(Packed, nn.LSTM, nn.GRU)


class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = nn.LSTMCell(6, 4), nn.GRUCell(6, 4), nn.RNNCell(6, 4), nn.RNNCell(6, 4, nonlinearity="relu")

    def forward(self, x: Tensor, h: Tensor):
        u, v = self.a(x, (h, h))
        return u, v, self.b(x, h), self.c(x, h), self.d(x, h)


@case(T(3, 6), T(3, 4), make=True)
def dynamic_cells():
    return dynamic(Cells, nn.LSTMCell, nn.GRUCell, nn.RNNCell)


class Embeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.e, self.b = nn.Embedding(20, 12), nn.EmbeddingBag(20, 12, mode="sum")

    def forward(self, i: Tensor, at: Tensor):
        return self.e(i), self.b(i.flatten(), at)


@case(I(3, 4, low=0, high=20), torch.tensor([0, 5, 7]), form=("scripted", "traced"), make=True)
def embeddings():
    torch.manual_seed(3)
    m = Embeddings().eval()
    for part in (m.e, m.b):
        part.qconfig = quantization.float_qparams_weight_only_qconfig
    quantization.prepare(m, inplace=True)
    return quantization.convert(m, inplace=True)
