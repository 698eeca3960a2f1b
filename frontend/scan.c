/* The scanner: what the file is, which of its parts are read how, and the report. */
#include "frontend/scan.h"

#include <stdio.h>
#include <stdlib.h>

#include "frontend/detect.h"
#include "frontend/formats.h"
#include "frontend/json.h"
#include "frontend/pickle_vm.h"
#include "frontend/text.h"

#define MAX_VERIFIED ((uint64_t)256 << 20)
enum { MAX_FINDINGS = 200, MAX_GLOBALS = 20000, MAX_LISTED = 40 };

/* ---- collecting ---- */

static bool room(tsr_scan *s, void **items, size_t count, size_t *cap, size_t size) {
  if (count < *cap) return true;
  size_t want = *cap * 2 + 16;
  void *grown = realloc(*items, want * size);
  if (grown == NULL) {
    s->oom = true;
    return false;
  }
  *items = grown;
  *cap = want;
  return true;
}

static char *copy(tsr_scan *s, const char *text, size_t len) {
  char *out = malloc(len + 1);
  if (out == NULL) {
    s->oom = true;
    return NULL;
  }
  memcpy(out, text, len);
  out[len] = 0;
  return out;
}

void tsr_scan_add(tsr_scan *s, tsr_scan_level level, const char *where, const char *fmt, ...) {
  char text[600];
  va_list ap;
  if (s->finding_count == MAX_FINDINGS || !room(s, (void **)&s->findings, s->finding_count, &s->finding_cap, sizeof *s->findings)) return;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  tsr_scan_finding f = {level, copy(s, where, strlen(where)), copy(s, text, strlen(text))};
  if (f.where != NULL && f.text != NULL) {
    s->findings[s->finding_count++] = f;
  } else {
    free(f.where);
    free(f.text);
  }
}

void tsr_scan_name(tsr_scan *s, char ***list, size_t *count, size_t *cap, const char *name, size_t len) {
  for (size_t i = 0; i < *count; i++)
    if (strlen((*list)[i]) == len && memcmp((*list)[i], name, len) == 0) return;
  if (*count == MAX_FINDINGS || !room(s, (void **)list, *count, cap, sizeof **list)) return;
  char *own = copy(s, name, len);
  if (own != NULL) (*list)[(*count)++] = own;
}

tsr_scan_global *tsr_scan_note_global(tsr_scan *s, const char *name, size_t len) {
  for (size_t i = 0; i < s->global_count; i++) {
    tsr_scan_global *g = &s->globals[i];
    if (strlen(g->name) != len || memcmp(g->name, name, len) != 0) continue;
    g->uses++;
    return g;
  }
  if (s->global_count == MAX_GLOBALS || !room(s, (void **)&s->globals, s->global_count, &s->global_cap, sizeof *s->globals)) return NULL;
  char *own = copy(s, name, len);
  if (own == NULL) return NULL;
  tsr_scan_global *g = &s->globals[s->global_count++];
  *g = (tsr_scan_global){.name = own, .trust = tsr_scan_trust_of(name, len), .uses = 1};
  return g;
}

static void dispose(tsr_scan *s) {
  for (size_t i = 0; i < s->global_count; i++) free(s->globals[i].name);
  for (size_t i = 0; i < s->finding_count; i++) {
    free(s->findings[i].where);
    free(s->findings[i].text);
  }
  for (size_t i = 0; i < s->setstate_count; i++) free(s->setstates[i]);
  for (size_t i = 0; i < s->operator_count; i++) free(s->operators[i]);
  free(s->globals);
  free(s->findings);
  free(s->setstates);
  free(s->operators);
  tsr_archive_release(s->strict);
  tsr_archive_release(s->raw);
}

/* ---- parts ---- */

static bool ends_with(const char *name, size_t len, const char *tail) {
  size_t n = strlen(tail);
  return len >= n && memcmp(name + len - n, tail, n) == 0;
}

