/* Layer kernels for any processor: see nn_body.h. */
#define VF_PORTABLE
#include "ops/nn_body.h"
