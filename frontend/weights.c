/* The set of named tensors: building it, finding names, renaming. */
#include "frontend/weights.h"

#include <stdio.h>
#include <stdlib.h>

#include "frontend/formats.h"
#include "frontend/pickle.h"
#include "frontend/pickle_vm.h"
#include "frontend/regex.h"
#include "frontend/text.h"

#define MAX_WEIGHTS ((size_t)1 << 22)
enum { MAX_NAME = 1 << 20 };

/* ---- life ---- */

tsr_status tsr_weights_new(const char *path, tsr_errrec *e, tsr_weights **out) {
  tsr_weights *w = calloc(1, sizeof *w);
  *out = w;
  if (w == NULL) return tsr_fail_nomem(e);
  w->mem = tsr_mem_new(0);
  if (w->mem != NULL) tsr_mem_warm(w->mem, 0);
  w->types = tsr_types_new();
  w->path = strdup(path);
  w->key = strdup("");
  if (w->mem != NULL && w->types != NULL && w->path != NULL && w->key != NULL) return TSR_OK;
  tsr_weights_free(w);
  *out = NULL;
  return tsr_fail_nomem(e);
}

static void drop_item(tsr_weight *x) {
  free(x->name);
  free(x->other);
  if (x->t != NULL) tsr_obj_release(x->t);
}

static void drop_items(tsr_weights *w) {
  for (size_t i = 0; i < w->count; i++) drop_item(&w->items[i]);
  w->count = 0;
  if (w->index != NULL) tsr_obj_release(w->index);
  w->index = NULL;
}

void tsr_weights_free(tsr_weights *w) {
  if (w == NULL) return;
  drop_items(w);
  free(w->items);
  free(w->path);
  free(w->key);
  if (w->types != NULL) tsr_types_release(w->types);
  if (w->mem != NULL) tsr_mem_close(w->mem);
  free(w);
}

/* ---- building ---- */

static void name_device(tsr_weight *x) {
  tsr_device d = x->t->storage->saved_on;
  const char *type = tsr_device_type_name(d.type);
  if (d.index >= 0 && d.type > 0)
    snprintf(x->device, sizeof x->device, "%.12s:%d", type, d.index);
  else
    snprintf(x->device, sizeof x->device, "%.12s", type);
}

tsr_status tsr_weights_add(tsr_weights *w, tsr_errrec *e, const char *name, size_t len, tsr_tensor *t,
                           const char *other, tsr_role role) {
  if (w->count == MAX_WEIGHTS) return tsr_fail(e, TSR_ELIMIT, "more than %zu weights", MAX_WEIGHTS);
  if (memchr(name, 0, len) != NULL)
    return tsr_fail(e, TSR_EFORMAT, "the name \"%s\" holds a NUL byte", tsr_show(name, len).text);
  if (w->count == w->cap) {
    size_t cap = w->cap == 0 ? 64 : w->cap * 2;
    tsr_weight *grown = realloc(w->items, cap * sizeof *grown);
    if (grown == NULL) return tsr_fail_nomem(e);
    w->items = grown;
    w->cap = cap;
  }
  tsr_weight *x = &w->items[w->count];
  *x = (tsr_weight){.name = strndup(name, len), .t = t, .other = other != NULL ? strdup(other) : NULL, .role = role, .first = w->count};
  if (x->name == NULL || (other != NULL && x->other == NULL)) {
    free(x->name);
    free(x->other);
    return tsr_fail_nomem(e);
  }
  w->count++;
  if (t == NULL) return TSR_OK;
  tsr_obj_retain(t);
  name_device(x);
  return TSR_OK;
}

bool tsr_weight_has_data(const tsr_weight *x) { return x->t != NULL && !x->t->storage->absent; }

/* Bytes of a storage that a weight covers, from its first element to its last. */
typedef struct extent {
  const tsr_storage *s;
  int64_t begin, end; /* elements lie where they lie: strides may leave gaps */
  size_t index;
} extent;

static extent extent_of(const tsr_tensor *t, size_t index) {
  int64_t item = (int64_t)tsr_tensor_itemsize(t), first = t->offset, last = t->offset;
  for (int d = 0; d < t->ndim; d++) { /* it fits the storage: checked when it was read */
    int64_t span = (t->size[d] - 1) * t->stride[d];
    *(span < 0 ? &first : &last) += span;
  }
  return (extent){t->storage, first * item, (last + 1) * item, index};
}

