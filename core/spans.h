/* Spans: large buffers carved from a few mappings.
 *
 * Neighbours that are free become one span, a request takes the smallest that fits, and what is left of it stays free:
 * buffers of any sizes share memory, and the heap is about as large as what was ever in use at once.  Memory that
 * nothing has used yet is entered in steps that one call to the system fills, on huge pages where the heap is
 * large enough for them: a first run has few page faults.
 *
 * Nothing here is locked or counted: core/mem.c does both. */
#ifndef TSR_CORE_SPANS_H
#define TSR_CORE_SPANS_H

#include "core/base.h"

#define TSR_SPAN_LISTS 160
typedef struct tsr_span tsr_span;
typedef struct tsr_region tsr_region;

typedef struct tsr_spans { /* starts as zeros */
  tsr_region *regions;
  tsr_span *lists[TSR_SPAN_LISTS]; /* free spans, by size */
  uint64_t some[(TSR_SPAN_LISTS + 63) / 64]; /* bit i: lists[i] is not empty */
  size_t first;                    /* bytes to map for the first region; 0: 16 MiB */
  size_t mapped;                   /* of all regions */
  size_t idle;                     /* bytes that are in memory and in no buffer */
} tsr_spans;

void *tsr_spans_alloc(tsr_spans *h, size_t size);  /* 64-byte aligned, not zeroed; NULL: out of memory */
/* keep: bytes that may stay idle; 0: also regions without buffers go back to the system. */
void tsr_spans_free(tsr_spans *h, void *p, size_t keep);
void tsr_spans_trim(tsr_spans *h);                 /* all that is idle goes back to the system */
void tsr_spans_warm(tsr_spans *h, size_t size);    /* have size bytes in memory for the buffers to come */

#endif
