/* tsrun weights ...: which sub-verb; listing; and --weights of the verbs that run a model. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* ---- --weights */

void cli_note(void *user, const char *line) {
  (void)user;
  fflush(stdout);
  for (const char *p = line; *p != '\0';) {
    size_t n = strcspn(p, "\n");
    fputs(p == line ? "tsrun: note: " : "  ", stderr);
    cli_print_safe(stderr, p, n, false);
    fputc('\n', stderr);
    p += n + (p[n] == '\n');
  }
}

int cli_weights_open(const cli_options *o, const char *where, tsr_weights **out) {
  tsr_weights_options opt = {.struct_size = sizeof opt,
                             .strip_prefix = o->strip_prefix,
                             .renames = o->renames.items,
                             .rename_count = o->renames.count,
                             .add_prefix = o->add_prefix};
  tsr_error *err = NULL;
  tsr_status status = tsr_weights_open(where, &opt, out, &err);
  if (status == TSR_OK) return EXIT_OK;
  size_t path = strcspn(where, ":");
  const char *message = err == NULL ? "" : tsr_error_message(err);
  char *file = strndup(where, path);
  int rc = cli_report(status, err, file != NULL && strstr(message, file) == NULL ? where : NULL);
  free(file);
  return rc;
}

int cli_weights_options(const cli_options *o, tsr_load_options *opt, tsr_weights **w) {
  *w = NULL;
  if (o->weights == NULL) {
    const char *stray = o->no_strict                 ? "no-strict"
                        : o->ignore_mismatched_sizes ? "ignore-mismatched-sizes"
                        : o->strip_prefix != NULL    ? "strip-prefix"
                        : o->add_prefix != NULL      ? "add-prefix"
                        : o->renames.count > 0       ? "rename"
                                                     : NULL;
    return stray == NULL ? EXIT_OK : cli_fail(EXIT_USAGE, "--%s says how --weights are taken, and there is no --weights", stray);
  }
  int rc = cli_weights_open(o, o->weights, w);
  opt->weights = *w;
  opt->weights_no_strict = o->no_strict;
  opt->weights_ignore_mismatched_sizes = o->ignore_mismatched_sizes;
  opt->note = cli_note;
  return rc;
}

/* ---- ls */

void cli_put_shape(FILE *out, const tsr_weight_info *x) {
  fputc('[', out);
  for (int d = 0; d < x->ndim; d++) fprintf(out, "%s%lld", d == 0 ? "" : ", ", (long long)x->sizes[d]);
  fputc(']', out);
}

static void shape_text(char *out, size_t size, const tsr_weight_info *x) {
  FILE *f = fmemopen(out, size, "w");
  if (f == NULL) return;
  cli_put_shape(f, x);
  fclose(f);
  out[size - 1] = '\0';
}

/* Sizes for people: powers of 1,000, as the rest of the command has them. */
static void bytes_text(char *out, size_t size, uint64_t bytes) {
  static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  double x = (double)bytes;
  size_t u = 0;
  for (; x >= 999.5 && u + 1 < sizeof units / sizeof *units; u++) x /= 1000; /* 999.9 kB are 1.00 MB */
  snprintf(out, size, u == 0 ? "%.0f %s" : x < 9.995 ? "%.2f %s" : x < 99.95 ? "%.1f %s" : "%.0f %s", x, units[u]);
}

typedef struct row {
  char *name; /* with # for numbers when folded */
  tsr_weight_info x;
  uint64_t bytes; /* of all that were folded */
  size_t count;
} row;

/* "layers.#.weight" */
static char *fold_name(const char *name) {
  char *out = cli_alloc(NULL, strlen(name) + 1), *to = out;
  for (const char *p = name; *p != '\0';) {
    size_t digits = strspn(p, "0123456789");
    bool whole = digits > 0 && (p == name || p[-1] == '.') && (p[digits] == '.' || p[digits] == '\0');
    if (whole) *to++ = '#';
    else *to++ = *p;
    p += whole ? digits : 1;
  }
  *to = '\0';
  return out;
}

static bool alike(const row *r, const char *name, const tsr_weight_info *x) {
  if (strcmp(r->name, name) != 0 || (r->x.other == NULL) != (x->other == NULL)) return false;
  if (x->other != NULL) return strcmp(r->x.other, x->other) == 0;
  return r->x.dtype == x->dtype && r->x.ndim == x->ndim && memcmp(r->x.sizes, x->sizes, (size_t)x->ndim * sizeof *x->sizes) == 0 &&
         strcmp(r->x.device, x->device) == 0;
}

