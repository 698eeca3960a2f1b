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
