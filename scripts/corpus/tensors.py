"""Creation, shapes, views, indexing, in-place writes and aliasing."""
from typing import List, Optional

import torch
from torch import Tensor
from torch.nn import functional as F

from corpus.base import I, T, case

X = T(2, 3, 4)


@case(2, 3)
def creation(n: int, m: int):
    return [torch.zeros(n, m), torch.ones([n, m], dtype=torch.int64), torch.full([n], 2.5), torch.full((n, m), 7), torch.full([2], True),
            torch.arange(5), torch.arange(1, 10, 3), torch.arange(0.0, 1.0, 0.25), torch.arange(5, 0, -2), torch.linspace(0, 1, 5),
            torch.linspace(-2.0, 3.0, 4), torch.logspace(0, 2, 3), torch.eye(3), torch.eye(n, m), torch.tensor([[1, 2], [3, 4]]), torch.zeros([]),
            torch.empty(0), torch.tril(torch.ones(3, 3)), torch.triu(torch.ones(3, 4), 1), torch.tril_indices(3, 3), torch.hann_window(6),
            torch.hamming_window(5), torch.arange(3, dtype=torch.float32), torch.empty(2, 2).fill_(4.0), torch.ones(2, 2).zero_(),
            torch.diag(torch.arange(3)), torch.zeros(2, dtype=torch.bool), torch.full_like(torch.ones(2), 3),
            torch.cartesian_prod(torch.arange(2), torch.arange(3)), torch.vander(torch.arange(3))]


@case(X)
def reshaping(x: Tensor):
    out = [x.view(6, 4), x.view(-1), x.reshape(4, -1), x.flatten(1), x.flatten(), x.unsqueeze(1), x.unsqueeze(-1).squeeze(-1), x[:, :1].squeeze(1),
           x.squeeze(), x.permute(2, 0, 1), x.transpose(0, 2), x.transpose(-1, -2).reshape(-1), x.expand(5, 2, 3, 4), x[:, :1].expand(-1, 3, -1),
           x.repeat(1, 2, 1), x.repeat(2, 1, 1, 1), x.movedim(0, 2), x.swapaxes(0, 1), x.unflatten(2, [2, 2]), x.view(2, 3, 2, 2).contiguous(), x.mT,
           x.narrow(2, 1, 2), x.select(1, 2), x.ravel(), x.broadcast_to([2, 2, 3, 4]), x.repeat_interleave(2, 1), torch.atleast_2d(x[0, 0]), x[0].t(),
           x.view_as(x), x.reshape_as(x), x.tile([2, 1]), x.t_() if x.dim() < 3 else x, x.diagonal(0, 1, 2), x.unfold(2, 2, 1),
           x.as_strided([2, 2], [4, 1]), x.rot90(1, [1, 2])]
    return out, x.permute(2, 0, 1).stride(), x.size(), x.stride(1)


@case(X, T(2, 3, 4, seed=2))
def joining(a: Tensor, b: Tensor):
    out = [torch.cat([a, b], 0), torch.cat((a, b), -1), torch.stack([a, b], 1), torch.hstack([a, b]), torch.vstack([a, b]), torch.dstack([a, b]),
           torch.cat([a[:, :, :1], b], 2), torch.cat([a.transpose(1, 2), b.transpose(1, 2)], 1), torch.column_stack([a[0], b[0]]),
           torch.block_diag([a[0], b[0]])]
    out += a.chunk(2, 2)
    out += a.split(2, 1)
    out += a.split([1, 3], 2)
    out += list(a.unbind(1))
    out += torch.tensor_split(a, 3, 2)
    out += torch.meshgrid([torch.arange(2), torch.arange(3)], indexing="ij")
    out += torch.broadcast_tensors([a[:1], b])
    return out


@case(X, 1)
def basic_indexing(x: Tensor, n: int):
    return [x[0], x[-1, 1], x[:, 1:3], x[..., 0], x[:, None], x[:, :, ::2], x[n], x[n, n:], x[:, -1, :2], x[None, ..., None], x[0, 0, 0], x[1:, :0],
            x[..., 1:-1], x[:, n]]


@case(X, I(4, low=0, high=2), I(3, low=-2, high=3))
def advanced_indexing(x: Tensor, i: Tensor, j: Tensor):
    mask = x > 0
    return [x[i], x[:, j], x[i[:3], j], x[i[:3], :, j], x[:, j, 1:], x[mask], x[mask[:, :, 0]], x[:, mask[0, :, 0]], x[[0, 1]], x[:, [0, 2]],
            x[i.unsqueeze(1), j], x[i[:3], j, torch.tensor([0, 1, 2])], x[torch.tensor([True, False])], x[None, i], x[:, :, j], torch.nonzero(mask),
            mask.nonzero()[:, 0], x.index_select(2, torch.tensor([3, 0, 3])), x.gather(2, torch.zeros(2, 3, 2, dtype=torch.int64)),
            torch.take(x, torch.tensor([0, 5, -1])), x.masked_select(mask), torch.argwhere(mask[0]), torch.take_along_dim(x, torch.argsort(x, 2), 2)]


