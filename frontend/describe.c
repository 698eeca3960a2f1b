/* Describes files of values.  One walk counts, another prints; both visit a shared container once, so
 * that a small file cannot unfold into a long description. */
#include "frontend/describe.h"

#include <stdlib.h>

#include "frontend/folder.h"
#include "frontend/formats.h"
#include "frontend/json.h"
#include "frontend/pickle.h"
#include "frontend/pickle_vm.h"
#include "frontend/pmodule.h"
#include "frontend/scan.h"
#include "frontend/summary.h"
#include "frontend/text.h"

#define MAX_LIST_ITEMS 32 /* shown of a list or tuple; dicts are shown whole */
#define MAX_TEXT_WIDTH 60 /* bytes of a string shown in text */
#define MAX_CLASSES 1000

typedef struct class_count {
  const char *name;
  uint64_t count;
} class_count;

typedef struct description {
  tsr_archive *a;
  tsr_errrec *e;
  tsr_buf *b;
  tsr_umap seen;  /* containers counted, then storages */
  tsr_umap shown; /* containers printed */
  uint64_t tensors, elements, bytes;
  class_count *classes;
  size_t class_count;
  tsr_buf metadata; /* of safetensors, in the form of the output */
  bool json, oom;
} description;

/* ---- counting ---- */

static bool first_time(description *d, tsr_umap *m, const void *p) {
  uint64_t key = (uint64_t)(uintptr_t)p;
  if (tsr_umap_get(m, key) != NULL) return false;
  if (!tsr_umap_set(m, key, 1)) d->oom = true;
  return true;
}

static void count_class(description *d, const char *name) {
  for (size_t i = 0; i < d->class_count; i++)
    if (d->classes[i].name == name) { /* one class, one string */
      d->classes[i].count++;
      return;
    }
  if (d->class_count == MAX_CLASSES) return;
  if (d->classes == NULL) d->classes = calloc(MAX_CLASSES, sizeof *d->classes);
  if (d->classes == NULL)
    d->oom = true;
  else
    d->classes[d->class_count++] = (class_count){name, 1};
}

static void count_tensor(description *d, const tsr_tensor *t) {
  d->tensors++;
  if (__builtin_add_overflow(d->elements, (uint64_t)t->numel, &d->elements)) d->elements = UINT64_MAX;
  if (first_time(d, &d->seen, t->storage) && !t->storage->absent) d->bytes += t->storage->nbytes;
}

static void count(description *d, tsr_val v) {
  if (!tsr_is_boxed(v) || v.tag == TSR_V_STR || v.tag == TSR_V_COMPLEX || d->oom || !first_time(d, &d->seen, v.o))
    return;
  switch (v.tag) {
  case TSR_V_TENSOR:
    count_tensor(d, v.t);
    break;
  case TSR_V_LIST:
    for (size_t i = 0; i < v.l->len; i++) count(d, v.l->items[i]);
    break;
  case TSR_V_TUPLE:
    for (size_t i = 0; i < v.u->len; i++) count(d, v.u->items[i]);
    break;
  case TSR_V_DICT:
    for (size_t i = tsr_dict_next(v.m, 0); i < v.m->used; i = tsr_dict_next(v.m, i + 1))
      count(d, v.m->entries[i].value);
    break;
  case TSR_V_OBJECT:
    if (tsr_scan_trust_of(v.obj->cls->name, strlen(v.obj->cls->name)) != TSR_TRUST_KNOWN) count_class(d, v.obj->cls->name);
    for (uint32_t i = 0; i < v.obj->count; i++) count(d, v.obj->slots[i]);
    break;
  default:
    break;
  }
}

/* ---- pieces ---- */

static void put_key(tsr_buf *b, tsr_val key) {
  if (key.tag == TSR_V_STR)
    tsr_buf_puts(b, tsr_show(key.s->bytes, key.s->len).text);
  else
    tsr_val_print(key, b);
}

