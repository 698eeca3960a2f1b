/* Elementwise float32 formulas for any processor. */
#pragma GCC optimize("no-trapping-math")
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" /* lanes filled in a loop */
#define VF_PORTABLE
#include "ops/map_body.h"
