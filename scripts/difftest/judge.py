"""Why two answers of one call may differ without a defect.  Each class is proven for the call at hand, not assumed from the operator's name:

    explain(runner, key, values, got, want) -> the reason, or None

got and want are results, or the exceptions that the two raised.
"""
import re

import numpy
import torch

import compare

WIDE = {torch.float16: torch.float64, torch.bfloat16: torch.float64, torch.float32: torch.float64, torch.complex64: torch.complex128, torch.complex32: torch.complex128}


def flat(v):
    if isinstance(v, (list, tuple)):
        return [t for x in v for t in flat(x)]
    return [v]


def overlaps(t):
    """Several indices of the tensor name one element in memory."""
    return any(s == 0 and n > 1 for s, n in zip(t.stride(), t.shape))


def written(runner, key, values):
    _, schema, args = runner.library.methods[key]
    return [t for a, v in zip(args, values) if a.alias_info is not None and a.alias_info.is_write for t in flat(v) if isinstance(t, torch.Tensor)]


def widened(v):
    if isinstance(v, (list, tuple)):
        return [widened(x) for x in v]
    if isinstance(v, torch.Tensor):
        return v.to(WIDE[v.dtype]) if v.dtype in WIDE else v.clone()
    return v


def truth(runner, key, values):
    """PyTorch's answer in double precision, or None."""
    _, schema, args = runner.library.methods[key]
    pos, kw = runner.split(key, [widened(v) for v in values])
    pos = [WIDE.get(v, v) if isinstance(v, torch.dtype) else v for v in pos]
    kw = {k: WIDE.get(v, v) if isinstance(v, torch.dtype) else v for k, v in kw.items()}
    try:
        if any(isinstance(t, torch.Tensor) and not (t.dtype.is_floating_point or t.dtype.is_complex) for t in flat(values)[:1]):  # what becomes floating inside
            pos = [v.double() if i == 0 and isinstance(v, torch.Tensor) else v for i, v in enumerate(pos)]
        return flat(runner.operator(key)(*pos, **kw))
    except Exception:
        return None


def as_near(got, want, exact, coarse=0.0):
    """Is got, element by element, as near to the exact value as want, or the exact value to the precision of its type (of the coarsest operand, where that is less)?"""
    if got.shape != want.shape or got.dtype != want.dtype or got.shape != exact.shape or not (want.dtype.is_floating_point or want.dtype.is_complex):
        return False
    if want.is_complex():
        return as_near(torch.view_as_real(got.contiguous()), torch.view_as_real(want.resolve_conj().contiguous()), torch.view_as_real(exact.to(torch.complex128).contiguous()), coarse)
    eps = max(torch.finfo(want.dtype).eps, coarse)
    largest = min(torch.finfo(want.dtype).max, torch.finfo(torch.float32).max if coarse >= torch.finfo(torch.float32).eps and want.dtype == torch.float64 else torch.inf)
    g, w, x = got.double().flatten(), want.double().flatten(), exact.double().flatten()
    finite = x.isfinite() & (x.abs() <= largest)
    scale = x[finite].abs().max().item() if finite.any() else 0.0
    mine, theirs = (g - x).abs(), (w - x).abs()
    known = theirs[finite & w.isfinite()]
    worst = known.max().item() if known.numel() else 0.0
    ok = mine <= max(min(4 * worst, 64 * eps * scale), 8 * eps * scale, 1e-300)  # a wrong answer of PyTorch's excuses nothing
    same = (g == w) | (g.isnan() & w.isnan())
    # what the exact value has beyond the type's range may be infinite, or the value of a step that overflowed in one of the two
    beyond = ~finite & ((g == x) | (g.isnan() & x.isnan()) | (x.isfinite() & (g.isinf() & (g.sign() == x.sign()))))
    return bool((same | (finite & g.isfinite() & ok) | beyond).all())


def narrower(runner, key, values, want):
    """PyTorch computed in single precision: its answer into an out argument of that type has every bit of the one into a wider."""
    outs = [k for k, a in enumerate(runner.library.methods[key][2]) if a.is_out]
    if not outs or not all(isinstance(values[k], torch.Tensor) and values[k].dtype in (torch.float64, torch.complex128) for k in outs):
        return 0.0
    less = {torch.float64: torch.float32, torch.complex128: torch.complex64}
    pos, kw = runner.split(key, [torch.empty([0], dtype=less[v.dtype]) if k in outs else v.clone() if isinstance(v, torch.Tensor) else v for k, v in enumerate(values)])
    other = flat(runner.operator(key)(*pos, **kw))
    return torch.finfo(torch.float32).eps if all(same_values(a.to(b.dtype), b) for a, b in zip(other, flat(want))) else 0.0


def rounding(runner, key, values, got, want):
    g, w = flat(got), flat(want)
    x = truth(runner, key, values)
    if x is None or len(x) != len(w) or len(g) != len(w):
        return None
    read = [t for a, v in zip(runner.library.methods[key][2], values) if not a.is_out for t in flat(v) if isinstance(t, torch.Tensor)]
    coarse = max([torch.finfo(t.dtype).eps for t in read if t.dtype in WIDE] + [narrower(runner, key, values, want)])  # an out argument may be wider than what was computed
    for a, b, c in zip(g, w, x):
        if compare.differ(a, b, False) is None:
            continue
        if not isinstance(b, torch.Tensor) or not isinstance(c, torch.Tensor) or not isinstance(a, torch.Tensor) or not as_near(a, b, c, coarse):
            return None
    return "rounding: tsrun's result is as near to the one in double precision as PyTorch's"


def at(x, dim, index):
    return torch.gather(x, dim, index) if x.dim() else x.expand(index.shape)


