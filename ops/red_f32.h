/* Float32 reductions for one instruction set; the including file defines RED_TABLE. */
#include <math.h>

#include "ops/red.h"

#define T float
#define A double
#define R double
#define FN(x) x##f
#define RED(name) name
#include "ops/red_body.h"

const tsr_red_fns RED_TABLE[TSR_RED_COUNT] = {
#define X(id, ...) [TSR_RED_##id] = {run_##id, col_##id, join_##id, init_##id},
#include "ops/red_list.h"
#undef X
};
