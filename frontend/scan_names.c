/* Which names a file may give, and what each would do in Python. */
#include <ctype.h>

#include "frontend/pickle_vm.h"
#include "frontend/scan.h"

/* A trailing dot: everything of that module. */
static const char *const dangerous[] = {
    "os.", "posix.", "nt.", "posixpath.", "ntpath.", "subprocess.", "sys.", "socket.", "shutil.", "pty.", "ctypes.", "_ctypes.", "importlib.", "imp.", "runpy.", "pkgutil.",
    "code.", "codeop.", "marshal.", "pickle.", "_pickle.", "cPickle.", "dill.", "cloudpickle.", "shelve.", "joblib.", "commands.", "popen2.", "webbrowser.", "urllib.", "urllib2.",
    "http.", "httplib.", "requests.", "aiohttp.", "ftplib.", "smtplib.", "poplib.", "imaplib.", "telnetlib.", "nntplib.", "xmlrpc.", "asyncio.", "multiprocessing.",
    "concurrent.", "threading.", "_thread.", "signal.", "pip.", "_pip.", "setuptools.", "distutils.", "ensurepip.", "venv.", "pdb.", "bdb.", "cProfile.", "profile.", "timeit.",
    "trace.", "doctest.", "unittest.", "test.", "tempfile.", "tarfile.", "zipfile.", "zipimport.", "inspect.", "gc.", "platform.", "site.", "lib2to3.", "idlelib.", "logging.",
    "tkinter.", "turtle.", "sqlite3.", "fileinput.", "io.", "_io.", "glob.", "linecache.", "pydoc.", "IPython.", "ssl.", "asyncore.", "select.", "selectors.",
    "types.CodeType", "types.FunctionType", "types.MethodType", "types.ModuleType", "operator.attrgetter", "operator.methodcaller", "operator.itemgetter", "_operator.attrgetter",
    "_operator.methodcaller", "_operator.itemgetter", "functools.partial", "functools.reduce", "_functools.partial", "_functools.reduce",
    "torch.hub.", "torch.load", "torch.save", "torch.serialization.load", "torch.jit.load", "torch.jit._serialization.", "torch.package.", "torch.ops.", "torch.classes.",
    "torch._ops.", "torch.utils.cpp_extension.", "torch.utils.model_zoo.", "torch.utils._config_module.", "torch.utils.collect_env.", "torch.utils.bottleneck.", "torch.distributed.",
    "torch._dynamo.", "torch._inductor.", "torch.fx.", "torch.testing.", "torch.storage._load_from_bytes", "torch.multiprocessing.", "torch.cuda._lazy_call", "torch.utils.data.datapipes.",
    "torch._utils_internal.", "numpy.load", "numpy.fromfile", "numpy.memmap", "numpy.save", "numpy.savez", "numpy.savetxt", "numpy.loadtxt", "numpy.genfromtxt", "numpy.testing.",
    "numpy.f2py.", "numpy.distutils.", "numpy.ctypeslib.", "pandas.read_pickle", "pandas.eval", "pandas.io.", "numexpr.", "sympy.",
};

static const char *const builtin_dangers[] = {
    "eval", "exec", "compile", "open", "__import__", "getattr", "setattr", "delattr", "hasattr", "input", "raw_input", "breakpoint", "globals", "locals", "vars", "dir", "apply",
    "execfile", "file", "map", "filter", "reload", "memoryview", "type", "super", "help", "exit", "quit", "callable", "iter", "next", "sorted", "max", "min", "zip",
};

static const char *const library[] = {
    "torch.nn.modules.", "torch.nn.parallel.", "torch.nn.parameter.", "torch.nn.quantized.", "torch.nn.intrinsic.", "torch.ao.nn.", "torch.ao.quantization.", "torch.optim.",
    "torch.Tensor", "torch.Generator", "torch.nn.functional.", "torch._C._nn.", "torch._C.Generator", "torch.nn.utils.weight_norm.", "torch.nn.utils.spectral_norm.",
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.ndarray", "numpy.dtype",
    "numpy.dtypes.", "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer", "numpy.float", "numpy.int", "numpy.uint", "numpy.bool", "numpy.random._pickle.",
    "collections.defaultdict", "collections.deque", "collections.Counter", "argparse.Namespace", "datetime.", "decimal.Decimal", "fractions.Fraction", "uuid.UUID",
    "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath", "pathlib.Path", "pathlib._local.PosixPath", "pathlib._local.WindowsPath", "types.SimpleNamespace",
};