static void whole_pickle(tsr_scan *s, const char *where, const uint8_t *p, size_t len) {
  size_t used = tsr_scan_pickle(s, where, p, len);
  if (used != 0 && used < len) tsr_scan_add(s, TSR_SCAN_ODD, where, "%zu bytes lie behind the end of the pickle", len - used);
}

static void scan_entry(tsr_scan *s, size_t i) {
  tsr_entry_info t;
  tsr_errrec e = {0};
  const void *bytes = NULL;
  size_t len = 0;
  tsr_archive_entry(s->strict, i, &t);
  bool storage = !t.outside && tsr_detect_is_storage(t.name, t.name_len), npy = ends_with(t.name, t.name_len, ".npy");
  bool pickle = !storage && (ends_with(t.name, t.name_len, ".pkl") || ends_with(t.name, t.name_len, ".pickle"));
  bool code = !storage && ends_with(t.name, t.name_len, ".py") && t.name_len > 5 && (memcmp(t.name, "code/", 5) == 0 || memcmp(t.name, "libs/", 5) == 0);
  tsr_shown name = tsr_show(t.name, t.name_len);
  bool huge = !t.stored && t.size > MAX_VERIFIED; /* not inflated only to be looked at */
  tsr_status st = huge ? TSR_OK : tsr_archive_verify(s->strict, i, &e);
  if (st == TSR_OK && (pickle || code || npy)) st = tsr_archive_read(s->strict, i, &e, &bytes, &len);
  if (st == TSR_ENOMEM) s->oom = true;
  else if (st != TSR_OK) tsr_scan_add(s, TSR_SCAN_ODD, name.text, "%s", e.message == NULL ? "it cannot be read" : e.message);
  else if (pickle) whole_pickle(s, name.text, bytes, len);
  else if (code) tsr_scan_code(s, name.text, bytes, len);
  else if (npy && len > 10 && memmem(bytes, TSR_MIN(len, (size_t)4096), "|O", 2) != NULL)
    tsr_scan_add(s, TSR_SCAN_DANGER, name.text, "an array of Python objects: NumPy would unpickle it");
  tsr_errrec_dispose(&e);
}

static void scan_entries(tsr_scan *s) {
  tsr_errrec e = {0};
  tsr_status st = tsr_archive_open_memory(s->p, s->len, &e, &s->strict);
  if (st != TSR_OK) {
    if (st == TSR_ENOMEM) s->oom = true;
    else tsr_scan_add(s, TSR_SCAN_ODD, "zip", "tsrun would not open it: %s", e.message == NULL ? "" : e.message);
    tsr_errrec_dispose(&e);
    return;
  }
  s->kind = tsr_archive_kind(s->strict);
  s->entries = tsr_archive_entry_count(s->strict);
  for (size_t i = 0; i < s->entries && !s->oom; i++) scan_entry(s, i);
}

static int64_t little64(const uint8_t *p) {
  uint64_t x = 0;
  for (int i = 7; i >= 0; i--) x = x << 8 | p[i];
  return (int64_t)x;
}

/* Five pickles, then for each storage a count and its bytes; sizes of elements are in the pickles: the reader
 * knows, so it is asked whether the file ends where it should. */
static void scan_stream(tsr_scan *s) {
  static const char *const names[] = {"magic number", "protocol", "system", "object", "list of storages"};
  size_t at = 0;
  for (size_t i = 0; i < TSR_COUNT(names) && at < s->len; i++) {
    size_t used = tsr_scan_pickle(s, names[i], s->p + at, s->len - at);
    if (used == 0) return;
    at += used;
  }
  if (s->len - at >= 8 && little64(s->p + at) < 0) tsr_scan_add(s, TSR_SCAN_ODD, "storages", "a storage of a negative size");
}

