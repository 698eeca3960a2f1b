/* Matrix tiles for avx2: see gemm_body.h. */
#include "ops/gemm_body.h"
