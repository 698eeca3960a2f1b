/* tsrun verify: conformance cases.  A case is a folder with model.pt, inputs.* (optional), and expected.* or
 * expected_error.txt; expected_stdout.txt is what print() must give; case.txt sets "key: value" or
 * "key = value" for rtol, atol, method, seed.  A folder without model.pt is searched for cases. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

enum { MAX_REASON = 2000, MAX_NESTING = 8 };

typedef struct tolerance {
  double rtol, atol; /* negative: not given */
} tolerance;

typedef struct checked {
  char *name;
  bool passed;
  char *reason;
  double seconds;
} checked;

typedef struct verifier {
  const cli_options *o;
  int threads;
  bool json;
  checked *cases;
  size_t count, failed;
} verifier;

typedef struct printed {
  char *text;
  size_t len;
} printed;

/* ---- files of a case */

static char *join(const char *dir, const char *name) {
  size_t n = strlen(dir) + strlen(name) + 2;
  char *path = cli_alloc(NULL, n);
  snprintf(path, n, "%s/%s", dir, name);
  return path;
}

/* The whole file as text, or NULL. */
static char *read_text(const char *dir, const char *name) {
  char *path = join(dir, name), *text = NULL;
  size_t len = 0, got;
  FILE *f = fopen(path, "rb");
  free(path);
  if (f == NULL) return NULL;
  do {
    text = cli_alloc(text, len + 4097);
    got = fread(text + len, 1, 4096, f);
    len += got;
  } while (got > 0);
  text[len] = '\0';
  fclose(f);
  return text;
}

/* dir/stem.EXT for the first form that is there, or NULL. */
static char *find_values(const char *dir, const char *stem) {
  static const char *const forms[] = {"pt", "npy", "npz", "safetensors", "json", "pth"};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s.%s", stem, forms[i]);
    char *path = join(dir, name);
    if (cli_file_exists(path)) return path;
    free(path);
  }
  return NULL;
}

static bool ends_with(const char *text, const char *suffix) {
  size_t n = strlen(text), m = strlen(suffix);
  return n >= m && strcmp(text + n - m, suffix) == 0;
}

static int load_values(const char *dir, const char *path, tsr_value **out) {
  tsr_error *err = NULL;
  tsr_status status;
  if (ends_with(path, ".json")) {
    char *text = read_text(dir, path + strlen(dir) + 1);
    if (text == NULL) return cli_fail(EXIT_IO, "%s: cannot be read", path);
    status = tsr_value_parse_json(text, strlen(text), out, &err);
    free(text);
  } else {
    status = tsr_value_load(path, NULL, out, &err);
  }
  return status == TSR_OK ? EXIT_OK : cli_report(status, err, path);
}

/* The value of a key in case.txt, or NULL. */
static char *find_setting(const char *text, const char *key) {
  size_t n = strlen(key);
  for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
    while (*line == '\n' || *line == ' ') line++;
    if (strncmp(line, key, n) != 0) continue;
    const char *p = line + n;
    while (*p == ' ') p++;
    if (*p != ':' && *p != '=') continue;
    p++;
    while (*p == ' ') p++;
    size_t len = strcspn(p, "\r\n");
    while (len > 0 && p[len - 1] == ' ') len--;
    char *value = memcpy(cli_alloc(NULL, len + 1), p, len);
    value[len] = '\0';
    return value;
  }
  return NULL;
}

static double number_setting(const char *text, const char *key, double otherwise) {
  char *value = text == NULL ? NULL : find_setting(text, key), *end = value;
  double v = value == NULL ? otherwise : strtod(value, &end);
  if (value != NULL && (end == value || v < 0)) v = otherwise;
  free(value);
  return v;
}

/* ---- comparing */

