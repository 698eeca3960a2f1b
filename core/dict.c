/* The ordered dictionary: a dense array of entries in insertion order and an open-addressing index.
 * Entry numbers in the index are stored plus one; 0 is empty, DELETED a tombstone. */
#include "core/value.h"

enum { MIN_INDEX = 8 };
static const uint32_t deleted = UINT32_MAX;

tsr_dict *tsr_dict_new(tsr_mem *mem, const tsr_type *key, const tsr_type *value) {
  tsr_dict *d = tsr_zalloc(mem, sizeof *d);
  if (d == NULL) return NULL;
  d->h.refs = 1;
  d->h.tag = TSR_V_DICT;
  d->h.mem = mem;
  d->key_type = key;
  d->value_type = value;
  if (value != NULL && tsr_type_may_hold(value)) tsr_mem_watch(mem, d, &d->watch);
  return d;
}

/* Slot of the index that holds key, or SIZE_MAX. */
static size_t find_slot(const tsr_dict *d, tsr_val key, uint64_t hash) {
  if (d->index_cap == 0) return SIZE_MAX;
  size_t mask = d->index_cap - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    uint32_t e = d->index[i];
    if (e == 0) return SIZE_MAX;
    if (e == deleted) continue;
    const tsr_entry *entry = &d->entries[e - 1];
    if (entry->hash == hash && tsr_val_equal(entry->key, key)) return i;
  }
}

tsr_val *tsr_dict_get(const tsr_dict *d, tsr_val key) {
  size_t slot = find_slot(d, key, tsr_val_hash(key));
  return slot == SIZE_MAX ? NULL : &d->entries[d->index[slot] - 1].value;
}

static void index_put(tsr_dict *d, uint64_t hash, uint32_t number) {
  size_t mask = d->index_cap - 1, i = hash & mask;
  while (d->index[i] != 0 && d->index[i] != deleted) i = (i + 1) & mask;
  d->index[i] = number;
}

static void compact(tsr_dict *d) {
  size_t to = 0;
  for (size_t i = 0; i < d->used; i++) {
    if (d->entries[i].live) d->entries[to++] = d->entries[i];
  }
  d->used = to;
}

/* Make room for one more entry: compact, grow the arrays, rebuild the index. */
static bool make_room(tsr_dict *d) {
  if (d->used < d->cap && (d->used + 1) * 3 <= d->index_cap * 2) return true;
  size_t cap = d->cap, index_cap = TSR_MAX((size_t)MIN_INDEX, d->index_cap);
  while ((d->count + 1) * 3 > index_cap * 2 - index_cap / 3) index_cap *= 2;
  size_t want = index_cap * 2 / 3 + 1;
  if (want > UINT32_MAX / 2) return false;
  uint32_t *index = tsr_zalloc(d->h.mem, index_cap * sizeof *index);
  if (index == NULL) return false;
  if (want > cap) {
    tsr_entry *entries = tsr_realloc(d->h.mem, d->entries, cap * sizeof *entries, want * sizeof *entries);
    if (entries == NULL) {
      tsr_free(d->h.mem, index, index_cap * sizeof *index);
      return false;
    }
    d->entries = entries;
    d->cap = want;
  }
  tsr_free(d->h.mem, d->index, d->index_cap * sizeof *d->index);
  d->index = index;
  d->index_cap = index_cap;
  compact(d);
  for (size_t i = 0; i < d->used; i++) index_put(d, d->entries[i].hash, (uint32_t)i + 1);
  return true;
}

bool tsr_dict_set(tsr_dict *d, tsr_val key, tsr_val value_take) {
  uint64_t hash = tsr_val_hash(key);
  size_t slot = find_slot(d, key, hash);
  if (slot != SIZE_MAX) {
    tsr_entry *e = &d->entries[d->index[slot] - 1];
    tsr_val old = e->value;
    e->value = value_take;
    tsr_release(old);
    return true;
  }
  if (!make_room(d)) {
    tsr_release(value_take);
    return false;
  }
  d->entries[d->used] = (tsr_entry){tsr_retain(key), value_take, hash, true};
  index_put(d, hash, (uint32_t)d->used + 1);
  d->used++;
  d->count++;
  return true;
}

bool tsr_dict_erase(tsr_dict *d, tsr_val key) {
  size_t slot = find_slot(d, key, tsr_val_hash(key));
  if (slot == SIZE_MAX) return false;
  tsr_entry *e = &d->entries[d->index[slot] - 1];
  tsr_val k = e->key, v = e->value;
  e->live = false;
  d->index[slot] = deleted;
  d->count--;
  tsr_release(k);
  tsr_release(v);
  return true;
}

void tsr_dict_clear(tsr_dict *d) {
  for (size_t i = 0; i < d->used; i++) {
    tsr_entry *e = &d->entries[i];
    if (!e->live) continue;
    e->live = false;
    tsr_release(e->key);
    tsr_release(e->value);
  }
  d->used = d->count = 0;
  if (d->index != NULL) memset(d->index, 0, d->index_cap * sizeof *d->index);
}

size_t tsr_dict_next(const tsr_dict *d, size_t from) {
  while (from < d->used && !d->entries[from].live) from++;
  return from;
}
