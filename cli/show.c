/* A result for people: shapes, statistics, first values, the best scores. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* ---- elements of any type */

/* IEEE-like small floats: e exponent bits, m mantissa bits; fn: no infinities; fnuz: also bias + 1, no -0 */
static double small_float(unsigned bits, int e, int m, bool fn, bool fnuz) {
  unsigned exponent = (bits >> m) & ((1u << e) - 1), mantissa = bits & ((1u << m) - 1);
  bool negative = (bits >> (e + m)) & 1;
  int bias = (1 << (e - 1)) - 1 + fnuz;
  if (fnuz && negative && exponent == 0 && mantissa == 0) return NAN;
  if (!fnuz && fn && exponent == (1u << e) - 1 && mantissa == (1u << m) - 1) return NAN;
  if (!fnuz && !fn && exponent == (1u << e) - 1) return mantissa != 0 ? NAN : negative ? -INFINITY : INFINITY;
  double v = exponent == 0 ? ldexp((double)mantissa, 1 - bias - m)
                           : ldexp((double)(mantissa | 1u << m), (int)exponent - bias - m);
  return negative ? -v : v;
}

double cli_element(tsr_dtype dtype, const void *data, int64_t i, double *im) {
  if (im != NULL) *im = 0;
  switch (dtype) {
  case TSR_UINT8:
  case TSR_QUINT8:
  case TSR_QUINT4X2:
  case TSR_QUINT2X4:
  case TSR_BITS1X8: /* what has no numbers is shown by its codes */
  case TSR_BITS2X4:
  case TSR_BITS4X2:
  case TSR_BITS8:
  case TSR_FLOAT4_E2M1FN_X2:
    return ((const uint8_t *)data)[i];
  case TSR_INT8:
  case TSR_QINT8:
    return ((const int8_t *)data)[i];
  case TSR_INT16:
    return ((const int16_t *)data)[i];
  case TSR_INT32:
  case TSR_QINT32:
    return ((const int32_t *)data)[i];
  case TSR_INT64:
    return (double)((const int64_t *)data)[i];
  case TSR_UINT16:
  case TSR_BITS16:
    return ((const uint16_t *)data)[i];
  case TSR_UINT32:
    return ((const uint32_t *)data)[i];
  case TSR_UINT64:
    return (double)((const uint64_t *)data)[i];
  case TSR_FLOAT16:
    return small_float(((const uint16_t *)data)[i], 5, 10, false, false);
  case TSR_BFLOAT16:
    return small_float(((const uint16_t *)data)[i], 8, 7, false, false);
  case TSR_FLOAT32:
    return ((const float *)data)[i];
  case TSR_FLOAT64:
    return ((const double *)data)[i];
  case TSR_BOOL:
    return ((const uint8_t *)data)[i] != 0;
  case TSR_FLOAT8_E8M0FNU:
    return ((const uint8_t *)data)[i] == 0xff ? NAN : ldexp(1, ((const uint8_t *)data)[i] - 127);
  case TSR_FLOAT8_E5M2:
    return small_float(((const uint8_t *)data)[i], 5, 2, false, false);
  case TSR_FLOAT8_E4M3FN:
    return small_float(((const uint8_t *)data)[i], 4, 3, true, false);
  case TSR_FLOAT8_E5M2FNUZ:
    return small_float(((const uint8_t *)data)[i], 5, 2, true, true);
  case TSR_FLOAT8_E4M3FNUZ:
    return small_float(((const uint8_t *)data)[i], 4, 3, true, true);
  case TSR_COMPLEX32:
    if (im != NULL) *im = small_float(((const uint16_t *)data)[2 * i + 1], 5, 10, false, false);
    return small_float(((const uint16_t *)data)[2 * i], 5, 10, false, false);
  case TSR_COMPLEX64:
    if (im != NULL) *im = ((const float *)data)[2 * i + 1];
    return ((const float *)data)[2 * i];
  case TSR_COMPLEX128:
    if (im != NULL) *im = ((const double *)data)[2 * i + 1];
    return ((const double *)data)[2 * i];
  }
  return NAN;
}

static bool is_complex(tsr_dtype d) { return d == TSR_COMPLEX32 || d == TSR_COMPLEX64 || d == TSR_COMPLEX128; }
static bool is_real(tsr_dtype d) {
  return d == TSR_FLOAT16 || d == TSR_BFLOAT16 || d == TSR_FLOAT32 || d == TSR_FLOAT64;
}

typedef struct shower {
  FILE *out;
  bool all;
  int64_t top;
  char **labels;
  int64_t *left; /* containers still to be shown: a value may contain itself, twice */
  size_t label_count;
} shower;

static void put_number(const shower *s, double v) {
  if (v == floor(v) && fabs(v) < 1e15)
    fprintf(s->out, "%.0f", v);
  else
    fprintf(s->out, "%.6g", v);
}

