#include "core/warm.h"

#include <link.h>
#include <sys/mman.h>

#include "core/base.h"

#ifdef MADV_POPULATE_READ
/* Stops at the object that holds this function. */
static int populate(struct dl_phdr_info *object, size_t size, void *user) {
  uintptr_t here = (uintptr_t)&tsr_warm_code, page = 4095;
  TSR_UNUSED(size), TSR_UNUSED(user);
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *p = &object->dlpi_phdr[i];
    uintptr_t begin = object->dlpi_addr + p->p_vaddr, end = begin + p->p_memsz;
    if (p->p_type != PT_LOAD || here < begin || here >= end) continue;
    begin &= ~page;
    (void)madvise((void *)begin, ((end + page) & ~page) - begin, MADV_POPULATE_READ);
    return 1;
  }
  return 0;
}
#endif

void tsr_warm_code(void) {
#ifdef MADV_POPULATE_READ
  static int done; /* atomic */
  if (__atomic_exchange_n(&done, 1, __ATOMIC_RELAXED) == 0) dl_iterate_phdr(populate, NULL);
#endif
}
