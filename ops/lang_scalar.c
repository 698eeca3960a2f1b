/* Numbers of the language: int, float, complex and bool arithmetic, comparison, math functions, casts.
 *
 * One kernel serves all overloads of an operator: the operands' tags say which arithmetic applies
 * (complex before float before int), exactly as the overload list does. */
#include <math.h>
#include <stdlib.h>

#include "ops/cplx.h"
#include "ops/op.h"

typedef double complex cplx;

static bool is_complex(tsr_val v) { return v.tag == TSR_V_COMPLEX; }
static bool is_float(tsr_val v) { return v.tag == TSR_V_FLOAT; }
static int64_t as_int(tsr_val v) { return v.tag == TSR_V_BOOL ? v.b : v.tag == TSR_V_INT ? v.i : 0; }
static double as_float(tsr_val v) { return v.tag == TSR_V_FLOAT ? v.d : is_complex(v) ? v.c->z.re : (double)as_int(v); }
static cplx as_complex(tsr_val v) { return is_complex(v) ? CMPLX(v.c->z.re, v.c->z.im) : as_float(v); }
static tsr_status ret_cplx(tsr_call *c, cplx z) { return tsr_ret_complex(c, creal(z), cimag(z)); }
static bool any_complex(const tsr_call *c) { return is_complex(c->args[0]) || is_complex(c->args[1]); }
static bool any_float(const tsr_call *c) { return is_float(c->args[0]) || is_float(c->args[1]); }

static bool fits_int(double x) { return x >= -9223372036854775808.0 && x < 9223372036854775808.0; }

/* Numbers whose kind is known at run time only may be complex where the operator has no meaning for these. */
static tsr_status no_complex(tsr_call *c) { return tsr_op_fail(c->ctx, "%s: not defined for complex numbers", c->op->schema); }

