"""Two answers of one operator call: the reason why they differ, or None."""
import math
import re

import torch

TOLERANCE = {torch.float32: (1e-4, 1e-5), torch.float64: (1e-7, 1e-8), torch.float16: (4e-3, 2e-3), torch.bfloat16: (3e-2, 2e-2),
             torch.complex32: (4e-3, 2e-3), torch.complex64: (1e-4, 1e-5), torch.complex128: (1e-7, 1e-8)}
NARROW = (torch.float8_e5m2, torch.float8_e4m3fn, torch.float8_e5m2fnuz, torch.float8_e4m3fnuz)


def close(got, want):
    if want.dtype in NARROW:
        got, want = got.float(), want.float()
    if want.dtype not in TOLERANCE:
        return None if torch.equal(got, want) else "values differ"
    if want.is_complex():
        return close(torch.view_as_real(got.contiguous()), torch.view_as_real(want.resolve_conj().contiguous()))
    rtol, atol = TOLERANCE[want.dtype]
    got, want = got.double(), want.double()
    finite = want[want.isfinite()]
    atol = max(atol, atol * finite.abs().max().item()) if finite.numel() else atol
    bad = ~torch.isclose(got, want, rtol=rtol, atol=atol, equal_nan=True)
    if not bad.any():
        return None
    at = bad.flatten().nonzero()[0].item()
    return "%d of %d elements differ, at %d: %.9g, expected %.9g" % (bad.sum(), bad.numel(), at, got.flatten()[at], want.flatten()[at])


def strides(t):
    """Only the strides that mean something."""
    return [s for s, n in zip(getattr(t, "tsr_strides", None) or t.stride(), t.shape) if n > 1] if t.numel() else []


def differ(got, want, check_strides=True):
    if isinstance(want, torch.Tensor):
        if not isinstance(got, torch.Tensor):
            return "%s for a tensor" % type(got).__name__
        if got.dtype != want.dtype:
            return "dtype %s, expected %s" % (got.dtype, want.dtype)
        if got.shape != want.shape:
            return "shape %s, expected %s" % (list(got.shape), list(want.shape))
        why = close(got, want.detach())
        if why is None and check_strides and strides(got) != strides(want):
            return "strides %s, expected %s" % (getattr(got, "tsr_strides", None) or list(got.stride()), list(want.stride()))
        return why
    if isinstance(want, (tuple, list)):
        if not isinstance(got, (tuple, list)) or len(got) != len(want):
            return "%d results, expected %d" % (len(got) if isinstance(got, (tuple, list)) else 1, len(want))
        return next((w for w in (differ(g, e, check_strides) for g, e in zip(got, want)) if w), None)
    if isinstance(want, (float, complex)) and isinstance(got, (int, float, complex)) and type(got) is type(want):
        return None if got == want or abs(got - want) <= 1e-9 + 1e-6 * abs(want) or (isinstance(want, float) and math.isnan(want) and math.isnan(got)) else "%r, expected %r" % (got, want)
    return None if type(got) is type(want) and got == want else "%r, expected %r" % (got, want)


def plain(text):
    """An error's text without what depends on the program that raised it."""
    text = text.strip().split("\n")[0]
    text = re.sub(r"^[A-Za-z]+Error: ", "", text)
    return text.strip()


def show(v):
    if isinstance(v, torch.Tensor):
        text = "%s%s" % (str(v.dtype)[6:], list(v.shape))
        if not v.is_contiguous():
            text += "s" + str(list(v.stride()))
        if v.numel() == 1 and v.layout == torch.strided:
            text += "=%r" % (v.item(),)
        return text
    if isinstance(v, (list, tuple)) and any(isinstance(x, torch.Tensor) for x in v):
        return "[%s]" % ", ".join(show(x) for x in v)
    return repr(v)
