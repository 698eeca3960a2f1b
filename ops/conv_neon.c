/* Convolution kernels for 64-bit ARM: see conv_body.h. */
#include "ops/conv_body.h"
