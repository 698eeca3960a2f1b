"""Quantized tensors: layers over packed parameters, arithmetic, embeddings with quantized rows, recurrent cells, simulated quantization."""
from typing import List, Tuple

import torch
from torch import Tensor, nn

from corpus.base import I, T, case


def q8(x, scale=0.05, zero=3):
    return torch.quantize_per_tensor(x, scale, zero, torch.quint8)


@case(T(3, 8))
def arithmetic(x: Tensor) -> List[Tensor]:
    a = torch.quantize_per_tensor(x, 0.0517, 3, torch.quint8)
    b = torch.quantize_per_tensor(x.flip(0), 0.0293, 7, torch.quint8)
    out = torch.quantize_per_tensor(x, 0.04, 5, torch.quint8)
    results: List[Tensor] = []
    results.append(torch.ops.quantized.add(a, b, 0.0811, 4).int_repr())
    results.append(torch.ops.quantized.add_relu(a, b, 0.0811, 4).int_repr())
    results.append(torch.ops.quantized.mul(a, b, 0.0811, 4).int_repr())
    results.append(torch.ops.quantized.mul_relu(a, b, 0.0811, 4).int_repr())
    for y in [torch.ops.quantized.add(a, 0.7), torch.ops.quantized.mul(a, -0.7), torch.ops.quantized.add_relu(a, -2.0), torch.ops.quantized.mul_relu(a, 3)]:
        results.append(y.int_repr())
        results.append(torch.tensor([y.q_scale(), float(y.q_zero_point())]))
    results.append(torch.ops.quantized.add(a, b, out).int_repr())
    results.append(torch.ops.quantized.add_relu(a, b, out).int_repr())
    results.append(torch.ops.quantized.mul(a, b, out).int_repr())
    results.append(torch.ops.quantized.mul_relu(a, b, out).int_repr())
    results.append(torch.ops.quantized.add_out(a, b, out).int_repr())
    results.append(torch.ops.quantized.add_relu_out(a, b, out).int_repr())
    results.append(torch.ops.quantized.mul_out(a, b, out).int_repr())
    results.append(torch.ops.quantized.mul_relu_out(a, b, out).int_repr())
    results.append(torch.ops.quantized.cat([a, b], 0, 0.06, 2).int_repr())
    results.append(torch.ops.quantized.cat_relu([a, b], 1, None, None).int_repr())
    results.append(torch.ops.quantized.matmul(a, b.t(), 0.2, 9).int_repr())
    results.append(torch.ops.quantized.dropout(a, 0.0517, 3, 0.5, False).int_repr())
    return results


@case(T(3, 8))
def scalar_out(x: Tensor) -> List[Tensor]:
    a = torch.quantize_per_tensor(x, 0.05, 3, torch.quint8)
    results: List[Tensor] = []
    for i in range(4):
        out = torch.quantize_per_tensor(x, 0.04, 5, torch.quint8)
        if i == 0:
            y = torch.ops.quantized.add_scalar_out(a, 0.5, out)
        elif i == 1:
            y = torch.ops.quantized.add_scalar_relu_out(a, 0.5, out)
        elif i == 2:
            y = torch.ops.quantized.mul_scalar_out(a, 0.5, out)
        else:
            y = torch.ops.quantized.mul_scalar_relu_out(a, 0.5, out)
        results.append(y.int_repr())
        results.append(torch.tensor([y.q_scale(), float(y.q_zero_point())]))
    return results


@case(T(4, 6), T(5, 6, seed=2), T(5, seed=3))
def linear(x: Tensor, w: Tensor, b: Tensor) -> List[Tensor]:
    qx = torch.quantize_per_tensor(x, 0.05, 3, torch.quint8)
    qw = torch.quantize_per_tensor(w, 0.03, 0, torch.qint8)
    p = torch.ops.quantized.linear_prepack(qw, b)
    half = torch.ops.quantized.linear_prepack_fp16(w, b)
    results: List[Tensor] = []
    results.append(torch.ops.quantized.linear(qx, p, 0.1, 10).int_repr())
    results.append(torch.ops.quantized.linear_relu(qx, p, 0.1, 10).int_repr())
    results.append(torch.ops.quantized.linear_dynamic(x, p, True))
    results.append(torch.ops.quantized.linear_relu_dynamic(x, p, True))
    results.append(torch.ops.quantized.linear_dynamic_fp16(x, half))
    results.append(torch.ops.quantized.linear_relu_dynamic_fp16(x, half))
    results.append(torch.ops.quantized.linear_dynamic_fp16_unpacked_weight(x, w, b))
    results.append(torch.ops.quantized.linear_unpack(p)[0].int_repr())
    return results


