/* Comparing two values: structure exactly, floating elements within tolerances. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "interp/api.h"

#define MAX_LINES 20 /* of the report */
#define CHUNK 512    /* elements converted at a time */

typedef struct comparer {
  double rtol, atol, max_abs;
  tsr_buf report, path;
  int lines;
  bool equal;
  tsr_errrec *e;
} comparer;

static void differ(comparer *c, const char *fmt, ...) TSR_PRINTF(2, 3);
static void differ(comparer *c, const char *fmt, ...) {
  char text[512];
  c->equal = false;
  if (c->lines++ >= MAX_LINES) return;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  tsr_buf_printf(&c->report, "%s: %s\n", c->path.len > 0 ? c->path.data : "value", text);
}

/* Run body with the path extended by a piece. */
static size_t path_push(comparer *c, const char *fmt, ...) TSR_PRINTF(2, 3);
static size_t path_push(comparer *c, const char *fmt, ...) {
  char text[256];
  size_t mark = c->path.len;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  tsr_buf_puts(&c->path, text);
  return mark;
}

static void path_pop(comparer *c, size_t mark) {
  c->path.len = mark;
  if (c->path.data != NULL) c->path.data[mark] = 0;
}

static double distance(double a, double b) {
  if (a == b || (isnan(a) && isnan(b))) return 0;
  double d = fabs(a - b);
  return isnan(d) ? INFINITY : d;
}

static bool near(const comparer *c, double d, double magnitude) {
  return d == 0 || (isfinite(d) && d <= c->atol + c->rtol * magnitude);
}

static void compare_floats(comparer *c, double a, double b) {
  double d = distance(a, b);
  if (d > c->max_abs) c->max_abs = d;
  if (!near(c, d, fabs(b))) differ(c, "%.9g, expected %.9g", a, b);
}

/* ---- tensors ---- */

typedef struct tally { int64_t bad, first; double worst, got, expected; } tally;

static void tally_add(comparer *c, tally *t, int64_t index, double d, double magnitude, double got, double expected) {
  if (d > c->max_abs) c->max_abs = d;
  if (near(c, d, magnitude)) return;
  if (t->bad++ == 0 || d > t->worst) {
    t->worst = d;
    t->first = index;
    t->got = got;
    t->expected = expected;
  }
}

static void compare_chunk(comparer *c, tally *t, tsr_dtype dtype, const char *a, const char *b, int64_t base, int64_t n) {
  size_t item = tsr_dtype_size(dtype);
  tsr_c128 x[CHUNK], y[CHUNK];
  bool exact = !tsr_dtype_is_float(dtype) && !tsr_dtype_is_complex(dtype);
  tsr_convert(TSR_COMPLEX128, x, dtype, a, n);
  tsr_convert(TSR_COMPLEX128, y, dtype, b, n);
  for (int64_t i = 0; i < n; i++) {
    if (exact) {
      if (memcmp(a + (size_t)i * item, b + (size_t)i * item, item) == 0) continue;
      double d = distance(x[i].re, y[i].re);
      if (d > c->max_abs) c->max_abs = d;
      if (t->bad++ == 0) *t = (tally){1, base + i, d, x[i].re, y[i].re};
      continue;
    }
    double re = distance(x[i].re, y[i].re), im = distance(x[i].im, y[i].im);
    double d = im == 0 ? re : hypot(re, im), m = y[i].im == 0 ? fabs(y[i].re) : hypot(y[i].re, y[i].im);
    tally_add(c, t, base + i, d, m, x[i].re, y[i].re);
  }
}

static tsr_status compare_elements(comparer *c, const tsr_value *a, const tsr_value *b) {
  tsr_value *pa = tsr_tensor_contiguous(a), *pb = tsr_tensor_contiguous(b);
  tsr_status s = TSR_OK;
  if (pa == NULL || pb == NULL) {
    s = tsr_fail_nomem(c->e);
  } else {
    tally t = {0};
    tsr_dtype dtype = tsr_tensor_dtype(a);
    int64_t n = tsr_tensor_numel(a);
    const char *da = tsr_tensor_data(pa), *db = tsr_tensor_data(pb);
    size_t item = tsr_dtype_size(dtype);
    for (int64_t i = 0; i < n; i += CHUNK)
      compare_chunk(c, &t, dtype, da + (size_t)i * item, db + (size_t)i * item, i, TSR_MIN(n - i, (int64_t)CHUNK));
    if (t.bad > 0)
      differ(c, "%lld of %lld elements differ, most at [%lld]: %.9g, expected %.9g (difference %.3g)", (long long)t.bad, (long long)n,
             (long long)t.first, t.got, t.expected, t.worst);
  }
  tsr_value_free(pa);
  tsr_value_free(pb);
  return s;
}

