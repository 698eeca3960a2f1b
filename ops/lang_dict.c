/* Dictionaries of the language: one kernel an operation, one row a key type. */
#include <stdlib.h>

#include "ops/op.h"

static tsr_dict *dict_arg(const tsr_call *c, uint32_t i) { return c->args[i].m; }

static tsr_status key_error(tsr_call *c, tsr_val key) {
  tsr_buf text = {0};
  tsr_val_print(key, &text);
  tsr_status status = tsr_op_fail(c->ctx, "KeyError: %s", text.data != NULL ? text.data : "");
  tsr_buf_dispose(&text);
  return status;
}

static tsr_status ret_obj(tsr_call *c, void *object) {
  if (object == NULL) return tsr_ctx_nomem(c->ctx);
  c->rets[0] = tsr_from_obj(object);
  return TSR_OK;
}

TSR_KERNEL(len) { return tsr_ret_int(c, (int64_t)dict_arg(c, 0)->count); }
TSR_KERNEL(contains) { return tsr_ret_bool(c, tsr_dict_get(dict_arg(c, 0), c->args[1]) != NULL); }

TSR_KERNEL(getitem) {
  tsr_val *v = tsr_dict_get(dict_arg(c, 0), c->args[1]);
  return v == NULL ? key_error(c, c->args[1]) : tsr_ret(c, 0, *v);
}

TSR_KERNEL(get) { /* default: the third argument, None when there is none */
  tsr_val *v = tsr_dict_get(dict_arg(c, 0), c->args[1]);
  return tsr_ret(c, 0, v != NULL ? *v : c->nargs > 2 ? c->args[2] : tsr_none());
}

TSR_KERNEL(set_item) { return tsr_dict_set(dict_arg(c, 0), c->args[1], tsr_retain(c->args[2])) ? TSR_OK : tsr_ctx_nomem(c->ctx); }

TSR_KERNEL(setdefault) {
  tsr_val *v = tsr_dict_get(dict_arg(c, 0), c->args[1]);
  if (v != NULL) return tsr_ret(c, 0, *v);
  TSR_TRY(op_set_item(c));
  return tsr_ret(c, 0, c->args[2]);
}

TSR_KERNEL(delete) { return tsr_dict_erase(dict_arg(c, 0), c->args[1]) ? TSR_OK : key_error(c, c->args[1]); }

TSR_KERNEL(pop) {
  tsr_val *v = tsr_dict_get(dict_arg(c, 0), c->args[1]);
  if (v == NULL) return c->nargs > 2 ? tsr_ret(c, 0, c->args[2]) : key_error(c, c->args[1]);
  tsr_ret(c, 0, *v);
  tsr_dict_erase(dict_arg(c, 0), c->args[1]);
  return TSR_OK;
}

static const tsr_type *item_type(tsr_call *c, const tsr_dict *d) {
  if (c->ctx->types == NULL || d->key_type == NULL || d->value_type == NULL) return NULL;
  const tsr_type *pair[] = {d->key_type, d->value_type};
  return tsr_type_tuple(c->ctx->types, pair, 2);
}

static tsr_tuple *pair_of(tsr_call *c, const tsr_entry *e) {
  tsr_tuple *u = tsr_tuple_new(c->ctx->mem, NULL, 2);
  if (u == NULL) return NULL;
  u->items[0] = tsr_retain(e->key);
  u->items[1] = tsr_retain(e->value);
  return u;
}

TSR_KERNEL(popitem) { /* the first one, unlike Python */
  tsr_dict *d = dict_arg(c, 0);
  size_t i = tsr_dict_next(d, 0);
  if (i >= d->used) return tsr_op_fail(c->ctx, "popitem(): dictionary is empty");
  TSR_TRY(ret_obj(c, pair_of(c, &d->entries[i])));
  tsr_dict_erase(d, d->entries[i].key);
  return TSR_OK;
}

TSR_KERNEL(keys) {
  tsr_dict *d = dict_arg(c, 0);
  tsr_list *l = tsr_list_new(c->ctx->mem, d->key_type, d->count);
  for (size_t i = tsr_dict_next(d, 0); l != NULL && i < d->used; i = tsr_dict_next(d, i + 1)) tsr_list_push_take(l, tsr_retain(d->entries[i].key));
  return ret_obj(c, l);
}