static tolerance tolerance_of(tolerance given, tsr_dtype dtype, const tsr_value *tensor) {
  tolerance t = {1e-4, 1e-5};
  if (dtype == TSR_FLOAT16) t = (tolerance){4e-3, 2e-3};
  if (dtype == TSR_BFLOAT16) t = (tolerance){3e-2, 2e-2};
  if (given.rtol >= 0) t.rtol = given.rtol;
  if (given.atol >= 0) {
    t.atol = given.atol;
  } else if (tensor != NULL) {
    tsr_value *flat = tsr_tensor_contiguous(tensor);
    double largest = 0, im;
    for (int64_t i = 0, n = flat == NULL ? 0 : tsr_tensor_numel(flat); i < n; i++) {
      double m = fabs(cli_element(dtype, tsr_tensor_data(flat), i, &im));
      if (isfinite(m)) largest = fmax(largest, m);
      if (isfinite(im)) largest = fmax(largest, fabs(im));
    }
    tsr_value_free(flat);
    t.atol = fmax(t.atol, 2e-4 * largest);
  }
  return t;
}

static void put_shape(char *out, size_t size, const tsr_value *v) {
  size_t n = (size_t)snprintf(out, size, "%s [",
                              tsr_dtype_name(tsr_tensor_dtype(v)) == NULL ? "?" : tsr_dtype_name(tsr_tensor_dtype(v)));
  for (int i = 0; i < tsr_tensor_ndim(v) && n + 24 < size; i++)
    n += (size_t)snprintf(out + n, size - n, "%s%lld", i == 0 ? "" : ", ", (long long)tsr_tensor_sizes(v)[i]);
  if (n + 2 < size) strcpy(out + n, "]");
}

static bool same_shape(const tsr_value *a, const tsr_value *b) {
  int n = tsr_tensor_ndim(a);
  return tsr_tensor_dtype(a) == tsr_tensor_dtype(b) && n == tsr_tensor_ndim(b) &&
         (n == 0 || memcmp(tsr_tensor_sizes(a), tsr_tensor_sizes(b), (size_t)n * sizeof(int64_t)) == 0);
}

static bool compare_leaf(const tsr_value *got, const tsr_value *want, tolerance given, const char *path) {
  bool tensor = tsr_value_kind(want) == TSR_KIND_TENSOR, equal = false;
  char a[200], b[200], *report = NULL;
  double worst = 0;
  tsr_error *err = NULL;
  if (tensor && !same_shape(got, want)) {
    put_shape(a, sizeof a, got);
    put_shape(b, sizeof b, want);
    cli_fail(EXIT_RAISED, "%s: %s where %s is expected", path, a, b);
    return false;
  }
  tolerance t = tolerance_of(given, tensor ? tsr_tensor_dtype(want) : TSR_FLOAT64, tensor ? want : NULL);
  tsr_status status = tsr_value_compare(got, want, t.rtol, t.atol, &equal, &worst, &report, &err);
  if (status != TSR_OK)
    cli_report(status, err, path);
  else if (!equal)
    cli_fail(EXIT_RAISED, "%s: %s", path, report == NULL || report[0] == '\0' ? "values differ" : report);
  tsr_string_free(report);
  return status == TSR_OK && equal;
}

static bool is_container(tsr_kind k) { return k == TSR_KIND_LIST || k == TSR_KIND_TUPLE || k == TSR_KIND_DICT; }

static bool keys_equal(const tsr_value *a, const tsr_value *b) {
  bool equal = a == NULL && b == NULL;
  char *report = NULL;
  if (a != NULL && b != NULL) tsr_value_compare(a, b, 0, 0, &equal, NULL, &report, NULL);
  tsr_string_free(report);
  return equal;
}

/* The entry of got that has the i-th key of want.  Order does not count: before 1.3 dicts had none. */
static bool find_key(const tsr_value *got, const tsr_value *want, size_t i, size_t *at, char *name, size_t size) {
  size_t n = tsr_value_count(got);
  tsr_value *key = tsr_value_key(want, i);
  bool found = false;
  snprintf(name, size, "[%zu]", i);
  if (key != NULL && tsr_value_kind(key) == TSR_KIND_STR) snprintf(name, size, "[\"%.100s\"]", tsr_value_get_str(key, NULL));
  for (size_t k = 0; k < n && !found; k++) {
    *at = (i + k) % n;
    tsr_value *other = tsr_value_key(got, *at);
    found = keys_equal(other, key);
    tsr_value_free(other);
  }
  tsr_value_free(key);
  return found;
}

