/* Public inspection of TorchScript archives: one walk gathers the facts, two writers print them.
 * Files of other kinds are described by the frontend. */
#include <stdio.h>
#include <stdlib.h>

#include "frontend/describe.h"
#include "frontend/scan.h"
#include "interp/api.h"
#include "interp/ptrset.h"

typedef struct op_count { const char *name; uint64_t count; } op_count;
typedef struct tensor_fact { const char *path; const tsr_tensor *t; } tensor_fact;
typedef struct module_fact { const char *path, *cls; } module_fact;
typedef struct attr_fact { const char *path; tsr_val v; const tsr_type *type; } attr_fact;

typedef struct facts {
  tsr_model *model;
  tsr_arena *arena;
  tensor_fact *tensors; uint32_t ntensors, tensors_cap;
  module_fact *modules; uint32_t nmodules, modules_cap;
  attr_fact *attrs; uint32_t nattrs, attrs_cap;
  op_count *ops; uint32_t nops, ops_cap;
  tsr_ptrset seen; /* tensors, storages, objects, functions */
  bool oom;
  uint64_t elements, bytes;
} facts;

static bool push(facts *f, void **array, uint32_t *cap, uint32_t *count, size_t item, const void *value) {
  if (*count == *cap) {
    uint32_t n = *cap == 0 ? 32 : *cap * 2;
    void *grown = realloc(*array, n * item);
    if (grown == NULL) {
      f->oom = true;
      return false;
    }
    *array = grown;
    *cap = n;
  }
  memcpy((char *)*array + (*count)++ * item, value, item);
  return true;
}
#define PUSH(f, array, value) push((f), (void **)&(f)->array, &(f)->array##_cap, &(f)->n##array, sizeof *(f)->array, (value))

/* ---- gathering ---- */

static const char *join(facts *f, const char *path, const char *name) {
  size_t n = strlen(path), m = strlen(name);
  char *out = tsr_arena_alloc(f->arena, n + m + 2);
  if (out == NULL) {
    f->oom = true;
    return "";
  }
  memcpy(out, path, n);
  if (n > 0) out[n++] = '.';
  memcpy(out + n, name, m);
  return out;
}

static void gather_value(facts *f, tsr_val v, const tsr_type *type, const char *path, int depth);

static void gather_tensor(facts *f, const tsr_tensor *t, const char *path) {
  if (!tsr_ptrset_add(&f->seen, t)) return;
  PUSH(f, tensors, (&(tensor_fact){path, t}));
  f->elements += (uint64_t)t->numel;
  if (t->storage != NULL && tsr_ptrset_add(&f->seen, t->storage)) f->bytes += t->storage->nbytes;
}

/* What __setstate__ would have been given stands where its attributes would. */
static tsr_val kept_state(const facts *f, const tsr_object *o) {
  const tsr_program *p = f->model->program;
  for (size_t i = 0; i < p->kept_count; i++)
    if (p->kept[i].object == o) return p->kept[i].state;
  return tsr_none();
}

static void gather_object(facts *f, const tsr_object *o, const char *path, int depth) {
  if (!tsr_ptrset_add(&f->seen, o)) return;
  if (o->cls->is_module) PUSH(f, modules, (&(module_fact){path, o->cls->name}));
  tsr_val state = kept_state(f, o);
  if (state.tag != TSR_V_NONE) {
    gather_value(f, state, NULL, join(f, path, "__getstate__()"), depth + 1);
    return;
  }
  for (uint32_t i = 0; i < o->count && i < o->cls->attr_count; i++)
    gather_value(f, o->slots[i], o->cls->attr_types[i], join(f, path, o->cls->attr_names[i]), depth + 1);
}

static void gather_items(facts *f, const tsr_val *items, size_t n, const char *path, int depth) {
  char name[32];
  for (size_t i = 0; i < n; i++) {
    snprintf(name, sizeof name, "%zu", i);
    if (items[i].tag == TSR_V_TENSOR || items[i].tag == TSR_V_OBJECT || items[i].tag == TSR_V_LIST || items[i].tag == TSR_V_TUPLE)
      gather_value(f, items[i], NULL, join(f, path, name), depth + 1);
  }
}

