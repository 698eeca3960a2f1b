#include "interp/strmap.h"

/* FNV-1a: keys are identifiers of one file; a hostile file gains nothing but slower look-ups of its own
 * names, bounded by the limits on its source. */
static uint64_t hash_bytes(const char *key, size_t len) {
  uint64_t h = 1469598103934665603u;
  for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)key[i]) * 1099511628211u;
  return h ^ (h >> 29);
}

static tsr_strmap_entry *find(const tsr_strmap *m, const char *key, size_t len, uint64_t hash) {
  for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
    tsr_strmap_entry *s = &m->slots[i];
    if (s->key == NULL || (s->hash == hash && s->len == len && memcmp(s->key, key, len) == 0)) return s;
  }
}

void *tsr_strmap_get(const tsr_strmap *m, const char *key, size_t len) {
  if (m->cap == 0) return NULL;
  return find(m, key, len, hash_bytes(key, len))->value;
}

static bool grow(tsr_strmap *m) {
  tsr_strmap bigger = {.arena = m->arena, .cap = m->cap == 0 ? 16 : m->cap * 2, .count = m->count};
  bigger.slots = tsr_arena_alloc(m->arena, bigger.cap * sizeof *bigger.slots);
  if (bigger.slots == NULL) return false;
  for (size_t i = 0; i < m->cap; i++)
    if (m->slots[i].key != NULL) *find(&bigger, m->slots[i].key, m->slots[i].len, m->slots[i].hash) = m->slots[i];
  *m = bigger;
  return true;
}

bool tsr_strmap_set(tsr_strmap *m, const char *key, size_t len, void *value) {
  if ((m->count + 1) * 4 > m->cap * 3 && !grow(m)) return false;
  uint64_t hash = hash_bytes(key, len);
  tsr_strmap_entry *s = find(m, key, len, hash);
  if (s->key == NULL) m->count++;
  *s = (tsr_strmap_entry){key, len, hash, value};
  return true;
}
