/* Float32 reductions for AVX-512. */
#pragma GCC optimize("O3", "no-trapping-math")
#define RED_TABLE tsr_red_avx512
#include "ops/red_f32.h"