static int by_place(const void *a, const void *b) {
  const extent *x = a, *y = b;
  if (x->s != y->s) return x->s < y->s ? -1 : 1;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

/* Who shares bytes with whom.  Parts of one storage that lie apart (the weights of a recurrent layer) share nothing. */
static tsr_status find_shared(tsr_weights *w, tsr_errrec *e) {
  extent *all = malloc((w->count + 1) * sizeof *all);
  size_t n = 0;
  if (all == NULL) return tsr_fail_nomem(e);
  for (size_t i = 0; i < w->count; i++) {
    const tsr_tensor *t = w->items[i].t;
    w->items[i].first = i;
    if (t != NULL && t->layout == 0 && t->numel > 0 && tsr_weight_has_data(&w->items[i])) all[n++] = extent_of(t, i);
  }
  if (n > 1) qsort(all, n, sizeof *all, by_place);
  for (size_t i = 0, k; i < n; i = k) { /* a run of extents that touch each other */
    int64_t end = all[i].end;
    size_t first = all[i].index;
    for (k = i + 1; k < n && all[k].s == all[i].s && all[k].begin < end; k++) {
      end = TSR_MAX(end, all[k].end);
      first = TSR_MIN(first, all[k].index);
    }
    for (size_t j = i; j < k; j++) w->items[all[j].index].first = first;
  }
  free(all);
  return TSR_OK;
}

tsr_status tsr_weights_index(tsr_weights *w, tsr_errrec *e) {
  tsr_status st = TSR_OK;
  if (w->index != NULL) tsr_obj_release(w->index);
  w->index = tsr_dict_new(w->mem, &tsr_type_str, &tsr_type_int);
  if (w->index == NULL) return tsr_fail_nomem(e);
  for (size_t i = 0; i < w->count && st == TSR_OK; i++) {
    tsr_weight *x = &w->items[i];
    tsr_str *name = tsr_str_new(w->mem, x->name, strlen(x->name));
    if (name == NULL) st = tsr_fail_nomem(e);
    else if (tsr_dict_get(w->index, tsr_from_obj(name)) != NULL)
      st = tsr_fail(e, TSR_EUSAGE, "two weights are named \"%s\"", tsr_show(x->name, strlen(x->name)).text);
    else if (!tsr_dict_set(w->index, tsr_from_obj(name), tsr_int((int64_t)i)))
      st = tsr_fail_nomem(e);
    if (name != NULL) tsr_obj_release(name);
  }
  return st == TSR_OK ? find_shared(w, e) : st;
}

bool tsr_weights_find(const tsr_weights *w, const char *name, size_t len, size_t *index) {
  tsr_str *s = tsr_str_new(w->mem, name, len);
  tsr_val *at = s != NULL ? tsr_dict_get(w->index, tsr_from_obj(s)) : NULL;
  if (s != NULL) tsr_obj_release(s);
  if (at == NULL) return false;
  *index = (size_t)at->i;
  return true;
}

/* ---- selecting ---- */

tsr_status tsr_weights_select(tsr_weights *w, tsr_errrec *e, const char *key, bool *found) {
  size_t n = strlen(key), kept = 0;
  bool exact = false;
  *found = false;
  for (size_t i = 0; i < w->count; i++) exact = exact || strcmp(w->items[i].name, key) == 0;
  for (size_t i = 0; i < w->count && !exact; i++)
    *found = *found || (strncmp(w->items[i].name, key, n) == 0 && w->items[i].name[n] == '.');
  if (!exact && !*found) return TSR_OK;
  *found = true;
  for (size_t i = 0; i < w->count; i++) {
    tsr_weight x = w->items[i];
    bool keep = exact ? strcmp(x.name, key) == 0 : strncmp(x.name, key, n) == 0 && x.name[n] == '.';
    if (!keep) {
      drop_item(&x);
      continue;
    }
    if (!exact) memmove(x.name, x.name + n + 1, strlen(x.name + n + 1) + 1);
    w->items[kept++] = x;
  }
  w->count = kept;
  char *copy = strdup(key);
  if (copy == NULL) return tsr_fail_nomem(e);
  free(w->key);
  w->key = copy;
  return tsr_weights_index(w, e);
}

tsr_status tsr_weights_fail_key(const tsr_weights *w, tsr_errrec *e, const char *key) {
  tsr_buf b = {0};
  size_t shown = 0;
  const char *last = strrchr(key, '.');
  last = last != NULL ? last + 1 : key;
  for (size_t i = 0; i < w->count && shown < 4; i++) /* names that end alike first */
    if (strlen(last) > 2 && strstr(w->items[i].name, last) != NULL)
      tsr_buf_printf(&b, "%s%s", shown++ == 0 ? "" : ", ", tsr_show(w->items[i].name, strlen(w->items[i].name)).text);
  for (size_t i = 0; i < w->count && i < 4 && shown == 0; i++)
    tsr_buf_printf(&b, "%s%s", i == 0 ? "" : ", ", tsr_show(w->items[i].name, strlen(w->items[i].name)).text);
  tsr_status st = tsr_fail(e, TSR_EUSAGE, "%s has no \"%s\": it holds %zu name%s, among them %s", w->path,
                           tsr_show(key, strlen(key)).text, w->count, w->count == 1 ? "" : "s", b.data != NULL ? b.data : "none");
  tsr_buf_dispose(&b);
  return st;
}

/* ---- renaming ---- */

static tsr_status replace_name(tsr_errrec *e, tsr_weight *x, tsr_buf *b) {
  char *made = tsr_buf_take(b);
  if (made == NULL) return tsr_fail_nomem(e);
  free(x->name);
  x->name = made;
  return TSR_OK;
}

static tsr_status strip(tsr_weights *w, tsr_errrec *e, const char *prefix) {
  size_t n = strlen(prefix), hits = 0;
  for (size_t i = 0; i < w->count; i++) {
    char *name = w->items[i].name;
    if (strncmp(name, prefix, n) != 0) continue;
    memmove(name, name + n, strlen(name + n) + 1);
    hits++;
  }
  return hits > 0 || w->count == 0
             ? TSR_OK
             : tsr_fail(e, TSR_EUSAGE, "no name in %s begins with \"%s\"", w->path, tsr_show(prefix, n).text);
}

static tsr_status prepend(tsr_weights *w, tsr_errrec *e, const char *prefix) {
  for (size_t i = 0; i < w->count; i++) {
    tsr_buf b = {0};
    tsr_buf_puts(&b, prefix);
    tsr_buf_puts(&b, w->items[i].name);
    TSR_TRY(replace_name(e, &w->items[i], &b));
  }
  return TSR_OK;
}

/* Replacement text: \1 to \9 and & as in sed, \\ and \& for themselves. */
static void put_replacement(tsr_buf *b, const char *with, const char *subject, const size_t *slots) {
  for (const char *p = with; *p != '\0'; p++) {
    size_t group = *p == '&' ? 0 : *p == '\\' && p[1] >= '0' && p[1] <= '9' ? (size_t)(p[1] - '0') : SIZE_MAX;
    if (*p == '\\' && p[1] != '\0') p++;
    if (group == SIZE_MAX) tsr_buf_putc(b, *p);
    else if (slots[2 * group] != SIZE_MAX && slots[2 * group + 1] != SIZE_MAX)
      tsr_buf_put(b, subject + slots[2 * group], slots[2 * group + 1] - slots[2 * group]);
  }
}

/* Every match is replaced, as re.sub does. */
static tsr_status substitute(tsr_regex *re, tsr_errrec *e, const char *with, const char *name, tsr_buf *b) {
  size_t slots[TSR_REGEX_SLOTS], len = strlen(name), at = 0;
  bool empty = false; /* the last match was: the next is not empty at the same place */
  int found;
  while ((found = tsr_regex_search(re, name, len, at, empty, slots)) > 0) {
    tsr_buf_put(b, name + at, slots[0] - at);
    put_replacement(b, with, name, slots);
    if (b->len > MAX_NAME) return tsr_fail(e, TSR_ELIMIT, "a renaming makes a name longer than %d bytes", MAX_NAME);
    at = slots[1];
    empty = slots[1] == slots[0];
  }
  if (found < 0) return tsr_fail(e, TSR_ELIMIT, "a renaming takes too long: its expression is too large for names of %zu bytes", len);
  tsr_buf_put(b, name + at, len - at);
  return b->oom ? tsr_fail_nomem(e) : TSR_OK;
}

/* "REGEX=REPLACEMENT"; a = of the expression itself is written \= */
static tsr_regex *parse_rule(tsr_errrec *e, const char *rule, const char **with) {
  tsr_buf pattern = {0};
  const char *p = rule, *why = "it is REGEX=REPLACEMENT";
  tsr_regex *re = NULL;
  for (; *p != '\0' && *p != '='; p++) {
    if (*p == '\\' && p[1] == '=') p++;
    else if (*p == '\\' && p[1] != '\0') tsr_buf_putc(&pattern, *p++);
    tsr_buf_putc(&pattern, *p);
  }
  *with = p + 1;
  if (*p == '=' && pattern.len > 0 && !pattern.oom) re = tsr_regex_new(pattern.data, pattern.len, &why);
  if (re == NULL && why != NULL && !pattern.oom) tsr_fail(e, TSR_EUSAGE, "\"%s\" is no renaming: %s", tsr_show(rule, strlen(rule)).text, why);
  else if (re == NULL) tsr_fail_nomem(e);
  tsr_buf_dispose(&pattern);
  return re;
}

static tsr_status rename_by(tsr_weights *w, tsr_errrec *e, const char *rule) {
  const char *with;
  tsr_regex *re = parse_rule(e, rule, &with);
  tsr_status st = re != NULL ? TSR_OK : e->status;
  for (size_t i = 0; i < w->count && st == TSR_OK; i++) {
    tsr_buf b = {0};
    st = substitute(re, e, with, w->items[i].name, &b);
    if (st == TSR_OK) st = replace_name(e, &w->items[i], &b);
    else tsr_buf_dispose(&b);
  }
  tsr_regex_free(re);
  return st;
}

tsr_status tsr_weights_rename(tsr_weights *w, tsr_errrec *e, const tsr_weights_options *opt) {
  if (opt->strip_prefix != NULL) TSR_TRY(strip(w, e, opt->strip_prefix));
  for (size_t i = 0; i < opt->rename_count; i++) TSR_TRY(rename_by(w, e, opt->renames[i]));
  if (opt->add_prefix != NULL) TSR_TRY(prepend(w, e, opt->add_prefix));
  return tsr_weights_index(w, e);
}

/* ---- files ---- */

static tsr_status from_dict(tsr_weights *w, tsr_errrec *e, const tsr_dict *d) {
  for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1)) {
    const tsr_entry *en = &d->entries[i];
    TSR_TRY(tsr_weights_add(w, e, en->key.s->bytes, en->key.s->len, en->value.t, NULL, TSR_ROLE_UNKNOWN));
  }
  return TSR_OK;
}