def same_values(a, b):
    return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def ties(runner, key, values, got, want):
    """Indices that name equal elements."""
    name = key[0].split("::")[1]
    x = values[0]
    if not re.search(r"sort|topk|mode|median|kthvalue|argmax|argmin|max|min|pool", name) or not isinstance(x, torch.Tensor):
        return None
    g, w = flat(got), flat(want)
    if len(g) != len(w) or any(not isinstance(t, torch.Tensor) for t in g + w):
        return None
    for a, b in zip(g, w):
        if compare.differ(a, b, False) is None:
            continue
        if b.dtype != torch.int64 or a.shape != b.shape or a.dtype != b.dtype or not b.numel() or (a < 0).any():
            return None
        if "pool" in name:
            n = 2 if "2d" in name else 3 if "3d" in name else 1
            plane, ia, ib = x.flatten(x.dim() - n), a.flatten(x.dim() - n), b.flatten(x.dim() - n)
            if (ia >= plane.shape[-1]).any() or not same_values(at(plane, -1, ia), at(plane, -1, ib)):
                return None
            continue
        fits = False
        for d in range(max(x.dim(), 1)):
            for i, j in ((a, b), (a.unsqueeze(d), b.unsqueeze(d))) if x.dim() else ((a, b), ):
                if i.dim() == x.dim() and all(p <= q for k, (p, q) in enumerate(zip(i.shape, x.shape)) if k != d) and (i < x.shape[d] if x.dim() else i < 1).all():
                    fits = fits or same_values(at(x, d, i), at(x, d, j))
        if not fits and a.dim() == 0 and a.item() < x.numel():
            fits = same_values(x.flatten()[a], x.flatten()[b])
        if not fits:
            return None
    return "ties: the index of another element of the same value"


def factors(runner, key, values, got, want):
    """Decompositions whose parts are unique up to a factor: what they compose is compared."""
    name = key[0].split("::")[1].strip("_")
    x = values[0]
    if name in ("linalg_eigvals", "_linalg_eigvals") and x.isfinite().all() and got.shape == want.shape and got.dtype == want.dtype:
        near = (got.unsqueeze(-1) - want.unsqueeze(-2)).abs()
        tol = 1000 * torch.finfo(x.dtype).eps * max(1.0, x.abs().max().item()) * x.shape[-1]
        return "factors: eigenvalues in another order" if bool((near.min(-1).values <= tol).all() and (near.min(-2).values <= tol).all()) else None
    if name in ("linalg_lu_factor", "linalg_lu_factor_ex", "lu_with_info", "linalg_lu") and x.isfinite().all():
        def product(p):
            p, l, u = p if name == "linalg_lu" else torch.lu_unpack(p[0], p[1])
            return p.double() @ l.double() @ u.double() if not x.is_complex() else p.to(torch.complex128) @ l.to(torch.complex128) @ u.to(torch.complex128)
        tol = 100 * torch.finfo(x.dtype).eps * max(1.0, x.abs().max().item()) * max(x.shape[-2:])
        return "factors: other pivots of a singular matrix" if bool(((product(got) - product(want)).abs() <= tol).all()) else None
    if name == "geqrf":
        def rebuilt(p):
            k, q = min(x.shape[-2:]), [t.to(torch.complex128 if t.is_complex() else torch.float64) for t in p]
            return torch.linalg.householder_product(q[0][..., :k].contiguous(), q[1]) @ q[0][..., :k, :].triu()
        near = x.isfinite().all() and x.numel() and (rebuilt(got) - rebuilt(want)).abs().max().item() <= 100 * torch.finfo(x.dtype).eps * max(1.0, x.abs().max().item()) * max(x.shape[-2:])
        return "factors: reflections that compose the same" if near else None
    if name not in ("linalg_eig", "linalg_eigh", "symeig", "linalg_svd", "svd", "linalg_qr", "qr") or not isinstance(x, torch.Tensor) or not isinstance(want, (tuple, list)):
        return None
    if not x.isfinite().all() or len(got) != len(want) or any(a.shape != b.shape or a.dtype != b.dtype for a, b in zip(got, want)):
        return None
    got = [t.to(torch.complex128 if t.is_complex() else torch.float64) for t in got]
    want = [t.to(torch.complex128 if t.is_complex() else torch.float64) for t in want]
    tol = 100 * torch.finfo(x.dtype).eps * max(1.0, x.abs().max().item() if x.numel() else 1.0) * max(x.shape[-2:] + (1, ))

    def composed(p):
        if name in ("linalg_qr", "qr"):
            return p[0] @ p[1]
        if name in ("linalg_svd", "svd"):
            u, s, v = p[0], p[1], p[2] if name == "linalg_svd" else p[2].mH
            k = s.shape[-1]
            return (u[..., :k] * s.unsqueeze(-2)) @ v[..., :k, :]
        return p[1] @ torch.diag_embed(p[0].to(p[1].dtype)) - (x if name == "linalg_eig" else torch.zeros_like(x)).to(p[1].dtype) @ p[1]
    a, b = composed(got), composed(want)
    if name in ("linalg_eigh", "symeig"):
        a, b = got[1] @ torch.diag_embed(got[0].to(got[1].dtype)) @ got[1].mH, want[1] @ torch.diag_embed(want[0].to(want[1].dtype)) @ want[1].mH
    if a.shape == b.shape and bool(((a - b).abs() <= tol).all()):
        return "factors: vectors of another sign or phase, or of a subspace, that compose the same"
    return None