static const char *layout_name(const tsr_tensor *t) {
  static const char *const names[] = {"strided",    "sparse_coo", "sparse_csr", "mkldnn",
                                      "sparse_csc", "sparse_bsr", "sparse_bsc"};
  return t->layout < TSR_COUNT(names) ? names[t->layout] : "unknown";
}

static void put_shape(tsr_buf *b, const tsr_tensor *t, const char *separator) {
  tsr_buf_putc(b, '[');
  for (int i = 0; i < t->ndim; i++) tsr_buf_printf(b, "%s%lld", i == 0 ? "" : separator, (long long)t->size[i]);
  tsr_buf_putc(b, ']');
}

/* Items of an object as shown: its slots with their names, None left out. */
static bool show_slot(const tsr_object *o, uint32_t i) { return o->slots[i].tag != TSR_V_NONE; }

/* ---- text ---- */

static void indent(description *d, int depth) {
  for (int i = 0; i < depth && i < 40; i++) tsr_buf_puts(d->b, "  ");
}

static void text_value(description *d, tsr_val v, int depth);

static void text_line(description *d, const char *name, size_t len, tsr_val v, int depth) {
  indent(d, depth);
  tsr_buf_put(d->b, name, len);
  for (size_t pad = len; pad + (size_t)depth * 2 < 30; pad++) tsr_buf_putc(d->b, ' ');
  tsr_buf_puts(d->b, "  ");
  text_value(d, v, depth);
}

static void text_items(description *d, const tsr_val *items, size_t n, int depth) {
  tsr_buf name = {0};
  for (size_t i = 0; i < n && i < MAX_LIST_ITEMS; i++) {
    name.len = 0;
    tsr_buf_printf(&name, "%zu", i);
    text_line(d, name.data, name.len, items[i], depth + 1);
  }
  tsr_buf_dispose(&name);
  if (n > MAX_LIST_ITEMS) {
    indent(d, depth + 1);
    tsr_buf_printf(d->b, "... %zu more\n", n - MAX_LIST_ITEMS);
  }
}

static void text_dict(description *d, tsr_val v, int depth) {
  tsr_buf_printf(d->b, "dict of %zu%s\n", v.m->count, tsr_is_state_dict(v) ? " (state dict)" : "");
  for (size_t i = tsr_dict_next(v.m, 0); i < v.m->used; i = tsr_dict_next(v.m, i + 1)) {
    tsr_buf name = {0};
    put_key(&name, v.m->entries[i].key);
    text_line(d, name.data != NULL ? name.data : "", name.len, v.m->entries[i].value, depth + 1);
    tsr_buf_dispose(&name);
  }
}

static void text_object(description *d, const tsr_object *o, int depth) {
  tsr_buf_printf(d->b, "object of class %s\n", tsr_show(o->cls->name, strlen(o->cls->name)).text);
  for (uint32_t i = 0; i < o->count && i < o->cls->attr_count; i++)
    if (show_slot(o, i)) text_line(d, o->cls->attr_names[i], strlen(o->cls->attr_names[i]), o->slots[i], depth + 1);
}

static void text_tensor(description *d, const tsr_tensor *t) {
  tsr_buf_printf(d->b, "%s ", tsr_dtype_name((tsr_dtype)t->dtype));
  put_shape(d->b, t, ", ");
  if (t->layout != 0)
    tsr_buf_printf(d->b, " %s", layout_name(t));
  else if (t->numel > 0 && !t->storage->absent && !tsr_tensor_is_contiguous(t))
    tsr_buf_puts(d->b, " strided");
  if (t->requires_grad) tsr_buf_puts(d->b, " requires_grad");
  if (t->storage->saved_on.type != 0) {
    tsr_buf_puts(d->b, " saved on ");
    tsr_val_print(tsr_device_val(t->storage->saved_on), d->b);
  }
  if (t->storage->absent) tsr_buf_puts(d->b, " (no data)");
  tsr_buf_putc(d->b, '\n');
}

/* ---- pickled modules: what describes them, then weights and children ---- */

