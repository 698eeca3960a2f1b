"""What random calls found: layouts of results, tolerances that broadcast, values at the edges of a domain."""
from typing import List

import torch
from torch import Tensor

from corpus.base import I, T, case

X = T(3, 4, 5)


@case(X, torch.complex(T(3, 4, 5), T(3, 4, 5, seed=2)))
def fft_strides(x: Tensor, z: Tensor):
    out: List[Tensor] = []
    for t in [x, x.permute(2, 0, 1), x.transpose(0, 1), x[:, ::2]]:
        out += [torch.fft.rfft(t, dim=0), torch.fft.fft(t, dim=1), torch.fft.ihfft(t, dim=1), torch.fft.rfft2(t), torch.fft.rfftn(t, dim=[0, 1]), torch.fft.ifft(t, 7, dim=1)]
    for t in [z, z.permute(1, 2, 0)]:
        out += [torch.fft.fft2(t, dim=[0, 1]), torch.fft.irfft(t, dim=0), torch.fft.hfft(t, dim=1), torch.fft.irfftn(t, dim=[1, 0]), torch.fft.ifftn(t), torch.fft.fft(t, 2, dim=0)]
    return out


@case(X, rtol=1e-4, atol=1e-5)
def fft_hermitian_many(x: Tensor):
    z = torch.fft.ihfftn(x.permute(1, 2, 0))
    return [z, torch.fft.hfftn(z), torch.fft.ihfft2(x), torch.fft.hfft2(x, dim=[0, 2])]


@case(T(4, 4) + 4 * torch.eye(4), T(4, 2), rtol=1e-4, atol=1e-5)
def factor_strides(a: Tensor, b: Tensor):
    p, l, u = torch.linalg.lu(a)
    f, piv = torch.linalg.lu_factor(a)
    q = torch.lu_unpack(f, piv)
    return [p, l, u, f, q[0], q[1], q[2], torch.linalg.solve(a, b), torch.triangular_solve(b, a)[0], torch.triangular_solve(b, a)[1], torch.linalg.slogdet(torch.full([1, 1], -float("inf")))[0]]


@case(T(4, 3), rtol=1e-4, atol=1e-5)
def tensor_tolerances(a: Tensor):
    both = torch.stack([a, a * 2])
    t = torch.tensor([[0.0, 0.1, 0.5], [0.2, 1.0, 3.0]])
    return [torch.linalg.matrix_rank(a, t), torch.linalg.matrix_rank(both, t[:, :1]), torch.linalg.pinv(a, t), torch.linalg.pinv(both, rcond=0.5),
            torch.linalg.matrix_rank(a, atol=t, rtol=torch.tensor(0.2)), torch.linalg.matrix_rank(a, atol=t), torch.linalg.pinv(both, atol=t[0, :2], rtol=t[0, :2])]


@case(T(4, 5), torch.tensor([[0, 1, 2], [3, 2, 1]]))
def scatter_strides(x: Tensor, i: Tensor):
    t = x.t().contiguous().t()
    s = T2(x)
    return [t.scatter(0, i, s), t.scatter(1, i, 2.0), t.scatter_add(0, i, s), t.scatter_reduce(1, i, s, "amax"), t.index_copy(1, torch.tensor([0, 2]), x[:, :2]),
            t.index_add(0, torch.tensor([1, 1]), x[:2]), t.index_fill(0, torch.tensor([1]), 3.0), t.index_reduce(1, torch.tensor([0, 0]), x[:, :2], "prod")]


def T2(x: Tensor) -> Tensor:
    return x[:2, :3] * 2 + 1


@case(torch.tensor([[1, 2], [1, 2], [0, 5], [1, 2]]))
def unique_rows(x: Tensor):
    return [torch.ops.aten.unique_dim(x, 0, True, False, False)[1], torch.ops.aten.unique_dim(x, 0, True, False, False)[2],
            torch.ops.aten.unique_dim_consecutive(x, 0, False, False)[1], torch.ops.aten.unique_dim_consecutive(x, 0, False, False)[2]]


@case(torch.tensor([float("inf"), -float("inf"), 0.0, 0.5, -3.0]))
def special_edges(x: Tensor):
    n = torch.tensor([2.0, float("nan"), float("inf"), 3.0, -1.0])
    return [torch.special.bessel_j0(x), torch.special.bessel_y1(x), torch.special.airy_ai(x), torch.special.i0(x), torch.special.i1(x), torch.special.modified_bessel_i1(x),
            torch.special.chebyshev_polynomial_t(x[3:4], n), torch.special.hermite_polynomial_he(x[3:4], n), torch.special.legendre_polynomial_p(x[3:4], n),
            torch.special.gammainc(torch.tensor([float("nan"), 0.0, float("inf")]), torch.tensor([0.0, float("nan"), 2.0])), torch.special.gammaincc(torch.tensor([float("nan"), float("nan")]), torch.tensor([0.0, float("inf")]))]


