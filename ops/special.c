/* Special functions.  Relative errors are about 1e-13 unless a comment says otherwise; the operators'
 * edge cases (poles, infinities, negative orders) follow PyTorch. */
#include "ops/special.h"

#include <math.h>

static const double EULER = 0.57721566490153286061;

double tsr_sp_lgamma(double x) {
  int sign; /* lgamma itself writes a global */
  return lgamma_r(x, &sign);
}

/* Asymptotic series above 10, recurrence below, reflection for negative arguments. */
double tsr_sp_digamma(double x) {
  if (x == 0) return copysign(INFINITY, -x);
  if (x < 0) {
    if (x == trunc(x)) return NAN;
    double r = x - trunc(x);
    return tsr_sp_digamma(1 - x) - M_PI / tan(M_PI * r);
  }
  double shift = 0;
  for (; x < 10; x += 1) shift -= 1 / x;
  double z = 1 / (x * x);
  double y = z * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z * (5.0 / 660 - z * (691.0 / 32760 - z / 12))))));
  return log(x) - 0.5 / x - y + shift;
}

/* n >= 2: lower orders have formulas of their own. */
double tsr_sp_polygamma(int64_t n, double x) {
  return (n % 2 ? 1.0 : -1.0) * exp(tsr_sp_lgamma((double)n + 1)) * tsr_sp_zeta((double)n + 1, x);
}

/* Hurwitz zeta: ten terms, then Euler-Maclaurin with the Bernoulli numbers over (2k)!. */
double tsr_sp_zeta(double s, double q) {
  static const double bernoulli[] = {1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1209600, 1.0 / 47900160,
                                     -691.0 / 1307674368000, 1.0 / 74724249600, -3617.0 / 10670622842880000.0};
  if (s == 1) return INFINITY;
  if (s < 1) return NAN;
  if (q <= 0) {
    if (q == floor(q)) return INFINITY;
    if (s != floor(s)) return NAN;
  }
  double sum = pow(q, -s), a = q, term = sum;
  for (int i = 0; i < 9 || a <= 9; i++) {
    a += 1;
    term = pow(a, -s);
    sum += term;
    if (fabs(term) < 1.1e-16 * fabs(sum)) return sum;
  }
  sum += term * a / (s - 1) - 0.5 * term;
  double rise = s, power = term / a;
  for (size_t k = 0; k < TSR_COUNT(bernoulli); k++) {
    double t = rise * power * bernoulli[k];
    sum += t;
    if (fabs(t) < 1.1e-16 * fabs(sum)) break;
    double j = s + 2 * (double)k + 1;
    rise *= j * (j + 1);
    power /= a * a;
  }
  return sum;
}

/* ---- error function family ---- */

/* x > 0 with erfc(x) = p, 0 < p <= 1: a closed form good to 2e-3, then Halley's steps. */
static double erfc_inverse(double p) {
  double l = log(p * (2 - p)), b = 2 / (M_PI * 0.147) + l / 2;
  double x = sqrt(sqrt(b * b - l / 0.147) - b);
  for (int i = 0; i < 4; i++) {
    double err = erfc(x) - p, d = M_2_SQRTPI * exp(-x * x);
    if (d == 0) break;
    double step = err / d;
    x += step / (1 - x * step);
  }
  return x;
}

double tsr_sp_erfinv(double y) {
  double a = fabs(y);
  if (!(a <= 1)) return NAN;
  if (a == 1) return copysign(INFINITY, y);
  if (a > 0.5) return copysign(erfc_inverse(1 - a), y);
  double x = y / M_2_SQRTPI; /* first term of the series, then Halley's steps */
  for (int i = 0; i < 5; i++) {
    double step = (erf(x) - y) / (M_2_SQRTPI * exp(-x * x));
    x -= step / (1 + x * step);
  }
  return x;
}

double tsr_sp_ndtr(double x) { return x * M_SQRT1_2 < -1 ? 0.5 * erfc(-x * M_SQRT1_2) : 0.5 * (1 + erf(x * M_SQRT1_2)); }

double tsr_sp_ndtri(double p) {
  if (p == 0) return -INFINITY;
  if (p == 1) return INFINITY;
  if (!(p > 0 && p < 1)) return NAN;
  return p <= 0.5 ? -M_SQRT2 * erfc_inverse(2 * p) : M_SQRT2 * tsr_sp_erfinv(2 * p - 1);
}