typedef struct table {
  row *rows;
  size_t count, *buckets, cap; /* buckets: row + 1 by hash of the name */
} table;

static size_t hash_text(const char *s) {
  size_t h = 1469598103934665603u;
  for (; *s != '\0'; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
  return h;
}

static table make_table(const tsr_weights *w, bool fold) {
  size_t n = tsr_weights_count(w);
  table t = {.rows = cli_alloc(NULL, n * sizeof *t.rows), .cap = 16};
  while (t.cap < 2 * n) t.cap *= 2;
  t.buckets = cli_alloc(NULL, t.cap * sizeof *t.buckets);
  memset(t.buckets, 0, t.cap * sizeof *t.buckets);
  for (size_t i = 0; i < n; i++) {
    tsr_weight_info x;
    tsr_weights_info(w, i, &x);
    char *name = fold ? fold_name(x.name) : strcpy(cli_alloc(NULL, strlen(x.name) + 1), x.name);
    size_t b = hash_text(name);
    while (t.buckets[b &= t.cap - 1] != 0 && !(fold && alike(&t.rows[t.buckets[b] - 1], name, &x))) b++;
    if (t.buckets[b] != 0) {
      row *r = &t.rows[t.buckets[b] - 1];
      r->bytes += x.nbytes;
      r->count++;
      free(name);
      continue;
    }
    t.buckets[b] = t.count + 1;
    t.rows[t.count++] = (row){name, x, x.nbytes, 1};
  }
  for (size_t i = 0; i < t.count; i++) /* one of a kind keeps its number */
    if (t.rows[i].count == 1) strcpy(t.rows[i].name = cli_alloc(t.rows[i].name, strlen(t.rows[i].x.name) + 1), t.rows[i].x.name);
  return t;
}

static void free_table(table *t) {
  for (size_t i = 0; i < t->count; i++) free(t->rows[i].name);
  free(t->rows);
  free(t->buckets);
}

static void put_remarks(const tsr_weights *w, const row *r, size_t index) {
  tsr_weight_info first;
  if (strcmp(r->x.device, "cpu") != 0) printf("  %s%s", r->x.device, r->x.has_data ? "" : " (no data)");
  if (strcmp(r->x.layout, "strided") != 0) printf("  %s", r->x.layout);
  if (r->count > 1) printf("  x%zu", r->count);
  else if (r->x.first != index && tsr_weights_info(w, r->x.first, &first)) {
    fputs("  = ", stdout);
    cli_print_safe(stdout, first.name, strlen(first.name), false);
  }
}

typedef struct totals {
  uint64_t tensors, elements, bytes, parameters, buffers;
} totals;

static totals sum(const tsr_weights *w) {
  totals t = {0};
  for (size_t i = 0; i < tsr_weights_count(w); i++) {
    tsr_weight_info x;
    tsr_weights_info(w, i, &x);
    if (x.other != NULL) continue;
    t.tensors++;
    t.parameters += x.is_parameter;
    t.buffers += x.is_buffer;
    t.elements += x.first == i ? (uint64_t)x.numel : 0;
    t.bytes += x.first == i && x.has_data ? x.nbytes : 0;
  }
  return t;
}

static void list_text(const tsr_weights *w, const table *t) {
  char shape[512], bytes[32];
  size_t name_width = 4, shape_width = 2;
  for (size_t i = 0; i < t->count; i++) {
    size_t n = strlen(t->rows[i].name);
    if (n > name_width && n <= 60) name_width = n;
    if (t->rows[i].x.other != NULL) continue;
    shape_text(shape, sizeof shape, &t->rows[i].x);
    if (strlen(shape) > shape_width && strlen(shape) <= 30) shape_width = strlen(shape);
  }
  if (tsr_weights_key(w)[0] != '\0') {
    fputs("key: ", stdout);
    cli_print_safe(stdout, tsr_weights_key(w), strlen(tsr_weights_key(w)), false);
    putchar('\n');
  }
  for (size_t i = 0; i < t->count; i++) {
    const row *r = &t->rows[i];
    size_t n = strlen(r->name), index = 0;
    cli_print_safe(stdout, r->name, n, false);
    if (r->x.other != NULL) {
      printf("%*s  (%s)\n", n < name_width ? (int)(name_width - n) : 0, "", r->x.other);
      continue;
    }
    shape_text(shape, sizeof shape, &r->x);
    bytes_text(bytes, sizeof bytes, r->bytes);
    printf("%*s  %-8s  %-*s  %8s", n < name_width ? (int)(name_width - n) : 0, "", tsr_dtype_name(r->x.dtype), (int)shape_width, shape, bytes);
    tsr_weights_find(w, r->x.name, strlen(r->x.name), &index);
    put_remarks(w, r, index);
    putchar('\n');
  }
  totals s = sum(w);
  bytes_text(bytes, sizeof bytes, s.bytes);
  printf("%llu tensor%s, %llu elements, %s", (unsigned long long)s.tensors, s.tensors == 1 ? "" : "s", (unsigned long long)s.elements, bytes);
  if (s.parameters + s.buffers > 0) printf(" (%llu parameters, %llu buffers)", (unsigned long long)s.parameters, (unsigned long long)s.buffers);
  putchar('\n');
}

static void json_row(const tsr_weights *w, const row *r, bool fold) {
  tsr_weight_info first;
  size_t index = 0;
  printf("{\"name\": ");
  cli_json_string(stdout, r->name);
  if (fold) printf(", \"count\": %zu", r->count);
  if (r->x.other != NULL) {
    printf(", \"type\": \"%s\"}", r->x.other);
    return;
  }
  printf(", \"dtype\": \"%s\", \"shape\": ", tsr_dtype_name(r->x.dtype));
  cli_put_shape(stdout, &r->x);
  printf(", \"bytes\": %llu, \"device\": \"%s\", \"layout\": \"%s\", \"has_data\": %s, \"requires_grad\": %s", (unsigned long long)r->bytes, r->x.device,
         r->x.layout, r->x.has_data ? "true" : "false", r->x.requires_grad ? "true" : "false");
  if (r->x.is_parameter || r->x.is_buffer) printf(", \"role\": \"%s\"", r->x.is_parameter ? "parameter" : "buffer");
  if (r->count == 1 && tsr_weights_find(w, r->x.name, strlen(r->x.name), &index) && r->x.first != index && tsr_weights_info(w, r->x.first, &first)) {
    printf(", \"shares_with\": ");
    cli_json_string(stdout, first.name);
  }
  putchar('}');
}

static void list_json(const tsr_weights *w, const table *t, bool fold) {
  totals s = sum(w);
  printf("{\n  \"key\": ");
  cli_json_string(stdout, tsr_weights_key(w));
  printf(",\n  \"tensors\": %llu, \"elements\": %llu, \"bytes\": %llu,\n  \"weights\": [", (unsigned long long)s.tensors, (unsigned long long)s.elements,
         (unsigned long long)s.bytes);
  for (size_t i = 0; i < t->count; i++) {
    fputs(i == 0 ? "\n    " : ",\n    ", stdout);
    json_row(w, &t->rows[i], fold);
  }
  printf("\n  ]\n}\n");
}

static int list(const cli_options *o, const char *const *args, size_t count) {
  tsr_weights *w = NULL;
  if (count != 1) return cli_fail(EXIT_USAGE, "tsrun weights ls takes one file, got %zu", count);
  int rc = cli_weights_open(o, args[0], &w);
  if (rc != EXIT_OK) return rc;
  table t = make_table(w, o->fold);
  if (o->json) list_json(w, &t, o->fold);
  else list_text(w, &t);
  free_table(&t);
  tsr_weights_free(w);
  return EXIT_OK;
}

/* ---- the verb */

int cli_weights(const cli_options *o) {
  static const struct {
    const char *name;
    int (*run)(const cli_options *o, const char *const *args, size_t count);
  } verbs[] = {{"ls", list}, {"print", cli_weights_print}, {"diff", cli_weights_diff}, {"convert", cli_weights_convert},
               {"extract", cli_weights_extract}, {"merge", cli_weights_merge}};
  const char *name = o->args.count > 0 ? o->args.items[0] : "";
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
    if (strcmp(name, verbs[i].name) == 0) return verbs[i].run(o, o->args.items + 1, o->args.count - 1);
  if (*name == '\0') return cli_fail(EXIT_USAGE, "tsrun weights wants a command: ls, print, diff, convert, extract or merge");
  return cli_fail(EXIT_USAGE, "tsrun weights %s: there is no such command (ls, print, diff, convert, extract, merge)", name);
}
