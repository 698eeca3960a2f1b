/* tsrun weights diff: names, shapes, types and values of two files. */
#include <math.h>
#include <string.h>

#include "cli.h"

typedef struct diff {
  const cli_options *o;
  const tsr_weights *a, *b;
  double rtol, atol;
  size_t equal, changed, only_a, only_b;
  bool first; /* of the JSON list */
} diff;

typedef struct change {
  const char *what; /* "only in A", "shape", "dtype", "values" */
  int64_t count, total; /* elements that differ */
  double most;          /* largest |a - b| */
} change;

static void put_kind(const tsr_weight_info *x) {
  if (x->other != NULL) {
    printf("(%s)", x->other);
    return;
  }
  printf("%s ", tsr_dtype_name(x->dtype));
  cli_put_shape(stdout, x);
}

static void report_text(const tsr_weight_info *a, const tsr_weight_info *b, const change *c) {
  const tsr_weight_info *x = a != NULL ? a : b;
  printf("%c ", a == NULL ? '+' : b == NULL ? '-' : '~');
  cli_print_safe(stdout, x->name, strlen(x->name), false);
  printf("  %s", c->what);
  if (a == NULL || b == NULL || strcmp(c->what, "values") != 0) {
    printf(": ");
    put_kind(x);
  }
  if (a != NULL && b != NULL && strcmp(c->what, "values") != 0) {
    printf(" and ");
    put_kind(b);
  }
  if (c->count > 0) printf("%s%lld of %lld differ, at most by %.6g", strcmp(c->what, "values") == 0 ? ": " : "; ", (long long)c->count, (long long)c->total, c->most);
  putchar('\n');
}

static void report_json(diff *d, const tsr_weight_info *a, const tsr_weight_info *b, const change *c) {
  printf("%s\n    {\"name\": ", d->first ? "" : ",");
  d->first = false;
  cli_json_string(stdout, (a != NULL ? a : b)->name);
  printf(", \"what\": \"%s\"", c->what);
  if (c->total > 0) printf(", \"differ\": %lld, \"elements\": %lld", (long long)c->count, (long long)c->total);
  if (c->total > 0 && isfinite(c->most)) printf(", \"max_abs\": %.17g", c->most);
  putchar('}');
}

static void report(diff *d, const tsr_weight_info *a, const tsr_weight_info *b, const change *c) {
  if (b == NULL) d->only_a++;
  else if (a == NULL) d->only_b++;
  else d->changed++;
  if (d->o->json) report_json(d, a, b, c);
  else report_text(a, b, c);
}

/* Numbers are close, or both NaN; whole numbers of one type that differ in a bit differ. */
static bool close_enough(const diff *d, double a, double b) {
  if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
  if (a == b) return true;
  return isfinite(a) && isfinite(b) && fabs(a - b) <= d->atol + d->rtol * fabs(b);
}

static void compare_elements(const diff *d, const tsr_weight_info *a, const void *pa, const tsr_weight_info *b, const void *pb, change *c) {
  size_t item = tsr_dtype_size(a->dtype);
  bool same_type = a->dtype == b->dtype, exact = d->rtol == 0 && d->atol == 0;
  bool wide = a->dtype == TSR_INT64 || a->dtype == TSR_UINT64;
  c->total = a->numel;
  for (int64_t i = 0; i < a->numel; i++) {
    if (same_type && memcmp((const char *)pa + (size_t)i * item, (const char *)pb + (size_t)i * item, item) == 0) continue;
    double xi, yi, x = cli_element(a->dtype, pa, i, &xi), y = cli_element(b->dtype, pb, i, &yi);
    bool near = close_enough(d, x, y) && close_enough(d, xi, yi) && !(wide && same_type && exact);
    double by = hypot(x - y, xi - yi);
    if (near) continue;
    c->count++;
    c->most = isnan(by) ? INFINITY : fmax(c->most, by);
  }
}

static tsr_value *flat(const tsr_weights *w, size_t i, int *rc) {
  tsr_value *v = NULL;
  tsr_error *err = NULL;
  tsr_status status = tsr_weights_get(w, i, &v, &err);
  if (status != TSR_OK) {
    *rc = cli_report(status, err, NULL);
    return NULL;
  }
  tsr_value *c = tsr_tensor_contiguous(v);
  tsr_value_free(v);
  if (c == NULL) *rc = cli_fail(EXIT_LIMIT, "out of memory");
  return c;
}