static void gather_value(facts *f, tsr_val v, const tsr_type *type, const char *path, int depth) {
  if (f->oom || depth > TSR_MAX_DEPTH) return;
  switch (v.tag) {
    case TSR_V_TENSOR: gather_tensor(f, v.t, path); return;
    case TSR_V_OBJECT: gather_object(f, v.obj, path, depth); return;
    case TSR_V_LIST: gather_items(f, v.l->items, v.l->len, path, depth); break;
    case TSR_V_TUPLE: gather_items(f, v.u->items, v.u->len, path, depth); break;
    default: break;
  }
  if (type != NULL) PUSH(f, attrs, (&(attr_fact){path, v, type}));
}

static void count_op(facts *f, const char *name) {
  for (uint32_t i = 0; i < f->nops; i++) {
    if (strcmp(f->ops[i].name, name) != 0) continue;
    f->ops[i].count++;
    return;
  }
  PUSH(f, ops, (&(op_count){name, 1}));
}

static void gather_fn(facts *f, const tsr_ir_fn *fn, int depth);

static void gather_block(facts *f, const tsr_ir_block *b, int depth) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    if (n->kind == TSR_IR_OP) count_op(f, n->schema != NULL ? n->schema->name : n->name);
    if (n->callee != NULL) gather_fn(f, n->callee, depth);
    for (uint32_t k = 0; k < n->nblocks; k++) gather_block(f, n->blocks[k], depth + 1);
  }
}

static void gather_fn(facts *f, const tsr_ir_fn *fn, int depth) {
  if (depth > TSR_MAX_DEPTH || !fn->lowered || !tsr_ptrset_add(&f->seen, fn)) return;
  gather_block(f, fn->body, depth + 1);
}

static int by_count(const void *a, const void *b) {
  const op_count *x = a, *y = b;
  return x->count != y->count ? (x->count < y->count ? 1 : -1) : strcmp(x->name, y->name);
}

static void gather(facts *f) {
  gather_value(f, f->model->program->root, NULL, "", 0);
  for (size_t i = 0; i < f->model->method_count; i++) gather_fn(f, f->model->methods[i].fn, 0);
  qsort(f->ops, f->nops, sizeof *f->ops, by_count);
}

static void facts_dispose(facts *f) {
  free(f->tensors);
  free(f->modules);
  free(f->attrs);
  free(f->ops);
  tsr_ptrset_dispose(&f->seen);
  tsr_arena_free(f->arena);
}

/* ---- archive facts ---- */

/* A small text entry, without its newline; "" when absent. */
static void read_text(tsr_archive *a, const char *name, char *out, size_t cap) {
  size_t index, len = 0;
  const void *data = NULL;
  tsr_errrec e = {0};
  out[0] = 0;
  if (!tsr_archive_find(a, name, &index)) return;
  if (tsr_archive_read(a, index, &e, &data, &len) == TSR_OK) {
    if (len > cap - 1) len = cap - 1;
    memcpy(out, data, len);
    while (len > 0 && (out[len - 1] == '\n' || out[len - 1] == ' ')) len--;
    out[len] = 0;
  }
  tsr_errrec_dispose(&e);
}

static void put_json_string(tsr_buf *b, const char *s, size_t len) {
  tsr_buf_putc(b, '"');
  for (size_t i = 0; i < len; i++) {
    unsigned char ch = (unsigned char)s[i];
    if (ch == '"' || ch == '\\') tsr_buf_printf(b, "\\%c", ch);
    else if (ch < 0x20 || ch == 0x7f) tsr_buf_printf(b, "\\u%04x", ch);
    else tsr_buf_putc(b, (char)ch);
  }
  tsr_buf_putc(b, '"');
}
static void put_json(tsr_buf *b, const char *s) { put_json_string(b, s, strlen(s)); }

/* ---- JSON ---- */

