/* Transforms of tensors along dimensions. */
#ifndef TSR_OPS_FFT_H
#define TSR_OPS_FFT_H

#include "ops/native.h"

/* Complex transform along each of dims in turn: contiguous complex128 in, complex128 out (may be x itself
 * when there are no dims).  sizes[i]: the length along dims[i], cut or padded with zeros. */
tsr_status tsr_fft_dims(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int n, const int64_t *dims, const int64_t *sizes, bool forward, double scale);

/* Along the last dimension with PyTorch's element types and strides, forward: of complex numbers, or of real ones (half of the result where onesided). */
tsr_status tsr_fft_last(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, bool onesided, double scale);

#endif
