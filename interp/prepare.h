/* Ahead of the first run: an entry method is compiled and the weights of its call sites are packed. */
#ifndef TSR_INTERP_PREPARE_H
#define TSR_INTERP_PREPARE_H

#include "interp/model.h"

/* opt->method NULL: forward, or the only method there is.  Belongs to loading: no session exists yet.  What the program
 * gets wrong is left for the run to report; only want of memory fails. */
tsr_status tsr_model_prepare(tsr_model *m, tsr_errrec *e, const tsr_load_options *opt);

#endif
