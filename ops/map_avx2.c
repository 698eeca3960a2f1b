/* Elementwise float32 formulas for AVX2 and FMA. */
#pragma GCC optimize("O3", "no-trapping-math")
#include "ops/map_body.h"
