/* tsrun verify --against O0, --bisect: a model compared with itself, unoptimised; the pass that makes a difference. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

enum { MAX_PASSES = 64 };

typedef struct subject {
  const cli_options *o;
  char *model;
  cli_list inputs;
  char *input; /* of a folder: owned */
  int threads;
} subject;

/* ---- what to run */

static bool is_directory(const char *path) {
  struct stat s;
  return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static char *in_folder(const char *dir, const char *name) {
  size_t n = strlen(dir) + strlen(name) + 2;
  char *path = cli_alloc(NULL, n);
  snprintf(path, n, "%s/%s", dir, name);
  return path;
}

/* MODEL with the words after it, or a folder with model.pt and inputs.*. */
static subject subject_of(const cli_options *o, const char *what, bool folder, int threads) {
  static const char *const forms[] = {"inputs.pt", "inputs.npy", "inputs.npz", "inputs.safetensors"};
  subject s = {.o = o, .threads = threads};
  if (!folder) {
    s.model = in_folder(what, "");
    s.model[strlen(what)] = '\0';
    s.inputs = cli_inputs(o);
    return s;
  }
  s.model = in_folder(what, "model.pt");
  for (size_t i = 0; i < sizeof forms / sizeof *forms && s.input == NULL; i++) {
    s.input = in_folder(what, forms[i]);
    if (cli_file_exists(s.input)) continue;
    free(s.input);
    s.input = NULL;
  }
  if (s.input != NULL) cli_list_push(&s.inputs, s.input);
  return s;
}

static void subject_dispose(subject *s) {
  free(s->model);
  free(s->input);
  free(s->inputs.items);
}

/* One run in a fresh session. */
static int run(const subject *s, int64_t level, const char *off, tsr_value **out) {
  cli_options o = *s->o;
  cli_call call;
  tsr_model *m = NULL;
  tsr_session *session = NULL;
  tsr_error *err = NULL;
  o.opt_level = level;
  o.disable_passes = off;
  int rc = cli_load(&o, s->model, s->threads, &m);
  if (rc != EXIT_OK) return rc;
  rc = cli_call_make(&call, m, o.method, s->inputs.items, s->inputs.count);
  if (rc == EXIT_OK) {
    rc = cli_session(&o, m, NULL, &session);
    cli_signals_watch(session);
    if (rc == EXIT_OK) {
      tsr_status status = tsr_session_run(session, o.method, call.values, call.names, call.count, out, &err);
      if (status != TSR_OK) rc = cli_signals_exit(cli_report(status, err, NULL));
    }
    cli_signals_watch(NULL);
    cli_call_dispose(&call);
  }
  tsr_session_free(session);
  tsr_model_free(m);
  return rc;
}

/* ---- differences */

typedef struct difference {
  double abs, scale, rel; /* largest |a-b|, largest |b|, largest |a-b| / |b| */
  int64_t count, odd;     /* elements; those of which one is not a number or infinite, the other not the same */
  bool exact, shape;
} difference;

static double distance(double a, double b, difference *d) {
  if (a == b || (isnan(a) && isnan(b))) return 0;
  if (!isfinite(a) || !isfinite(b)) {
    d->odd++;
    return 0;
  }
  double e = fabs(a - b);
  if (b != 0) d->rel = fmax(d->rel, e / fabs(b));
  return e;
}

static difference compare(const tsr_value *a_, const tsr_value *b_) {
  difference d = {.count = tsr_tensor_numel(b_)};
  tsr_dtype dtype = tsr_tensor_dtype(b_);
  int n = tsr_tensor_ndim(b_);
  d.exact = dtype != TSR_FLOAT16 && dtype != TSR_BFLOAT16 && dtype != TSR_FLOAT32 && dtype != TSR_FLOAT64 && dtype < TSR_FLOAT8_E5M2 &&
            dtype != TSR_COMPLEX32 && dtype != TSR_COMPLEX64 && dtype != TSR_COMPLEX128;
  d.shape = dtype == tsr_tensor_dtype(a_) && n == tsr_tensor_ndim(a_) &&
            (n == 0 || memcmp(tsr_tensor_sizes(a_), tsr_tensor_sizes(b_), (size_t)n * sizeof(int64_t)) == 0);
  if (!d.shape) return d;
  tsr_value *a = tsr_tensor_contiguous(a_), *b = tsr_tensor_contiguous(b_);
  for (int64_t i = 0; a != NULL && b != NULL && i < d.count; i++) {
    double ai, bi, ar = cli_element(dtype, tsr_tensor_data(a), i, &ai), br = cli_element(dtype, tsr_tensor_data(b), i, &bi);
    d.abs = fmax(d.abs, fmax(distance(ar, br, &d), distance(ai, bi, &d)));
    if (isfinite(br)) d.scale = fmax(d.scale, fabs(br));
    if (isfinite(bi)) d.scale = fmax(d.scale, fabs(bi));
  }
  tsr_value_free(a);
  tsr_value_free(b);
  return d;
}

static bool is_close(const cli_options *o, const difference *d) {
  double rtol = o->rtol >= 0 ? o->rtol : 1e-4, atol = o->atol >= 0 ? o->atol : 1e-6;
  return d->shape && d->odd == 0 && (d->exact ? d->abs == 0 : d->abs <= atol + rtol * d->scale);
}

static void put_difference(const char *name, const tsr_value *v, const difference *d, bool close) {
  printf("%-6s ", close ? "same" : "DIFFER");
  cli_print_safe(stdout, name, strlen(name), false);
  printf(" %s[", tsr_dtype_name(tsr_tensor_dtype(v)));
  for (int i = 0; i < tsr_tensor_ndim(v); i++) printf("%s%lld", i > 0 ? ", " : "", (long long)tsr_tensor_sizes(v)[i]);
  if (!d->shape) printf("]: other shape or dtype\n");
  else
    printf("]: max abs %.3g, of the largest %.3g; max rel %.3g%s\n", d->abs, d->scale > 0 ? d->abs / d->scale : d->abs, d->rel,
           d->odd > 0 ? "; NaN or infinity differ" : "");
}

/* Are all results close?  show: a line for each. */
static bool all_close(const cli_options *o, const tsr_value *got, const tsr_value *want, bool show) {
  tsr_value *a = cli_flatten(got), *b = cli_flatten(want);
  bool ok = true;
  if (a == NULL || b == NULL || tsr_value_count(a) != tsr_value_count(b)) { /* strings and the like */
    char *text = NULL;
    if (tsr_value_compare(got, want, o->rtol >= 0 ? o->rtol : 1e-4, o->atol >= 0 ? o->atol : 1e-6, &ok, NULL, &text, NULL) != TSR_OK) ok = false;
    if (show) printf("%-6s %s\n", ok ? "same" : "DIFFER", text != NULL ? text : "");
    tsr_string_free(text);
  } else {
    for (size_t i = 0; i < tsr_value_count(b); i++) {
      tsr_value *x = tsr_value_item(a, i), *y = tsr_value_item(b, i), *key = tsr_value_key(b, i);
      difference d = compare(x, y);
      bool close = is_close(o, &d);
      if (show) put_difference(tsr_value_get_str(key, NULL), y, &d, close);
      ok = ok && close;
      tsr_value_free(x);
      tsr_value_free(y);
      tsr_value_free(key);
    }
  }
  tsr_value_free(a);
  tsr_value_free(b);
  return ok;
}

/* ---- which pass */

/* Does the result agree with want when the passes in `off` are left out? */
static int agrees(const subject *s, const bool *off, const tsr_value *want, bool *yes) {
  char list[2048] = "";
  tsr_value *got = NULL;
  for (size_t i = 0; tsr_pass_name(i, NULL) != NULL; i++) {
    if (!off[i]) continue;
    if (list[0] != '\0') strncat(list, ",", sizeof list - strlen(list) - 1);
    strncat(list, tsr_pass_name(i, NULL), sizeof list - strlen(list) - 1);
  }
  int rc = run(s, s->o->opt_level, list, &got);
  if (rc == EXIT_OK) *yes = all_close(s->o, got, want, false);
  tsr_value_free(got);
  return rc;
}

/* One pass whose absence alone mends the result; else the first that, together with those after it, has to go.  Passes build
 * on each other: the most specific name is tried first. */
static int bisect(const subject *s, const tsr_value *want) {
  bool off[MAX_PASSES] = {false}, yes = false;
  size_t n = 0;
  const char *what = NULL;
  while (n < MAX_PASSES && tsr_pass_name(n, NULL) != NULL) n++;
  for (size_t i = n; i-- > 0;) {
    memset(off, 0, sizeof off);
    off[i] = true;
    int rc = agrees(s, off, want, &yes);
    if (rc != EXIT_OK) return rc;
    if (!yes) continue;
    printf("pass %s changes the result: without it, it is the same (%s)\n", tsr_pass_name(i, NULL), (tsr_pass_name(i, &what), what));
    return EXIT_RAISED;
  }
  memset(off, 0, sizeof off);
  for (size_t i = n; i-- > 0;) {
    off[i] = true;
    int rc = agrees(s, off, want, &yes);
    if (rc != EXIT_OK) return rc;
    if (!yes) continue;
    printf("no single pass: the result is the same once %s and all that come after it in this list are left out:", tsr_pass_name(i, NULL));
    for (size_t k = i; k < n; k++) printf(" %s", tsr_pass_name(k, NULL));
    printf("\n");
    return EXIT_RAISED;
  }
  printf("no pass: the difference stays when all are left out\n");
  return EXIT_RAISED;
}

/* ---- entry */

static int check(const cli_options *o, const char *what, bool folder, int threads) {
  subject s = subject_of(o, what, folder, threads);
  tsr_value *got = NULL, *want = NULL;
  int rc = run(&s, 0, NULL, &want);
  if (rc == EXIT_OK) rc = run(&s, o->opt_level, o->disable_passes, &got);
  if (rc == EXIT_OK) {
    if (folder && o->args.count > 1) printf("%s\n", what);
    bool same = all_close(o, got, want, true);
    if (o->bisect && same) printf("no pass changes the result by more than the tolerances (--rtol, --atol)\n");
    if (!same) rc = o->bisect ? bisect(&s, want) : EXIT_RAISED;
  }
  tsr_value_free(got);
  tsr_value_free(want);
  subject_dispose(&s);
  return rc;
}

int cli_against(const cli_options *o) {
  int threads, rc = cli_threads(o, &threads), worst = EXIT_OK;
  if (rc != EXIT_OK) return rc;
  if (o->args.count == 0) return cli_fail(EXIT_USAGE, "no model given (tsrun verify --against O0 MODEL [INPUT...])");
  if (o->opt_level == 0) return cli_fail(EXIT_USAGE, "-O0 compared with itself is always the same");
  if (!is_directory(o->args.items[0])) return check(o, o->args.items[0], false, threads);
  for (size_t i = 0; i < o->args.count && worst <= EXIT_RAISED; i++) {
    rc = check(o, o->args.items[i], true, threads);
    if (rc > worst) worst = rc;
  }
  return worst;
}
