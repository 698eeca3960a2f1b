/* Float32 reductions for any processor. */
#pragma GCC optimize("no-trapping-math")
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" /* lanes filled in a loop */
#define RED_TABLE tsr_red_scalar
#define VF_PORTABLE
#include "ops/red_f32.h"