def not_finite(got, want):
    """Complex numbers of which both sides have no finite value at the places that differ."""
    for a, b in zip(flat(got), flat(want)):
        if not isinstance(b, torch.Tensor) or not isinstance(a, torch.Tensor) or a.shape != b.shape or a.dtype != b.dtype:
            return None
        if compare.differ(a, b, False) is None:
            continue
        if not b.is_complex():
            return None
        both = ~(a.isfinite() | b.isfinite())
        if compare.close(torch.where(both, torch.zeros_like(a), a), torch.where(both, torch.zeros_like(a), b.resolve_conj())):
            return None
    return "complex infinities: infinite or NaN, by the place of the element in PyTorch's vectors"


def dense(v):
    """The same values in memory that nobody shares and that is in order."""
    if isinstance(v, (list, tuple)):
        return [dense(x) for x in v]
    return v.clone(memory_format=torch.contiguous_format) if isinstance(v, torch.Tensor) else v


def strides_ignored(runner, key, values, got, want):
    """PyTorch's answer to the same call with operands in order, a result or a refusal, is tsrun's."""
    if all(not isinstance(t, torch.Tensor) or t.is_contiguous() for v in values for t in flat(v)):
        return None
    if any(isinstance(e, Exception) and re.search("stride|contiguous|overlap|memory", str(e)) for e in (got, want)):  # of which strides are the cause
        return None
    indices = [v if isinstance(v, torch.Tensor) and v.dtype.is_floating_point else dense(v) for v in values]
    for vs in [dense(values), indices] + [values[:k] + [dense(v)] + values[k + 1:] for k, v in enumerate(values)]:  # all of them in order, indices, or one
        pos, kw = runner.split(key, vs)
        torch.manual_seed(3)
        try:
            other = runner.operator(key)(*pos, **kw)
        except Exception as e:
            same = isinstance(got, Exception) and compare.plain(str(got)) == compare.plain(str(e))
        else:
            same = not isinstance(got, Exception) and (compare.differ(got, other, False) is None or infinite_sums(runner, key, values, got, other) or unwritten(runner, key, values, got, other))
        if same:
            return "strides: PyTorch reads or writes memory as if it were in order; with operands that are, it gives what tsrun gives"
    return None


def clash(runner, key, values):
    """Given memory of its own to write to, PyTorch writes several values where the call has one element."""
    _, schema, args = runner.library.methods[key]
    pos, kw = runner.split(key, [dense(v) for v in values])
    results = flat(runner.operator(key)(*pos, **kw))
    for t, r in zip(written(runner, key, values), results):
        for d, (n, s) in enumerate(zip(t.shape, t.stride())):
            if n > 1 and s == 0 and r.shape == t.shape and not same_values(r, r.narrow(d, 0, 1).expand_as(r)):
                return True
    return False


def unread(runner, key, values, got, want):
    """PyTorch looks at fewer sizes than it reads memory for."""
    name = key[0].split("::")[1]
    if key[0] == "aten::lstm":
        if key[1] == "data":  # of one length: no packed sequence to that path
            sizes = values[1].tolist()
            values = [values[0].reshape(len(sizes), sizes[0], -1) if sizes == sizes[:1] * len(sizes) else values[0]] + values[2:] + [False]
        x, (h, c), p = values[0], values[1], values[2]
        if h.dim() < 3 or c.dim() < 3 or h.shape[2] != c.shape[2] or x.dtype not in (torch.float32, torch.bfloat16):
            return None
        batch, size = x.shape[0 if values[8] else 1], h.shape[2]
        each, dirs = 4 if values[3] else 2, 2 if values[7] else 1
        for i in range(values[4] * dirs):
            w = p[i * each:(i + 1) * each]
            if i // dirs == 0 and x.dim() != 3 or h.shape[1] != batch or c.shape[1] != batch or [list(t.shape) for t in w[:2]] != [[4 * size, x.shape[2] if i < dirs else dirs * size], [4 * size, size]] or \
                    values[3] and list((w[2] + w[3]).shape) != [4 * size]:
                return "lengths: PyTorch hands oneDNN memory of other sizes than it describes, tsrun refuses"
    return None


LIBRARIES = re.compile(r"fft|linalg_|svd|qr|eig|(^|_)lu(_|$)|cholesky|lstsq|ldl|inv|det|triangular|orgqr|ormqr|householder|stft|nuclear|matrix_exp|matrix_power|solve")
TROUBLE = re.compile(r"failed to converge|is singular|does not have full rank|not positive-definite|is zero|illegal value|should not contain infs or NaNs|contained non-finite")


def raises_trouble(*results):
    """Whether a library could do its work is all that the errors among these tell; their numbers are its own."""
    texts = [re.sub(r"\d+", "", compare.plain(str(e))) for e in results if isinstance(e, Exception)]
    return all(TROUBLE.search(t) for t in texts) and len({t for t in texts}) < 2


def number_tensors(values):
    return [t for v in values for t in flat(v) if isinstance(t, torch.Tensor) and (t.dtype.is_floating_point or t.dtype.is_complex)]


def both(runner, key, values):
    """(tsrun's answer, PyTorch's): results, or what they raise."""
    def answer(call, *a):
        try:
            return call(*a)
        except Exception as e:
            return e
    pos, kw = runner.split(key, dense(values))
    return answer(runner.library.call, key, dense(values)), answer(lambda: runner.operator(key)(*pos, **kw))


def same_where(good, a, b):
    """Are the results of matrices that good (a bool each) marks the same?"""
    for x, y in zip(flat(a), flat(b)):
        if isinstance(x, torch.Tensor) and isinstance(y, torch.Tensor) and x.shape == y.shape and x.shape[:good.dim()] == good.shape and good.dim() and compare.differ(x[good], y[good], False):
            return False
    return True