@case(T(2, 3, 4))
def out_arguments(x: Tensor):
    t = x.permute(2, 0, 1)
    e = torch.empty(0)
    whole = torch.cumsum(torch.arange(4), 0, out=torch.empty(4, dtype=torch.int8))
    return [torch.roll(t, 1, 0, out=torch.empty(0)), torch.flip(t, [0], out=torch.empty(0)), torch.ops.aten.rsub(t, x.permute(2, 0, 1), alpha=2, out=e),
            torch.select_scatter(t, t[0], 0, 1), whole, torch.empty_permuted([2, 3], [1, 0]) * 0, torch.angle(torch.complex(t, t)), torch.nuclear_norm(x)]


@case(T(2, 3), T(2, 3) > 0, T(2, 3).half())
def odd_calls(x: Tensor, b: Tensor, h: Tensor):
    return [torch.equal(x, b), torch.equal(b.float(), b)], [torch.ops.aten._list_to_tensor([1, 2]), torch.ops.aten.unique_dim(x, 1)[0], torch.bernoulli(x[:0], x[:1]),
            torch.ops.aten.soft_margin_loss(x.t(), x.t(), 0), torch.ops.aten.soft_margin_loss(h, x, 1), torch.ops.aten.log_sigmoid_forward(x.t())[1]]


@case(T(2, 3), T(3), rtol=1e-4, atol=1e-5)
def normal_into_out(x: Tensor, m: Tensor):
    std = x.abs()
    return [torch.normal(m, 0.5, out=torch.empty(2, 3)), torch.normal(m[0], 0.5, out=torch.empty(0)), torch.normal(x.t(), 0.5), torch.normal(x.t(), std.t()), torch.normal(0.5, std, out=torch.empty(0)),
            torch.normal(m, std, out=torch.empty(0)), torch.normal(torch.complex(m, m), 0.5)]


@case(torch.rand(5, generator=torch.Generator().manual_seed(2)), torch.rand(5, 1, generator=torch.Generator().manual_seed(3)))
def losses_of_other_shapes(x: Tensor, t: Tensor):
    return [torch.ops.aten.binary_cross_entropy(x, t, None, 0), torch.ops.aten.binary_cross_entropy(t, x, None, 1), torch.ops.aten.binary_cross_entropy(x[:1], x, None, 0), torch.ops.aten.binary_cross_entropy(x.t(), t, x, 1), torch.ops.aten.binary_cross_entropy(x, t, None, 1, out=torch.full([], 0.5)), torch.ops.aten.binary_cross_entropy(x, x, None, 0, out=torch.empty(0)),
            torch.ops.aten.hinge_embedding_loss(torch.tensor([0, 1, 2, 3]), torch.tensor([1, -1, 0, 1]), 1.5, 0), torch.ops.aten.margin_ranking_loss(x[0], x[1], x[2:3], 0.5, 0),
            torch.ops.aten.mse_loss(x.half(), x.half() * 2, 1, out=torch.empty([], dtype=torch.float64)), torch.ops.aten.huber_loss(x, x.double() * 2, 0, 1.0)]


@case(T(3, 2, 4), T(2).abs(), T(2), rtol=1e-4, atol=1e-5)
def norms_of_odd_operands(x: Tensor, w: Tensor, m: Tensor):
    same = x[:1, :1].expand(3, 2, 4)
    stats = [w.clone()[:1].expand(2), m.clone()]
    y = torch.ops.aten.native_batch_norm(x, w, w, stats[1], stats[0], True, 0.3, 0.0)
    return [y[0], y[1], stats[0], torch.ops.aten.native_batch_norm(same, w, m, None, None, True, 0.1, 0.0), torch.ops.aten.native_batch_norm(same, w, m, None, None, True, 0.1, 1e-5)[0],
            torch.batch_norm(x[:0], w, m, m, w, False, 0.1, 1e-5, True), torch.instance_norm(x, w, m, m.double(), w.double(), False, 0.1, 1e-5, True), torch.ops.aten._batch_norm_impl_index(x[:0], w, m, m, w, False, 0.1, 1e-5, True)[0]]
def gated(n: int, x: Tensor) -> List[Tensor]:
    return [x.flatten()[:n * 15].view(n * 5, 3), x.flatten()[-n * 25:].view(n * 5, 5), x.flatten()[:n * 5].contiguous(), x.flatten()[-n * 5:].contiguous()]