static void text_settings(description *d, const tsr_pmodule *m) {
  for (size_t i = tsr_dict_next(m->state, 0); i < m->state->used; i = tsr_dict_next(m->state, i + 1)) {
    const tsr_entry *e = &m->state->entries[i];
    tsr_buf text = {0};
    if (!tsr_pmodule_is_setting(e)) continue;
    if (e->value.tag == TSR_V_FLOAT)
      tsr_buf_put_double(&text, e->value.d, false);
    else
      tsr_val_print(e->value, &text);
    tsr_buf_printf(d->b, " %s=%s", tsr_show(e->key.s->bytes, e->key.s->len).text, tsr_show(text.data == NULL ? "" : text.data, TSR_MIN(text.len, (size_t)MAX_TEXT_WIDTH)).text);
    tsr_buf_dispose(&text);
  }
}

static void text_module(description *d, const tsr_pmodule *m, int depth) {
  const tsr_dict *const parts[] = {m->params, m->buffers, m->children};
  tsr_buf_puts(d->b, tsr_show(m->cls, strlen(m->cls)).text);
  text_settings(d, m);
  tsr_buf_putc(d->b, '\n');
  for (size_t k = 0; k < TSR_COUNT(parts); k++)
    for (size_t i = tsr_dict_next(parts[k], 0); i < parts[k]->used; i = tsr_dict_next(parts[k], i + 1)) {
      tsr_buf name = {0};
      if (parts[k]->entries[i].value.tag == TSR_V_NONE) continue;
      put_key(&name, parts[k]->entries[i].key);
      text_line(d, name.data != NULL ? name.data : "", name.len, parts[k]->entries[i].value, depth + 1);
      tsr_buf_dispose(&name);
    }
}

static void text_str(description *d, const tsr_str *s) {
  tsr_buf_putc(d->b, '"');
  tsr_buf_puts(d->b, tsr_show(s->bytes, TSR_MIN(s->len, (size_t)MAX_TEXT_WIDTH)).text);
  if (s->len > MAX_TEXT_WIDTH)
    tsr_buf_printf(d->b, "\"... (%zu bytes)\n", s->len);
  else
    tsr_buf_puts(d->b, "\"\n");
}

static void text_value(description *d, tsr_val v, int depth) {
  bool nest = v.tag == TSR_V_LIST || v.tag == TSR_V_TUPLE || v.tag == TSR_V_DICT || v.tag == TSR_V_OBJECT;
  if (nest && !first_time(d, &d->shown, v.o)) {
    tsr_buf_puts(d->b, "(the same as above)\n");
    return;
  }
  switch (v.tag) {
  case TSR_V_TENSOR:
    text_tensor(d, v.t);
    break;
  case TSR_V_DICT:
    text_dict(d, v, depth);
    break;
  case TSR_V_LIST:
    tsr_buf_printf(d->b, "list of %zu\n", v.l->len);
    text_items(d, v.l->items, v.l->len, depth);
    break;
  case TSR_V_TUPLE:
    tsr_buf_printf(d->b, "tuple of %zu\n", v.u->len);
    text_items(d, v.u->items, v.u->len, depth);
    break;
  case TSR_V_OBJECT: {
    tsr_pmodule m;
    if (tsr_pmodule_of(v, &m))
      text_module(d, &m, depth);
    else
      text_object(d, v.obj, depth);
    break;
  }
  case TSR_V_STR:
    text_str(d, v.s);
    break;
  case TSR_V_FLOAT:
    tsr_buf_put_double(d->b, v.d, false);
    tsr_buf_putc(d->b, '\n');
    break;
  default:
    tsr_val_print(v, d->b);
    tsr_buf_putc(d->b, '\n');
    break;
  }
}

#define MODULE_NAME "a whole module of torch.save"
#define MODULE_ADVICE "tsrun runs it when it is made of torch.nn layers in order; its weights load like a state dict"

