/* Elementwise float32 formulas for 64-bit ARM. */
#pragma GCC optimize("O3", "no-trapping-math")
#include "ops/map_body.h"