def infinite(runner, key, values, got, want):
    """Libraries (LAPACK, MKL's transforms) make what they like of infinities and NaN.  With other numbers in their place both answer the same,
    and tsrun's answer for the matrices that have none does not depend on those that do."""
    name = key[0].split("::")[1]
    tensors = number_tensors(v for a, v in zip(runner.library.methods[key][2], values) if not a.is_out)
    if not LIBRARIES.search(name) or all(t.isfinite().all() for t in tensors):
        return None
    failed = isinstance(got, Exception) or isinstance(want, Exception)
    if not raises_trouble(got, want) if failed else any(not isinstance(a, torch.Tensor) or a.shape != b.shape or a.dtype != b.dtype for a, b in zip(flat(got), flat(want))):
        return None

    def fill(v):
        if isinstance(v, (list, tuple)):
            return [fill(x) for x in v]
        if not isinstance(v, torch.Tensor) or not (v.dtype.is_floating_point or v.dtype.is_complex):
            return v
        torch.manual_seed(7)
        return torch.where(v.isfinite(), v, torch.rand(v.shape, dtype=torch.float64).to(v.dtype))
    other = [fill(v) for v in values]
    mine, theirs = both(runner, key, other)
    if runner.why(key, mine, theirs) and not first_reason((unwritten, factors, rounding, singular, two_texts), runner, key, other, mine, theirs):
        return None
    if "fft" not in name and not failed and not isinstance(mine, Exception):
        batches = [t.isfinite().all(-1).all(-1) for t in tensors if t.dim() > 2]
        if batches and not same_where(torch.stack(torch.broadcast_tensors(*batches)).all(0), got, mine):
            return None
    return "infinities in linear algebra and transforms: with finite numbers in their place both answer the same"


def two_texts(runner, key, values, got, want):
    return two_faults(runner, key, values, compare.plain(str(want)), compare.plain(str(got))) if isinstance(got, Exception) and isinstance(want, Exception) else None


def matrices_of(name, values):
    """The matrices that the call factors."""
    x = values[0]
    if name == "linalg_tensorinv":
        n = x.shape[:values[1]].numel()
        return x.reshape(n, -1)
    if name == "linalg_tensorsolve":
        if values[2]:
            x = x.movedim(values[2], list(range(x.dim() - len(values[2]), x.dim())))
        return x.reshape(values[1].numel(), -1)
    return x


def singular(runner, key, values, got, want):
    """A matrix without an inverse, to the precision of its type: which of its pivots and values are zero and which are noise is the library's.  Those that have one agree."""
    name = key[0].split("::")[1]
    if name in ("linalg_solve_triangular", "triangular_solve"):
        zero = (values[1 - (name[0] == "l")].diagonal(0, -2, -1) == 0).any()
        beyond = zero and all(a.shape == b.shape and compare.close(torch.where(a.isfinite() | b.isfinite(), a, 0), torch.where(a.isfinite() | b.isfinite(), b, 0)) is None for a, b in zip(flat(got), flat(want)))
        return "singular: zeros on a triangle's diagonal; infinite or NaN by the order of steps" if beyond else None
    if not re.match(r"_?(linalg_(inv|solve|solve_ex|tensor\w+|cond|lu_\w+|slogdet|det|lstsq|pinv|matrix_power|cholesky)|inverse|pinverse|matrix_power|lu_with_info|slogdet|logdet|det|cholesky\w*)(_ex)?$", name):
        return None
    a = matrices_of(name, values)
    if not isinstance(a, torch.Tensor) or a.dim() < 2 or not a.numel() or not a.isfinite().all() or not raises_trouble(got, want):
        return None
    if name == "matrix_power" or name == "linalg_matrix_power":
        if values[1] >= 0:
            return None
    noise = 10 * max(a.shape[-2:]) * torch.finfo(a.dtype).eps
    if re.search("pinv|lstsq", name):
        given = [t for a, v in zip(runner.library.methods[key][2], values) if a.name in ("rcond", "atol", "rtol", "tol") for t in flat(v) if t is not None]
        if any(float(torch.as_tensor(t, dtype=torch.float64).min()) > noise for t in given):  # the noise is cut off
            return None
    s = torch.linalg.svdvals(a.to(torch.complex128 if a.is_complex() else torch.float64))
    whole = s[..., -1] > noise * s[..., 0]
    if whole.all() or not isinstance(got, Exception) and not isinstance(want, Exception) and not same_where(whole, got, want):
        return None
    return "singular: a matrix has no inverse to its type's precision; what is zero and what noise differs"


def distances(runner, key, values, got, want):
    """Distances by way of a product: their squares are as near as the squares of the vectors' lengths allow."""
    if key[0] not in ("aten::_euclidean_dist", "aten::cdist", "aten::_cdist_forward") or not isinstance(got, torch.Tensor) or got.shape != want.shape or got.dtype != want.dtype:
        return None
    x = truth(runner, key, values)
    if x is None or x[0].shape != got.shape or not all(v.isfinite().all() for v in (values[0], values[1], got, want)):
        return None
    tol = 16 * torch.finfo(got.dtype).eps * max(t.double().square().sum(-1).max().item() for t in values[:2])
    return "rounding: squares of distances within the rounding of the squares they come from" if bool(((got.double() ** 2 - x[0] ** 2).abs() <= tol).all()) else None


SUMS = re.compile(r"std|var|mean|norm|mm|mv|matmul|dot|linear|conv|sum|matrix|dist|cov|corr|gradient|quantile|attention|upsample|interp|grid|rnn|lstm|gru|loss|addr|outer|cum|stft")


