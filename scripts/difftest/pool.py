"""Calls of every operator that tsrun and PyTorch share and that takes or gives tensors: what a random call starts from."""
import os
import sys

import torch

import database

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from corpus import operators  # noqa: E402
from corpus.base import T  # noqa: E402

LSTM = {"input": T(4, 3, 3), "data": T(6, 3), "batch_sizes": torch.tensor([3, 2, 1]), "has_biases": True, "num_layers": 1, "dropout": 0.0, "train": False, "bidirectional": False, "batch_first": False}


def recurrent(gates, states):
    params = [T(gates * 5, 3, seed=3), T(gates * 5, 5, seed=4), T(gates * 5, seed=5), T(gates * 5, seed=6)]
    hx = [T(1, 3, 5, seed=7 + k) for k in range(states)]
    return [dict(LSTM, params=params, hx=hx if states > 1 else hx[0])]


def cell(gates, states):
    return [{"input": T(2, 3), "hx": [T(2, 5, seed=k) for k in range(2)] if states > 1 else T(2, 5, seed=2), "w_ih": T(gates * 5, 3, seed=3), "w_hh": T(gates * 5, 5, seed=4), "b_ih": T(gates * 5, seed=5), "b_hh": T(gates * 5, seed=6)}]


def convolution(n, transposed=False):
    x, w = T(2, 4, *[6, 7, 5][:n]), T(4, 2, *[3, 2, 3][:n], seed=2)
    base = {"stride": [2] * n, "padding": [1] * n, "dilation": [1] * n, "transposed": transposed, "output_padding": [0] * n, "groups": 2}
    return [dict(base, **{k: x for k in ("input", "self")}, weight=w, bias=T(4, seed=3)),
            dict(base, **{k: x for k in ("input", "self")}, weight=T(4, 4, *[3, 2, 3][:n], seed=2), bias=None, groups=1, kernel_size=[3, 2, 3][:n], stride=[1] * n)]


def padding(n):
    return [{"self": T(2, 3, *[5, 6, 4][:n]), "padding": [1, 2, 0, 1, 2, 1][:2 * n]}]