/* e^(x^2) erfc(x): the error of x^2 costs up to 1e-13 below 25; the asymptotic series serves above. */
double tsr_sp_erfcx(double x) {
  if (x < 25) return x < -26.7 ? INFINITY : exp(x * x) * erfc(x);
  double z = 1 / (x * x);
  return M_2_SQRTPI / (2 * x) * (1 - z * (0.5 - z * (0.75 - z * (1.875 - z * 6.5625))));
}

double tsr_sp_log_ndtr(double x) {
  double t = x * M_SQRT1_2;
  return x < -1 ? log(tsr_sp_erfcx(-t) / 2) - t * t : log1p(-erfc(t) / 2);
}

double tsr_sp_entr(double x) { return x != x ? x : x > 0 ? -x * log(x) : x == 0 ? 0 : -INFINITY; }

/* ---- Bessel functions ---- */

/* e^-|x| I_v(x), v 0 or 1: the power series up to 30, the asymptotic one above. */
static double bessel_ie(int v, double x) {
  double a = fabs(x), sum = 1, term = 1;
  if (isinf(a)) return 0;
  if (a <= 30) {
    double q = a * a / 4;
    for (int k = 1; k < 200; k++) {
      term *= q / ((double)k * (k + v));
      sum += term;
      if (term < 1e-17 * sum) break;
    }
    sum *= exp(-a) * (v ? a / 2 : 1);
  } else {
    double mu = v ? 4 : 0;
    for (int k = 1; k < 40; k++) {
      double odd = 2 * k - 1, next = term * -(mu - odd * odd) / (k * 8 * a);
      if (fabs(next) < 1e-17 || fabs(next) > fabs(term)) break;
      term = next;
      sum += term;
    }
    sum /= sqrt(2 * M_PI * a);
  }
  return v && x < 0 ? -sum : sum;
}
static double unscale(double y, double x) { /* y e^|x| without an early overflow */
  double h = exp(fabs(x) / 2);
  return y * h * h;
}
double tsr_sp_i0(double x) { return isinf(x) ? NAN : unscale(bessel_ie(0, x), x); }
double tsr_sp_i0e(double x) { return bessel_ie(0, x); }
double tsr_sp_i1(double x) { return isinf(x) ? NAN : unscale(bessel_ie(1, x), x); }
double tsr_sp_i1e(double x) { return bessel_ie(1, x); }


/* e^x K_v(x) = integral over t >= 0 of e^(-x (cosh t - 1)) cosh(v t): the trapezoidal rule converges
 * geometrically for it. */
static double bessel_ke(double v, double x) {
  const double h = 1 / (16 * fmax(1, sqrt(x) / 3)); /* the integrand narrows as 1 / sqrt(x) */
  double sum = 0.5;
  for (int i = 1; i < 20000; i++) {
    double t = i * h, s = sinh(t / 2), e = v * t - 2 * x * s * s;
    if (e < -45) break;
    sum += 0.5 * (exp(e) + exp(e - 2 * v * t));
  }
  return sum * h;
}
static double bessel_k(int v, double x, double scale) {
  if (x == 0) return INFINITY;
  if (!(x > 0)) return NAN;
  if (isinf(x)) return 0;
  if (x < 1e-9) return v ? 1 / x : -log(x / 2) - EULER;
  return bessel_ke(v, x) * scale;
}
double tsr_sp_k0(double x) { return bessel_k(0, x, exp(-x)); }
double tsr_sp_k1(double x) { return bessel_k(1, x, exp(-x)); }
double tsr_sp_k0e(double x) { return bessel_k(0, x, 1); }
double tsr_sp_k1e(double x) { return bessel_k(1, x, 1); }

double tsr_sp_spherical_j0(double x) {
  if (isinf(x)) return 0;
  double z = x * x;
  if (fabs(x) < 0.5) return 1 - z / 6 * (1 - z / 20 * (1 - z / 42 * (1 - z / 72 * (1 - z / 110))));
  return sin(x) / x;
}

/* ---- Airy ---- */

