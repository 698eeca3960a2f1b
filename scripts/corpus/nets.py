"""Small networks of the families that archives hold in practice, scripted, traced and frozen."""
import math
from typing import Dict, List, NamedTuple, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from corpus.base import I, T, case

ALL = ("scripted", "traced", "frozen")


@case(T(2, 1, 28, 28), form=ALL)
class Lenet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5, padding=2)
        self.c2 = nn.Conv2d(6, 16, 5)
        self.f1 = nn.Linear(400, 60)
        self.f2 = nn.Linear(60, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        x = x.view(x.size(0), -1)
        return F.log_softmax(self.f2(F.relu(self.f1(x))), dim=1)


class Residual(nn.Module):
    def __init__(self, inp, out, stride):
        super().__init__()
        self.c1 = nn.Conv2d(inp, out, 3, stride, 1, bias=False)
        self.b1 = nn.BatchNorm2d(out)
        self.c2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.b2 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.down = nn.Sequential(nn.Conv2d(inp, out, 1, stride, bias=False), nn.BatchNorm2d(out)) if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        identity = x
        y = self.b2(self.c2(self.relu(self.b1(self.c1(x)))))
        if self.down is not None:
            identity = self.down(x)
        y += identity
        return self.relu(y)


@case(T(1, 3, 32, 32), form=ALL)
class Resnet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1))
        self.body = nn.Sequential(Residual(8, 8, 1), Residual(8, 16, 2), Residual(16, 24, 2))
        self.head = nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(self.stem(x))
        return self.head(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class Inverted(nn.Module):
    def __init__(self, inp, out, stride, expand, squeeze):
        super().__init__()
        mid = inp * expand
        self.use_skip = stride == 1 and inp == out
        self.expand = nn.Sequential(nn.Conv2d(inp, mid, 1, bias=False), nn.BatchNorm2d(mid), nn.Hardswish())
        self.depth = nn.Sequential(nn.Conv2d(mid, mid, 3, stride, 1, groups=mid, bias=False), nn.BatchNorm2d(mid), nn.ReLU6(inplace=True))
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(mid, 4, 1), nn.ReLU(), nn.Conv2d(4, mid, 1),
                                  nn.Hardsigmoid()) if squeeze else None
        self.project = nn.Sequential(nn.Conv2d(mid, out, 1, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = self.depth(self.expand(x))
        if self.gate is not None:
            y = y * self.gate(y)
        y = self.project(y)
        return x + y if self.use_skip else y


@case(T(1, 3, 24, 24), form=ALL)
class Mobilenet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.SiLU())
        self.body = nn.Sequential(Inverted(8, 8, 1, 2, True), Inverted(8, 12, 2, 3, False), Inverted(12, 12, 1, 3, True))
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(12, 7))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(self.stem(x)).mean([2, 3]))


class Dense(nn.Module):
    def __init__(self, inp, grow):
        super().__init__()
        self.norm = nn.BatchNorm2d(inp)
        self.conv = nn.Conv2d(inp, grow, 3, padding=1, bias=False)

    def forward(self, xs: List[Tensor]) -> Tensor:
        return self.conv(F.relu(self.norm(torch.cat(xs, 1))))


@case(T(1, 4, 12, 12), form=ALL)
class Densenet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Dense(4 + 6 * i, 6) for i in range(3)])
        self.out = nn.Conv2d(22, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        xs = [x]
        for layer in self.layers:
            xs.append(layer(xs))
        return F.avg_pool2d(self.out(torch.cat(xs, 1)), 2)


@case(T(1, 3, 16, 16), form=ALL)
class Unet(nn.Module):
    def __init__(self):
        super().__init__()
        self.d1 = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.GroupNorm(2, 6), nn.ReLU())
        self.d2 = nn.Sequential(nn.Conv2d(6, 12, 3, padding=1), nn.GroupNorm(2, 12), nn.ReLU())
        self.mid = nn.Conv2d(12, 12, 3, padding=2, dilation=2)
        self.up = nn.ConvTranspose2d(12, 6, 2, stride=2)
        self.out = nn.Conv2d(12, 2, 1)

    def forward(self, x: Tensor) -> Dict[str, Tensor]:
        a = self.d1(x)
        b = self.d2(F.max_pool2d(a, 2))
        c = F.gelu(self.mid(b)) + b
        u = self.up(c)
        skip = torch.cat([u, a], 1)
        return {"out": self.out(skip), "small": F.interpolate(c, scale_factor=2.0, mode="bilinear", align_corners=False).mean(1)}


