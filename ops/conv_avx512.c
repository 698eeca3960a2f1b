/* Convolution kernels for avx512: see conv_body.h. */
#include "ops/conv_body.h"
