/* str() and print() of values as TorchScript writes them: numbers, containers, and tensors in the
 * style of PyTorch's C++ stream output. */
#include <math.h>
#include <stdio.h>

#include "core/tensor.h"

/* printf with '.' whatever the process locale says. */
static void put_double(tsr_buf *out, const char *fmt, double x) {
  char text[400];
  int n = snprintf(text, sizeof text, fmt, x);
  for (int i = 0; i < n; i++) {
    if (text[i] == ',') text[i] = '.';
  }
  tsr_buf_puts(out, text);
}

static void put_float(tsr_buf *out, double d) {
  if (isnan(d)) tsr_buf_puts(out, signbit(d) ? "-nan" : "nan");
  else if (isinf(d)) tsr_buf_puts(out, d < 0 ? "-inf" : "inf");
  else if (fabs(d) < 9.2e18 && d == (double)(int64_t)d) tsr_buf_printf(out, "%lld.", (long long)d);
  else put_double(out, "%.17g", d);
}

static void put_complex(tsr_buf *out, tsr_c128 z) {
  put_float(out, z.re);
  tsr_buf_putc(out, z.im >= 0 ? '+' : '-');
  put_float(out, fabs(z.im));
  tsr_buf_putc(out, 'j');
}

typedef struct inside { const struct inside *in; const tsr_obj *o; int depth; } inside; /* the containers around a value */

static void put_val(tsr_val v, tsr_buf *out, const inside *in);

static void put_items(tsr_buf *out, const tsr_val *items, size_t n, const inside *in) {
  for (size_t i = 0; i < n; i++) {
    if (i > 0) tsr_buf_puts(out, ", ");
    put_val(items[i], out, in);
  }
}

static void put_dict(tsr_buf *out, const tsr_dict *d, const inside *in) {
  bool first = true;
  tsr_buf_putc(out, '{');
  for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1)) {
    if (!first) tsr_buf_puts(out, ", ");
    first = false;
    put_val(d->entries[i].key, out, in);
    tsr_buf_puts(out, ": ");
    put_val(d->entries[i].value, out, in);
  }
  tsr_buf_putc(out, '}');
}

/* Of a named tuple too: its names are not printed. */
static void put_tuple(tsr_buf *out, const tsr_tuple *u, const inside *in) {
  tsr_buf_putc(out, '(');
  put_items(out, u->items, u->len, in);
  if (u->len == 1) tsr_buf_putc(out, ',');
  tsr_buf_putc(out, ')');
}

/* A container in itself is "[...]", as in Python. */
static bool contains_itself(tsr_val v, const inside *in) {
  if (v.tag != TSR_V_LIST && v.tag != TSR_V_DICT && v.tag != TSR_V_TUPLE) return false;
  while (in != NULL && in->o != v.o) in = in->in;
  return in != NULL;
}

static void put_val(tsr_val v, tsr_buf *out, const inside *in) {
  inside me = {in, tsr_is_boxed(v) ? v.o : NULL, in == NULL ? 0 : in->depth + 1};
  if (out->oom) return;
  if (me.depth > TSR_MAX_DEPTH || out->len > (size_t)1 << 30) {
    tsr_buf_puts(out, "…");
    return;
  }
  if (contains_itself(v, in)) {
    tsr_buf_puts(out, v.tag == TSR_V_LIST ? "[...]" : v.tag == TSR_V_DICT ? "{...}" : "(...)");
    return;
  }
  switch (v.tag) {
    case TSR_V_NONE: tsr_buf_puts(out, "None"); break;
    case TSR_V_BOOL: tsr_buf_puts(out, v.b ? "True" : "False"); break;
    case TSR_V_INT: tsr_buf_printf(out, "%lld", (long long)v.i); break;
    case TSR_V_FLOAT: put_float(out, v.d); break;
    case TSR_V_COMPLEX: put_complex(out, v.c->z); break;
    case TSR_V_STR: tsr_buf_put(out, v.s->bytes, v.s->len); break;
    case TSR_V_TENSOR: tsr_tensor_print(v.t, out); break;
    case TSR_V_LIST:
      tsr_buf_putc(out, '[');
      put_items(out, v.l->items, v.l->len, &me);
      tsr_buf_putc(out, ']');
      break;
    case TSR_V_TUPLE: put_tuple(out, v.u, &me); break;
    case TSR_V_DICT: put_dict(out, v.m, &me); break;
    case TSR_V_DEVICE:
      tsr_buf_puts(out, tsr_device_type_name(v.dev.type));
      if (v.dev.index >= 0) tsr_buf_printf(out, ":%d", v.dev.index);
      break;
    case TSR_V_OBJECT: tsr_buf_printf(out, "<%s object at %p>", v.obj->cls->name, (void *)v.obj); break;
    case TSR_V_ENUM: tsr_buf_printf(out, "Enum<%s.%s>", v.e->cls->name, v.e->cls->member_names[v.e->member]); break;
    default: tsr_buf_printf(out, "<%s>", tsr_tag_name(v)); break;
  }
}