@case(T(1, 3, 18, 18), form=ALL)
class Inception(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 4, 1)
        self.b = nn.Sequential(nn.Conv2d(3, 4, (1, 3), padding=(0, 1)), nn.ELU(), nn.Conv2d(4, 4, (3, 1), padding=(1, 0)))
        self.c = nn.Sequential(nn.AvgPool2d(3, 1, 1), nn.Conv2d(3, 4, 1), nn.LeakyReLU(0.1))

    def forward(self, x: Tensor):
        y = torch.cat([F.relu(self.a(x)), self.b(x), self.c(x)], dim=1)
        s = torch.softmax(y.mean([2, 3]), 1)
        return y, s, s.argmax(1)


class ConvBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dw = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.p1 = nn.Linear(dim, 4 * dim)
        self.p2 = nn.Linear(4 * dim, dim)
        self.gamma = nn.Parameter(torch.ones(dim) * 0.5)

    def forward(self, x: Tensor) -> Tensor:
        y = self.dw(x).permute(0, 2, 3, 1)
        y = self.gamma * self.p2(F.gelu(self.p1(self.norm(y))))
        return x + y.permute(0, 3, 1, 2)


@case(T(1, 3, 20, 20), form=ALL)
class Convnext(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 10, 4, 4)
        self.blocks = nn.Sequential(ConvBlock(10), ConvBlock(10))
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.LayerNorm(10), nn.Linear(10, 5))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)))


@case(I(3, 9, low=0, high=40), form=ALL)
class LstmTagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(40, 10, padding_idx=0)
        self.r = nn.LSTM(10, 12, num_layers=2, bidirectional=True, batch_first=True, dropout=0.1)
        self.o = nn.Linear(24, 5)

    def forward(self, x: Tensor):
        y, (h, c) = self.r(self.e(x))
        return F.log_softmax(self.o(y), -1), h, c


@case(I(3, 9, low=0, high=40), form=ALL)
class GruClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(40, 10)
        self.r = nn.GRU(10, 12, batch_first=True)
        self.o = nn.Linear(12, 3)

    def forward(self, x: Tensor):
        _, h = self.r(self.e(x))
        return torch.softmax(self.o(h[-1]), dim=-1)


@case(T(12, 3))
class ManualLstm(nn.Module):
    """A recurrence written out gate by gate with a state it carries."""

    def __init__(self):
        super().__init__()
        self.wx = nn.Parameter(T(3, 20, seed=4) * 0.4)
        self.wh = nn.Parameter(T(5, 20, seed=5) * 0.4)
        self.b = nn.Parameter(T(20, seed=6))

    def step(self, x: Tensor, state: Tuple[Tensor, Tensor]) -> Tuple[Tensor, Tensor]:
        h, c = state
        i, f, g, o = (x @ self.wx + h @ self.wh + self.b).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def forward(self, xs: Tensor):
        state = (torch.zeros(5), torch.zeros(5))
        out: List[Tensor] = []
        for x in xs:
            state = self.step(x, state)
            out.append(state[0])
        return torch.stack(out), state


@case(I(2, 7, low=1, high=30), form=ALL, atol=1e-5)
class TransformerEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(30, 16)
        layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.1, activation="gelu", batch_first=True)
        self.t = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.o = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.o(self.t(self.e(x)))


