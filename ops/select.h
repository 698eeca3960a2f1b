/* Sorting and selecting (key, index) pairs by key alone, smaller keys first. */
#ifndef TSR_OPS_SELECT_H
#define TSR_OPS_SELECT_H

#include "core/dtype.h"

typedef struct tsr_pair { uint64_t key; int64_t idx; } tsr_pair;

/* Order-preserving keys of n elements `step` bytes apart: NaN is the largest, -0 equals 0.
 * `descending` turns the order round.  false: the type has no order. */
bool tsr_pair_fill(tsr_pair *p, tsr_dtype dtype, const char *data, ptrdiff_t step, int64_t n, bool descending);

void tsr_pair_sort_stable(tsr_pair *p, tsr_pair *spare, int64_t n);
/* The k smallest of the row as partial_sort would leave them, without pairs for the whole row. */
bool tsr_pair_top(tsr_pair *p, int64_t k, tsr_dtype dtype, const char *data, ptrdiff_t step, int64_t n, bool descending);
/* Which of several equal keys wins, and the order unsorted results come in, are visible to programs:
 * these three give the results of the C++ standard library's algorithms as libstdc++ implements them. */
void tsr_pair_partial_sort(tsr_pair *p, int64_t k, int64_t n); /* the first k, sorted */
void tsr_pair_nth_element(tsr_pair *p, int64_t nth, int64_t n);
void tsr_pair_sort(tsr_pair *p, int64_t n);
void tsr_pair_sort_nan(tsr_pair *p, int64_t n); /* … by a comparison that is false for the largest key, as < is for NaN */
/* Quickselect with the median of three, as median and kthvalue choose among equals. */
void tsr_pair_quick_select(tsr_pair *p, int64_t k, int64_t n);

#endif
