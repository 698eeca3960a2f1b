"""Programs written as they stand in archives, for operators that no other case calls: forms that PyTorch's compiler renames or
computes itself, packed parameters, arguments that only fit together.  Each line is a result, unless it assigns a name.
"name name: call" calls twice, the second time with empty tensors for these out arguments (name/4: of the element type 4).
"""
import importlib.util
import os
import re

import torch

from corpus.base import I, T, case, with_code

ANNOTATIONS = ((torch.Tensor, "Tensor"), (bool, "bool"), (int, "int"), (float, "float"), (str, "str"), (complex, "complex"))


def type_name(v):
    if isinstance(v, list):
        return "List[%s]" % type_name(v[0])
    return next(text for kind, text in ANNOTATIONS if isinstance(v, kind))


def body(text):
    lines, results = [], []
    for line in filter(None, (x.strip() for x in text.splitlines())):
        outs = re.match(r"((?:\w+(?:/\d+)? ?)+): (.*)\)$", line)
        if re.match(r"\w+ = ", line):
            lines.append(line)
            continue
        calls = [line]
        if outs:
            empty = ["%s=torch.empty([0], dtype=%s)" % (n, d or 6) for n, _, d in (x.partition("/") for x in outs.group(1).split())]
            calls = [outs.group(2) + ")", "%s, %s)" % (outs.group(2), ", ".join(empty))]
        for call in calls:
            results.append("r%d" % len(results))
            lines.append("%s = %s" % (results[-1], call))
    return "\n".join("    " + x for x in lines + ["return (%s,)" % ", ".join(results)]) + "\n"


def archive(inputs, text):
    """The bytes of an archive of one module with this forward."""
    m = torch._C.ScriptModule("__torch__.Rows", torch._C.CompilationUnit(), True)
    code = "class Rows(Module):\n  __parameters__ = []\n  __buffers__ = []\n  def forward(%s):\n%s" % (
        ", ".join(["self: __torch__.Rows"] + ["%s: %s" % (k, type_name(v)) for k, v in inputs.items()]), body(text))
    return with_code(torch.jit._recursive.wrap_cpp_module(m), code)


def program(name, text, inputs=None, **opt):
    inputs = inputs or {}
    case(*inputs.values(), name=name, form="written", plain_name=True, **opt)(lambda: archive(inputs, text))


def q8(x, scale=0.05, zero=3, dtype=torch.quint8):
    return torch.quantize_per_tensor(x, scale, zero, dtype)



def one(f, names):
    """The line for each of these names."""
    return "\n".join(f.replace("$", n) for n in names.split())


# Numbers: PyTorch's compiler and tsrun's machine need no call for these, unless they are of type Scalar or known ahead.
NUMBERS = "acos asin asinh atan atanh angle ceil cos cosh erf erfc exp expm1 fabs floor gamma lgamma log log10 log1p neg radians degrees round sin sinh sqrt tan tanh"
program("numbers", """
    s = torch.item(a)
    big = torch.item(b)
""" + one("torch.$(s)", NUMBERS) + """
    torch.acosh(big)
    ops.prim.abs(s)
    torch.atan2(s, big)
    torch.copysign(s, big)
    torch.fmod(big, s)
    torch.mathremainder(big, s)
    torch.remainder(big, s)
    torch.floordiv(big, s)
    torch.log(s, big)
    torch.polar(s, big)
    torch.pow(s, big)
    torch.pow(z, z)
""" + one("torch.$(s, big)", "add sub mul div ge gt le lt ne eq") + """
    ops.prim.max(s, big)
    ops.prim.min(s, big)
    torch.Complex(a, b)
""", {"a": torch.tensor(0.5), "b": torch.tensor(3.5), "z": complex(1, 2)})
program("constants", "\n".join("torch.%s(%s)" % (f, x) for f in "add sub mul div ge gt le lt ne eq".split() for x in ("7, 2", "2.5, 3.5", "2, 3.5", "2.5, 3"))
        + "\n" + one("torch.$(True, False)", "__and__ __or__ __xor__ ne eq") + "\n" + one("torch.$(6, 3)", "__and__ __or__ __xor__ floordiv remainder") + """
    torch.__derive_index(6, 3, 2)
    torch.__range_length(1, 10, 2)
    torch.pow(2, 5)
    torch.neg(2.5)
    torch.neg(2)
    torch.Float(3)
    ops.prim.abs(-2.5)
    ops.prim.abs(-2)
""" + "\n".join("ops.prim.%s(%s)" % (f, x) for f in ("max", "min") for x in ("1, 2", "1.5, 2.5", "1, 2.5", "1.5, 2", "[1, 2], [2, 1]", "[1.5], [0.5]", "[True], [False]", "[True, False]", "[3, 4]", "[2.5, 1.5]")) + """
    torch.isupper("AB")
    ops.prim.StringIndex("abc", 1)
    ops.prim.rangelist(4)
    torch.ne(torch.device("cpu"), torch.device("cuda"))
    torch.len(annotate(List[Any], [1, "a"]))
    torch.__is__(1, None)
    torch.__isnot__(1, None)
    ops.prim.TupleIndex((1, "a"), 1)
    ops.prim.unchecked_cast(3)
    ops.prim.unchecked_unwrap_optional(annotate(Optional[int], 3))
    torch._unwrap_optional(annotate(Optional[int], 3))
    torch.is_scripting()
    torch._get_tracing_state()
    torch.is_vulkan_available()
    torch._use_cudnn_rnn_flatten_weight()
    torch.get_autocast_dtype("cpu")
    ops.prim.NumToTensor(True)
""")

