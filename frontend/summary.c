/* See summary.h. */
#include "frontend/summary.h"

#include "frontend/json.h"
#include "frontend/pmodule.h"
#include "frontend/text.h"

enum { MAX_ROWS = 64, MAX_WIDTH = 60, MAX_DEPTH = 6, MAX_VISITS = 100000 };

/* ---- counting ---- */

static void tally(tsr_tally *t, tsr_val v, tsr_umap *visited, int depth) {
  if (depth > TSR_MAX_DEPTH || t->oom || !tsr_is_boxed(v)) return;
  if (v.tag != TSR_V_TENSOR) { /* a shared container is counted once */
    if (tsr_umap_get(visited, (uint64_t)(uintptr_t)v.o) != NULL) return;
    if (!tsr_umap_set(visited, (uint64_t)(uintptr_t)v.o, 1)) t->oom = true;
  }
  switch (v.tag) {
  case TSR_V_TENSOR:
    t->tensors++;
    if (__builtin_add_overflow(t->elements, (uint64_t)v.t->numel, &t->elements)) t->elements = UINT64_MAX;
    if (tsr_umap_get(&t->seen, (uint64_t)(uintptr_t)v.t->storage) != NULL) return;
    if (!tsr_umap_set(&t->seen, (uint64_t)(uintptr_t)v.t->storage, 1)) t->oom = true;
    if (!v.t->storage->absent) t->bytes += v.t->storage->nbytes;
    break;
  case TSR_V_LIST:
    for (size_t i = 0; i < v.l->len; i++) tally(t, v.l->items[i], visited, depth + 1);
    break;
  case TSR_V_TUPLE:
    for (size_t i = 0; i < v.u->len; i++) tally(t, v.u->items[i], visited, depth + 1);
    break;
  case TSR_V_DICT:
    for (size_t i = tsr_dict_next(v.m, 0); i < v.m->used; i = tsr_dict_next(v.m, i + 1)) tally(t, v.m->entries[i].value, visited, depth + 1);
    break;
  case TSR_V_OBJECT:
    for (uint32_t i = 0; i < v.obj->count; i++) tally(t, v.obj->slots[i], visited, depth + 1);
    break;
  default:
    break;
  }
}

void tsr_tally_add(tsr_tally *t, tsr_val v) {
  tsr_umap visited = {0};
  tally(t, v, &visited, 0);
  tsr_umap_dispose(&visited);
}

void tsr_tally_dispose(tsr_tally *t) { tsr_umap_dispose(&t->seen); }

/* ---- recognising ---- */

bool tsr_is_state_dict(tsr_val v) {
  bool proper;
  return tsr_state_dict_tensors(v, &proper) > 0 && proper;
}

static const tsr_list *groups_of(tsr_val v) {
  const tsr_val *groups = v.tag == TSR_V_DICT ? tsr_dict_lookup(v.m, "param_groups") : NULL;
  return groups != NULL && groups->tag == TSR_V_LIST && tsr_dict_lookup(v.m, "state") != NULL ? groups->l : NULL;
}

/* Optimizers do not write their names: the options of a group tell. */
const char *tsr_optimizer_kind(tsr_val v) {
  static const struct { const char *option, *kind; } rows[] = {
      {"momentum_decay", "NAdam"}, {"etas", "Rprop"}, {"rho", "Adadelta"}, {"initial_accumulator_value", "Adagrad"}, {"history_size", "LBFGS"},
      {"centered", "RMSprop"}, {"lambd", "ASGD"}, {"beta2_decay", "Adafactor"}, {"ns_coefficients", "Muon"}, {"amsgrad", "Adam or AdamW"}, {"nesterov", "SGD"}};
  const tsr_list *groups = groups_of(v);
  if (groups == NULL) return NULL;
  if (groups->len == 0 || groups->items[0].tag != TSR_V_DICT) return "unknown kind";
  const tsr_dict *g = groups->items[0].m;
  const tsr_val *decoupled = tsr_dict_lookup(g, "decoupled_weight_decay");
  if (decoupled != NULL && decoupled->tag == TSR_V_BOOL && tsr_dict_lookup(g, "amsgrad") != NULL) return decoupled->b ? "AdamW" : "Adam";
  for (size_t i = 0; i < TSR_COUNT(rows); i++)
    if (tsr_dict_lookup(g, rows[i].option) != NULL) return rows[i].kind;
  return tsr_dict_lookup(g, "betas") != NULL ? "Adam-like" : "unknown kind";
}

