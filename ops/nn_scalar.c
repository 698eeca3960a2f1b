/* Layer kernels for any processor: see nn_body.h. */
#include "ops/nn_body.h"
