/* INPUT words: files, JSON literals and NAME=…, bound to the parameters of a method. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

bool cli_file_exists(const char *path) { return access(path, F_OK) == 0; }

/* ---- a growing argument list */

static void add(cli_call *c, const char *name, tsr_value *own) {
  if (c->count == c->cap) {
    c->cap = c->cap * 2 + 8;
    c->values = cli_alloc(c->values, c->cap * sizeof(tsr_value *));
    c->names = cli_alloc(c->names, c->cap * sizeof(char *));
  }
  c->values[c->count] = own;
  c->names[c->count++] = name == NULL ? NULL : strcpy(cli_alloc(NULL, strlen(name) + 1), name);
}

void cli_call_dispose(cli_call *c) {
  for (size_t i = 0; i < c->count; i++) {
    tsr_value_free(c->values[i]);
    free((char *)c->names[i]);
  }
  free(c->values);
  free(c->names);
  *c = (cli_call){0};
}

/* ---- parameters */

typedef struct target {
  tsr_model *model;
  const char *method;
  size_t params;
} target;

static const char *param_name(const target *t, size_t i) { return tsr_model_method_arg_name(t->model, t->method, i); }

static bool find_param(const target *t, const char *name, size_t len, size_t *index) {
  for (size_t i = 0; i < t->params; i++) {
    const char *p = param_name(t, i);
    if (p == NULL || strlen(p) != len || memcmp(p, name, len) != 0) continue;
    *index = i;
    return true;
  }
  return false;
}

static const char *param_type(const target *t, size_t i) {
  const char *type = i < t->params ? tsr_model_method_arg_type(t->model, t->method, i) : NULL;
  return type == NULL ? "" : type;
}