static void json_methods(const facts *f, tsr_buf *b) {
  tsr_buf_puts(b, "  \"methods\": [");
  for (size_t i = 0; i < f->model->exported; i++) {
    const tsr_method *m = &f->model->methods[i];
    tsr_buf_puts(b, i > 0 ? ",\n    {\"name\": " : "\n    {\"name\": ");
    put_json(b, m->name);
    tsr_buf_puts(b, ", \"signature\": ");
    put_json(b, m->signature);
    tsr_buf_puts(b, ", \"arguments\": [");
    for (uint32_t k = 1; k < m->fn->schema->param_count; k++) {
      const tsr_param *p = &m->fn->schema->params[k];
      tsr_buf_puts(b, k > 1 ? ", {\"name\": " : "{\"name\": ");
      put_json(b, p->name);
      tsr_buf_puts(b, ", \"type\": ");
      put_json(b, m->arg_types[k - 1]);
      if (p->has_default) {
        tsr_buf text = {0};
        tsr_val_print(p->dflt, &text);
        tsr_buf_puts(b, ", \"default\": ");
        put_json_string(b, text.data != NULL ? text.data : "", text.len);
        tsr_buf_dispose(&text);
      }
      tsr_buf_putc(b, '}');
    }
    tsr_buf_puts(b, "]}");
  }
  tsr_buf_puts(b, "],\n");
}

static void json_tensors(const facts *f, tsr_buf *b) {
  char sizes[256];
  tsr_buf_printf(b, "  \"tensor_count\": %u, \"elements\": %llu, \"bytes\": %llu,\n  \"tensors\": [", f->ntensors,
                 (unsigned long long)f->elements, (unsigned long long)f->bytes);
  for (uint32_t i = 0; i < f->ntensors; i++) {
    const tsr_tensor *t = f->tensors[i].t;
    tsr_sizes_print(sizes, sizeof sizes, t->ndim, t->size);
    tsr_buf_puts(b, i > 0 ? ",\n    {\"name\": " : "\n    {\"name\": ");
    put_json(b, f->tensors[i].path);
    tsr_buf_printf(b, ", \"dtype\": \"%s\", \"shape\": %s, \"requires_grad\": %s}", tsr_dtype_name((tsr_dtype)t->dtype), sizes,
                   t->requires_grad ? "true" : "false");
  }
  tsr_buf_puts(b, "],\n");
}

static void json_lists(const facts *f, tsr_buf *b) {
  tsr_buf_puts(b, "  \"modules\": [");
  for (uint32_t i = 0; i < f->nmodules; i++) {
    tsr_buf_puts(b, i > 0 ? ",\n    {\"path\": " : "\n    {\"path\": ");
    put_json(b, f->modules[i].path);
    tsr_buf_puts(b, ", \"class\": ");
    put_json(b, f->modules[i].cls);
    tsr_buf_putc(b, '}');
  }
  tsr_buf_puts(b, "],\n  \"attributes\": [");
  for (uint32_t i = 0; i < f->nattrs; i++) {
    tsr_buf type = {0}, text = {0};
    tsr_type_print(f->attrs[i].type, &type);
    tsr_val_print(f->attrs[i].v, &text);
    tsr_buf_puts(b, i > 0 ? ",\n    {\"name\": " : "\n    {\"name\": ");
    put_json(b, f->attrs[i].path);
    tsr_buf_puts(b, ", \"type\": ");
    put_json(b, type.data != NULL ? type.data : "");
    tsr_buf_puts(b, ", \"value\": ");
    put_json_string(b, text.data != NULL ? text.data : "", TSR_MIN(text.len, (size_t)200));
    tsr_buf_putc(b, '}');
    tsr_buf_dispose(&type);
    tsr_buf_dispose(&text);
  }
  tsr_buf_puts(b, "],\n  \"operators\": {");
  for (uint32_t i = 0; i < f->nops; i++) {
    tsr_buf_puts(b, i > 0 ? ", " : "");
    put_json(b, f->ops[i].name);
    tsr_buf_printf(b, ": %llu", (unsigned long long)f->ops[i].count);
  }
  tsr_buf_puts(b, "},\n");
}