@case(torch.tensor([[4, 5, 6, 7, 0, 0], [3, 9, 0, 0, 0, 0]]), atol=1e-5)
class PaddedEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(30, 16)
        self.t = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 24, batch_first=True, norm_first=True), 2, norm=nn.LayerNorm(16),
                                       enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:
        pad = x == 0
        y = self.t(self.e(x), src_key_padding_mask=pad)
        return y.masked_fill(pad.unsqueeze(-1), 0.0).sum(1) / (~pad).sum(1, keepdim=True)


@case(T(2, 7, 16), torch.tensor([[False] * 7, [False] * 4 + [True] * 3]), form=ALL)
class NestedEncoder(nn.Module):
    """The fast path packs what is not padding into a nested tensor."""
    def __init__(self):
        super().__init__()
        self.t = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 24, batch_first=True), 2, enable_nested_tensor=True)

    def forward(self, x: Tensor, pad: Tensor) -> Tensor:
        return self.t(x, src_key_padding_mask=pad)


@case(T(2, 3))
class LayersInsideWith(nn.Module):
    """Values from branches that fold away are used inside a with statement."""
    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Dropout(0.5))
        self.b = nn.Sequential(nn.Linear(3, 2), nn.Sigmoid())

    def forward(self, x: Tensor):
        y = self.a(x)
        with torch.no_grad():
            z = self.b(y) * 0.5
            with torch.no_grad():
                if self.training:
                    z = z + 1
                else:
                    z = z - y.sum()
        return z, y


@case(T(2, 6, 16), T(2, 4, 16, seed=2), form=("scripted", "frozen"), atol=1e-5)
class TransformerFull(nn.Module):
    def __init__(self):
        super().__init__()
        self.t = nn.Transformer(16, 2, 1, 1, 24, batch_first=True)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        mask = torch.triu(torch.full((b.size(1), b.size(1)), float("-inf")), 1)
        return self.t(a, b, tgt_mask=mask)


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, dim * 3)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        a = (q @ k.transpose(-2, -1)) / math.sqrt(c // self.heads)
        return self.proj((a.softmax(-1) @ v).transpose(1, 2).reshape(b, n, c))


class VitBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.n1 = nn.LayerNorm(dim, eps=1e-6)
        self.a = Attention(dim, 4)
        self.n2 = nn.LayerNorm(dim, eps=1e-6)
        self.m = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.a(self.n1(x))
        return x + self.m(self.n2(x))


@case(T(2, 3, 16, 16), form=ALL, atol=1e-5)
class VisionTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 4, 4)
        self.cls = nn.Parameter(T(1, 1, 16, seed=3))
        self.pos = nn.Parameter(T(1, 17, 16, seed=4) * 0.1)
        self.blocks = nn.Sequential(VitBlock(16), VitBlock(16))
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.size(0), -1, -1), x], 1) + self.pos
        return self.head(self.norm(self.blocks(x))[:, 0])


class CausalBlock(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.n1 = nn.LayerNorm(dim)
        self.n2 = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.o = nn.Linear(dim, dim)
        self.up = nn.Linear(dim, 4 * dim)
        self.down = nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor, past: Optional[Tuple[Tensor, Tensor]]) -> Tuple[Tensor, Tuple[Tensor, Tensor]]:
        b, n, c = x.shape
        q, k, v = self.qkv(self.n1(x)).split(c, dim=2)
        q = q.view(b, n, self.heads, -1).transpose(1, 2)
        k = k.view(b, n, self.heads, -1).transpose(1, 2)
        v = v.view(b, n, self.heads, -1).transpose(1, 2)
        if past is not None:
            k = torch.cat([past[0], k], 2)
            v = torch.cat([past[1], v], 2)
        mask = torch.ones(n, k.size(2), dtype=torch.bool).tril(k.size(2) - n)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.o(y.transpose(1, 2).contiguous().view(b, n, c))
        return x + self.down(F.gelu(self.up(self.n2(x)), approximate="tanh")), (k, v)