@case(T(1, 4, 6, 6), T(4, 2, 3, 3, seed=2, scale=0.5), T(4, seed=3))
def conv(x: Tensor, w: Tensor, b: Tensor) -> List[Tensor]:
    qx = torch.quantize_per_tensor(x, 0.05, 3, torch.quint8)
    scales = torch.tensor([0.02, 0.03, 0.04, 0.01])
    qw = torch.quantize_per_channel(w, scales, torch.zeros(4, dtype=torch.long), 0, torch.qint8)
    p = torch.ops.quantized.conv2d_prepack(qw, b, [1, 1], [1, 1], [1, 1], 2)
    results: List[Tensor] = []
    results.append(torch.ops.quantized.conv2d(qx, p, 0.1, 10).int_repr())
    with_relu = torch.ops.quantized.conv2d_prepack(qw, b, [2, 2], [1, 1], [1, 1], 2)  # another shape: the engine reuses what it made for the first
    results.append(torch.ops.quantized.conv2d_relu(qx, with_relu, 0.1, 10).int_repr())
    results.append(torch.tensor(torch.ops.quantized.conv2d_stride(p) + torch.ops.quantized.conv2d_padding(p) + torch.ops.quantized.conv2d_dilation(p)))
    results.append(torch.ops.quantized.conv2d_unpack(p)[0].int_repr())
    return results


@case(T(5, 8), I(7, low=0, high=5), torch.tensor([0, 2, 4]))
def embedding_rows(w: Tensor, at: Tensor, offsets: Tensor) -> List[Tensor]:
    results: List[Tensor] = []
    for p in [torch.ops.quantized.embedding_bag_byte_prepack(w)]:
        results.append(p)
        results.append(torch.ops.quantized.embedding_bag_byte_unpack(p))
        results.append(torch.ops.quantized.embedding_bag_byte_rowwise_offsets(p, at, offsets))
    for p in [torch.ops.quantized.embedding_bag_4bit_prepack(w), torch.ops.quantized.embedding_bag_4bit_prepack(w, True)]:
        results.append(p)
        results.append(torch.ops.quantized.embedding_bag_4bit_unpack(p))
        results.append(torch.ops.quantized.embedding_bag_4bit_rowwise_offsets(p, at, offsets))
    for p in [torch.ops.quantized.embedding_bag_2bit_prepack(w), torch.ops.quantized.embedding_bag_2bit_prepack(w, True, 100, 0.3)]:
        results.append(p)
        results.append(torch.ops.quantized.embedding_bag_2bit_unpack(p))
        results.append(torch.ops.quantized.embedding_bag_2bit_rowwise_offsets(p, at, offsets))
    high, low = torch.choose_qparams_optimized(w.flatten(), 40, 200, 0.16, 4)
    results.append(high)
    results.append(low)
    return results


@case(T(5, 8), I(7, low=0, high=5), torch.tensor([0, 2, 4]), T(7, seed=5))
def embedding_packed(w: Tensor, at: Tensor, offsets: Tensor, weights: Tensor) -> List[Tensor]:
    low = w.min(1)[0]
    scales = (w.max(1)[0] - low) / 255
    qw = torch.quantize_per_channel(w, scales, -low / scales, 0, torch.quint8)
    p = torch.ops.quantized.embedding_bag_prepack(qw)
    results: List[Tensor] = []
    results.append(torch.ops.quantized.embedding_byte(p, at))
    results.append(torch.ops.quantized.embedding_bag_byte(p, at, offsets))
    results.append(torch.ops.quantized.embedding_bag_byte(p, at, offsets, False, 0, False, weights))
    results.append(torch.ops.quantized.embedding_bag_unpack(p).int_repr())
    return results


@case(T(3, 6), T(8, 6, seed=2), T(8, 2, seed=3), T(8, seed=4), T(3, 2, seed=5))
def old_cells(x: Tensor, wi: Tensor, wh: Tensor, b: Tensor, h: Tensor) -> List[Tensor]:
    qi, oi, si, zi = torch.fbgemm_linear_quantize_weight(wi)
    qh, oh, sh, zh = torch.fbgemm_linear_quantize_weight(wh)
    pi = torch.fbgemm_pack_quantized_matrix(qi)
    ph = torch.fbgemm_pack_quantized_matrix(qh)
    results: List[Tensor] = [qi, oi, qh, oh, torch.tensor([si, float(zi), sh, float(zh)])]
    results.append(torch.fbgemm_linear_int8_weight_fp32_activation(x, qi, pi, oi, si, zi, b))
    results.append(torch.fbgemm_linear_int8_weight(x, qi, pi, oi, si, zi, b))
    a, c = torch.quantized_lstm_cell(x, [h, h], qi, qh, b, b, pi, ph, oi, oh, si, sh, zi, zh)
    results.append(a)
    results.append(c)
    half = torch.fbgemm_pack_gemm_matrix_fp16(wi)
    results.append(torch.fbgemm_linear_fp16_weight_fp32_activation(x, half, b))
    results.append(torch.fbgemm_linear_fp16_weight(x, half, b))
    return results