static void text_head(description *d, bool module) {
  size_t len;
  tsr_file_kind k = tsr_archive_kind(d->a);
  tsr_archive_bytes(d->a, &len);
  tsr_buf_printf(d->b, "kind      %s\n", module ? MODULE_NAME : tsr_file_kind_name(k));
  if (k != TSR_FILE_DIRECTORY) tsr_buf_printf(d->b, "size      %s\n", tsr_show_bytes(len).text);
  if (tsr_archive_entry_count(d->a) > 0) tsr_buf_printf(d->b, "entries   %zu\n", tsr_archive_entry_count(d->a));
  if (tsr_archive_is_big_endian(d->a)) tsr_buf_puts(d->b, "byteorder big-endian\n");
  if (module || *tsr_file_kind_advice(k) != '\0') tsr_buf_printf(d->b, "advice    %s\n", module ? MODULE_ADVICE : tsr_file_kind_advice(k));
}

static void text_tree(description *d, tsr_val v) {
  tsr_buf_printf(d->b, "tensors   %llu, %llu elements, %s\n", (unsigned long long)d->tensors,
                 (unsigned long long)d->elements, tsr_show_bytes(d->bytes).text);
  if (d->metadata.len > 0) tsr_buf_put(d->b, d->metadata.data, d->metadata.len);
  tsr_summary_print(v, false, d->b, &d->oom);
  if (d->class_count > 0) tsr_buf_puts(d->b, "classes   (named in the file, not loaded; torch.load(weights_only=True) would refuse them)\n");
  for (size_t i = 0; i < d->class_count; i++)
    tsr_buf_printf(d->b, "  %s  %llu\n", tsr_show(d->classes[i].name, strlen(d->classes[i].name)).text,
                   (unsigned long long)d->classes[i].count);
  tsr_buf_putc(d->b, '\n');
  text_value(d, v, 0);
}

static void text_entries(description *d) {
  tsr_buf_putc(d->b, '\n');
  for (size_t i = 0; i < tsr_archive_entry_count(d->a); i++) {
    tsr_entry_info t;
    tsr_archive_entry(d->a, i, &t);
    tsr_buf_printf(d->b, "%12llu  %s  %s\n", (unsigned long long)t.size, t.stored ? "stored  " : "deflated",
                   tsr_show(t.name, t.name_len).text);
  }
}

/* ---- JSON ---- */

static void json_value(description *d, tsr_val v);

static void json_pair(tsr_buf *b, const char *key, const char *value) {
  tsr_json_put_str(b, key, strlen(key));
  tsr_buf_putc(b, ':');
  tsr_json_put_str(b, value, strlen(value));
}

static void json_named(description *d, tsr_val name, tsr_val v) {
  tsr_buf text = {0};
  if (name.tag == TSR_V_STR)
    tsr_buf_put(&text, name.s->bytes, name.s->len);
  else
    tsr_val_print(name, &text);
  tsr_buf_puts(d->b, "{\"name\":");
  tsr_json_put_str(d->b, text.data != NULL ? text.data : "", text.len);
  tsr_buf_puts(d->b, ",\"value\":");
  json_value(d, v);
  tsr_buf_putc(d->b, '}');
  tsr_buf_dispose(&text);
}

static void json_items(description *d, const char *type, const tsr_val *items, size_t n) {
  tsr_buf_printf(d->b, "{\"type\":\"%s\",\"count\":%zu,\"items\":[", type, n);
  for (size_t i = 0; i < n && i < MAX_LIST_ITEMS; i++) {
    if (i > 0) tsr_buf_putc(d->b, ',');
    json_value(d, items[i]);
  }
  tsr_buf_puts(d->b, "]}");
}

static void json_dict(description *d, tsr_val v) {
  bool first = true;
  tsr_buf_printf(d->b, "{\"type\":\"dict\",\"count\":%zu,\"state_dict\":%s,\"items\":[", v.m->count,
                 tsr_is_state_dict(v) ? "true" : "false");
  for (size_t i = tsr_dict_next(v.m, 0); i < v.m->used; i = tsr_dict_next(v.m, i + 1)) {
    if (!first) tsr_buf_putc(d->b, ',');
    first = false;
    json_named(d, v.m->entries[i].key, v.m->entries[i].value);
  }
  tsr_buf_puts(d->b, "]}");
}