static bool compare(const tsr_value *got, const tsr_value *want, tolerance t, const char *path, int depth) {
  tsr_kind kind = tsr_value_kind(want);
  if (tsr_value_kind(got) != kind) {
    cli_fail(EXIT_RAISED, "%s: %s where %s is expected", path, tsr_value_type_name(got), tsr_value_type_name(want));
    return false;
  }
  if (!is_container(kind)) return compare_leaf(got, want, t, path);
  size_t n = tsr_value_count(want);
  if (tsr_value_count(got) != n || depth > 100) {
    cli_fail(EXIT_RAISED, "%s: %zu items where %zu are expected", path, tsr_value_count(got), n);
    return false;
  }
  for (size_t i = 0; i < n; i++) {
    char name[128], inner[512];
    size_t at = i;
    bool equal = kind != TSR_KIND_DICT ? (snprintf(name, sizeof name, "[%zu]", i), true)
                                       : find_key(got, want, i, &at, name, sizeof name);
    snprintf(inner, sizeof inner, "%.300s%s", path, name);
    if (!equal) {
      cli_fail(EXIT_RAISED, "%s: no such key in the result", inner);
      return false;
    }
    tsr_value *a = tsr_value_item(got, at), *b = tsr_value_item(want, i);
    equal = a != NULL && b != NULL && compare(a, b, t, inner, depth + 1);
    tsr_value_free(a);
    tsr_value_free(b);
    if (!equal) return false;
  }
  return true;
}

/* An .npz or .safetensors holds named tensors, whatever the result's structure was: compare in order. */
static bool compare_flat(const tsr_value *got, const tsr_value *want, tolerance t) {
  tsr_value *flat = cli_flatten(got);
  size_t n = tsr_value_count(want);
  bool equal = flat != NULL && tsr_value_count(flat) == n;
  if (!equal) cli_fail(EXIT_RAISED, "the result does not hold %zu tensors", n);
  for (size_t i = 0; i < n && equal; i++) {
    char path[32];
    snprintf(path, sizeof path, "output[%zu]", i);
    tsr_value *a = tsr_value_item(flat, i), *b = tsr_value_item(want, i);
    equal = compare(a, b, t, path, 0);
    tsr_value_free(a);
    tsr_value_free(b);
  }
  tsr_value_free(flat);
  return equal;
}

/* ---- one case */

static void collect(void *user, const char *text, size_t len) {
  printed *p = user;
  p->text = cli_alloc(p->text, p->len + len + 1);
  memcpy(p->text + p->len, text, len);
  p->len += len;
  p->text[p->len] = '\0';
}

static void ignore(void *user, const char *text, size_t len) { (void)user, (void)text, (void)len; }

static bool check_error(const char *dir, int rc, const char *message) {
  char *want = read_text(dir, "expected_error.txt");
  size_t n = want == NULL ? 0 : strlen(want);
  bool ok = false;
  while (n > 0 && (want[n - 1] == '\n' || want[n - 1] == '\r' || want[n - 1] == ' ')) want[--n] = '\0';
  if (rc == EXIT_OK)
    cli_fail(EXIT_RAISED, "did not raise; expected: %s", want);
  else if (want != NULL && (rc == EXIT_RAISED || rc == EXIT_USAGE) && strstr(message, want) != NULL)
    ok = true;
  else {
    char *copy = strcpy(cli_alloc(NULL, strlen(message) + 1), message);
    cli_fail(EXIT_RAISED, "raised \"%s\" where \"%s\" is expected", copy, want == NULL ? "" : want);
    free(copy);
  }
  free(want);
  return ok;
}

static bool check_result(const char *dir, const tsr_value *got, const printed *p, tolerance t) {
  char *path = find_values(dir, "expected"), *text = read_text(dir, "expected_stdout.txt");
  tsr_value *want = NULL;
  bool ok = true;
  if (path == NULL && text == NULL) {
    cli_fail(EXIT_USAGE, "there is no expected.* and no expected_error.txt");
    ok = false;
  }
  if (ok && path != NULL) ok = load_values(dir, path, &want) == EXIT_OK;
  if (ok && want != NULL) {
    bool named = (ends_with(path, ".npz") || ends_with(path, ".safetensors")) && tsr_value_kind(got) != TSR_KIND_DICT;
    ok = named ? compare_flat(got, want, t) : compare(got, want, t, "output", 0);
  }
  if (ok && text != NULL && strcmp(text, p->text == NULL ? "" : p->text) != 0) {
    cli_fail(EXIT_RAISED, "printed \"%s\" where \"%s\" is expected", p->text == NULL ? "" : p->text, text);
    ok = false;
  }
  tsr_value_free(want);
  free(path);
  free(text);
  return ok;
}