@case(T(3, 6), T(6, 6, seed=2), T(6, 2, seed=3), T(6, seed=4), T(3, 2, seed=5), T(2, 6, seed=7), T(2, 2, seed=8), T(2, seed=9))
def old_cells_gru(x: Tensor, wi: Tensor, wh: Tensor, b: Tensor, h: Tensor, ri: Tensor, rh: Tensor, rb: Tensor) -> List[Tensor]:
    qi, oi, si, zi = torch.fbgemm_linear_quantize_weight(wi)
    qh, oh, sh, zh = torch.fbgemm_linear_quantize_weight(wh)
    pi, ph = torch.fbgemm_pack_quantized_matrix(qi), torch.fbgemm_pack_quantized_matrix(qh)
    results = [torch.quantized_gru_cell(x, h, qi, qh, b, b, pi, ph, oi, oh, si, sh, zi, zh)]
    qi, oi, si, zi = torch.fbgemm_linear_quantize_weight(ri)
    qh, oh, sh, zh = torch.fbgemm_linear_quantize_weight(rh)
    pi, ph = torch.fbgemm_pack_quantized_matrix(qi), torch.fbgemm_pack_quantized_matrix(qh)
    results.append(torch.quantized_rnn_tanh_cell(x, h, qi, qh, rb, rb, pi, ph, oi, oh, si, sh, zi, zh))
    results.append(torch.quantized_rnn_relu_cell(x, h, qi, qh, rb, rb, pi, ph, oi, oh, si, sh, zi, zh))
    return results