program("containers", """
    d = annotate(Dict[Tensor, int], {k: 1})
    e = annotate(Dict[Tensor, int], {l: 2})
    _ = torch.update(d, e)
    _ = torch._set_item(d, m, 3)
    torch.len(d)
    torch.values(torch.copy(d))
    torch.values(torch.dict(d))
    torch.values(torch.dict([(k, 1), (l, 2)]))
    torch.dict([(1, 2)])
    torch.dict([(1.5, 2)])
    torch.dict([(True, 2)])
    torch.dict([("a", 2)])
    torch.values(torch.dict([(z, 2)]))
    torch.keys(torch.dict([(z, 2)]))
    n = [k, l, m]
    torch.count(n, l)
    torch.index(n, l)
    torch.eq(n, n)
    torch.ne(n, n)
    _ = torch.sort(n, True)
    torch.sorted([m, l])
    _ = torch.remove(n, l)
    _ = torch._set_item([1, 2], 0, 3)
    q = annotate(List[int], [])
    torch.append(q, 3)
    n
    _ = torch._print("text")
    torch._list_to_tensor([2, 3])
    torch._tensor_to_list(torch.tensor([2, 3], dtype=3))
    torch._local_scalar_dense(k)
    torch.sym_is_contiguous(k)
    _ = torch.sym_constrain_range(3, min=1, max=5)
    _ = torch.sym_constrain_range_for_size(3, min=None, max=5)
    _ = torch._assert_async(k)
    _ = torch._assert_async(k, "is zero")
    _ = torch._assert_scalar(1, "is zero")
    _ = torch._assert_tensor_metadata(k, [], None, 4)
    _ = ops.prim.AddStatValue("name", 1)
""", {"k": torch.tensor(1), "l": torch.tensor(2), "m": torch.tensor(3), "z": complex(1, 2)})
program("tensor-facts", """
    _ = ops.prim.grad(x)
    t = ops.prim.TimePoint()
    i = ops.prim.id(None)
    h = ops.profiler._record_function_enter("part")
    _ = ops.profiler._record_function_exit(h)
    g = torch.seed(torch.Generator())
""" + one("ops.prim.$(x)", "is_cpu is_ipu is_maia is_meta is_mkldnn is_mps is_mtia is_quantized is_vulkan is_xla is_xpu itemsize name nbytes"), {"x": T(2, 3)})

# foreach
F = [T(2, 3), T(4, seed=2)]
P = [x.abs() + 0.1 for x in F]
LISTS = "add sub mul div clamp_max clamp_min maximum minimum pow"
program("foreach-scalars", "n = [torch.item(s[0]), torch.item(s[1])]\n" + one("torch._foreach_$(x, n)", LISTS) + """
    torch._foreach_lerp(x, y, n)
""" + "\n".join("torch._foreach_%s(x, y, p, %s)" % (f, s) for f in ("addcdiv", "addcmul") for s in ("n", "s")) + """
    torch._foreach_frac(x)
    torch._foreach_mm([torch.mm(x[0], torch.t(x[0]))], [x[0]])
    torch.unflatten_dense_tensors(torch.arange(6), [torch.zeros([2]), torch.zeros([2, 2])])
""", {"x": P, "y": F, "p": P, "s": torch.tensor([2, 0.5])})
written = lambda f, call: "%s = [torch.clone(x[0]), torch.clone(x[1])]\n_ = %s\n%s\n" % (f, call, f)
program("foreach-in-place", "n = [torch.item(s[0]), torch.item(s[1])]\n" + "".join(written("a_" + f, "torch._foreach_%s_(a_%s, n)" % (f, f)) for f in LISTS.split())
        + written("a_lerp", "torch._foreach_lerp_(a_lerp, y, n)") + written("a_div2", "torch._foreach_div_(a_div2, 2)")
        + "".join(written(f + n, "torch._foreach_%s_(%s, y, p, %s)" % (f, f + n, s)) for f in ("addcdiv", "addcmul") for n, s in (("1", "n"), ("2", "s"))),
        {"x": P, "y": F, "p": P, "s": torch.tensor([2, 0.5])})
program("foreach-out", "n = [torch.item(s[0]), torch.item(s[1])]\n" + "".join(written("a_" + f, "torch._foreach_%s(x, n, out=a_%s)" % (f, f)) for f in LISTS.split())
        + written("a_lerp", "torch._foreach_lerp(x, y, n, out=a_lerp)") + written("a_lgamma", "torch._foreach_lgamma(x, out=a_lgamma)")
        + "".join(written(f + n, "torch._foreach_%s(x, y, p, %s, out=%s)" % (f, s, f + n)) for f in ("addcdiv", "addcmul") for n, s in (("1", "n"), ("2", "s"))),
        {"x": P, "y": F, "p": P, "s": torch.tensor([2, 0.5])})

