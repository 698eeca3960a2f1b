"""Convolution chains whose memory order the optimiser may choose, and everything by which a program could notice."""
from typing import Dict, List, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from corpus.base import T, case


def conv(i: int, o: int, k=3, **opt) -> nn.Conv2d:
    opt.setdefault("padding", k // 2 if isinstance(k, int) else 0)
    return nn.Conv2d(i, o, k, **opt)


@case(T(1, 3, 12, 10))
class Escapes(nn.Module):
    """Intermediate results that are returned, measured, viewed and written."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = conv(3, 8), conv(8, 8), conv(8, 8), conv(8, 4, 1)

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor, List[int], bool, Tensor]:
        a = F.relu(self.a(x))
        b = self.b(a) + a
        flat = b.view(b.size(0), -1)
        c = self.c(b)
        c.add_(1.0)
        row = c[0, 1]
        c.mul_(2.0)
        d = self.d(c)
        return a, flat, row, list(d.stride()), d.is_contiguous(), d


@case(T(2, 3, 9, 9))
class Flow(nn.Module):
    """Through branches, loops, containers and calls."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = conv(3, 6), conv(6, 6), conv(6, 6, 1)

    def forward(self, x: Tensor) -> Tuple[Tensor, Dict[str, Tensor], List[Tensor]]:
        y = self.a(x)
        kept: List[Tensor] = []
        for i in range(3):
            y = torch.relu(self.b(y))
            if i == 1:
                y = self.c(y) * 0.5
            kept.append(y)
        z = self.c(y)
        return z, {"y": y, "z": z, "s": torch.cat(kept, 1)}, kept


@case(T(1, 4, 8, 8))
class ChannelsLastWeights(nn.Module):
    """Weights whose strides ask for channels-last results, after some that do not."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = conv(4, 8), conv(8, 8), conv(8, 8)
        self.b.weight.data = self.b.weight.data.contiguous(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tuple[List[int], List[int], Tensor]:
        a = torch.relu(self.a(x))
        b = self.b(a)
        c = self.c(b) + a
        return list(b.stride()), list(c.stride()), c


@case(T(1, 4, 8, 8).contiguous(memory_format=torch.channels_last), name="channels-last-input")
class LastInput(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = conv(4, 8), conv(8, 8)

    def forward(self, x: Tensor) -> Tuple[List[int], Tensor, Tensor]:
        a = F.hardswish(self.a(x))
        b = self.b(a) + a
        return list(b.stride()), b, F.max_pool2d(b, 2)


class Squeeze(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(c, 4, 1), nn.Conv2d(4, c, 1)

    def forward(self, x: Tensor) -> Tensor:
        s = F.adaptive_avg_pool2d(x, 1)
        return x * torch.sigmoid(self.fc2(F.silu(self.fc1(s))))


@case(T(2, 3, 17, 15), form=("scripted", "traced"))
class MobileParts(nn.Module):
    """Depthwise convolutions, gates, pools, resampling, means and joins."""

    def __init__(self):
        super().__init__()
        self.stem, self.dw = conv(3, 16, stride=2), conv(16, 16, 5, groups=16)
        self.bn, self.se, self.out = nn.BatchNorm2d(16), Squeeze(16), conv(32, 12)
        self.norm = nn.BatchNorm2d(32)
        for bn in (self.bn, self.norm):
            bn.running_mean.normal_()
            bn.running_var.uniform_(0.5, 2)
        self.eval()

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        y = F.relu6(self.stem(x))
        z = self.se(F.silu(self.bn(self.dw(y))))
        up = F.interpolate(F.avg_pool2d(z, 2), size=[y.size(2), y.size(3)], mode="bilinear", align_corners=False)
        both = F.relu(self.norm(torch.cat([up, y], 1)))
        out = self.out(both)
        return out.mean([2, 3]), F.interpolate(out, scale_factor=2.0, mode="nearest"), F.adaptive_avg_pool2d(out, [3, 2])


@case(T(1, 4, 6, 6))
class Dense(nn.Module):
    """A list of features that grows, joined and normalised before each layer."""

    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList([nn.BatchNorm2d(4 + 4 * i) for i in range(3)])
        self.convs = nn.ModuleList([conv(4 + 4 * i, 4) for i in range(3)])
        self.stem = conv(4, 4)
        for n in self.norms:
            n.running_mean.normal_()
            n.running_var.uniform_(0.5, 2)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        features = [self.stem(x)]
        for norm, layer in zip(self.norms, self.convs):
            features.append(layer(F.relu(norm(torch.cat(features, 1)))))
        return torch.cat(features, 1)


@case(T(3, 8, 8))
class Unbatched(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = conv(3, 4), conv(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.a(x))
        return F.gelu(self.b(y) + y)


class Wide(nn.Module):
    """3x3 convolutions as wide as those of networks, on maps of several sizes."""

    def __init__(self):
        super().__init__()
        self.a, self.b = conv(32, 48), conv(48, 32)

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        y = F.silu(self.a(x))
        small = F.max_pool2d(y, 4)
        return F.relu(self.b(y) + x), self.b(small)


case(T(1, 32, 18, 15), name="wide-3x3")(Wide)


class Residual(nn.Module):
    """1x1, depthwise, 1x1."""

    def __init__(self, i: int, wide: int, o: int, k: int, stride: int):
        super().__init__()
        self.expand, self.deep, self.project = conv(i, wide, 1), conv(wide, wide, k, stride=stride, groups=wide), conv(wide, o, 1)
        self.same = stride == 1 and i == o

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(F.relu6(self.deep(F.relu6(self.expand(x)))))
        return x + y if self.same else y


@case(T(1, 3, 60, 62))
class InvertedResiduals(nn.Module):
    """Wide enough in the middle that it is not kept, and narrow ones."""

    def __init__(self):
        super().__init__()
        self.stem, self.a, self.b, self.c = conv(3, 8), Residual(8, 76, 8, 3, 1), Residual(8, 80, 12, 5, 2), Residual(12, 24, 4, 3, 1)
        self.expand, self.deep = conv(8, 90, 1), conv(90, 90, 3, groups=90)

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        y = self.a(F.hardswish(self.stem(x)))
        gate = F.silu(self.deep(F.silu(self.expand(y))))
        return self.c(self.b(y)), gate.mean([2, 3])


class Gated(nn.Module):
    """1x1, depthwise, gates of the channels (squeeze and excitation), 1x1."""

    def __init__(self, i: int, wide: int, o: int, k: int, stride: int, few: int, expand: bool = True, mean: bool = False):
        super().__init__()
        self.expand = conv(i, wide, 1) if expand else nn.Identity()
        self.deep = conv(wide, wide, k, stride=stride, groups=wide)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.down, self.up, self.project = conv(wide, few, 1), conv(few, wide, 1), conv(wide, o, 1)
        self.same, self.mean, self.act = stride == 1 and i == o, mean, expand

    def forward(self, x: Tensor) -> Tensor:
        y = F.silu(self.expand(x)) if self.act else x
        y = F.silu(self.deep(y))
        s = y.mean((2, 3), keepdim=True) if self.mean else self.pool(y)
        s = self.up(F.silu(self.down(s)))
        z = self.project(y * s.sigmoid() if self.mean else F.hardsigmoid(s) * y)
        return x + z if self.same else z


@case(T(2, 3, 33, 30), form=("scripted", "traced"))
class Gates(nn.Module):
    """Inverted residuals with gates of the channels, of ragged widths; one whose parts stand behind a first convolution."""

    def __init__(self):
        super().__init__()
        self.first = conv(3, 20, stride=2)
        self.a, self.b = Gated(20, 20, 10, 3, 1, 6, expand=False), Gated(10, 70, 10, 5, 1, 7)
        self.c, self.d = Gated(10, 52, 24, 3, 2, 4, mean=True), Gated(24, 97, 24, 5, 1, 9, mean=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.d(self.c(self.b(self.a(F.silu(self.first(x))))))


@case(T(1, 6, 11, 12), T(6, 9, 10))
class GatesOfOthers(nn.Module):
    """What looks like gates and is none: the wide tensor or its mean is used elsewhere, or they belong to another tensor."""

    def __init__(self):
        super().__init__()
        self.expand, self.deep = conv(6, 40, 1), conv(40, 40, groups=40)
        self.down, self.up, self.project, self.wide = conv(40, 8, 1), conv(8, 40, 1), conv(40, 6, 1), conv(40, 6)
        self.thin, self.apart = conv(40, 1, 1), conv(40, 8, 1, groups=4)

    def middle(self, x: Tensor) -> Tensor:
        return F.relu(self.deep(F.relu(self.expand(x))))

    def gates(self, y: Tensor) -> Tensor:
        return torch.sigmoid(self.up(F.relu(self.down(F.adaptive_avg_pool2d(y, 1)))))

    def forward(self, x: Tensor, u: Tensor) -> List[Tensor]:
        y = self.middle(x)
        kept = self.project(self.gates(y) * y)
        z = self.middle(x + 1.0)
        other = self.project(self.gates(z) * y)
        third = self.middle(x - 1.0)
        wide = self.wide(self.gates(third) * third)
        fourth = self.middle(x * 0.5)
        grouped = torch.sigmoid(self.up(F.relu(self.apart(F.adaptive_avg_pool2d(fourth, 1))))) * fourth
        fifth = self.middle(x * 0.25)
        g = self.gates(fifth)
        shown = self.project(g * fifth)
        sixth = self.middle(x * 2.0)
        sixth *= self.gates(sixth)
        rows = self.middle(x * 3.0)
        tall = self.project(torch.sigmoid(self.up(F.relu(self.down(F.adaptive_avg_pool2d(rows, [2, 1])))))[:, :, :1] * rows)
        v = self.middle(u)
        flat = self.project(self.gates(v) * v)
        return [y, kept, other, wide, self.project(grouped), g, shown, self.project(sixth), tall, flat, self.thin(v)]


@case(T(2, 3, 37, 41), T(1, 1, 20, 50), T(1, 4, 5, 4))
class FirstBlocks(nn.Module):
    """The first convolution of a network, of several widths, strides and paddings, with and without depthwise ones behind it."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = conv(3, 24, stride=2), conv(24, 24, groups=24), conv(24, 9, 1)
        self.d, self.e = conv(1, 40, 5, padding=3), conv(40, 40, 3, padding=0, stride=3, groups=40)
        self.f, self.g = conv(4, 17, (2, 3), padding=(0, 2)), conv(17, 6, 1)
        self.h, self.i = conv(3, 100, 4, stride=4, padding=0), conv(3, 18, 3, dilation=(2, 1))

    def forward(self, x: Tensor, y: Tensor, z: Tensor) -> List[Tensor]:
        p = self.c(F.relu6(self.b(F.relu6(self.a(x)))))
        q = F.gelu(self.e(F.silu(self.d(y))))
        return [p, q, self.g(self.f(z)), self.h(x), F.relu(self.i(x)), self.a(x).permute(0, 2, 3, 1)]


@case(T(1, 6, 50, 47), T(3, 6, 14, 15))
class DeepFirst(nn.Module):
    """Depthwise and 1x1 convolutions without one in front, on large and small maps."""

    def __init__(self):
        super().__init__()
        self.wide, self.deep, self.project = conv(6, 85), conv(85, 85, groups=85), conv(85, 12, 1)
        self.far, self.last = conv(12, 12, 7, groups=12, dilation=2), conv(12, 5, 1, bias=False)

    def forward(self, x: Tensor, y: Tensor) -> Tuple[Tensor, Tensor]:
        a = self.project(F.hardswish(self.deep(F.relu(self.wide(x)))))
        b = self.project(F.hardswish(self.deep(F.relu(self.wide(y)))))
        return self.last(self.far(a)), self.last(self.far(b))


@case(T(2, 6, 5, 7), T(6, 7, 6), T(3, 4, 6), form=("scripted", "traced"))
class LayerScale(nn.Module):
    """Factors of what linear layers give and sums with it, permuted or not, and what only looks like them."""

    def __init__(self):
        super().__init__()
        self.deep, self.one, self.two, self.bare = conv(6, 6, 7, groups=6), nn.Linear(6, 24), nn.Linear(24, 6), nn.Linear(24, 6, bias=False)
        self.square = nn.Linear(24, 7)
        self.planes, self.flat = nn.Parameter(T(6, 1, 1)), nn.Parameter(T(6))
        self.wide, self.rows, self.single = nn.Parameter(T(1, 1, 1, 7)), nn.Parameter(T(4, 1)), nn.Parameter(T(1))
        self.norm = nn.LayerNorm(6)

    def block(self, x: Tensor) -> Tensor:
        y = self.norm(self.deep(x).permute(0, 2, 3, 1))
        y = self.planes * self.two(F.gelu(self.one(y))).permute(0, 3, 1, 2)
        y += x
        return y

    def forward(self, x: Tensor, z: Tensor, u: Tensor) -> List[Tensor]:
        first = self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        a = self.block(self.block(first))
        h = F.gelu(self.one(u))
        b = self.two(h) * self.flat + u
        c = self.bare(h).mul(self.flat.reshape(1, 1, -1))
        d = self.rows * self.two(h)
        e = x + self.two(F.gelu(self.one(x.permute(0, 2, 3, 1)))).permute(0, 3, 1, 2)
        g = self.square(F.relu(self.one(z))).permute(0, 2, 1) * z.mean()
        w = self.two(F.gelu(self.one(x.permute(0, 2, 3, 1)))).permute(0, 3, 1, 2)
        i = self.wide * w + w
        j = self.two(h) * self.single
        k = (self.bare(F.relu(self.one(first.permute(0, 2, 3, 1)))).permute(0, 3, 1, 2) * self.planes) + x[:, :, :1]
        strides = torch.tensor(a.stride() + e.stride() + k.stride())
        return [a, b, c, d, e, g, i, j, k, strides]


@case(T(2, 5, 9, 7))
class Resampled(nn.Module):
    """Resampling of many and of few channels between convolutions, joins with the input, dilation beyond the map."""

    def __init__(self):
        super().__init__()
        self.wide, self.far, self.few = conv(5, 40), conv(40, 40, 3, padding=6, dilation=6), conv(80, 6, 1)

    def forward(self, x: Tensor) -> List[Tensor]:
        y = F.relu(self.wide(x))
        z = F.relu(self.far(F.interpolate(y, size=[5, 6], mode="bilinear", align_corners=True)))
        up = F.interpolate(z, size=[y.size(2), y.size(3)], mode="bilinear", align_corners=False)
        out = self.few(torch.cat([up, y], 1))
        return [F.interpolate(out, size=[20, 31], mode="bilinear", align_corners=False), self.far(F.interpolate(y, scale_factor=2.0, mode="nearest")),
                self.far(F.interpolate(y, scale_factor=0.6, mode="bicubic", align_corners=False)), F.interpolate(out, scale_factor=2.5, mode="bicubic", align_corners=True),
                F.interpolate(F.adaptive_avg_pool2d(z, 1), size=[3, 4], mode="bilinear", align_corners=False)]


def same(x: Tensor, k: int, s: int) -> Tensor:
    """Padding that networks from TensorFlow compute from the size."""
    h = max((-(x.size(2) // -s) - 1) * s + k - x.size(2), 0)
    w = max((-(x.size(3) // -s) - 1) * s + k - x.size(3), 0)
    return F.pad(x, [w // 2, w - w // 2, h // 2, h - h // 2])


@case(T(2, 5, 14, 17), T(5, 9, 12))
class Padded(nn.Module):
    """Padding between convolutions, of every mode; blocks whose depthwise convolution comes first or behind a padding."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(5, 35, 1), nn.Conv2d(35, 35, 3, stride=2, groups=35)
        self.c, self.d = nn.Conv2d(35, 9, 1), nn.Conv2d(9, 9, 5, padding=2, groups=9)
        self.e = nn.Conv2d(9, 20, 1)

    def forward(self, x: Tensor, u: Tensor) -> List[Tensor]:
        y = self.c(torch.relu(self.b(same(torch.relu(self.a(x)), 3, 2))))
        z = self.e(F.hardswish(self.d(y)))
        r = self.e(F.pad(y, [1, 2, 3, 1], mode="reflect"))
        s = self.e(F.pad(y, [0, 2, 1, 0], mode="replicate") * 2)
        t = self.e(F.pad(y, [2, 1, 1, 2], mode="circular"))
        v = self.e(F.pad(y, [-1, 2, 0, -2], value=0.5))
        w = self.d(F.pad(y, [1, 1, 1, 1, 0, 0], value=-1.0))
        q = F.pad(self.a(u), [1, 0], value=3.0)
        o = F.pad(y, [0, 0, 0, 0, 1, 2])
        return [z, r, s, t, v, w, q, o, self.e(F.pad(y, [0, 0, 0, 0]))]


class Branch(nn.Module):
    """A convolution and its normalisation."""

    def __init__(self, c, out, k, **options):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(c, out, k, bias=False, **options), nn.BatchNorm2d(out)
        self.bn.running_mean.normal_()
        self.bn.running_var.uniform_(0.5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x))


@case(T(2, 8, 9, 10), form=("scripted", "traced"))
class Branches(nn.Module):
    """Convolutions of one input whose results are added, and some that only seem to be."""

    def __init__(self):
        super().__init__()
        self.wide = nn.ModuleList([Branch(8, 12, 3, padding=1) for _ in range(3)])
        self.point, self.deep, self.dot = Branch(8, 12, 1), Branch(12, 12, 3, padding=1, groups=12), Branch(12, 12, 1, groups=12)
        self.far, self.near = Branch(12, 8, 5, stride=2, padding=4, dilation=2), nn.Conv2d(12, 8, 1, stride=2)
        self.plain, self.valid, self.other = conv(8, 8), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 1, padding=1)
        self.eval()

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
        y = self.point(x) + 0
        for b in self.wide:
            y += b(x)
        y = F.relu(y)
        z = F.relu(self.deep(y) + self.dot(y) + y)
        z = self.near(z) + 1.5 + self.far(z)
        a = self.plain(z)
        double = self.plain(z * 2)
        framed = self.valid(F.pad(z, [1, 1, 1, 1])) + a
        kept = self.plain(z) + a
        z.relu_()
        late = self.plain(z) + a
        twice = torch.add(self.plain(z), self.plain(z), alpha=2) + self.other(z)[:, :, 1:-1, 1:-1]
        return z + a, framed + double, kept + late, twice


@case(T(2, 6, 7, 9), form=("scripted", "traced"))
class Slices(nn.Module):
    """Slices of what convolutions made: of all of it, of parts, written through, returned with what they were cut from."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = conv(6, 6), conv(6, 6, groups=6), conv(8, 12)
        self.eval()

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        y = F.relu(self.a(x))
        both = torch.cat([y, self.b(y)], 1)
        some = both[:, :8, :, :]
        z = self.c(some)[:, :12, :, :]
        z += 1.0
        w = F.relu(self.a(y))
        v = w[:, :, :, :]
        v.mul_(2.0)
        u = torch.cat([w, v[:, 1:3]], 1)
        t = self.b(w)
        s = t[:]
        s.add_(w[:, :100])
        return z, u, F.max_pool2d(v, 2) + F.max_pool2d(w, 2), s + t, t


@case(T(1, 6, 7, 9))
def slices_reshaped(x: Tensor) -> Tuple[Tensor, Tensor]:
    y = F.conv2d(x, torch.ones(6, 6, 1, 1))
    z = y[:, :6]
    y.unsqueeze_(0)
    return F.relu(y), F.relu(z)