static void json_object(description *d, const tsr_object *o) {
  tsr_buf_puts(d->b, "{\"type\":\"object\",");
  json_pair(d->b, "class", o->cls->name);
  for (uint32_t i = 0; i < o->count && i < o->cls->attr_count; i++) {
    if (!show_slot(o, i)) continue;
    tsr_buf_putc(d->b, ',');
    tsr_json_put_str(d->b, o->cls->attr_names[i], strlen(o->cls->attr_names[i]));
    tsr_buf_putc(d->b, ':');
    json_value(d, o->slots[i]);
  }
  tsr_buf_putc(d->b, '}');
}

static void json_tensor(description *d, const tsr_tensor *t) {
  tsr_buf_printf(d->b, "{\"type\":\"Tensor\",\"dtype\":\"%s\",\"shape\":", tsr_dtype_name((tsr_dtype)t->dtype));
  put_shape(d->b, t, ",");
  if (t->layout != 0) {
    tsr_buf_putc(d->b, ',');
    json_pair(d->b, "layout", layout_name(t));
  }
  if (t->storage->saved_on.type != 0) {
    tsr_buf text = {0};
    tsr_val_print(tsr_device_val(t->storage->saved_on), &text);
    tsr_buf_putc(d->b, ',');
    json_pair(d->b, "saved_on", text.data == NULL ? "" : text.data);
    tsr_buf_dispose(&text);
  }
  tsr_buf_printf(d->b, ",\"has_data\":%s,\"requires_grad\":%s}", t->storage->absent ? "false" : "true", t->requires_grad ? "true" : "false");
}

static void json_part(description *d, const char *name, const tsr_dict *part) {
  bool first = true;
  tsr_buf_printf(d->b, ",\"%s\":[", name);
  for (size_t i = tsr_dict_next(part, 0); i < part->used; i = tsr_dict_next(part, i + 1)) {
    if (part->entries[i].value.tag == TSR_V_NONE) continue;
    if (!first) tsr_buf_putc(d->b, ',');
    first = false;
    json_named(d, part->entries[i].key, part->entries[i].value);
  }
  tsr_buf_putc(d->b, ']');
}

static void json_module(description *d, const tsr_pmodule *m) {
  bool first = true;
  tsr_buf_puts(d->b, "{\"type\":\"module\",");
  json_pair(d->b, "class", m->cls);
  tsr_buf_puts(d->b, ",\"settings\":[");
  for (size_t i = tsr_dict_next(m->state, 0); i < m->state->used; i = tsr_dict_next(m->state, i + 1)) {
    if (!tsr_pmodule_is_setting(&m->state->entries[i])) continue;
    if (!first) tsr_buf_putc(d->b, ',');
    first = false;
    json_named(d, m->state->entries[i].key, m->state->entries[i].value);
  }
  tsr_buf_putc(d->b, ']');
  json_part(d, "parameters", m->params);
  json_part(d, "buffers", m->buffers);
  json_part(d, "children", m->children);
  tsr_buf_putc(d->b, '}');
}

static void json_scalar(description *d, tsr_val v) {
  tsr_buf_printf(d->b, "{\"type\":\"%s\",\"value\":", tsr_tag_name(v));
  switch (v.tag) {
  case TSR_V_NONE:
    tsr_buf_puts(d->b, "null");
    break;
  case TSR_V_BOOL:
    tsr_buf_puts(d->b, v.b ? "true" : "false");
    break;
  case TSR_V_INT:
    tsr_buf_printf(d->b, "%lld", (long long)v.i);
    break;
  case TSR_V_FLOAT:
    tsr_buf_put_double(d->b, v.d, false);
    break;
  case TSR_V_STR:
    tsr_json_put_str(d->b, v.s->bytes, v.s->len);
    break;
  default: {
    tsr_buf text = {0};
    tsr_val_print(v, &text);
    tsr_json_put_str(d->b, text.data != NULL ? text.data : "", text.len);
    tsr_buf_dispose(&text);
  }
  }
  tsr_buf_putc(d->b, '}');
}