@case(X)
def assignment(x: Tensor):
    a = x.clone()
    a[0] = 1.0
    b = x.clone()
    b[:, 1] = torch.arange(4, dtype=torch.float32)
    c = x.clone()
    c[c > 0] = -1.0
    d = x.clone()
    d[torch.tensor([0, 1]), torch.tensor([1, 2])] = 5.0
    e = x.clone()
    e[..., ::2] += 10
    f = x.clone()
    f[0, 0, 0] = 9
    g = x.clone()
    g[:, [0, 2]] = torch.zeros(2, 2, 4)
    h = x.clone()
    h[h < 0] = h[h < 0] * 100
    k = x.clone()
    k[1, :, 2:] *= 2
    return a, b, c, d, e, f, g, h, k


@case(X)
def in_place(x: Tensor):
    y = x.clone()
    y.add_(1).mul_(2).sub_(0.5)
    y.relu_()
    z = x.clone()
    z += 1
    z *= 2
    z -= 0.5
    z /= 3
    w = x.clone()
    w.clamp_(-1, 1).abs_().sqrt_()
    v = x.clone().fill_(3)
    v.zero_()
    u = x.clone()
    u.masked_fill_(u > 0, 7.0)
    t = torch.zeros(3, 4)
    t.copy_(x[0])
    t.exp_().neg_()
    s = x.clone()
    torch.sigmoid_(s)
    r = torch.zeros(2, 4)
    torch.add(x[0, :2], x[1, :2], out=r)
    q = x.clone()
    q.transpose_(0, 1).unsqueeze_(0).squeeze_(0)
    return y, z, w, v, u, t, s, r, q


@case(T(3, 4))
def aliasing_views(x: Tensor):
    base = x.clone()
    row = base[1]
    col = base[:, 2]
    flat = base.view(-1)
    tr = base.t()
    row.add_(10)
    col.mul_(2)
    flat[0] = 99.0
    tr[3].fill_(-1)
    e = torch.zeros(1, 3).expand(2, 3)
    d = base.diagonal()
    d += 0.5
    kept = base.contiguous()
    kept[0, 1] = 1234.0
    same = base.to(torch.float32)
    same[2, 0] = 55.0
    copy = base.to(torch.float64)
    copy[2, 1] = 66.0
    parts = base.split(2, 1)
    parts[1].zero_()
    u = base.unbind(0)
    u[0].add_(1)
    n = base.narrow(0, 0, 2).select(1, 0)
    n.neg_()
    return base, row, col, flat, tr, e, copy


@case(T(3))
def aliasing_through_loops(x: Tensor):
    acc = torch.zeros(3)
    view = acc[1:]
    kept: List[Tensor] = []
    for i in range(4):
        acc.add_(x)
        kept.append(acc)
        if i == 2:
            acc = acc.clone()
        view.mul_(0.5)
    y = x
    for i in range(3):
        y = y + i
    z = x.detach()
    z = z.clone()
    z += 1
    return kept, acc, view, x, y, z


def write_into(buffer: Tensor, v: float) -> Tensor:
    buffer.fill_(v)
    return buffer


@case(T(2, 2), True)
def aliasing_through_calls(x: Tensor, flag: bool):
    a = x.clone()
    b = a if flag else x * 2
    c = write_into(b, 3.0)
    d = a.reshape(4)
    e = F.dropout(a, 0.5, False)
    e.add_(1)
    write_into(d[1:3], -1.0)
    f: Optional[Tensor] = a
    if f is not None:
        f[0, 0] = 42.0
    return a, b, c, d, e


@case(T(4, 5), I(3, 5, low=0, high=4), T(3, 5, seed=2))
def scatter_and_gather(x: Tensor, i: Tensor, s: Tensor):
    return [x.scatter(0, i, s), x.scatter(0, i, 2.0), x.scatter_add(0, i, s), torch.zeros(4, 5).scatter_(0, i, 1.0),
            x.index_add(0, torch.tensor([0, 3, 0]), s), x.index_fill(1, torch.tensor([0, 2]), 9.0), x.index_copy(0, torch.tensor([2, 0, 1]), s),
            x.gather(0, i), x.masked_fill(x > 0, 1.5), x.index_put([torch.tensor([0, 0]), torch.tensor([1, 1])], torch.ones(2), True),
            x.masked_scatter(x > 0, torch.arange(20.0)), torch.scatter_reduce(x, 0, i, s, "amax"), x.put(torch.tensor([1]), torch.tensor([7.0])),
            F.one_hot(i[0], 4), torch.scatter_reduce(x, 0, i, s, "mean", include_self=False)]


