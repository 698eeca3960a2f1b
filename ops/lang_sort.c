/* Sorting lists.
 *
 * Which of equal items comes first can be seen (objects with __lt__, tuples of them, -0.0, NaN), and PyTorch leaves it to
 * std::sort.  So the steps are those of the one that its builds use, libstdc++'s: quicksort around a median of three down to
 * FEW items, heapsort where that goes too deep, insertion at the end.  Unlike there, answers that contradict each other
 * (a method's, or those of NaN) never lead out of the list. */
#include "ops/lang.h"

static double number_of(tsr_val v) { return v.tag == TSR_V_FLOAT ? v.d : v.tag == TSR_V_BOOL ? (double)v.b : (double)v.i; }

static int compare_vals(tsr_val a, tsr_val b, int depth) {
  if (a.tag == TSR_V_STR && b.tag == TSR_V_STR) {
    int order = memcmp(a.s->bytes, b.s->bytes, TSR_MIN(a.s->len, b.s->len));
    return order != 0 ? order : (a.s->len > b.s->len) - (a.s->len < b.s->len);
  }
  if (a.tag == TSR_V_INT && b.tag == TSR_V_INT) return (a.i > b.i) - (a.i < b.i);
  const tsr_val *pa, *pb;
  size_t na, nb;
  if (a.tag == TSR_V_TUPLE && b.tag == TSR_V_TUPLE) pa = a.u->items, na = a.u->len, pb = b.u->items, nb = b.u->len;
  else if (a.tag == TSR_V_LIST && b.tag == TSR_V_LIST) pa = a.l->items, na = a.l->len, pb = b.l->items, nb = b.l->len;
  else {
    double x = number_of(a), y = number_of(b);
    return (x > y) - (x < y);
  }
  for (size_t i = 0; i < na && i < nb && depth < TSR_MAX_DEPTH; i++) {
    int order = compare_vals(pa[i], pb[i], depth + 1);
    if (order != 0) return order;
  }
  return (na > nb) - (na < nb);
}

int tsr_lang_compare(tsr_val a, tsr_val b) { return compare_vals(a, b, 0); }

static bool sortable(tsr_val v, int depth) {
  if (v.tag == TSR_V_TUPLE || v.tag == TSR_V_LIST) {
    const tsr_val *items = v.tag == TSR_V_TUPLE ? v.u->items : v.l->items;
    size_t n = v.tag == TSR_V_TUPLE ? v.u->len : v.l->len;
    for (size_t i = 0; i < n; i++) {
      if (depth > 64 || !sortable(items[i], depth + 1)) return false;
    }
    return true;
  }
  return v.tag == TSR_V_BOOL || v.tag == TSR_V_INT || v.tag == TSR_V_FLOAT || v.tag == TSR_V_STR;
}

/* Objects are compared by their class: a.__lt__(b); tuples by the first items that differ, where objects differ
 * unless they are the same, and NaN from everything. */
static tsr_status is_less(tsr_ctx *ctx, tsr_val a, tsr_val b, int depth, bool *less) {
  tsr_val out = tsr_none();
  *less = false;
  if (a.tag == TSR_V_TUPLE && b.tag == TSR_V_TUPLE && depth < TSR_MAX_DEPTH) {
    for (size_t i = 0; i < a.u->len && i < b.u->len; i++) {
      TSR_TRY(is_less(ctx, a.u->items[i], b.u->items[i], depth + 1, less));
      if (*less || !tsr_val_equal(a.u->items[i], b.u->items[i])) return TSR_OK;
    }
    return TSR_OK;
  }
  if (a.tag != TSR_V_OBJECT) {
    *less = compare_vals(a, b, 0) < 0;
    return TSR_OK;
  }
  if (b.tag == TSR_V_OBJECT && a.o == b.o) return TSR_OK;
  TSR_TRY(ctx->call_method(ctx, a, "__lt__", &b, 1, &out));
  *less = out.tag == TSR_V_BOOL && out.b;
  tsr_release(out);
  return TSR_OK;
}

/* Numbers and strings: in reverse NaN stands before everything, and everything before NaN. */
static tsr_status stands_before(tsr_ctx *ctx, tsr_val a, tsr_val b, bool reverse, bool *yes) {
  if (a.tag == TSR_V_INT && b.tag == TSR_V_INT) {
    *yes = reverse ? a.i > b.i : a.i < b.i;
    return TSR_OK;
  }
  if (a.tag == TSR_V_TUPLE || a.tag == TSR_V_OBJECT || a.tag == TSR_V_LIST) return reverse ? is_less(ctx, b, a, 0, yes) : is_less(ctx, a, b, 0, yes);
  *yes = !tsr_val_equal(a, b) && (compare_vals(a, b, 0) < 0) != reverse;
  return TSR_OK;
}

/* ---- the algorithm ---- */

#define FEW 16

typedef struct sorter { tsr_ctx *ctx; tsr_val *v; size_t n; bool reverse; tsr_status status; } sorter; /* status: of the first comparison that failed; then none is made */

static bool before(sorter *s, tsr_val a, tsr_val b) {
  bool yes = false;
  if (s->status == TSR_OK) s->status = stands_before(s->ctx, a, b, s->reverse, &yes);
  return s->status == TSR_OK && yes;
}

static void swap(tsr_val *v, size_t i, size_t j) {
  tsr_val t = v[i];
  v[i] = v[j];
  v[j] = t;
}

static void median_to_first(sorter *s, size_t first, size_t a, size_t b, size_t c) {
  tsr_val *v = s->v;
  if (before(s, v[a], v[b])) {
    if (before(s, v[b], v[c])) swap(v, first, b);
    else if (before(s, v[a], v[c])) swap(v, first, c);
    else swap(v, first, a);
  } else if (before(s, v[a], v[c])) swap(v, first, a);
  else if (before(s, v[b], v[c])) swap(v, first, c);
  else swap(v, first, b);
}

