/* Element types: the one table, promotion, and conversion between any two. */
#include "core/dtype.h"

#include <math.h>

#define B TSR_CAT_BOOL
#define I TSR_CAT_INT
#define F TSR_CAT_FLOAT
#define C TSR_CAT_COMPLEX
#define O TSR_CAT_OTHER

static const tsr_dtype_info infos[64] = {
    [TSR_UINT8] = {"uint8", "Byte", "ByteStorage", 1, I},
    [TSR_INT8] = {"int8", "Char", "CharStorage", 1, I},
    [TSR_INT16] = {"int16", "Short", "ShortStorage", 2, I},
    [TSR_INT32] = {"int32", "Int", "IntStorage", 4, I},
    [TSR_INT64] = {"int64", "Long", "LongStorage", 8, I},
    [TSR_FLOAT16] = {"float16", "Half", "HalfStorage", 2, F},
    [TSR_FLOAT32] = {"float32", "Float", "FloatStorage", 4, F},
    [TSR_FLOAT64] = {"float64", "Double", "DoubleStorage", 8, F},
    [TSR_COMPLEX32] = {"complex32", "ComplexHalf", "ComplexHalfStorage", 4, C},
    [TSR_COMPLEX64] = {"complex64", "ComplexFloat", "ComplexFloatStorage", 8, C},
    [TSR_COMPLEX128] = {"complex128", "ComplexDouble", "ComplexDoubleStorage", 16, C},
    [TSR_BOOL] = {"bool", "Bool", "BoolStorage", 1, B},
    [TSR_QINT8] = {"qint8", "QInt8", "QInt8Storage", 1, O},
    [TSR_QUINT8] = {"quint8", "QUInt8", "QUInt8Storage", 1, O},
    [TSR_QINT32] = {"qint32", "QInt32", "QInt32Storage", 4, O},
    [TSR_BFLOAT16] = {"bfloat16", "BFloat16", "BFloat16Storage", 2, F},
    [TSR_QUINT4X2] = {"quint4x2", "QUInt4x2", "QUInt4x2Storage", 1, O},
    [TSR_QUINT2X4] = {"quint2x4", "QUInt2x4", "QUInt2x4Storage", 1, O},
    [TSR_BITS1X8] = {"bits1x8", "Bits1x8", "Bits1x8Storage", 1, O},
    [TSR_BITS2X4] = {"bits2x4", "Bits2x4", "Bits2x4Storage", 1, O},
    [TSR_BITS4X2] = {"bits4x2", "Bits4x2", "Bits4x2Storage", 1, O},
    [TSR_BITS8] = {"bits8", "Bits8", "Bits8Storage", 1, O},
    [TSR_BITS16] = {"bits16", "Bits16", "Bits16Storage", 2, O},
    [TSR_FLOAT8_E8M0FNU] = {"float8_e8m0fnu", "Float8_e8m0fnu", "Float8_e8m0fnuStorage", 1, F},
    [TSR_FLOAT4_E2M1FN_X2] = {"float4_e2m1fn_x2", "Float4_e2m1fn_x2", "Float4_e2m1fn_x2Storage", 1, O},
    [TSR_FLOAT8_E5M2] = {"float8_e5m2", "Float8_e5m2", "Float8_e5m2Storage", 1, F},
    [TSR_FLOAT8_E4M3FN] = {"float8_e4m3fn", "Float8_e4m3fn", "Float8_e4m3fnStorage", 1, F},
    [TSR_FLOAT8_E5M2FNUZ] = {"float8_e5m2fnuz", "Float8_e5m2fnuz", "Float8_e5m2fnuzStorage", 1, F},
    [TSR_FLOAT8_E4M3FNUZ] = {"float8_e4m3fnuz", "Float8_e4m3fnuz", "Float8_e4m3fnuzStorage", 1, F},
    [TSR_UINT16] = {"uint16", "UInt16", "UInt16Storage", 2, I},
    [TSR_UINT32] = {"uint32", "UInt32", "UInt32Storage", 4, I},
    [TSR_UINT64] = {"uint64", "UInt64", "UInt64Storage", 8, I},
};

#undef B
#undef I
#undef F
#undef C
#undef O