# calls for operators whose arguments must fit together in ways that types do not tell
RECIPES = {
    "aten::lstm": recurrent(4, 2), "aten::gru": recurrent(3, 1), "aten::rnn_tanh": recurrent(1, 1), "aten::rnn_relu": recurrent(1, 1),
    "aten::lstm_cell": cell(4, 2), "aten::gru_cell": cell(3, 1), "aten::rnn_tanh_cell": cell(1, 1), "aten::rnn_relu_cell": cell(1, 1),
    "aten::conv1d": convolution(1), "aten::conv2d": convolution(2), "aten::conv3d": convolution(3), "aten::conv_transpose1d": convolution(1),
    "aten::conv_transpose2d": convolution(2), "aten::conv_transpose3d": convolution(3), "aten::slow_conv3d": convolution(3)[1:], "aten::thnn_conv2d": convolution(2)[1:],
    "aten::convolution": convolution(1) + convolution(2) + convolution(2, True) + convolution(3), "aten::slow_conv_dilated2d": convolution(2)[1:],
    "aten::slow_conv_dilated3d": convolution(3)[1:], "aten::slow_conv_transpose2d": [dict(convolution(2)[1], weight=T(4, 3, 3, 2, seed=2))],
    "aten::slow_conv_transpose3d": [dict(convolution(3)[1], weight=T(4, 3, 3, 2, 3, seed=2))], "aten::mkldnn_convolution": convolution(2),
    "aten::_slow_conv2d_forward": convolution(2)[1:], "aten::slow_conv3d_forward": convolution(3)[1:],
    "aten::_conv_depthwise2d": [dict(convolution(2)[1], weight=T(4, 1, 3, 2, seed=2))], "aten::conv_depthwise3d": [dict(convolution(3)[1], weight=T(4, 1, 3, 2, 3, seed=2))],
    "aten::conv_tbc": [{"self": T(5, 2, 3), "weight": T(2, 3, 4, seed=2), "bias": T(4, seed=3), "pad": 1}],
    "aten::col2im": [{"self": T(2, 12, 6), "output_size": [3, 4], "kernel_size": [2, 2], "dilation": [1, 1], "padding": [0, 0], "stride": [1, 1]}],
    "aten::reflection_pad2d": padding(2), "aten::reflection_pad3d": padding(3), "aten::replication_pad2d": padding(2), "aten::replication_pad3d": padding(3),
    "aten::nll_loss": [{"self": T(4, 3), "target": torch.tensor([0, 2, 1, 1]), "weight": T(3).abs(), "reduction": r, "ignore_index": -100} for r in (0, 1, 2)],
    "aten::nll_loss2d": [{"self": T(2, 3, 2, 2), "target": torch.tensor([[[0, 2], [1, 1]], [[2, 2], [0, 1]]]), "weight": None, "reduction": r, "ignore_index": -100} for r in (0, 1, 2)],
    "aten::chain_matmul": [{"matrices": [T(2, 3), T(3, 4), T(4, 2)]}], "aten::bmm": [{"self": T(2, 2, 3), "mat2": T(2, 3, 4), "out_dtype": 6}],
    "aten::mm": [{"self": T(2, 3), "mat2": T(3, 4), "out_dtype": 6}], "aten::ger": [{"self": T(3), "vec2": T(4)}],
    "aten::_int_mm": [{"self": torch.ones(17, 8, dtype=torch.int8), "mat2": torch.ones(8, 16, dtype=torch.int8)}],
    "aten::_fft_c2c": [{"self": torch.complex(T(3, 4), T(3, 4, seed=2)), "dim": [1], "normalization": 0, "forward": True}],
    "aten::_fft_c2r": [{"self": torch.complex(T(3, 4), T(3, 4, seed=2)), "dim": [1], "normalization": 0, "last_dim_size": 6}],
    "aten::upsample_trilinear3d": [{"self": T(1, 2, 3, 4, 2), "output_size": [4, 5, 3], "align_corners": False}],
    "aten::affine_grid_generator": [{"theta": T(2, 2, 3), "size": [2, 3, 4, 5], "align_corners": False}],
    "aten::_cholesky_solve_helper": [{"self": T(3, 2), "A": torch.linalg.cholesky(T(3, 3) @ T(3, 3).T + 3 * torch.eye(3)), "upper": False}],
    "aten::orgqr": [{"self": T(4, 3), "input2": T(3)}], "aten::_embedding_bag_forward_only": [{"weight": T(5, 3), "indices": torch.tensor([0, 3, 1, 4]), "offsets": torch.tensor([0, 2])}],
    "aten::embedding_renorm": [{"self": T(5, 3), "indices": torch.tensor([0, 3]), "max_norm": 0.5, "norm_type": 2.0}],
    "aten::_pack_padded_sequence": [{"input": T(4, 3, 2), "lengths": torch.tensor([4, 2, 1]), "batch_first": False}],
    "aten::_pad_packed_sequence": [{"data": T(7, 2), "batch_sizes": torch.tensor([3, 2, 1, 1]), "batch_first": True, "padding_value": 0.5, "total_length": 5}],
    "aten::multilabel_margin_loss_forward": [{"self": T(2, 3), "target": torch.tensor([[0, 2, -1], [1, -1, 0]]), "reduction": r} for r in (0, 1)],
    "aten::linalg_cond": [{"self": T(3, 3), "p": "nuc"}, {"self": T(3, 3), "p": "fro"}], "aten::linalg_norm": [{"self": T(3, 4), "ord": "nuc"}, {"self": T(3, 4), "ord": "fro"}],
    "aten::_ctc_loss": [{"log_probs": T(6, 2, 4).log_softmax(-1), "targets": torch.tensor([[1, 2, 3], [3, 3, 1]]), "input_lengths": [6, 5], "target_lengths": [3, 2]}],
    "aten::repeat_interleave": [{"repeats": torch.tensor([1, 2, 0, 3])}], "aten::native_norm": [{"self": T(2, 3), "p": 2}],
}
LIMIT = 2000  # elements of a tensor that may take part
KEPT = 12  # calls of an operator
OTHER_KINDS = "Bool Complex Float Int".split()  # conversions that TorchScript spells in its own way