static void put_element(const shower *s, tsr_dtype dtype, const void *data, int64_t i) {
  double im, re = cli_element(dtype, data, i, &im);
  if (dtype == TSR_BOOL)
    fputs(re != 0 ? "true" : "false", s->out);
  else if (dtype == TSR_INT64)
    fprintf(s->out, "%lld", (long long)((const int64_t *)data)[i]);
  else if (dtype == TSR_UINT64)
    fprintf(s->out, "%llu", (unsigned long long)((const uint64_t *)data)[i]);
  else if (is_complex(dtype))
    fprintf(s->out, "%.6g%+.6gj", re, im);
  else
    put_number(s, re);
}

/* ---- tensors */

static void put_stats(const shower *s, tsr_dtype dtype, const void *data, int64_t n) {
  double low = INFINITY, high = -INFINITY, sum = 0, squares = 0;
  int64_t finite = 0, nans = 0;
  for (int64_t i = 0; i < n; i++) {
    double v = cli_element(dtype, data, i, NULL);
    nans += isnan(v);
    if (!isfinite(v)) continue;
    low = fmin(low, v);
    high = fmax(high, v);
    sum += v;
    finite++;
  }
  double mean = finite > 0 ? sum / (double)finite : 0;
  for (int64_t i = 0; i < n; i++) {
    double v = cli_element(dtype, data, i, NULL);
    if (isfinite(v)) squares += (v - mean) * (v - mean);
  }
  if (finite > 0)
    fprintf(s->out, "  min %.6g  max %.6g  mean %.6g  std %.6g", low, high, mean,
            finite > 1 ? sqrt(squares / (double)(finite - 1)) : 0.0);
  if (nans > 0) fprintf(s->out, "  nan %lld", (long long)nans);
  if (n - finite - nans > 0) fprintf(s->out, "  inf %lld", (long long)(n - finite - nans));
}

static void put_first(const shower *s, tsr_dtype dtype, const void *data, int64_t n, int indent) {
  int64_t shown = n < 8 ? n : 8;
  fprintf(s->out, "\n%*s", indent, "");
  for (int64_t i = 0; i < shown; i++) {
    if (i > 0) fputc(' ', s->out);
    put_element(s, dtype, data, i);
  }
  if (shown < n) fputs(" ...", s->out);
}

static void put_rows(const shower *s, tsr_dtype dtype, const void *data, const int64_t *sizes, int ndim, int64_t *at,
                     int indent) {
  if (ndim == 0) {
    put_element(s, dtype, data, (*at)++);
    return;
  }
  fputc('[', s->out);
  for (int64_t i = 0; i < sizes[0]; i++) {
    if (i > 0) fputs(ndim == 1 ? ", " : ",", s->out);
    if (i > 0 && ndim > 1) fprintf(s->out, "\n%*s", indent + 1, "");
    put_rows(s, dtype, data, sizes + 1, ndim - 1, at, indent + 1);
  }
  fputc(']', s->out);
}

/* Indices of the k largest, best first; ties keep their order.  k is small: insertion. */
static int64_t find_top(tsr_dtype dtype, const void *data, int64_t n, int64_t k, int64_t *best) {
  int64_t found = 0;
  for (int64_t i = 0; i < n; i++) {
    double v = cli_element(dtype, data, i, NULL);
    int64_t p = found;
    if (isnan(v)) continue;
    while (p > 0 && cli_element(dtype, data, best[p - 1], NULL) < v) p--;
    if (p == k) continue;
    if (found < k) found++;
    memmove(best + p + 1, best + p, (size_t)(found - 1 - p) * sizeof *best);
    best[p] = i;
  }
  return found;
}

static void put_top(const shower *s, tsr_dtype dtype, const void *data, int64_t n, int indent) {
  int64_t k = s->top < n ? s->top : n;
  int64_t *best = cli_alloc(NULL, (size_t)k * sizeof *best);
  k = find_top(dtype, data, n, k, best);
  fprintf(s->out, "\n%*stop %lld:", indent, "", (long long)k);
  for (int64_t i = 0; i < k; i++) {
    fprintf(s->out, "%s %lld", i == 0 ? "" : ",", (long long)best[i]);
    if ((uint64_t)best[i] < s->label_count) {
      fputc(' ', s->out);
      cli_print_safe(s->out, s->labels[best[i]], strlen(s->labels[best[i]]), false);
    }
    fprintf(s->out, " (%.6g)", cli_element(dtype, data, best[i], NULL));
  }
  free(best);
}

/* A vector of class scores: one row of at least three real numbers. */
static bool is_scores(const tsr_value *v) {
  int ndim = tsr_tensor_ndim(v);
  const int64_t *sizes = tsr_tensor_sizes(v);
  return is_real(tsr_tensor_dtype(v)) && tsr_tensor_numel(v) > 2 && (ndim == 1 || (ndim == 2 && sizes[0] == 1));
}