@case(torch.tensor([[3, 1, 4]]), 6, atol=1e-5)
class GreedyDecoder(nn.Module):
    """A language model with a key/value cache that generates in a loop of its own."""

    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(20, 16)
        self.pos = nn.Embedding(32, 16)
        self.layers = nn.ModuleList([CausalBlock(16, 2) for _ in range(2)])
        self.norm = nn.LayerNorm(16)

    def forward(self, ids: Tensor, steps: int):
        cache: List[Optional[Tuple[Tensor, Tensor]]] = [None, None]
        out = ids
        step = ids
        last = torch.zeros(1, 20)
        while out.size(1) < ids.size(1) + steps:
            start = out.size(1) - step.size(1)
            x = self.tok(step) + self.pos(torch.arange(start, out.size(1)))
            for i, layer in enumerate(self.layers):
                x, kv = layer(x, cache[i])
                cache[i] = kv
            last = self.norm(x[:, -1]) @ self.tok.weight.t()
            step = last.argmax(-1, keepdim=True)
            out = torch.cat([out, step], 1)
        return out, last


def box_iou(a: Tensor, b: Tensor) -> Tensor:
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    lt = torch.max(a[:, None, :2], b[None, :, :2])
    rb = torch.min(a[:, None, 2:], b[None, :, 2:])
    wh = (rb - lt).clamp(min=0)
    inter = wh[..., 0] * wh[..., 1]
    return inter / (area_a[:, None] + area_b[None] - inter)


def suppress(boxes: Tensor, scores: Tensor, limit: float) -> Tensor:
    order = scores.argsort(descending=True)
    keep: List[int] = []
    while order.numel() > 0:
        i = int(order[0])
        keep.append(i)
        if order.numel() == 1:
            break
        rest = order[1:]
        iou = box_iou(boxes[i].unsqueeze(0), boxes[rest])[0]
        order = rest[iou <= limit]
    return torch.tensor(keep, dtype=torch.int64)