@case(T(4, 3, 3), T(10, 20), rtol=1e-4, atol=1e-5)
def recurrent_unusual(x: Tensor, w: Tensor):
    h, rows = w[:3, :5].unsqueeze(0), x.flatten(0, 1)[:6]
    p, g, l = gated(1, w), gated(3, w), gated(4, w)
    out: List[Tensor] = []
    out += torch.rnn_tanh(x[:, 0], h, p, True, 1, 0.0, False, False, False)  # one sequence, three states
    out += torch.rnn_tanh(x, h, [p[0], p[1], p[2][:1], p[3][:1]], True, 1, 0.0, False, False, False)
    out += torch.rnn_relu(x.long(), h.long(), [p[0].long(), p[1].long()], False, 1, 0.0, False, False, False)
    out += torch.gru(x[:, :1], h, g, True, 1, 0.0, False, False, False)
    out += torch.gru(rows, torch.tensor([3, 2]), h, g, True, 1, 0.0, False, False)  # a row is left over
    out += torch.gru(rows, torch.tensor([3, 2, 0, 1]), h, g, True, 1, 0.0, False, False)
    out += torch.gru(rows, torch.tensor([3, 2, 1, 0]), torch.cat([h, h]), g + g, True, 1, 0.0, False, True)
    out += torch.lstm(x, [torch.cat([h, h]), torch.cat([h, h, h])], l + l, True, 1, 0.0, False, False, False)
    out += torch.lstm(x, [h, h], [l[0], l[1], l[2].long(), l[3][:1]], True, 1, 0.0, False, False, False)
    out += torch.lstm(x, [h, h], l, False, 1, 0.0, False, False, False)
    out += torch.lstm(rows, torch.tensor([2, 2, 2]), [h[:, :2], h[:, :2]], l, True, 1, 0.0, False, False)
    return out


@case(T(2, 3), T(10, 20), rtol=1e-4, atol=1e-5)
def cells_unusual(x: Tensor, w: Tensor):
    h = w[:2, :5]
    p, g, l = gated(1, w), gated(3, w), gated(4, w)
    out: List[Tensor] = []
    out += torch.lstm_cell(x, [h, h.double()], l[0], l[1], l[2], l[3])
    out += torch.lstm_cell(x, [h, h], l[0], l[1], l[2], None)
    out += [torch.gru_cell(x, h.t().contiguous().t(), g[0], g[1], g[2], g[3]), torch.gru_cell(x, h, g[0], g[1], None, g[3][:1]), torch.gru_cell(x.double(), h.double().t().contiguous().t(), g[0].double(), g[1].double())]
    out += [torch.rnn_relu_cell(x.long(), h.long(), p[0].long(), p[1].long()), torch.rnn_tanh_cell(x, h, p[0], p[1], h, p[3])]
    return out


@case(T(2, 2, 3, 3), T(5, 3), T(3, 5))
def linear_biases(x: Tensor, w: Tensor, b: Tensor):
    f = torch.nn.functional.linear
    return [f(x, w, b), f(x.double(), w.double(), b.double()), f(x, w, b[:1]), f(x, w, b[0, 0]), f(x[0, 0], w, b), f(x, w[:0], b[0, :1]), f(x.half(), w.half(), b.half())]


@case(torch.tensor([[1.0, float("nan"), 2.0], [1.0, float("nan"), 2.0], [3.0, 4.0, 5.0]]), T(2, 3))
def rows_with_nan(x: Tensor, v: Tensor):
    g = torch.arange(6).reshape(2, 3).float()
    return [torch.ops.aten.unique_dim(x, 0)[0], torch.ops.aten.unique_dim(x, 1)[0], torch.ops.aten.unique_dim_consecutive(x, 0)[0], torch.ops.aten._weight_norm(v, g + 1, 0),
            torch.ops.aten._weight_norm(v, g[:1].contiguous() + 1, 1), torch.ops.aten._weight_norm_interface(v, torch.ones(2, 1), 0)[1]]


@case(T(6, 2, 4).log_softmax(-1), torch.tensor([[1, 2, 0], [3, 3, 1]]), rtol=1e-4, atol=1e-5)
def ctc_with_blanks_in_targets(x: Tensor, t: Tensor):
    return [torch.ops.aten._ctc_loss(x, t, [6, 6], [3, 3], 0)[0], torch.ops.aten._ctc_loss(x, t.flatten(), [6, 5], [3, 3], 1)[0], torch.ops.aten.ctc_loss(x, t.float(), [6, 6], [3, 2], 3, 0)]


@case(T(3, 4))
def random_into_out(x: Tensor):
    return [torch.ops.aten.rand_like(x, out=torch.empty(4, 3).t()), torch.ops.aten.randint_like(x.t(), 9, out=torch.empty(0)), torch.ops.aten.randn_like(x.t(), out=torch.empty(0)),
            torch.poisson(torch.tensor([float("inf"), 1e30, 3.0, 50.0])), torch.bernoulli(x.t(), torch.tensor(0.5))]


