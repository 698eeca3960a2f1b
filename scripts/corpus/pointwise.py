"""Pointwise operators and reductions over element types, shapes and strides."""
from typing import List

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from corpus.base import I, T, case

X = T(3, 5)
P = T(3, 5, seed=2).abs() + 0.1
EDGE = torch.tensor([0.0, -0.0, 1.0, -1.0, float("inf"), float("-inf"), float("nan"), 1e-40, 3e38, -20.5, 88.0, 0.5])


@case(X, P, EDGE)
def unary_math(x: Tensor, p: Tensor, e: Tensor):
    return [torch.exp(x), torch.log(p), torch.sqrt(p), torch.rsqrt(p), torch.sin(x), torch.cos(x), torch.tan(x), torch.tanh(x), torch.sigmoid(x),
            torch.exp(e), torch.log(e), torch.sqrt(e), torch.tanh(e), torch.sigmoid(e), torch.abs(e), torch.neg(e), torch.reciprocal(e),
            torch.square(e), torch.exp2(x), torch.log2(p), torch.log10(p), torch.log1p(p), torch.expm1(x), torch.erf(x), torch.erfc(x), torch.sinh(x),
            torch.cosh(x), torch.asin(x / 9), torch.acos(x / 9), torch.atan(x), torch.asinh(x), torch.acosh(p + 1), torch.atanh(x / 9),
            torch.lgamma(p), torch.digamma(p), torch.logit(torch.sigmoid(x)), torch.erfinv(x / 9), torch.sinc(x)]


@case(X * 3, EDGE)
def unary_rounding(x: Tensor, e: Tensor):
    return [torch.floor(x), torch.ceil(x), torch.round(x), torch.trunc(x), torch.frac(x), torch.sign(x),
            torch.round(torch.tensor([0.5, 1.5, 2.5, -0.5])), torch.isnan(e), torch.isinf(e), torch.isfinite(e), torch.nan_to_num(e),
            torch.signbit(e), torch.logical_not(e), torch.round(x, decimals=2), torch.isposinf(e), torch.isneginf(e), torch.sgn(x)]


@case(X, EDGE)
def activations(x: Tensor, e: Tensor):
    out: List[Tensor] = []
    for t in [x, e]:
        out += [F.relu(t), F.relu6(t), F.elu(t), F.selu(t), F.celu(t, 1.3), F.silu(t), F.mish(t),
                F.softplus(t), F.softplus(t, 2.0, 5.0), F.softsign(t), F.hardtanh(t), F.hardsigmoid(t), F.hardswish(t), F.leaky_relu(t, 0.2),
                F.logsigmoid(t), F.tanhshrink(t), F.softshrink(t), F.hardshrink(t), F.threshold(t, 0.1, 20.0), torch.clamp(t, -0.5, 0.5),
                torch.clamp(t, min=0.0), torch.clamp(t, max=0.3)]
    out.append(F.glu(x[:, :4], 1))
    out += [F.gelu(x), F.gelu(x, approximate="tanh")]
    out.append(F.prelu(x, torch.tensor([0.25])))
    return out


@case(X, T(3, 5, seed=3), T(5, seed=4), T(3, 1, seed=5))
def binary_broadcast(a: Tensor, b: Tensor, row: Tensor, column: Tensor):
    return [a + b, a - row, a * column, row / column, torch.add(a, b, alpha=2.5), torch.sub(a, row, alpha=3), torch.maximum(a, row),
            torch.minimum(a, column), torch.pow(a.abs(), row), torch.atan2(a, b), torch.hypot(a, row), torch.fmod(a, 0.7), torch.remainder(a, 0.7),
            torch.remainder(a, b), torch.fmod(a, b), torch.floor_divide(a, b), torch.div(a, b, rounding_mode="trunc"),
            torch.div(a, b, rounding_mode="floor"), torch.copysign(a, b), torch.fmax(a, row), torch.fmin(a, row), torch.lerp(a, b, 0.3),
            torch.addcmul(a, b, row, value=0.5), torch.addcdiv(a, b, column, value=2), torch.logaddexp(a, b), torch.xlogy(a.abs(), b.abs()),
            torch.rsub(a, b), torch.heaviside(a, row), torch.logaddexp2(a, b), torch.nextafter(a, b), torch.ldexp(a, torch.tensor(3))]