static void json_archive(const facts *f, tsr_buf *b) {
  tsr_archive *a = f->model->archive;
  char order[32], id[80];
  read_text(a, "byteorder", order, sizeof order);
  read_text(a, ".data/serialization_id", id, sizeof id);
  tsr_buf_puts(b, "{\n  \"kind\": ");
  put_json(b, tsr_file_kind_name(tsr_archive_kind(a)));
  tsr_buf_puts(b, ",\n  \"name\": ");
  put_json(b, tsr_archive_root(a));
  tsr_buf_printf(b, ",\n  \"format_version\": %d,\n  \"byteorder\": ", tsr_archive_version(a));
  put_json(b, order);
  tsr_buf_puts(b, ",\n  \"serialization_id\": ");
  put_json(b, id);
  tsr_buf_printf(b, ",\n  \"training\": %s,\n  \"class\": ", tsr_program_is_training(f->model->program) ? "true" : "false");
  put_json(b, f->model->program->root_class->name);
  tsr_buf_puts(b, ",\n");
}

static void json_extra(const facts *f, tsr_buf *b) {
  bool first = true;
  tsr_buf_puts(b, "  \"extra_files\": [");
  for (size_t i = 0; i < tsr_archive_entry_count(f->model->archive); i++) {
    tsr_entry_info info;
    tsr_archive_entry(f->model->archive, i, &info);
    if (info.name_len <= 6 || memcmp(info.name, "extra/", 6) != 0) continue;
    tsr_buf_puts(b, first ? "{\"name\": " : ", {\"name\": ");
    put_json_string(b, info.name + 6, info.name_len - 6);
    tsr_buf_printf(b, ", \"size\": %llu}", (unsigned long long)info.size);
    first = false;
  }
  tsr_buf_printf(b, "],\n  \"missing_operators\": %zu\n}\n", f->model->program->missing_count);
}

static void print_json(const facts *f, tsr_buf *b) {
  json_archive(f, b);
  json_methods(f, b);
  json_tensors(f, b);
  json_lists(f, b);
  json_extra(f, b);
}

/* ---- text ---- */

static void put_bytes(tsr_buf *b, uint64_t bytes) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double x = (double)bytes;
  size_t u = 0;
  for (; x >= 1024 && u + 1 < TSR_COUNT(units); u++) x /= 1024;
  tsr_buf_printf(b, u == 0 ? "%.0f %s" : "%.1f %s", x, units[u]);
}

static void text_dtypes(const facts *f, tsr_buf *b) {
  for (int d = 0; d < 64; d++) {
    uint64_t count = 0, elements = 0;
    for (uint32_t i = 0; i < f->ntensors; i++) {
      if (f->tensors[i].t->dtype != d) continue;
      count++;
      elements += (uint64_t)f->tensors[i].t->numel;
    }
    if (count > 0)
      tsr_buf_printf(b, "  %-14s %llu tensors, %llu elements\n", tsr_dtype_name((tsr_dtype)d), (unsigned long long)count,
                     (unsigned long long)elements);
  }
}

static void text_head(const facts *f, tsr_buf *b) {
  tsr_archive *a = f->model->archive;
  char order[32];
  read_text(a, "byteorder", order, sizeof order);
  tsr_buf_printf(b, "kind:       %s\nname:       %s\nformat:     version %d%s%s\nclass:      %s\ntraining:   %s\n",
                 tsr_file_kind_name(tsr_archive_kind(a)), tsr_archive_root(a), tsr_archive_version(a), order[0] != 0 ? ", byte order " : "",
                 order, f->model->program->root_class->name, tsr_program_is_training(f->model->program) ? "yes (saved in training mode)" : "no");
  tsr_buf_puts(b, "methods:\n");
  for (size_t i = 0; i < f->model->exported; i++)
    tsr_buf_printf(b, "  %s%s\n", f->model->methods[i].name, f->model->methods[i].signature);
  tsr_buf_printf(b, "tensors:    %u, %llu elements, ", f->ntensors, (unsigned long long)f->elements);
  put_bytes(b, f->bytes);
  tsr_buf_putc(b, '\n');
  text_dtypes(f, b);
}

