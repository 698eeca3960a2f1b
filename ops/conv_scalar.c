/* Convolution kernels for any processor: see conv_body.h. */
#define VF_PORTABLE
#include "ops/conv_body.h"