static bool starts_with(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

/* ---- JSON has one kind of number and of sequence: fit them to the declared type */

/* The text between the brackets of "List[…]" as a new string, or NULL. */
static char *inner_type(const char *type, const char *outer) {
  size_t n = strlen(outer), len = strlen(type);
  if (!starts_with(type, outer) || type[n] != '[' || type[len - 1] != ']') return NULL;
  char *inner = cli_alloc(NULL, len);
  memcpy(inner, type + n + 1, len - n - 2);
  inner[len - n - 2] = '\0';
  return inner;
}

static tsr_value *fit(const char *type, tsr_value *own);

/* Cut the first member off "int, Tuple[int, str], str" (in place). */
static char *next_member(char **rest) {
  char *start = *rest;
  int depth = 0;
  while (*start == ' ') start++;
  for (char *p = start;; p++) {
    depth += (*p == '[') - (*p == ']');
    if (*p != '\0' && (*p != ',' || depth > 0)) continue;
    *rest = *p == '\0' ? p : p + 1;
    *p = '\0';
    return start;
  }
}

static tsr_value *fit_items(char *members, bool tuple, tsr_value *own) {
  size_t n = tsr_value_count(own);
  tsr_value **items = cli_alloc(NULL, n * sizeof *items);
  for (size_t i = 0; i < n; i++) items[i] = fit(tuple ? next_member(&members) : members, tsr_value_item(own, i));
  tsr_value *result = tuple ? tsr_value_tuple(items, n) : tsr_value_list(items, n);
  for (size_t i = 0; i < n; i++) tsr_value_free(items[i]);
  free(items);
  if (result == NULL) return own;
  tsr_value_free(own);
  return result;
}

/* JSON writes every key as text. */
static tsr_value *fit_key(const char *type, tsr_value *own) {
  char *end = NULL;
  const char *text = tsr_value_kind(own) == TSR_KIND_STR ? tsr_value_get_str(own, NULL) : "";
  tsr_value *fitted = strcmp(type, "int") == 0     ? tsr_value_int(strtoll(text, &end, 10))
                      : strcmp(type, "float") == 0 ? tsr_value_float(strtod(text, &end))
                                                   : NULL;
  bool good = fitted != NULL && end != text && *end == '\0';
  tsr_value_free(good ? own : fitted);
  return good ? fitted : own;
}

static tsr_value *fit_values(const char *key_type, const char *type, tsr_value *own) {
  size_t n = tsr_value_count(own);
  tsr_value **keys = cli_alloc(NULL, n * sizeof *keys), **values = cli_alloc(NULL, n * sizeof *values);
  for (size_t i = 0; i < n; i++) {
    keys[i] = fit_key(key_type, tsr_value_key(own, i));
    values[i] = fit(type, tsr_value_item(own, i));
  }
  tsr_value *result = tsr_value_dict(keys, values, n);
  for (size_t i = 0; i < n; i++) {
    tsr_value_free(keys[i]);
    tsr_value_free(values[i]);
  }
  free(keys);
  free(values);
  if (result == NULL) return own;
  tsr_value_free(own);
  return result;
}

/* own comes back, or what replaces it.  What does not fit is left to the run, which says why. */
static tsr_value *fit(const char *type, tsr_value *own) {
  tsr_kind kind = tsr_value_kind(own);
  char *inner = inner_type(type, "Optional");
  if (inner != NULL) {
    own = kind == TSR_KIND_NONE ? own : fit(inner, own);
  } else if (strcmp(type, "float") == 0 && kind == TSR_KIND_INT) {
    tsr_value *f = tsr_value_float((double)tsr_value_get_int(own));
    if (f != NULL) tsr_value_free(own), own = f;
  } else if (kind == TSR_KIND_LIST && (inner = inner_type(type, "List")) != NULL) {
    own = fit_items(inner, false, own);
  } else if (kind == TSR_KIND_LIST && (inner = inner_type(type, "Tuple")) != NULL) {
    own = fit_items(inner, true, own);
  } else if (kind == TSR_KIND_DICT && (inner = inner_type(type, "Dict")) != NULL) {
    char *rest = inner;
    const char *key_type = next_member(&rest);
    own = fit_values(key_type, next_member(&rest), own);
  }
  free(inner);
  return own;
}

/* ---- one INPUT */

/* "x=…" when x is an identifier; the length of x, or 0. */
static size_t name_prefix(const char *word) {
  size_t n = 0;
  if (!isalpha((unsigned char)word[0]) && word[0] != '_') return 0;
  while (isalnum((unsigned char)word[n]) || word[n] == '_') n++;
  return word[n] == '=' ? n : 0;
}

/* Names of an .npz or .safetensors (or a dict in a .pt) that are all parameters. */
static bool names_params(const target *t, const tsr_value *dict) {
  size_t n = tsr_value_count(dict), at;
  bool all = n > 0;
  for (size_t i = 0; i < n && all; i++) {
    tsr_value *key = tsr_value_key(dict, i);
    size_t len = 0;
    const char *name = key != NULL && tsr_value_kind(key) == TSR_KIND_STR ? tsr_value_get_str(key, &len) : NULL;
    all = name != NULL && find_param(t, name, len, &at);
    tsr_value_free(key);
  }
  return all;
}

/* numpy.savez names what was given without a name arr_0, arr_1, … */
static bool is_numbered(const tsr_value *dict) {
  size_t n = tsr_value_count(dict);
  bool all = n > 0;
  for (size_t i = 0; i < n && all; i++) {
    char want[32];
    tsr_value *key = tsr_value_key(dict, i);
    snprintf(want, sizeof want, "arr_%zu", i);
    all = key != NULL && tsr_value_kind(key) == TSR_KIND_STR && strcmp(tsr_value_get_str(key, NULL), want) == 0;
    tsr_value_free(key);
  }
  return all;
}

static void spread(cli_call *c, const tsr_value *v, bool named) {
  for (size_t i = 0; i < tsr_value_count(v); i++) {
    tsr_value *key = named ? tsr_value_key(v, i) : NULL;
    add(c, key == NULL ? NULL : tsr_value_get_str(key, NULL), tsr_value_item(v, i));
    tsr_value_free(key);
  }
}

/* A list in a file is one argument an element, unless the parameter itself is a list of such elements. */
static bool is_whole_list(const target *t, size_t at, const tsr_value *v) {
  if (tsr_value_kind(v) != TSR_KIND_LIST || !starts_with(param_type(t, at), "List[")) return false;
  tsr_value *first = tsr_value_item(v, 0);
  bool whole = first == NULL || tsr_value_kind(first) != TSR_KIND_LIST;
  tsr_value_free(first);
  return whole;
}

/* Arrays by name, none of them a parameter, where no dictionary is wanted. */
static int fail_names(const target *t, const char *word, const tsr_value *dict) {
  char names[160] = "";
  size_t n = tsr_value_count(dict), used = 0;
  for (size_t i = 0; i < n && used < sizeof names - 1; i++) {
    tsr_value *key = tsr_value_key(dict, i);
    const char *name = key != NULL && tsr_value_kind(key) == TSR_KIND_STR ? tsr_value_get_str(key, NULL) : "?";
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ", name);
    tsr_value_free(key);
  }
  return cli_fail(EXIT_USAGE, "%s holds %s%s, which are not the parameters of %s: %s", word, n == 0 ? "nothing" : names, used >= sizeof names ? "..." : "", t->method,
                  tsr_model_method_signature(t->model, t->method));
}

static int add_loaded(cli_call *c, const target *t, const char *word, tsr_value *own) {
  tsr_kind kind = tsr_value_kind(own);
  const char *type = param_type(t, c->count);
  bool named = kind == TSR_KIND_DICT && !starts_with(type, "Dict[") && names_params(t, own);
  int rc = EXIT_OK;
  if (named || (kind == TSR_KIND_DICT && is_numbered(own)))
    spread(c, own, named);
  else if ((kind == TSR_KIND_TUPLE || kind == TSR_KIND_LIST) && !is_whole_list(t, c->count, own))
    spread(c, own, false);
  else if (kind == TSR_KIND_DICT && starts_with(type, "Tensor"))
    rc = fail_names(t, word, own);
  else {
    add(c, NULL, own);
    return EXIT_OK;
  }
  tsr_value_free(own);
  return rc;
}

static int read_word(const char *word, tsr_value **out, bool *is_file) {
  tsr_error *err = NULL;
  *is_file = strcmp(word, "-") == 0 || cli_file_exists(word);
  if (!*is_file && tsr_value_parse_json(word, strlen(word), out, NULL) == TSR_OK) return EXIT_OK;
  const char *dot = strrchr(word, '.');
  if (!*is_file && (dot == NULL || strchr(dot, ' ') != NULL) && strchr(word, '/') == NULL)
    return cli_fail(EXIT_USAGE,
                    "input \"%s\" is neither a file nor a JSON literal (a text needs its quotes: '\"text\"')", word);
  *is_file = true;
  cli_progress(word);
  tsr_status status = tsr_value_load(word, NULL, out, &err);
  cli_progress(NULL);
  if (status == TSR_OK) return EXIT_OK;
  const char *message = err == NULL ? "" : tsr_error_message(err);
  return cli_report(status, err, strcmp(word, "-") == 0 ? "standard input" : strstr(message, word) == NULL ? word : NULL);
}

static int add_word(cli_call *c, const target *t, const char *word) {
  size_t n = name_prefix(word), at = c->count;
  char name[256] = "";
  tsr_value *v;
  bool is_file;
  if (n > 0 && n < sizeof name) {
    memcpy(name, word, n);
    if (!find_param(t, name, n, &at))
      return cli_fail(EXIT_USAGE, "%s has no parameter \"%s\": %s", t->method, name,
                      tsr_model_method_signature(t->model, t->method));
    word += n + 1;
  }
  int rc = read_word(word, &v, &is_file);
  if (rc != EXIT_OK) return rc;
  if (is_file && name[0] == '\0') return add_loaded(c, t, word, v);
  add(c, name[0] == '\0' ? NULL : name, fit(param_type(t, at), v));
  return EXIT_OK;
}

/* ---- all of them */

static int check_bound(const cli_call *c, const target *t) {
  bool *filled = cli_alloc(NULL, t->params + 1);
  size_t position = 0, at;
  int rc = EXIT_OK;
  memset(filled, 0, t->params + 1);
  for (size_t i = 0; i < c->count && rc == EXIT_OK; i++) {
    at = c->names[i] == NULL ? position++ : t->params;
    if (c->names[i] != NULL) find_param(t, c->names[i], strlen(c->names[i]), &at);
    if (at >= t->params) continue;
    if (filled[at]) rc = cli_fail(EXIT_USAGE, "parameter \"%s\" of %s is given twice", param_name(t, at), t->method);
    filled[at] = true;
  }
  free(filled);
  return rc;
}

static int unknown_method(const target *t) {
  size_t n = tsr_model_method_count(t->model), used = 0;
  char names[800] = "";
  for (size_t i = 0; i < n && used + 1 < sizeof names; i++)
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ",
                             tsr_model_method_name(t->model, i));
  return cli_fail(EXIT_USAGE, "the model has no method \"%s\"; it has: %s", t->method, n == 0 ? "none" : names);
}

int cli_call_make(cli_call *c, tsr_model *m, const char *method, const char *const *inputs, size_t count) {
  target t = {m, method == NULL ? "forward" : method, 0};
  *c = (cli_call){0};
  if (tsr_model_method_signature(m, t.method) == NULL) return unknown_method(&t);
  t.params = tsr_model_method_arg_count(m, t.method);
  int rc = EXIT_OK;
  for (size_t i = 0; i < count && rc == EXIT_OK; i++) rc = add_word(c, &t, inputs[i]);
  if (rc == EXIT_OK) rc = check_bound(c, &t);
  if (rc != EXIT_OK) cli_call_dispose(c);
  return rc;
}
