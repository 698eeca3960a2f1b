"""tsrun's operators from Python: one archive with a method for each operator, run in this process through the public interface (include/tsrun.h)."""
import ctypes
import io
import re
import zipfile

import torch

P = ctypes.c_void_p
NONE, BOOL, INT, FLOAT, COMPLEX, STR, TENSOR, LIST, TUPLE, DICT = range(10)
DTYPES = {torch.uint8: 0, torch.int8: 1, torch.int16: 2, torch.int32: 3, torch.int64: 4, torch.float16: 5, torch.float32: 6, torch.float64: 7,
          torch.complex32: 8, torch.complex64: 9, torch.complex128: 10, torch.bool: 11, torch.bfloat16: 15, torch.float8_e5m2: 23,
          torch.float8_e4m3fn: 24, torch.float8_e5m2fnuz: 25, torch.float8_e4m3fnuz: 26, torch.uint16: 27, torch.uint32: 28, torch.uint64: 29}
FROM_CODE = {code: dtype for dtype, code in DTYPES.items()}
LAYOUTS = {torch.strided: 0, torch.sparse_coo: 1, torch.sparse_csr: 2}
FORMATS = {torch.contiguous_format: 0, torch.preserve_format: 1, torch.channels_last: 2, torch.channels_last_3d: 3}
LEFT_OUT = ("Device", "Generator", "Stream", "Storage", "DeviceObjType")  # types of parameters that stay at their defaults


class Raised(Exception):
    """What tsrun refused; status as in tsrun.h."""
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class LoadOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("opt_level", ctypes.c_int), ("no_mmap", ctypes.c_bool), ("max_memory", ctypes.c_uint64),
                ("threads", ctypes.c_int), ("allow_missing_ops", ctypes.c_bool)]


class SessionOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("max_memory", ctypes.c_uint64), ("max_steps", ctypes.c_uint64), ("timeout", ctypes.c_double),
                ("threads", ctypes.c_int), ("has_seed", ctypes.c_bool), ("seed", ctypes.c_uint64), ("print", P), ("warn", P), ("user", P)]


KNOWN = set("Tensor Scalar number int float bool complex str SymInt ScalarType Layout MemoryFormat QScheme Optional List".split())


def usable(schema):
    """Arguments that a method can take, or None when the operator cannot be called this way."""
    args = []
    for a in schema.arguments:
        t = str(a.real_type)
        base = t.replace("?", "").replace("[]", "")
        if any(base == x or "Optional[%s]" % x == base for x in LEFT_OUT) or a.name == "pin_memory":
            if not a.has_default_value():
                return None
            continue
        if not set(re.findall(r"[A-Za-z_]+", t)) <= KNOWN:
            return None
        args.append(a)
    return args


def returns(schema):
    """Annotation of the result; None when it is of no type that a host can hold."""
    types = [str(r.real_type) if hasattr(r, "real_type") else str(r.type) for r in schema.returns]
    if not all(set(re.findall(r"[A-Za-z_]+", t)) <= KNOWN for t in types):
        return None
    types = [annotation(t) for t in types]
    if not types:
        return "NoneType"
    return types[0] if len(types) == 1 else "Tuple[%s]" % ", ".join(types)


def annotation(t):
    """TorchScript's own spelling, as it stands in archives, of what str(type) gives."""
    t = t.replace("Scalar", "number").replace("SymInt", "int").replace("ScalarType", "int").replace("numberType", "int")
    for name in ("Layout", "MemoryFormat", "QScheme"):
        t = re.sub(r"\b%s\b" % name, "int", t)
    while True:
        m = re.search(r"([A-Za-z0-9_.]+(?:\[[^\[\]]*[A-Za-z\]][^\[\]]*\])?)(\[\]|\?)", t)
        if not m:
            return t
        t = t[:m.start()] + ("List[%s]" if m.group(2) == "[]" else "Optional[%s]") % m.group(1) + t[m.end():]


def method_text(index, schema, args):
    call = []
    for a in args:
        call.append("%s=a_%s" % (a.name, a.name) if a.kwarg_only else "a_%s" % a.name)
    space, name = schema.name.split("::")
    function = "torch." + name if space == "aten" else "ops.%s.%s" % (space, name)
    params = "".join(", a_%s: %s" % (a.name, annotation(str(a.real_type))) for a in args)
    return "  def m%d(self: __torch__.M%s) -> %s:\n    return %s(%s)\n" % (index, params, returns(schema), function, ", ".join(call))