static void json_value(description *d, tsr_val v) {
  bool nest = v.tag == TSR_V_LIST || v.tag == TSR_V_TUPLE || v.tag == TSR_V_DICT || v.tag == TSR_V_OBJECT;
  if (nest && !first_time(d, &d->shown, v.o)) {
    tsr_buf_puts(d->b, "{\"type\":\"shared\"}");
    return;
  }
  switch (v.tag) {
  case TSR_V_TENSOR:
    json_tensor(d, v.t);
    break;
  case TSR_V_DICT:
    json_dict(d, v);
    break;
  case TSR_V_LIST:
    json_items(d, "list", v.l->items, v.l->len);
    break;
  case TSR_V_TUPLE:
    json_items(d, "tuple", v.u->items, v.u->len);
    break;
  case TSR_V_OBJECT: {
    tsr_pmodule m;
    if (tsr_pmodule_of(v, &m))
      json_module(d, &m);
    else
      json_object(d, v.obj);
    break;
  }
  default:
    json_scalar(d, v);
    break;
  }
}

static void json_head(description *d, bool module) {
  size_t len;
  tsr_file_kind k = tsr_archive_kind(d->a);
  tsr_archive_bytes(d->a, &len);
  tsr_buf_putc(d->b, '{');
  json_pair(d->b, "kind", tsr_file_kind_id(k));
  tsr_buf_putc(d->b, ',');
  json_pair(d->b, "description", module ? MODULE_NAME : tsr_file_kind_name(k));
  if (module || *tsr_file_kind_advice(k) != '\0') {
    tsr_buf_putc(d->b, ',');
    json_pair(d->b, "advice", module ? MODULE_ADVICE : tsr_file_kind_advice(k));
  }
  tsr_buf_printf(d->b, ",\"bytes\":%zu,\"entries\":%zu,\"big_endian\":%s", len, tsr_archive_entry_count(d->a),
                 tsr_archive_is_big_endian(d->a) ? "true" : "false");
}

static void json_tree(description *d, tsr_val v) {
  tsr_buf_printf(d->b, ",\"tensors\":%llu,\"elements\":%llu,\"tensor_bytes\":%llu", (unsigned long long)d->tensors,
                 (unsigned long long)d->elements, (unsigned long long)d->bytes);
  if (d->metadata.len > 0) tsr_buf_printf(d->b, ",\"metadata\":{%s}", d->metadata.data);
  tsr_summary_print(v, true, d->b, &d->oom);
  tsr_buf_puts(d->b, ",\"classes\":[");
  for (size_t i = 0; i < d->class_count; i++) {
    tsr_buf_puts(d->b, i == 0 ? "{" : ",{");
    json_pair(d->b, "name", d->classes[i].name);
    tsr_buf_printf(d->b, ",\"count\":%llu}", (unsigned long long)d->classes[i].count);
  }
  tsr_buf_puts(d->b, "],\"tree\":");
  json_value(d, v);
}

static void json_entries(description *d) {
  tsr_buf_puts(d->b, ",\"entry_list\":[");
  for (size_t i = 0; i < tsr_archive_entry_count(d->a); i++) {
    tsr_entry_info t;
    tsr_archive_entry(d->a, i, &t);
    tsr_buf_puts(d->b, i == 0 ? "{\"name\":" : ",{\"name\":");
    tsr_json_put_str(d->b, t.name, t.name_len);
    tsr_buf_printf(d->b, ",\"bytes\":%llu,\"stored\":%s}", (unsigned long long)t.size, t.stored ? "true" : "false");
  }
  tsr_buf_putc(d->b, ']');
}

/* ---- reading what is described ---- */

static tsr_status on_tensor(void *user, const char *name, size_t name_len, tsr_dtype dtype, int ndim,
                            const int64_t *size, const void *data, size_t nbytes) {
  TSR_UNUSED(user), TSR_UNUSED(name), TSR_UNUSED(name_len), TSR_UNUSED(dtype), TSR_UNUSED(ndim), TSR_UNUSED(size),
      TSR_UNUSED(data), TSR_UNUSED(nbytes);
  return TSR_OK;
}