const tsr_dtype_info *tsr_dtype_get_info(int dtype) {
  return dtype >= 0 && dtype < (int)TSR_COUNT(infos) && infos[dtype].name != NULL ? &infos[dtype] : NULL;
}

const char *tsr_dtype_name(tsr_dtype dtype) {
  const tsr_dtype_info *info = tsr_dtype_get_info((int)dtype);
  return info == NULL ? NULL : info->name;
}

size_t tsr_dtype_size(tsr_dtype dtype) {
  const tsr_dtype_info *info = tsr_dtype_get_info((int)dtype);
  return info == NULL ? 0 : info->size;
}

tsr_category tsr_dtype_category(tsr_dtype d) {
  const tsr_dtype_info *info = tsr_dtype_get_info((int)d);
  return info == NULL ? TSR_CAT_OTHER : info->category;
}

bool tsr_dtype_by_storage_name(const char *storage_name, tsr_dtype *out) {
  for (int i = 0; i < (int)TSR_COUNT(infos); i++) {
    if (infos[i].name != NULL && strcmp(infos[i].storage_name, storage_name) == 0) {
      *out = (tsr_dtype)i;
      return true;
    }
  }
  return false;
}

bool tsr_dtype_by_name(const char *name, tsr_dtype *out) {
  static const struct { const char *alias; tsr_dtype d; } aliases[] = {
      {"float", TSR_FLOAT32}, {"double", TSR_FLOAT64}, {"half", TSR_FLOAT16},  {"long", TSR_INT64},
      {"int", TSR_INT32},     {"short", TSR_INT16},    {"cfloat", TSR_COMPLEX64}, {"cdouble", TSR_COMPLEX128},
      {"chalf", TSR_COMPLEX32}};
  for (int i = 0; i < (int)TSR_COUNT(infos); i++) {
    if (infos[i].name != NULL && strcmp(infos[i].name, name) == 0) {
      *out = (tsr_dtype)i;
      return true;
    }
  }
  for (size_t i = 0; i < TSR_COUNT(aliases); i++) {
    if (strcmp(aliases[i].alias, name) == 0) {
      *out = aliases[i].d;
      return true;
    }
  }
  return false;
}

/* Rank of an ordinary type within its category; -1: not promotable by rank. */
static bool is_barebones_unsigned(tsr_dtype d) { return d == TSR_UINT16 || d == TSR_UINT32 || d == TSR_UINT64; }
static bool is_float8(tsr_dtype d) { return (d >= TSR_FLOAT8_E5M2 && d <= TSR_FLOAT8_E4M3FNUZ) || d == TSR_FLOAT8_E8M0FNU; }

static tsr_dtype promote_int(tsr_dtype a, tsr_dtype b) {
  if (a == b) return a;
  if (is_barebones_unsigned(a) || is_barebones_unsigned(b)) {
    /* unsigned with unsigned: the wider; with a signed one: int64 as far as PyTorch defines it */
    bool ua = is_barebones_unsigned(a) || a == TSR_UINT8, ub = is_barebones_unsigned(b) || b == TSR_UINT8;
    if (ua && ub) return tsr_dtype_size(a) >= tsr_dtype_size(b) ? a : b;
    tsr_dtype s = ua ? b : a, u = ua ? a : b;
    if (tsr_dtype_size(s) > tsr_dtype_size(u)) return s;
    return tsr_dtype_size(u) == 2 ? TSR_INT32 : TSR_INT64;
  }
  if (a == TSR_UINT8 || b == TSR_UINT8) {
    tsr_dtype s = a == TSR_UINT8 ? b : a;
    return s == TSR_INT8 ? TSR_INT16 : s;
  }
  return tsr_dtype_size(a) >= tsr_dtype_size(b) ? a : b;
}

static tsr_dtype promote_float(tsr_dtype a, tsr_dtype b) {
  if (a == b) return a;
  if (is_float8(a) || is_float8(b)) return is_float8(a) && is_float8(b) ? TSR_FLOAT32 : (is_float8(a) ? b : a);
  if ((a == TSR_FLOAT16 && b == TSR_BFLOAT16) || (a == TSR_BFLOAT16 && b == TSR_FLOAT16)) return TSR_FLOAT32;
  return tsr_dtype_size(a) >= tsr_dtype_size(b) ? a : b;
}