static double airy_series(double x) { /* Maclaurin; absolute error 3e-10 at -8 */
  double f = 1, g = x, tf = 1, tg = x, z = x * x * x;
  for (int k = 1; k < 80; k++) {
    tf *= z / ((3.0 * k - 1) * (3.0 * k));
    tg *= z / ((3.0 * k) * (3.0 * k + 1));
    f += tf;
    g += tg;
    if (fabs(tf) + fabs(tg) < 1e-18) break;
  }
  return 0.35502805388781723926 * f - 0.25881940379280679840 * g;
}

static double airy_waves(double z) { /* Ai(-z) for large z */
  double zeta = 2.0 / 3 * z * sqrt(z), u = 1, even = 0, odd = 0;
  for (int k = 0; k < 24; k++) {
    double sign = k / 2 % 2 ? -1 : 1;
    if (k % 2) odd += sign * u;
    else even += sign * u;
    double next = u * (6 * k + 5.0) * (6 * k + 1.0) / (72.0 * (k + 1) * zeta);
    if (next > u || next < 1e-17) break;
    u = next;
  }
  double phase = zeta + M_PI / 4;
  return (sin(phase) * even - cos(phase) * odd) / sqrt(M_PI * sqrt(z));
}

double tsr_sp_airy_ai(double x) {
  if (isinf(x)) return NAN;
  if (x < -8) return airy_waves(-x);
  if (x <= 2) return airy_series(x);
  double zeta = 2.0 / 3 * x * sqrt(x);
  return exp(-zeta) * bessel_ke(1.0 / 3, zeta) * sqrt(x / 3) / M_PI;
}

/* ---- incomplete gamma ---- */

/* x^a e^-x / Gamma(a) */
static double gamma_factor(double a, double x) {
  double e = a * log(x) - x - tsr_sp_lgamma(a);
  if (a > 200 && fabs(a - x) < 0.4 * a) { /* the terms cancel: expand around x = a */
    double mu = (x - a) / a, series = log1p(mu) - mu;
    e = a * series + 0.5 * log(a / (2 * M_PI)) - 1 / (12 * a) + 1 / (360 * a * a * a);
  }
  return exp(e);
}

static double gamma_series(double a, double x) {
  double sum = 1, term = 1;
  for (int k = 1; k < 4000; k++) {
    term *= x / (a + k);
    sum += term;
    if (term < 1e-17 * sum) break;
  }
  return sum * gamma_factor(a, x) / a;
}

static double gamma_fraction(double a, double x) { /* Lentz */
  const double tiny = 1e-300;
  double b = x + 1 - a, c = 1 / tiny, d = 1 / (b == 0 ? tiny : b), h = d;
  for (int i = 1; i < 4000; i++) {
    double an = -i * (i - a);
    b += 2;
    d = an * d + b;
    if (fabs(d) < tiny) d = tiny;
    c = b + an / c;
    if (fabs(c) < tiny) c = tiny;
    d = 1 / d;
    h *= d * c;
    if (fabs(d * c - 1) < 1e-16) break;
  }
  return h * gamma_factor(a, x);
}

/* Lower (upper == 0) or upper regularised incomplete gamma function. */
static double incomplete(double a, double x, int upper) {
  if (a < 0 || x < 0) return NAN; /* the order of these decides where one is NaN */
  if (a == 0) return x > 0 ? (upper ? 0 : 1) : NAN;
  if (x == 0) return upper ? 1 : 0;
  if (isinf(a)) return isinf(x) ? NAN : upper ? 1 : 0;
  if (isinf(x)) return upper ? 0 : 1;
  if (isnan(a) || isnan(x)) return NAN;
  if (x < a + 1) {
    double p = gamma_series(a, x);
    return upper ? 1 - p : p;
  }
  double q = gamma_fraction(a, x);
  return upper ? q : 1 - q;
}
double tsr_sp_igamma(double a, double x) { return incomplete(a, x, 0); }
double tsr_sp_igammac(double a, double x) { return incomplete(a, x, 1); }

/* ---- orthogonal polynomials: by recurrence p[k+1] = (A x + B) p[k] - C p[k-1] ---- */

#define MAX_DEGREE 1e6 /* beyond it the recurrence would only take time */

/* The integer that PyTorch's kernels make of a degree: NaN and what is out of range become the most negative one. */
static double degree(double n) { return n > -0x1p63 && n < 0x1p63 ? trunc(n) : -0x1p63; }