@case([T(3, 20, 24), T(3, 16, 16, seed=2)])
class Detector(nn.Module):
    """Images of several sizes in, one dictionary an image out, suppression written in the language."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
        self.cls = nn.Conv2d(16, 3, 1)
        self.reg = nn.Conv2d(16, 4, 1)

    def anchors(self, h: int, w: int, stride: float) -> Tensor:
        y, x = torch.meshgrid([torch.arange(h), torch.arange(w)], indexing="ij")
        centre = torch.stack([x, y], -1).reshape(-1, 2).to(torch.float32) * stride + stride / 2
        return torch.cat([centre - 6.0, centre + 6.0], 1)

    def forward(self, images: List[Tensor]) -> List[Dict[str, Tensor]]:
        results: List[Dict[str, Tensor]] = []
        for image in images:
            f = self.body(image.unsqueeze(0))
            scores = torch.sigmoid(self.cls(f))[0].permute(1, 2, 0).reshape(-1, 3)
            deltas = self.reg(f)[0].permute(1, 2, 0).reshape(-1, 4)
            boxes = self.anchors(f.size(2), f.size(3), 4.0) + deltas * 2
            best, label = scores.max(1)
            chosen = torch.where(best > best.mean())[0]
            b = boxes[chosen].clamp(min=0.0, max=float(image.size(2)))
            kept = suppress(b, best[chosen], 0.3)
            results.append({"boxes": b[kept], "scores": best[chosen][kept], "labels": label[chosen][kept]})
        return results


class Output(NamedTuple):
    logits: Tensor
    hidden: List[Tensor]
    info: Dict[str, int]


@case({"ids": I(2, 5, low=0, high=9), "mask": torch.ones(2, 5)})
class DictionaryInput(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(9, 6)
        self.o = nn.Linear(6, 2)

    def forward(self, batch: Dict[str, Tensor]) -> Output:
        x = self.e(batch["ids"]) * batch["mask"].unsqueeze(-1)
        hidden = [x]
        for i in range(2):
            x = torch.tanh(x + x.mean(1, keepdim=True))
            hidden.append(x)
        return Output(self.o(x.sum(1)), hidden, {"layers": len(hidden), "width": x.size(-1)})


@case(T(3, 6))
class MixtureOfExperts(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(6, 3)
        self.experts = nn.ModuleList([nn.Sequential(nn.Linear(6, 6), nn.ReLU()) for _ in range(3)])

    def forward(self, x: Tensor):
        weight, index = torch.softmax(self.gate(x), 1).topk(2, 1)
        out = torch.zeros_like(x)
        used: List[int] = []
        for e, expert in enumerate(self.experts):
            rows, slot = torch.where(index == e)
            used.append(rows.numel())
            if rows.numel() > 0:
                out.index_add_(0, rows, expert(x[rows]) * weight[rows, slot].unsqueeze(1))
        return out, used


@case(T(1, 1, 400), form=("scripted", "traced"), atol=1e-4)
class AudioFeatures(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("window", torch.hann_window(64))
        self.register_buffer("mel", T(33, 8, seed=4).abs())
        self.conv = nn.Sequential(nn.Conv1d(8, 12, 3, padding=1), nn.ReLU(), nn.Conv1d(12, 4, 3, 2))

    def forward(self, x: Tensor) -> Tensor:
        s = torch.stft(x[:, 0], 64, 16, 64, self.window, center=True, return_complex=True).abs().pow(2)
        m = torch.log(torch.clamp(s.transpose(1, 2) @ self.mel, min=1e-6)).transpose(1, 2)
        return self.conv((m - m.mean()) / m.std())


@case(T(5, 8))
class StreamingState(nn.Module):
    """Keeps a context between calls, as speech models do; one forward makes several of its own calls."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 4, 3)
        self.cell = nn.LSTMCell(4, 4)
        self.register_buffer("context", torch.zeros(1, 1, 2))
        self.register_buffer("h", torch.zeros(1, 4))
        self.register_buffer("c", torch.zeros(1, 4))

    @torch.jit.export
    def reset(self) -> None:
        self.context = torch.zeros(1, 1, 2)
        self.h = torch.zeros(1, 4)
        self.c = torch.zeros(1, 4)

    def chunk(self, x: Tensor) -> Tensor:
        x = torch.cat([self.context, x], 2)
        self.context = x[:, :, -2:]
        y = torch.relu(self.conv(x)).mean(2)
        h, c = self.cell(y, (self.h, self.c))
        self.h = h
        self.c = c
        return torch.sigmoid(h.sum())

    def forward(self, xs: Tensor):
        first: List[float] = []
        for i in range(xs.size(0)):
            first.append(float(self.chunk(xs[i].view(1, 1, -1))))
        self.reset()
        again = self.chunk(xs[0].view(1, 1, -1))
        return first, again, self.h


@case(T(4, 3), torch.tensor([[0, 1, 2, 3, 0], [1, 2, 3, 0, 2]]))
class GraphNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.message = nn.Linear(6, 5)
        self.update = nn.Linear(8, 3)

    def forward(self, x: Tensor, edges: Tensor):
        for i in range(2):
            m = torch.relu(self.message(torch.cat([x[edges[0]], x[edges[1]]], 1)))
            s = torch.zeros(x.size(0), 5).index_add_(0, edges[1], m)
            x = x + self.update(torch.cat([x, s], 1))
        return x, torch.zeros(4).scatter_add(0, edges[1], torch.ones(5))


@case(T(2, 6), form=ALL)
class Variational(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(6, 8)
        self.dec = nn.Sequential(nn.Linear(4, 6), nn.Sigmoid())

    def forward(self, x: Tensor):
        mu, logvar = self.enc(x).chunk(2, 1)
        z = mu + torch.exp(0.5 * logvar) * 0.1
        y = self.dec(z)
        kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1)
        return y, kl.mean()