static tsr_status read_values(tsr_weights *w, tsr_errrec *e, tsr_archive *a, const char *key) {
  tsr_file_env env = {w->mem, w->types, e, true};
  tsr_val v = tsr_none();
  tsr_file_kind kind = tsr_archive_kind(a);
  tsr_status st;
  if (kind == TSR_FILE_SAFETENSORS || kind == TSR_FILE_NPZ) {
    st = kind == TSR_FILE_NPZ ? tsr_npz_load(&env, a, &v) : tsr_safetensors_load(&env, a, &v);
    if (st == TSR_OK) st = from_dict(w, e, v.m);
  } else if (kind == TSR_FILE_NPY) {
    st = tsr_npy_load(&env, a, &v);
    if (st == TSR_OK) st = tsr_weights_add(w, e, "arr_0", 5, v.t, NULL, TSR_ROLE_UNKNOWN);
  } else {
    st = tsr_torch_load_raw(a, w->mem, w->types, e, &v);
    if (st == TSR_OK) st = tsr_weights_from_value(w, e, v, key);
  }
  tsr_release(v);
  return st;
}

static bool looks_like_json(tsr_archive *a) {
  size_t len, i = 0;
  const char *p = tsr_archive_bytes(a, &len);
  while (i < len && i < 64 && strchr(" \t\r\n", p[i]) != NULL && p[i] != '\0') i++;
  return i < len && p[i] == '{';
}

