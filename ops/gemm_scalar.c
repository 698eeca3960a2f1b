/* Matrix tiles for any processor: see gemm_body.h. */
#define VF_PORTABLE
#include "ops/gemm_body.h"