@case(T(8, 2), T(8, 1, seed=2))
def gradient_descent(x: Tensor, y: Tensor):
    w = torch.zeros(2, 1)
    losses: List[float] = []
    for i in range(20):
        e = x @ w - y
        losses.append(float((e * e).mean()))
        w = w - 0.1 * (x.t() @ e) / x.size(0)
    return w, losses


@case(T(1, 2, 10, 10), form=("traced",))
class TracedShapes(nn.Module):
    def forward(self, x: Tensor):
        b, c, h, w = x.shape
        y = x.view(b, c * h, w).transpose(1, 2).reshape(b, -1, h // 2)
        z = torch.arange(h * w, dtype=x.dtype).view(1, 1, h, w) + x
        return y, z[:, :, : h // 2, w // 3:], torch.zeros(b, c, h + 1, device=x.device), F.interpolate(x, size=(h * 2, w // 2))


@case(T(3, 4), form=("scripted", "traced", "frozen"))
class WeightNormed(nn.Module):
    def __init__(self):
        super().__init__()
        self.v = nn.Parameter(T(5, 4, seed=2))
        self.g = nn.Parameter(T(5, 1, seed=3))

    def forward(self, x: Tensor):
        w = self.v * (self.g / self.v.norm(2, dim=1, keepdim=True))
        return F.linear(x, w), torch._weight_norm(self.v, self.g, 0)


@case(T(2, 4, dtype=torch.float64), form=("scripted", "frozen"))
class DoublePrecision(nn.Module):
    def __init__(self):
        super().__init__()
        self.m = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)).double()

    def forward(self, x: Tensor):
        return self.m(x)


@case(T(2, 4, dtype=torch.bfloat16), rtol=2e-2, atol=2e-2)
class Bfloat16Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.m = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(-1)).bfloat16()

    def forward(self, x: Tensor):
        return self.m(x)


@case(T(1, 2, 6, 8), form=("scripted", "traced"))
class Resampler(nn.Module):
    def forward(self, x: Tensor):
        a = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        b = F.interpolate(a, size=(x.shape[2] + 1, x.shape[3] - 1), mode="bilinear", align_corners=True)
        c = F.interpolate(x, size=(3, 4), mode="nearest")
        d = F.pad(c, [1, 1, 0, 2]) - 1.5
        return a, b, c, 2.0 - d, d * (x.size(3) / x.size(2)), x.new_ones(x.size(0), 2) * x.mean()


@case(T(2, 3, 8, 8), form=("traced", "frozen"))
class Padder(nn.Module):
    """Patches, windows and shifts as window transformers do."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(T(9, 2, seed=3))
        self.register_buffer("index", I(4, 4, low=0, high=9, seed=5))
        self.proj = nn.Linear(3, 6)

    def forward(self, x: Tensor):
        y = self.proj(x.permute(0, 2, 3, 1))
        b, h, w, c = y.shape
        y = torch.roll(y, shifts=(-1, -1), dims=(1, 2))
        y = y.view(b, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, c)
        bias = self.table[self.index.view(-1)].view(4, 4, -1).permute(2, 0, 1).contiguous().unsqueeze(0)
        q = y.reshape(y.size(0), 4, 2, c // 2).transpose(1, 2)
        a = torch.softmax(q @ q.transpose(-2, -1) * (c // 2) ** -0.5 + bias, -1)
        return (a @ q).transpose(1, 2).flatten(2)


@case(T(1, 1, 16000 // 40), 3)
class ChunkedAudio(nn.Module):
    """Splits a signal into chunks of its own choosing and keeps a running mean, with early exits."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 4, 5, stride=2)
        self.out = nn.Linear(4, 1)

    def forward(self, x: Tensor, least: int):
        scores: List[float] = []
        best = -1.0
        where = -1
        for i, part in enumerate(x.split(64, 2)):
            if part.size(2) < 32:
                break
            s = torch.sigmoid(self.out(torch.relu(self.conv(part)).amax(2))).item()
            scores.append(float(s))
            if float(s) > best:
                best = float(s)
                where = i
            elif i - where > least:
                return scores, where, "early"
        return scores, where, "all"