/* The Chebyshev families share p[k+1] = 2 x p[k] - p[k-1] and differ in p[1]. */
static double chebyshev(double x, double n, double p1) {
  double p = 1, q = p1;
  if (n != n || x != x) return NAN;
  if (n < 1) return 1;
  if (n > MAX_DEGREE) return NAN;
  for (int64_t k = 2; k <= (int64_t)n && q == q; k++) {
    double r = 2 * x * q - p;
    p = q;
    q = r;
  }
  return q;
}
static bool is_odd(double n) { return fmod(trunc(n), 2) != 0; }

double tsr_sp_chebyshev_t(double x, double n) {
  n = degree(n);
  if (n < 0) return 0;
  if (fabs(x) == 1) return x > 0 || !is_odd(n) ? 1 : -1;
  if (n > 6 && fabs(x) < 1) return cos(n * acos(x));
  return chebyshev(x, n, x);
}
double tsr_sp_chebyshev_u(double x, double n) {
  n = degree(n);
  if (n < 0) return 0;
  if (fabs(x) == 1) return x > 0 || !is_odd(n) ? n + 1 : -(n + 1);
  if (n > 8 && fabs(x) < 1) return sin((n + 1) * acos(x)) / sin(acos(x));
  return chebyshev(x, n, 2 * x);
}
double tsr_sp_chebyshev_v(double x, double n) {
  n = degree(n);
  if (n < 0) return 0;
  if (fabs(x) == 1) return x > 0 ? 1 : is_odd(n) ? -(2 * n + 1) : 2 * n + 1;
  if (n > 8 && fabs(x) < 1) return cos((n + 0.5) * acos(x)) / cos(acos(x) / 2);
  return chebyshev(x, n, 2 * x - 1);
}
double tsr_sp_chebyshev_w(double x, double n) {
  n = degree(n);
  if (n < 0) return 0;
  if (fabs(x) == 1) return x > 0 ? 2 * n + 1 : is_odd(n) ? -1 : 1;
  if (n > 8 && fabs(x) < 1) return sin((n + 0.5) * acos(x)) / sin(acos(x) / 2);
  return chebyshev(x, n, 2 * x + 1);
}
double tsr_sp_shifted_chebyshev_t(double x, double n) { return tsr_sp_chebyshev_t(x + x - 1, n); }
double tsr_sp_shifted_chebyshev_u(double x, double n) { return tsr_sp_chebyshev_u(x + x - 1, n); }
double tsr_sp_shifted_chebyshev_v(double x, double n) { return tsr_sp_chebyshev_v(x + x - 1, n); }
double tsr_sp_shifted_chebyshev_w(double x, double n) { return tsr_sp_chebyshev_w(x + x - 1, n); }

typedef double (*step_fn)(double x, double k, double q, double p); /* p[k+1] of p[k], p[k-1] */
static double step_h(double x, double k, double q, double p) { return 2 * x * q - 2 * k * p; }
static double step_he(double x, double k, double q, double p) { return x * q - k * p; }
static double step_l(double x, double k, double q, double p) { return ((2 * k + 1 - x) * q - k * p) / (k + 1); }
static double step_p(double x, double k, double q, double p) { return ((2 * k + 1) * x * q - k * p) / (k + 1); }

static double recurrence(double x, double n, double p1, step_fn step) {
  double p = 1, q = p1;
  n = degree(n);
  if (n < 0) return 0;
  if (n == 0) return 1;
  if (!(n <= MAX_DEGREE)) return NAN;
  for (int64_t k = 1; k < (int64_t)n && q == q; k++) {
    double r = step(x, (double)k, q, p);
    p = q;
    q = r;
  }
  return q;
}
double tsr_sp_hermite_h(double x, double n) { return recurrence(x, n, 2 * x, step_h); }
double tsr_sp_hermite_he(double x, double n) { return recurrence(x, n, x, step_he); }
double tsr_sp_laguerre_l(double x, double n) { return fabs(x) == 0 && trunc(n) >= 0 ? 1 : recurrence(x, n, 1 - x, step_l); }
double tsr_sp_legendre_p(double x, double n) {
  if (trunc(n) >= 0 && fabs(x) == 1) return x > 0 || !is_odd(n) ? 1 : -1;
  return recurrence(x, n, x, step_p);
}