static int run_case(const verifier *v, const char *dir, const char *method, const tsr_session_options *more,
                    tsr_value **result) {
  tsr_model *m = NULL;
  tsr_session *s = NULL;
  cli_call call = {0};
  tsr_error *err = NULL;
  char *model = join(dir, "model.pt"), *inputs = find_values(dir, "inputs");
  const char *word = inputs;
  if (inputs == NULL) word = inputs = find_values(dir, "input");
  int rc = cli_load(v->o, model, v->threads, &m);
  if (rc == EXIT_OK) rc = cli_call_make(&call, m, method, &word, word != NULL);
  if (rc == EXIT_OK) rc = cli_session(v->o, m, more, &s);
  if (rc == EXIT_OK) {
    cli_signals_watch(s);
    tsr_status status = tsr_session_run(s, method, call.values, call.names, call.count, result, &err);
    cli_signals_watch(NULL);
    if (status != TSR_OK) rc = cli_report(status, err, NULL);
  }
  cli_call_dispose(&call);
  tsr_session_free(s);
  tsr_model_free(m);
  free(model);
  free(inputs);
  return rc;
}

static bool check_case(const verifier *v, const char *dir, char *reason) {
  char *settings = read_text(dir, "case.txt");
  char *method = settings == NULL ? NULL : find_setting(settings, "method"),
       *error_path = join(dir, "expected_error.txt");
  double seed = number_setting(settings, "seed", -1);
  tolerance t = {v->o->rtol >= 0 ? v->o->rtol : number_setting(settings, "rtol", -1),
                 v->o->atol >= 0 ? v->o->atol : number_setting(settings, "atol", -1)};
  printed p = {0};
  tsr_session_options more = {
      .print = collect, .warn = ignore, .user = &p, .has_seed = seed >= 0, .seed = seed >= 0 ? (uint64_t)seed : 0};
  tsr_value *result = NULL;
  cli_capture(reason, MAX_REASON);
  int rc = run_case(v, dir, method, &more, &result);
  bool ok =
      cli_file_exists(error_path) ? check_error(dir, rc, reason) : rc == EXIT_OK && check_result(dir, result, &p, t);
  cli_capture(NULL, 0);
  tsr_value_free(result);
  free(p.text);
  free(error_path);
  free(method);
  free(settings);
  return ok;
}

/* ---- all of them */

static bool stopped(const verifier *v) {
  return (v->o->fail_fast && v->failed > 0) || cli_signals_exit(EXIT_OK) != EXIT_OK;
}