tsr_dtype tsr_dtype_promote(tsr_dtype a, tsr_dtype b) {
  if (a == b) return a;
  tsr_category ca = tsr_dtype_category(a), cb = tsr_dtype_category(b);
  if (ca == TSR_CAT_OTHER || cb == TSR_CAT_OTHER) return a;
  if (ca > cb) {
    tsr_dtype d = a;
    a = b;
    b = d;
    tsr_category c = ca;
    ca = cb;
    cb = c;
  }
  if (ca == cb) {
    if (ca == TSR_CAT_INT) return promote_int(a, b);
    if (ca == TSR_CAT_FLOAT) return promote_float(a, b);
    return tsr_dtype_size(a) >= tsr_dtype_size(b) ? a : b;
  }
  if (cb == TSR_CAT_COMPLEX && ca == TSR_CAT_FLOAT) {
    tsr_dtype real = promote_float(a, tsr_dtype_real_of(b));
    return real == TSR_BFLOAT16 || real == TSR_FLOAT32 ? TSR_COMPLEX64 : tsr_dtype_complex_of(real);
  }
  return b;
}

bool tsr_dtype_can_cast(tsr_dtype from, tsr_dtype to) {
  tsr_category f = tsr_dtype_category(from), t = tsr_dtype_category(to);
  if (f == TSR_CAT_COMPLEX && t != TSR_CAT_COMPLEX) return false;
  if (f == TSR_CAT_FLOAT && (t == TSR_CAT_INT || t == TSR_CAT_BOOL)) return false;
  if (f != TSR_CAT_BOOL && t == TSR_CAT_BOOL) return false;
  return true;
}

double tsr_dtype_max(tsr_dtype d) {
  switch (tsr_dtype_real_of(d)) {
    case TSR_BOOL: return 1;
    case TSR_UINT8: return UINT8_MAX;
    case TSR_INT8: return INT8_MAX;
    case TSR_INT16: return INT16_MAX;
    case TSR_INT32: return INT32_MAX;
    case TSR_INT64: return 0x1p63;
    case TSR_FLOAT16: return 65504;
    case TSR_BFLOAT16: return 0x1.fep127;
    case TSR_FLOAT32: return 0x1.fffffep127;
    case TSR_FLOAT64: return 0x1.fffffffffffffp1023;
    default: return INFINITY;
  }
}

tsr_dtype tsr_dtype_real_of(tsr_dtype d) {
  return d == TSR_COMPLEX32 ? TSR_FLOAT16 : d == TSR_COMPLEX64 ? TSR_FLOAT32 : d == TSR_COMPLEX128 ? TSR_FLOAT64 : d;
}

tsr_dtype tsr_dtype_complex_of(tsr_dtype d) {
  return d == TSR_FLOAT16 ? TSR_COMPLEX32 : d == TSR_FLOAT32 || d == TSR_BFLOAT16 ? TSR_COMPLEX64 : d == TSR_FLOAT64 ? TSR_COMPLEX128 : d;
}

static float bits_to_float(uint32_t u) { float f; memcpy(&f, &u, 4); return f; }
static uint32_t float_to_bits(float f) { uint32_t u; memcpy(&u, &f, 4); return u; }

float tsr_half_to_float(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exp = (h >> 10) & 31u, man = h & 1023u;
  if (exp == 31) return bits_to_float(sign | 0x7f800000u | man << 13);
  if (exp != 0) return bits_to_float(sign | (exp + 112) << 23 | man << 13);
  float f = (float)man * 0x1p-24f; /* subnormal: exact */
  return sign != 0 ? -f : f;
}

uint16_t tsr_float_to_half(float f) {
  uint32_t u = float_to_bits(f), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
  if (a > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);
  if (a >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u); /* rounds to 65536 or is infinite */
  if (a < 0x38800000u) { /* subnormal half: adding 0.5 rounds at bit 2^-24 */
    float magic = bits_to_float(a) + 0.5f;
    return (uint16_t)(sign | (float_to_bits(magic) - 0x3f000000u));
  }
  a += 0xfffu + ((a >> 13) & 1u);
  return (uint16_t)(sign | ((a - 0x38000000u) >> 13));
}

