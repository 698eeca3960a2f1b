/* Element types: sizes, names, categories, promotion; half and bfloat16 conversion. */
#ifndef TSR_CORE_DTYPE_H
#define TSR_CORE_DTYPE_H

#include "core/base.h"

typedef struct tsr_c64 { float re, im; } tsr_c64;
typedef struct tsr_c128 { double re, im; } tsr_c128;

typedef enum tsr_category { TSR_CAT_BOOL, TSR_CAT_INT, TSR_CAT_FLOAT, TSR_CAT_COMPLEX, TSR_CAT_OTHER } tsr_category;

typedef struct tsr_dtype_info {
  const char *name;         /* "float32" */
  const char *cpp_name;     /* "Float": as in error messages and printed tensors */
  const char *storage_name; /* "FloatStorage" */
  uint8_t size;             /* bytes */
  tsr_category category;
} tsr_dtype_info;

const tsr_dtype_info *tsr_dtype_get_info(int dtype); /* NULL for a code tsrun does not know */
static inline bool tsr_dtype_is_known(int64_t d) { return d >= 0 && d < 64 && tsr_dtype_get_info((int)d) != NULL; }
tsr_category tsr_dtype_category(tsr_dtype d);
static inline bool tsr_dtype_is_complex(tsr_dtype d) { return d == TSR_COMPLEX32 || d == TSR_COMPLEX64 || d == TSR_COMPLEX128; }
static inline bool tsr_dtype_is_float(tsr_dtype d) { return tsr_dtype_category(d) == TSR_CAT_FLOAT; }
static inline bool tsr_dtype_is_integral(tsr_dtype d, bool with_bool) {
  tsr_category c = tsr_dtype_category(d);
  return c == TSR_CAT_INT || (with_bool && c == TSR_CAT_BOOL);
}
static inline bool tsr_dtype_is_quantized(tsr_dtype d) { return (d >= TSR_QINT8 && d <= TSR_QINT32) || d == TSR_QUINT4X2 || d == TSR_QUINT2X4; }
/* Elements in one byte of a file, and of what int_repr gives: the first in the lowest bits.  Everywhere else each has a byte. */
static inline int tsr_dtype_packed(tsr_dtype d) { return d == TSR_QUINT4X2 ? 2 : d == TSR_QUINT2X4 ? 4 : 1; }
/* bits8 and float4 are carried from file to file; no operator makes numbers of them, in PyTorch neither. */
static inline bool tsr_dtype_is_opaque(tsr_dtype d) { return (d >= TSR_BITS1X8 && d <= TSR_BITS16) || d == TSR_FLOAT4_E2M1FN_X2; }
bool tsr_dtype_by_storage_name(const char *storage_name, tsr_dtype *out);
bool tsr_dtype_by_name(const char *name, tsr_dtype *out); /* "float32", "float", "long", … */
tsr_dtype tsr_dtype_promote(tsr_dtype a, tsr_dtype b);    /* torch.promote_types */
bool tsr_dtype_can_cast(tsr_dtype from, tsr_dtype to);    /* torch.can_cast: what in-place operators allow */
double tsr_dtype_max(tsr_dtype d);                         /* the largest number of the type (int64: 2^63), of a complex type's parts; bool: 1 */
tsr_dtype tsr_dtype_real_of(tsr_dtype d);                 /* complex64 -> float32; others themselves */
tsr_dtype tsr_dtype_complex_of(tsr_dtype d);              /* float32 -> complex64 */

float tsr_half_to_float(uint16_t h);
uint16_t tsr_float_to_half(float f); /* round to nearest even */
static inline float tsr_bf16_to_float(uint16_t h) { uint32_t u = (uint32_t)h << 16; float f; memcpy(&f, &u, 4); return f; }
uint16_t tsr_float_to_bf16(float f);
/* n elements between any two known dtypes that are neither quantized nor opaque, contiguous, with PyTorch's casting rules
 * (float to int truncates, to bool is != 0, complex to real drops the imaginary part). */
void tsr_convert(tsr_dtype to, void *dst, tsr_dtype from, const void *src, int64_t n);
double tsr_dtype_round(tsr_dtype d, double x); /* x as an element of a float type holds it */

#endif