def infinite_sums(runner, key, values, got, want):
    """Sums and products with infinities: inf or NaN, by the order of the steps, and by whether zeros (padding, weights) are multiplied.
    Proven by the same call on finite operands, twice: both give the same, so what is not finite makes the whole difference."""
    def finite(v, nan, high, low):
        if isinstance(v, (list, tuple)):
            return [finite(x, nan, high, low) for x in v]
        if not isinstance(v, torch.Tensor) or not (v.dtype.is_floating_point or v.dtype.is_complex) or v.isfinite().all():
            return v
        out = v.clone()
        return out.copy_(torch.complex(v.real.nan_to_num(nan, high, low), v.imag.nan_to_num(nan, high, low)) if v.is_complex() else v.nan_to_num(nan, high, low))
    tensors = [t for v in values for t in flat(v) if isinstance(t, torch.Tensor) and (t.dtype.is_floating_point or t.dtype.is_complex)]
    if not SUMS.search(key[0]) or all(t.isfinite().all() for t in tensors):
        return None
    zeros = re.search(r"conv|upsample|interp|grid|linear|trans|rnn|lstm|gru", key[0])
    for a, b in zip(flat(got), flat(want)):
        if not isinstance(b, torch.Tensor) or a.shape != b.shape or a.dtype != b.dtype:
            return None
        skip = ~(a.isfinite() & b.isfinite()) if zeros else ~(a.isfinite() | b.isfinite())
        if compare.close(torch.where(skip, torch.zeros_like(a), a), torch.where(skip, torch.zeros_like(a), b.resolve_conj())):
            return None
    for nan, high, low in ((0.5, 2.0, -2.0), (-1.5, 3.0, 0.25)):
        vs = finite(values, nan, high, low)
        a = runner.library.call(key, vs)
        pos, kw = runner.split(key, [v.clone() if isinstance(v, torch.Tensor) else v for v in vs])
        b = runner.operator(key)(*pos, **kw)
        if compare.differ(a, b, False) and not rounding(runner, key, vs, a, b):
            return None
    return "infinities in sums: inf or NaN by the order of steps, or where zeros are multiplied"


def outcome(call, *a):
    try:
        call(*a)
    except Exception as e:
        return compare.plain(str(e))
    return None


def mended(runner, key, values):
    """The call with one kind of fault taken away, kind by kind."""
    _, schema, args = runner.library.methods[key]

    def each(f):
        return [[f(a, x) if isinstance(x, torch.Tensor) else x for x in v] if isinstance(v, (list, tuple)) else f(a, v) if isinstance(v, torch.Tensor) else v for a, v in zip(args, values)]
    for dtype in (torch.float32, torch.float64, torch.int64, torch.bool):
        yield each(lambda a, t: torch.empty([0], dtype=dtype) if a.is_out else t)
    yield each(lambda a, t: t.float() if t.dtype.is_floating_point else t.to(torch.complex64) if t.dtype.is_complex else t)
    yield each(lambda a, t: torch.empty([0]) if a.is_out else t.float() if not t.dtype.is_complex else t)
    yield each(lambda a, t: t.long() if not t.dtype.is_floating_point and not t.dtype.is_complex else t)
    yield each(lambda a, t: t.clone(memory_format=torch.contiguous_format))
    yield each(lambda a, t: torch.nan_to_num(t, 0.5, 1.0, -1.0).clamp(-3, 3) if t.dtype.is_floating_point else t.clamp(0, 1) if t.dtype not in (torch.bool, ) and not t.dtype.is_complex else t)
    for k, v in enumerate(values):  # one number or size at a time
        if isinstance(v, int) and not isinstance(v, bool):
            yield values[:k] + [1] + values[k + 1:]
        elif isinstance(v, list) and v and all(isinstance(x, int) for x in v):
            yield values[:k] + [[1] * len(v)] + values[k + 1:]
            yield values[:k] + [[max(x, 0) for x in v]] + values[k + 1:]


def two_faults(runner, key, values, text, mine):
    """Each side tells one of the call's faults; with that one taken away it tells the other's."""
    def reference(vs):
        pos, kw = runner.split(key, dense(vs))
        return runner.operator(key)(*pos, **kw)
    theirs = ours = False
    for vs in mended(runner, key, values):
        theirs = theirs or outcome(reference, vs) == mine
        ours = ours or outcome(lambda: runner.library.call(key, vs)) == text
        if theirs and ours:
            return "two faults in one call: PyTorch tells one, tsrun the other"
    return None


def wider(runner, key, values, got):
    """Is the result what PyTorch gives for wider element types, rounded?"""
    _, schema, args = runner.library.methods[key]

    def call(change):
        pos, kw = runner.split(key, [torch.empty([0], dtype=change(torch.empty([0], dtype=v.dtype)).dtype) if a.is_out and isinstance(v, torch.Tensor) else
                                     [change(x) if isinstance(x, torch.Tensor) else x for x in v] if isinstance(v, (list, tuple)) else change(v) if isinstance(v, torch.Tensor) else
                                     change(torch.empty([0], dtype=v)).dtype if isinstance(v, torch.dtype) else v for a, v in zip(args, values)])
        torch.manual_seed(3)
        return flat(runner.operator(key)(*pos, **kw))
    for change in (lambda t: t.double() if t.dtype in (torch.float16, torch.bfloat16, torch.float32) else t.to(torch.complex128) if t.dtype.is_complex else t,
                   lambda t: t.double() if not t.dtype.is_complex and t.dtype != torch.int64 else t,
                   lambda t: t.double() if not t.dtype.is_complex else t.to(torch.complex128),
                   lambda t: t.long() if not t.dtype.is_complex and not t.dtype.is_floating_point or t.numel() == 0 else t):
        try:
            results = call(change)
        except Exception:
            continue
        if len(results) != len(flat(got)):
            continue
        results = [w.to(g.dtype) if isinstance(w, torch.Tensor) and isinstance(g, torch.Tensor) else w for g, w in zip(flat(got), results)]
        if all(compare.differ(g, w, False) is None for g, w in zip(flat(got), results)) or infinite_sums(runner, key, values, got, results):
            return True
    return False


