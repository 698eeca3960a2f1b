"""Sparse tensors: coordinates and compressed rows, made, taken apart, computed with."""
from typing import List

import torch
from torch import Tensor, nn

from corpus.base import I, T, case

D = torch.tensor([[0., 2, 0], [3, 0, 4]])
E = torch.tensor([[1., 0, 0], [5, 0, -4]])


def parts(x: Tensor) -> List[Tensor]:
    return [x._indices(), x._values(), x.to_dense(), torch.tensor([int(x.is_coalesced()), x.sparse_dim(), x.dense_dim(), x._nnz()])]


def rows(x: Tensor) -> List[Tensor]:
    return [x.crow_indices(), x.col_indices(), x.values(), x.to_dense()]


def columns(x: Tensor) -> List[Tensor]:
    return [x.ccol_indices(), x.row_indices(), x.values(), x.to_dense()]


def repeated() -> Tensor:
    return torch.sparse_coo_tensor(torch.tensor([[0, 1, 0], [1, 0, 1]]), torch.tensor([1.0, 2.0, 3.0]), [2, 3])


@case(D)
def coordinates(d: Tensor):
    i, v = torch.tensor([[0, 1, 1], [2, 0, 2]]), torch.tensor([3.0, 4.0, 5.0])
    out = [parts(torch.sparse_coo_tensor(i, v)), parts(torch.sparse_coo_tensor(i, v, [2, 4])), parts(torch.sparse_coo_tensor([2, 3])),
           parts(torch.sparse_coo_tensor(i, v, [2, 3], dtype=torch.float64)), parts(repeated()), parts(repeated().coalesce()),
           parts(torch.sparse_coo_tensor(torch.tensor([[2, 0]]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), [3, 2])), parts(torch.ops.aten._sparse_coo_tensor_unsafe(i, v, [2, 3])),
           parts(d.to_sparse()), parts(d.to_sparse(1)), parts(torch.ops.aten._sparse_coo_tensor_with_dims(1, 1, [2, 3], dtype=torch.float32, layout=torch.sparse_coo)),
           parts(torch.ops.aten._sparse_coo_tensor_with_dims_and_tensors(2, 0, [2, 3], i, v, dtype=torch.float32, layout=torch.sparse_coo)),
           ]
    s = d.to_sparse()
    return out, s.is_sparse, s.layout, s.size(), s._dimI(), s._dimV(), s.indices(), s.values(), s.numel()


