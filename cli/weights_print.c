/* tsrun weights print: the values of a tensor, or how they are distributed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { SUMMARY_ABOVE = 1000, EDGE = 3 /* shown at each end of a long dimension, as PyTorch does */, BINS = 16, BAR = 40 };

/* ---- values */

typedef struct printer {
  tsr_dtype dtype;
  const void *data; /* C order */
  bool summary;
} printer;

static void put_element(const printer *p, int64_t i) {
  double im, re = cli_element(p->dtype, p->data, i, &im);
  if (p->dtype == TSR_BOOL) fputs(re != 0 ? "True" : "False", stdout);
  else if (p->dtype == TSR_INT64) printf("%lld", (long long)((const int64_t *)p->data)[i]);
  else if (p->dtype == TSR_UINT64) printf("%llu", (unsigned long long)((const uint64_t *)p->data)[i]);
  else if (p->dtype == TSR_COMPLEX32 || p->dtype == TSR_COMPLEX64 || p->dtype == TSR_COMPLEX128) printf("%.6g%+.6gj", re, im);
  else printf("%.6g", re);
}

static void put_rows(const printer *p, const int64_t *sizes, int ndim, int64_t at, int indent) {
  if (ndim == 0) {
    put_element(p, at);
    return;
  }
  int64_t step = 1;
  for (int d = 1; d < ndim; d++) step *= sizes[d];
  putchar('[');
  for (int64_t i = 0; i < sizes[0]; i++) {
    if (i > 0) putchar(',');
    if (i > 0 && ndim > 1) printf("\n%*s", indent + 1, "");
    else if (i > 0) putchar(' ');
    if (p->summary && sizes[0] > 2 * EDGE && i == EDGE) {
      fputs("...", stdout);
      i = sizes[0] - EDGE - 1;
      continue;
    }
    put_rows(p, sizes + 1, ndim - 1, at + i * step, indent + 1);
  }
  putchar(']');
}

/* ---- distribution */

typedef struct stats {
  int64_t finite, nans, pos_inf, neg_inf, zeros, bins[BINS];
  double low, high, mean, std;
} stats;

/* Complex numbers are counted by their magnitude. */
static double value_at(tsr_dtype dtype, const void *data, int64_t i) {
  double im, re = cli_element(dtype, data, i, &im);
  return im == 0 ? re : hypot(re, im);
}

static stats count(tsr_dtype dtype, const void *data, int64_t n) {
  stats s = {.low = INFINITY, .high = -INFINITY};
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < n; i++) {
    double v = value_at(dtype, data, i);
    s.nans += isnan(v);
    s.pos_inf += isinf(v) && v > 0;
    s.neg_inf += isinf(v) && v < 0;
    if (!isfinite(v)) continue;
    s.low = fmin(s.low, v);
    s.high = fmax(s.high, v);
    s.zeros += v == 0;
    sum += v;
    s.finite++;
  }
  s.mean = s.finite > 0 ? sum / (double)s.finite : NAN;
  double width = s.high - s.low;
  for (int64_t i = 0; i < n; i++) {
    double v = value_at(dtype, data, i);
    if (!isfinite(v)) continue;
    squares += (v - s.mean) * (v - s.mean);
    int bin = width > 0 && isfinite(width) ? (int)((v - s.low) / width * BINS) : 0;
    s.bins[bin < BINS ? bin : BINS - 1]++;
  }
  s.std = s.finite > 1 ? sqrt(squares / (double)(s.finite - 1)) : NAN;
  return s;
}

static bool speaks_utf8(void) {
  static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *v = getenv(names[i]);
    if (v != NULL && v[0] != '\0') return strstr(v, "UTF-8") != NULL || strstr(v, "utf8") != NULL || strstr(v, "utf-8") != NULL;
  }
  return false;
}