static int64_t wrap_add(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
static int64_t wrap_sub(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
static int64_t wrap_mul(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }
static int64_t wrap_neg(int64_t a) { return (int64_t)(0 - (uint64_t)a); }

/* PyTorch's complex numbers: a real operand touches only the parts that it must, and products and quotients do not repair NaN. */
static cplx add_complex(tsr_val a, tsr_val b) {
  cplx x = as_complex(a), y = as_complex(b);
  return CMPLX(creal(x) + creal(y), !is_complex(a) ? cimag(y) : !is_complex(b) ? cimag(x) : cimag(x) + cimag(y));
}
static cplx sub_complex(tsr_val a, tsr_val b) {
  cplx x = as_complex(a), y = as_complex(b);
  return CMPLX(creal(x) - creal(y), !is_complex(a) ? -cimag(y) : !is_complex(b) ? cimag(x) : cimag(x) - cimag(y));
}
static cplx mul_complex(tsr_val a, tsr_val b) {
  cplx x = as_complex(a), y = as_complex(b);
  if (!is_complex(a)) return CMPLX(creal(x) * creal(y), creal(x) * cimag(y));
  if (!is_complex(b)) return CMPLX(creal(x) * creal(y), cimag(x) * creal(y));
  return CMPLX(creal(x) * creal(y) - cimag(x) * cimag(y), creal(x) * cimag(y) + cimag(x) * creal(y));
}

/* Scaled by the divisor's larger part. */
static cplx div_complex(tsr_val x, tsr_val y) {
  double a = creal(as_complex(x)), b = cimag(as_complex(x)), c = creal(as_complex(y)), d = cimag(as_complex(y));
  if (!is_complex(y)) return CMPLX(a / c, b / c);
  if (c == 0 && d == 0) return CMPLX(a / fabs(c), b / fabs(d));
  bool real = fabs(c) >= fabs(d);
  double ratio = real ? d / c : c / d, scale = 1.0 / (real ? c + d * ratio : c * ratio + d);
  return real ? CMPLX((a + b * ratio) * scale, (b - a * ratio) * scale) : CMPLX((a * ratio + b) * scale, (b * ratio - a) * scale);
}

#define ARITHMETIC(name, int_fn, op)                                                                      \
  TSR_KERNEL(name) {                                                                                      \
    if (any_complex(c)) return ret_cplx(c, name##_complex(c->args[0], c->args[1]));                       \
    if (any_float(c)) return tsr_ret_float(c, as_float(c->args[0]) op as_float(c->args[1]));              \
    return tsr_ret_int(c, int_fn(as_int(c->args[0]), as_int(c->args[1])));                                \
  }
ARITHMETIC(add, wrap_add, +)
ARITHMETIC(sub, wrap_sub, -)
ARITHMETIC(mul, wrap_mul, *)

TSR_KERNEL(div) {
  if (any_complex(c)) return ret_cplx(c, div_complex(c->args[0], c->args[1]));
  return tsr_ret_float(c, as_float(c->args[0]) / as_float(c->args[1]));
}

static tsr_status by_zero(tsr_call *c) { return tsr_op_fail(c->ctx, "division by 0"); }

static int64_t int_floordiv(int64_t a, int64_t b) {
  if (b == -1) return wrap_neg(a); /* INT64_MIN / -1 traps */
  int64_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}
/* As PyTorch computes it: an infinite b gives NaN. */
static double float_remainder(double a, double b) { return fmod(b + fmod(a, b), b); }
/* Python's; of divmod. */
static double python_remainder(double a, double b) {
  double r = fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

TSR_KERNEL(floordiv) {
  if (any_complex(c)) return no_complex(c);
  if (any_float(c)) return tsr_ret_float(c, floor(as_float(c->args[0]) / as_float(c->args[1])));
  if (as_int(c->args[1]) == 0) return by_zero(c);
  return tsr_ret_int(c, int_floordiv(as_int(c->args[0]), as_int(c->args[1])));
}

TSR_KERNEL(round_to_zero_floordiv) {
  int64_t a = as_int(c->args[0]), b = as_int(c->args[1]);
  if (b == 0) return by_zero(c);
  return tsr_ret_int(c, b == -1 ? wrap_neg(a) : a / b);
}

TSR_KERNEL(remainder) {
  if (any_complex(c)) return no_complex(c);
  if (any_float(c)) return tsr_ret_float(c, float_remainder(as_float(c->args[0]), as_float(c->args[1])));
  int64_t a = as_int(c->args[0]), b = as_int(c->args[1]);
  if (b == 0) return tsr_op_fail(c->ctx, "integer modulo by zero");
  /* (b + a % b) % b as PyTorch has it, which wraps around where b is beyond 2^62 */
  return tsr_ret_int(c, b == -1 ? 0 : (int64_t)((uint64_t)b + (uint64_t)(a % b)) % b);
}

static tsr_status no_integer(tsr_call *c, double x) {
  if (isnan(x) || isinf(x)) return tsr_op_fail(c->ctx, "Cannot convert float %s to integer", isnan(x) ? signbit(x) ? "-nan" : "nan" : x < 0 ? "-inf" : "inf");
  return tsr_op_fail(c->ctx, "Cannot convert float %f to integer", x);
}

static tsr_status divided(tsr_call *c, double quotient, double rest) {
  c->rets[0] = tsr_float(quotient);
  c->rets[1] = tsr_float(rest);
  return TSR_OK;
}

static tsr_status float_divmod(tsr_call *c, double a, double b) {
  if (b == 0) return tsr_op_fail(c->ctx, "ZeroDivisionError: float divmod()");
  double r = python_remainder(a, b);
  return divided(c, (a - r) / b, r);
}

/* Of an integer and a float PyTorch takes 32 bits each: the integer's low half, the float rounded.  The quotient goes through an integer. */
static tsr_status mixed_divmod(tsr_call *c, float a, float b) {
  if (b == 0) return tsr_op_fail(c->ctx, "ZeroDivisionError: float divmod()");
  double q = floor((double)(a / b));
  if (!(fabs(q) <= 9223372036854775808.0)) return no_integer(c, q);
  double whole = (double)(fits_int(q) ? (int64_t)q : INT64_MIN);
  return divided(c, whole, (double)a - whole * (double)b);
}

TSR_KERNEL(divmod) {
  bool first = is_float(c->args[0]), second = is_float(c->args[1]);
  if (first && second) return float_divmod(c, c->args[0].d, c->args[1].d);
  if (first) return mixed_divmod(c, (float)c->args[0].d, (int32_t)as_int(c->args[1]));
  if (second) return mixed_divmod(c, (int32_t)as_int(c->args[0]), (float)c->args[1].d);
  int64_t a = as_int(c->args[0]), b = as_int(c->args[1]);
  if (b == 0) return tsr_op_fail(c->ctx, "ZeroDivisionError: integer division or modulo by zero");
  c->rets[0] = tsr_int(int_floordiv(a, b));
  c->rets[1] = tsr_int(wrap_sub(a, wrap_mul(c->rets[0].i, b)));
  return TSR_OK;
}

static tsr_status zero_power(tsr_call *c) { return tsr_op_fail(c->ctx, "0.0 cannot be raised to a negative power"); }

static cplx from_polar(double r, double angle) { return CMPLX(r * cos(angle), r * sin(angle)); }

/* std::pow's, of which one operand may be real. */
static cplx pow_complex(tsr_val a, tsr_val b) {
  cplx x = as_complex(a), y = as_complex(b);
  if (is_complex(a) && is_complex(b)) return cpow(x, y);
  if (is_complex(b)) return creal(x) > 0 ? from_polar(pow(creal(x), creal(y)), cimag(y) * log(creal(x))) : cpow(x, y);
  if (cimag(x) == 0 && creal(x) > 0) return pow(creal(x), creal(y));
  cplx t = clog(x);
  return from_polar(exp(creal(y) * creal(t)), creal(y) * cimag(t));
}

TSR_KERNEL(pow_scalar) {
  if (any_complex(c)) return no_complex(c);
  return tsr_ret_float(c, pow(as_float(c->args[0]), as_float(c->args[1])));
}

TSR_KERNEL(pow) {
  if (any_complex(c)) return ret_cplx(c, pow_complex(c->args[0], c->args[1]));
  double a = as_float(c->args[0]), b = as_float(c->args[1]);
  if (a == 0 && b < 0) return zero_power(c);
  return tsr_ret_float(c, pow(a, b));
}

TSR_KERNEL(pow_int) {
  int64_t base = as_int(c->args[0]), e = as_int(c->args[1]), r = 1;
  if (e < 0) return base == 0 ? zero_power(c) : tsr_ret_int(c, (int64_t)pow((double)base, (double)e));
  for (; e > 0; e >>= 1, base = wrap_mul(base, base)) {
    if (e & 1) r = wrap_mul(r, base);
  }
  return tsr_ret_int(c, r);
}

/* Two floats in, float out, whatever the operands were. */
typedef double (*float2)(double, double);
typedef struct math2 { float2 f; } math2;
TSR_KERNEL(math2) {
  const math2 *m = c->op->data;
  if (any_complex(c)) return no_complex(c);
  return tsr_ret_float(c, m->f(as_float(c->args[0]), as_float(c->args[1])));
}
static const math2 m_fmod = {fmod}, m_copysign = {copysign}, m_atan2 = {atan2}, m_mathremainder = {remainder};

TSR_KERNEL(polar) { return ret_cplx(c, from_polar(as_float(c->args[0]), as_float(c->args[1]))); }

/* NaN without a sign, as the C library that PyTorch was built with has it. */
static double real_log(double x) { return x < 0 ? (double)NAN : log(x); }

TSR_KERNEL(log2args) {
  tsr_val a = c->args[0], b = c->args[1];
  if (!any_complex(c)) return tsr_ret_float(c, real_log(as_float(a)) / real_log(as_float(b)));
  if (is_complex(a) && is_complex(b)) return ret_cplx(c, clog(as_complex(a)) / clog(as_complex(b)));
  if (is_complex(b)) return ret_cplx(c, CMPLX(real_log(as_float(a)), 0) / clog(as_complex(b)));
  cplx x = clog(as_complex(a));
  double y = real_log(as_float(b));
  return tsr_ret_complex(c, creal(x) / y, cimag(x) / y);
}

/* ---- one operand ---- */

typedef struct math1 { double (*f)(double); cplx (*cf)(cplx); } math1;
TSR_KERNEL(math1) {
  const math1 *m = c->op->data;
  if (is_complex(c->args[0])) {
    if (m->cf == NULL) return no_complex(c);
    return ret_cplx(c, m->cf(as_complex(c->args[0])));
  }
  return tsr_ret_float(c, m->f(as_float(c->args[0])));
}
static cplx clog10_(cplx z) { return clog(z) / log(10.0); }
static double to_degrees(double x) { return x * (180.0 / M_PI); }
static double to_radians(double x) { return x * (M_PI / 180.0); }
static const math1 m_sin = {sin, csin}, m_cos = {cos, ccos}, m_tan = {tan, ctan}, m_asin = {asin, casin}, m_acos = {acos, cacos},
                   m_atan = {atan, catan}, m_sinh = {sinh, csinh}, m_cosh = {cosh, ccosh}, m_tanh = {tanh, ctanh},
                   m_asinh = {asinh, casinh}, m_acosh = {acosh, cacosh}, m_atanh = {atanh, catanh}, m_exp = {exp, cexp},
                   m_log = {real_log, clog}, m_log10 = {log10, clog10_}, m_sqrt = {sqrt, csqrt}, m_log1p = {log1p, NULL},
                   m_expm1 = {expm1, NULL}, m_erf = {erf, NULL}, m_erfc = {erfc, NULL}, m_gamma = {tgamma, NULL},
                   m_lgamma = {lgamma, NULL}, m_fabs = {fabs, NULL}, m_degrees = {to_degrees, NULL}, m_radians = {to_radians, NULL},
                   m_round = {rint, NULL};

/* floor and ceil of an integer go through a float, as in PyTorch. */
static tsr_status whole(tsr_call *c, double (*f)(double)) {
  double x = f(as_float(c->args[0]));
  return fabs(x) <= 9223372036854775808.0 ? tsr_ret_int(c, fits_int(x) ? (int64_t)x : INT64_MIN) : no_integer(c, x);
}
TSR_KERNEL(floor) { return is_complex(c->args[0]) ? no_complex(c) : whole(c, floor); }
TSR_KERNEL(ceil) { return is_complex(c->args[0]) ? no_complex(c) : whole(c, ceil); }

TSR_KERNEL(neg) {
  if (is_complex(c->args[0])) return ret_cplx(c, -as_complex(c->args[0]));
  return is_float(c->args[0]) ? tsr_ret_float(c, -c->args[0].d) : tsr_ret_int(c, wrap_neg(as_int(c->args[0])));
}

TSR_KERNEL(abs) {
  tsr_val v = c->args[0];
  if (is_complex(v)) return tsr_ret_float(c, cabs(as_complex(v)));
  if (is_float(v)) return tsr_ret_float(c, fabs(v.d));
  int64_t i = as_int(v);
  return tsr_ret_int(c, i < 0 ? wrap_neg(i) : i);
}

TSR_KERNEL(angle) {
  tsr_val v = c->args[0];
  if (is_complex(v)) return tsr_ret_float(c, carg(as_complex(v)));
  double x = as_float(v);
  return tsr_ret_float(c, signbit(x) ? M_PI : 0); /* also of NaN */
}

/* Of a number whose kind is known at run time only, as item() gives one, PyTorch rounds a real result to float32. */
static tsr_status narrowed(tsr_call *c, tsr_status s) {
  if (s == TSR_OK && is_float(c->rets[0])) c->rets[0] = tsr_float((float)c->rets[0].d);
  return s;
}
TSR_KERNEL(math1_scalar) { return narrowed(c, op_math1(c)); }
TSR_KERNEL(neg_scalar) { return narrowed(c, op_neg(c)); }
TSR_KERNEL(abs_scalar) { return narrowed(c, op_abs(c)); }
TSR_KERNEL(angle_scalar) { return narrowed(c, op_angle(c)); }

TSR_KERNEL(isnan) { return tsr_ret_bool(c, is_complex(c->args[0]) ? isnan(c->args[0].c->z.re) || isnan(c->args[0].c->z.im) : isnan(as_float(c->args[0]))); }
TSR_KERNEL(isinf) { return tsr_ret_bool(c, is_complex(c->args[0]) ? isinf(c->args[0].c->z.re) || isinf(c->args[0].c->z.im) : isinf(as_float(c->args[0])) != 0); }
TSR_KERNEL(isfinite) {
  return tsr_ret_bool(c, is_complex(c->args[0]) ? isfinite(c->args[0].c->z.re) && isfinite(c->args[0].c->z.im) : isfinite(as_float(c->args[0])));
}

TSR_KERNEL(ldexp) { return tsr_ret_float(c, ldexp(c->args[0].d, (int32_t)c->args[1].i)); }
TSR_KERNEL(frexp) {
  int e = 0;
  c->rets[0] = tsr_float(frexp(c->args[0].d, &e));
  c->rets[1] = tsr_int(e);
  return TSR_OK;
}
TSR_KERNEL(modf) {
  double whole, part = modf(c->args[0].d, &whole);
  c->rets[0] = tsr_float(part);
  c->rets[1] = tsr_float(whole);
  return TSR_OK;
}

TSR_KERNEL(gcd) {
  uint64_t a = (uint64_t)llabs(c->args[0].i), b = (uint64_t)llabs(c->args[1].i);
  while (b != 0) {
    uint64_t r = a % b;
    a = b;
    b = r;
  }
  return tsr_ret_int(c, (int64_t)a);
}

/* n!, of which the low 32 bits count, modulo 2^64 as PyTorch arrives at it: the product of odd parts, then a shift whose count wraps. */
static uint64_t odd_product(int64_t from, int64_t to) {
  if (to <= from + 1) return (uint64_t)from;
  if (to == from + 2) return (uint64_t)from * (uint64_t)to;
  int64_t middle = from + (to - from) / 2;
  middle -= (middle & 1) != 1;
  return odd_product(from, middle) * odd_product(middle + 2, to);
}
static void odd_parts(int64_t n, uint64_t *p, uint64_t *r) {
  if (n <= 2) return;
  odd_parts(n / 2, p, r);
  *p *= odd_product(n / 2 + 1 + (n / 2 & 1), n - 1 + (n & 1));
  *r *= *p;
}
TSR_KERNEL(factorial) {
  int32_t n = (int32_t)c->args[0].i;
  uint64_t p = 1, r = 1;
  if (n < 0) return tsr_op_fail(c->ctx, "factorial() not defined for negative values");
  if (n > 1 << 20) return tsr_op_fail(c->ctx, "factorial() of %d is beyond what an integer holds", n);
  odd_parts(n, &p, &r);
  return tsr_ret_int(c, (int64_t)(r << ((n - __builtin_popcount((unsigned)n)) & 63)));
}

/* ---- bits and booleans ---- */

static int64_t shift_count(int64_t n) { return n & 63; } /* as the processor does */
#define BITWISE(name, op)                                                             \
  TSR_KERNEL(name) {                                                                  \
    if (c->args[0].tag == TSR_V_BOOL) return tsr_ret_bool(c, c->args[0].b op c->args[1].b); \
    return tsr_ret_int(c, c->args[0].i op c->args[1].i);                              \
  }
BITWISE(and_, &)
BITWISE(or_, |)
BITWISE(xor_, ^)
TSR_KERNEL(lshift) { return tsr_ret_int(c, (int64_t)((uint64_t)c->args[0].i << shift_count(c->args[1].i))); }
TSR_KERNEL(rshift) { return tsr_ret_int(c, c->args[0].i >> shift_count(c->args[1].i)); }
TSR_KERNEL(not_) { return tsr_ret_bool(c, !c->args[0].b); }

/* ---- comparison ---- */

#define COMPARE(name, op)                                                                                        \
  TSR_KERNEL(name) {                                                                                             \
    if (any_complex(c)) return no_complex(c);                                                                    \
    if (any_float(c)) return tsr_ret_bool(c, as_float(c->args[0]) op as_float(c->args[1]));                      \
    return tsr_ret_bool(c, as_int(c->args[0]) op as_int(c->args[1]));                                            \
  }
COMPARE(lt, <)
COMPARE(le, <=)
COMPARE(gt, >)
COMPARE(ge, >=)

static bool numbers_equal(const tsr_call *c) {
  if (any_complex(c)) return as_complex(c->args[0]) == as_complex(c->args[1]);
  if (any_float(c)) return as_float(c->args[0]) == as_float(c->args[1]);
  return as_int(c->args[0]) == as_int(c->args[1]);
}
TSR_KERNEL(eq) { return tsr_ret_bool(c, numbers_equal(c)); }
TSR_KERNEL(ne) { return tsr_ret_bool(c, !numbers_equal(c)); }

/* min(a, b) is a only if a is smaller, so that of NaN and a number it gives the second; mixed operands give a float. */
static tsr_status pick(tsr_call *c, bool second) {
  if (any_complex(c)) return no_complex(c);
  tsr_val v = c->args[second];
  if (any_float(c)) return tsr_ret_float(c, as_float(v));
  c->rets[0] = v.tag == TSR_V_BOOL ? tsr_int(v.b) : v;
  return TSR_OK;
}
TSR_KERNEL(min) { return pick(c, any_float(c) ? !(as_float(c->args[0]) < as_float(c->args[1])) : as_int(c->args[0]) >= as_int(c->args[1])); }
TSR_KERNEL(max) { return pick(c, any_float(c) ? !(as_float(c->args[0]) > as_float(c->args[1])) : as_int(c->args[0]) <= as_int(c->args[1])); }

/* ---- casts ---- */

TSR_KERNEL(to_int) {
  tsr_val v = c->args[0];
  if (!is_float(v)) return tsr_ret_int(c, as_int(v));
  return tsr_ret_int(c, fits_int(v.d) ? (int64_t)v.d : INT64_MIN);
}
TSR_KERNEL(scalar_to_int) {
  tsr_val v = c->args[0];
  if (is_complex(v) ? v.c->z.im != 0 || !fits_int(v.c->z.re) : is_float(v) && !(fabs(v.d) <= 9223372036854775808.0)) {
    return tsr_op_fail(c->ctx, "value cannot be converted to type int without overflow");
  }
  return is_complex(v) ? tsr_ret_int(c, (int64_t)v.c->z.re) : op_to_int(c);
}
TSR_KERNEL(to_float) { return tsr_ret_float(c, as_float(c->args[0])); }
TSR_KERNEL(to_bool) { return tsr_ret_bool(c, is_float(c->args[0]) ? c->args[0].d != 0 : as_int(c->args[0]) != 0); }
TSR_KERNEL(to_complex) {
  if (c->nargs == 1) return ret_cplx(c, as_complex(c->args[0]));
  double part[2];
  for (int i = 0; i < 2; i++) part[i] = c->args[i].tag == TSR_V_INT ? (int32_t)c->args[i].i : as_float(c->args[i]); /* PyTorch takes the low 32 bits */
  return tsr_ret_complex(c, part[0], part[1]);
}

TSR_KERNEL(derive_index) { return tsr_ret_int(c, wrap_add(c->args[1].i, wrap_mul(c->args[0].i, c->args[2].i))); }
TSR_KERNEL(range_length) {
  int64_t lo = c->args[0].i, hi = c->args[1].i, step = c->args[2].i;
  if (step == 0) return tsr_op_fail(c->ctx, "range() arg 3 must not be zero");
  if (step > 0 ? lo >= hi : lo <= hi) return tsr_ret_int(c, 0);
  int64_t span = step > 0 ? wrap_sub(wrap_sub(hi, 1), lo) : wrap_sub(wrap_sub(lo, 1), hi); /* wraps for ranges of more than 2^63 numbers */
  return tsr_ret_int(c, 1 + span / (step > 0 ? step : wrap_neg(step)));
}

#define P TSR_PURE
#define MATH1(name)                                                                                         \
  {"aten::" #name ".int(int a) -> float", op_math1, P, &m_##name},                                          \
      {"aten::" #name ".float(float a) -> float", op_math1, P, &m_##name},                                  \
      {"aten::" #name ".complex(complex a) -> complex", op_math1, P, &m_##name},                            \
      {"aten::" #name ".Scalar(Scalar a) -> Scalar", op_math1_scalar, P, &m_##name}
#define MATH1_REAL(name)                                                                                    \
  {"aten::" #name ".int(int a) -> float", op_math1, P, &m_##name},                                          \
      {"aten::" #name ".float(float a) -> float", op_math1, P, &m_##name},                                  \
      {"aten::" #name ".Scalar(Scalar a) -> Scalar", op_math1_scalar, P, &m_##name}
#define MATH2(name, last)                                                                                   \
  {"aten::" #name ".int(int a, int b) -> float", op_math2, P, &m_##name},                                   \
      {"aten::" #name ".float(float a, float b) -> float", op_math2, P, &m_##name},                         \
      {"aten::" #name ".int_float(int a, float b) -> float", op_math2, P, &m_##name},                       \
      {"aten::" #name ".float_int(float a, int b) -> float", op_math2, P, &m_##name},                       \
      {"aten::" #name last "(Scalar a, Scalar b) -> float", op_math2, P, &m_##name}
#define REAL2(ns, name, fn, r)                                                                              \
  {ns #name ".int(int a, int b) -> int", fn, P}, {ns #name ".float(float a, float b) -> float", fn, P},     \
      {ns #name ".int_float(int a, float b) -> float", fn, P},                                              \
      {ns #name ".float_int(float a, int b) -> float", fn, P}, {ns #name "(Scalar a, Scalar b) -> " r, fn, P}
#define FIELD2(name)                                                                                        \
  {"aten::" #name ".int(int a, int b) -> int", op_##name, P},                                               \
      {"aten::" #name ".complex(complex a, complex b) -> complex", op_##name, P},                           \
      {"aten::" #name ".float(float a, float b) -> float", op_##name, P},                                   \
      {"aten::" #name ".int_complex(int a, complex b) -> complex", op_##name, P},                           \
      {"aten::" #name ".complex_int(complex a, int b) -> complex", op_##name, P},                           \
      {"aten::" #name ".float_complex(float a, complex b) -> complex", op_##name, P},                       \
      {"aten::" #name ".complex_float(complex a, float b) -> complex", op_##name, P},                       \
      {"aten::" #name ".int_float(int a, float b) -> float", op_##name, P},                                 \
      {"aten::" #name ".float_int(float a, int b) -> float", op_##name, P},                                 \
      {"aten::" #name "(Scalar a, Scalar b) -> Scalar", op_##name, P}
#define ORDER2(name)                                                                                        \
  {"aten::" #name ".int(int a, int b) -> bool", op_##name, P}, {"aten::" #name ".float(float a, float b) -> bool", op_##name, P}, \
      {"aten::" #name ".int_float(int a, float b) -> bool", op_##name, P},                                  \
      {"aten::" #name ".float_int(float a, int b) -> bool", op_##name, P},                                  \
      {"aten::" #name "(Scalar a, Scalar b) -> bool", op_##name, P}
#define EQUAL2(name)                                                                                        \
  {"aten::" #name ".bool(bool a, bool b) -> bool", op_##name, P}, {"aten::" #name ".int(int a, int b) -> bool", op_##name, P}, \
      {"aten::" #name ".complex(complex a, complex b) -> bool", op_##name, P},                              \
      {"aten::" #name ".float(float a, float b) -> bool", op_##name, P},                                    \
      {"aten::" #name ".int_float(int a, float b) -> bool", op_##name, P},                                  \
      {"aten::" #name ".float_int(float a, int b) -> bool", op_##name, P},                                  \
      {"aten::" #name ".float_complex(float a, complex b) -> bool", op_##name, P},                          \
      {"aten::" #name ".complex_float(complex a, float b) -> bool", op_##name, P},                          \
      {"aten::" #name "(Scalar a, Scalar b) -> bool", op_##name, P}

const tsr_op tsr_ops_lang_scalar[] = {
    FIELD2(add), FIELD2(sub), FIELD2(mul),
    {"aten::div.int(int a, int b) -> float", op_div, P}, {"aten::div.complex(complex a, complex b) -> complex", op_div, P},
    {"aten::div.float(float a, float b) -> float", op_div, P}, {"aten::div(Scalar a, Scalar b) -> float", op_div, P},
    REAL2("aten::", floordiv, op_floordiv, "Scalar"), REAL2("aten::", remainder, op_remainder, "Scalar"),
    {"aten::__round_to_zero_floordiv.int(int a, int b) -> int", op_round_to_zero_floordiv, P},
    {"aten::divmod.int(int x, int y) -> (int, int)", op_divmod, P}, {"aten::divmod.float(float x, float y) -> (float, float)", op_divmod, P},
    {"aten::divmod.int_float(int x, float y) -> (float, float)", op_divmod, P}, {"aten::divmod.float_int(float x, int y) -> (float, float)", op_divmod, P},
    {"aten::pow.int(int a, int b) -> float", op_pow, P}, {"aten::pow.complex(complex a, complex b) -> complex", op_pow, P},
    {"aten::pow.float(float a, float b) -> float", op_pow, P}, {"aten::pow.int_float(int a, float b) -> float", op_pow, P},
    {"aten::pow.float_int(float a, int b) -> float", op_pow, P}, {"aten::pow.float_complex(float a, complex b) -> complex", op_pow, P},
    {"aten::pow.complex_float(complex a, float b) -> complex", op_pow, P}, {"aten::pow.Scalar_Scalar(Scalar a, Scalar b) -> float", op_pow_scalar, P},
    {"aten::pow.int_to_int(int a, int b) -> int", op_pow_int, P},
    MATH2(fmod, ""), MATH2(copysign, ""), MATH2(mathremainder, ""), MATH2(atan2, ".Scalar_Scalar"),
    {"aten::polar.int(int a, int b) -> complex", op_polar, P}, {"aten::polar.float(float a, float b) -> complex", op_polar, P},
    {"aten::polar.int_float(int a, float b) -> complex", op_polar, P}, {"aten::polar.float_int(float a, int b) -> complex", op_polar, P},
    {"aten::polar.Scalar_Scalar(Scalar a, Scalar b) -> Scalar", op_polar, P},
    MATH1(sin), MATH1(cos), MATH1(tan), MATH1(asin), MATH1(acos), MATH1(atan), MATH1(sinh), MATH1(cosh), MATH1(tanh), MATH1(asinh),
    MATH1(acosh), MATH1(atanh), MATH1(exp), MATH1(log), MATH1(log10), MATH1(sqrt),
    {"aten::log.int_int(int a, int b) -> float", op_log2args, P}, {"aten::log.float_float(float a, float b) -> float", op_log2args, P},
    {"aten::log.complex_complex(complex a, complex b) -> complex", op_log2args, P}, {"aten::log.int_float(int a, float b) -> float", op_log2args, P},
    {"aten::log.float_int(float a, int b) -> float", op_log2args, P}, {"aten::log.int_complex(int a, complex b) -> complex", op_log2args, P},
    {"aten::log.complex_int(complex a, int b) -> complex", op_log2args, P}, {"aten::log.float_complex(float a, complex b) -> complex", op_log2args, P},
    {"aten::log.complex_float(complex a, float b) -> complex", op_log2args, P}, {"aten::log.Scalar_Scalar(Scalar a, Scalar b) -> float", op_log2args, P},
    MATH1_REAL(log1p), MATH1_REAL(expm1), MATH1_REAL(erf), MATH1_REAL(erfc), MATH1_REAL(gamma), MATH1_REAL(lgamma), MATH1_REAL(fabs),
    MATH1_REAL(degrees), MATH1_REAL(radians), MATH1_REAL(round),
    {"aten::floor.int(int a) -> int", op_floor, P}, {"aten::floor.float(float a) -> int", op_floor, P}, {"aten::floor.Scalar(Scalar a) -> Scalar", op_floor, P},
    {"aten::ceil.int(int a) -> int", op_ceil, P}, {"aten::ceil.float(float a) -> int", op_ceil, P}, {"aten::ceil.Scalar(Scalar a) -> Scalar", op_ceil, P},
    {"aten::neg.int(int a) -> int", op_neg, P}, {"aten::neg.float(float a) -> float", op_neg, P},
    {"aten::neg.complex(complex a) -> complex", op_neg, P}, {"aten::neg.Scalar(Scalar a) -> Scalar", op_neg_scalar, P},
    {"prim::abs.int(int a) -> int", op_abs, P}, {"prim::abs.float(float a) -> float", op_abs, P},
    {"prim::abs.complex(complex a) -> float", op_abs, P}, {"prim::abs.Scalar(Scalar a) -> Scalar", op_abs_scalar, P},
    {"aten::angle.int(int a) -> float", op_angle, P}, {"aten::angle.float(float a) -> float", op_angle, P},
    {"aten::angle.complex(complex a) -> float", op_angle, P}, {"aten::angle.Scalar(Scalar a) -> Scalar", op_angle_scalar, P},
    {"aten::isnan.float(float a) -> bool", op_isnan, P}, {"aten::isnan.complex(complex a) -> bool", op_isnan, P},
    {"aten::isinf.float(float a) -> bool", op_isinf, P}, {"aten::isinf.complex(complex a) -> bool", op_isinf, P},
    {"aten::isfinite.float(float a) -> bool", op_isfinite, P}, {"aten::isfinite.complex(complex a) -> bool", op_isfinite, P},
    {"aten::ldexp(float x, int i) -> float", op_ldexp, P}, {"aten::frexp(float a) -> (float, int)", op_frexp, P},
    {"aten::modf(float a) -> (float, float)", op_modf, P}, {"aten::gcd.int(int a, int b) -> int", op_gcd, P},
    {"aten::factorial.int(int a) -> int", op_factorial, P},
    {"aten::__and__.bool(bool a, bool b) -> bool", op_and_, P}, {"aten::__and__.int(int a, int b) -> int", op_and_, P},
    {"aten::__or__.bool(bool a, bool b) -> bool", op_or_, P}, {"aten::__or__.int(int a, int b) -> int", op_or_, P},
    {"aten::__xor__.bool(bool a, bool b) -> bool", op_xor_, P}, {"aten::__xor__.int(int a, int b) -> int", op_xor_, P},
    {"aten::__lshift__.int(int a, int b) -> int", op_lshift, P}, {"aten::__rshift__.int(int a, int b) -> int", op_rshift, P},
    {"aten::__not__(bool self) -> bool", op_not_, P},
    ORDER2(lt), ORDER2(le), ORDER2(gt), ORDER2(ge), EQUAL2(eq), EQUAL2(ne),
    REAL2("prim::", min, op_min, "Scalar"), REAL2("prim::", max, op_max, "Scalar"),
    {"aten::Int.bool(bool a) -> int", op_to_int, P}, {"aten::Int.float(float a) -> int", op_to_int, P},
    {"aten::Int.Scalar(Scalar a) -> int", op_scalar_to_int, P},
    {"aten::Float.Scalar(Scalar a) -> float", op_to_float, P}, {"aten::Float.int(int a) -> float", op_to_float, P},
    {"aten::Float.bool(bool a) -> float", op_to_float, P},
    {"aten::Bool.int(int a) -> bool", op_to_bool, P}, {"aten::Bool.float(float a) -> bool", op_to_bool, P},
    {"aten::Complex.Scalar(Scalar a) -> complex", op_to_complex, P}, {"aten::Complex.int_bool(int x, bool y) -> complex", op_to_complex, P},
    {"aten::Complex.bool_int(bool x, int y) -> complex", op_to_complex, P}, {"aten::Complex.float_bool(float x, bool y) -> complex", op_to_complex, P},
    {"aten::Complex.bool_float(bool x, float y) -> complex", op_to_complex, P}, {"aten::Complex.float_int(float x, int y) -> complex", op_to_complex, P},
    {"aten::Complex.int_float(int x, float y) -> complex", op_to_complex, P}, {"aten::Complex.int_int(int x, int y) -> complex", op_to_complex, P},
    {"aten::Complex.bool_bool(bool x, bool y) -> complex", op_to_complex, P}, {"aten::Complex.float_float(float x, float y) -> complex", op_to_complex, P},
    {"aten::__derive_index(int index, int start, int step) -> int", op_derive_index, P},
    {"aten::__range_length(int lo, int hi, int step) -> int", op_range_length, P},
    {0}};