TSR_KERNEL(values) {
  tsr_dict *d = dict_arg(c, 0);
  tsr_list *l = tsr_list_new(c->ctx->mem, d->value_type, d->count);
  for (size_t i = tsr_dict_next(d, 0); l != NULL && i < d->used; i = tsr_dict_next(d, i + 1)) tsr_list_push_take(l, tsr_retain(d->entries[i].value));
  return ret_obj(c, l);
}

TSR_KERNEL(items) {
  tsr_dict *d = dict_arg(c, 0);
  tsr_list *l = tsr_list_new(c->ctx->mem, item_type(c, d), d->count);
  if (l == NULL) return tsr_ctx_nomem(c->ctx);
  TSR_TRY(tsr_temp(c->ctx, tsr_from_obj(l)));
  for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1)) {
    tsr_tuple *u = pair_of(c, &d->entries[i]);
    if (u == NULL) return tsr_ctx_nomem(c->ctx);
    tsr_list_push_take(l, tsr_from_obj(u));
  }
  return tsr_ret(c, 0, tsr_from_obj(l));
}

static tsr_status merge(tsr_call *c, tsr_dict *into, const tsr_dict *from) {
  for (size_t i = tsr_dict_next(from, 0); i < from->used; i = tsr_dict_next(from, i + 1)) {
    if (!tsr_dict_set(into, from->entries[i].key, tsr_retain(from->entries[i].value))) return tsr_ctx_nomem(c->ctx);
  }
  return TSR_OK;
}

TSR_KERNEL(update) { return dict_arg(c, 0) == dict_arg(c, 1) ? TSR_OK : merge(c, dict_arg(c, 0), dict_arg(c, 1)); }

TSR_KERNEL(copy) {
  tsr_dict *d = dict_arg(c, 0), *r = tsr_dict_new(c->ctx->mem, d->key_type, d->value_type);
  if (r == NULL) return tsr_ctx_nomem(c->ctx);
  TSR_TRY(tsr_temp(c->ctx, tsr_from_obj(r)));
  TSR_TRY(merge(c, r, d));
  return tsr_ret(c, 0, tsr_from_obj(r));
}

static int by_key(const void *a_, const void *b_) {
  tsr_val a = (*(const tsr_entry *const *)a_)->key, b = (*(const tsr_entry *const *)b_)->key;
  if (a.tag == TSR_V_FLOAT) return a.d < b.d ? -1 : a.d > b.d;
  if (a.tag != TSR_V_STR) return a.i < b.i ? -1 : a.i > b.i;
  int order = memcmp(a.s->bytes, b.s->bytes, TSR_MIN(a.s->len, b.s->len));
  return order ? order : a.s->len < b.s->len ? -1 : a.s->len > b.s->len;
}

/* A copy in the order of the keys: what programs of PyTorch 1.0 to 1.2 iterate over. */
TSR_KERNEL(sorted) {
  tsr_dict *d = dict_arg(c, 0), *r = tsr_dict_new(c->ctx->mem, d->key_type, d->value_type);
  if (r == NULL) return tsr_ctx_nomem(c->ctx);
  TSR_TRY(tsr_temp(c->ctx, tsr_from_obj(r)));
  const tsr_entry **order = tsr_scratch(c->ctx, (d->count + 1) * sizeof *order);
  if (order == NULL) return c->ctx->err.status;
  size_t n = 0;
  for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1)) order[n++] = &d->entries[i];
  qsort(order, n, sizeof *order, by_key);
  for (size_t i = 0; i < n; i++) {
    if (!tsr_dict_set(r, order[i]->key, tsr_retain(order[i]->value))) return tsr_ctx_nomem(c->ctx);
  }
  return tsr_ret(c, 0, tsr_from_obj(r));
}

TSR_KERNEL(clear) {
  tsr_dict_clear(dict_arg(c, 0));
  return TSR_OK;
}

