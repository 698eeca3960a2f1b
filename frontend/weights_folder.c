/* Weights in several files: Hugging Face's folders and the index files of sharded checkpoints. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "frontend/formats.h"
#include "frontend/json.h"
#include "frontend/text.h"
#include "frontend/weights.h"

enum { MAX_SHARDS = 10000 };

/* ---- shards ---- */

typedef struct shards {
  tsr_weights *w;
  tsr_errrec *e;
  const char *index;  /* path of the index file */
  size_t folder_len;  /* of index: up to and including the last slash */
  char **names;
  tsr_weights **parts;
  size_t count;
} shards;

/* A file beside the index and nowhere else. */
static bool is_plain_name(const char *s, size_t len) {
  return len > 0 && len < 256 && memchr(s, '/', len) == NULL && memchr(s, 0, len) == NULL && s[0] != '.';
}

static tsr_status open_shard(shards *s, const char *name, size_t len, tsr_weights **out) {
  for (size_t i = s->count; i-- > 0;) /* neighbours mostly share a file */
    if (strlen(s->names[i]) == len && memcmp(s->names[i], name, len) == 0) {
      *out = s->parts[i];
      return TSR_OK;
    }
  if (!is_plain_name(name, len))
    return tsr_fail(s->e, TSR_EFORMAT, "%s: \"%s\" is not the name of a file beside it", s->index, tsr_show(name, len).text);
  if (s->count == MAX_SHARDS) return tsr_fail(s->e, TSR_ELIMIT, "%s: more than %d files", s->index, MAX_SHARDS);
  char **names = realloc(s->names, (s->count + 1) * sizeof *names);
  if (names != NULL) s->names = names;
  tsr_weights **parts = realloc(s->parts, (s->count + 1) * sizeof *parts);
  if (parts != NULL) s->parts = parts;
  char *path = NULL, *copy = strndup(name, len);
  tsr_archive *a = NULL;
  if (names == NULL || parts == NULL || copy == NULL || asprintf(&path, "%.*s%s", (int)s->folder_len, s->index, copy) < 0) {
    free(copy);
    return tsr_fail_nomem(s->e);
  }
  tsr_status st = tsr_weights_new(path, s->e, out);
  if (st == TSR_OK) {
    s->names[s->count] = copy;
    s->parts[s->count++] = *out;
    copy = NULL;
    st = tsr_archive_open_regular(path, s->e, &a);
  }
  if (st == TSR_OK && (tsr_archive_kind(a) == TSR_FILE_DIRECTORY || tsr_archive_kind(a) == TSR_FILE_UNKNOWN)) st = tsr_archive_fail_kind(a, s->e);
  if (st == TSR_OK) st = tsr_weights_read(*out, s->e, a, NULL);
  tsr_archive_release(a);
  free(copy);
  free(path);
  return st;
}

static tsr_status take_weight(shards *s, const char *name, size_t len, const char *file, size_t file_len) {
  tsr_weights *part = NULL;
  size_t at;
  TSR_TRY(open_shard(s, file, file_len, &part));
  if (!tsr_weights_find(part, name, len, &at))
    return tsr_fail(s->e, TSR_EFORMAT, "%s says that %s holds \"%s\", which it does not", s->index, tsr_show(file, file_len).text, tsr_show(name, len).text);
  const tsr_weight *x = &part->items[at];
  return tsr_weights_add(s->w, s->e, name, len, x->t, x->other, x->role);
}

/* The object under "weight_map": name -> file. */
static tsr_status read_map(shards *s, tsr_json *j) {
  TSR_TRY(tsr_json_next(j));
  if (j->kind != TSR_JSON_OPEN_DICT) return tsr_json_fail(j, "weight_map must be an object");
  for (;;) {
    TSR_TRY(tsr_json_next(j));
    if (j->kind == TSR_JSON_CLOSE_DICT) return TSR_OK;
    size_t n = j->str_len;
    char *name = strndup(j->str, n);
    if (name == NULL) return tsr_fail_nomem(s->e);
    tsr_status st = tsr_json_next(j);
    if (st == TSR_OK && j->kind != TSR_JSON_STR) st = tsr_json_fail(j, "weight_map must name files");
    if (st == TSR_OK) st = take_weight(s, name, n, j->str, j->str_len);
    free(name);
    TSR_TRY(st);
  }
}