# pointwise
program("pointwise", """
    torch.add(x, y)
    torch.special_gammaln(x)
    torch.arcsinh(x)
    torch.tanh_(torch.clone(x))
    torch.cos_(torch.clone(x))
    torch.lt_(torch.clone(x), y)
    torch.copysign(x, -1)
    torch.chalf(x)
    torch.alias(x)
    torch.copy_(torch.clone(x), y)
    torch.float_power_(torch.to(x, 7), 2)
    torch.float_power_(torch.to(x, 7), y)
    out: torch._add_relu(x, -0.5)
    out: torch.tanh(x)
    out: torch.hardsigmoid(x)
    out: torch.clamp(x, -0.5, 0.5)
    out: torch.clip(x, -0.5, 0.5)
    out: torch.clip(x, torch.zeros_like(x), y)
    out/4: torch.__rshift__(i, j)
    out/4: torch.bitwise_right_shift(9, j)
    out: torch.special_round(x)
    out: torch.special_log_ndtr(x)
    out: torch.special_xlogy(x, p)
    out: torch.special_xlogy(x, 2)
    out: torch.special_xlogy(2, p)
    out: torch.special_xlog1py(x, 2)
    torch.special_shifted_chebyshev_polynomial_v(p, j)
    torch.special_shifted_chebyshev_polynomial_w(p, 3)
    torch.special_softmax(x, 1)
    torch.special_log_softmax(x, 1)
    torch.to(x, 7)
    out/11: torch.all(x)
    out/11: torch.any(x)
    values indices/4: torch.cummax(x, 1)
    torch.count_nonzero(x, [0, 1])
    torch.var_mean(x, [1], correction=0)
    out: torch.diff(x)
    out: torch.full([2], 3)
    out: torch.range(1, 5)
    out/4: torch.nonzero_static(x, size=7)
    torch._unsafe_view(x, [3, 2])
    torch._unsafe_view(x, [3, 2], out=torch.empty([0]))
    torch._reshape_copy(x, [3, 2])
    torch._reshape_from_tensor(x, torch.tensor([3, 2]))
    torch.swapaxes(x, 0, 1)
    torch.swapdims(x, 0, 1)
    torch.numpy_T(x)
    torch.mT(x)
    torch.mH(x)
    torch.matrix_H(x)
    torch.split(x, [1, 2], 1)
    torch.split(x, split_sizes=[1, 2], dim=1)
    torch.repeat_interleave(x, torch.tensor([1, 2]), 0)
    torch._unsafe_index(x, [torch.tensor([1, 0])])
    torch._unsafe_index_put(x, [torch.tensor([1, 0])], y)
    torch._index_put_impl_(torch.clone(x), [torch.tensor([1, 0])], y)
    torch.unique_dim(i, 1, True, True, True)
    torch.unique_dim(i, 1, True, True, True, out0=torch.empty([0], dtype=4), out1=torch.empty([0], dtype=4), out2=torch.empty([0], dtype=4))
    torch.unique_dim_consecutive(i, 1, True, True)
    torch.unique_dim_consecutive(i, 1, True, True, out0=torch.empty([0], dtype=4), out1=torch.empty([0], dtype=4), out2=torch.empty([0], dtype=4))
    torch.hash_tensor(i, out=torch.hash_tensor(j))
    split = [torch.empty([1, 3]), torch.empty([1, 3])]
    _ = torch.split_copy(x, 1, out=split)
    split
    torch.gradient(x, spacing=[torch.item(p[0][0]), torch.item(p[0][1])], dim=[0, 1])
    torch.gradient(x, spacing=[torch.item(p[0][0])], dim=1)
    torch.gradient(x, spacing=[torch.tensor([1.0, 3.0]), torch.tensor([1.0, 2.0, 4.0])], dim=[0, 1])
    torch.gradient(x, spacing=[torch.tensor([1.0, 2.0, 4.0])], dim=1)
    torch.histogramdd(x, [torch.tensor([-1.0, 0.0, 1.0]), torch.tensor([-2.0, 0.0, 2.0]), torch.tensor([-1.0, 1.0])])
""", {"x": T(2, 3), "y": T(2, 3, seed=2), "p": T(2, 3, seed=3).abs() + 0.1, "i": I(2, 3), "j": I(2, 3, low=0, high=3)})

# random numbers
program("random", """
    torch.bernoulli(x, p)
    torch.bernoulli(x, p, out=torch.empty([0]))
    torch.bernoulli(x, 0.3, out=torch.empty([0]))
    torch.bernoulli_(torch.clone(x), p)
    torch.normal(x, 0.5, out=torch.empty([2, 3]))
    torch.normal(0.5, p, out=torch.empty([0]))
    torch.normal(x, 0.5, 2.0, out=torch.empty([0]))
    _ = torch.manual_seed(7)
    torch.rand([3])
    g = torch.Generator()
    torch.initial_seed(torch.manual_seed(g, 9))
""", {"x": T(2, 3), "p": T(2, 3, seed=3).abs().clamp(max=1)})

