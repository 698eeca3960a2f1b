/* Elementwise float32 formulas for AVX-512. */
#pragma GCC optimize("O3", "no-trapping-math")
#include "ops/map_body.h"