static void scan_tar(tsr_scan *s) {
  for (size_t at = 0; s->len - at >= 512 && s->p[at] != 0;) {
    uint64_t size = 0;
    const char *name = (const char *)s->p + at;
    for (size_t i = 124; i < 136; i++)
      if (s->p[at + i] >= '0' && s->p[at + i] <= '7') size = size * 8 + (uint64_t)(s->p[at + i] - '0');
    size_t n = strnlen(name, 100);
    tsr_shown shown = tsr_show(name, n);
    char type = (char)s->p[at + 156];
    if (size > s->len - at - 512) {
      tsr_scan_add(s, TSR_SCAN_ODD, shown.text, "it reaches past the end of the file");
      return;
    }
    if (type != 0 && type != '0' && type != '5') tsr_scan_add(s, TSR_SCAN_ODD, shown.text, "it is a link or a special file");
    if (name[0] == '/' || memmem(name, n, "..", 2) != NULL) tsr_scan_add(s, TSR_SCAN_ODD, shown.text, "its name climbs out of its folder");
    if (ends_with(name, n, "pickle") && size > 0) whole_pickle(s, shown.text, s->p + at + 512, size);
    else if ((ends_with(name, n, "storages") || ends_with(name, n, "tensors")) && size > 0) tsr_scan_pickle(s, shown.text, s->p + at + 512, size);
    s->entries++;
    uint64_t step = 512 + (size + 511) / 512 * 512;
    if (step > s->len - at) return;
    at += step;
  }
}

/* The reader's opinion: it checks every bound and executes nothing. */
static void ask_reader(tsr_scan *s) {
  tsr_errrec e = {0};
  tsr_mem *mem = tsr_mem_new((uint64_t)256 << 20);
  tsr_types *types = tsr_types_new();
  tsr_file_env env = {mem, types, &e};
  tsr_archive *a = s->strict != NULL ? s->strict : s->raw;
  tsr_val v = tsr_none();
  tsr_status st = TSR_OK;
  if (mem == NULL || types == NULL) {
    s->oom = true;
  } else {
    switch (s->kind) {
      case TSR_FILE_TORCH_ZIP: case TSR_FILE_TORCH_STREAM: case TSR_FILE_TORCH_TAR: st = tsr_torch_load(a, mem, types, &e, &v); break;
      case TSR_FILE_SAFETENSORS: st = tsr_safetensors_load(&env, a, &v); break;
      case TSR_FILE_NPY: st = tsr_npy_load(&env, a, &v); break;
      case TSR_FILE_NPZ: st = tsr_npz_load(&env, a, &v); break;
      default: break;
    }
    if (st != TSR_OK) tsr_scan_add(s, TSR_SCAN_ODD, "file", "tsrun would not read it: %s", e.message == NULL ? "" : e.message);
    tsr_release(v);
  }
  tsr_errrec_dispose(&e);
  if (types != NULL) tsr_types_release(types);
  if (mem != NULL) tsr_mem_close(mem);
}

/* A file of another kind that zip tools would open, too. */
static bool is_zip_behind(const tsr_scan *s) {
  size_t tail = TSR_MIN(s->len, (size_t)65557);
  const uint8_t *end = s->len < 22 ? NULL : memmem(s->p + s->len - tail, tail, "PK\5\6", 4);
  return end != NULL && s->p + s->len - end >= 22 && memmem(s->p + s->len - tail, tail, "PK\1\2", 4) != NULL;
}

