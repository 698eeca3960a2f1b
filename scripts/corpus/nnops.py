"""Layers one family at a time: convolutions, pooling, normalisation, attention, recurrence, resampling, losses."""
from typing import List, Optional

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from corpus.base import I, T, case


class Layers(nn.Module):
    """Runs every layer on the same input and returns all results."""

    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> List[Tensor]:
        out: List[Tensor] = []
        for layer in self.layers:
            out.append(layer(x))
        return out


def layers(name, x, *ls, **opt):
    """A case of this name that runs the layers made by the functions ls."""
    case(x, name=name, family="nnops", make=True, **opt)(maker(ls))


def maker(ls):
    def make():
        return Layers([f() for f in ls])
    make.__module__ = __name__
    return make


layers("conv1d", T(2, 4, 15), lambda: nn.Conv1d(4, 6, 3), lambda: nn.Conv1d(4, 6, 5, stride=2, padding=2),
       lambda: nn.Conv1d(4, 4, 3, groups=4, bias=False), lambda: nn.Conv1d(4, 8, 3, dilation=3, padding="same"), lambda: nn.Conv1d(4, 6, 1),
       lambda: nn.Conv1d(4, 6, 3, padding=1, padding_mode="reflect"))
layers("conv2d", T(2, 4, 9, 11), lambda: nn.Conv2d(4, 6, 3), lambda: nn.Conv2d(4, 6, 3, padding=1), lambda: nn.Conv2d(4, 6, 3, stride=2, padding=1),
       lambda: nn.Conv2d(4, 6, (1, 5), padding=(0, 2)), lambda: nn.Conv2d(4, 6, 1), lambda: nn.Conv2d(4, 6, 1, stride=2, bias=False),
       lambda: nn.Conv2d(4, 6, 3, dilation=2), lambda: nn.Conv2d(4, 8, 3, groups=2), lambda: nn.Conv2d(4, 4, 3, groups=4, padding=1),
       lambda: nn.Conv2d(4, 8, 5, groups=4, padding=2, stride=2), lambda: nn.Conv2d(4, 6, 7, padding=3, stride=(2, 3)),
       lambda: nn.Conv2d(4, 6, 3, padding=2, padding_mode="circular"), lambda: nn.Conv2d(4, 5, 4, padding="same"))
layers("conv2d-wide", T(1, 32, 14, 14), lambda: nn.Conv2d(32, 48, 3, padding=1), lambda: nn.Conv2d(32, 33, 3, stride=2, padding=1),
       lambda: nn.Conv2d(32, 64, 1), lambda: nn.Conv2d(32, 32, 3, padding=1, groups=32))
layers("conv2d-channels-last", T(2, 8, 7, 7).contiguous(memory_format=torch.channels_last), lambda: nn.Conv2d(8, 16, 3, padding=1),
       lambda: nn.Conv2d(8, 8, 3, groups=8), lambda: nn.MaxPool2d(2), lambda: nn.BatchNorm2d(8))
layers("conv3d", T(1, 3, 5, 6, 7), lambda: nn.Conv3d(3, 4, 3), lambda: nn.Conv3d(3, 4, (1, 3, 3), padding=(0, 1, 1), stride=(1, 2, 2)),
       lambda: nn.Conv3d(3, 6, 2, groups=3))
layers("conv-unbatched", T(4, 9, 9), lambda: nn.Conv2d(4, 3, 3), lambda: nn.MaxPool2d(2), lambda: nn.AdaptiveAvgPool2d(2),
       lambda: nn.ConvTranspose2d(4, 2, 2))
layers("conv-transpose1d", T(2, 4, 7), lambda: nn.ConvTranspose1d(4, 5, 3), lambda: nn.ConvTranspose1d(4, 6, 4, stride=2, padding=1),
       lambda: nn.ConvTranspose1d(4, 4, 3, groups=2, dilation=2))
layers("conv-transpose2d", T(2, 4, 5, 6), lambda: nn.ConvTranspose2d(4, 5, 3), lambda: nn.ConvTranspose2d(4, 3, 4, stride=2, padding=1),
       lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1), lambda: nn.ConvTranspose2d(4, 4, 3, groups=4),
       lambda: nn.ConvTranspose2d(4, 2, 2, dilation=2, bias=False))