class Recurrent(nn.Module):
    """A dynamically quantized layer, on plain and packed sequences."""

    def __init__(self, kind, dtype):
        super().__init__()
        layer = getattr(nn, kind)(6, 4, num_layers=2, bidirectional=True)
        self.layer = torch.ao.quantization.quantize_dynamic(nn.Sequential(layer), {type(layer)}, dtype=dtype)[0]

    def forward(self, x: Tensor, lengths: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        y, state = self.layer(x)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
        z, state = self.layer(packed)
        return y, z.data, z.batch_sizes


for kind in ("LSTM", "GRU"):
    for dtype in (torch.qint8, torch.float16):
        case(T(5, 3, 6), torch.tensor([3, 5, 2]), name="recurrent-%s-%s" % (kind.lower(), str(dtype)[6:]), init=(kind, dtype))(Recurrent)


@case(T(3, 4), T(8, 4, seed=2), T(8, 2, seed=3), T(8, seed=4), T(8, seed=5), T(2, 3, 2, seed=6))
def made_cells(x: Tensor, wi: Tensor, wh: Tensor, bi: Tensor, bh: Tensor, h: Tensor) -> List[Tensor]:
    static = torch.ops.quantized.make_quantized_cell_params(wi, wh, bi, bh)
    pi = torch.ops.quantized.linear_prepack(torch.quantize_per_tensor(wi, 0.02, 0, torch.qint8), bi)
    ph = torch.ops.quantized.linear_prepack(torch.quantize_per_tensor(wh, 0.02, 0, torch.qint8), bh)
    dynamic = torch.ops.quantized.make_quantized_cell_params_dynamic(pi, ph, bi, bh, True)
    half = torch.ops.quantized.make_quantized_cell_params_fp16(torch.ops.quantized.linear_prepack_fp16(wi, bi), torch.ops.quantized.linear_prepack_fp16(wh, bh))
    state = [h[:1], h[1:]]
    results: List[Tensor] = []
    for cell in [static, dynamic, half]:
        y, a, b = torch.quantized_lstm(x[None], state, [cell], True, 1, 0.0, False, False, False, dtype=torch.qint8, use_dynamic=True)
        results.append(y)
        results.append(a)
        results.append(b)
    return results


@case(T(3, 4, 5), torch.tensor([0.05, 0.1, 0.2, 0.03]), torch.tensor([0, 1, -2, 3], dtype=torch.int32))
def fake(x: Tensor, scale: Tensor, zero: Tensor) -> List[Tensor]:
    on, off = torch.tensor([1]), torch.tensor([0])
    low, high = torch.tensor([-1.0]), torch.tensor([1.0])
    s, z = torch.tensor([0.1]), torch.tensor([2], dtype=torch.int32)
    results: List[Tensor] = []
    results.append(torch.fake_quantize_per_tensor_affine(x, 0.1, 2, 0, 255))
    results.append(torch.fake_quantize_per_tensor_affine(x, s, z, -128, 127))
    results.append(torch.fake_quantize_per_channel_affine(x, scale, zero, 1, -8, 7))
    for p in [torch.ops.aten.fake_quantize_per_tensor_affine_cachemask(x, 0.01, 2, 0, 255),
              torch.ops.aten.fake_quantize_per_channel_affine_cachemask(x, scale, zero, 1, -8, 7),
              torch._fake_quantize_per_tensor_affine_cachemask_tensor_qparams(x, s, z, on, 0, 15),
              torch._fake_quantize_per_tensor_affine_cachemask_tensor_qparams(x, s, z, off, 0, 15)]:
        results.append(p[0])
        results.append(p[1])
    results.append(torch._fake_quantize_learnable_per_tensor_affine(x, s, torch.tensor([1.4]), 0, 255, 1.0))
    results.append(torch._fake_quantize_learnable_per_channel_affine(x, scale, zero.float() + 0.3, 1, -8, 7, 1.0))
    for symmetric in [False, True]:
        results.append(torch.fused_moving_avg_obs_fake_quant(x, on, on, low, high, s, z, 0.01, 0, 255, -1, False, symmetric))
        results.append(torch.cat([low, high, s, z.float()]))
    lows, highs = torch.zeros(4), torch.zeros(4)
    results.append(torch.fused_moving_avg_obs_fake_quant(x.transpose(0, 1), on, on, lows, highs, scale, zero, 0.5, -128, 127, 0, True, False))
    results.append(lows)
    results.append(highs)
    results.append(scale)
    results.append(zero)
    a, b = torch._choose_qparams_per_tensor(x, True)
    results.append(torch.tensor([a, float(b)]))
    return results


@case(I(2, 40, 6, 7, low=0, high=120, dtype=torch.uint8), I(200, low=0, high=120, dtype=torch.uint8))
def halves(pixels: Tensor, row: Tensor) -> List[Tensor]:
    """Results halfway between two steps: which one it is depends on the kernel, and on the element's place in a vector."""
    v = torch._make_per_tensor_quantized_tensor(pixels, 0.03, 61)
    w = v.contiguous(memory_format=torch.channels_last)
    a = torch._make_per_tensor_quantized_tensor(row, 0.03, 61)
    b = torch._make_per_tensor_quantized_tensor(row.flip(0), 0.03, 61)
    qs = [torch.ops.quantized.add(a, b, 0.06, 61), torch.ops.quantized.leaky_relu(a, 0.1, False, 0.03, 61), torch.ops.quantized.leaky_relu(a, 0.5, False, 0.06, 60),
          torch.ops.quantized.elu(a, 0.06, 61, 1.0, 1.0, 1.0), torch.ops.quantized.cat([w, w.flip(2)], 1, 0.06, 61), torch.ops.quantized.cat([v, v.flip(2)], 1, 0.06, 61),
          torch.nn.functional.leaky_relu(v, 0.1), torch.ops.quantized.hardswish(a, 0.06, 61),
          torch.ops.quantized.batch_norm2d(w, torch.ones(40), torch.ones(40) * 0.3, torch.ones(40) * 0.2, torch.ones(40), 1e-5, 0.05, 61)]
    for x in [v, w]:
        qs += [torch.nn.functional.adaptive_avg_pool2d(x, [1, 1]), torch.nn.functional.adaptive_avg_pool2d(x, [3, 2]), torch.nn.functional.avg_pool2d(x, 2), torch.nn.functional.avg_pool2d(x, [2, 3], [1, 2], [1, 0], True, False),
               torch.nn.functional.avg_pool3d(x.unsqueeze(1), 2), torch.nn.functional.adaptive_avg_pool3d(x.unsqueeze(1), [4, 2, 2]), x.mean([2, 3]), x.mean([2, 3], True), x.mean(-1)]
    return [q.int_repr() for q in qs]


@case(I(1, 104, 5, 6, low=0, high=256, dtype=torch.uint8), I(104, 1, 3, 3, low=-127, high=128, dtype=torch.int8), I(208, 1, 5, 5, low=-127, high=128, dtype=torch.int8))
def saturated(pixels: Tensor, w: Tensor, v: Tensor) -> List[Tensor]:
    """Depthwise convolutions whose pairs of products do not fit 16 bits."""
    x = torch._make_per_tensor_quantized_tensor(pixels, 1.0, 64)
    packed = torch.ops.quantized.conv2d_prepack(torch._make_per_tensor_quantized_tensor(w, 1.0, 0), None, [1, 1], [1, 1], [1, 1], 104)
    wide = torch.ops.quantized.conv2d_prepack(torch._make_per_tensor_quantized_tensor(v, 1.0, 0), None, [2, 1], [2, 2], [1, 1], 104)
    y = torch.ops.quantized.conv2d(x, packed, 1024.0, 100)
    return [y.int_repr(), torch.ops.quantized.conv2d_relu(x, wide, 2048.0, 100).int_repr(), y.mean([2, 3]).int_repr(), torch.tensor(y.stride())]


class Engine(torch.nn.Module):
    """Layers packed for the library that PyTorch takes by default where the processor has its instructions."""

    def __init__(self):
        super().__init__()
        before = torch.backends.quantized.engine
        torch.backends.quantized.engine = "x86"
        w = I(16, 8, 3, 3, low=-1, high=2, seed=7)
        scales = torch.tensor([0.003, 0.006, 0.009, 0.0045]).repeat(4).double()
        bias = (torch.arange(16) - 7) * (scales * 0.043).float()
        wide = torch.ao.nn.quantized.Conv2d(8, 16, 3)
        wide.set_weight_bias(torch._make_per_channel_quantized_tensor(w.to(torch.int8), scales, torch.zeros(16, dtype=torch.long), 0), bias)
        wide.scale, wide.zero_point = 0.043 * 0.006, 63
        self.wide = wide
        torch.backends.quantized.engine = before


@case(I(2, 8, 7, 9, low=62, high=67, dtype=torch.uint8))
class DefaultEngine(Engine):
    def forward(self, pixels: Tensor):
        return self.wide(torch._make_per_tensor_quantized_tensor(pixels, 0.043, 64)).int_repr()


@case(I(6, 24, low=62, high=67, dtype=torch.uint8), I(9, 24, low=-1, high=2, seed=3, dtype=torch.int8), T(9))
def linear_halves(rows: Tensor, w: Tensor, b: Tensor) -> List[Tensor]:
    x = torch._make_per_tensor_quantized_tensor(rows, 0.043, 64)
    packed = torch.ops.quantized.linear_prepack(torch._make_per_tensor_quantized_tensor(w, 0.0037, 0), torch.round(b * 9) * (0.043 * 0.0037))
    return [torch.ops.quantized.linear(x, packed, 0.043 * 0.0074, 63).int_repr(), torch.ops.quantized.linear_dynamic(x.dequantize(), packed, False)]


@case(T(3, 5), T(4, 3))
def parts_of_bytes(x: Tensor, y: Tensor):
    """4 and 2 bits an element.  PyTorch writes archives with such tensors, and then cannot load them."""
    s, z = torch.tensor([0.2, 0.3, 0.25]), torch.tensor([1.0, 1.5, 2.0])
    a, b, c = torch.quantize_per_channel(x, s, z, 0, torch.quint4x2), torch.quantize_per_channel(x, s, z, 0, torch.quint2x4), torch.quantize_per_channel(y, s, z, 1, torch.quint4x2)
    t = torch.quantize_per_tensor(x, 0.2, 7, torch.quint4x2)
    w = torch.ops.quantized.embedding_bag_prepack(torch.quantize_per_channel(x[:, :4].contiguous(), s, z, 0, torch.quint4x2))
    looked = torch.ops.quantized.embedding_4bit(w, torch.tensor([2, 0, 1])), torch.ops.quantized.embedding_bag_4bit(w, torch.tensor([2, 0, 1]), torch.tensor([0, 2]))
    out = [r.int_repr() for r in [a, b, c, t]] + [r.dequantize() for r in [a, b, c, t]]
    return out, looked, a.q_per_channel_zero_points(), b.size(), a.element_size(), a.is_quantized


@case(T(3, 5), fails=True)
def parts_of_bytes_of_integer_zeros(x: Tensor):
    return torch.quantize_per_channel(x, torch.tensor([0.2, 0.3, 0.25]), torch.tensor([1, 1, 2]), 0, torch.quint4x2)