static void text_body(const facts *f, tsr_buf *b) {
  char sizes[256];
  tsr_buf_printf(b, "modules:    %u\n", f->nmodules);
  for (uint32_t i = 0; i < f->nmodules; i++)
    tsr_buf_printf(b, "  %-28s %s\n", f->modules[i].path[0] != 0 ? f->modules[i].path : "(root)", f->modules[i].cls);
  for (uint32_t i = 0; i < f->ntensors; i++) {
    const tsr_tensor *t = f->tensors[i].t;
    if (i == 0) tsr_buf_puts(b, "weights:\n");
    tsr_sizes_print(sizes, sizeof sizes, t->ndim, t->size);
    tsr_buf_printf(b, "  %-40s %s%s\n", f->tensors[i].path, tsr_dtype_name((tsr_dtype)t->dtype), sizes);
  }
  if (f->nops > 0) tsr_buf_puts(b, "operators (uses in the code):\n");
  for (uint32_t i = 0; i < f->nops; i++) tsr_buf_printf(b, "  %6llu %s\n", (unsigned long long)f->ops[i].count, f->ops[i].name);
  if (f->model->program->missing_count > 0) {
    tsr_buf_puts(b, "operators that tsrun does not have:\n");
    tsr_program_print_missing(f->model->program, b);
  }
}

static void text_extra(const facts *f, tsr_buf *b) {
  bool first = true;
  for (size_t i = 0; i < tsr_archive_entry_count(f->model->archive); i++) {
    tsr_entry_info info;
    tsr_archive_entry(f->model->archive, i, &info);
    if (info.name_len <= 6 || memcmp(info.name, "extra/", 6) != 0) continue;
    if (first) tsr_buf_puts(b, "extra files:\n");
    first = false;
    tsr_buf_printf(b, "  %.*s (%llu bytes)\n", (int)TSR_MIN(info.name_len - 6, (size_t)4096), info.name + 6, (unsigned long long)info.size);
  }
}

/* ---- entry ---- */

static tsr_status inspect_model(tsr_model *m, bool json, tsr_errrec *e, tsr_buf *b) {
  facts f = {.model = m, .arena = tsr_arena_new()};
  if (f.arena == NULL) return tsr_fail_nomem(e);
  gather(&f);
  if (json) {
    print_json(&f, b);
  } else {
    text_head(&f, b);
    text_body(&f, b);
    text_extra(&f, b);
  }
  bool oom = f.oom || f.seen.oom || b->oom;
  facts_dispose(&f);
  return oom ? tsr_fail_nomem(e) : TSR_OK;
}

tsr_status tsr_inspect(const char *path, bool json, tsr_write_fn write, void *user, tsr_error **err) {
  tsr_errrec e = {0};
  tsr_archive *a = NULL;
  tsr_buf b = {0};
  if (path == NULL || write == NULL) {
    tsr_fail(&e, TSR_EUSAGE, "tsr_inspect: path and write must not be NULL");
  } else if (tsr_archive_open(path, false, &e, &a) == TSR_OK) {
    tsr_file_kind k = tsr_archive_kind(a);
    if (k == TSR_FILE_TORCHSCRIPT || k == TSR_FILE_TORCHSCRIPT_LEGACY || k == TSR_FILE_LITE) {
      tsr_load_options opt = {.struct_size = sizeof opt, .allow_missing_ops = true, .threads = 1};
      tsr_model *m = NULL;
      tsr_archive_retain(a);
      if (tsr_model_load_archive(a, &opt, TSR_MODEL_LOOK, &e, &m) == TSR_OK) inspect_model(m, json, &e, &b);
      tsr_model_free(m);
    } else {
      tsr_describe(a, json, &e, &b);
    }
  }
  if (a != NULL) tsr_archive_release(a);
  if (e.status == TSR_OK && b.len > 0) write(user, b.data, b.len);
  tsr_buf_dispose(&b);
  return e.status == TSR_OK ? TSR_OK : tsr_errrec_publish(&e, err);
}

tsr_status tsr_scan_report(const char *path, bool json, tsr_write_fn write, void *user, size_t *suspicious, tsr_error **err) {
  tsr_errrec e = {0};
  tsr_buf b = {0};
  size_t found = 0;
  if (path == NULL || write == NULL) tsr_fail(&e, TSR_EUSAGE, "tsr_scan_report: path and write must not be NULL");
  else if (tsr_scan_file(path, json, &e, &b, &found) == TSR_OK) write(user, b.data, b.len);
  if (suspicious != NULL) *suspicious = found;
  tsr_buf_dispose(&b);
  return e.status == TSR_OK ? TSR_OK : tsr_errrec_publish(&e, err);
}