static bool same_shape(const tsr_weight_info *a, const tsr_weight_info *b) {
  return a->ndim == b->ndim && memcmp(a->sizes, b->sizes, (size_t)a->ndim * sizeof *a->sizes) == 0;
}

static int compare_pair(diff *d, size_t i, size_t k) {
  tsr_weight_info a, b;
  change c = {0};
  int rc = EXIT_OK;
  tsr_weights_info(d->a, i, &a);
  tsr_weights_info(d->b, k, &b);
  if (a.other != NULL || b.other != NULL) {
    c.what = "type";
    if (a.other != NULL && b.other != NULL && strcmp(a.other, b.other) == 0) d->equal++;
    else report(d, &a, &b, &c);
    return rc;
  }
  c.what = !same_shape(&a, &b)                  ? "shape"
           : strcmp(a.layout, b.layout) != 0    ? "layout"
           : a.has_data != b.has_data           ? "device"
           : a.dtype != b.dtype                 ? "dtype"
                                                : "values";
  bool values = same_shape(&a, &b) && a.has_data && b.has_data && strcmp(a.layout, "strided") == 0 && strcmp(b.layout, "strided") == 0;
  tsr_value *va = values ? flat(d->a, i, &rc) : NULL, *vb = values && rc == EXIT_OK ? flat(d->b, k, &rc) : NULL;
  if (va != NULL && vb != NULL) compare_elements(d, &a, tsr_tensor_data(va), &b, tsr_tensor_data(vb), &c);
  tsr_value_free(va);
  tsr_value_free(vb);
  tsr_weights_forget(d->a, i);
  tsr_weights_forget(d->b, k);
  if (rc != EXIT_OK) return rc;
  if (strcmp(c.what, "values") == 0 && c.count == 0) d->equal++;
  else report(d, &a, &b, &c);
  return rc;
}

static int compare(diff *d) {
  tsr_weight_info x;
  size_t at;
  int rc = EXIT_OK;
  for (size_t i = 0; tsr_weights_info(d->a, i, &x) && rc == EXIT_OK; i++) {
    if (tsr_weights_find(d->b, x.name, strlen(x.name), &at)) rc = compare_pair(d, i, at);
    else report(d, &x, NULL, &(change){.what = "only in the first"});
  }
  for (size_t i = 0; tsr_weights_info(d->b, i, &x) && rc == EXIT_OK; i++)
    if (!tsr_weights_find(d->a, x.name, strlen(x.name), &at)) report(d, NULL, &x, &(change){.what = "only in the second"});
  return rc;
}

int cli_weights_diff(const cli_options *o, const char *const *args, size_t count) {
  tsr_weights *a = NULL, *b = NULL;
  if (count != 2) return cli_fail(EXIT_USAGE, "tsrun weights diff A[:KEY] B[:KEY] takes two files, got %zu", count);
  cli_options plain = *o; /* renaming is for the second: it is made to look like the first */
  plain.strip_prefix = plain.add_prefix = NULL;
  plain.renames.count = 0;
  int rc = cli_weights_open(&plain, args[0], &a);
  if (rc == EXIT_OK) rc = cli_weights_open(o, args[1], &b);
  diff d = {.o = o, .a = a, .b = b, .rtol = o->rtol < 0 ? 0 : o->rtol, .atol = o->atol < 0 ? 0 : o->atol, .first = true};
  if (rc == EXIT_OK) {
    if (o->json) printf("{\n  \"differences\": [");
    rc = compare(&d);
    if (o->json) printf("%s],\n  \"equal\": %zu, \"changed\": %zu, \"only_first\": %zu, \"only_second\": %zu\n}\n", d.first ? "" : "\n  ", d.equal, d.changed, d.only_a, d.only_b);
    else printf("%zu equal, %zu changed, %zu only in the first, %zu only in the second\n", d.equal, d.changed, d.only_a, d.only_b);
  }
  tsr_weights_free(a);
  tsr_weights_free(b);
  return rc != EXIT_OK ? rc : d.changed + d.only_a + d.only_b > 0 ? EXIT_RAISED : EXIT_OK;
}