/* [lo, hi) around v[pivot], which lies in front of it: where the second part begins. */
static size_t partition(sorter *s, size_t lo, size_t hi, size_t pivot) {
  for (;;) {
    while (lo < s->n && before(s, s->v[lo], s->v[pivot])) lo++;
    hi--;
    while (hi > pivot && before(s, s->v[pivot], s->v[hi])) hi--;
    if (lo >= hi) return lo;
    swap(s->v, lo, hi);
    lo++;
  }
}

/* Heaps of n items at v: the value goes down from the hole as far as there are children, then up again. */
static void heap_fill(sorter *s, tsr_val *v, size_t hole, size_t n, tsr_val value) {
  size_t top = hole, child = hole;
  while (child < (n - 1) / 2) {
    child = 2 * (child + 1);
    if (before(s, v[child], v[child - 1])) child--;
    v[hole] = v[child];
    hole = child;
  }
  if (n % 2 == 0 && child == (n - 2) / 2) {
    v[hole] = v[2 * child + 1];
    hole = 2 * child + 1;
  }
  for (; hole > top && before(s, v[(hole - 1) / 2], value); hole = (hole - 1) / 2) v[hole] = v[(hole - 1) / 2];
  v[hole] = value;
}

static void heap_sort(sorter *s, tsr_val *v, size_t n) {
  for (size_t i = (n - 2) / 2 + 1; n >= 2 && i-- > 0;) heap_fill(s, v, i, n, v[i]);
  for (size_t left = n; left > 1;) {
    tsr_val value = v[--left];
    v[left] = v[0];
    heap_fill(s, v, 0, left, value);
  }
}

static void quick_sort(sorter *s, size_t lo, size_t hi, int depth) {
  while (hi > lo && hi - lo > FEW) {
    if (depth-- == 0) {
      heap_sort(s, s->v + lo, hi - lo);
      return;
    }
    median_to_first(s, lo, lo + 1, lo + (hi - lo) / 2, hi - 1);
    size_t cut = partition(s, lo + 1, hi, lo);
    quick_sort(s, cut, hi, depth);
    hi = TSR_MIN(cut, hi);
  }
}

/* Put v[i] in its place among the items before it; guarded: it may be the first of all. */
static void insert(sorter *s, size_t i, bool guarded) {
  tsr_val value = s->v[i];
  size_t at = i;
  if (guarded && before(s, value, s->v[0])) at = 0;
  else while (at > 0 && before(s, value, s->v[at - 1])) at--;
  memmove(s->v + at + 1, s->v + at, (i - at) * sizeof *s->v);
  s->v[at] = value;
}

static tsr_status sort_items(tsr_ctx *ctx, tsr_val *items, size_t n, bool reverse) {
  sorter s = {ctx, items, n, reverse, TSR_OK};
  int depth = 0;
  for (size_t left = n; left > 1; left >>= 1) depth += 2;
  quick_sort(&s, 0, n, depth);
  for (size_t i = 1; i < n && s.status == TSR_OK; i++) insert(&s, i, i < FEW);
  return s.status;
}

/* ---- lists ---- */

/* Objects, or tuples of objects and what has an order of its own. */
static bool has_methods(tsr_val v, int depth) {
  if (v.tag == TSR_V_OBJECT) return true;
  bool found = false;
  for (size_t i = 0; v.tag == TSR_V_TUPLE && i < v.u->len; i++) {
    tsr_val item = v.u->items[i];
    bool here = depth < 64 && has_methods(item, depth + 1);
    if (!here && !sortable(item, depth + 1)) return false;
    found |= here;
  }
  return found;
}

static bool are_objects(const tsr_list *l) {
  for (size_t i = 0; i < l->len; i++)
    if (!has_methods(l->items[i], 0)) return false;
  return l->len > 0;
}

/* The items are held in a list of their own: the method may change l. */
static tsr_status sort_objects(tsr_call *c, tsr_list *l, bool reverse) {
  tsr_list *held = tsr_list_new(c->ctx->mem, l->elem, l->len);
  if (held == NULL) return tsr_ctx_nomem(c->ctx);
  for (size_t i = 0; i < l->len; i++) tsr_list_push_take(held, tsr_retain(l->items[i]));
  tsr_status s = sort_items(c->ctx, held->items, held->len, reverse);
  if (s == TSR_OK && l->len == held->len) {
    for (size_t i = 0; i < l->len; i++) {
      tsr_val old = l->items[i];
      l->items[i] = tsr_retain(held->items[i]);
      tsr_release(old);
    }
  }
  tsr_obj_release(held);
  return s;
}

static tsr_status fail_unsortable(tsr_call *c, tsr_val v) {
  tsr_buf text = {0};
  tsr_val_print_type(v, &text);
  tsr_status s = tsr_op_fail(c->ctx,
                             "Only list of Tensors, ints, floats, bools, strs or a User Defined Class that defines the "
                             "__lt__ compare method can be sorted, got list of %s", text.data != NULL ? text.data : "?");
  tsr_buf_dispose(&text);
  return s;
}

tsr_status tsr_lang_sort(tsr_call *c, tsr_list *l, bool reverse) {
  if (c->ctx->call_method != NULL && are_objects(l)) return sort_objects(c, l, reverse);
  for (size_t i = 0; i < l->len; i++) {
    if (!sortable(l->items[i], 0)) return fail_unsortable(c, l->items[i]);
  }
  TSR_TRY(sort_items(c->ctx, l->items, l->len, reverse));
  return tsr_ctx_poll(c->ctx, l->len >> 8);
}