/* ---- rows ---- */

typedef struct summary {
  tsr_buf *b;
  bool json, oom;
  size_t rows, visits;
  tsr_buf path;
} summary;

static void cut(summary *s, size_t len) {
  s->path.len = len;
  if (s->path.data != NULL) s->path.data[len] = '\0';
}

static void put_key(tsr_buf *b, tsr_val key) {
  if (key.tag == TSR_V_STR) tsr_buf_put(b, key.s->bytes, key.s->len);
  else tsr_val_print(key, b);
}

/* path: of the containers above, with a dot at its end, or empty. */
static void begin_row(summary *s, tsr_val key, const char *kind) {
  size_t before = s->path.len;
  put_key(&s->path, key);
  const char *name = s->path.data == NULL ? "" : s->path.data;
  if (s->json) {
    tsr_buf_puts(s->b, s->rows == 0 ? "{\"name\":" : ",{\"name\":");
    tsr_json_put_str(s->b, name, s->path.len);
    tsr_buf_printf(s->b, ",\"kind\":\"%s\"", kind);
  } else {
    if (s->rows == 0) tsr_buf_puts(s->b, "summary\n");
    tsr_buf_printf(s->b, "  %-26s  ", tsr_show(name, s->path.len).text);
  }
  s->rows++;
  cut(s, before);
}

static void end_row(summary *s) { tsr_buf_puts(s->b, s->json ? "}" : "\n"); }

static void put_tally(summary *s, tsr_val v) {
  tsr_tally t = {0};
  tsr_tally_add(&t, v);
  if (s->json)
    tsr_buf_printf(s->b, ",\"tensors\":%llu,\"elements\":%llu,\"bytes\":%llu", (unsigned long long)t.tensors, (unsigned long long)t.elements, (unsigned long long)t.bytes);
  else
    tsr_buf_printf(s->b, "%llu tensor%s, %llu elements, %s", (unsigned long long)t.tensors, t.tensors == 1 ? "" : "s", (unsigned long long)t.elements, tsr_show_bytes(t.bytes).text);
  s->oom |= t.oom;
  tsr_tally_dispose(&t);
}

static void put_number(tsr_buf *b, tsr_val v) {
  if (v.tag == TSR_V_FLOAT) tsr_buf_put_double(b, v.d, false);
  else tsr_val_print(v, b);
}

static void put_optimizer(summary *s, tsr_val v) {
  const tsr_list *groups = groups_of(v);
  const tsr_val *state = tsr_dict_lookup(v.m, "state");
  size_t params = state->tag == TSR_V_DICT ? state->m->count : 0;
  tsr_buf_printf(s->b, s->json ? ",\"optimizer\":\"%s\",\"groups\":%zu,\"lr\":[" : "optimizer (%s), %zu group%s, lr ", tsr_optimizer_kind(v), groups->len, groups->len == 1 ? "" : "s");
  for (size_t i = 0; i < groups->len && i < 8; i++) {
    const tsr_val *lr = groups->items[i].tag == TSR_V_DICT ? tsr_dict_lookup(groups->items[i].m, "lr") : NULL;
    if (i > 0) tsr_buf_puts(s->b, s->json ? "," : " ");
    if (lr != NULL && (lr->tag == TSR_V_FLOAT || lr->tag == TSR_V_INT)) put_number(s->b, *lr);
    else tsr_buf_puts(s->b, s->json ? "null" : "?");
  }
  tsr_buf_printf(s->b, s->json ? "],\"parameters_with_state\":%zu" : ", state of %zu parameters: ", params);
  put_tally(s, *state);
}