uint16_t tsr_float_to_bf16(float f) {
  uint32_t u = float_to_bits(f);
  if ((u & 0x7fffffffu) > 0x7f800000u) return 0x7fc0;
  return (uint16_t)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

/* float8: exponent and mantissa widths and bias; fnuz has one NaN (0x80) and no infinity. */
typedef struct f8_format { int ebits, mbits, bias; bool has_inf, fnuz; } f8_format;
static f8_format f8_of(tsr_dtype d) {
  switch (d) {
    case TSR_FLOAT8_E5M2: return (f8_format){5, 2, 15, true, false};
    case TSR_FLOAT8_E4M3FN: return (f8_format){4, 3, 7, false, false};
    case TSR_FLOAT8_E5M2FNUZ: return (f8_format){5, 2, 16, false, true};
    default: return (f8_format){4, 3, 8, false, true};
  }
}

/* e8m0: a power of two, 2^(v - 127), and one NaN. */
static uint8_t float_to_e8m0(float x) {
  uint32_t u = float_to_bits(x), e = u >> 23 & 0xff, rest = u & 0x7fffff;
  if (e == 0xff) return 0xff;
  return (uint8_t)(e + (rest > 0x400000 || (rest == 0x400000 && e > 0)));
}

static float f8_to_float(tsr_dtype d, uint8_t v) {
  if (d == TSR_FLOAT8_E8M0FNU) return v == 0xff ? NAN : ldexpf(1, v - 127);
  f8_format f = f8_of(d);
  int sign = v >> 7, e = (v >> f.mbits) & ((1 << f.ebits) - 1), m = v & ((1 << f.mbits) - 1);
  if (f.fnuz && v == 0x80) return NAN;
  if (f.has_inf && e == 31) return m != 0 ? NAN : sign ? -INFINITY : INFINITY;
  if (!f.has_inf && !f.fnuz && (v & 0x7f) == 0x7f) return NAN;
  float x = e == 0 ? ldexpf((float)m, 1 - f.bias - f.mbits) : ldexpf((float)(m + (1 << f.mbits)), e - f.bias - f.mbits);
  return sign ? -x : x;
}

static uint8_t float_to_f8(tsr_dtype d, float x) {
  if (d == TSR_FLOAT8_E8M0FNU) return float_to_e8m0(x);
  f8_format f = f8_of(d);
  uint8_t sign = signbit(x) ? 0x80 : 0, nan_code = f.fnuz ? 0x80 : f.has_inf ? 0x7f : 0x7f;
  if (isnan(x)) return f.fnuz ? nan_code : (uint8_t)(sign | nan_code);
  int max_e = (1 << f.ebits) - 1;
  float a = fabsf(x);
  uint8_t over = f.has_inf ? (uint8_t)(sign | 0x7c) : f.fnuz ? 0x80 : (uint8_t)(sign | 0x7f);
  if (isinf(x)) return over;
  int e;
  frexpf(a, &e);
  e = TSR_MAX(e - 1, 1 - f.bias);
  float q = rintf(ldexpf(a, f.mbits - e)); /* nearest even in units of the last place */
  int code = (int)q + ((e + f.bias - 1) << f.mbits);
  if (code >> f.mbits > max_e || (f.has_inf && code >= 0x7c) || (!f.has_inf && !f.fnuz && code >= 0x7f)) return over;
  if (code == 0 && f.fnuz) return 0;
  return (uint8_t)(sign | code);
}

/* Any element as the widest type of its category. */
typedef struct wide { tsr_category cat; int64_t i; bool is_u64; double re, im; } wide;

static wide wide_float(double x) { return (wide){TSR_CAT_FLOAT, 0, false, x, 0}; }
static wide wide_int(int64_t x) { return (wide){TSR_CAT_INT, x, false, 0, 0}; }

static wide load(tsr_dtype d, const void *p) {
#define AS(T) (*(const T *)p)
  switch (d) {
    case TSR_UINT8: return wide_int(AS(uint8_t));
    case TSR_INT8: return wide_int(AS(int8_t));
    case TSR_INT16: return wide_int(AS(int16_t));
    case TSR_INT32: return wide_int(AS(int32_t));
    case TSR_INT64: return wide_int(AS(int64_t));
    case TSR_UINT16: return wide_int(AS(uint16_t));
    case TSR_UINT32: return wide_int(AS(uint32_t));
    case TSR_UINT64: return (wide){TSR_CAT_INT, (int64_t)AS(uint64_t), true, 0, 0};
    case TSR_BOOL: return wide_int(AS(uint8_t) != 0);
    case TSR_FLOAT16: return wide_float(tsr_half_to_float(AS(uint16_t)));
    case TSR_BFLOAT16: return wide_float(tsr_bf16_to_float(AS(uint16_t)));
    case TSR_FLOAT32: return wide_float(AS(float));
    case TSR_FLOAT64: return wide_float(AS(double));
    case TSR_COMPLEX32: return (wide){TSR_CAT_COMPLEX, 0, false, tsr_half_to_float(((const uint16_t *)p)[0]), tsr_half_to_float(((const uint16_t *)p)[1])};
    case TSR_COMPLEX64: return (wide){TSR_CAT_COMPLEX, 0, false, AS(tsr_c64).re, AS(tsr_c64).im};
    case TSR_COMPLEX128: return (wide){TSR_CAT_COMPLEX, 0, false, AS(tsr_c128).re, AS(tsr_c128).im};
    case TSR_FLOAT8_E5M2: case TSR_FLOAT8_E4M3FN: case TSR_FLOAT8_E5M2FNUZ: case TSR_FLOAT8_E4M3FNUZ: case TSR_FLOAT8_E8M0FNU:
      return wide_float(f8_to_float(d, AS(uint8_t)));
    default: return wide_int(0);
  }
#undef AS
}

/* As x86 conversion does: out of range and NaN give INT64_MIN, which narrow types then truncate. */
static int64_t to_int(wide w) {
  if (w.cat == TSR_CAT_INT) return w.i;
  if (w.re >= -9223372036854775808.0 && w.re < 9223372036854775808.0) return (int64_t)w.re;
  return INT64_MIN;
}
static double to_real(wide w) { return w.cat != TSR_CAT_INT ? w.re : w.is_u64 ? (double)(uint64_t)w.i : (double)w.i; }

static void store(tsr_dtype d, void *p, wide w) {
#define PUT(T, x) (*(T *)p = (T)(x))
  switch (d) {
    case TSR_UINT8: PUT(uint8_t, to_int(w)); break;
    case TSR_INT8: PUT(int8_t, to_int(w)); break;
    case TSR_INT16: PUT(int16_t, to_int(w)); break;
    case TSR_INT32: PUT(int32_t, to_int(w)); break;
    case TSR_INT64: PUT(int64_t, to_int(w)); break;
    case TSR_UINT16: PUT(uint16_t, to_int(w)); break;
    case TSR_UINT32: PUT(uint32_t, to_int(w)); break;
    case TSR_UINT64:
      if (w.cat != TSR_CAT_INT && w.re >= 9223372036854775808.0 && w.re < 18446744073709551616.0) PUT(uint64_t, w.re);
      else PUT(uint64_t, to_int(w));
      break;
    case TSR_BOOL: PUT(uint8_t, w.cat == TSR_CAT_INT ? w.i != 0 : w.re != 0 || w.im != 0); break;
    case TSR_FLOAT16: PUT(uint16_t, tsr_float_to_half((float)to_real(w))); break;
    case TSR_BFLOAT16: PUT(uint16_t, tsr_float_to_bf16((float)to_real(w))); break;
    case TSR_FLOAT32: PUT(float, to_real(w)); break;
    case TSR_FLOAT64: PUT(double, to_real(w)); break;
    case TSR_COMPLEX32:
      ((uint16_t *)p)[0] = tsr_float_to_half((float)to_real(w));
      ((uint16_t *)p)[1] = tsr_float_to_half((float)w.im);
      break;
    case TSR_COMPLEX64: *(tsr_c64 *)p = (tsr_c64){(float)to_real(w), (float)w.im}; break;
    case TSR_COMPLEX128: *(tsr_c128 *)p = (tsr_c128){to_real(w), w.im}; break;
    case TSR_FLOAT8_E5M2: case TSR_FLOAT8_E4M3FN: case TSR_FLOAT8_E5M2FNUZ: case TSR_FLOAT8_E4M3FNUZ: case TSR_FLOAT8_E8M0FNU:
      PUT(uint8_t, float_to_f8(d, (float)to_real(w)));
      break;
    default: break;
  }
#undef PUT
}

/* The pairs that programs convert in bulk get loops the compiler vectorises. */
#define FAST_PAIRS(X)                                                                                          \
  X(TSR_FLOAT32, float, TSR_FLOAT64, double) X(TSR_FLOAT64, double, TSR_FLOAT32, float)                        \
  X(TSR_FLOAT32, float, TSR_INT64, int64_t) X(TSR_FLOAT32, float, TSR_INT32, int32_t)                          \
  X(TSR_FLOAT32, float, TSR_UINT8, uint8_t) X(TSR_FLOAT32, float, TSR_BOOL, uint8_t)                           \
  X(TSR_INT64, int64_t, TSR_INT32, int32_t) X(TSR_INT32, int32_t, TSR_INT64, int64_t)                          \
  X(TSR_INT64, int64_t, TSR_UINT8, uint8_t) X(TSR_UINT8, uint8_t, TSR_INT64, int64_t)                          \
  X(TSR_INT64, int64_t, TSR_BOOL, uint8_t) X(TSR_FLOAT64, double, TSR_INT64, int64_t)                          \
  X(TSR_INT64, int64_t, TSR_INT8, int8_t) X(TSR_INT8, int8_t, TSR_INT64, int64_t)                              \
  X(TSR_INT64, int64_t, TSR_INT16, int16_t) X(TSR_INT16, int16_t, TSR_INT64, int64_t)

static bool convert_fast(tsr_dtype to, void *dst, tsr_dtype from, const void *src, int64_t n) {
#define X(TO, TT, FROM, FT)                                                \
  if (to == TO && from == FROM) {                                          \
    const FT *restrict s = src;                                            \
    TT *restrict d = dst;                                                  \
    for (int64_t i = 0; i < n; i++) d[i] = (TT)s[i];                       \
    return true;                                                           \
  }
  FAST_PAIRS(X)
#undef X
  if (from == TSR_BFLOAT16 && to == TSR_FLOAT32) {
    for (int64_t i = 0; i < n; i++) ((float *)dst)[i] = tsr_bf16_to_float(((const uint16_t *)src)[i]);
    return true;
  }
  if (from == TSR_FLOAT32 && to == TSR_BFLOAT16) {
    for (int64_t i = 0; i < n; i++) ((uint16_t *)dst)[i] = tsr_float_to_bf16(((const float *)src)[i]);
    return true;
  }
  if (from == TSR_FLOAT16 && to == TSR_FLOAT32) {
    for (int64_t i = 0; i < n; i++) ((float *)dst)[i] = tsr_half_to_float(((const uint16_t *)src)[i]);
    return true;
  }
  if (from == TSR_FLOAT32 && to == TSR_FLOAT16) {
    for (int64_t i = 0; i < n; i++) ((uint16_t *)dst)[i] = tsr_float_to_half(((const float *)src)[i]);
    return true;
  }
  return false;
}

void tsr_convert(tsr_dtype to, void *dst, tsr_dtype from, const void *src, int64_t n) {
  if (n <= 0) return;
  size_t fs = tsr_dtype_size(from), ts = tsr_dtype_size(to);
  if (from == to) {
    memmove(dst, src, (size_t)n * fs);
    return;
  }
  if (convert_fast(to, dst, from, src, n)) return;
  const char *s = src;
  char *d = dst;
  for (int64_t i = 0; i < n; i++) store(to, d + (size_t)i * ts, load(from, s + (size_t)i * fs));
}

double tsr_dtype_round(tsr_dtype d, double x) {
  uint64_t bits;
  if (d == TSR_FLOAT64) return x;
  if (d == TSR_FLOAT32) return (float)x;
  tsr_convert(d, &bits, TSR_FLOAT64, &x, 1);
  tsr_convert(TSR_FLOAT64, &x, d, &bits, 1);
  return x;
}