@case(X, 3, 0.5)
def scalar_operands(x: Tensor, n: int, f: float):
    return [x + n, n + x, x - f, f - x, x * n, x / n, n / x, x ** 2, x ** 3, x.abs() ** f, 2 ** x, x // f, x % f, -x, x + True, x ** -1, x ** 0.5,
            x ** 0, n - x, x ** 4]


@case(I(3, 4), I(3, 4, seed=2, low=1), 3)
def integer_arithmetic(a: Tensor, b: Tensor, n: int):
    return [a + b, a - b, a * b, a / b, a // b, a % b, torch.fmod(a, b), torch.div(a, b, rounding_mode="trunc"),
            torch.div(a, b, rounding_mode="floor"), a ** 2, -a, abs(a), a // n, a % n, a + n, n - a, a & b, a | b, a ^ b, ~a, a << 2, a >> 1,
            torch.bitwise_left_shift(b, 2), torch.clamp(a, -3, 3), torch.sign(a), a * 2.5, torch.gcd(a, b), torch.lcm(a, b)]


@case(X, T(3, 5, seed=3), I(3, 5), I(3, 5, seed=2))
def comparison(a: Tensor, b: Tensor, i: Tensor, j: Tensor):
    p = a > 0
    q = b > 0
    out = [a == b, a != b, a < b, a <= b, a > b, a >= b, i == j, i < 3, i >= j, a < i, p & q, p | q, p ^ q, ~p, torch.logical_and(i, j),
           torch.logical_or(i, j), torch.logical_xor(a, b), torch.isclose(a, a + 1e-9), torch.eq(i, 2), torch.where(p, a, b), torch.where(p, a, 0.0),
           torch.where(p, 1, i), torch.isin(i, j)]
    return out, torch.equal(a, a), torch.allclose(a, b)


def dtypes():
    base = T(2, 3, scale=3.0)
    return [base.to(d) for d in (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
                                 torch.bool)] + [base.abs().to(torch.uint8)]


@case(dtypes(), rtol=1e-2, atol=1e-2)
def type_promotion(xs: List[Tensor]):
    out: List[Tensor] = []
    for a in xs:
        for b in xs:
            out.append(a + b)
        out.append(a * 2)
        out.append(a * 2.5)
        out.append(a + torch.tensor(1))
        out.append(a + torch.tensor(1.5))
        out.append(a + torch.tensor(1.5, dtype=torch.float64))
        out.append(a / 2)
        out.append(a == 1)
        out.append(torch.cat([a.flatten(), xs[4].flatten()]))
        out.append(torch.where(a > 0, a, xs[0]))
    return out


@case(dtypes(), rtol=1e-2, atol=1e-2)
def conversions(xs: List[Tensor]):
    out: List[Tensor] = []
    for a in xs:
        out += [a.to(torch.float32), a.to(torch.float64), a.to(torch.int64), a.int(), a.short(), a.to(torch.bool), a.half(), a.to(torch.bfloat16),
                a.double(), a.float(), a.long()]
        out += [a.type_as(xs[0]), a.to(xs[1]), torch.zeros_like(a), torch.ones_like(a, dtype=torch.int8), a.new_full((2,), 3), a.exp(),
                a.sqrt().nan_to_num(), a.sum(), a.prod(), a.max(), a.float().mean()]
    return out


@case(T(4, 5, 6))
def reductions(x: Tensor):
    return [x.sum(), x.sum(1), x.sum([0, 2]), x.sum(-1, keepdim=True), x.mean(), x.mean(0), x.mean([1, 2], keepdim=True), x.prod(1), x.std(),
            x.std(1), x.var(0), x.var(1, unbiased=False), torch.std(x, [0, 1], correction=2), x.max(), x.min(), x.amax(1), x.amin([0, 2]), x.norm(),
            x.norm(1), torch.norm(x, 2, 1), torch.linalg.vector_norm(x, 3.0, [0]), x.logsumexp(1), x.all(), x.any(), (x > 0).all(1), (x > 0).any(2),
            (x > 0).sum(), (x > 0).sum(0), x.median(), torch.count_nonzero(x > 0, 0), x.nansum(), torch.logsumexp(x, [0, 1]),
            x.sum(dtype=torch.float64), torch.aminmax(x)[0], torch.var_mean(x, 1)[1], torch.std_mean(x)[0], x.abs().sum(1).sqrt(),
            torch.nanmean(x, 1), torch.cdist(x, x), torch.trapz(x)]