SINGULAR = re.compile(r"The diagonal element \d+ is zero|U\[\d+,\d+\] is zero|leading minor of order \d+|input matrix is singular")


def raised(runner, key, values, got, want):
    text, mine = compare.plain(str(want)), compare.plain(str(got))
    if key[0] == "aten::lu_unpack" and isinstance(got, Exception) and values[1].shape[-1:].numel() < min(values[0].shape[-2:]):
        return BEYOND
    if isinstance(got, Exception) and SINGULAR.search(text) and SINGULAR.search(mine) and SINGULAR.sub("", text) == SINGULAR.sub("", mine):
        return "singular: the first zero pivot is found at another place"
    if re.search(r"INTERNAL ASSERT FAILED|Could this error message be improved|report (a bug|this error)", text):
        return "assertions: an internal one of PyTorch fails, tsrun says what is wrong"
    if isinstance(got, Exception) and "conv" in key[0] and re.match(r"could not (create a primitive|construct a memory descriptor)|dimensions are invalid", text):
        return "oneDNN: PyTorch's library does not say what it could not do, tsrun does"
    return two_faults(runner, key, values, text, mine) if isinstance(got, Exception) else None


def unwritten(runner, key, values, got, want):
    """Results that PyTorch itself leaves to chance."""
    name = key[0].split("::")[1].rstrip("_")
    if re.search(r"special_.*polynomial", name) and any(isinstance(t, torch.Tensor) and t.dtype.is_floating_point and t.isnan().any() for t in values):
        x = values[0] if isinstance(values[0], torch.Tensor) else torch.tensor(float(values[0]))
        nan = x.isnan().expand(want.shape) if x.dim() <= want.dim() else None
        if nan is not None and compare.close(torch.where(nan, torch.zeros_like(got), got), torch.where(nan, torch.zeros_like(want), want)) is None:
            return "polynomials of NaN: PyTorch returns a variable that it has not written"
    if name.startswith(("grid_sampler", "_grid_sampler")) and isinstance(got, Exception) and (values[2] not in (0, 1, 2) or values[0].dim() == 4 and values[3] not in (0, 1, 2)):
        return "grid_sampler: PyTorch leaves the result of unknown modes unwritten, tsrun refuses them"
    if name == "set_" or name == "set" and key[1].startswith("source_Tensor"):
        x, size, offset = values[1], (values[3] if len(values) > 2 else values[1].shape), (values[2] if len(values) > 2 else 0)
        stride = (values[4] if len(values) > 4 else None) or torch.empty(size, device="meta").stride()
        at = sum((torch.arange(n) * s).view([-1] + [1] * (len(size) - 1 - d)) for d, (n, s) in enumerate(zip(size, stride))) + offset
        inside = (at < x.numel()).expand(size)
        if not inside.all() and compare.close(torch.where(inside, got, torch.zeros_like(got)), torch.where(inside, want, torch.zeros_like(want))) is None:
            return "set_: PyTorch makes the storage longer and leaves what it adds unwritten"
    if name == "_add_relu" and isinstance(got, torch.Tensor) and want.dtype.is_floating_point and got.dtype == want.dtype and got.shape == want.shape:
        nan = got.isnan() & (want == 0)  # the vectors keep NaN, the elements after the last whole one lose it
        if nan.any() and compare.close(torch.where(nan, want, got), want) is None:
            return "_add_relu: PyTorch keeps NaN in whole vectors and loses it in what is left over"
    if key == ("aten::_add_relu", "out") and isinstance(got, torch.Tensor) and got.dtype == values[-1].dtype != want.dtype and compare.differ(got, want.to(got.dtype), False) is None:
        return "_add_relu.out: PyTorch returns another tensor than the out argument"
    if name == "isin" and values[2] is True and any(isinstance(t, torch.Tensor) and t.unique().numel() < t.numel() for t in values[:2]):
        return "isin: told that elements are unique which are not"
    if name == "_ctc_loss" and compare.differ(flat(got)[0], flat(want)[0]) is None and flat(got)[1].shape == flat(want)[1].shape:
        keep = torch.zeros(want[1].shape, dtype=torch.bool)
        for row, steps, labels in zip(keep, *(v.tolist() if isinstance(v, torch.Tensor) else v for v in values[2:4])):
            row[:1] = True
            row[:int(steps), :2 * int(labels) + 1] = True
        if compare.close(torch.where(keep, got[1], torch.zeros_like(got[1])), torch.where(keep, want[1], torch.zeros_like(want[1]))) is None:
            return "_ctc_loss: PyTorch leaves the steps after a sequence's end unwritten"
    if name == "_weight_norm_interface" and compare.differ(got[0], want[0], False) is None and got[1].shape == want[1].shape and got[1].dtype == want[1].dtype:
        v, g, dim = values[:3]
        n = v.shape[dim]
        memory = [t.new_zeros([n + 1 + sum((k - 1) * s for k, s in zip(g.shape, g.stride()))]) for t in (got[1], want[1])]
        for m, t in zip(memory, (got[1], want[1])):  # where the norms of g's layout lie
            m.as_strided(g.shape, g.stride()).copy_(t) if g.numel() and not overlaps(g) else None
        if compare.close(memory[0][:n], memory[1][:n]) is None:
            return "_weight_norm_interface: PyTorch writes a norm for each slice, and leaves the rest of what has g's shape unwritten"
    if re.match("aten::fft_ihfft[n2]$", key[0]) and key[1] == "out" and same_values(want, values[-1]) and want.dtype == values[-1].dtype:
        pos, kw = runner.split(key, values[:-1] + [torch.empty([0], dtype=torch.complex64)])
        full = getattr(torch.ops.aten, key[0][6:]).default(*pos)
        if isinstance(got, Exception) or compare.differ(got, full.to(got.dtype), False) is None or infinite(runner, key, values, got, full.to(got.dtype)):
            return "fft_ihfftn.out of one dimension: PyTorch leaves the out argument as it was"
    if name == "_batch_norm_impl_index" and values[0].numel() == 0 and [(t.shape, t.dtype) for t in got[:4]] == [(t.shape, t.dtype) for t in want[:4]]:
        return "batch norm of nothing: PyTorch returns statistics that it has not written"
    if name in ("multi_margin_loss", "multilabel_margin_loss", "multilabel_margin_loss_forward") and values[0].numel() == 0 and flat(want)[0].dim() == 0 and all(same_values(a, b) for a, b in zip(flat(got)[1:], flat(want)[1:])):
        return "margin losses of nothing: PyTorch leaves the result unwritten"
    if name == "binary_cross_entropy" and any(t.numel() == 0 for t in values[:2]) and values[0].numel() == 1:
        return "binary_cross_entropy of nothing: PyTorch returns memory that it has not written"
    return None