@case(T(2, 4, 6, 7, 5), T(4, 4, 3, 2, 3, seed=2), T(2, 4, 6), T(4, 4, 3, seed=3), rtol=1e-4, atol=1e-5)
def convolution_layouts(x: Tensor, w: Tensor, s: Tensor, v: Tensor):
    last = x.contiguous(memory_format=torch.channels_last_3d)
    p = v.permute(0, 2, 1).contiguous().permute(0, 2, 1)
    out = [torch.conv1d(s, p), torch.conv_transpose1d(s, p, padding=1), torch.conv1d(s[:1], p, padding=1), torch.conv3d(last, w), torch.conv3d(last[:1], w), torch.conv3d(last.double(), w.double()),
           torch.conv3d(last.half(), w.half()), torch.conv_transpose3d(last, w), torch.conv_transpose3d(last[:1], w), torch.conv3d(last, w, dilation=[1, 2, 1]),
           torch.ops.aten.slow_conv3d(last, w, [3, 2, 3], None, [1, 1, 1], [1, 1, 1]), torch.ops.aten.slow_conv_transpose3d(x, w, [3, 2, 3], None, [1, 1, 1], [0, -1, 1], [0, 0, -1], [1, 1, 1])]
    return out, [t.stride() for t in out]


@case(T(2, 4, 6, 7), T(4, 4, 3, 2, seed=2), T(2, 4, 5, 4, 3), T(4, 2, 2, 2, 2, seed=3), T(4, 3, 3, 2, seed=4), rtol=1e-4, atol=1e-5)
def convolutions_by_kernel_size(x: Tensor, w: Tensor, y: Tensor, v: Tensor, u: Tensor):
    last = x.contiguous(memory_format=torch.channels_last)
    ops = torch.ops.aten.thnn_conv2d(x, w, [2, 3], None, [1, 1], [1, 1])
    out = [ops, torch.ops.aten.thnn_conv2d(last, w, [2, 3], None, [1, 1], [-1, 1]), torch.ops.aten.thnn_conv2d(x, w, [5, 1], None, [1, 1], [1, 1]), torch.ops.aten.thnn_conv2d(x, w.reshape(4, 24), [3, 2], torch.ones(4).double(), [2, 1], [-1, -1]),
           torch.ops.aten.slow_conv3d(y, v, [1, 2, 1], None, [1, 1, 1], [1, 0, -1]), torch.ops.aten.slow_conv_transpose2d(x, u, [2, 3], None, [1, 1], [1, 1], [0, 0], [1, 1]),
           torch.ops.aten.slow_conv_transpose2d(last[0], u, [3, 2], torch.ones(3).double(), [1, 1], [1, 1], [0, -1], [1, 1]), torch.ops.aten.slow_conv_dilated2d(x, w, [3, 2], None, [1, 1], [-2, -1], [1, 1]),
           torch.ops.aten.slow_conv_dilated2d(x[0], w, [3, 2], torch.ones(4).double(), [1, 1], [1, -1], [2, 1]), torch.ops.aten.thnn_conv2d(x[:, :0], w, [3, 2], torch.ones(4), [1, 1], [0, 0])]
    return out, [t.stride() for t in out]


@case(T(5, 2, 3), T(3, 3, 4, seed=2), T(4, seed=3), rtol=1e-4, atol=1e-5)
def convolution_of_time_first(x: Tensor, w: Tensor, b: Tensor):
    e = x[:0]
    return [torch.conv_tbc(x, w, b, 2), torch.conv_tbc(x, w, b, -1), torch.conv_tbc(x.half(), w.half(), b.half(), 1), torch.conv_tbc(x, w[:0], b, 0), torch.conv_tbc(x, w, b.double(), 0), torch.conv_tbc(e, w, b, 1)]


@case(T(1, 4, 4, 3), T(1, 2, 6), T(1, 2, 9, 9), torch.tensor([[[0.3, 0.7], [0.1, 0.9]]]))
def pool_layouts(x: Tensor, s: Tensor, f: Tensor, r: Tensor):
    last = x.contiguous(memory_format=torch.channels_last)
    cut = torch.cat([last, last], 3)[..., :3]
    p = s.permute(0, 2, 1).contiguous().permute(0, 2, 1)
    y, i = torch.ops.aten.max_pool1d_with_indices(p, [3], [2], [1])
    a, j = torch.ops.aten.adaptive_max_pool2d(cut, [2, 3])
    z, k = torch.ops.aten.fractional_max_pool2d(f, [0, 2], [3, 4], r)
    u = torch.ops.aten.max_unpool2d(a, j, [4, 3], out=torch.empty([1, 4, 4, 3]))
    g = torch.ops.aten.max_pool2d_with_indices_backward(y.unsqueeze(2), p.unsqueeze(2), [1, 3], [1, 2], [0, 1], [1, 1], False, i.unsqueeze(2))
    out = [y, i, a, j, z, k, u, g, torch.ops.aten._adaptive_avg_pool2d(cut, [1, 1]), torch.ops.aten.adaptive_avg_pool2d(x.unsqueeze(0).unsqueeze(0), [1, 1]), torch.ops.aten.adaptive_avg_pool2d(last, [3, 2]),
           torch.ops.aten.avg_pool1d(p, [3], [1], [1])]
    return out, [t.stride() for t in out]