static tsr_status read_index(shards *s, tsr_json *j) {
  bool map = false;
  TSR_TRY(tsr_json_next(j));
  if (j->kind != TSR_JSON_OPEN_DICT) return tsr_json_fail(j, "an index file is an object with a weight_map");
  for (;;) {
    TSR_TRY(tsr_json_next(j));
    if (j->kind == TSR_JSON_CLOSE_DICT) break;
    bool here = j->str_len == 10 && memcmp(j->str, "weight_map", 10) == 0;
    if (here && map) return tsr_json_fail(j, "a key twice");
    map = map || here;
    if (here) {
      TSR_TRY(read_map(s, j));
    } else {
      TSR_TRY(tsr_json_next(j));
      TSR_TRY(tsr_json_skip(j));
    }
  }
  TSR_TRY(tsr_json_next(j));
  return map ? TSR_OK : tsr_fail(s->e, TSR_EFORMAT, "%s has no weight_map: it is no index of weights", s->index);
}

tsr_status tsr_weights_from_index(tsr_weights *w, tsr_errrec *e, tsr_archive *a) {
  const char *path = tsr_archive_path(a) != NULL ? tsr_archive_path(a) : w->path, *slash = strrchr(path, '/');
  shards s = {.w = w, .e = e, .index = path, .folder_len = slash != NULL ? (size_t)(slash - path) + 1 : 0};
  size_t len;
  const char *text = tsr_archive_bytes(a, &len);
  tsr_json j;
  tsr_json_init(&j, e, text, len, path);
  tsr_status st = read_index(&s, &j);
  tsr_json_dispose(&j);
  for (size_t i = 0; i < s.count; i++) {
    free(s.names[i]);
    tsr_weights_free(s.parts[i]);
  }
  free(s.names);
  free(s.parts);
  return st;
}

/* ---- folders ---- */

static bool ends_with(const char *s, const char *end) {
  size_t n = strlen(s), m = strlen(end);
  return n >= m && strcmp(s + n - m, end) == 0;
}

static tsr_status read_file(tsr_weights *w, tsr_errrec *e, const char *folder, const char *name) {
  char *path;
  tsr_archive *a = NULL;
  if (asprintf(&path, "%s/%s", folder, name) < 0) return tsr_fail_nomem(e);
  tsr_status st = tsr_archive_open_regular(path, e, &a);
  if (st == TSR_OK && tsr_archive_kind(a) == TSR_FILE_DIRECTORY) st = tsr_archive_fail_kind(a, e);
  if (st == TSR_OK) st = tsr_weights_read(w, e, a, NULL);
  tsr_archive_release(a);
  free(path);
  return st;
}

static bool exists(const char *folder, const char *name) {
  char *path;
  if (asprintf(&path, "%s/%s", folder, name) < 0) return false;
  bool there = access(path, F_OK) == 0;
  free(path);
  return there;
}

/* The only file with such an ending; NULL when there is none, *more when there are several. */
static char *only_file(const char *folder, const char *end, bool *more) {
  DIR *d = opendir(folder);
  char *found = NULL;
  *more = false;
  for (struct dirent *de; d != NULL && (de = readdir(d)) != NULL;) {
    if (de->d_name[0] == '.' || !ends_with(de->d_name, end)) continue;
    *more = found != NULL;
    if (found == NULL) found = strdup(de->d_name);
  }
  if (d != NULL) closedir(d);
  return found;
}

/* In the order in which from_pretrained looks. */
tsr_status tsr_weights_from_folder(tsr_weights *w, tsr_errrec *e, const char *path) {
  static const char *const known[] = {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
                                      "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json", "diffusion_pytorch_model.bin",
                                      "adapter_model.safetensors", "adapter_model.bin"};
  static const char *const any[] = {".index.json", ".safetensors", ".bin", ".pt", ".pth", ".ckpt"};
  for (size_t i = 0; i < TSR_COUNT(known); i++)
    if (exists(path, known[i])) return read_file(w, e, path, known[i]);
  for (size_t i = 0; i < TSR_COUNT(any); i++) {
    bool more;
    char *name = only_file(path, any[i], &more);
    if (name == NULL) continue;
    tsr_status st = more ? tsr_fail(e, TSR_EUSAGE, "%s holds several *%s files and no index: name one of them", path, any[i]) : read_file(w, e, path, name);
    free(name);
    return st;
  }
  return tsr_fail(e, TSR_EFORMAT, "%s is a directory without weights: no model.safetensors, no pytorch_model.bin, no *.index.json", path);
}
