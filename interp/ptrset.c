/* A set of addresses: open addressing, at most half full. */
#include "interp/ptrset.h"

#include <stdlib.h>

static size_t place(const void *const *slots, size_t cap, const void *p) {
  size_t i = (size_t)(((uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15u) >> 20) & (cap - 1);
  while (slots[i] != NULL && slots[i] != p) i = (i + 1) & (cap - 1);
  return i;
}

static bool grow(tsr_ptrset *s) {
  size_t cap = s->cap == 0 ? 64 : s->cap * 2;
  const void **slots = calloc(cap, sizeof *slots);
  if (slots == NULL) return false;
  for (size_t i = 0; i < s->cap; i++)
    if (s->slots[i] != NULL) slots[place(slots, cap, s->slots[i])] = s->slots[i];
  free(s->slots);
  s->slots = slots;
  s->cap = cap;
  return true;
}

bool tsr_ptrset_add(tsr_ptrset *s, const void *p) {
  if (s->count * 2 >= s->cap && !grow(s)) {
    s->oom = true;
    return false;
  }
  size_t i = place(s->slots, s->cap, p);
  if (s->slots[i] == p) return false;
  s->slots[i] = p;
  s->count++;
  return true;
}

bool tsr_ptrset_has(const tsr_ptrset *s, const void *p) { return s->cap != 0 && s->slots[place(s->slots, s->cap, p)] == p; }

void tsr_ptrset_dispose(tsr_ptrset *s) {
  free(s->slots);
  memset(s, 0, sizeof *s);
}
