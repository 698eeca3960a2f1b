/* Matrix tiles for 64-bit ARM: see gemm_body.h. */
#include "ops/gemm_body.h"
