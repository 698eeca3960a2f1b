/* Convolution kernels for any processor: see conv_body.h. */
#include "ops/conv_body.h"