@case(T(1, 2, 4, 5), T(1, 3, 4, 2), T(1, 2, 3, 4, 2), T(1, 2, 2, 3, 3))
def grids_of_halves(x: Tensor, g: Tensor, y: Tensor, h: Tensor):
    out: List[Tensor] = []
    odd = g.clone()
    odd[0, 0, 0, 0] = float("nan")
    odd[0, 1, 1, 1] = float("inf")
    for corners in [False, True]:
        for pad in [0, 1, 2]:
            for mode in [0, 1, 2]:
                out += [torch.grid_sampler(x.half(), g.half(), mode, pad, corners), torch.grid_sampler(x.to(torch.bfloat16), g.to(torch.bfloat16), mode, pad, corners), torch.grid_sampler(x, odd, mode, pad, corners)]
            out += [torch.grid_sampler(y.half(), h.half(), 0, pad, corners), torch.grid_sampler(y, h, 1, pad, corners)]
    return out


@case(I(2, 2, 3, low=-4, high=5), T(2, 2, 3))
def affine_grids(t: Tensor, x: Tensor):
    size = [2, 3, 4, 5]
    return [torch.ops.aten.affine_grid_generator(t, size, True), torch.ops.aten.affine_grid_generator(t, size, False), torch.ops.aten.affine_grid_generator(t.to(torch.uint8), size, True),
            torch.ops.aten.affine_grid_generator(x.half(), size, False), torch.ops.aten.affine_grid_generator(x, [2, 3, 1, 5], False), torch.ops.aten.affine_grid_generator(x, [2, 3, 0, 5], True)]


@case(T(2, 3), T(2, 6, 2, 3), torch.tensor([[1, 200, 250]]))
def activation_layouts(x: Tensor, y: Tensor, i: Tensor):
    t = x.t().contiguous().t()
    last = y.contiguous(memory_format=torch.channels_last)
    out = [torch.ops.aten._prelu_kernel(x, t), torch.ops.aten._prelu_kernel(t, x), torch.ops.aten.rrelu_with_noise(t, x.clone(), 0.1, 0.3, False), torch.ops.aten.log_sigmoid(t, out=torch.empty(0)),
           torch.threshold(i.to(torch.uint8), -6, 9), torch.threshold(i.to(torch.int16), 1, 300), torch.ops.aten._softmax_backward_data(x.half() * 300, x.half() * 300, 1, 5), torch.ops.aten._log_softmax_backward_data(x.half() * 9, x.half() * 9, 0, 5),
           torch.channel_shuffle(last[..., :1], 2), torch.ops.aten.pixel_unshuffle(y[:0], 1), torch.ops.aten.reflection_pad2d(last[:, :2], [1, 0, 1, 1]), torch.constant_pad_nd(last[..., :1], [1, 0], 2.0)]
    return out, [t.stride() for t in out]


@case(torch.tensor([(7 * i * i) % 5 for i in range(120)]).reshape(3, 40))
def order_of_equal_elements(x: Tensor):
    y = x.float()
    y[0, 5].fill_(float("nan"))
    return [x.sort(), y.sort(0, True), x.to(torch.bool).sort(-1)], [x.argsort(), y.to(torch.half).argsort(1, True), torch.msort(x.t()), torch.argsort(x, dim=1, stable=True), torch.sort(y, dim=1, stable=True)[1]]


@case(T(3, 4), T(2, 3, 4, 5))
def converted_to_what_it_is(x: Tensor, y: Tensor):
    z = y.contiguous(memory_format=torch.channels_last)
    t = x.t().to(torch.float32, memory_format=torch.contiguous_format)
    a = y.transpose(1, 2).to(torch.float32, memory_format=torch.contiguous_format)
    b = z.to(torch.float32, memory_format=torch.contiguous_format)
    c = z.to(torch.float32, memory_format=torch.channels_last)
    t.add_(1)
    return [t.stride(), a.stride(), b.stride(), c.stride()], x


@case(T(5, 3, 4, 2, scale=4.0), T(3).abs(), T(3))
def statistics_of_half_types(x: Tensor, w: Tensor, m: Tensor):
    """Rounded where PyTorch rounds them: otherwise for what is in order, for what is not, and by type."""
    out: List[Tensor] = []
    for h in [x.to(torch.bfloat16), x.half()]:
        for t in [h, h.contiguous(memory_format=torch.channels_last), h.transpose(2, 3)]:
            mean = m.to(t.dtype)
            var = w.to(t.dtype)
            y = torch.native_batch_norm(t, var, mean, mean.clone(), var.clone(), False, 0.3, 1e-3)
            z = torch.native_batch_norm(t, var, mean, mean, var, True, 0.3, 1e-3)
            out += [y[0], z[0], z[1], z[2], mean, var]
    return out