/* Eighths of a character where the terminal can. */
static void put_bar(double share, bool utf8) {
  static const char *const eighths[] = {"", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589"};
  int units = (int)(share * BAR * 8 + 0.5);
  if (!utf8) {
    for (int i = 0; i < (units + 4) / 8 || (i == 0 && share > 0); i++) putchar('#');
    return;
  }
  if (units == 0 && share > 0) units = 1;
  for (int i = 0; i < units / 8; i++) fputs("\u2588", stdout);
  fputs(eighths[units % 8], stdout);
}

static void put_histogram(const stats *s) {
  int64_t most = 1;
  bool utf8 = speaks_utf8();
  for (int b = 0; b < BINS; b++) most = s->bins[b] > most ? s->bins[b] : most;
  for (int b = 0; b < BINS; b++) {
    double from = s->low + (s->high - s->low) * b / BINS;
    printf("  %12.5g  %10lld  ", from, (long long)s->bins[b]);
    put_bar((double)s->bins[b] / (double)most, utf8);
    putchar('\n');
  }
  printf("  %12.5g\n", s->high);
}

static void stats_text(const stats *s) {
  printf("  min %.6g  max %.6g  mean %.6g  std %.6g\n  zeros %lld  nan %lld  inf %lld  -inf %lld\n", s->low, s->high, s->mean, s->std, (long long)s->zeros,
         (long long)s->nans, (long long)s->pos_inf, (long long)s->neg_inf);
  if (s->finite > 1 && s->high > s->low) put_histogram(s);
}

static void json_number(const char *name, double v) {
  if (isfinite(v)) printf(", \"%s\": %.17g", name, v);
  else printf(", \"%s\": null", name);
}

static void stats_json(const stats *s) {
  json_number("min", s->low);
  json_number("max", s->high);
  json_number("mean", s->mean);
  json_number("std", s->std);
  printf(", \"zeros\": %lld, \"nan\": %lld, \"inf\": %lld, \"neg_inf\": %lld, \"histogram\": [", (long long)s->zeros, (long long)s->nans, (long long)s->pos_inf,
         (long long)s->neg_inf);
  for (int b = 0; b < BINS; b++) printf("%s%lld", b == 0 ? "" : ", ", (long long)s->bins[b]);
  putchar(']');
}

/* ---- one tensor */

static void print_tensor(const cli_options *o, const tsr_weight_info *x, const void *data) {
  stats s = o->stats || o->json ? count(x->dtype, data, x->numel) : (stats){0};
  if (o->json) {
    printf("{\"name\": ");
    cli_json_string(stdout, x->name);
    printf(", \"dtype\": \"%s\", \"shape\": ", tsr_dtype_name(x->dtype));
    cli_put_shape(stdout, x);
    stats_json(&s);
    printf("}\n");
    return;
  }
  cli_print_safe(stdout, x->name, strlen(x->name), false);
  printf("  %s ", tsr_dtype_name(x->dtype));
  cli_put_shape(stdout, x);
  if (strcmp(x->device, "cpu") != 0) printf("  %s", x->device);
  putchar('\n');
  if (o->stats) {
    stats_text(&s);
    return;
  }
  printer p = {x->dtype, data, x->numel > SUMMARY_ABOVE};
  if (x->numel == 0) {
    fputs("[]", stdout);
  } else {
    put_rows(&p, x->sizes, x->ndim, 0, 0);
  }
  putchar('\n');
}

static int print_one(const cli_options *o, const tsr_weights *w, size_t index) {
  tsr_weight_info x;
  tsr_value *v = NULL;
  tsr_error *err = NULL;
  tsr_weights_info(w, index, &x);
  tsr_status status = tsr_weights_get(w, index, &v, &err);
  if (status != TSR_OK) return cli_report(status, err, NULL);
  tsr_value *flat = tsr_tensor_contiguous(v);
  int rc = EXIT_OK;
  if (strcmp(x.layout, "strided") != 0) rc = cli_fail(EXIT_UNSUPPORTED, "%s is sparse: its values are not printed", x.name);
  else if (flat == NULL) rc = cli_fail(EXIT_LIMIT, "out of memory");
  else print_tensor(o, &x, tsr_tensor_data(flat));
  tsr_value_free(flat);
  tsr_value_free(v);
  tsr_weights_forget(w, index);
  return rc;
}

int cli_weights_print(const cli_options *o, const char *const *args, size_t count) {
  tsr_weights *w = NULL;
  if (count != 1) return cli_fail(EXIT_USAGE, "tsrun weights print FILE:NAME takes one word, got %zu", count);
  int rc = cli_weights_open(o, args[0], &w);
  for (size_t i = 0; i < tsr_weights_count(w) && rc == EXIT_OK; i++) rc = print_one(o, w, i);
  tsr_weights_free(w);
  return rc;
}