/* A quantized tensor is compared by its integers. */
static tsr_dtype plain(tsr_dtype d) { return d == TSR_QINT8 ? TSR_INT8 : d == TSR_QINT32 ? TSR_INT32 : tsr_dtype_is_quantized(d) ? TSR_UINT8 : d; }

static tsr_status compare_values(comparer *c, tsr_val a, tsr_val b, int depth);

static tsr_status compare_sparse(comparer *c, const tsr_tensor *a, const tsr_tensor *b, int depth) {
  const tsr_sparse *x = a->sparse, *y = b->sparse;
  tsr_tensor *pairs[3][2] = {{x->a, y->a}, {x->b, y->b}, {x->values, y->values}};
  for (int i = 0; i < 3; i++) {
    if (pairs[i][0] == NULL && pairs[i][1] == NULL) continue;
    if (pairs[i][0] == NULL || pairs[i][1] == NULL) differ(c, "sparse parts differ");
    else TSR_TRY(compare_values(c, tsr_from_obj(pairs[i][0]), tsr_from_obj(pairs[i][1]), depth + 1));
  }
  return TSR_OK;
}

static tsr_status compare_tensors(comparer *c, tsr_tensor *a, tsr_tensor *b, int depth) {
  char sa[256], sb[256];
  if (a->dtype != b->dtype) {
    differ(c, "dtype %s, expected %s", tsr_dtype_name((tsr_dtype)a->dtype), tsr_dtype_name((tsr_dtype)b->dtype));
    return TSR_OK;
  }
  if (!tsr_tensor_same_size(a, b)) {
    tsr_sizes_print(sa, sizeof sa, a->ndim, a->size);
    tsr_sizes_print(sb, sizeof sb, b->ndim, b->size);
    differ(c, "shape %s, expected %s", sa, sb);
    return TSR_OK;
  }
  if (a->layout != b->layout) {
    differ(c, "layout %d, expected %d", a->layout, b->layout);
    return TSR_OK;
  }
  if (a->layout != 0) return compare_sparse(c, a, b, depth);
  tsr_tensor ca = *a, cb = *b; /* looked at only: the headers are borrowed copies */
  ca.dtype = (uint8_t)plain((tsr_dtype)a->dtype);
  cb.dtype = (uint8_t)plain((tsr_dtype)b->dtype);
  ca.h.immortal = cb.h.immortal = 1;
  tsr_value va = {.refs = 2, .v = tsr_from_obj(&ca)}, vb = {.refs = 2, .v = tsr_from_obj(&cb)};
  return compare_elements(c, &va, &vb);
}

/* ---- structure ---- */

static bool items_of(tsr_val v, const tsr_val **items, size_t *n) {
  if (v.tag == TSR_V_LIST) {
    *items = v.l->items;
    *n = v.l->len;
  } else if (v.tag == TSR_V_TUPLE) {
    *items = v.u->items;
    *n = v.u->len;
  } else {
    return false;
  }
  return true;
}

static tsr_status compare_items(comparer *c, tsr_val a, tsr_val b, int depth) {
  const tsr_val *x = NULL, *y = NULL;
  size_t nx = 0, ny = 0;
  items_of(a, &x, &nx);
  items_of(b, &y, &ny);
  if (nx != ny) {
    differ(c, "%zu items, expected %zu", nx, ny);
    return TSR_OK;
  }
  for (size_t i = 0; i < nx; i++) {
    size_t mark = path_push(c, "[%zu]", i);
    TSR_TRY(compare_values(c, x[i], y[i], depth + 1));
    path_pop(c, mark);
  }
  return TSR_OK;
}

