#include "ops/site.h"

#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

void *tsr_site_alloc(size_t size) {
  bool huge = size >= 2 * HUGE_PAGE;
  size_t align = huge ? HUGE_PAGE : 64;
  if (size > SIZE_MAX - align) return NULL;
  size = (size + align - 1) / align * align;
  void *p = aligned_alloc(align, size == 0 ? align : size);
#if defined(MADV_HUGEPAGE)
  if (p != NULL && huge) (void)madvise(p, size, MADV_HUGEPAGE); /* a wish: failure costs speed only */
#endif
  return p;
}

void *tsr_site_publish(tsr_site *site, void *data, void (*free_fn)(void *)) {
  void *expected = NULL;
  __atomic_store_n(&site->free_fn, free_fn, __ATOMIC_RELEASE);
  if (__atomic_compare_exchange_n(&site->data, &expected, data, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return data;
  free_fn(data);
  return expected;
}

typedef struct group { int n; tsr_site sub[]; } group;

static void group_free(void *data) {
  group *g = data;
  for (int i = 0; i < g->n; i++)
    if (g->sub[i].data != NULL) g->sub[i].free_fn(g->sub[i].data);
  free(g);
}

tsr_site *tsr_site_sub(tsr_site *site, int n, int index) {
  if (site == NULL) return NULL;
  group *g = tsr_site_get(site);
  if (g == NULL) {
    g = calloc(1, sizeof *g + (size_t)n * sizeof *g->sub);
    if (g == NULL) return NULL;
    g->n = n;
    g = tsr_site_publish(site, g, group_free);
  }
  return index < g->n ? &g->sub[index] : NULL;
}
