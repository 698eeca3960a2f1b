/* Warming: what the first run would otherwise wait for. */
#ifndef TSR_CORE_WARM_H
#define TSR_CORE_WARM_H

/* Have the pages of this library's code in the process's page tables, in one call instead of a fault for every few of
 * them.  The pages belong to the system's file cache and are shared by processes.  Does it once; a wish. */
void tsr_warm_code(void);

#endif