# linear algebra
program("linear-algebra", """
    torch.addmv_(torch.clone(v), x, u)
    torch.addr_(torch.clone(x), v, u)
    torch.baddbmm_(torch.zeros([1, 2, 2]), b, torch.transpose(b, 1, 2))
    out: torch.ger(v, u)
    out: torch.chain_matmul([x, s, torch.t(x)])
    torch._int_mm(i, torch.t(i))
    torch._int_mm(i, torch.t(i), out=torch.empty([17, 17], dtype=3))
    torch.einsum("ij,kj->ik", [x, x])
    ops.prim.MMTreeReduce(x, x, s, s)
    out: torch.linalg_cond(s, "fro")
    out: torch.linalg_norm(s, "nuc")
    out/4: torch.linalg_matrix_rank(x, torch.tensor(0.1))
    out/4: torch.linalg_matrix_rank(x, atol=0.1, rtol=0.0)
    torch.linalg_pinv(x, torch.tensor(0.1))
    torch.linalg_pinv(x, torch.tensor(0.1), out=torch.empty([0]))
    torch.linalg_pinv(x, atol=0.1, rtol=0.0)
    _ = torch._linalg_check_errors(torch.tensor(0), "name", is_matrix=True)
    torch._linalg_svd(s, False, False)
    torch._linalg_svd(s, False, False, U=torch.empty([0]), S=torch.empty([0]), Vh=torch.empty([0]))
    f = torch.linalg_svd(s, False)
    g = torch.linalg_svd(s, False, U=torch.empty([0]), S=torch.empty([0]), Vh=torch.empty([0]))
    torch.mm(torch.mul(f[0], f[1]), f[2])
    torch.mm(torch.mul(g[0], g[1]), g[2])
    e = torch.linalg_eig(s, eigenvalues=torch.empty([0], dtype=9), eigenvectors=torch.empty([0], dtype=9))
    torch.mm(torch.mul(e[1], e[0]), torch.linalg_inv(e[1]))
    h = torch.geqrf(s)
    out: torch.orgqr(h[0], h[1])
    c = torch.linalg_cholesky(torch.add(torch.mm(s, torch.t(s)), torch.eye(3)))
    out: torch._cholesky_solve_helper(s, c, False)
    out: torch.cholesky_solve(s, c)
    torch._pdist_forward(x, 2.0, out=torch.empty([0]))
    torch._fft_c2c(torch.complex(x, x), [1], 0, True)
    torch._fft_c2c(torch.complex(x, x), [1], 0, True, out=torch.empty([0], dtype=9))
    torch._fft_c2r(torch.complex(x, x), [1], 0, 4)
    torch._fft_c2r(torch.complex(x, x), [1], 0, 4, out=torch.empty([0]))
    torch.fft_ihfftn(x, out=torch.empty([0], dtype=9))
    torch.stft(torch.reshape(w, [-1]), 4, 2, center=True, return_complex=True)
""", {"x": T(2, 3), "v": T(2), "u": T(3), "s": T(3, 3, seed=4), "b": T(1, 2, 3), "i": I(17, 8, dtype=torch.int8), "w": T(4, 4)})

