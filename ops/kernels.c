/* One table an instruction set. */
#include "ops/kernels.h"

#include "ops/conv_kernels.h"
#include "ops/gemm.h"
#include "ops/nn.h"

static const struct tsr_kernels tables[TSR_ISA_COUNT] = {
    [TSR_ISA_SCALAR] = {.isa = TSR_ISA_SCALAR, .gemm = &tsr_gemm_scalar, .nn = &tsr_nn_scalar, .conv = &tsr_conv_scalar},
#if defined(__aarch64__)
    [TSR_ISA_NEON] = {.isa = TSR_ISA_NEON, .gemm = &tsr_gemm_neon, .nn = &tsr_nn_neon, .conv = &tsr_conv_neon},
#elif defined(__x86_64__)
    [TSR_ISA_AVX2] = {.isa = TSR_ISA_AVX2, .gemm = &tsr_gemm_avx2, .nn = &tsr_nn_avx2, .conv = &tsr_conv_avx2},
    [TSR_ISA_AVX512] = {.isa = TSR_ISA_AVX512, .gemm = &tsr_gemm_avx512, .nn = &tsr_nn_avx512, .conv = &tsr_conv_avx512},
#endif
};

const struct tsr_kernels *tsr_kernels_get(tsr_isa isa) { return tsr_cpu_has(isa) ? &tables[isa] : NULL; }

const struct tsr_kernels *tsr_kernels_best(void) { return &tables[tsr_cpu_isa()]; }
