/* A map from byte strings to pointers, in an arena; keys are borrowed, nothing is ever removed. */
#ifndef TSR_INTERP_STRMAP_H
#define TSR_INTERP_STRMAP_H

#include "core/mem.h"

typedef struct tsr_strmap_entry { const char *key; size_t len; uint64_t hash; void *value; } tsr_strmap_entry;
typedef struct tsr_strmap { tsr_arena *arena; tsr_strmap_entry *slots; size_t cap, count; } tsr_strmap; /* {arena} is empty */

void *tsr_strmap_get(const tsr_strmap *m, const char *key, size_t len); /* NULL: absent */
/* Replaces an existing entry.  false: out of memory. */
bool tsr_strmap_set(tsr_strmap *m, const char *key, size_t len, void *value);

#endif