def narrow(runner, key, values, got, want):
    """PyTorch's antialiasing filters repeat the first row of a picture one pixel wide: its answer to the same picture, wider, is tsrun's."""
    m = re.match(r"aten::(_upsample_(bilinear|bicubic|lanczos)2d_aa)$", key[0])
    if not m or not isinstance(got, torch.Tensor) or want.shape[-1] != 1 or values[0].shape[-1] != 1:
        return None
    factor = values[3][0] if isinstance(values[3], list) else values[3]
    wide = getattr(torch.ops.aten, m.group(1)).default(values[0].repeat(1, 1, 1, 3), [want.shape[2], 3], values[2], factor, None)[..., :1]
    return "antialiasing: PyTorch repeats the first row of pictures one pixel wide, tsrun does not" if compare.differ(got, wide, False) is None else None


def far_away(runner, key, values, got, want):
    """Coordinates of half precision that no 16-bit integer holds: PyTorch takes the lowest 16 bits for a pixel.  Elsewhere nothing differs."""
    if not re.match(r"aten::grid_sampler(_2d|_3d)?$", key[0]) or values[0].dtype not in (torch.float16, torch.bfloat16):
        return None
    far = ~(values[1].float().abs() < 1000).all(-1).unsqueeze(1).expand(want.shape)
    other = torch.where(far, torch.zeros_like(want), want)
    return "coordinates: PyTorch keeps 16 bits of those that are not finite or far outside" if far.any() and compare.differ(torch.where(far, torch.zeros_like(got), got), other, False) is None else None


BEYOND = "lengths: PyTorch reads or writes beyond statistics, weights, bags or buffers of another length, tsrun refuses"


def invariants(runner, key, values, got, want):
    """Parts of a compressed tensor that do not fit each other: PyTorch's own check of what it has made says what tsrun says."""
    if isinstance(got, Exception) and isinstance(want, torch.Tensor) and want.layout in (torch.sparse_csr, torch.sparse_csc):
        said = outcome(torch._validate_sparse_compressed_tensor_args, *values[:3], list(want.shape), want.layout)
        said = said and said.replace("to be a contiguous tensor per batch", "")
        loose = outcome(torch._validate_sparse_compressed_tensor_args, *dense(values[:3]), list(want.shape), want.layout)
        if compare.plain(str(got)) in (said, loose):
            return "invariants: PyTorch makes a sparse tensor that its own check refuses, tsrun refuses it at once"
    return None


def unmade(runner, key, values, got, want):
    """Results that PyTorch makes, but refuses to look into; and an element type that it reads from an empty optional."""
    if isinstance(got, Exception) and isinstance(want, torch.Tensor) and want.is_neg() and outcome(want.resolve_neg) == compare.plain(str(got)):
        return "negative views of bools: PyTorch refuses their elements, tsrun the view"
    if key == ("aten::to", "prim_other") and isinstance(got, torch.Tensor) and values[2] is True and compare.differ(got, values[0], False) is None and want.dtype == torch.uint8:
        return "to.prim_other: PyTorch takes the element type from an optional that is empty"
    return None


def not_quantizable(runner, key, values, got, want):
    """FBGEMM's search for the range keeps or drops what is not finite by its place in vectors: without that, both give the same."""
    if key[0] != "aten::fbgemm_linear_quantize_weight" or values[0].isfinite().all():
        return None
    finite = [values[0].nan_to_num(0.5, 2.0, -2.0)]
    if compare.differ(runner.library.call(key, finite), tuple(runner.operator(key)(*finite)), False) is None:
        return "ranges of what is not finite: by the place in the vectors of PyTorch's library"
    return None


def no_dimension(runner, key, values, got, want):
    """The transforms' inner functions do not look whether a dimension exists, or whether it comes twice."""
    if key[0] in ("aten::_fft_c2c", "aten::_fft_c2r", "aten::_fft_r2c") and (any(not 0 <= d < values[0].dim() for d in values[1]) or len(set(values[1])) < len(values[1])):
        return "dimensions: PyTorch reads memory beyond the sizes for one that does not exist"
    return None


def sensitive(runner, key, values, got, want):
    """One more rounding of the operand changes what the function gives by as much, in PyTorch's own double precision."""
    x = values[0]
    if not key[0].startswith("aten::special_") or not isinstance(x, torch.Tensor) or any(isinstance(v, torch.Tensor) for v in values[1:-1]) or got.shape != want.shape or got.dtype != want.dtype:
        return None
    eps = torch.finfo(x.dtype if x.dtype.is_floating_point else torch.float32).eps
    f, at = getattr(torch.ops.aten, key[0][6:]).default, x.double()
    near = torch.stack([f(at * (1 + k * eps / 2)) for k in range(-8, 9)])
    reach = (near - near[8]).abs().max(0).values
    same = (got == want) | (got.isnan() & want.isnan())
    ok = same | ((got.double() - want.double()).abs() <= 2 * reach + 8 * eps * want.double().abs())
    return "sensitive: a rounding of the operand changes the value by as much" if ok.all() else None