tsr_status tsr_weights_read(tsr_weights *w, tsr_errrec *e, tsr_archive *a, const char *key) {
  bool found = true;
  switch (tsr_archive_kind(a)) {
  case TSR_FILE_TORCH_ZIP:
  case TSR_FILE_TORCH_STREAM:
  case TSR_FILE_TORCH_TAR:
  case TSR_FILE_PICKLE:
  case TSR_FILE_NPZ:
  case TSR_FILE_NPY:
  case TSR_FILE_SAFETENSORS:
    TSR_TRY(read_values(w, e, a, key));
    break;
  case TSR_FILE_DIRECTORY:
    TSR_TRY(tsr_weights_from_folder(w, e, w->path));
    break;
  default:
    if (tsr_archive_kind(a) == TSR_FILE_ZIP && tsr_archive_entry_count(a) == 0) break; /* savez of nothing */
    if (!looks_like_json(a)) return tsr_archive_fail_kind(a, e);
    TSR_TRY(tsr_weights_from_index(w, e, a));
    break;
  }
  TSR_TRY(tsr_weights_index(w, e));
  if (key == NULL || strcmp(w->key, key) == 0) return TSR_OK;
  size_t n = strlen(w->key);
  bool below = n > 0 && strncmp(key, w->key, n) == 0 && strchr(".:/", key[n]) != NULL;
  TSR_TRY(tsr_weights_select(w, e, below ? key + n + 1 : key, &found));
  return found ? TSR_OK : tsr_weights_fail_key(w, e, key);
}