layers("max-pool", T(2, 3, 9, 10), lambda: nn.MaxPool2d(2), lambda: nn.MaxPool2d(3, stride=2, padding=1), lambda: nn.MaxPool2d(3, 2, ceil_mode=True),
       lambda: nn.MaxPool2d((2, 3), (1, 2)), lambda: nn.MaxPool2d(3, 1, dilation=2))
layers("avg-pool", T(2, 3, 9, 10), lambda: nn.AvgPool2d(2), lambda: nn.AvgPool2d(3, 2, 1), lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False),
       lambda: nn.AvgPool2d(3, 2, ceil_mode=True), lambda: nn.AvgPool2d(3, divisor_override=5), lambda: nn.LPPool2d(2, 3))
layers("pool-1d", T(2, 3, 13), lambda: nn.MaxPool1d(3), lambda: nn.AvgPool1d(3, 2, 1), lambda: nn.AdaptiveAvgPool1d(4),
       lambda: nn.AdaptiveMaxPool1d(5), lambda: nn.MaxPool1d(3, 1, padding=1, dilation=1, ceil_mode=True))
layers("pool-3d", T(1, 2, 6, 7, 8), lambda: nn.MaxPool3d(2), lambda: nn.AvgPool3d((1, 2, 3)), lambda: nn.AdaptiveAvgPool3d((2, 3, 4)))
layers("adaptive-pool", T(2, 3, 7, 10), lambda: nn.AdaptiveAvgPool2d(1), lambda: nn.AdaptiveAvgPool2d((3, 4)), lambda: nn.AdaptiveAvgPool2d((7, 5)),
       lambda: nn.AdaptiveMaxPool2d(2), lambda: nn.AdaptiveAvgPool2d((7, 10)))
layers("normalisation", T(3, 8, 5, 5), lambda: nn.BatchNorm2d(8), lambda: nn.GroupNorm(4, 8), lambda: nn.GroupNorm(1, 8, affine=False),
       lambda: nn.InstanceNorm2d(8), lambda: nn.InstanceNorm2d(8, affine=True, track_running_stats=True), lambda: nn.LayerNorm([5, 5]),
       lambda: nn.LayerNorm([8, 5, 5], elementwise_affine=False), lambda: nn.LocalResponseNorm(3), lambda: nn.BatchNorm2d(8, affine=False),
       lambda: nn.RMSNorm([5]))
layers("normalisation-1d", T(4, 6, 7), lambda: nn.BatchNorm1d(6), lambda: nn.LayerNorm(7), lambda: nn.InstanceNorm1d(6), lambda: nn.GroupNorm(3, 6),
       lambda: nn.LayerNorm(7, bias=False))
layers("batch-norm-training", T(4, 6, 3, 3), lambda: nn.BatchNorm2d(6), lambda: nn.BatchNorm2d(6, track_running_stats=False),
       lambda: nn.InstanceNorm2d(6), training=True)
layers("resampling", T(1, 2, 5, 6), lambda: nn.Upsample(scale_factor=2), lambda: nn.Upsample((7, 9), mode="bilinear"),
       lambda: nn.Upsample(scale_factor=2.0, mode="bilinear", align_corners=True), lambda: nn.Upsample((8, 4), mode="bicubic"),
       lambda: nn.Upsample(scale_factor=1.7, mode="nearest"), lambda: nn.Upsample((3, 3), mode="nearest-exact"), lambda: nn.PixelUnshuffle(1),
       lambda: nn.Upsample((3, 4), mode="bilinear"), lambda: nn.UpsamplingBilinear2d(scale_factor=2))
layers("pixel-and-padding", T(1, 8, 4, 4), lambda: nn.PixelShuffle(2), lambda: nn.PixelUnshuffle(2), lambda: nn.ChannelShuffle(4),
       lambda: nn.ZeroPad2d((1, 2, 0, 1)), lambda: nn.ReflectionPad2d(2), lambda: nn.ReplicationPad2d((1, 0, 2, 1)), lambda: nn.ConstantPad2d(1, 3.0),
       lambda: nn.CircularPad2d(1), lambda: nn.Unfold(2), lambda: nn.Flatten(), lambda: nn.Flatten(2), lambda: nn.Unflatten(1, (2, 4)),
       lambda: nn.Softmax2d())
