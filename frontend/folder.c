/* See folder.h. */
#include "frontend/folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "frontend/archive.h"
#include "frontend/files.h"
#include "frontend/json.h"
#include "frontend/text.h"

enum { MAX_FILES = 1000, MAX_CONFIG = 1 << 20, MAX_KEYS = 200 };

typedef struct file {
  char *name;
  uint64_t size;
  tsr_file_kind kind;
} file;

static int by_name(const void *a, const void *b) { return strcmp(((const file *)a)->name, ((const file *)b)->name); }

static char *join(const char *path, const char *name) {
  size_t n = strlen(path), m = strlen(name);
  char *out = malloc(n + m + 2);
  if (out == NULL) return NULL;
  memcpy(out, path, n);
  if (n > 0 && out[n - 1] != '/') out[n++] = '/';
  memcpy(out + n, name, m + 1);
  return out;
}

static bool look_at(const char *path, file *f) {
  char *full = join(path, f->name);
  struct stat s;
  tsr_archive *a = NULL;
  tsr_errrec e = {0};
  bool ok = full != NULL && stat(full, &s) == 0 && S_ISREG(s.st_mode);
  f->size = ok ? (uint64_t)s.st_size : 0;
  f->kind = TSR_FILE_UNKNOWN;
  if (ok && tsr_archive_open(full, false, &e, &a) == TSR_OK) f->kind = tsr_archive_kind(a);
  tsr_archive_release(a);
  tsr_errrec_dispose(&e);
  free(full);
  return ok;
}

static tsr_status list(const char *path, tsr_errrec *e, file **out, size_t *count) {
  DIR *dir = opendir(path);
  file *files = calloc(MAX_FILES, sizeof *files);
  const struct dirent *d;
  *out = files;
  *count = 0;
  if (dir == NULL || files == NULL) {
    if (dir != NULL) closedir(dir);
    return dir == NULL ? tsr_fail(e, TSR_EIO, "cannot read the directory %s", tsr_show(path, strlen(path)).text) : tsr_fail_nomem(e);
  }
  while (*count < MAX_FILES && (d = readdir(dir)) != NULL) {
    if (d->d_name[0] == '.') continue;
    file *f = &files[*count];
    f->name = strdup(d->d_name);
    if (f->name == NULL) break;
    if (look_at(path, f)) ++*count;
    else free(f->name);
  }
  closedir(dir);
  qsort(files, *count, sizeof *files, by_name);
  return TSR_OK;
}

/* What people ask of a config: numbers, words, lists of words; nested ones are left to --json. */
static void text_config(tsr_val v, tsr_buf *out) {
  tsr_buf_puts(out, "config.json\n");
  for (size_t i = tsr_dict_next(v.m, 0), n = 0; i < v.m->used && n < MAX_KEYS; i = tsr_dict_next(v.m, i + 1), n++) {
    const tsr_entry *en = &v.m->entries[i];
    tsr_buf text = {0};
    if (en->value.tag == TSR_V_STR) tsr_buf_put(&text, en->value.s->bytes, en->value.s->len);
    else if (en->value.tag == TSR_V_FLOAT) tsr_buf_put_double(&text, en->value.d, false);
    else tsr_val_print(en->value, &text);
    tsr_buf_printf(out, "  %-26s  %s\n", tsr_show(en->key.s->bytes, en->key.s->len).text, tsr_show(text.data == NULL ? "" : text.data, text.len).text);
    tsr_buf_dispose(&text);
  }
}

static tsr_status print_config(const char *path, bool json, tsr_errrec *e, tsr_buf *out) {
  char *full = join(path, "config.json");
  tsr_archive *a = NULL;
  tsr_mem *mem = tsr_mem_new((uint64_t)64 << 20);
  tsr_types *types = tsr_types_new();
  tsr_file_env env = {mem, types, e};
  tsr_val v = tsr_none();
  size_t len = 0;
  tsr_status st = full == NULL || mem == NULL || types == NULL ? tsr_fail_nomem(e) : tsr_archive_open_raw(full, e, &a);
  if (st == TSR_OK) {
    const void *bytes = tsr_archive_bytes(a, &len);
    st = len > MAX_CONFIG ? tsr_fail(e, TSR_ELIMIT, "config.json of %zu bytes", len) : tsr_json_parse(&env, bytes, len, &v);
    if (st == TSR_OK && json) {
      tsr_buf_puts(out, ",\"config\":");
      tsr_buf_put(out, bytes, len); /* it is JSON: it has just been parsed */
    } else if (st == TSR_OK && v.tag == TSR_V_DICT) {
      text_config(v, out);
    }
  }
  tsr_release(v);
  tsr_archive_release(a);
  if (types != NULL) tsr_types_release(types);
  if (mem != NULL) tsr_mem_close(mem);
  free(full);
  return st;
}

static void print_files(const file *files, size_t n, bool json, tsr_buf *out) {
  if (json) tsr_buf_puts(out, ",\"files\":[");
  for (size_t i = 0; i < n; i++) {
    if (json) {
      tsr_buf_puts(out, i == 0 ? "{\"name\":" : ",{\"name\":");
      tsr_json_put_str(out, files[i].name, strlen(files[i].name));
      tsr_buf_printf(out, ",\"bytes\":%llu,\"kind\":\"%s\"}", (unsigned long long)files[i].size, tsr_file_kind_id(files[i].kind));
    } else {
      tsr_buf_printf(out, "  %-36s  %10s", tsr_show(files[i].name, strlen(files[i].name)).text, tsr_show_bytes(files[i].size).text);
      if (files[i].kind != TSR_FILE_UNKNOWN) tsr_buf_printf(out, "  %s", tsr_file_kind_name(files[i].kind));
      tsr_buf_putc(out, '\n');
    }
  }
  if (json) tsr_buf_putc(out, ']');
}

tsr_status tsr_folder_print(const char *path, bool json, tsr_errrec *e, tsr_buf *out) {
  file *files = NULL;
  size_t n = 0;
  bool config = false;
  tsr_status st = list(path, e, &files, &n);
  if (st == TSR_OK) {
    if (!json) tsr_buf_puts(out, "files\n");
    print_files(files, n, json, out);
    for (size_t i = 0; i < n; i++) config |= strcmp(files[i].name, "config.json") == 0;
    if (config) st = print_config(path, json, e, out);
  }
  for (size_t i = 0; i < n; i++) free(files[i].name);
  free(files);
  return st;
}
