"""Why two answers of one call may differ without a defect.  Each class is proven for the call at hand, not assumed from the operator's name:

    explain(runner, key, values, got, want) -> the reason, or None

got and want are results, or the exceptions that the two raised.
"""
import re

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
            pos = [v.double() if i == 0 and isinstance(v, torch.Tensor) and v.dtype != torch.bool else v for i, v in enumerate(pos)]
        return flat(runner.operator(key)(*pos, **kw))
    except Exception:
        return None


def as_near(got, want, exact):
    """Is got, element by element, as near to the exact value as want, or the exact value to the precision of its type?"""
    if got.shape != want.shape or got.dtype != want.dtype or got.shape != exact.shape or not (want.dtype.is_floating_point or want.dtype.is_complex):
        return False
    if want.is_complex():
        return as_near(torch.view_as_real(got.contiguous()), torch.view_as_real(want.resolve_conj().contiguous()), torch.view_as_real(exact.to(torch.complex128).contiguous()))
    eps = torch.finfo(want.dtype).eps
    largest = torch.finfo(want.dtype).max
    g, w, x = got.double().flatten(), want.double().flatten(), exact.double().flatten()
    finite = x.isfinite() & (x.abs() <= largest)
    scale = x[finite].abs().max().item() if finite.any() else 0.0
    mine, theirs = (g - x).abs(), (w - x).abs()
    known = theirs[finite & w.isfinite()]
    worst = known.max().item() if known.numel() else 0.0
    ok = mine <= max(4 * worst, 8 * eps * scale, 1e-300)
    same = (g == w) | (g.isnan() & w.isnan())
    # what the exact value has beyond the type's range may be infinite, or the value of a step that overflowed in one of the two
    beyond = ~finite & ((g == x) | (g.isnan() & x.isnan()) | (x.isfinite() & (g.isinf() & (g.sign() == x.sign()))))
    return bool((same | (finite & g.isfinite() & ok) | beyond).all())


def rounding(runner, key, values, got, want):
    g, w = flat(got), flat(want)
    x = truth(runner, key, values)
    if x is None or len(x) != len(w) or len(g) != len(w):
        return None
    for a, b, c in zip(g, w, x):
        if compare.differ(a, b, False) is None:
            continue
        if not isinstance(b, torch.Tensor) or not isinstance(c, torch.Tensor) or not isinstance(a, torch.Tensor) or not as_near(a, b, c):
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
    """PyTorch's answer to the same call with operands in order is tsrun's."""
    if all(not isinstance(t, torch.Tensor) or t.is_contiguous() for v in values for t in flat(v)):
        return None
    pos, kw = runner.split(key, dense(values))
    torch.manual_seed(3)
    other = runner.operator(key)(*pos, **kw)
    if compare.differ(got, other, False) is None:
        return "strides: PyTorch reads or writes memory as if it were in order; with operands that are, it gives what tsrun gives"
    return None


def infinite(runner, key, values, got, want):
    """Libraries (LAPACK, MKL's transforms) make what they like of infinities and NaN."""
    if not re.search(r"fft|linalg_|svd|qr|eig|lu|cholesky|lstsq|ldl|inv|det|triangular|orgqr|ormqr|householder|stft|nuclear|matrix_exp|solve", key[0].split("::")[1]):
        return None
    tensors = [t for v in values for t in flat(v) if isinstance(t, torch.Tensor) and (t.dtype.is_floating_point or t.dtype.is_complex)]
    if all(t.isfinite().all() for t in tensors):
        return None
    if isinstance(got, Exception) or isinstance(want, Exception):
        return None
    if all(isinstance(a, torch.Tensor) and a.shape == b.shape and a.dtype == b.dtype for a, b in zip(flat(got), flat(want))):
        return "infinities in linear algebra and transforms: the libraries differ"
    return None


def raised(runner, key, values, got, want):
    text, mine = compare.plain(str(want)), compare.plain(str(got))
    if re.search(r"INTERNAL ASSERT FAILED|Could this error message be improved|report a bug", text):
        return "assertions: an internal one of PyTorch fails, tsrun says what is wrong"
    return None


def explain(runner, key, values, got, want):
    written_to = written(runner, key, values)
    if isinstance(got, Exception) and isinstance(want, Exception):
        return raised(runner, key, values, got, want)
    if isinstance(got, Exception):
        if re.search(r"running_(mean|var) should contain|weight should contain|bias should contain", str(got)) and "batch_norm" in key[0]:
            return "batch_norm: PyTorch reads beyond statistics or weights of another length, tsrun refuses"
        if "more than one element of the written-to tensor" in str(got) and any(overlaps(t) for t in written_to):
            return "overlaps: PyTorch writes one element several times, tsrun refuses"
        return None
    if isinstance(want, Exception):
        if raised(runner, key, values, got, want):
            return raised(runner, key, values, got, want)
        if re.search(r"not implemented for|nyi|MKL FFT doesn't support tensors of type|not supported on CPU|could not create a primitive|Unsupported datatype for|DFTI ERROR: Inconsistent", str(want), re.I):
            return "kernels: PyTorch has none for this element type, tsrun has"
        return None
    why = [compare.differ(a, b, False) for a, b in zip(flat(got), flat(want))] if len(flat(got)) == len(flat(want)) else ["count"]
    if not any(why):
        return None  # strides
    for judge in (ties, factors, rounding, strides_ignored, infinite):
        try:
            reason = judge(runner, key, values, got, want)
        except Exception:
            reason = None
        if reason:
            return reason
    return not_finite(got, want)