@case(T(5, 2), torch.tensor([0, 1, 2, 3]))
def bags_unusual(w: Tensor, i: Tensor):
    o = torch.tensor([0, 2, 3])
    out: List[Tensor] = []
    for t in [w, w.double(), w.half(), w.t().contiguous().t()]:
        for mode in [0, 1, 2]:
            out += torch._embedding_bag(t, i, o, False, mode, False, None, True)  # an index is left over
            out += torch._embedding_bag(t, i, o, False, mode, False, None, True, 1)
    out += torch._embedding_bag(w, i.to(torch.bool), o)
    out += torch._embedding_bag(w, i.int(), o.to(torch.uint8))
    return out


@case(torch.tensor([[1e6, 1.0, float("nan"), -1e6], [0.5, -0.5, 2.0, float("inf")]]))
def quantized_unusual(x: Tensor):
    q = torch.fake_quantize_per_tensor_affine(x, 0.5, 1, 0, 3)
    m = torch.ops.aten.fake_quantize_per_tensor_affine_cachemask(x.double(), 0.25, 0, 0, 3)
    a, b, s, z = torch.fbgemm_linear_quantize_weight(x[:, :2].reshape(1, 2, 2, 1))
    p = torch._choose_qparams_per_tensor(x > 0.7)
    r = torch.ops.aten.embedding_renorm(x[:, :2], torch.tensor([-1, 0]), 1.0, 2.0)
    return [q, m[0], m[1].float(), a, b, torch.tensor(s), torch.tensor(z), torch.tensor(p[0]), torch.tensor(p[1]), torch._saturate_weight_to_fp16(x.t()), r] + list(torch.native_dropout(x[:0], 0.5, True))


@case(T(2, 3, 4, 5), T(1, 5))
def strides_of_copies(x: Tensor, r: Tensor):
    c = x.contiguous(memory_format=torch.channels_last)
    t = r.t().expand(5, 5)
    e = torch.arange(25.0).view(5, 5).t().to(torch.complex64)
    return [torch.stack([c, c], 0), torch.stack([c, c], 2), torch.stack([c, c], -1), torch.roll(c, 1, 0), torch.sort(t, 0)[0], torch.index_fill(t, 0, torch.tensor([1]), 3.0),
            r.expand(5, 5) * e, torch.ops.aten.copy(x[:, ::2], x[:, ::2] + 1), torch.frexp(t)[0]]


@case(torch.arange(6.0).view(2, 3))
def storages_taken_over(x: Tensor):
    y = torch.zeros(4)
    z = torch.zeros(4, dtype=torch.int32)
    torch.ops.aten.set_(y, x.clone(), 1, [2, 2], [])
    torch.ops.aten.set_(z, x.clone())
    i = torch.tensor([[7, -12], [3, 4]])
    return [y, z, torch.take_along_dim(x, i, 1)]