TSR_KERNEL(from_pairs) {
  tsr_list *l = tsr_arg_list(c, 0);
  const tsr_type *pair = l->elem != NULL && l->elem->kind == TSR_T_TUPLE && l->elem->count == 2 ? l->elem : NULL;
  tsr_dict *r = tsr_dict_new(c->ctx->mem, pair != NULL ? pair->args[0] : NULL, pair != NULL ? pair->args[1] : NULL);
  if (r == NULL) return tsr_ctx_nomem(c->ctx);
  TSR_TRY(tsr_temp(c->ctx, tsr_from_obj(r)));
  for (size_t i = 0; i < l->len; i++) {
    const tsr_tuple *u = l->items[i].u;
    if (!tsr_dict_set(r, u->items[0], tsr_retain(u->items[1]))) return tsr_ctx_nomem(c->ctx);
  }
  return tsr_ret(c, 0, tsr_from_obj(r));
}

TSR_KERNEL(empty) { return ret_obj(c, tsr_dict_new(c->ctx->mem, &tsr_type_str, &tsr_type_tensor)); }

#define P TSR_PURE
#define N (TSR_PURE | TSR_NOOPT)
#define ROWS(K)                                                                                                       \
  {"aten::len.Dict_" K "(Dict(" K ", t) self) -> int", op_len, P},                                                    \
      {"aten::__contains__." K "(Dict(" K ", t) dict, " K " key) -> bool", op_contains, P},                           \
      {"aten::__getitem__.Dict_" K "(Dict(" K ", t) self, " K " key) -> t(*)", op_getitem, P},                        \
      {"aten::get." K "(Dict(" K ", t) self, " K " key) -> t(*)?", op_get, P},                                        \
      {"aten::get.default_" K "(Dict(" K ", t) self, " K " key, t default_value) -> t(*)", op_get, P},                \
      {"aten::_set_item." K "(Dict(" K ", t)(a!) l, " K "(b -> *) idx, t(c -> *) v) -> ()", op_set_item, 0},          \
      {"aten::setdefault." K "(Dict(" K ", t)(a!) self, " K "(b -> *) key, t(c -> *) default_value) -> t(*)", op_setdefault, 0}, \
      {"aten::Delete.Dict_" K "(Dict(" K ", t)(a!) self, " K " key) -> ()", op_delete, 0},                            \
      {"aten::pop.Dict_" K "(Dict(" K ", t)(a!) self, " K " key) -> t(*)", op_pop, 0},                                \
      {"aten::pop.Dict_default_" K "(Dict(" K ", t)(a!) self, " K " key, t default_value) -> t(*)", op_pop, 0},       \
      {"aten::popitem." K "(Dict(" K ", t)(a!) self) -> ((" K ", t))", op_popitem, 0},                                \
      {"aten::keys." K "(Dict(" K ", t) self) -> " K "[](*)", op_keys, N},                                            \
      {"aten::values." K "(Dict(" K ", t) self) -> t[](*)", op_values, N},                                            \
      {"aten::items." K "(Dict(" K ", t) self) -> ((" K ", t)[])", op_items, N},                                      \
      {"aten::update." K "(Dict(" K ", t)(a!) self, Dict(" K ", t)(a!) to_add) -> ()", op_update, 0},                 \
      {"aten::copy.Dict_" K "(Dict(" K ", t)(a) self) -> Dict(" K ", t)", op_copy, N},                                \
      {"aten::clear." K "(Dict(" K ", t)(a!) self) -> ()", op_clear, 0},                                              \
      {"aten::dict." K "((" K ", tVal)[] inputs) -> Dict(" K ", tVal)", op_from_pairs, N},                            \
      {"aten::dict.Dict_" K "(Dict(" K ", t)(a) self) -> Dict(" K ", t)", op_copy, N}

#define SORTED(K) {"tsr::sorted_dict." K "(Dict(" K ", t)(a) self) -> Dict(" K ", t)", op_sorted, N} /* programs of PyTorch 1.0 to 1.2 */

const tsr_op tsr_ops_lang_dict[] = {
    {"aten::dict() -> Dict(str, Tensor)", op_empty, N}, ROWS("str"), ROWS("int"), ROWS("bool"), ROWS("float"), ROWS("complex"), ROWS("Tensor"),
    SORTED("str"), SORTED("int"), SORTED("float"), {0}};