def copy(v):
    if isinstance(v, (list, tuple)):
        return [copy(x) for x in v]
    return v.clone() if isinstance(v, torch.Tensor) else v


def leaves(values):
    return [t for v in values for t in (v if isinstance(v, (list, tuple)) else [v]) if isinstance(t, torch.Tensor)]


class Gather(database.Runner):
    """A runner that keeps the operands of calls instead of comparing."""
    def __init__(self, *a):
        super().__init__(*a)
        self.pool = {}

    def once(self, where, key, values):
        key, values = self.settled(key, values)
        if key is None:
            raise NotImplementedError
        pos, kw = self.split(key, values)
        before = copy(values)
        want = self.operator(key)(*pos, **kw)
        kept = self.pool.setdefault(key, [])
        if len(kept) < KEPT and all(t.numel() <= LIMIT for t in leaves(values)):
            kept.append(before)
        return want

    def database(self, op_db):
        for op in op_db:
            for dtype in (torch.float32, torch.int64, torch.bool, torch.complex64):
                if not op.supports_dtype(dtype, "cpu"):
                    continue
                try:
                    for i, s in enumerate(database.samples_of(op, dtype, "sample")):
                        if i >= KEPT:
                            break
                        try:
                            self.sample("", op.op, s)
                        except Exception:
                            pass
                except Exception:
                    pass

    def outs_of(self, schema, given):
        """Empty tensors for the out= arguments, of the element types that the form without them gives."""
        types = []
        for s in torch._C._jit_get_schemas_for_operator(schema.name):
            names = {a.name for a in s.arguments}
            if any(a.is_out for a in s.arguments) or any(k not in names for k, v in given.items() if v is not operators.OUT):
                continue
            try:
                op = self.operator((s.name, s.overload_name))
                values = [(a, copy(given.get(a.name, a.default_value))) for a in s.arguments if a.name in given or not a.kwarg_only]
                result = op(*[v for a, v in values if not a.kwarg_only], **{a.name: v for a, v in values if a.kwarg_only})
                types = [t.dtype for t in (result if isinstance(result, (list, tuple)) else [result])]
                break
            except Exception:
                pass
        return types or [torch.float32] * 6

    def guess(self, key, samples):
        """Calls of an operator that no sample reaches: arguments by type, and those of the operators that it is a form of."""
        _, schema, args = self.library.methods[key]
        kept = []
        for n, given in enumerate(list(RECIPES.get(key[0], ())) + list(operators.candidates(schema, samples))):
            if n >= 150 or len(kept) >= 6:
                break
            given = dict(given, **{a.name: operators.OUT for a in args if a.is_out})
            types = self.outs_of(schema, given) if any(a.is_out for a in args) else []
            values = []
            for a in args:
                v = given[a.name] if a.name in given else a.default_value
                if v is operators.OUT:
                    v = [torch.empty([0], dtype=t) for t in types] if str(a.real_type).startswith("List") else torch.empty([0], dtype=types.pop(0) if types else torch.float32)
                values.append(v)
            if any(t.numel() > LIMIT or t.layout != torch.strided or t.is_quantized for t in leaves(values)):
                continue
            try:
                settled, values = self.settled(key, values)
                if settled != key:
                    continue
                pos, kw = self.split(key, copy(values))
                self.operator(key)(*pos, **kw)
                kept.append(values)
            except Exception:
                pass
        return kept


def gather(library, tsrun, report, note):
    from torch.testing._internal.common_methods_invocations import op_db
    runner = Gather(library, tsrun, report, note)
    runner.database(op_db)
    samples = operators.Samples().gather()
    for key in sorted(runner.library.methods):
        if not runner.pool.get(key) and key[0].split("::")[1] not in OTHER_KINDS:
            # some guesses end PyTorch's process: each operator has one of its own, and tells the indices of what it accepted
            if operators.apart(lambda: len(runner.guess(key, samples))):
                runner.pool[key] = runner.guess(key, samples)
    return runner.pool
