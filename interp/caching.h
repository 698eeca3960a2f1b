/* Prepared weights from a cache file, and into it: what goes on around packing. */
#ifndef TSR_INTERP_CACHING_H
#define TSR_INTERP_CACHING_H

#include "frontend/cache.h"
#include "interp/model.h"

typedef struct tsr_caching {
  tsr_model *m;           /* NULL: without a cache */
  const tsr_load_options *opt;
  tsr_digest file, id;
  tsr_store store;
} tsr_caching;

/* Opens the file that opt names, if it is the one for this model, library and options.  Nothing here fails: without a
 * cache everything is done as ever; opt->note is told why. */
void tsr_caching_begin(tsr_caching *c, tsr_model *m, const tsr_load_options *opt, const char *method);
/* worked: everything is packed.  Writes the file when it lacks something. */
void tsr_caching_end(tsr_caching *c, bool worked);

#endif
