#!/usr/bin/env python3
"""Write one case folder for each operator sample of PyTorch's own operator database (some thousands; not kept in the repository):

    python scripts/make_operator_cases.py DIR [-k SUBSTRING]      then      tsrun verify DIR/*

A sample becomes a traced function of its tensor arguments.  Left out are samples that cannot be traced, that hold tensors which are not
dense, whose results depend on the random generator, and results with anything but tensors and numbers.  Needs torch, numpy and expecttest.
"""
import argparse
import copy
import io
import os
import random
import warnings

import numpy
import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

# how many samples of each element type
SAMPLES = {torch.float32: 5, torch.int64: 2, torch.float64: 1, torch.float16: 1, torch.bfloat16: 1, torch.uint8: 1, torch.bool: 1, torch.complex64: 1}


def seed_all(value):
    torch.manual_seed(value)
    random.seed(value)
    numpy.random.seed(value)


def choose(samples, count):
    """count of them, spread over the whole list: the first ones are usually the simplest."""
    if len(samples) <= count:
        return samples
    return [samples[int((i + 0.5) * len(samples) / count)] for i in range(count)]


def as_function(op, sample):
    """The sample as a function of its tensors, and these tensors."""
    leaves, spec = tree_flatten((sample.input, sample.args, sample.kwargs))
    where = [i for i, v in enumerate(leaves) if isinstance(v, torch.Tensor)]

    def call(*tensors):
        full = list(leaves)
        for i, t in zip(where, tensors):
            full[i] = t
        first, args, kwargs = tree_unflatten(full, spec)
        return op.op(first, *args, **kwargs)
    return call, tuple(leaves[i].detach().clone() for i in where)


def plain(v):
    if isinstance(v, torch.Tensor):
        return v.detach().clone()
    if isinstance(v, tuple):
        return tuple(plain(x) for x in v)
    return [plain(x) for x in v] if isinstance(v, list) else v


def fit(tensors):
    return bool(tensors) and all(t.layout == torch.strided and t.numel() <= 200000 for t in tensors)


def answer(data, inputs, seed):
    seed_all(seed)
    return plain(torch.jit.load(io.BytesIO(data))(*copy.deepcopy(inputs)))


def write(folder, op, sample):
    """True when the case was written."""
    call, inputs = as_function(op, sample)
    if not fit(inputs):
        return False
    data = io.BytesIO()
    torch.jit.save(torch.jit.trace(call, copy.deepcopy(inputs), check_trace=False), data)
    result = answer(data.getvalue(), inputs, 0)
    leaves = tree_flatten(result)[0]
    if not any(isinstance(v, torch.Tensor) for v in leaves) or not all(v is None or isinstance(v, (torch.Tensor, bool, int, float, complex)) for v in leaves):
        return False
    torch.testing.assert_close(result, answer(data.getvalue(), inputs, 1), rtol=0, atol=0, equal_nan=True)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "model.pt"), "wb") as f:
        f.write(data.getvalue())
    torch.save(inputs, os.path.join(folder, "inputs.pt"))
    torch.save(result, os.path.join(folder, "expected.pt"))
    return True


def samples_of(op, dtype, count):
    if not op.supports_dtype(dtype, "cpu"):
        return []
    seed_all(11)
    return choose(list(op.sample_inputs("cpu", dtype, requires_grad=False)), count)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("dir")
    ap.add_argument("-k", default="", help="only operators whose name holds this")
    a = ap.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    from torch.testing._internal.common_methods_invocations import op_db
    made = left = 0
    for op in op_db:
        name = op.name + ("." + op.variant_test_name if op.variant_test_name else "")
        for dtype, count in SAMPLES.items():
            if a.k not in name:
                continue
            try:
                samples = samples_of(op, dtype, count)
            except Exception:
                continue
            for i, sample in enumerate(samples):
                folder = os.path.join(a.dir, ("%s-%s-%d" % (name, str(dtype)[6:], i)).replace("/", "_"))
                try:
                    ok = write(folder, op, sample)
                except Exception:
                    ok = False
                made, left = made + ok, left + (not ok)
    print("%d cases made, %d samples left out" % (made, left))


if __name__ == "__main__":
    main()