@case(X)
def flips_rolls_pads(x: Tensor):
    return [x.flip(0), x.flip([1, 2]), torch.roll(x, 1), torch.roll(x, [1, -1], [0, 2]), F.pad(x, [1, 2]), F.pad(x, [1, 0, 2, 1], value=3.5),
            F.pad(x, [-1, 1]), F.pad(x, [1, 1], mode="reflect"), F.pad(x, [2, 2], mode="replicate"), F.pad(x, [1, 2], mode="circular"), x.fliplr(),
            x.tril(), x.triu(1), torch.fliplr(x)]


@case(T(3, 4), T(4, 5), T(2, 3, 4), T(2, 4, 5, seed=2), T(4, seed=3), T(3, seed=4))
def products(a: Tensor, b: Tensor, p: Tensor, q: Tensor, v: Tensor, w: Tensor):
    return [a @ b, torch.mm(a, b), torch.bmm(p, q), p @ b, a @ v, w @ a, v.dot(v), torch.outer(v, w), torch.mv(a, v), p @ v,
            torch.matmul(p.unsqueeze(1), q), torch.addmm(w.unsqueeze(1), a, b, beta=0.5, alpha=2), torch.baddbmm(torch.ones(2, 3, 5), p, q),
            torch.addmv(w, a, v), torch.einsum("ij,jk->ik", [a, b]), torch.einsum("bij,bjk->bik", [p, q]), torch.einsum("bij,j->bi", [p, v]),
            torch.einsum("ii->i", [a[:, :3]]), torch.einsum("i,j->ij", [v, w]), torch.tensordot(p, q, [[2], [1]]), torch.kron(a, a[:1, :2]),
            torch.chain_matmul([a, b, b.t()]), torch.inner(v, v), torch.linalg.multi_dot([a, b]), torch.cross(a[:, :3], a[:, 1:], dim=1),
            F.linear(a, b.t(), torch.ones(5)), F.bilinear(v.unsqueeze(0), w.unsqueeze(0), torch.ones(2, 4, 3)), torch.trace(a),
            torch.cosine_similarity(a, a + 1, dim=1), F.pairwise_distance(a, a + 1)]


@case(T(10, 16), T(3, 16, 8), T(4, 12, seed=3), T(12, 8, seed=4), T(16, 12, seed=5), torch.tensor([2, 2, 10], dtype=torch.int32), torch.tensor([4, 8, 12], dtype=torch.int32))
def grouped_products(rows: Tensor, experts: Tensor, a: Tensor, b: Tensor, wide: Tensor, groups: Tensor, parts: Tensor):
    """What mixtures of experts call: groups of rows, of columns, of the summed dimension, and plain stacks."""
    e = experts.transpose(1, 2)
    return (torch._grouped_mm(rows, experts, offs=groups), torch._grouped_mm(rows.to(torch.bfloat16), experts.to(torch.bfloat16), offs=groups),
            torch._grouped_mm(e, wide, offs=parts),
            torch._grouped_mm(a, b, offs=parts), torch._grouped_mm(e, experts))


def spd():
    a = T(4, 4)
    return a @ a.t() + torch.eye(4)


@case(spd(), T(4, 3, seed=2), atol=1e-4, rtol=1e-3)
def linear_algebra(a: Tensor, b: Tensor):
    return [torch.inverse(a), torch.det(a), torch.logdet(a), torch.linalg.cholesky(a), torch.linalg.solve(a, b), torch.linalg.svdvals(b),
            torch.linalg.eigvalsh(a), torch.matrix_power(a, 3), torch.linalg.norm(b), torch.linalg.matrix_norm(b, "nuc"), torch.pinverse(b),
            torch.linalg.inv(a), torch.linalg.det(a), torch.linalg.matrix_rank(a), torch.cholesky_solve(b, torch.linalg.cholesky(a)),
            torch.matrix_exp(a * 0.1), torch.linalg.slogdet(a)[1], torch.abs(torch.linalg.qr(b)[1])]


@case(T(2, 8))
def shape_queries(x: Tensor):
    return (x.shape, x.size(), x.size(-1), x.dim(), x.numel(), len(x), x.stride(), x.is_contiguous(), x.dtype == torch.float32, x.is_floating_point(),
            x.element_size(), x.storage_offset(), x[1:].storage_offset(), x.device.type, x.requires_grad, x.is_cuda, x.ndim, x.is_complex(),
            x.layout == torch.strided)


