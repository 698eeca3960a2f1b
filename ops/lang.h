/* Values of the language in order. */
#ifndef TSR_OPS_LANG_H
#define TSR_OPS_LANG_H

#include "ops/op.h"

/* < 0, 0, > 0 for numbers, strings, tuples and lists of these; NaN equals everything. */
int tsr_lang_compare(tsr_val a, tsr_val b);
/* In place.  Objects are asked by their __lt__. */
tsr_status tsr_lang_sort(tsr_call *c, tsr_list *l, bool reverse);

#endif
