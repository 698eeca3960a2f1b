/* Special functions of one or two real numbers, in double precision. */
#ifndef TSR_OPS_SPECIAL_H
#define TSR_OPS_SPECIAL_H

#include "core/base.h"

/* X(name) of one argument; Y(name) of two */
#define TSR_SPECIAL_1(X)                                                                              \
  X(lgamma) X(digamma) X(erfinv) X(erfcx) X(i0) X(i0e) X(i1) X(i1e) X(ndtr) X(ndtri) X(log_ndtr) X(entr) \
  X(j0) X(j1) X(y0) X(y1) X(k0) X(k1) X(k0e) X(k1e) X(airy_ai) X(spherical_j0)
#define TSR_SPECIAL_2(X)                                                                              \
  X(zeta) X(igamma) X(igammac)                                                                        \
  X(chebyshev_t) X(chebyshev_u) X(chebyshev_v) X(chebyshev_w)                                         \
  X(shifted_chebyshev_t) X(shifted_chebyshev_u) X(shifted_chebyshev_v) X(shifted_chebyshev_w)         \
  X(hermite_h) X(hermite_he) X(laguerre_l) X(legendre_p)

#define X(name) double tsr_sp_##name(double x);
TSR_SPECIAL_1(X)
#undef X
#define X(name) double tsr_sp_##name(double x, double n);
TSR_SPECIAL_2(X)
#undef X
double tsr_sp_polygamma(int64_t n, double x);

#endif