class Library:
    def __init__(self, path, schemas, threads=1, timeout=20.0):
        self.lib = ctypes.CDLL(path)
        for name in ("none", "bool", "int", "float", "complex", "str", "tensor_borrow", "list", "tuple", "dict", "item", "ref"):
            getattr(self.lib, "tsr_value_" + name).restype = P
        for name in ("tsr_error_message", "tsr_value_get_str"):
            getattr(self.lib, name).restype = ctypes.c_char_p
        for name in ("tsr_value_get_float", ):
            getattr(self.lib, name).restype = ctypes.c_double
        self.lib.tsr_value_get_int.restype = ctypes.c_int64
        self.lib.tsr_value_count.restype = ctypes.c_size_t
        self.lib.tsr_value_get_bool.restype = ctypes.c_bool
        self.lib.tsr_tensor_sizes.restype = self.lib.tsr_tensor_strides.restype = ctypes.POINTER(ctypes.c_int64)
        self.lib.tsr_tensor_numel.restype = ctypes.c_int64
        self.lib.tsr_tensor_data.restype = P
        self.lib.tsr_tensor_contiguous.restype = P
        self.methods, text = {}, ["class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"]
        for schema in schemas:
            args = usable(schema)
            if args is None or returns(schema) is None or (schema.name, schema.overload_name) in self.methods:
                continue
            self.methods[schema.name, schema.overload_name] = (b"m%d" % len(self.methods), schema, args)
            text.append(method_text(len(self.methods) - 1, schema, args))
        self.model = P()
        self.data = self.archive("".join(text))
        opt = LoadOptions(ctypes.sizeof(LoadOptions), -1, False, 0, threads, True)
        err = P()
        self.source = text
        self.check(self.lib.tsr_model_load_memory(self.data, ctypes.c_size_t(len(self.data)), ctypes.byref(opt), ctypes.byref(self.model), ctypes.byref(err)), err)
        self.timeout, self.threads = timeout, threads
        self.session = self.new_session(0)

    def archive(self, code):
        plain = io.BytesIO()

        class M(torch.nn.Module):
            def forward(self):
                return 1
        torch.jit.save(torch.jit.script(M()), plain)
        out = io.BytesIO()
        with zipfile.ZipFile(plain) as src, zipfile.ZipFile(out, "w") as dst:
            for n in src.namelist():
                if "/code/" in n or n.endswith(".debug_pkl"):
                    continue
                data = b"10\n" if n.endswith("/version") else src.read(n)
                if n.endswith("/data.pkl"):
                    data = re.sub(rb"c__torch__[^\n]*\n[^\n]*\n", b"c__torch__\nM\n", data, count=1)
                dst.writestr(n, data)
            dst.writestr(src.namelist()[0].split("/")[0] + "/code/__torch__.py", code)
        return out.getvalue()

    def new_session(self, seed):
        opt = SessionOptions(ctypes.sizeof(SessionOptions), 4 << 30, 0, self.timeout, self.threads, True, seed, None, self.quiet(), None)
        session, err = P(), P()
        self.check(self.lib.tsr_session_new(self.model, ctypes.byref(opt), ctypes.byref(session), ctypes.byref(err)), err)
        return session

    def quiet(self):
        self.hush = ctypes.CFUNCTYPE(None, P, P, ctypes.c_size_t)(lambda user, text, n: None)
        return ctypes.cast(self.hush, P)

    def check(self, status, err):
        if status:
            text = (self.lib.tsr_error_message(err) or b"").decode("utf-8", "replace")
            self.lib.tsr_error_free(err)
            raise Raised(status, text)

    def put(self, v, keep):
        lib = self.lib
        if v is None:
            r = lib.tsr_value_none()
        elif isinstance(v, torch.Tensor):
            if v.layout != torch.strided or v.dtype not in DTYPES:
                raise TypeError("tensor of another kind")
            v = v.resolve_conj().resolve_neg().detach()
            keep.append(v)
            n = v.dim()
            r = lib.tsr_value_tensor_borrow(DTYPES[v.dtype], n, (ctypes.c_int64 * max(n, 1))(*v.shape), (ctypes.c_int64 * max(n, 1))(*v.stride()), P(v.data_ptr() or 64), None, None)
        elif isinstance(v, bool):
            r = lib.tsr_value_bool(v)
        elif isinstance(v, int):
            r = lib.tsr_value_int(ctypes.c_int64(v))
        elif isinstance(v, float):
            r = lib.tsr_value_float(ctypes.c_double(v))
        elif isinstance(v, complex):
            r = lib.tsr_value_complex(ctypes.c_double(v.real), ctypes.c_double(v.imag))
        elif isinstance(v, str):
            b = v.encode()
            r = lib.tsr_value_str(b, ctypes.c_size_t(len(b)))
        elif isinstance(v, (list, tuple)):
            items = [self.put(x, keep) for x in v]
            r = lib.tsr_value_list((P * max(1, len(items)))(*items), ctypes.c_size_t(len(items)))
            for x in items:
                lib.tsr_value_free(P(x))
        elif v in DTYPES or v in LAYOUTS or v in FORMATS:
            r = lib.tsr_value_int(ctypes.c_int64(DTYPES.get(v, LAYOUTS.get(v, FORMATS.get(v)))))
        else:
            raise TypeError("value of type " + type(v).__name__)
        if not r:
            raise TypeError("value refused")
        return r

    def get(self, p):
        lib = self.lib
        kind = lib.tsr_value_kind(P(p))
        if kind == NONE:
            return None
        if kind == BOOL:
            return lib.tsr_value_get_bool(P(p))
        if kind == INT:
            return lib.tsr_value_get_int(P(p))
        if kind == FLOAT:
            return lib.tsr_value_get_float(P(p))
        if kind == COMPLEX:
            re_, im = ctypes.c_double(), ctypes.c_double()
            lib.tsr_value_get_complex(P(p), ctypes.byref(re_), ctypes.byref(im))
            return complex(re_.value, im.value)
        if kind == STR:
            return lib.tsr_value_get_str(P(p), None).decode()
        if kind == TENSOR:
            return self.get_tensor(p)
        if kind in (LIST, TUPLE):
            out = []
            for i in range(lib.tsr_value_count(P(p))):
                item = lib.tsr_value_item(P(p), ctypes.c_size_t(i))
                out.append(self.get(item))
                lib.tsr_value_free(P(item))
            return out if kind == LIST else tuple(out)
        raise TypeError("result of another kind")

    def get_tensor(self, p):
        """The tensor with tsrun's strides where they can be had (no overlap), as attribute tsr_strides always."""
        lib = self.lib
        code = lib.tsr_tensor_dtype(P(p))
        n = lib.tsr_tensor_ndim(P(p))
        sizes, strides = [list(f(P(p))[:n]) for f in (lib.tsr_tensor_sizes, lib.tsr_tensor_strides)]
        dense = lib.tsr_tensor_contiguous(P(p))
        if not dense:
            raise TypeError("result that is not dense")
        count = lib.tsr_tensor_numel(P(dense))
        dtype = FROM_CODE[code]
        out = torch.empty(sizes, dtype=dtype)
        if count:
            ctypes.memmove(out.data_ptr(), lib.tsr_tensor_data(P(dense)), count * out.element_size())
        lib.tsr_value_free(P(dense))
        out.tsr_strides = strides
        return out

    def seed(self, seed):
        self.lib.tsr_session_free(self.session)
        self.session = self.new_session(seed)

    def call(self, key, values):
        """values: one for each argument of self.methods[key][2]."""
        keep, items, name = [], [], self.methods[key][0]
        out, err = P(), P()
        try:
            for v in values:
                items.append(self.put(v, keep))
            status = self.lib.tsr_session_run(self.session, name, (P * max(1, len(items)))(*items), None, ctypes.c_size_t(len(items)), ctypes.byref(out), ctypes.byref(err))
            self.check(status, err)
            try:
                return self.get(out.value)
            finally:
                self.lib.tsr_value_free(out)
        finally:
            for x in items:
                self.lib.tsr_value_free(P(x))