@case(torch.tensor([[2.0, 1.0], [0.5, 3.0]]), torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
def inverse_into_out(x: Tensor, y: Tensor):
    a = torch.ops.aten.linalg_inv(x, out=torch.empty(0))
    b = torch.ops.aten.inverse(x, out=torch.empty(3, 3))
    p = torch.ops.aten._sparse_mm(x, y)
    return a, b, p, p.stride(), torch.ops.aten.linalg_cond(x, "nuc")


@case(torch.tensor([[0.5, 1.5, 2.5], [-0.5, float("nan"), float("inf")]]), torch.randn(4, generator=torch.Generator().manual_seed(3)))
def rarely_called(x: Tensor, r: Tensor):
    o = torch.ops.aten
    c = o._chunk_cat([torch.ones(3, 3), torch.ones(5)], 0, 2)
    a = o._to_copy(x[0], out=torch.empty(0, dtype=torch.int32))
    d = torch.native_dropout(x[:, :0], 0.5, False)
    q = [torch.fake_quantize_per_tensor_affine(x.to(t), 1.0, 1, 0, 3).float() for t in [torch.float16, torch.bfloat16, torch.float32, torch.float64]]
    q += [torch.fake_quantize_per_tensor_affine(x.double(), 3e38, 0, 0, 3), torch.fake_quantize_per_channel_affine(x, torch.tensor([1.0, 0.5]), torch.tensor([1.0, 1.0]), 0, 0, 3)]
    m = [torch.choose_qparams_optimized(r, 4, 10, 0.1, 2), torch.choose_qparams_optimized(r, 0, 0, 0.1, 4), o._fused_rms_norm(torch.ones(2, 0), [0], None, None), o._fused_rms_norm(x[0], [], None, None)]
    s = o._sparse_addmm(torch.ones(3, 2).t(), torch.ones(2, 3), torch.ones(3, 3))
    return c, a, d, q, m, s, s.stride()


@case(torch.arange(60.0).view(5, 12).sin(), torch.tensor([[1, 2, 4], [3, 0, -2], [9, 5, 1]]))
def spectra_unusual(x: Tensor, i: Tensor):
    t = x.t().contiguous().t()
    w = torch.arange(1.0, 5.0)
    s = torch.stft(t, 4, 2, 4, w, center=False, return_complex=True)
    a = torch.ops.aten.stft(x, 6, 2, 4, w, False, True, True, True)
    n = torch.stft(t, 4, center=False, return_complex=True)
    z = torch.stft(x, 4, 2, 4, torch.complex(w, w * 0.5), return_complex=True)
    c = torch.istft(z, 4, 2, 4, torch.complex(w, w * 0.5), return_complex=True)
    h = torch.ops.aten.fft_ihfft(t, None, 0, out=torch.empty(0, dtype=torch.complex64))
    f = torch.ops.aten.fft_fft(i, None, 0, out=torch.empty(0, dtype=torch.complex128))
    return [s, a, n, z, c, h, f, torch.ops.aten._fft_c2c(s, [1], 5, True), torch.ops.aten._fft_r2c(t, [1], 0, False, out=torch.empty(0, dtype=torch.complex128))], [s.stride(), a.stride(), n.stride(), z.stride(), h.stride(), f.stride()]


@case(torch.tensor([[1.0, float("inf"), 4.0], [3.0, float("nan"), -2.0], [9.0, 5.0, 1.0]]), torch.tensor([[1, 2, 4], [3, 0, -2], [9, 5, 1]]))
def gradients_unusual(x: Tensor, i: Tensor):
    t = torch.stack([x, x * 2]).permute(1, 2, 0)
    out: List[Tensor] = []
    for e in [1, 2]:
        out += torch.gradient(x, dim=[0, 1], edge_order=e)
        out += torch.gradient(i, spacing=2, dim=[1], edge_order=e)
        out += torch.gradient(i, spacing=[torch.tensor([0, 1, 3])], dim=[0], edge_order=e)
        out += torch.gradient(x.half(), spacing=[torch.tensor([0.0, 1.0, 3.0])], dim=[1], edge_order=e)
        out += torch.gradient(t, dim=[0], edge_order=e)
        out += torch.gradient(torch.complex(x, x)[:, ::2].t().contiguous().t(), spacing=0.5, dim=[0], edge_order=e)
    return out, [o.stride() for o in out]


@case(T(2, 3))
def sequences_into_out(x: Tensor):
    a = torch.zeros(6).view(2, 3).t()
    o = torch.ops.aten.linspace(0.0, 5.0, 6, out=a)
    b = torch.ops.aten.logspace(0.0, 1.0, 4, 2.0, out=torch.zeros(4, 2)[:, 0])
    c = torch.ops.aten.linspace(0.0, 5.0, 0, out=torch.zeros(1, 0))
    d = torch.ops.aten.range(0.5, 3.7, 1.5, out=torch.zeros(0, dtype=torch.int8))
    e = torch.ops.aten.zeros_like(x.t(), out=torch.ones(0))
    return [o, b, c, d, e, torch.ops.aten.new_full(x, [2, 2], 3, out=torch.zeros(0, dtype=torch.int16))], [o.stride(), b.stride(), e.stride()]


@case(T(2, 4, 3), T(2, 4, 6), rtol=1e-4, atol=1e-5)
def linear_algebra_layouts(a: Tensor, b: Tensor):
    e, i = torch.empty(0), torch.empty(0, dtype=torch.int64)
    out: List[Tensor] = []
    for driver in ["gels", "gelsd", "gelsy"]:
        out += torch.linalg.lstsq(a, b, driver=driver)
        out += torch.ops.aten.linalg_lstsq(a[0], b[0], None, driver=driver, solution=e.clone(), residuals=e.clone(), rank=i.clone(), singular_values=e.clone())
    q = a[0, :3].t() @ a[0, :3] + torch.eye(3)
    out += [torch.ops.aten.linalg_lstsq(a[0], b[0], None, solution=torch.empty(2, 2), residuals=e.clone(), rank=i.clone(), singular_values=e.clone())[0],
            torch.linalg.solve_triangular(q, b[0, :, :3], upper=True, left=False), torch.linalg.solve_triangular(q, b[0, :3].double(), upper=False),
            torch.ops.aten.cholesky_inverse(q, out=torch.empty(2, 2)), torch.ops.aten.cholesky_inverse(q, out=e.clone()), torch.matrix_power(q.t(), 1), torch.matrix_power(q, 3),
            torch.ops.aten.matmul(q[0], q, out=torch.empty(6)[::2]), torch.ops.aten.outer(q[0], q[1], out=torch.empty(0, dtype=torch.float64)),
            torch.linalg.cond(q, "nuc"), torch.linalg.cond(q[:, :2]), torch.linalg.cond(torch.empty(2, 0, 3)), torch.linalg.cond(torch.ones(2, 2), 1)]
    u = torch.svd(torch.empty(0, 3), True, False)
    v = torch.svd(q, False, False)
    return out + [u[0], u[1], u[2], v[0], v[1], v[2], torch.ops.aten._lu_with_info(torch.ones(2, 2))[2]]


@case(torch.tensor([[1.0, float("nan"), 2.0], [0.0, float("inf"), 1.0], [3.0, 4.0, 5.0]]), rtol=1e-4, atol=1e-5)
def products_of_infinities(x: Tensor):
    s = torch.ones(3)
    b = torch.stack([torch.eye(3) / 2, x])
    return [torch.addmv(s, x, s, beta=0.5, alpha=0), torch.addmm(s, x, x, beta=0.5, alpha=0), torch.addbmm(s, b, b, beta=0.5, alpha=0), torch.baddbmm(s, b, b, beta=0.5, alpha=0),
            torch.addmm(s.half(), x.half(), x.half(), alpha=0), torch.trapezoid(x), torch.trapezoid(x, dx=2, dim=0), torch.cdist(x, x, 0.0), torch.linalg.matrix_exp(b),
            torch.ops.aten._euclidean_dist(x.half() * 300, x.half()), torch.ops.aten._pdist_forward(torch.arange(24.0).view(3, 2, 4), 1.0), torch.trapezoid(x[:0].t(), torch.ones(7))]


@case(T(2, 2, 3, 8), T(2, 2, 4, 8, seed=2), T(2, 2, 4, 5, seed=3), rtol=1e-4, atol=1e-5)
def attention_in_steps(q: Tensor, k: Tensor, v: Tensor):
    out: List[Tensor] = []
    keep = torch.arange(12).view(3, 4) % 3 > 0
    for causal in [False, True]:
        out += torch._scaled_dot_product_attention_math(q, k, v, is_causal=causal, scale=0.5)
    out += torch._scaled_dot_product_attention_math(q[0], k[0], v[0], keep.float())
    out += torch._scaled_dot_product_attention_math(q, k, v, keep)
    out += torch._scaled_dot_product_attention_math(q, k, v, None, 0.5, False, keep.expand(2, 2, 3, 4))
    out += torch._scaled_dot_product_attention_math(q, k[:, :1], v[:, :1], enable_gqa=True)
    i = k[0, :, :3, :4].transpose(0, 1)
    t = [torch._trilinear(q[0, 0], i, k[0, 0], [1, 2], [3], [0, 1], [3], d) for d in [1, 3]]
    t.append(torch.ops.aten._trilinear(q[0, 0], i, k[0, 0], [1, 2], [3], [0, 1], [], out=torch.empty(0)))
    out += [torch.ops.aten.scaled_dot_product_attention(q, k, v[:, :, :0]), torch.ops.aten.scaled_dot_product_attention(q[0], k[0, :1], v[0, :, :0])]
    out += [torch.ops.aten.scaled_dot_product_attention(q[0], k[0, :1], v[0, :1], enable_gqa=True), torch.ops.aten.scaled_dot_product_attention(q, k, v[:, :1], enable_gqa=True)]
    return out + t


@case(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), torch.tensor([0, 9223372036854775807]), fails=True)
def renormed_beyond_the_end(x: Tensor, at: Tensor):
    return torch.ops.aten.embedding_renorm(x, at, 1.0, 2.0)


