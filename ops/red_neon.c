/* Float32 reductions for 64-bit ARM. */
#pragma GCC optimize("O3", "no-trapping-math")
#define RED_TABLE tsr_red_neon
#include "ops/red_f32.h"
