/* The operator table: every family, and look-up by name.  The index is built once for the process. */
#include <stdlib.h>

#include "ops/op.h"

/* Order matters where families share a name: overloads are tried in this order, so tensors come before
 * the language's own (lang_*), which stay last. */
#define FAMILIES(X) \
  X(tsr_ops_activation) \
  X(tsr_ops_binary) \
  X(tsr_ops_softmax) \
  X(tsr_ops_loss) \
  X(tsr_ops_loss_bce) \
  X(tsr_ops_loss_class) \
  X(tsr_ops_loss_ctc) \
  X(tsr_ops_gradient) \
  X(tsr_ops_reduce) \
  X(tsr_ops_statistics) \
  X(tsr_ops_reduce_order) \
  X(tsr_ops_cumulative) \
  X(tsr_ops_reduce_index) \
  X(tsr_ops_cast) \
  X(tsr_ops_compare) \
  X(tsr_ops_ternary) \
  X(tsr_ops_unary) \
  X(tsr_ops_attrs) \
  X(tsr_ops_join) \
  X(tsr_ops_split) \
  X(tsr_ops_view) \
  X(tsr_ops_view_copy) \
  X(tsr_ops_linear) \
  X(tsr_ops_matmul) \
  X(tsr_ops_grouped_mm) \
  X(tsr_ops_fused) \
  X(tsr_ops_layout) \
  X(tsr_ops_conv_block) \
  X(tsr_ops_cat_norm) \
  X(tsr_ops_create) \
  X(tsr_ops_create_range) \
  X(tsr_ops_shape_move) \
  X(tsr_ops_upsample) \
  X(tsr_ops_fold) \
  X(tsr_ops_grid) \
  X(tsr_ops_attention) \
  X(tsr_ops_transformer) \
  X(tsr_ops_einsum) \
  X(tsr_ops_distance) \
  X(tsr_ops_vision) \
  X(tsr_ops_quant) \
  X(tsr_ops_prepacked) \
  X(tsr_ops_quant_layers) \
  X(tsr_ops_quant_rnn) \
  X(tsr_ops_quant_fbgemm) \
  X(tsr_ops_quant_observer) \
  X(tsr_ops_quant_embedding) \
  X(tsr_ops_fft) \
  X(tsr_ops_linalg) \
  X(tsr_ops_linalg_norm) \
  X(tsr_ops_linalg_spectral) \
  X(tsr_ops_stft) \
  X(tsr_ops_index) \
  X(tsr_ops_sort) \
  X(tsr_ops_lang_scalar) \
  X(tsr_ops_lang_string) \
  X(tsr_ops_lang_misc) \
  X(tsr_ops_lang_tensor) \
  X(tsr_ops_lang_list) \
  X(tsr_ops_lang_dict) \
  X(tsr_ops_random) \
  X(tsr_ops_random_ops) \
  X(tsr_ops_random_normal) \
  X(tsr_ops_random_dist) \
  X(tsr_ops_sobol) \
  X(tsr_ops_dropout) \
  X(tsr_ops_conv) \
  X(tsr_ops_conv_slow) \
  X(tsr_ops_index_dim) \
  X(tsr_ops_scatter) \
  X(tsr_ops_index_mask) \
  X(tsr_ops_norm) \
  X(tsr_ops_norm_batch) \
  X(tsr_ops_norm_weight) \
  X(tsr_ops_pad) \
  X(tsr_ops_embedding) \
  X(tsr_ops_pool) \
  X(tsr_ops_pool_un) \
  X(tsr_ops_rnn) \
  X(tsr_ops_rnn_pack) \
  X(tsr_ops_rnn_steps) \
  X(tsr_ops_search) \
  X(tsr_ops_histogram) \
  X(tsr_ops_unique) \
  X(tsr_ops_shape_math) \
  X(tsr_ops_sparse) \
  X(tsr_ops_sparse_make) \
  X(tsr_ops_sparse_call) \
  X(tsr_ops_foreach) \
  X(tsr_ops_internal) \
  X(tsr_ops_forward)

#define X(family) extern const tsr_op family[];
FAMILIES(X)
#undef X

#define X(family) family,
const tsr_op *const tsr_op_families[] = {FAMILIES(X) NULL};
#undef X

typedef struct group { /* the overloads of one name: a run in the sorted array */
  const char *name;
  size_t len;
  const tsr_op *const *ops;
  size_t count;
} group;

typedef struct op_index {
  size_t count, slots;
  const tsr_op **sorted;
  group *table;
} op_index;