static void scan(tsr_scan *s) {
  switch (s->kind) {
    case TSR_FILE_ZIP:
      scan_entries(s);
      tsr_scan_zip(s, s->strict == NULL || s->kind == TSR_FILE_TRUNCATED_ZIP);
      break;
    case TSR_FILE_TORCH_STREAM: scan_stream(s); break;
    case TSR_FILE_TORCH_TAR: scan_tar(s); break;
    case TSR_FILE_PICKLE: whole_pickle(s, "pickle", s->p, s->len); break;
    case TSR_FILE_SAFETENSORS: case TSR_FILE_NPY: break;
    default:
      if (is_zip_behind(s)) {
        tsr_scan_add(s, TSR_SCAN_ODD, "file", "it does not begin as a zip, but ends as one: programs may disagree about what it holds");
        tsr_scan_zip(s, true);
        return;
      }
      if (s->len > 1 && (s->p[0] == '(' || s->p[0] == 'c' || s->p[0] == ']' || s->p[0] == '}') && tsr_pickle_extent(s->p, s->len) != 0) {
        whole_pickle(s, "pickle", s->p, s->len); /* protocols 0 and 1 have no mark */
        s->kind = TSR_FILE_PICKLE;
      } else {
        tsr_scan_add(s, TSR_SCAN_ODD, "file", "this is %s: it cannot be scanned", tsr_file_kind_name(s->kind));
      }
      return;
  }
  if (s->strict == NULL && s->kind != TSR_FILE_ZIP && s->kind != TSR_FILE_TRUNCATED_ZIP && is_zip_behind(s))
    tsr_scan_add(s, TSR_SCAN_ODD, "file", "it is a zip as well: programs may disagree about what it holds");
  ask_reader(s);
  switch (s->kind) {
    case TSR_FILE_HTML: case TSR_FILE_MAR: case TSR_FILE_TORCH_PACKAGE: case TSR_FILE_PT2:
      tsr_scan_add(s, TSR_SCAN_NOTE, "file", "%s: %s", tsr_file_kind_name(s->kind), tsr_file_kind_advice(s->kind));
      break;
    default: break;
  }
}

/* ---- report ---- */

static const char *const level_names[] = {"note", "odd", "danger"};
static const char *const trust_names[] = {"known", "library", "opaque", "dangerous"};
static const char *const trust_words[] = {"known", "library classes", "opaque (Python would import them)", "dangerous"};

static size_t count_suspicious(const tsr_scan *s) {
  size_t n = 0;
  for (size_t i = 0; i < s->finding_count; i++) n += s->findings[i].level != TSR_SCAN_NOTE;
  return n;
}

static void text_list(tsr_buf *b, const char *label, char *const *items, size_t count) {
  if (count == 0) return;
  tsr_buf_printf(b, "%s\n", label);
  for (size_t i = 0; i < count && i < MAX_LISTED; i++) tsr_buf_printf(b, "  %s\n", tsr_show(items[i], strlen(items[i])).text);
  if (count > MAX_LISTED) tsr_buf_printf(b, "  ... %zu more\n", count - MAX_LISTED);
}

static void text_globals(const tsr_scan *s, tsr_buf *b) {
  for (int trust = TSR_TRUST_DANGEROUS; trust >= 0; trust--) {
    size_t n = 0;
    for (size_t i = 0; i < s->global_count; i++) {
      const tsr_scan_global *g = &s->globals[i];
      if ((int)g->trust != trust) continue;
      if (n == 0) tsr_buf_printf(b, "globals   %s\n", trust_words[trust]);
      if (n++ < MAX_LISTED) tsr_buf_printf(b, "  %s\n", tsr_show(g->name, strlen(g->name)).text);
    }
    if (n > MAX_LISTED) tsr_buf_printf(b, "  ... %zu more\n", n - MAX_LISTED);
  }
}