static void put_scalar(summary *s, tsr_val key, tsr_val v) {
  begin_row(s, key, "value");
  if (s->json) tsr_buf_puts(s->b, ",\"value\":");
  if (v.tag == TSR_V_STR && s->json) tsr_json_put_str(s->b, v.s->bytes, v.s->len);
  else if (v.tag == TSR_V_STR) tsr_buf_printf(s->b, "\"%s\"", tsr_show(v.s->bytes, TSR_MIN(v.s->len, (size_t)MAX_WIDTH)).text);
  else if (v.tag == TSR_V_BOOL && s->json) tsr_buf_puts(s->b, v.b ? "true" : "false");
  else put_number(s->b, v);
  end_row(s);
}

static void put_module(summary *s, tsr_val key, tsr_val v, const tsr_pmodule *m) {
  begin_row(s, key, "module");
  if (s->json) {
    tsr_buf_puts(s->b, ",\"class\":");
    tsr_json_put_str(s->b, m->cls, strlen(m->cls));
  } else {
    tsr_buf_printf(s->b, "module %s: ", tsr_show(m->cls, strlen(m->cls)).text);
  }
  put_tally(s, v);
  end_row(s);
}

static void put_row(summary *s, tsr_val key, tsr_val v, int depth);

/* What lies deeper: only state dicts, optimizers and modules get a row. */
static void put_below(summary *s, tsr_val key, tsr_val v, int depth) {
  const tsr_dict *d = tsr_pickled_dict(v);
  size_t before = s->path.len, n = v.tag == TSR_V_LIST ? v.l->len : v.tag == TSR_V_TUPLE ? v.u->len : 0;
  if (depth == MAX_DEPTH || (d == NULL && n == 0)) return;
  put_key(&s->path, key);
  tsr_buf_putc(&s->path, '.');
  for (size_t i = d != NULL ? tsr_dict_next(d, 0) : 0; d != NULL && i < d->used && s->rows < MAX_ROWS && s->visits < MAX_VISITS; i = tsr_dict_next(d, i + 1))
    put_row(s, d->entries[i].key, d->entries[i].value, depth + 1);
  for (size_t i = 0; i < n && s->rows < MAX_ROWS && s->visits < MAX_VISITS; i++)
    put_row(s, tsr_int((int64_t)i), v.tag == TSR_V_LIST ? v.l->items[i] : v.u->items[i], depth + 1);
  cut(s, before);
}

static void put_row(summary *s, tsr_val key, tsr_val v, int depth) {
  tsr_pmodule m;
  s->visits++;
  if (v.tag == TSR_V_BOOL || v.tag == TSR_V_INT || v.tag == TSR_V_FLOAT || v.tag == TSR_V_STR) {
    if (depth == 0) put_scalar(s, key, v);
  } else if (tsr_optimizer_kind(v) != NULL) {
    begin_row(s, key, "optimizer");
    put_optimizer(s, v);
    end_row(s);
  } else if (tsr_is_state_dict(v)) {
    begin_row(s, key, "state_dict");
    if (!s->json) tsr_buf_puts(s->b, "state dict: ");
    put_tally(s, v);
    end_row(s);
  } else if (tsr_pmodule_of(v, &m)) {
    if (depth == 0 || tsr_pmodule_tensors(&m) > 0) put_module(s, key, v, &m);
  } else {
    put_below(s, key, v, depth);
  }
}

void tsr_summary_print(tsr_val v, bool json, tsr_buf *b, bool *oom) {
  summary s = {.b = b, .json = json};
  if (json) tsr_buf_puts(b, ",\"summary\":[");
  if (v.tag == TSR_V_DICT && !tsr_is_state_dict(v))
    for (size_t i = tsr_dict_next(v.m, 0); i < v.m->used && s.rows < MAX_ROWS; i = tsr_dict_next(v.m, i + 1)) put_row(&s, v.m->entries[i].key, v.m->entries[i].value, 0);
  if (json) tsr_buf_putc(b, ']');
  *oom |= s.oom || s.path.oom;
  tsr_buf_dispose(&s.path);
}