# layers
program("pads", """
    out: torch.reflection_pad2d(x, [1, 2, 1, 0])
    out: torch.reflection_pad3d(y, [1, 0, 1, 1, 0, 1])
    out: torch.replication_pad2d(x, [1, 2, 1, 0])
    out: torch.replication_pad3d(y, [1, 0, 1, 1, 0, 1])
    out: torch.col2im(torch.reshape(x, [1, 8, 4]), [4, 4], [2, 2], [1, 1], [0, 0], [2, 2])
    torch.max_pool3d_with_indices_backward(y[:, :, 1:, 1:, 1:], y, [2, 2, 2], [1, 1, 1], [0, 0, 0], [1, 1, 1], False, torch.max_pool3d_with_indices(y, [2, 2, 2], [1, 1, 1])[1])
    out: torch.grid_sampler_2d(x, g, 0, 0, False)
    out: torch._grid_sampler_2d_cpu_fallback(x, g, 0, 0, False)
    out: torch.affine_grid_generator(torch.reshape(g, [1, 2, 3]), [1, 2, 3, 4], True)
""", {"x": T(1, 2, 4, 4), "y": T(1, 2, 3, 3, 3), "g": T(1, 1, 3, 2)})
AA = "torch._upsample_%s2d_aa(x, [5, 3], False, None)"
program("upsample", """
    torch._upsample_nearest_exact1d(x[0], [7])
    out: torch._upsample_nearest_exact1d(x[0], [7], None)
    out: torch._upsample_nearest_exact2d(x, [5, 7], None)
    torch._upsample_nearest_exact3d(y, annotate(Optional[List[int]], None), [1.5, 2.0, 1.0])
    out: torch.upsample_nearest1d(x[0], [7], None)
    out: torch.upsample_nearest3d(y, [2, 5, 4], None)
    out: torch.upsample_linear1d(x[0], [7], True, None)
    out: torch.upsample_bicubic2d(x, [5, 3], False, None)
    out: torch.upsample_trilinear3d(y, [2, 5, 4], True, None, None, None)
    out: torch.upsample_trilinear3d(y, [2, 5, 4], False, None)
""" + "\n".join("out: " + AA % k for k in ("bicubic", "bilinear", "lanczos")) + """
    torch.__interpolate(x[0], 7)
    torch.__interpolate(x, None, annotate(Optional[float], 1.5))
    torch.__interpolate(x, [5, 7], annotate(Optional[float], None))
    torch.__interpolate(x, None, [1.5, 2.0])
    torch.__interpolate(x, [5, 7], None, "bilinear", True)
    torch.__interpolate(x, annotate(Optional[List[int]], None), [1.5, 2.0])
    torch.__upsample(x, 7)
    torch.__upsample(x, [5, 7])
    torch.__upsample_nearest(x, 7)
    torch.__upsample_nearest(x, [5, 7])
    torch.__upsample_bilinear(x, 7)
    torch.__upsample_bilinear(x, [5, 7])
    torch.__upsample_bilinear(x, None, [2, 3])
    torch.__upsample_bilinear(x, annotate(Optional[List[int]], None), [2, 3])
""", {"x": T(1, 2, 4, 4), "y": T(1, 2, 3, 3, 3)})
program("convolutions", """
    out: torch.convolution(x, w, b, [1, 2], [1, 0], [1, 1], False, [0, 0], 1)
    out: torch.mkldnn_convolution(x, w, b, [1, 0], [1, 2], [1, 1], 1)
    out: torch.thnn_conv2d(x, w, [3, 3], b, [1, 2], [1, 0])
    out: torch.slow_conv_dilated2d(x, w, [3, 3], b, [1, 1], [1, 2], [2, 2])
    out: torch.slow_conv_transpose2d(x, v, [3, 3], b, [2, 1], [1, 0], [1, 0], [1, 1])
    out: torch.slow_conv3d(y, u, [2, 2, 2], b, [1, 1, 2], [1, 0, 0])
    out: torch.slow_conv_dilated3d(y, u, [2, 2, 2], b, [1, 1, 1], [1, 0, 0], [1, 2, 2])
    out: torch.slow_conv_transpose3d(y, torch.transpose(u, 0, 1), [2, 2, 2], b, [2, 1, 1], [1, 0, 0], [1, 0, 0], [1, 1, 1])
    output: torch._slow_conv2d_forward(x, w, [3, 3], b, [1, 2], [1, 0])
    output: torch.slow_conv3d_forward(y, u, [2, 2, 2], b, [1, 1, 2], [1, 0, 0])
    out: torch.conv_tbc(x[0], torch.reshape(torch.arange(30.0), [3, 5, 2]), b[:2], 1)
""", {"x": T(1, 2, 5, 5), "w": T(3, 2, 3, 3, seed=2), "v": T(2, 3, 3, 3, seed=3), "y": T(1, 2, 3, 4, 4), "u": T(3, 2, 2, 2, 2, seed=4), "b": T(3, seed=5)})
program("norms", """
    out0 out1 out2 out3/0: torch._batch_norm_no_update(x, w, b, m, v, 0.1, 1e-5)
    out0 out1 out2: torch._native_batch_norm_legit_no_training(x, w, b, m, v, 0.1, 1e-5)
    out0 out1: torch._weight_norm_interface(torch.reshape(x, [6, 4]), g)
    torch._no_grad_embedding_renorm_(torch.reshape(x, [6, 4]), i, 1.0, 2.0)
    out: torch.embedding_renorm(torch.reshape(x, [6, 4]), i, 1.0, 2.0)
    out0 out1/4 out2/4 out3/4: torch._embedding_bag_forward_only(torch.reshape(x, [6, 4]), i, torch.tensor([0, 2]))
    torch._fused_moving_avg_obs_fq_helper(x, torch.tensor([1]), torch.tensor([1]), torch.tensor([-1.0]), torch.tensor([1.0]), torch.tensor([0.1]), torch.tensor([2], dtype=3), 0.01, 0, 255, -1)
""", {"x": T(2, 3, 4), "w": T(3, seed=2), "b": T(3, seed=3), "m": T(3, seed=4), "v": T(3, seed=5).abs() + 0.1, "g": T(6, 1, seed=6).abs(), "i": torch.tensor([1, 0, 5])})
program("losses", """
    out: torch.nll_loss(x, i, w)
    out: torch.nll_loss2d(y, j, w, 0)
    output total_weight: torch.nll_loss_forward(x, i, w, 1, -100)
    output total_weight: torch.nll_loss2d_forward(y, j, w, 2, -100)
    output is_target: torch.multilabel_margin_loss_forward(x, torch.tensor([[0, 2, -1], [1, -1, -1]]), 1)
    torch.binary_cross_entropy(torch.sigmoid(x), torch.sigmoid(x), out=torch.empty([2, 3]))
    torch.ctc_loss(l, t, [5, 4], [2, 1])
    torch.ctc_loss(l, t, torch.tensor([5, 4]), torch.tensor([2, 1]))
    out0 out1: torch._ctc_loss(l, t, [5, 5], [2, 2])
    out0 out1: torch._ctc_loss(l, t, torch.tensor([5, 5]), torch.tensor([2, 2]))
""", {"x": T(2, 3), "i": torch.tensor([1, 2]), "w": T(3).abs(), "y": T(1, 3, 2, 2), "j": torch.tensor([[[0, 1], [2, 1]]]),
      "l": T(5, 2, 4).log_softmax(2), "t": torch.tensor([[1, 2], [3, 1]])})