static op_index *the_index; /* published once, never freed: belongs to the process like the table itself */

static size_t name_len(const char *schema) {
  size_t n = 0;
  while (schema[n] != '(' && schema[n] != '.' && schema[n] != 0) n++;
  return n;
}

typedef struct ranked { const tsr_op *op; size_t rank; } ranked;

static int by_name(const void *a_, const void *b_) {
  const ranked *a = a_, *b = b_;
  size_t an = name_len(a->op->schema), bn = name_len(b->op->schema);
  int order = memcmp(a->op->schema, b->op->schema, TSR_MIN(an, bn));
  if (order != 0) return order;
  if (an != bn) return an < bn ? -1 : 1;
  return a->rank < b->rank ? -1 : 1; /* table order within a name */
}

static uint64_t hash_name(const char *s, size_t n) {
  uint64_t h = 1469598103934665603u;
  for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)s[i]) * 1099511628211u;
  return h ^ h >> 31;
}

static bool fill_index(op_index *ix) {
  size_t n = 0;
  for (size_t f = 0; tsr_op_families[f] != NULL; f++) {
    for (const tsr_op *op = tsr_op_families[f]; op->schema != NULL; op++) n++;
  }
  ranked *all = malloc((n + 1) * sizeof *all);
  ix->sorted = malloc((n + 1) * sizeof *ix->sorted);
  for (ix->slots = 16; ix->slots < n * 2;) ix->slots *= 2;
  ix->table = calloc(ix->slots, sizeof *ix->table);
  if (all == NULL || ix->sorted == NULL || ix->table == NULL) {
    free(all);
    return false;
  }
  ix->count = n;
  n = 0;
  for (size_t f = 0; tsr_op_families[f] != NULL; f++) {
    for (const tsr_op *op = tsr_op_families[f]; op->schema != NULL; op++, n++) all[n] = (ranked){op, n};
  }
  qsort(all, n, sizeof *all, by_name);
  for (size_t i = 0; i < n; i++) ix->sorted[i] = all[i].op;
  free(all);
  for (size_t i = 0, end; i < n; i = end) {
    size_t len = name_len(ix->sorted[i]->schema);
    for (end = i + 1; end < n && name_len(ix->sorted[end]->schema) == len && memcmp(ix->sorted[end]->schema, ix->sorted[i]->schema, len) == 0;) end++;
    size_t slot = hash_name(ix->sorted[i]->schema, len) & (ix->slots - 1);
    while (ix->table[slot].name != NULL) slot = (slot + 1) & (ix->slots - 1);
    ix->table[slot] = (group){ix->sorted[i]->schema, len, ix->sorted + i, end - i};
  }
  return true;
}

static void free_index(op_index *ix) {
  free(ix->sorted);
  free(ix->table);
  free(ix);
}

/* Two threads may both build it: one wins, the other's copy is freed. */
static const op_index *get_index(void) {
  op_index *ix = __atomic_load_n(&the_index, __ATOMIC_ACQUIRE);
  if (ix != NULL) return ix;
  ix = calloc(1, sizeof *ix);
  if (ix == NULL || !fill_index(ix)) {
    if (ix != NULL) free_index(ix);
    return NULL;
  }
  op_index *expected = NULL;
  if (__atomic_compare_exchange_n(&the_index, &expected, ix, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return ix;
  free_index(ix);
  return expected;
}

size_t tsr_op_count(void) {
  const op_index *ix = get_index();
  return ix == NULL ? 0 : ix->count;
}

const tsr_op *const *tsr_op_find(const char *qualified_name, size_t len, size_t *n) {
  const op_index *ix = get_index();
  *n = 0;
  if (ix == NULL) return NULL;
  size_t slot = hash_name(qualified_name, len) & (ix->slots - 1);
  for (; ix->table[slot].name != NULL; slot = (slot + 1) & (ix->slots - 1)) {
    const group *g = &ix->table[slot];
    if (g->len == len && memcmp(g->name, qualified_name, len) == 0) {
      *n = g->count;
      return g->ops;
    }
  }
  return NULL;
}

const tsr_op *tsr_op_get(const char *name, const char *overload) {
  size_t n, len = strlen(name), olen = strlen(overload);
  const tsr_op *const *ops = tsr_op_find(name, len, &n);
  for (size_t i = 0; i < n; i++) {
    const char *rest = ops[i]->schema + len;
    if (olen == 0 ? *rest == '(' : *rest == '.' && strncmp(rest + 1, overload, olen) == 0 && rest[1 + olen] == '(') return ops[i];
  }
  return NULL;
}