@case(D, E)
def sums_and_products(d: Tensor, e: Tensor):
    s, t, u = d.to_sparse(), e.to_sparse(), repeated()
    out = [parts(s + t), parts(s + u), parts(s - t), parts(torch.add(s, t, alpha=2)), parts(s * t), parts(s * u), parts(s * e), parts(e * s), parts(s * 2),
           parts(s * torch.tensor(2)), parts(s * torch.tensor([1.0, 2.0, 3.0])), parts(s / 2), parts(s / torch.tensor(4.)), parts(s // 2), parts(u * 3), parts(u / 2)]
    a = s.clone()
    a.mul_(3)
    b = s.clone()
    b.add_(t)
    c = e.clone()
    c.add_(s, alpha=3)
    return out, [d + s, torch.sub(e, s)], parts(a), parts(b), c


@case(D, E, T(3, 2), T(3))
def matrices(d: Tensor, e: Tensor, m: Tensor, v: Tensor):
    s, u = d.to_sparse(), repeated()
    dense = [s @ m, u @ m, torch.mm(m, s), torch.mv(s, v), s @ v, torch.addmm(torch.ones(2, 2), s, m, beta=2, alpha=3), torch.sparse.mm(s, m),
             torch.sparse.addmm(torch.ones(2, 2), s, m, beta=0.5, alpha=2.0), torch.bmm(torch.stack([s, e.to_sparse()]), torch.stack([m, m])), torch.matmul(s, m)]
    return dense, parts(s @ e.t().to_sparse()), parts(torch.smm(s, m)), parts(torch.hspmm(s, m)), parts(torch.ops.aten._sparse_sparse_matmul(u, e.t().to_sparse()))


@case(D)
def reductions(d: Tensor):
    s, u = d.to_sparse(), repeated()
    h = torch.sparse_coo_tensor(torch.tensor([[1, 0]]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), [3, 2])
    dense = [torch.ops.aten._sparse_sum(u), torch.ops.aten._sparse_sum(u, [0, 1]), torch.ops.aten._sparse_sum(u, dtype=torch.float64), u.sum(), s.norm(), u.long().sum()]
    return dense, [parts(x) for x in [torch.ops.aten._sparse_sum(u, 0), torch.ops.aten._sparse_sum(h, 1), torch.ops.aten._sparse_sum(h, [1], dtype=torch.float64), u.sum(0), u.sum(0, True), u.sum(1, True),
                                      torch.ops.aten._sparse_softmax(u, 1), torch.ops.aten._sparse_softmax(s, 1), torch.ops.aten._sparse_softmax(u, 0), torch.ops.aten._sparse_log_softmax(s, 1),
                                      torch.ops.aten._sparse_softmax(h, 1), torch.ops.aten._sparse_softmax(s, 0, dtype=torch.float64), torch.ops.aten._sparse_log_softmax(s, 0, False),
                                      torch.ops.aten._sparse_softmax(s, 1, False)]]


@case(D)
def elementwise(d: Tensor):
    s, u = d.to_sparse(), repeated()
    out = [torch.relu(-s), -u, u.sqrt(), u.abs(), u.sin(), u ** 2, u.square(), u.double(), s.to(torch.float64), s.tanh(), s.floor(), s.sign(), s.expm1(), s.log1p(),
           torch.zeros_like(u), u.clone(), torch.isnan(s).float(), s.neg_(), torch.deg2rad(u), torch.erf(u)]
    return [parts(x) for x in out]


@case(D, E)
def shapes(d: Tensor, e: Tensor):
    s, u = d.to_sparse(), repeated()
    h = torch.sparse_coo_tensor(torch.tensor([[1, 0]]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), [3, 2])
    out = [s.t(), u.transpose(0, 1), s.permute([1, 0]), s.unsqueeze(0), s.unsqueeze(2), h.unsqueeze(2), s.select(0, 1), s[1], s.select(1, 0), h.select(1, 0), s.index_select(0, torch.tensor([1, 0, 1])),
           s.index_select(1, torch.tensor([2, 1])), h.index_select(1, torch.tensor([1])), torch.cat([s, u], 0), torch.cat([s, u], 1), torch.stack([s, e.to_sparse()]),
           e.sparse_mask(s), e.sparse_mask(u)]
    return [parts(x) for x in out], torch.sparse_coo_tensor(torch.tensor([[1]]), torch.tensor([2.]), [3])[1]


@case(D, E, T(3, 2), T(3))
def compressed(d: Tensor, e: Tensor, m: Tensor, v: Tensor):
    c, c2 = d.to_sparse_csr(), e.to_sparse_csr()
    p, q, w = torch.tensor([0, 1, 2]), torch.tensor([1, 0]), torch.tensor([1.0, 2.0])
    out = [c, torch.sparse_csr_tensor(p, q, w, [2, 3]), torch.sparse_csr_tensor(p, q, w), torch.sparse_compressed_tensor(p, q, w, [2, 3], layout=torch.sparse_csr),
           torch.sparse_compressed_tensor(p, q, w, layout=torch.sparse_csr), repeated().to_sparse_csr(),
           d.to_sparse_csc().to_sparse_csr(), c @ e.t().to_sparse_csr(), c + c2, c * c2, c * 2, c.relu(), -c, c.clone(), c.double(), c.sum([0], True), c.sum([1], True), c * e,
           torch.ops.aten._to_sparse_csr(d)]
    sideways = [d.to_sparse_csc(), c.to_sparse_csc(), c.t(), torch.sparse_csc_tensor(p, q, w, [3, 2]), torch.sparse_csc_tensor(p, q, w), torch.ops.aten._to_sparse_csc(e)]
    dense = [c @ m, c @ v, torch.addmm(torch.ones(2, 2), c, m), m @ c, c.sum(), d + c, torch.nn.functional.linear(torch.ones(4, 3), c)]
    return [rows(x) for x in out], [columns(x) for x in sideways], dense, parts(c.to_sparse()), parts(c[1]), c._nnz(), c.sparse_dim(), c.dense_dim(), c.is_sparse_csr, c.layout


@case(torch.stack([D, E]), torch.stack([D, E, D, E]).view(2, 1, 2, 2, 3))
def batches(x: Tensor, w: Tensor):
    c, s, h, n = x.to_sparse_csr(), x.to_sparse_csc(), x.permute(1, 2, 0).to_sparse_csr(1), w.to_sparse_csr()
    p, q, v = torch.tensor([[0, 1, 2], [0, 0, 2]]), torch.tensor([[1, 0], [0, 1]]), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    wide = v.unsqueeze(2).expand(2, 2, 3)
    out = [c, h, n, c.to_sparse_csc().to_sparse_csr(), h.select(2, 1), c.select(0, 1), c + c, c * 2, torch.sqrt(c.abs()), h.neg(), h + h, c.clone(), h.to(torch.float64),
           x.to_sparse(2).to_sparse_csr(), torch.sparse_csr_tensor(p, q, v, [2, 2, 3]), torch.sparse_csr_tensor(p, q, wide), torch.zeros(2, 0, 3).to_sparse_csr()]
    sideways = [s, h.to_sparse_csc(), n.to_sparse_csc(), c.transpose(1, 2), n.transpose(0, 1).transpose(-1, -2), torch.sparse_csc_tensor(p, q, v), x.to_sparse_csc(1)]
    return [rows(y) for y in out], [columns(y) for y in sideways], [parts(y.to_sparse()) for y in [c, s, h, n]], [y._nnz() for y in [c, h, n]], [y.dense_dim() for y in [c, h, n]], c.sum()


@case(torch.tensor([[[1., 0], [0, 0]], [[1, 1], [0, 0]]]), fails=True)
def batches_of_other_lengths(x: Tensor):
    return x.to_sparse_csr()


@case(torch.stack([D, E]), fails=True)
def rows_of_batches(x: Tensor):
    return x.to_sparse_csr().select(1, 0)


@case(torch.stack([D, E]), fails=True)
def batches_turned_into_rows(x: Tensor):
    return x.to_sparse_csr().transpose(0, 1)


@case(torch.stack([D, E]), fails=True)
def coordinates_of_three(x: Tensor):
    return x.to_sparse().to_sparse_csr()


@case(T(5, 4), form=("scripted", "traced"))
class GraphConvolution(nn.Module):
    """The adjacency matrix is a sparse buffer, as graph networks keep it."""
    def __init__(self):
        super().__init__()
        a = torch.tensor([[0, 0, 1, 2, 3, 4, 4], [1, 4, 0, 3, 2, 0, 4]])
        self.register_buffer("adjacency", torch.sparse_coo_tensor(a, torch.full([7], 0.5), [5, 5]).coalesce())
        self.first, self.second = nn.Linear(4, 6), nn.Linear(6, 3)

    def forward(self, x):
        y = torch.relu(torch.sparse.mm(self.adjacency, self.first(x)))
        return torch.mm(self.adjacency, self.second(y)).log_softmax(1)


@case(D, fails=True)
def added_to_sparse(d: Tensor):
    return d.to_sparse() + d


@case(D, fails=True)
def indices_of_uncoalesced(d: Tensor):
    return repeated().indices()


@case(D, fails=True)
def parts_that_do_not_fit(d: Tensor):
    return torch.sparse_coo_tensor(torch.tensor([[0, 1], [1, 0]]), torch.tensor([1.0, 2.0, 3.0]), [2, 2])