/* Each case runs in its own process: one that crashes or leaks fails alone. */
static bool check_apart(const verifier *v, const char *dir, char *reason) {
  int ends[2], status = 0;
  size_t len = 0;
  ssize_t n;
  if (pipe(ends) != 0) return cli_fail(EXIT_IO, "pipe: %s", strerror(errno)), false;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
    bool ok = check_case(v, dir, reason);
    size_t size = ok ? 0 : strlen(reason);
    bool told = write(ends[1], reason, size) == (ssize_t)size;
    exit(ok && told ? EXIT_OK : EXIT_RAISED);
  }
  close(ends[1]);
  while (child > 0 && ((n = read(ends[0], reason + len, MAX_REASON - 1 - len)) > 0 || (n < 0 && errno == EINTR)))
    if (n > 0) len += (size_t)n;
  reason[len] = '\0';
  close(ends[0]);
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child < 0)
    snprintf(reason, MAX_REASON, "fork: %s", strerror(errno));
  else if (WIFSIGNALED(status))
    snprintf(reason, MAX_REASON, "died of signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
  else if (len == 0 && WEXITSTATUS(status) != 0)
    snprintf(reason, MAX_REASON, "ended with code %d", WEXITSTATUS(status));
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void add_case(verifier *v, const char *dir) {
  char reason[MAX_REASON] = "";
  double start = cli_now();
  bool ok = check_apart(v, dir, reason);
  v->cases = cli_alloc(v->cases, (v->count + 1) * sizeof *v->cases);
  v->cases[v->count++] = (checked){strdup(dir), ok, strdup(ok ? "" : reason), cli_now() - start};
  v->failed += !ok;
  if (v->json || (ok && !v->o->verbose)) return;
  if (ok)
    printf("ok   %s (%.0f ms)\n", dir, (cli_now() - start) * 1e3);
  else {
    printf("FAIL %s: ", dir);
    cli_print_safe(stdout, reason, strlen(reason), false);
    putchar('\n');
  }
  fflush(stdout);
}

static bool is_directory(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void search(verifier *v, const char *dir, int depth) {
  char *model = join(dir, "model.pt");
  bool here = cli_file_exists(model);
  struct dirent **entries = NULL;
  free(model);
  if (here) {
    add_case(v, dir);
    return;
  }
  int n = depth < MAX_NESTING ? scandir(dir, &entries, NULL, alphasort) : 0;
  for (int i = 0; i < n; i++) {
    char *path = join(dir, entries[i]->d_name);
    if (entries[i]->d_name[0] != '.' && is_directory(path) && !stopped(v)) search(v, path, depth + 1);
    free(path);
    free(entries[i]);
  }
  free(entries);
}

static void print_json(const verifier *v) {
  printf("{\"passed\": %zu, \"failed\": %zu, \"cases\": [", v->count - v->failed, v->failed);
  for (size_t i = 0; i < v->count; i++) {
    printf("%s\n  {\"case\": ", i == 0 ? "" : ",");
    cli_json_string(stdout, v->cases[i].name);
    printf(", \"passed\": %s, \"ms\": %.1f, \"reason\": ", v->cases[i].passed ? "true" : "false",
           v->cases[i].seconds * 1e3);
    cli_json_string(stdout, v->cases[i].reason);
    putchar('}');
  }
  printf("\n]}\n");
}

int cli_verify(const cli_options *o) {
  verifier v = {.o = o, .json = o->json || (o->format != NULL && strcmp(o->format, "json") == 0)};
  if (o->against != NULL || o->bisect) return cli_against(o);
  if (o->inputs.count > 0 || o->method != NULL)
    return cli_fail(EXIT_USAGE, "--input and --method belong to --against O0 and --bisect; cases say theirs in case.txt");
  if (o->args.count == 0) return cli_fail(EXIT_USAGE, "no case folder given (tsrun verify CASE_DIR...)");
  if (o->format != NULL && !v.json && strcmp(o->format, "text") != 0)
    return cli_fail(EXIT_USAGE, "--format: \"%s\" is not one of text|json", o->format);
  int rc = cli_threads(o, &v.threads);
  for (size_t i = 0; i < o->args.count && rc == EXIT_OK && !stopped(&v); i++) {
    size_t before = v.count;
    char *dir = strdup(o->args.items[i]);
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/') dir[--n] = '\0';
    if (!is_directory(dir))
      rc = cli_file_exists(dir) ? cli_fail(EXIT_USAGE, "%s: no such folder: verify takes folders of cases (a model: tsrun verify --against O0 MODEL INPUT...)", dir)
                                : cli_fail(EXIT_IO, "%s: no such folder", dir);
    else
      search(&v, dir, 0);
    if (rc == EXIT_OK && v.count == before && !stopped(&v))
      rc = cli_fail(EXIT_USAGE, "%s: holds no case (a folder with model.pt)", dir);
    free(dir);
  }
  if (v.json)
    print_json(&v);
  else if (v.count > 0)
    printf("%zu passed, %zu failed\n", v.count - v.failed, v.failed);
  for (size_t i = 0; i < v.count; i++) {
    free(v.cases[i].name);
    free(v.cases[i].reason);
  }
  free(v.cases);
  return rc != EXIT_OK ? rc : v.failed > 0 ? EXIT_RAISED : EXIT_OK;
}
