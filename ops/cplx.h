/* <complex.h>, whole: glibc defines CMPLX for GCC only. */
#ifndef TSR_OPS_CPLX_H
#define TSR_OPS_CPLX_H

#include <complex.h>

#ifndef CMPLX
#define CMPLX(re, im) ((double _Complex){(re), (im)}) /* clang's initialiser */
#endif

#endif