def by_scipy(runner, key, values, got, want):
    """SciPy's function, a third computation, gives tsrun's numbers where PyTorch's are others."""
    if key != ("aten::special_airy_ai", "") and key != ("aten::special_airy_ai", "out") or got.shape != want.shape or got.dtype != want.dtype:
        return None
    import scipy.special
    exact = torch.from_numpy(numpy.asarray(scipy.special.airy(values[0].double().numpy())[0]))
    same = (got == want) | (got.isnan() & want.isnan())
    return "airy_ai: SciPy's value is tsrun's, PyTorch's is less precise" if compare.close(torch.where(same, torch.zeros_like(got), got), torch.where(same, torch.zeros_like(got), exact.to(got.dtype))) is None else None


def first_reason(judges, runner, key, values, got, want):
    """A judge that fails on a call explains nothing."""
    for judge in judges:
        try:
            reason = judge(runner, key, values, got, want)
        except Exception:
            reason = None
        if reason:
            return reason
    return None


def explain(runner, key, values, got, want):
    written_to = written(runner, key, values)
    early = (strides_ignored, unread) if isinstance(got, Exception) else (strides_ignored,) if isinstance(want, Exception) else ()
    early += (invariants, unmade, not_quantizable, no_dimension)
    if isinstance(got, Exception) and getattr(got, "status", 0) == 3 and re.search("sparse", key[0]):
        return "unsupported: tsrun says at the call that it does not have this (sparse tensors of batches)"
    reason = first_reason(early, runner, key, values, got, want)
    if reason:
        return reason
    if isinstance(got, Exception) or isinstance(want, Exception):
        reason = first_reason((singular, infinite), runner, key, values, got, want)
        if reason:
            return reason
    if isinstance(got, Exception) and isinstance(want, Exception):
        return raised(runner, key, values, got, want)
    if isinstance(got, Exception):
        reason = unwritten(runner, key, values, got, want)
        if reason:
            return reason
        if any(isinstance(t, torch.Tensor) and any(n < 0 for n in t.shape) for t in flat(want)):
            return "sizes: PyTorch makes a tensor of negative size, tsrun refuses"
        if re.search(r"running_(mean|var) should contain|weight should contain|bias should contain", str(got)) and "batch_norm" in key[0] or \
                re.search("offsets must not fall", str(got)) or "_reshape_alias" in key[0] and re.search("out of bounds for storage", str(got)):
            return BEYOND
        if re.search("kernel_size .* does not fit the weight", str(got)) and torch.Size(values[2]).numel() != values[1].shape[2:].numel():
            return BEYOND
        if re.search("longer than the padded sequences", str(got)) and isinstance(want, (tuple, list)) and want[1].sum().item() != want[0].shape[0]:
            return "lengths: PyTorch packs sequences longer than what there is, and counts more rows than it packs; tsrun refuses"
        if key[0] == "aten::_log_softmax_backward_data" and values[0].shape != values[1].shape and "to have same size" in str(got):
            return BEYOND
        if re.search(r"indices of max_pool\dd are outside its input", str(got)) and (values[7] < 0).any() | (values[7] >= values[1].shape[-int(str(got).split("pool")[1][0]):].numel()).any():
            return BEYOND
        if "_weight_norm" in key[0] and re.search("slices need as many factors", str(got)) and values[1].numel() < values[0].shape[values[2]]:
            return "lengths: PyTorch reads factors that g does not have, tsrun refuses"
        if key[0] == "aten::lu_unpack" and "LU_pivots has" in str(got) and values[1].shape[:-1] != values[0].shape[:-2]:
            return BEYOND
        if "ctc_loss" in key[0] and re.search("Expected targets to be between", str(got)) and (values[1].min() < 0 or values[1].max() >= values[0].shape[-1]):
            return "labels: PyTorch reads the probabilities of labels that there are not, tsrun refuses"
        if "more than one element of the written-to tensor" in str(got) and any(overlaps(t) for t in written_to) and clash(runner, key, values):
            return "overlaps: PyTorch writes one element several times, tsrun refuses"
        return None
    if isinstance(want, Exception):
        reason = raised(runner, key, values, got, want)
        if reason:
            return reason
        if "DFTI ERROR: Inconsistent" in str(want) and all(isinstance(t, torch.Tensor) and not t.numel() for t in flat(got)):
            return "empty transforms: MKL does not take lines that are not there, tsrun's result has no elements"
        lacks = r"not implemented for|nyi|MKL FFT doesn't support tensors of type|not supported on CPU|could not create a primitive|Unsupported datatype for|DFTI ERROR: Inconsistent"
        return "kernels: PyTorch has none for this element type, tsrun has" if re.search(lacks, str(want), re.I) and wider(runner, key, values, got) else None
    why = [compare.differ(a, b, False) for a, b in zip(flat(got), flat(want))] if len(flat(got)) == len(flat(want)) else ["count"]
    if not any(why):
        if re.search(r"::(_conj|_neg_view|conj|mH|matrix_H|adjoint)$", key[0]):
            return "conjugates: views in PyTorch, copies in tsrun"
        return unwritten(runner, key, values, got, want)  # strides
    judges = (unwritten, narrow, far_away, ties, factors, rounding, distances, strides_ignored, singular, infinite, infinite_sums, sensitive, by_scipy)
    return first_reason(judges, runner, key, values, got, want) or not_finite(got, want)
