"""Arguments for calls of operators by their schema: samples of PyTorch's operator database, and values that fit a type."""
import re
import warnings

import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

from corpus.base import I, T

F, G, N = T(2, 3), T(2, 3, seed=2), I(2, 3)
OUT = object()  # stands for the out= argument: an empty tensor
GUESS = {
    "Tensor": [F, N, T(2, 3).abs() + 0.1, F > 0, T(1, 2, 4, 4), T(3, 3), torch.complex(F, G), T(4), torch.tensor(2), T(1, 2, 4, 4, 4), torch.tensor(0.5)],
    "int": [1, 0, 2, 3], "SymInt": [1, 0, 2], "float": [0.5, 1.5], "number": [2, 0.5, True], "Scalar": [2, 0.5, True], "bool": [True, False], "str": ["ab", "a1", "1"],
    "complex": [complex(1, 2)], "List[int]": [[1, 2], [2], [0], [2, 2, 2]], "List[float]": [[0.5, 1.5]], "List[bool]": [[True, False]], "List[str]": [["b", "a"]],
    "List[Tensor]": [[F, G], [N, N + 1], [torch.complex(F, G), torch.complex(G, F)]], "List[Optional[Tensor]]": [[torch.tensor([0, 1])], [None, torch.tensor([0, 1])]],
    "List[complex]": [[complex(1, 2)]], "List[t]": [[3, 1, 2]], "t": [1, 0.5], "Device": [torch.device("cpu")], "ScalarType": [6, 4], "Layout": [0], "MemoryFormat": [0],
    "List[Scalar]": [[2, 3]], "Any": [F, 3], "List[List[int]]": [[[1, 2], [3, 4]]], "List[List[float]]": [[[0.5], [1.5]]], "Generator": [None]}
Q = [torch.quantize_per_tensor(F, 0.05, 3, torch.quint8), torch.quantize_per_tensor(T(1, 2, 4, 4), 0.05, 3, torch.quint8), torch.quantize_per_tensor(F, 0.05, 0, torch.qint8),
     torch.quantize_per_channel(F, torch.tensor([0.04, 0.05]), torch.tensor([0, 1]), 0, torch.qint8), torch.tensor([0.5, 0.25]), torch.quantize_per_tensor(T(1, 2, 4, 4, 4), 0.05, 3, torch.quint8)]
QUANTIZED = re.compile(r"quantized::|aten::(q_|int_repr|dequantize|_make_per|qscheme|quantized_)")
KEYS = {"int": 3, "float": 2.5, "str": "k", "bool": True, "complex": complex(1, 2), "Tensor": torch.tensor(5)}


def type_of(a):
    """The type's name, without what TorchScript does not write."""
    return str(a.real_type).replace("number", "Scalar").replace("SymInt", "int")


def guesses(a, form):
    """Values that fit an argument's type, the most useful first."""
    t = type_of(a)
    if form == "quantized" and t in ("Tensor", "List[Tensor]"):
        return Q if t == "Tensor" else [Q[:1] * 2]
    if t.startswith("Optional["):
        return [None] + [v for v in (GUESS.get(t[9:-1]) or [])][:2]
    m = re.match(r"Dict\[(\w+), t\]", t)
    if m:
        return [{KEYS[m.group(1)]: 7, KEYS[m.group(1)] if isinstance(KEYS[m.group(1)], bool) else {"int": 4, "float": 3.5, "str": "l", "complex": complex(2, 3)}.get(m.group(1), KEYS[m.group(1)]): 8}]
    if form == "key" and t in KEYS:
        return [KEYS[t]]
    return GUESS.get(t, [])