program("recurrent", """
    p = torch._pack_padded_sequence(x, torch.tensor([3, 2]), False)
    out0 out1/4: torch._pack_padded_sequence(x, torch.tensor([3, 2]), False)
    torch.rnn_tanh(p[0], p[1], h, w, True, 1, 0.0, False, False)
    torch.rnn_relu(p[0], p[1], h, w, True, 1, 0.0, False, False)
    torch.lstm(p[0], p[1], [h, h], v, True, 1, 0.0, False, False)
    out0 out1: torch._native_multi_head_attention(q, q, q, 4, 2, a, b, w[1], c)
    out: torch._transformer_encoder_layer_fwd(q, 4, 2, a, b, w[1], c, True, False, 1e-5, c, c, c, c, w[1], c, w[1], c)
""", {"x": T(3, 2, 3), "h": T(1, 2, 4), "w": [T(4, 3), T(4, 4), T(4), T(4, seed=2)], "v": [T(16, 3), T(16, 4), T(16), T(16, seed=2)], "q": T(2, 3, 4), "a": T(12, 4), "b": T(12), "c": T(4)})

# quantized: layers over packed parameters
def packed(dims, transposed):
    """All about one kind of packed convolution: made, asked, run.  The engine keeps what it made for the first call: parameters of its own for
    each; and it mixes up the channels of a transposed one that has more going in than out, or fewer."""
    n, name, ask = "[%s]" % ", ".join("1" * dims), "conv%s%dd" % ("_transpose" if transposed else "", dims), []
    zeros = n.replace("1", "0")
    make = "ops.quantized.%s_prepack(w, b, %s, %s, %s%s, 1)" % (name, n, zeros, zeros + ", " if transposed else "", n)
    if dims > 1:
        ask = ["ops.quantized.%s_%s(p)" % (name, x) for x in "stride padding dilation output_padding groups transpose".split()]
    run = ["(x, p, 0.2, 100)", "_dynamic(torch.dequantize(x), %s)" % make.replace("b,", "None,", 1)] + ([] if transposed else ["_relu(x, %s, 0.2, 100)" % make.replace("b,", "c,", 1)])
    program("packed-" + name.replace("_", "-"), "\n".join(["p = " + make, "ops.quantized.%s_unpack(p)" % name] + ask + ["ops.quantized." + name + x for x in run]),
            {"x": q8(T(1, 2, *[4] * dims), 0.03, 120), "w": q8(T(2, 2, *[2] * dims), 0.03, 0, torch.qint8), "b": T(2, seed=5), "c": T(2, seed=6)})


for dims in (1, 2, 3):
    packed(dims, False)
    packed(dims, True)
program("packed-old-names", """
    p = ops.quantized.conv_prepack(w, b, [1, 1], [0, 0], [1, 1], 1)
    ops.quantized.conv_unpack(p)
    ops.quantized.conv2d(x, p, [1, 1], [0, 0], [1, 1], 1, 0.2, 10)
    ops.quantized.conv2d_relu(x, ops.quantized.conv_prepack(w, c, [1, 1], [0, 0], [1, 1], 1), [1, 1], [0, 0], [1, 1], 1, 0.2, 10)
    ops.quantized.conv3d(x3, ops.quantized.conv3d_prepack(w3, b, [1, 1, 1], [0, 0, 0], [1, 1, 1], 1), [1, 1, 1], [0, 0, 0], [1, 1, 1], 1, 0.2, 10)
    ops.quantized.conv3d_relu(x3, ops.quantized.conv3d_prepack(w3, c, [1, 1, 1], [0, 0, 0], [1, 1, 1], 1), [1, 1, 1], [0, 0, 0], [1, 1, 1], 1, 0.2, 10)
""", {"x": q8(T(1, 2, 4, 4)), "x3": q8(T(1, 2, 3, 3, 3)), "w": q8(T(3, 2, 2, 2), 0.03, 0, torch.qint8), "w3": q8(T(3, 2, 2, 2, 2), 0.03, 0, torch.qint8),
      "b": T(3, seed=5), "c": T(3, seed=6)})
program("packed-methods", """
    c = ops.quantized.conv2d_prepack(w, b, [1, 2], [0, 1], [1, 1], 1)
    d = ops.quantized.conv3d_prepack(w3, b, [1, 2, 1], [0, 1, 0], [1, 1, 2], 1)
    l = ops.quantized.linear_prepack(torch.reshape(w, [3, 8]), b)
    e = ops.quantized.embedding_bag_prepack(r)
""" + one("c.$()\nd.$()", "unpack weight bias stride padding output_padding dilation groups transpose") + """
    l.unpack()
    l.bias()
    torch.dequantize(e.unpack())
    e.bit_rate()
    e.version()
""", {"w": q8(T(3, 2, 2, 2), 0.03, 0, torch.qint8), "w3": q8(T(3, 2, 2, 2, 2), 0.03, 0, torch.qint8), "b": T(3, seed=5),
      "r": torch.quantize_per_channel(T(3, 8), torch.tensor([0.2, 0.3, 0.25]), torch.tensor([7.0, 8.0, 6.5]), 0, torch.quint8)})
