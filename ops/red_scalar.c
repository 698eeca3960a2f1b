/* Float32 reductions for any processor. */
#pragma GCC optimize("O3", "no-trapping-math")
#define RED_TABLE tsr_red_scalar
#include "ops/red_f32.h"