void tsr_val_print(tsr_val v, tsr_buf *out) { put_val(v, out, NULL); }

/* ---- tensors ---- */

/* How the numbers of one matrix are written: PyTorch looks at the magnitudes once for all of them. */
typedef struct number_format { const char *spec; int width; double scale; } number_format;

typedef struct grid { const tsr_tensor *t; int64_t base; int64_t rows, cols; int64_t row_stride, col_stride; } grid;

static double element(const tsr_tensor *t, int64_t at) {
  double x = 0;
  const char *p = (const char *)tsr_tensor_data_ro(t) + at * (int64_t)tsr_tensor_itemsize(t);
  if (tsr_dtype_is_quantized((tsr_dtype)t->dtype)) {
    tsr_tensor one = *t;
    one.ndim = 0;
    one.offset += at;
    return tsr_tensor_get(NULL, &one, 0).d;
  }
  tsr_convert(TSR_FLOAT64, &x, (tsr_dtype)t->dtype, p, 1);
  return x;
}

static double grid_at(const grid *g, int64_t r, int64_t c) { return element(g->t, g->base + r * g->row_stride + c * g->col_stride); }

static number_format choose_format(const grid *g) {
  double lo = INFINITY, hi = 0;
  bool ints = true, any = false;
  for (int64_t r = 0; r < g->rows; r++) {
    for (int64_t c = 0; c < g->cols; c++) {
      double z = grid_at(g, r, c);
      if (!isfinite(z)) continue;
      if (z != ceil(z)) ints = false;
      lo = fmin(lo, fabs(z));
      hi = fmax(hi, fabs(z));
      any = true;
    }
  }
  if (!any) lo = hi = 1;
  double emin = lo != 0 ? floor(log10(lo)) + 1 : 1, emax = hi != 0 ? floor(log10(hi)) + 1 : 1;
  if (ints) return emax > 9 ? (number_format){"%*.4e", 11, 1} : (number_format){"%*.6g", (int)emax + 1, 1};
  if (emax - emin > 4) return (number_format){"%*.4e", fabs(emax) > 99 || fabs(emin) > 99 ? 12 : 11, 1};
  if (emax > 5 || emax < 0) return (number_format){"%*.4f", 7, pow(10, emax - 1)};
  return (number_format){"%*.4f", emax == 0 ? 7 : (int)emax + 6, 1};
}

static void put_number(tsr_buf *out, const number_format *f, double x) {
  char text[400];
  int n = snprintf(text, sizeof text, f->spec, f->width, x / f->scale);
  for (int i = 0; i < n; i++) {
    if (text[i] == ',') text[i] = '.';
  }
  tsr_buf_puts(out, text);
}

static void put_scale(tsr_buf *out, double scale) {
  put_double(out, "%g", scale);
  tsr_buf_puts(out, " *\n");
}

/* The first row of a block is not indented, the others are: so PyTorch prints it. */
static void put_matrix(tsr_buf *out, const grid *g, int indent) {
  number_format f = choose_format(g);
  const char *pad = indent != 0 ? " " : "";
  int64_t per_line = TSR_MAX((80 - indent) / (f.width + 1), 1);
  for (int64_t first = 0; first < g->cols; first += per_line) {
    int64_t last = TSR_MIN(first + per_line, g->cols) - 1;
    if (per_line < g->cols) {
      if (first != 0) tsr_buf_putc(out, '\n');
      tsr_buf_printf(out, "Columns %lld to %lld", (long long)first + 1, (long long)last + 1);
    }
    if (f.scale != 1) {
      put_scale(out, f.scale);
      tsr_buf_puts(out, pad);
    }
    for (int64_t r = 0; r < g->rows; r++) {
      for (int64_t c = first; c <= last; c++) {
        put_number(out, &f, grid_at(g, r, c));
        tsr_buf_putc(out, c == last ? '\n' : ' ');
      }
      if (r != g->rows - 1) tsr_buf_puts(out, f.scale != 1 && indent != 0 ? "  " : f.scale != 1 ? " " : pad);
    }
  }
}