program("packed-linear", """
    p = ops.quantized.linear_prepack(w, b)
    h = ops.quantized.linear_prepack_fp16(torch.dequantize(w), b)
    ops.quantized.linear_unpack_fp16(h)
    ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(torch.dequantize(x), 0.05, 3, p)
    ops.quantized.linear_with_input_q_dq_qweight_dq_relu_output_fp32(torch.dequantize(x), 0.05, 3, p)
    k = torch.fbgemm_linear_quantize_weight(torch.dequantize(w))
    torch.fbgemm_linear_int8_weight(torch.dequantize(x), k[0], torch.fbgemm_pack_quantized_matrix(k[0], 4, 3), k[1], k[2], k[3], b)
""", {"x": q8(T(2, 4)), "w": q8(T(3, 4), 0.03, 0, torch.qint8), "b": T(3, seed=5)})
program("quantized", """
    torch.qscheme(x)
    torch.dequantize(x)
    torch.dequantize([x, y])
    torch._make_per_tensor_quantized_tensor(torch.int_repr(x), 0.1, 2)
    torch._make_per_channel_quantized_tensor(torch.int_repr(x), w, torch.tensor([0, 1, 2]), 1)
    torch.quantize_per_tensor(m, torch.tensor(0.05), torch.tensor(3), 13)
    torch.quantize_per_tensor([m, v], torch.tensor([0.05, 0.1]), torch.tensor([3, 4]), 13)
    torch.quantized_batch_norm(x, w, b, m, v, 1e-5, 0.1, 5)
""" + "\n".join("ops.quantized.batch_norm%s(%s, w, b, m, v, 1e-5, 0.1, 5)" % (k + r, x) for k, x in (("", "x"), ("1d", "z"), ("2d", "x"), ("3d", "t")) for r in ("", "_relu")) + """
    ops.quantized.group_norm(x, 3, w, b, 1e-5, 0.1, 5)
    ops.quantized.instance_norm(x, w, b, 1e-5, 0.1, 5)
    ops.quantized.prelu(x, torch.quantize_per_tensor(w, 0.02, 0, 13), 0.1, 5)
    ops.quantized.max_pool1d(z, [2], [2], [0], [1], False)
    torch.quantized_max_pool1d(z, [2], [2])
    torch.quantized_max_pool2d(x, [2, 2], [1, 1], [1, 1])
    torch.quantized_max_pool3d(t, [2, 2, 2])
    ops.quantized.max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], False)
    ops.quantized.cat_out([x, y], 0, ops.quantized.cat([x, y], 0, 0.07, 4))
    ops.quantized.cat_relu_out([x, y], 0, ops.quantized.cat([x, y], 0, 0.07, 4))
""" + "\n".join("ops.quantized.%s_scalar%s(x, s)\nops.quantized.%s_scalar%s_out(x, s, torch.clone(y))" % (f, r, f, r) for f in ("add", "mul") for r in ("", "_relu")),
        {"x": q8(T(2, 3, 4, 4)), "y": q8(T(2, 3, 4, 4, seed=2)), "z": q8(T(2, 3, 4)), "t": q8(T(2, 3, 2, 2, 2)), "s": torch.tensor(0.5),
         "w": T(3, seed=2).abs() + 0.1, "b": T(3, seed=3), "m": T(3, seed=4), "v": T(3, seed=5).abs() + 0.1})
program("quantized-rows", """
    ops.quantized.embedding_bag_byte_prepack_with_rowwise_min_max(w, m)
    ops.quantized.embedding_bag_4bit_prepack_with_rowwise_min_max(w, m)
    ops.quantized.embedding_bag_2bit_prepack_with_rowwise_min_max(w, m)
""", {"w": T(3, 8), "m": torch.stack([T(3, 8).min(1)[0], T(3, 8).max(1)[0]], 1)})
# sparse and nested
program("sparse", """
    torch.to_dense(torch._to_sparse(x))
    torch.to_dense(torch._to_sparse(x, 1))
    s = torch.sparse_coo_tensor(torch.tensor([[0, 0, 1]]), x, [2, 3])
    c = torch._coalesce(s)
    torch._values(c)
    torch._to_dense(s)
    out: torch._to_dense(s)
    torch.native_norm(c)
    torch.nested_to_padded_tensor(torch._nested_tensor_from_mask(torch.reshape(x, [1, 3, 3]), torch.tensor([[True, True, True]])), 0.5)
""", {"x": T(3, 3)})


# what only the engine of oneDNN has
program("packed-onednn", """
    ops.quantized.conv2d_add(x, y, ops.quantized.conv2d_prepack(w, b, [1, 1], [0, 0], [1, 1], 1), 0.2, 100)
    ops.quantized.conv2d_add_relu(x, z, ops.quantized.conv2d_prepack(w, c, [1, 1], [0, 0], [1, 1], 1), 0.2, 100)
    ops.quantized.linear_leaky_relu(l, ops.quantized.linear_prepack(m, b), 0.1, 100, 0.2)
    ops.quantized.linear_tanh(l, ops.quantized.linear_prepack(m, c), 0.01, 128)
""", {"x": q8(T(1, 2, 4, 4), 0.03, 120), "w": q8(T(3, 2, 2, 2), 0.03, 0, torch.qint8), "b": T(3, seed=5), "c": T(3, seed=6), "l": q8(T(2, 4), 0.03, 120),
      "m": q8(T(3, 4), 0.03, 0, torch.qint8), "y": q8(T(1, 3, 3, 3), 0.1, 90), "z": q8(T(1, 3, 3, 3), 0.1, 90)}, engine="onednn")

for name, call in (("backward", "_ = torch.backward(x)"), ("backward-list", "_ = torch.backward([x])"), ("retain-grad", "_ = torch.retain_grad(x)")):
    program("without-gradients-" + name, call + "\nx", {"x": T(2, 3)}, fails=True)

# operators of torchvision (0.28), if its library can be loaded
try:
    torch.ops.load_library(os.path.join(os.path.dirname(importlib.util.find_spec("torchvision").origin), "_C.so"))
    vision = True