@case(torch.ones(2, 0))
def packed_from_nothing(x: Tensor):
    return torch.ops.quantized.embedding_bag_byte_prepack(x), torch.ops.quantized.embedding_bag_4bit_prepack(x), torch.ops.quantized.embedding_bag_2bit_prepack(x)


@case(T(3, 5), torch.tensor([1.0, 2.5, 3.0, 7.0, 8.0]), rtol=1e-5, atol=1e-6)
def differences_and_sums(x: Tensor, at: Tensor):
    y = x.clone()
    y[0, 1] = float("inf")
    wide = torch.ones(3).unsqueeze(1).expand(3, 4)
    wide.masked_fill_(torch.tensor([True, False, False, False]), 5.0)
    out: List[Tensor] = [torch.diff(x, 0, 7), torch.trapezoid(y, dx=2.0), torch.trapezoid(torch.ones(2, 0, dtype=torch.int32), dx=1), wide]
    out += torch.gradient(y, spacing=0.5)
    out += torch.gradient(x, spacing=[at[:3], at.double()], edge_order=2)
    out += torch.gradient(torch.arange(10).view(2, 5), spacing=[at], dim=[1])
    out += list(torch.unique_consecutive(x, dim=1))
    return out


@case(T(2, 3, 4, 8))
def rows_of_attention(x: Tensor):
    out: List[List[int]] = []
    for q in [x, x.transpose(1, 2), x.permute(2, 0, 1, 3), x.transpose(2, 3).contiguous().transpose(2, 3), x[:, :, ::2]]:
        y = torch.ops.aten.scaled_dot_product_attention(q, q, q)
        out.append(y.stride())
        out.append(torch.ops.aten.scaled_dot_product_attention(q.double(), q.double(), q.double()).stride())
    return out, torch.ldexp(x.double()[:, :1], x.double().transpose(2, 3)[0].transpose(1, 2)).stride()