static void report_text(const tsr_scan *s, size_t suspicious, tsr_buf *b) {
  tsr_buf_printf(b, "kind      %s\nsize      %s\n", tsr_file_kind_name(s->kind), tsr_show_bytes(s->len).text);
  if (s->entries > 0) tsr_buf_printf(b, "entries   %zu\n", s->entries);
  if (s->pickles > 0) {
    tsr_buf_printf(b, "pickles   %zu, protocol %d", s->pickles, TSR_MAX(s->protocol_low, 0));
    if (s->protocol_high != s->protocol_low) tsr_buf_printf(b, " to %d", TSR_MAX(s->protocol_high, 0));
    tsr_buf_putc(b, '\n');
  }
  text_globals(s, b);
  text_list(b, "classes with a __setstate__", s->setstates, s->setstate_count);
  text_list(b, "custom operators and classes", s->operators, s->operator_count);
  for (size_t i = 0; i < s->finding_count; i++) {
    const tsr_scan_finding *f = &s->findings[i];
    if (i == 0) tsr_buf_puts(b, "findings\n");
    tsr_buf_printf(b, "  %-6s  %s: %s\n", level_names[f->level], f->where, f->text);
  }
  if (s->finding_count == MAX_FINDINGS) tsr_buf_puts(b, "  ... more\n");
  if (suspicious == 0) tsr_buf_puts(b, "result    nothing suspicious\n");
  else tsr_buf_printf(b, "result    suspicious: %zu finding%s\n", suspicious, suspicious == 1 ? "" : "s");
}

static void json_pair(tsr_buf *b, const char *key, const char *value) {
  tsr_buf_printf(b, "\"%s\":", key);
  tsr_json_put_str(b, value, strlen(value));
}

static void json_list(tsr_buf *b, const char *key, char *const *items, size_t count) {
  tsr_buf_printf(b, ",\"%s\":[", key);
  for (size_t i = 0; i < count; i++) {
    if (i > 0) tsr_buf_putc(b, ',');
    tsr_json_put_str(b, items[i], strlen(items[i]));
  }
  tsr_buf_putc(b, ']');
}

static void report_json(const tsr_scan *s, size_t suspicious, tsr_buf *b) {
  tsr_buf_putc(b, '{');
  json_pair(b, "kind", tsr_file_kind_id(s->kind));
  tsr_buf_printf(b, ",\"bytes\":%zu,\"entries\":%zu,\"pickles\":%zu,\"clean\":%s,\"suspicious\":%zu,\"globals\":[", s->len, s->entries, s->pickles,
                 suspicious == 0 ? "true" : "false", suspicious);
  for (size_t i = 0; i < s->global_count; i++) {
    const tsr_scan_global *g = &s->globals[i];
    tsr_buf_puts(b, i == 0 ? "{" : ",{");
    json_pair(b, "name", g->name);
    tsr_buf_putc(b, ',');
    json_pair(b, "trust", trust_names[g->trust]);
    tsr_buf_printf(b, ",\"uses\":%llu,\"calls\":%llu}", (unsigned long long)g->uses, (unsigned long long)g->calls);
  }
  tsr_buf_putc(b, ']');
  json_list(b, "setstate", s->setstates, s->setstate_count);
  json_list(b, "custom_operators", s->operators, s->operator_count);
  tsr_buf_puts(b, ",\"findings\":[");
  for (size_t i = 0; i < s->finding_count; i++) {
    tsr_buf_puts(b, i == 0 ? "{" : ",{");
    json_pair(b, "level", level_names[s->findings[i].level]);
    tsr_buf_putc(b, ',');
    json_pair(b, "where", s->findings[i].where);
    tsr_buf_putc(b, ',');
    json_pair(b, "text", s->findings[i].text);
    tsr_buf_putc(b, '}');
  }
  tsr_buf_puts(b, "]}\n");
}

tsr_status tsr_scan_file(const char *path, bool json, tsr_errrec *e, tsr_buf *out, size_t *suspicious) {
  tsr_scan s = {.protocol_low = -1, .protocol_high = -1};
  TSR_TRY(tsr_archive_open_raw(path, e, &s.raw));
  s.kind = tsr_archive_kind(s.raw);
  s.p = tsr_archive_bytes(s.raw, &s.len);
  scan(&s);
  *suspicious = count_suspicious(&s);
  (json ? report_json : report_text)(&s, *suspicious, out);
  bool oom = s.oom || out->oom;
  dispose(&s);
  return oom ? tsr_fail_nomem(e) : TSR_OK;
}
