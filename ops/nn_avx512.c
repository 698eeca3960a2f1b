/* Layer kernels for avx512: see nn_body.h. */
#include "ops/nn_body.h"