static void put_tensor(const shower *s, const tsr_value *v, int indent) {
  tsr_dtype dtype = tsr_tensor_dtype(v);
  int ndim = tsr_tensor_ndim(v);
  int64_t n = tsr_tensor_numel(v), at = 0;
  const int64_t *sizes = tsr_tensor_sizes(v);
  const char *name = tsr_dtype_name(dtype);
  fprintf(s->out, "%s [", name == NULL ? "?" : name);
  for (int i = 0; i < ndim; i++) fprintf(s->out, "%s%lld", i == 0 ? "" : ", ", (long long)sizes[i]);
  fputc(']', s->out);
  tsr_value *flat = tsr_tensor_contiguous(v);
  const void *data = flat == NULL ? NULL : tsr_tensor_data(flat);
  if (data == NULL || n == 0) {
    tsr_value_free(flat);
    return;
  }
  if (n > 1 && dtype != TSR_BOOL && !is_complex(dtype)) put_stats(s, dtype, data, n);
  if (s->all) {
    fprintf(s->out, "\n%*s", indent, "");
    put_rows(s, dtype, data, sizes, ndim, &at, indent);
  } else {
    put_first(s, dtype, data, n, indent);
  }
  if (s->top > 0 && is_scores(v)) put_top(s, dtype, data, n, indent);
  tsr_value_free(flat);
}

/* ---- everything else */

static void put(const shower *s, const tsr_value *v, int indent);

static void put_string(const shower *s, const tsr_value *v) {
  size_t len = 0;
  const char *text = tsr_value_get_str(v, &len);
  fputc('"', s->out);
  cli_print_safe(s->out, text == NULL ? "" : text, len, false);
  fputc('"', s->out);
}

static void put_items(const shower *s, const tsr_value *v, int indent) {
  size_t n = tsr_value_count(v), shown = s->all || n <= 20 ? n : 20;
  if (--*s->left < 0) {
    fputs("...", s->out);
    return;
  }
  fprintf(s->out, "%s of %zu", tsr_value_type_name(v), n);
  for (size_t i = 0; i < shown; i++) {
    tsr_value *key = tsr_value_key(v, i), *item = tsr_value_item(v, i);
    fprintf(s->out, "\n%*s", indent, "");
    if (key == NULL)
      fprintf(s->out, "%zu", i);
    else if (tsr_value_kind(key) == TSR_KIND_STR)
      cli_print_safe(s->out, tsr_value_get_str(key, NULL), strlen(tsr_value_get_str(key, NULL)), false);
    else
      put(s, key, indent + 2);
    fputs(": ", s->out);
    put(s, item, indent + 2);
    tsr_value_free(key);
    tsr_value_free(item);
  }
  if (shown < n) fprintf(s->out, "\n%*s... (--print all shows the rest)", indent, "");
}

static void put(const shower *s, const tsr_value *v, int indent) {
  double re, im;
  switch (v == NULL || indent > 200 ? TSR_KIND_OTHER : tsr_value_kind(v)) {
  case TSR_KIND_NONE:
    fputs("None", s->out);
    return;
  case TSR_KIND_BOOL:
    fputs(tsr_value_get_bool(v) ? "True" : "False", s->out);
    return;
  case TSR_KIND_INT:
    fprintf(s->out, "%lld", (long long)tsr_value_get_int(v));
    return;
  case TSR_KIND_FLOAT:
    fprintf(s->out, "%.12g", tsr_value_get_float(v));
    return;
  case TSR_KIND_COMPLEX:
    tsr_value_get_complex(v, &re, &im);
    fprintf(s->out, "%.12g%+.12gj", re, im);
    return;
  case TSR_KIND_STR:
    put_string(s, v);
    return;
  case TSR_KIND_TENSOR:
    put_tensor(s, v, indent);
    return;
  case TSR_KIND_LIST:
  case TSR_KIND_TUPLE:
  case TSR_KIND_DICT:
  case TSR_KIND_OBJECT:
    put_items(s, v, indent);
    return;
  case TSR_KIND_DEVICE:
  case TSR_KIND_ENUM:
  case TSR_KIND_OTHER:
    fputs(v == NULL ? "?" : tsr_value_type_name(v), s->out);
    return;
  }
}

static int read_labels(shower *s, const char *path) {
  FILE *f = fopen(path, "r");
  char *line = NULL;
  size_t cap = 0;
  ssize_t n;
  if (f == NULL) return cli_fail(EXIT_IO, "cannot open %s: %s", path, strerror(errno));
  while ((n = getline(&line, &cap, f)) >= 0) {
    while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) line[--n] = '\0';
    s->labels = cli_alloc(s->labels, (s->label_count + 1) * sizeof *s->labels);
    s->labels[s->label_count++] = strcpy(cli_alloc(NULL, (size_t)n + 1), line);
  }
  free(line);
  fclose(f);
  return EXIT_OK;
}

int cli_show(FILE *out, const tsr_value *v, bool all, int64_t top, const char *labels_path) {
  int64_t left = all ? 1 << 20 : 4096;
  shower s = {.out = out, .all = all, .top = top, .left = &left};
  int rc = labels_path == NULL ? EXIT_OK : read_labels(&s, labels_path);
  if (rc == EXIT_OK) {
    put(&s, v, 2);
    fputc('\n', out);
  }
  for (size_t i = 0; i < s.label_count; i++) free(s.labels[i]);
  free(s.labels);
  return rc;
}