static tsr_status compare_dicts(comparer *c, tsr_dict *a, tsr_dict *b, int depth) {
  if (a->count != b->count) {
    differ(c, "%zu entries, expected %zu", a->count, b->count);
    return TSR_OK;
  }
  size_t j = tsr_dict_next(b, 0);
  for (size_t i = tsr_dict_next(a, 0); i < a->used; i = tsr_dict_next(a, i + 1), j = tsr_dict_next(b, j + 1)) {
    tsr_val key = b->entries[j].key;
    tsr_buf text = {0};
    tsr_val_print(key, &text);
    size_t mark = path_push(c, "[%.100s]", key.tag == TSR_V_TENSOR || text.data == NULL ? "tensor" : text.data);
    tsr_buf_dispose(&text);
    const tsr_val *got = key.tag == TSR_V_TENSOR ? &a->entries[i].value : tsr_dict_get(a, key);
    if (got == NULL) differ(c, "missing");
    else TSR_TRY(compare_values(c, *got, b->entries[j].value, depth + 1));
    path_pop(c, mark);
  }
  return TSR_OK;
}

static tsr_status compare_objects(comparer *c, tsr_object *a, tsr_object *b, int depth) {
  if (a->count != b->count || strcmp(a->cls->name, b->cls->name) != 0) {
    differ(c, "object of %s, expected %s", a->cls->name, b->cls->name);
    return TSR_OK;
  }
  for (uint32_t i = 0; i < a->count; i++) {
    size_t mark = path_push(c, ".%.100s", i < a->cls->attr_count ? a->cls->attr_names[i] : "?");
    TSR_TRY(compare_values(c, a->slots[i], b->slots[i], depth + 1));
    path_pop(c, mark);
  }
  return TSR_OK;
}

static void compare_exact(comparer *c, tsr_val a, tsr_val b) {
  tsr_buf x = {0}, y = {0};
  if (a.tag == TSR_V_ENUM && b.tag == TSR_V_ENUM && a.e->member == b.e->member && strcmp(a.e->cls->name, b.e->cls->name) == 0) return;
  if (tsr_val_equal(a, b)) return;
  tsr_val_print(a, &x);
  tsr_val_print(b, &y);
  differ(c, "%.100s, expected %.100s", x.data != NULL ? x.data : "?", y.data != NULL ? y.data : "?");
  tsr_buf_dispose(&x);
  tsr_buf_dispose(&y);
}

static tsr_status compare_values(comparer *c, tsr_val a, tsr_val b, int depth) {
  if (depth > TSR_MAX_DEPTH) return tsr_fail(c->e, TSR_ELIMIT, "values are nested too deeply to compare");
  if (a.tag != b.tag) {
    differ(c, "%s, expected %s", tsr_tag_name(a), tsr_tag_name(b));
    return TSR_OK;
  }
  switch (a.tag) {
    case TSR_V_TENSOR: return compare_tensors(c, a.t, b.t, depth);
    case TSR_V_LIST: case TSR_V_TUPLE: return compare_items(c, a, b, depth);
    case TSR_V_DICT: return compare_dicts(c, a.m, b.m, depth);
    case TSR_V_OBJECT: return compare_objects(c, a.obj, b.obj, depth);
    case TSR_V_FLOAT: compare_floats(c, a.d, b.d); break;
    case TSR_V_COMPLEX:
      compare_floats(c, a.c->z.re, b.c->z.re);
      compare_floats(c, a.c->z.im, b.c->z.im);
      break;
    default: compare_exact(c, a, b);
  }
  return TSR_OK;
}

tsr_status tsr_value_compare(const tsr_value *got, const tsr_value *expected, double rtol, double atol, bool *equal, double *max_abs,
                             char **report, tsr_error **err) {
  tsr_errrec e = {0};
  comparer c = {.rtol = rtol, .atol = atol, .equal = true, .e = &e};
  if (got == NULL || expected == NULL) tsr_fail(&e, TSR_EUSAGE, "tsr_value_compare: values must not be NULL");
  else compare_values(&c, got->v, expected->v, 0);
  if (c.lines > MAX_LINES) tsr_buf_printf(&c.report, "and %d more differences\n", c.lines - MAX_LINES);
  tsr_buf_dispose(&c.path);
  if (e.status == TSR_OK && report != NULL) {
    tsr_buf_puts(&c.report, "");
    *report = tsr_buf_take(&c.report);
    if (*report == NULL) tsr_fail_nomem(&e);
  }
  tsr_buf_dispose(&c.report);
  if (e.status != TSR_OK) return tsr_errrec_publish(&e, err);
  if (equal != NULL) *equal = c.equal;
  if (max_abs != NULL) *max_abs = c.max_abs;
  return TSR_OK;
}