static void put_slices(tsr_buf *out, const tsr_tensor *t) {
  int64_t counter[TSR_MAX_NDIM] = {0};
  int outer = t->ndim - 2;
  for (bool first = true;; first = false) {
    if (!first) tsr_buf_putc(out, '\n');
    tsr_buf_putc(out, '(');
    grid g = {t, 0, t->size[outer], t->size[outer + 1], t->stride[outer], t->stride[outer + 1]};
    for (int d = 0; d < outer; d++) {
      g.base += counter[d] * t->stride[d];
      tsr_buf_printf(out, "%lld,", (long long)counter[d] + 1);
    }
    tsr_buf_puts(out, ".,.) = \n");
    put_matrix(out, &g, 1);
    int d = 0; /* the first dimension counts fastest */
    while (d < outer && ++counter[d] == t->size[d]) counter[d++] = 0;
    if (d == outer) return;
  }
}

static void put_vector(tsr_buf *out, const tsr_tensor *t) {
  grid g = {t, 0, t->size[0], 1, t->stride[0], 0};
  number_format f = choose_format(&g);
  if (f.scale != 1) put_scale(out, f.scale);
  for (int64_t i = 0; i < t->size[0]; i++) {
    put_number(out, &f, grid_at(&g, i, 0));
    tsr_buf_putc(out, '\n');
  }
}

void tsr_tensor_print(const tsr_tensor *t, tsr_buf *out) {
  const tsr_dtype_info *info = tsr_dtype_get_info(t->dtype);
  if (t->layout == 0 && t->numel > 0) {
    if (t->ndim == 0) {
      put_double(out, "%g", element(t, 0));
      tsr_buf_putc(out, '\n');
    } else if (t->ndim == 1) {
      put_vector(out, t);
    } else if (t->ndim == 2) {
      grid g = {t, 0, t->size[0], t->size[1], t->stride[0], t->stride[1]};
      put_matrix(out, &g, 0);
    } else {
      put_slices(out, t);
    }
  }
  const char *kind = t->layout != 0 ? "SparseCPU" : tsr_dtype_is_quantized((tsr_dtype)t->dtype) ? "QuantizedCPU" : "CPU";
  tsr_buf_printf(out, "[ %s%sType{", kind, info != NULL ? info->cpp_name : "?");
  for (int d = 0; d < t->ndim; d++) tsr_buf_printf(out, "%s%lld", d > 0 ? "," : "", (long long)t->size[d]);
  tsr_buf_puts(out, "} ]");
}

/* ---- devices ---- */

static const char *const device_names[] = {"cpu",  "cuda", "mkldnn", "opengl", "opencl", "ideep", "hip",   "fpga",
                                           "maia", "xla",  "vulkan", "metal",  "xpu",    "mps",   "meta",  "hpu",
                                           "ve",   "lazy", "ipu",    "mtia",   "privateuseone"};

const char *tsr_device_type_name(int type) {
  return type >= 0 && type < (int)TSR_COUNT(device_names) ? device_names[type] : "unknown";
}

bool tsr_device_parse(const char *text, size_t len, tsr_device *out) {
  const char *colon = memchr(text, ':', len);
  size_t name_len = colon != NULL ? (size_t)(colon - text) : len;
  for (size_t i = 0; i < TSR_COUNT(device_names); i++) {
    if (strlen(device_names[i]) != name_len || memcmp(device_names[i], text, name_len) != 0) continue;
    int index = colon != NULL ? 0 : -1;
    if (colon != NULL && name_len + 1 == len) return false;
    for (size_t k = name_len + 1; k < len; k++) {
      if (text[k] < '0' || text[k] > '9' || index > 999) return false;
      index = index * 10 + (text[k] - '0');
    }
    *out = (tsr_device){(int16_t)i, (int16_t)index};
    return true;
  }
  return false;
}