@case(T(2, 3, 4, 4).contiguous(memory_format=torch.channels_last))
def memory_formats(x: Tensor):
    y = torch.relu(x)
    z = x.contiguous()
    w = z.to(memory_format=torch.channels_last)
    c = x.clone()
    out = [y, z, w, x + z, torch.empty_like(x).fill_(1.0), c]
    strides = [y.stride(), z.stride(), w.stride(), (x + z).stride(), (z + x).stride(), c.stride(), torch.zeros_like(x).stride(),
               torch.cat([x, x], 1).stride()]
    return out, strides, x.is_contiguous(memory_format=torch.channels_last)


@case(T(16), T(3, 16, seed=2), atol=1e-4)
def spectra(x: Tensor, y: Tensor):
    s = torch.stft(y, 8, 4, window=torch.hann_window(8), return_complex=True)
    return [torch.fft.fft(x), torch.fft.rfft(x), torch.fft.irfft(torch.fft.rfft(x)), torch.fft.ifft(torch.fft.fft(x)).real, torch.fft.fft2(y),
            torch.fft.fftshift(x), torch.fft.rfft(x, norm="ortho"), torch.fft.fft(x[:15]), torch.fft.fftfreq(8), s, s.abs(),
            torch.istft(s, 8, 4, window=torch.hann_window(8))]


@case(T(2, 4))
def random_uniform(x: Tensor):
    return torch.rand(3, 4), torch.rand_like(x), torch.rand(17)


@case(T(2, 4))
def random_normal(x: Tensor):
    return torch.randn(3), torch.randn(4, 5), torch.randn_like(x), torch.normal(torch.zeros(3), 2.0)


@case(10)
def random_integers(n: int):
    return torch.randint(0, n, [5]), torch.randperm(n), torch.bernoulli(torch.full([8], 0.4)), torch.randint(-3, 4, [2, 3])


@case(X, I(3))
def creation_from_tensors(x: Tensor, i: Tensor):
    a = x.new_zeros(2, 3)
    b = x.new_ones([2], dtype=torch.int64)
    c = x.new_full([2], 4)
    d = i.new_zeros([2, 2])
    e = torch.zeros(2, 3, dtype=x.dtype, device=x.device).to(x.device)
    f = x.to("cpu").cpu().data + torch.tensor(2)
    g = torch.zeros(2)
    g.fill_(x[0, 0, 0])
    h = torch.empty_like(x, dtype=torch.int32).fill_(3)
    k = torch.rand_like(x) * 0
    return [a, b, c, d, e, f, g, h, k, torch.zeros(x.shape), torch.arange(x.size(1), device=x.device), torch.triu_indices(3, 3),
            torch.ones(x.size(0), 1) * 2, torch.scalar_tensor(2.5), torch.arange(0, 1, 0.3), torch.as_tensor([1, 2]), torch.as_tensor(x),
            torch.full_like(i, 2), torch.zeros([2], dtype=i.dtype)]


@case(T(4, 5))
def norms(x: Tensor):
    return [torch.norm(x), torch.norm(x, p="fro"), torch.norm(x, p=float("inf"), dim=0), torch.norm(x, p=1, dim=[0, 1]),
            x.norm(p=2, dim=1, keepdim=True), torch.norm(x, p=0), torch.linalg.norm(x, dim=1), torch.linalg.matrix_norm(x),
            torch.linalg.vector_norm(x), torch.norm(x, p="nuc"), torch.linalg.norm(x, float("-inf"), 0), torch.dist(x, x * 2, 2.0)]


@case(T(2, 3, 6, 6), T(1, 2, 5, 5, 5))
def pooling_with_indices(x: Tensor, y: Tensor):
    a, i = F.max_pool2d(x, 2, return_indices=True)
    b, j = F.max_pool2d_with_indices(x, [3, 3], [2, 2], [1, 1])
    c, k = F.adaptive_max_pool2d(x, [2, 3], return_indices=True)
    d, n = F.max_pool1d(x[0], 2, return_indices=True)
    return (a, i, b, j, c, k, d, n, F.max_unpool2d(a, i, 2), F.adaptive_max_pool3d(y, [2, 2, 2]),
            F.conv_transpose3d(y, torch.ones(2, 3, 2, 2, 2) * 0.1))


@case(T(3, 3))
def out_arguments(x: Tensor):
    a = torch.zeros(3, 3)
    b = torch.zeros(0)
    c = torch.zeros(3, 3)
    torch.mul(x, 2.0, out=a)
    torch.sum(x, [1], out=b)
    torch.matmul(x, x, out=c)
    view = torch.zeros(4, 3)
    torch.exp(x[0], out=view[1])
    return a, b, c, view, torch.ones([2], out=torch.zeros(2))
