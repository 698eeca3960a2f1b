#!/usr/bin/env python3
"""Calls that PyTorch refuses, with its words: python scripts/make_refusals.py tests/refusals (needs torch 2.13)

Each line of CALLS becomes a method of one model; expected.txt has the method, and the first line of what PyTorch raised.
"""
import os
import sys

import torch

CALLS = """
torch.linalg_det(torch.ones(2, 2, dtype=torch.half))
torch.linalg_solve(torch.ones(2, 2, dtype=torch.bfloat16), torch.ones(2, 2, dtype=torch.bfloat16))
torch.linalg_lu_factor(torch.ones(2, 2, dtype=torch.half))
torch.linalg_lu_factor(torch.ones(2, 2), pivot=False)
torch.linalg_lu(torch.ones(3))
torch.linalg_cholesky(torch.ones(2, 2, dtype=torch.half))
torch.cholesky(torch.ones(2, 2, dtype=torch.int64))
torch.cholesky_solve(torch.ones(2, 2, dtype=torch.half), torch.ones(2, 2, dtype=torch.half))
torch.cholesky_inverse(torch.ones(2, 2, dtype=torch.half))
torch.linalg_qr(torch.ones(2, 2, dtype=torch.half))
torch.geqrf(torch.ones(3))
torch.linalg_svd(torch.ones(2, 2, dtype=torch.half))
torch.linalg_eig(torch.ones(2, 2, dtype=torch.int64))
torch.linalg_eig(torch.full([2, 2], float('inf')))
torch.linalg_eigvals(torch.ones(2, 3))
torch.linalg_eigh(torch.ones(2, 2, dtype=torch.half))
torch.linalg_ldl_factor(torch.ones(2, 2, dtype=torch.half))
torch.linalg_pinv(torch.ones(2, 2, dtype=torch.half))
torch.linalg_matrix_rank(torch.ones(2, 2, dtype=torch.half))
torch.linalg_matrix_norm(torch.ones(2, 2, dtype=torch.half), 'nuc')
torch.linalg_matrix_norm(torch.ones(2, 2), 'fro', [1, 1])
torch.linalg_householder_product(torch.ones(2, 3), torch.ones(2))
torch.ormqr(torch.ones(3, 2), torch.ones(1), torch.ones(3, 2))
torch.triangular_solve(torch.ones(2, 1), torch.ones(2, 2, dtype=torch.float64))
torch.linalg_lu_solve(torch.ones(2, 2), torch.ones(2, dtype=torch.int32), torch.ones(3, 1))
torch.lu_unpack(torch.ones(2, 2), torch.zeros(2, dtype=torch.int32))
torch._fft_r2c(torch.ones(4, dtype=torch.half), [0], 0, True)
torch.softmax(torch.ones(2, 3), 1, out=torch.ones(2, 3, dtype=torch.float64))
torch._softmax_backward_data(torch.ones(2, 3), torch.ones(1, 3), 1, 6)
torch.nonzero(torch.ones(3), out=torch.ones(1, dtype=torch.int32))
torch.masked_select(torch.ones(3), torch.ones(3) > 0, out=torch.ones(3, dtype=torch.float64))
torch.median(torch.ones(2, 3), 1, values=torch.ones(2), indices=torch.ones(2, dtype=torch.int32))
torch.mode(torch.ones(2, 3), 1, values=torch.ones(2), indices=torch.ones(2, dtype=torch.int32))
torch.kthvalue(torch.ones(2, 3), 1, values=torch.ones(2, dtype=torch.half), indices=torch.ones(2, dtype=torch.int64))
torch.cummax(torch.ones(2, 3), 1, values=torch.ones(2, 3), indices=torch.ones(2, 3, dtype=torch.int32))
torch.amax(torch.ones(2, 3), [1], out=torch.ones(2, dtype=torch.float64))
torch.float_power(torch.ones(3), 2, out=torch.ones(3))
torch.heaviside(torch.ones(3), torch.ones(3), out=torch.ones(3, dtype=torch.float64))
torch.bucketize(torch.ones(3), torch.ones(3), out_int32=True, out=torch.ones(3, dtype=torch.int64))
torch.roll(torch.ones(3), [1], [0], out=torch.ones(3, dtype=torch.float64))
torch.linalg_matrix_power(torch.ones(2, 2), 2, out=torch.ones(2, 2, dtype=torch.float64))
torch.nuclear_norm(torch.ones(2, 2), out=torch.ones([], dtype=torch.float64))
torch.cumsum_(torch.ones(3, dtype=torch.int32), 0, dtype=torch.int64)
torch.index_add(torch.ones(1), 0, torch.ones(1, dtype=torch.int64), torch.ones(1))
torch.put(torch.ones(3), torch.ones(1), torch.ones(1))
torch.kron(torch.ones(2, 4)[:, ::2], torch.ones(3, 2).t())
torch.isin(torch.tensor([1, 2]), torch.ones(2, 3, dtype=torch.int64).t())
torch.avg_pool2d(torch.ones(1, 3, 3), [0, 2], [1, 1])
torch.avg_pool3d(torch.ones(1, 3, 3, 3), [2, 2, 2], [-1, 1, 1])
torch.bilinear(torch.ones(2, 2), torch.ones(2, 2), torch.ones(1, 2, 2), torch.ones(1, dtype=torch.float64))
torch.rrelu_with_noise(torch.ones(2), torch.ones(3))
torch._int_mm(torch.ones(17, 8, dtype=torch.int8), torch.ones(9, 8, dtype=torch.int8))
torch.native_dropout(torch.ones(2), 1.5, True)
torch._pdist_forward(torch.ones(2, 3).t())
torch.thnn_conv2d(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 2, 2), [3, 2], None, [1, 1], [0, 0])
torch.thnn_conv2d(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 2, 2), [2, 2], None, [1, 0], [0, 0])
torch.thnn_conv2d(torch.ones(1, 2, 4, 0), torch.ones(3, 2, 2, 2), [2, 2], None, [1, 1], [0, 0])
torch.thnn_conv2d(torch.ones(1, 2, 4, 4), torch.ones(0, 2, 2, 2), [2, 2], None, [1, 1], [0, 0])
torch.thnn_conv2d(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 2, 2), [2], None, [1, 1], [0, 0])
torch.thnn_conv2d(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 2, 2), [2, 2], None, [1, 1], [0, 0], out=torch.ones(0, dtype=torch.half))
torch.slow_conv3d(torch.ones(1, 2, 3, 3, 3), torch.ones(3, 2, 2, 2, 2), [2, 0, 2], None, [1, 1, 1], [0, 0, 0])
torch.slow_conv3d(torch.ones(1, 1, 3, 3, 3), torch.ones(3, 2, 2, 2, 2), [2, 2, 2], None, [1, 1, 1], [0, 0, 0])
torch.slow_conv3d(torch.ones(1, 2, 3, 3, 3, dtype=torch.bool), torch.ones(3, 2, 2, 2, 2), [2, 2, 2], None, [1, 1, 1], [0, 0, 0])
torch.slow_conv_dilated2d(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 2, 2), [2, 3], None, [1, 1], [0, 0], [1, 1])
torch.slow_conv_dilated2d(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 2, 2), [2, 2], None, [1, 1], [-2, -1], [1, 1])
torch.slow_conv_dilated3d(torch.ones(1, 1, 3, 3, 3), torch.ones(3, 2, 2, 2, 2), [2, 2, 2], None, [1, 1, 1], [0, 0, 0], [1, 1, 1])
torch.slow_conv_dilated2d(torch.ones(1, 2, 4, 4, dtype=torch.int32), torch.ones(3, 2, 2, 2), [2, 2], None, [1, 1], [0, 0], [1, 1])
torch.slow_conv_transpose2d(torch.ones(1, 2, 4, 4), torch.ones(2, 3, 2, 2), [2, 2], None, [1, 1], [0, 0], [0, 0], [1, 0])
torch.slow_conv_transpose2d(torch.ones(1, 2, 4, 4, dtype=torch.int64), torch.ones(2, 3, 2, 2, dtype=torch.int64), [2, 2], torch.ones(3), [1, 1], [0, 0], [0, 0], [1, 1])
torch.slow_conv_transpose2d(torch.ones(1, 2, 4, 4, dtype=torch.int8), torch.ones(2, 3, 2, 2), [2, 2], None, [1, 1], [0, 0], [0, 0], [1, 1], out=torch.ones(0))
torch.slow_conv_transpose3d(torch.ones(1, 2, 0, 3, 3), torch.ones(2, 3, 2, 2, 2), [2, 2, 2], None, [1, 1, 1], [0, 0, 0], [0, 0, 0], [1, 1, 1])
torch.slow_conv_transpose3d(torch.ones(1, 2, 3, 3, 3), torch.ones(2, 3, 2, 2, 2), [2, 2, 2], None, [1, 1, 1], [4, 0, 0], [0, 0, 0], [1, 1, 1])
torch.mkldnn_convolution(torch.ones(1, 2, 4, 4, dtype=torch.float64), torch.ones(3, 2, 2, 2), None, [0, 0], [1, 1], [1, 1], 1)
torch.mkldnn_convolution(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 2, 2), None, [0, 0], [1, 1], [1, -1], 1)
torch.conv_tbc(torch.ones(3, 1, 2), torch.ones(2, 3, 4), torch.ones(4))
torch.conv_tbc(torch.ones(3, 1, 2), torch.ones(2, 2, 4), torch.ones(3))
torch.conv_tbc(torch.ones(2, 3, 2).transpose(0, 1), torch.ones(2, 2, 4), torch.ones(4))
torch.conv_tbc(torch.ones(3, 1, 2, dtype=torch.uint8), torch.ones(2, 2, 4), torch.ones(4))
torch.conv1d(torch.ones(1, 2, 4), torch.ones(3, 2, 2), torch.ones(3, dtype=torch.half))
torch.conv2d(torch.ones(2, 2, 4, 4), torch.ones(3, 2, 2, 2, dtype=torch.half))
torch.conv2d(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 2, 2, dtype=torch.half))
torch.conv2d(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 2, 2), None, [1, 1], [0, 0], [0, 1])
torch.conv2d(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 2, 2), None, [1, 1], [0, 0], [-1, 1])
torch.conv1d(torch.ones(1, 2, 0), torch.ones(3, 2, 2), None, [1], [1])
torch.conv3d(torch.ones(1, 2, 3, 3, 3, dtype=torch.bool), torch.ones(3, 2, 2, 2, 2))
torch.conv_transpose2d(torch.ones(1, 2, 4, 4), torch.ones(2, 3, 2, 2), None, [1, 1], [4, 0])
torch.conv_transpose1d(torch.ones(1, 2, 4, dtype=torch.float64), torch.ones(2, 3, 2, dtype=torch.float64), None, [1], [0], [1])
torch.conv_transpose3d(torch.ones(1, 2, 3, 3, 3), torch.ones(2, 3, 2, 2, 2), torch.ones(3, dtype=torch.half))
""".strip().split("\n")


def main():
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    model, lines = torch.jit.ScriptModule(), []
    for i, text in enumerate(CALLS):
        name, text = "m%d" % i, text.replace("torch.", "torch.ops.aten.", 1)
        try:
            model.define("def %s(self):\n    return %s\n" % (name, text))
        except RuntimeError as e:
            print("left out: %s: %s" % (text, str(e).strip().split("\n")[0]))
            continue
        try:
            getattr(model, name)()
            print("not refused: " + text)
        except Exception as e:
            said = [line for line in str(e).split("\n") if line.startswith("RuntimeError: ") or line.startswith("ValueError: ") or line.startswith("IndexError: ")]
            lines.append("%s\t%s" % (name, (said[-1].split(": ", 1)[1] if said else str(e).strip().split("\n")[-1])))
    model.define("def forward(self):\n    return 1\n")
    torch.jit.save(model, os.path.join(out, "model.pt"))
    with open(os.path.join(out, "expected.txt"), "w") as f:
        f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
