/* Sums that tell data apart.  Damage and change are found, intent is not. */
#ifndef TSR_CORE_DIGEST_H
#define TSR_CORE_DIGEST_H

#include "core/base.h"

typedef struct tsr_digest { uint64_t a, b; } tsr_digest; /* starts as zeros */

/* Adding two pieces is not adding them as one.  Reads about as fast as memory does. */
void tsr_digest_add(tsr_digest *d, const void *data, size_t len);
static inline void tsr_digest_text(tsr_digest *d, const char *s) { tsr_digest_add(d, s, strlen(s)); }
static inline void tsr_digest_int(tsr_digest *d, uint64_t x) { tsr_digest_add(d, &x, sizeof x); }
static inline bool tsr_digest_same(tsr_digest x, tsr_digest y) { return x.a == y.a && x.b == y.b; }

#endif