@case(T(4, 5), I(4, 5))
def index_reductions(x: Tensor, i: Tensor):
    v, k = x.max(1)
    w, l = x.min(0, keepdim=True)
    m, n = x.median(1)
    o, p = i.mode(1)
    q, r = x.kthvalue(2, 1)
    return [v, k, w, l, m, n, o, q, r, x.argmax(), x.argmax(1), x.argmin(0, keepdim=True), i.max(), torch.argmax(i.float(), 1)]


@case(T(3, 6), I(3, 6))
def scans(x: Tensor, i: Tensor):
    v, k = x.cummax(1)
    w, l = i.cummin(0)
    return [x.cumsum(0), x.cumsum(1), x.cumprod(1), i.cumsum(1), v, k, w, l, x.logcumsumexp(1), x.diff(), torch.cumsum(x > 0, 1),
            torch.diff(i, dim=0)]


@case(T(5, 7), I(20, low=0, high=6))
def sorting(x: Tensor, i: Tensor):
    v, k = x.sort(1)
    w, l = x.sort(0, descending=True)
    t, n = x.topk(3, 1)
    b, m = x.topk(2, 0, largest=False)
    u, inverse, counts = torch.unique(i, return_inverse=True, return_counts=True)
    c, d, e = torch.unique_consecutive(i, return_inverse=True, return_counts=True)
    s, o = torch.sort(i, stable=True)
    return [v, k, w, l, t, n, b, m, u, inverse, counts, c, d, e, s, o, x.argsort(1), torch.bincount(i), torch.histc(x, 5, -2.0, 2.0),
            torch.searchsorted(v, x), torch.bucketize(x, torch.tensor([-1.0, 0.0, 1.0]))]


@case(T(2, 3, 4).transpose(0, 2), T(3, 4)[:, ::2], T(1, 3).expand(2, 3), T(4, 3).t())
def strided_inputs(a: Tensor, b: Tensor, c: Tensor, d: Tensor):
    out = [a + 1, torch.exp(b), c * 2, d.sum(0), a.contiguous(), a.sum(1), torch.softmax(a, 1), b + b.flip(1), c + 1.0, d @ d.t(), torch.relu(a),
           a.max(), b.mean(1), d.cumsum(1), torch.sort(d, 1)[0]]
    return out, a.is_contiguous(), a.stride(), (a + 1).stride(), torch.relu(d).stride()


@case(torch.zeros(0, 3), torch.zeros(2, 0))
def empty_tensors(a: Tensor, b: Tensor):
    return [a + 1, a.sum(), a.sum(0), b.sum(1), a.mean(0), torch.cat([a, torch.ones(1, 3)]), b.prod(1), a @ a.t(), a.t() @ a, torch.relu(b),
            a.reshape(3, 0), torch.softmax(a, 1), b.any(), b.all(), torch.stack([b, b])]


@case(torch.tensor(2.5), torch.tensor(3))
def zero_dim(a: Tensor, b: Tensor):
    out = [a + b, a * 2, a.unsqueeze(0), a.expand(3), b ** 2, a.sum(), a.max(), a.view(1, 1), torch.stack([a, a]), a.flatten(), torch.softmax(a, 0),
           b // 2, a.exp(), b / 2]
    return out, int(b), float(a), a.dim()


@case(T(2, 3) + 1j * T(2, 3, seed=2))
def complex_tensors(z: Tensor):
    return [z + 1, z * z, z / (z + 2), z.conj(), z.real, z.imag, z.abs(), z.angle(), torch.exp(z), z.sum(), torch.view_as_real(z),
            torch.view_as_complex(torch.ones(2, 2)), z @ z.t(), torch.polar(torch.ones(2), torch.ones(2)),
            torch.complex(torch.ones(2), torch.zeros(2)), z == z, -z, z.mean(), z.mH]


@case(T(64), T(1000, seed=2), T(33, 65, seed=3))
def long_rows(a: Tensor, b: Tensor, c: Tensor):
    return [a.sum(), b.sum(), c.sum(1), c.sum(0), torch.softmax(c, 1), torch.softmax(c, 0), torch.tanh(b), torch.exp(b), F.gelu(b), torch.sigmoid(b),
            b.norm(), c.std(1), c.cumsum(1), torch.log_softmax(c, -1), b.sort()[0], (b * b).mean()]