except (AttributeError, OSError):
    vision = False
if vision:
    BOXES = torch.tensor([[0, 1.5, 1.0, 4.0, 6.5], [0, 0.0, 0.0, 7.0, 7.0], [1, 2.2, 3.1, 5.0, 4.4]])
    program("vision", """
    ops.torchvision.nms(d, s, 0.4)
    ops.torchvision.box_iou_rotated(r, r[:2])
    ops.torchvision.roi_align(x, b, 0.9, 2, 3, 2, True)
    ops.torchvision.roi_align(x, b, 0.9, 2, 3, -1, False)
    ops.torchvision.roi_pool(x, b, 0.9, 2, 3)
    ops.torchvision.ps_roi_align(x, b, 0.9, 2, 2, 2)
    ops.torchvision.ps_roi_pool(x, b, 0.9, 2, 2)
    ops.torchvision.deform_conv2d(x, w, o, m, c, 1, 2, 1, 0, 1, 1, 1, 2, True)
    ops.torchvision.deform_conv2d(x, w, o, m, c, 1, 2, 1, 0, 1, 1, 1, 2, False)
""", {"x": T(2, 8, 8, 8), "b": BOXES, "d": torch.tensor([[0, 0, 4, 4], [0.5, 0, 4, 4], [3, 3, 6, 6], [0, 0, 4.1, 4.0]]), "s": torch.tensor([0.5, 0.9, 0.3, 0.7]),
      "r": torch.tensor([[3, 3, 4, 2, 30.0], [3.5, 3, 4, 2, -10.0], [0, 0, 1, 1, 0.0]]), "w": T(3, 8, 3, 3), "o": T(2, 36, 8, 3, scale=0.5), "m": T(2, 18, 8, 3).sigmoid(), "c": T(3)})

# distributions and sequences

program("distributions", """
    out: torch._standard_gamma(a)
    torch._standard_gamma(torch.mul(a, 0.1))
    torch._standard_gamma(torch.mul(torch.to(a, 7), 30))
    out: torch._sample_dirichlet(a)
    torch._sample_dirichlet(torch.to(a, 7))
    out: torch.binomial(n, p)
    torch.binomial(torch.mul(n, 40), p)
    torch.binomial(torch.to(torch.mul(n, 40), 7), torch.to(p, 7))
    torch.binomial(n, torch.mul(p, 0.05))
""", {"a": T(6, 40).abs() + 0.05, "n": (T(6, 40).abs() * 20).floor(), "p": torch.rand(6, 40, generator=torch.Generator().manual_seed(4))})

program("sobol", """
    torch._sobol_engine_draw(q, 7, s, 3, 5, None)
    torch._sobol_engine_draw(q, 4, s, 3, 1023, 7)
    torch._sobol_engine_ff_(torch.clone(q), 12, s, 3, 6)
    torch._sobol_engine_scramble_(torch.clone(s), m, 3)
""", {"q": torch.tensor([3, 1, 2]), "s": torch.quasirandom.SobolEngine(3).sobolstate, "m": torch.randint(2, (3, 30, 30), generator=torch.Generator().manual_seed(4)).tril()})

program("masked-softmax", """
    out: torch._masked_softmax(x, torch.gt(x, 0.3), 1, 2)
    torch._masked_softmax(x, torch.gt(x, 0.3))
    torch._masked_softmax(x, torch.gt(y, 0.2), 3, 0)
    torch._masked_softmax(x, torch.gt(y, 0.2), 1, 0)
    torch._masked_softmax(x, torch.slice(torch.gt(y, 0.2), 0, 0, 2), 3, 1)
""", {"x": T(2, 3, 4, 4), "y": T(4, 4, seed=3)}, rtol=1e-4, atol=1e-6)

program("histogram-edges", """
    out: torch._histogramdd_from_bin_tensors(x, [e, f])
    torch._histogramdd_from_bin_tensors(x, [e, f], weight=w, density=True)
""", {"x": T(9, 2), "e": torch.tensor([-2.0, 0.0, 2.0]), "f": torch.tensor([-1.0, 0.0, 0.5, 1.0]), "w": T(9).abs()})

program("batch-norm-statistics", """
    torch._batch_norm_with_update_functional(x, w, w, m, v, 0.1, 1e-05)
    torch.batch_norm_update_stats(x, torch.clone(m), torch.clone(v), 0.2)
    o = torch.empty([0])
    r = torch.empty([0], dtype=0)
    torch._batch_norm_with_update(x, w, w, torch.clone(m), torch.clone(v), 0.1, 1e-05, out=o, save_mean=torch.empty([0]), save_invstd=torch.empty([0]), reserve=r)
    torch._batch_norm_no_update(x, w, w, m, v, 0.1, 1e-05, out0=torch.empty([0]), out1=torch.empty([0]), out2=torch.empty([0]), out3=torch.empty([0], dtype=0))
    torch.batch_norm_update_stats(x, torch.clone(m), torch.clone(v), 0.2, out0=torch.empty([0]), out1=torch.empty([0]))
    torch.native_batch_norm(x, w, w, m, v, False, 0.1, 1e-05)
""", {"x": T(3, 2, 4), "w": T(2).abs(), "m": T(2, seed=3), "v": T(2, seed=4).abs()}, rtol=1e-4, atol=1e-5)
