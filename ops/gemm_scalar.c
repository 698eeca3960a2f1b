/* Matrix tiles for any processor: see gemm_body.h. */
#include "ops/gemm_body.h"
