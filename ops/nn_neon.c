/* Layer kernels for 64-bit ARM: see nn_body.h. */
#include "ops/nn_body.h"