static const char *const known_builtins[] = {"int",  "float", "bool", "str",  "bytes",     "bytearray", "complex", "set",     "frozenset", "list",
                                             "dict", "tuple", "object", "slice", "range", "long",      "unicode", "NoneType", "Ellipsis", "basestring"};

/* Rows that end in a dot match what begins with them, number types of NumPy whatever digits follow, the rest whole. */
static bool matches(const char *row, const char *name, size_t len) {
  size_t n = strlen(row);
  if (len < n || memcmp(row, name, n) != 0) return false;
  return len == n || row[n - 1] == '.' || (n > 6 && memcmp(row, "numpy.", 6) == 0 && row[n - 1] != 'n' && isdigit((unsigned char)name[n]));
}

static bool listed(const char *const *rows, size_t count, const char *name, size_t len) {
  for (size_t i = 0; i < count; i++)
    if (matches(rows[i], name, len)) return true;
  return false;
}

static bool is_storage_class(const char *name, size_t len) {
  static const char tail[] = "Storage", tensor[] = "Tensor";
  size_t n = sizeof tail - 1, m = sizeof tensor - 1;
  if (len < 7 || memcmp(name, "torch.", 6) != 0) return false;
  return (len > n && memcmp(name + len - n, tail, n) == 0) || (len > m && memcmp(name + len - m, tensor, m) == 0);
}

tsr_scan_trust tsr_scan_trust_of(const char *name, size_t len) {
  char text[256];
  int64_t value;
  if (len == 0 || len >= sizeof text || memchr(name, 0, len) != NULL) return TSR_TRUST_OPAQUE;
  memcpy(text, name, len);
  text[len] = 0;
  const char *word = strncmp(text, "builtins.", 9) == 0 ? text + 9 : strncmp(text, "__builtin__.", 12) == 0 ? text + 12 : strncmp(text, "__builtins__.", 13) == 0 ? text + 13 : NULL;
  if (word != NULL) {
    for (size_t i = 0; i < TSR_COUNT(known_builtins); i++)
      if (strcmp(known_builtins[i], word) == 0) return TSR_TRUST_KNOWN;
    for (size_t i = 0; i < TSR_COUNT(builtin_dangers); i++)
      if (strcmp(builtin_dangers[i], word) == 0) return TSR_TRUST_DANGEROUS;
    return TSR_TRUST_OPAQUE;
  }
  if (tsr_pickle_tag(text, len, &value) != 0 || is_storage_class(text, len) || strncmp(text, "__torch__", 9) == 0) return TSR_TRUST_KNOWN;
  if (strncmp(text, "torch._utils._rebuild_", 22) == 0 || strncmp(text, "torch._tensor._rebuild_", 23) == 0) return TSR_TRUST_KNOWN;
  if (strncmp(text, "torch.jit._pickle.", 18) == 0 || strcmp(text, "__main__.TensorID") == 0 || strcmp(text, "__main__.IntList") == 0) return TSR_TRUST_KNOWN;
  if (strcmp(text, "copy_reg._reconstructor") == 0 || strcmp(text, "copyreg._reconstructor") == 0) return TSR_TRUST_KNOWN;
  if (listed(dangerous, TSR_COUNT(dangerous), text, len)) return TSR_TRUST_DANGEROUS;
  return listed(library, TSR_COUNT(library), text, len) ? TSR_TRUST_LIBRARY : TSR_TRUST_OPAQUE;
}

const char *tsr_scan_operator_risk(const char *name, size_t len) {
  static const struct { const char *name, *what; } rows[] = {
      {"aten::save", "writes files"},           {"aten::from_file", "maps files, and can create them"}, {"aten::_save", "writes files"},
      {"image::read_file", "reads files"},      {"image::write_file", "writes files"},                  {"image::decode_", NULL},
      {"video_reader::", "reads files"},        {"torchaudio::", "may read and write files"},           {"rpc::", "talks to other processes"},
      {"c10d::", "talks to other processes"},   {"_c10d_functional::", "talks to other processes"},     {"dist::", "talks to other processes"},
      {"profiler::", NULL},                     {"prim::rpc_", "talks to other processes"},             {"fb::", "is none of PyTorch's"},
  };
  for (size_t i = 0; i < TSR_COUNT(rows); i++) {
    size_t n = strlen(rows[i].name);
    bool prefix = rows[i].name[n - 1] == ':' || rows[i].name[n - 1] == '_';
    if (rows[i].what != NULL && len >= n && (prefix || len == n) && memcmp(name, rows[i].name, n) == 0) return rows[i].what;
  }
  return NULL;
}