layers("linear", T(3, 2, 7), lambda: nn.Linear(7, 5), lambda: nn.Linear(7, 5, bias=False), lambda: nn.Linear(7, 1), lambda: nn.Identity(),
       lambda: nn.Sequential(nn.Linear(7, 64), nn.ReLU(), nn.Linear(64, 3)), lambda: nn.Dropout(0.5))
layers("activation-modules", T(3, 6), lambda: nn.ReLU(), lambda: nn.GELU(), lambda: nn.SiLU(), lambda: nn.PReLU(6), lambda: nn.RReLU(),
       lambda: nn.Softmax(1), lambda: nn.LogSoftmax(-1), lambda: nn.Softmin(0), lambda: nn.GLU(), lambda: nn.ELU(0.7, inplace=False),
       lambda: nn.Hardswish(), lambda: nn.Mish(), lambda: nn.Softplus(), lambda: nn.ReLU6(), lambda: nn.LeakyReLU(0.1),
       lambda: nn.Threshold(0.1, 2.0), lambda: nn.Tanhshrink())


class Recurrent(nn.Module):
    def __init__(self, kind, *args, **kw):
        super().__init__()
        self.rnn = kind(*args, **kw)

    def forward(self, x: Tensor):
        return self.rnn(x)


def recurrent(name, x, kind, *args, **kw):
    def make():
        return Recurrent(kind, *args, **kw)
    make.__module__ = __name__
    case(x, name=name, make=True)(make)


recurrent("lstm", T(5, 2, 4), nn.LSTM, 4, 6)
recurrent("lstm-stacked-bidirectional", T(2, 5, 4), nn.LSTM, 4, 6, num_layers=2, bidirectional=True, batch_first=True, dropout=0.2)
recurrent("lstm-projection", T(5, 2, 4), nn.LSTM, 4, 6, proj_size=3)
recurrent("lstm-unbatched", T(5, 4), nn.LSTM, 4, 6, bias=False)
recurrent("gru", T(5, 2, 4), nn.GRU, 4, 6)
recurrent("gru-stacked-bidirectional", T(2, 5, 4), nn.GRU, 4, 6, num_layers=2, bidirectional=True, batch_first=True)
recurrent("rnn-tanh", T(5, 2, 4), nn.RNN, 4, 6, num_layers=2)
recurrent("rnn-relu", T(5, 2, 4), nn.RNN, 4, 6, nonlinearity="relu", batch_first=True)