static tsr_status on_metadata(void *user, const char *key, size_t key_len, const char *value, size_t value_len) {
  description *d = user;
  tsr_buf *b = &d->metadata;
  if (d->json) {
    if (b->len > 0) tsr_buf_putc(b, ',');
    tsr_json_put_str(b, key, key_len);
    tsr_buf_putc(b, ':');
    tsr_json_put_str(b, value, value_len);
  } else {
    tsr_buf_printf(b, "metadata  %s = %s\n", tsr_show(key, key_len).text, tsr_show(value, value_len).text);
  }
  return b->oom ? tsr_fail_nomem(d->e) : TSR_OK;
}

/* *known: the kind has values. */
static tsr_status load(description *d, tsr_mem *mem, tsr_types *types, bool *known, tsr_val *out) {
  tsr_file_env env = {mem, types, d->e};
  tsr_safetensors_visitor visitor = {d, on_tensor, on_metadata};
  size_t len;
  const void *bytes = tsr_archive_bytes(d->a, &len);
  *known = true;
  switch (tsr_archive_kind(d->a)) {
  case TSR_FILE_TORCH_ZIP:
  case TSR_FILE_TORCH_STREAM:
  case TSR_FILE_TORCH_TAR:
  case TSR_FILE_PICKLE:
  case TSR_FILE_TORCHSCRIPT:
  case TSR_FILE_LITE:
    return tsr_torch_load(d->a, mem, types, d->e, out);
  case TSR_FILE_NPZ:
    return tsr_npz_load(&env, d->a, out);
  case TSR_FILE_NPY:
    return tsr_npy_load(&env, d->a, out);
  case TSR_FILE_SAFETENSORS:
    TSR_TRY(tsr_safetensors_visit(d->e, bytes, len, &visitor));
    return tsr_safetensors_load(&env, d->a, out);
  default:
    *known = false;
    return TSR_OK;
  }
}

static tsr_status describe(tsr_archive *a, tsr_mem *mem, tsr_types *types, tsr_errrec *e, bool json, tsr_buf *out) {
  description d = {.a = a, .e = e, .b = out, .json = json};
  tsr_val v = tsr_none();
  bool known = false;
  tsr_status st = load(&d, mem, types, &known, &v);
  if (st == TSR_OK) {
    count(&d, v);
    (json ? json_head : text_head)(&d, tsr_pmodule_of(v, &(tsr_pmodule){0}));
    if (known)
      (json ? json_tree : text_tree)(&d, v);
    else if (tsr_archive_entry_count(a) > 0)
      (json ? json_entries : text_entries)(&d);
    else if (tsr_archive_kind(a) == TSR_FILE_DIRECTORY && tsr_archive_path(a) != NULL)
      st = tsr_folder_print(tsr_archive_path(a), json, e, out);
    if (json) tsr_buf_puts(out, "}\n");
  }
  if (st == TSR_OK && (d.oom || out->oom || d.metadata.oom)) st = tsr_fail_nomem(e);
  tsr_release(v);
  tsr_umap_dispose(&d.seen);
  tsr_umap_dispose(&d.shown);
  tsr_buf_dispose(&d.metadata);
  free(d.classes);
  return st;
}

tsr_status tsr_describe_file(tsr_archive *a, tsr_mem *mem, tsr_types *types, tsr_errrec *e, bool json,
                             tsr_write_fn write, void *user) {
  tsr_buf b = {0};
  tsr_status st = describe(a, mem, types, e, json, &b);
  if (st == TSR_OK && b.len > 0) write(user, b.data, b.len);
  tsr_buf_dispose(&b);
  return st;
}

tsr_status tsr_describe(tsr_archive *a, bool json, tsr_errrec *e, tsr_buf *out) {
  tsr_mem *mem = tsr_mem_new(0);
  tsr_types *types = tsr_types_new();
  tsr_status st = mem != NULL && types != NULL ? describe(a, mem, types, e, json, out) : tsr_fail_nomem(e);
  if (types != NULL) tsr_types_release(types);
  if (mem != NULL) tsr_mem_close(mem);
  return st;
}
