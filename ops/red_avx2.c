/* Float32 reductions for AVX2 and FMA. */
#pragma GCC optimize("O3", "no-trapping-math")
#define RED_TABLE tsr_red_avx2
#include "ops/red_f32.h"