class Samples:
    """Values of arguments by name, for every operator that a sample of the operator database reaches."""
    def __init__(self):
        self.by_name = {}
        self.schemas = {(s.name, s.overload_name): s for s in torch._C._jit_get_all_schemas()}

    def keep(self, schema, values):
        leaves = [v for v in tree_flatten(values)[0] if isinstance(v, torch.Tensor)]
        if any(v.layout != torch.strided or v.numel() > 400 for v in leaves):
            return
        kept = self.by_name.setdefault(schema.name, [])
        kept.append((sum(v.numel() for v in leaves), len(kept), {a.name: v for a, v in zip(schema.arguments, values)}))
        kept.sort(key=lambda x: (x[0] < 4, x[0], x[1]))  # small ones, but not empty or single ones if others are there
        del kept[8:]

    def walk(self, graph, inputs):
        env = dict(zip((v.unique() for v in graph.inputs()), inputs))
        for node in graph.nodes():
            kind, ins = node.kind(), [env.get(v.unique()) for v in node.inputs()]
            outs = [v.unique() for v in node.outputs()]
            if kind == "prim::Constant":
                env[outs[0]] = node.output().toIValue()
            elif kind in ("prim::ListConstruct", "prim::TupleConstruct"):
                env[outs[0]] = list(ins)
            elif kind in ("prim::ListUnpack", "prim::TupleUnpack"):
                env.update(zip(outs, ins[0]))
            elif kind == "prim::NumToTensor":
                env[outs[0]] = torch.tensor(ins[0])
            elif kind == "aten::Int":
                env[outs[0]] = int(ins[0])
            else:
                name, _, overload = node.schema().split("(")[0].partition(".")
                schema = self.schemas[name, overload]
                self.keep(schema, [v.clone() if isinstance(v, torch.Tensor) else v for v in ins])
                op = getattr(getattr(torch.ops.aten, name.split("::")[1]), overload or "default")
                result = op(*[v for v, a in zip(ins, schema.arguments) if not a.kwarg_only], **{a.name: v for v, a in zip(ins, schema.arguments) if a.kwarg_only and v is not None})
                env.update({outs[0]: result} if len(outs) == 1 else zip(outs, result))

    def sample(self, op, s):
        leaves, spec = tree_flatten((s.input, s.args, s.kwargs))
        at = [i for i, v in enumerate(leaves) if isinstance(v, torch.Tensor)]
        if not at or any(leaves[i].numel() > 400 or leaves[i].layout != torch.strided for i in at):
            return

        def call(*tensors):
            full = list(leaves)
            for i, t in zip(at, tensors):
                full[i] = t
            first, args, kwargs = tree_unflatten(full, spec)
            return op(first, *args, **kwargs)
        given = tuple(leaves[i].detach().clone() for i in at)
        self.walk(torch.jit.trace(call, given, check_trace=False).inlined_graph, [leaves[i].detach() for i in at])

    def gather(self):
        from torch.testing._internal.common_methods_invocations import op_db
        warnings.simplefilter("ignore")
        for op in op_db:
            for dtype in (torch.float32, torch.int64, torch.bool, torch.complex64):
                try:
                    if not op.supports_dtype(dtype, "cpu"):
                        continue
                    torch.manual_seed(11)
                    for i, s in zip(range(8), op.sample_inputs("cpu", dtype, requires_grad=False)):
                        self.sample(op.op, s)
                except Exception:
                    pass
        return self

    def of(self, name):
        """Samples of an operator of this name, or of the one that it is a form of."""
        space, _, plain = name.partition("::")
        tries = [plain, plain.rstrip("_"), re.sub("_copy$", "", plain), re.sub("^special_", "", plain), re.sub("^_", "", plain), re.sub("_functional$", "", plain)]
        if plain.startswith("_foreach_"):
            tries.append("_foreach_" + plain[9:].rstrip("_"))
        found = []
        for t in dict.fromkeys(tries):
            found += self.by_name.get("%s::%s" % (space, t), [])
        return [v for _, _, v in found]


# operator: arguments that are tried first
RECIPES = {
    "aten::_fused_rms_norm": [{"input": F, "normalized_shape": [3], "weight": None, "eps": 1e-5}],
}

# PyTorch answers these calls in its own way: factors that are unique up to a sign, memory that nobody wrote, arguments that do not fit
DROPPED = {
    "aten::_cholesky_solve_helper", "aten::_linalg_svd", "aten::_linalg_svd.U", "aten::_list_to_tensor", "aten::_local_scalar_dense",
    "aten::_weight_norm", "aten::_weight_norm_interface", "aten::_weight_norm_interface.out", "aten::bernoulli.Tensor", "aten::bernoulli.Tensor_out",
    "aten::bernoulli_.Tensor", "aten::fft_ihfftn.out", "aten::linalg_eig", "aten::linalg_eig.out", "aten::linalg_matrix_rank.out_tol_tensor",
    "aten::linalg_matrix_rank.tol_tensor", "aten::linalg_pinv.atol_rtol_tensor", "aten::linalg_pinv.out_rcond_tensor",
    "aten::linalg_pinv.rcond_tensor", "aten::linalg_svd", "aten::linalg_svd.U", "aten::normal.Tensor_float_out", "aten::split_copy.Tensor_out",
    "quantized::prelu",
}
