/* Convolution kernels for avx2: see conv_body.h. */
#include "ops/conv_body.h"
