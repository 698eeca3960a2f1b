/* The function table of one instruction set: one pointer a kernel family, each family's table declared
 * in its own header and filled by its own ops/<family>_<isa>.c.  To add a family: a member here, a
 * line in each table of kernels.c. */
#ifndef TSR_OPS_KERNELS_H
#define TSR_OPS_KERNELS_H

#include "ops/cpu.h"

struct tsr_kernels {
  tsr_isa isa;
  const struct tsr_gemm_fns *gemm; /* gemm.h */
  const struct tsr_nn_fns *nn;     /* nn.h: normalisation, softmax rows, gates */
  const struct tsr_conv_fns *conv; /* conv_kernels.h: depthwise convolution, Winograd */
};

const struct tsr_kernels *tsr_kernels_get(tsr_isa isa); /* NULL: this build or processor lacks it */
const struct tsr_kernels *tsr_kernels_best(void);       /* of tsr_cpu_isa() */

#endif
