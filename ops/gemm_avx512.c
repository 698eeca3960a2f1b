/* Matrix tiles for avx512: see gemm_body.h. */
#include "ops/gemm_body.h"