@case(T(4, 3, 5), T(3, 6), T(3, 6, seed=2))
class RecurrentCells(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTMCell(5, 6)
        self.gru = nn.GRUCell(5, 6)
        self.rnn = nn.RNNCell(5, 6)

    def forward(self, xs: Tensor, h: Tensor, c: Tensor):
        g = h
        r = h
        out: List[Tensor] = []
        for i in range(xs.size(0)):
            h, c = self.lstm(xs[i], (h, c))
            g = self.gru(xs[i], g)
            r = self.rnn(xs[i], r)
            out.append(h + g + r)
        return torch.stack(out), h, c, g, r


@case(T(2, 5, 4), torch.tensor([5, 3]))
class PackedSequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(4, 6, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor, lengths: Tensor):
        p = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        y, h = self.rnn(p)
        z, n = nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
        return z, n, h


@case(I(3, 5, low=0, high=11), torch.tensor([0, 2, 5]), form=("scripted", "frozen"))
class Embeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(11, 4, padding_idx=0)
        self.m = nn.Embedding(11, 4, max_norm=None)
        self.bag = nn.EmbeddingBag(11, 4, mode="mean")
        self.sum = nn.EmbeddingBag(11, 4, mode="sum")

    def forward(self, i: Tensor, offsets: Tensor):
        return self.e(i), self.m(i[0]), self.bag(i), self.sum(i.flatten(), offsets), F.embedding(i, self.e.weight * 2)


@case(T(2, 5, 8), T(2, 7, 8, seed=2), atol=1e-5)
class MultiheadAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.MultiheadAttention(8, 2, batch_first=True)
        self.b = nn.MultiheadAttention(8, 4, kdim=8, vdim=8, batch_first=True)

    def forward(self, x: Tensor, y: Tensor):
        mask = torch.triu(torch.ones(5, 5), 1) > 0
        pad = torch.zeros(2, 7, dtype=torch.bool)
        pad[1, 4:] = True
        p, w = self.a(x, x, x, attn_mask=mask)
        q, v = self.b(x, y, y, key_padding_mask=pad, need_weights=True, average_attn_weights=False)
        r, _ = self.a(x, y, y, need_weights=False)
        return p, w, q, v, r


@case(T(2, 2, 5, 8), T(2, 2, 7, 8, seed=2))
def scaled_dot_product_attention(q: Tensor, k: Tensor):
    v = k * 0.5 + 1
    mask = torch.ones(5, 7, dtype=torch.bool).tril(2)
    bias = torch.zeros(5, 7).masked_fill(~mask, -1e4)
    return (F.scaled_dot_product_attention(q, k, v), F.scaled_dot_product_attention(q, k, v, attn_mask=mask),
            F.scaled_dot_product_attention(q, k, v, attn_mask=bias), F.scaled_dot_product_attention(q, q, q, is_causal=True),
            F.scaled_dot_product_attention(q, k, v, scale=0.3))


def masks_of(q: Tensor, k: Tensor):
    """Added to the scores: a padded batch, padding on the left, a window over the diagonal, each with -inf and with the smallest number; rows without keys."""
    l, s = q.size(2), k.size(2)
    at, row = torch.arange(s), torch.arange(l)
    lengths = torch.tensor([s - s // 3, s // 4 + 1])
    right = (at.unsqueeze(0) < lengths.unsqueeze(1)).view(2, 1, 1, s)
    left = (at.unsqueeze(0) >= lengths.unsqueeze(1)).view(2, 1, 1, s)
    diagonal = (at.unsqueeze(0) <= row.unsqueeze(1) + 2) & (at.unsqueeze(0) + 5 > row.unsqueeze(1))
    out = [right, right.expand(2, 1, l, s), left, diagonal.view(1, 1, l, s), torch.logical_and(right, (row != 3).view(1, 1, l, 1))]
    low = [-float("inf"), -3.4028234663852886e38]
    added: List[Tensor] = []
    for m in out:
        for x in low:
            added.append(torch.zeros(m.size()).masked_fill(~m, x))
    return out, added


@case(T(2, 2, 9, 12, seed=1), T(2, 2, 20, 12, seed=2), T(2, 2, 20, 16, seed=3), name="attention-and-what-masks-leave")
@case(T(2, 2, 9, 16, seed=1), T(2, 2, 131, 16, seed=2), T(2, 2, 131, 5, seed=3), name="attention-and-what-masks-leave-of-many")
def attention_and_what_masks_leave(q: Tensor, k: Tensor, v: Tensor):
    out: List[Tensor] = []
    seen, added = masks_of(q, k)
    for m in seen:
        out.append(F.scaled_dot_product_attention(q, k, v, attn_mask=m))
    for m in added:
        out.append(F.scaled_dot_product_attention(q, k, v, attn_mask=m))
    holes = v.clone()
    holes[1, 0, -1, 0] = float("nan")
    out.append(F.scaled_dot_product_attention(q, k, holes, attn_mask=added[0]))
    out.append(F.scaled_dot_product_attention(q, k[:, :1], v[:, :1], attn_mask=added[2], enable_gqa=True))
    return out


@case(T(1, 1, 70, 8, seed=1), T(1, 1, 70, 8, seed=2), T(1, 1, 150, 8, seed=3))
def attention_of_what_came_before(q: Tensor, k: Tensor, long: Tensor):
    later = torch.ones(70, 70).tril().log()
    return (F.scaled_dot_product_attention(q, k, k, is_causal=True), F.scaled_dot_product_attention(q, k, k, attn_mask=later),
            F.scaled_dot_product_attention(q, long, long, is_causal=True), F.scaled_dot_product_attention(long, q, k, is_causal=True))


@case(T(2, 3, 30, 16), T(2, 3, 33, 16, seed=2), T(2, 33, 3, 20, seed=3))
def attention_written_out(q: Tensor, k: Tensor, v: Tensor):
    """softmax and the product with the values in the forms that networks write them; strides are part of the answer."""
    w = v.permute(0, 2, 1, 3)
    s = torch.matmul(q, k.transpose(-2, -1)) * 0.25
    low = torch.zeros(30, 33)
    low[3] = -float("inf")
    low[4, 5:] = -float("inf")
    joined = torch.matmul(F.softmax(s, dim=-1), w).transpose(1, 2).reshape(2, 30, 60)
    packed = torch.matmul(F.softmax(s + low, dim=3).to(torch.float32), w).transpose(1, 2).contiguous()
    plain = torch.matmul(F.softmax(s, dim=-1), w)
    turned = torch.matmul(torch.softmax(s, dim=-1), w).transpose(1, 2)
    kept = F.softmax(s, dim=-1)
    return (joined, packed, plain, turned, torch.matmul(kept, w) + kept.sum(), torch.matmul(F.softmax(s, dim=2), w),
            torch.matmul(F.softmax(s[0], dim=-1), w[0]), torch.matmul(F.softmax(s, dim=-1).double(), w.double()),
            torch.matmul(F.softmax(s.transpose(2, 3), dim=-1), q), torch.matmul(F.softmax(s[:1], dim=-1), w),
            torch.matmul(q, k.transpose(-2, -1)), torch.matmul(q[:, :1], k[:1].transpose(-2, -1)), torch.matmul(q.transpose(2, 3), q))


@case(T(2, 3, 20, 8, seed=1), T(2, 3, 33, 8, seed=2), T(2, 3, 33, 20, seed=3), T(2, 1, 1, 33, seed=4), name="attention-with-its-scores")
def attention_with_its_scores(q: Tensor, k: Tensor, v: Tensor, keys: Tensor):
    """The product of queries and keys, scaled, masked and weighed: where it may be one operator and where it may not."""
    kt = k.transpose(-2, -1)
    every = T_mask(20, 33)
    none_left = torch.where(every > 1, every, torch.full_like(every, -float("inf")))
    a = torch.matmul(F.softmax(torch.matmul(q, kt), dim=-1), v)
    b = torch.matmul(F.softmax(torch.matmul(q, kt) * 0.25, dim=-1), v)
    c = torch.matmul(F.softmax(torch.matmul(q, kt) / 3 + keys, dim=-1), v).transpose(1, 2).reshape(2, 20, 60)
    d = torch.matmul(F.softmax(every + torch.matmul(q, kt) / -1.5, dim=-1), v)
    e = torch.matmul(F.softmax(torch.matmul(q * 0.5, kt) + every.unsqueeze(0), dim=-1), v)
    f = torch.matmul(F.softmax(torch.matmul(q * float(q.size(-1)) ** -0.5, kt) + none_left, dim=-1), v)
    first = torch.matmul(F.softmax(torch.matmul(q[:1], kt[:1]) + keys, dim=-1), v)  # the mask makes it larger
    alone = torch.matmul(F.softmax(torch.matmul(q[0], kt[0]) * 2 + every, dim=-1), v[0])
    wide = torch.matmul(F.softmax(torch.matmul(q.double(), kt.double()) * 0.1 + every, dim=-1), v.double())
    other = torch.matmul(F.softmax(torch.matmul(q, kt) * 0.3 + keys.double(), dim=-1).to(torch.float32), v)
    later = torch.matmul(F.softmax((torch.matmul(q, kt) + keys) * 0.3, dim=-1), v)
    side = torch.matmul(F.softmax(torch.matmul(q, kt) * 0.3, dim=-2), v)
    heads = torch.matmul(F.softmax(torch.matmul(q[:, :1], kt) * 0.3, dim=-1), v)
    kept = torch.matmul(q, kt) * 0.7
    return (a, b, c, d, e, f, first, alone, wide, other, later, side, heads, torch.matmul(F.softmax(kept, dim=-1), v), kept)


@case(T(5, 37, scale=3), I(3, 7, low=-100, high=100, dtype=torch.int8))
class GeluWrittenOut(nn.Module):
    """The two formulas in floats and integers, after a layer, and with parts that something else uses or changes."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(37, 20)

    def forward(self, x: Tensor, n: Tensor):
        a = 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))
        b = x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))
        h = self.layer(x)
        c = h * 0.5 * (1.0 + torch.erf(h / math.sqrt(2.0)))
        g = self.layer(x)
        d = (1.0 + torch.tanh(0.7978845608 * (g + 0.044715 * torch.pow(g, 3)))) * (0.5 * g)
        t = torch.erf(x / math.sqrt(2.0))
        e = x * 0.5 * (1.0 + t)
        y = x.clone()
        s = y * 0.5
        y.add_(1)
        f = s * (1.0 + torch.erf(y / math.sqrt(2.0)))
        w = x.double()
        k = 0.5 * n * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (n + 0.044715 * torch.pow(n, 3))))
        m = 0.5 * n * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (n + 0.044715 * torch.pow(n, 3.0))))
        other = x * 0.5 * (1.0 + torch.erf(x / math.sqrt(3.0)))
        return a, b, c, d, e, t, f, w * 0.5 * (1.0 + torch.erf(w / math.sqrt(2.0))), k, m, other


def T_mask(n: int, m: int):
    return (torch.arange(n * m).view(n, m) % 7).to(torch.float32) - 3


@case(T(2, 2, 9, 4, seed=1), T(2, 2, 9, 4, seed=2))
def attention_and_writes(q: Tensor, v: Tensor):
    """Queries or masks change between the product and the softmax: what was computed before must stay."""
    low = torch.zeros(9, 9)
    x = torch.matmul(q, q.transpose(-2, -1)) * 0.5
    q.add_(1)
    a = torch.matmul(F.softmax(x, dim=-1), v)
    y = torch.matmul(q, q.transpose(-2, -1)) + low
    low[:, 3:] = -50
    b = torch.matmul(F.softmax(y, dim=-1), v)
    z = torch.matmul(q, q.transpose(-2, -1)) + low
    if bool(v.sum() < 1e9):
        q[0].zero_()
    return a, b, torch.matmul(F.softmax(z, dim=-1), v), q


def windows_of(x: Tensor, size: int, shift: int):
    """What a mask of shifted windows looks like: made where it is used, by writing into it."""
    n = x.size(0) // 2
    region = x.new_zeros(n, size * size)
    region[:, shift:] = 1
    region[n - 1, shift + 1:] = 2
    mask = region.unsqueeze(1) - region.unsqueeze(2)
    mask = mask.masked_fill(mask != 0, -100.0).masked_fill(mask == 0, 0.0)
    return mask.unsqueeze(1).unsqueeze(0)


class ShiftedWindows(nn.Module):
    """Attention in windows, the shifted ones with a mask for each window of an image."""

    def __init__(self, heads: int, view: int):
        super().__init__()
        self.qkv = nn.Linear(12, 36)
        self.heads = heads
        self.view = view
        self.bias = nn.Parameter(T(1, heads, 4, 4, seed=3))

    def forward(self, x: Tensor, shift: int):
        b, n, c = x.size(0), x.size(1), x.size(2)
        qkv = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        q = q * (c // self.heads) ** -0.5
        a = q.matmul(k.transpose(-2, -1)) + self.bias
        if shift > 0:
            mask = windows_of(x, 2, shift)
            w = mask.size(1)
            a = a.view(self.view, w, self.heads, n, n)
            a = a + mask
            a = a.view(-1, self.heads, n, n)
        a = F.softmax(a, dim=-1)
        return a.matmul(v).transpose(1, 2).reshape(b, n, c)


@case(T(6, 4, 12, seed=5), 1, init=(3, 2))
class AttentionInShiftedWindows(ShiftedWindows):
    pass


@case(T(6, 4, 12, seed=5), 0, init=(2, -1))
class AttentionInWindows(ShiftedWindows):
    pass


@case(T(6, 4, 12, seed=5), 1, init=(3, 3), fails=True)
class AttentionInOtherWindows(ShiftedWindows):
    """A view that the number of windows does not allow."""


@case(T(2, 150, 12), T(2, 150, 9, seed=2))
class TwoLayers(nn.Module):
    """Pairs of linear layers with an activation between them, many rows and few."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(12, 40), nn.Linear(40, 9)
        self.c, self.d = nn.Linear(12, 33, bias=False), nn.Linear(33, 9, bias=False)
        self.e, self.f = nn.Linear(12, 600), nn.Linear(600, 12)

    def forward(self, x: Tensor, r: Tensor):
        hidden = F.gelu(self.a(x))
        return (self.b(F.gelu(self.a(x))), self.b(F.relu(self.a(x))) + r, r + self.d(F.silu(self.c(x))), self.f(F.gelu(self.e(x), approximate="tanh")) + x,
                self.b(F.gelu(self.a(x[:, :3]))), self.b(F.relu(self.a(x.transpose(0, 1)))), self.b(hidden) + hidden.sum(),
                self.d(torch.sigmoid(self.c(x[0]))) + r[:, :, :1].sum(), self.f(F.hardswish(self.e(x.flatten(0, 1)))) + x[0, 0])


@case(T(4, 6), I(4, low=0, high=6), T(4, 6, seed=2))
def losses(x: Tensor, y: Tensor, t: Tensor):
    s = torch.sigmoid(t)
    return [F.cross_entropy(x, y), F.cross_entropy(x, y, label_smoothing=0.1, reduction="none"), F.nll_loss(F.log_softmax(x, 1), y, reduction="sum"),
            F.mse_loss(x, t), F.l1_loss(x, t, reduction="none"), F.smooth_l1_loss(x, t), F.huber_loss(x, t),
            F.binary_cross_entropy(torch.sigmoid(x), s), F.binary_cross_entropy_with_logits(x, s),
            F.kl_div(F.log_softmax(x, 1), F.softmax(t, 1), reduction="batchmean"), F.cosine_embedding_loss(x, t, torch.ones(4)),
            F.hinge_embedding_loss(x, torch.sign(t)), F.margin_ranking_loss(x[:, 0], x[:, 1], torch.sign(t[:, 0])),
            F.triplet_margin_loss(x, t, t + 1), F.soft_margin_loss(x, torch.sign(t)), F.poisson_nll_loss(x, s), F.cross_entropy(x, F.softmax(t, 1)),
            F.multi_margin_loss(x, y)]


@case(T(1, 2, 5, 6), T(1, 4, 4, 2, seed=2, scale=0.6))
def grid_sampling(x: Tensor, g: Tensor):
    theta = torch.tensor([[[1.0, 0.2, 0.1], [-0.1, 0.9, 0.0]]])
    return [F.grid_sample(x, g), F.grid_sample(x, g, mode="nearest", align_corners=False),
            F.grid_sample(x, g, padding_mode="border", align_corners=True), F.grid_sample(x, g, padding_mode="reflection", align_corners=False),
            F.grid_sample(x, g, mode="bicubic", align_corners=False), F.affine_grid(theta, [1, 2, 3, 4], align_corners=False),
            F.affine_grid(theta, [1, 2, 3, 4], align_corners=True)]


@case(T(1, 3, 7, 8))
def interpolation(x: Tensor):
    return [F.interpolate(x, size=[14, 16], mode="bilinear", align_corners=False),
            F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False), F.interpolate(x, scale_factor=[1.5, 2.0], mode="nearest"),
            F.interpolate(x, size=[3, 3], mode="area"), F.interpolate(x[0], scale_factor=2.0, mode="linear", align_corners=False),
            F.interpolate(x, size=[5, 5], mode="bilinear", antialias=True),
            F.interpolate(x, scale_factor=1.3, recompute_scale_factor=True, mode="bilinear"),
            F.interpolate(x.unsqueeze(0), scale_factor=2.0, mode="trilinear"), F.fold(F.unfold(x, [2, 2]), [7, 8], [2, 2]),
            F.pixel_shuffle(x.repeat(1, 4, 1, 1), 2),
            F.max_unpool2d(F.max_pool2d(x, 2)[:, :, :3], F.max_pool2d_with_indices(x, [2, 2])[1][:, :, :3], [2, 2], output_size=[7, 8])]


@case(T(3, 7), T(3, 7, seed=3))
def normalise_functions(x: Tensor, y: Tensor):
    w = torch.ones(7) * 1.5
    return [F.softmax(x, 1), F.log_softmax(x, 0), F.softmax(x, -1, dtype=torch.float64), F.normalize(x, dim=1), F.normalize(x, 1.0, 0),
            F.layer_norm(x, [7], w), F.batch_norm(x, torch.zeros(7), torch.ones(7), w, w, False), F.group_norm(x, 7), F.softmin(x, 1),
            F.cosine_similarity(x, y), F.layer_norm(x, [3, 7]), F.instance_norm(x.unsqueeze(0)), F.dropout(x, 0.3, False),
            F.alpha_dropout(x, 0.3, False), torch.renorm(x, 2, 0, 1.0), F.rms_norm(x, [7])]


def grown(rows: int, cols: int) -> Tensor:
    return ((torch.arange(rows * cols) * 37) % 101 - 50).to(torch.float32).view(rows, cols) / (cols * 9.0)


@case(T(1, 7), T(3, 7))
def recurrent_widths(x: Tensor, xs: Tensor):
    out: List[Tensor] = []
    for hidden in [1, 5, 16, 17, 33, 64, 70, 530]:   # less and more than a block of units, a panel, a block of terms
        b = grown(4 * hidden, 1).view(-1)
        for rows in [x, xs, x[0:1].expand(2, 7)]:
            h = grown(rows.size(0), hidden)
            a, c = torch.lstm_cell(rows, [h, h * 0.5], grown(4 * hidden, 7), grown(4 * hidden, hidden), b, b * 2)
            out += [a, c]
            g = 3 * hidden
            out.append(torch.gru_cell(rows, h, grown(g, 7), grown(g, hidden), b[:g], b[:g] * 2))
            out.append(torch.rnn_tanh_cell(rows, h, grown(hidden, 7), grown(hidden, hidden)))
            out.append(torch.rnn_relu_cell(rows, h.t().contiguous().t(), grown(hidden, 7), grown(hidden, hidden), b[:hidden], b[:hidden]))
    return [o.sum(1) for o in out], out[0:20]


@case(T(45, 1, 6), T(3, 45, 6), form=("scripted", "frozen"))
class RecurrentCellsSteps(nn.Module):
    """Sequences taken apart in every order; those of `kept` may be multiplied ahead, those of `written` may not."""

    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.rnn, self.relu = nn.LSTMCell(6, 20), nn.GRUCell(6, 33), nn.RNNCell(6, 7), nn.RNNCell(6, 16, bias=False, nonlinearity="relu")

    def kept(self, x: Tensor, rows: Tensor):
        h, c, g, r = torch.zeros(1, 20), torch.zeros(1, 20), torch.zeros(3, 33), torch.zeros(7)
        u, flat, order = torch.zeros(1, 16), x.squeeze(1), [3, 3, 40, 0, 1, 44, 7, 6, 5]
        outs: List[Tensor] = []
        for t in range(x.size(0)):
            h, c = self.lstm(x[t], (h, c))
            g = self.gru(rows[:, -1 - t], g)
            r = self.rnn(flat[t], r)
            outs.append(h)
        for row in x:
            u = self.relu(row, u)
            if bool(u.sum() > 9):
                break
        for row in rows.unbind(1):
            g = self.gru(row, g)
            g = self.gru(row, g)
        for t in order:
            g = self.gru(rows[:, t, :], g)
            r = self.rnn(flat[t], r)
        for t in range(20):
            h, c = self.lstm(x[2 * t + 1], (h, c))
            h, c = self.lstm(rows[1:2, t], (h, c))
        return torch.cat(outs), h, c, g, r, u

    def written(self, x: Tensor, rows: Tensor):
        x, rows = x.clone(), rows.clone()
        g, u, r, s = torch.zeros(1, 33), torch.zeros(1, 16), torch.zeros(3, 7), torch.zeros(3, 7)
        alias, held = rows.view(3, -1), [rows]
        for t in range(40):
            g = self.gru(x[t], g)
            x[t + 1] = x[t + 1] * 0.5 + g.sum()
            u = self.relu(x[t, 0:1] if t % 2 == 0 else x[t], u)
        for t in range(40):
            r = self.rnn(rows[:, t], r)
            alias.add_(r.mean())
        for t in range(40):
            s = self.rnn(rows[:, t], s)
            held[0].mul_(0.9)
        same = torch.dropout(rows, 0.5, False)
        for t in range(40):
            s = self.rnn(same[:, t], s)
            rows.sub_(s.sum() * 0.01)
        return g, u, r, s, x, rows

    def forward(self, x: Tensor, rows: Tensor):
        return self.kept(x, rows), self.written(x, rows)


@case(T(9, 1, 6), form=("scripted", "frozen"))
class RecurrentCellsLoop(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.rnn = nn.LSTMCell(6, 20), nn.GRUCell(20, 35), nn.RNNCell(35, 3)

    def forward(self, x: Tensor):
        h, c = torch.zeros(x.size(1), 20), torch.zeros(x.size(1), 20)
        g, r = torch.zeros(x.size(1), 35), torch.zeros(x.size(1), 3)
        kept: List[Tensor] = []
        for i in range(x.size(0)):
            before = h
            h, c = self.lstm(x[i], (h, c))
            g = self.gru(h, g)
            r = self.rnn(g, r)
            kept.append(r + before.sum())
        return torch.stack(kept), h, c, g
