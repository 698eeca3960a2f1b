/* Layer kernels for avx2: see nn_body.h. */
#include "ops/nn_body.h"
