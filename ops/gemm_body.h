/* The body of ops/gemm_<isa>.c: tiles, packing, activations over vec.h. */
#include "ops/gemm.h"
#include "ops/vecmath.h"

/* ---- activations ---- */

VF_INLINE vf act_vec(const tsr_act act, vf x, vf p0, vf p1) {
  const vf zero = vf_zero(), one = vf_set(1.0f);
  switch (act) {
  case TSR_ACT_RELU: return vf_max(zero, x);
  case TSR_ACT_RELU6: return vf_min(vf_set(6.0f), vf_max(zero, x));
  case TSR_ACT_SILU: return vf_mul(x, vf_gate(x));
  case TSR_ACT_SIGMOID: return vf_sigmoid(x);
  case TSR_ACT_HARDSWISH:
    return vf_mul(x, vf_min(one, vf_max(zero, vf_fma(x, vf_set(1.0f / 6), vf_set(0.5f)))));
  case TSR_ACT_HARDSIGMOID: return vf_min(one, vf_max(zero, vf_fma(x, vf_set(1.0f / 6), vf_set(0.5f))));
  case TSR_ACT_GELU: return vf_gelu_near(x);
  case TSR_ACT_GELU_TANH: return vf_gelu_tanh(x);
  case TSR_ACT_TANH: return vf_tanh(x);
  case TSR_ACT_LEAKY: return vf_select(vf_lt(zero, x), x, vf_mul(x, p0));
  case TSR_ACT_CLAMP: return vf_min(p1, vf_max(p0, x));
  case TSR_ACT_ELU: return vf_select(vf_lt(zero, x), x, vf_mul(p0, vf_sub(vf_exp(vf_min(zero, x)), one)));
  case TSR_ACT_MISH: { /* x tanh(log(1 + e^x)) = x ((1+e)^2 - 1) / ((1+e)^2 + 1) */
    vf e = vf_exp(vf_min(vf_set(20.0f), x)), s = vf_mul(e, vf_add(e, vf_set(2.0f)));
    return vf_select(vf_lt(vf_set(20.0f), x), x, vf_mul(x, vf_div(s, vf_add(s, vf_set(2.0f)))));
  }
  default: return x;
  }
}

VF_INLINE void act_loop(const tsr_act act, float p0, float p1, float *x, int64_t n) {
  const vf v0 = vf_set(p0), v1 = vf_set(p1);
  int64_t i = 0;
  for (; i + VF_N <= n; i += VF_N) vf_store(x + i, act_vec(act, vf_load(x + i), v0, v1));
  if (i < n) vf_store_n(x + i, act_vec(act, vf_load_n(x + i, (int)(n - i)), v0, v1), (int)(n - i));
}

static void act_run(tsr_act act, float p0, float p1, float *x, int64_t n) {
#define ACT_CASE(a) case a: act_loop(a, p0, p1, x, n); break
  switch (act) {
    ACT_CASE(TSR_ACT_RELU);
    ACT_CASE(TSR_ACT_RELU6);
    ACT_CASE(TSR_ACT_SILU);
    ACT_CASE(TSR_ACT_HARDSWISH);
    ACT_CASE(TSR_ACT_SIGMOID);
    ACT_CASE(TSR_ACT_HARDSIGMOID);
    ACT_CASE(TSR_ACT_GELU);
    ACT_CASE(TSR_ACT_GELU_TANH);
    ACT_CASE(TSR_ACT_TANH);
    ACT_CASE(TSR_ACT_LEAKY);
    ACT_CASE(TSR_ACT_CLAMP);
    ACT_CASE(TSR_ACT_ELU);
    ACT_CASE(TSR_ACT_MISH);
  default: break;
  }
#undef ACT_CASE
}

/* Few instructions: applied while the sums are in registers (tile_finish). */
static bool act_in_tile(tsr_act act) {
  return act == TSR_ACT_NONE || act == TSR_ACT_RELU || act == TSR_ACT_RELU6 || act == TSR_ACT_CLAMP || act == TSR_ACT_HARDSWISH;
}

/* One row of a tile after another: several vectors of a row are in flight at a time. */
static void act_rows(const tsr_tile *t, int mr) {
  const tsr_epi *e = t->epi;
  for (int i = 0; i < mr && e->act == TSR_ACT_SILU; i++) act_loop(TSR_ACT_SILU, 0, 0, t->c[i] + t->c_off, t->n);
  for (int i = 0; i < mr && e->act == TSR_ACT_GELU; i++) act_loop(TSR_ACT_GELU, 0, 0, t->c[i] + t->c_off, t->n);
  if (e->act == TSR_ACT_SILU || e->act == TSR_ACT_GELU) return;
  for (int i = 0; i < mr; i++) act_run(e->act, e->p0, e->p1, t->c[i] + t->c_off, t->n);
}

/* ---- tiles ---- */

/* Vectors of one row of C; the last one may have fewer columns. */
VF_INLINE vf row_load(const float *p, int j, int nv, const bool full, int rest) {
  return full || j + 1 < nv ? vf_load(p + j * VF_N) : vf_load_n(p + j * VF_N, rest);
}
VF_INLINE void row_store(float *p, vf x, int j, int nv, const bool full, int rest) {
  if (full || j + 1 < nv) vf_store(p + j * VF_N, x);
  else vf_store_n(p + j * VF_N, x, rest);
}

/* With masks in registers of their own, some lanes of a vector cost what all of them do. */
#define ONE_FINISH (VF_N == 16 || VF_SMALL)

/* biased: the sums began with the bias. */
VF_INLINE void tile_finish(const tsr_tile *t, vf acc[TSR_GEMM_MR][4], const int mr, const int nv, const bool full, const bool biased) {
  const tsr_epi *e = t->epi;
  const int rest = t->n - (nv - 1) * VF_N;
  if (!biased && t->accumulate) {
#pragma GCC unroll 14
    for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
      for (int j = 0; j < nv; j++) acc[i][j] = vf_add(acc[i][j], row_load(t->c[i] + t->c_off, j, nv, full, rest));
  }
  if (!biased && e != NULL && e->bias != NULL) {
#pragma GCC unroll 4
    for (int j = 0; j < nv; j++) {
      vf v = row_load(e->bias + t->c_off, j, nv, full, rest);
#pragma GCC unroll 14
      for (int i = 0; i < mr; i++) acc[i][j] = vf_add(acc[i][j], v);
    }
  }
  if (e != NULL && e->residual != NULL) {
#pragma GCC unroll 14
    for (int i = 0; i < mr; i++) {
      const float *r = e->residual + (t->c[i] + t->c_off - e->c_base);
#pragma GCC unroll 4
      for (int j = 0; j < nv; j++) acc[i][j] = vf_add(acc[i][j], row_load(r, j, nv, full, rest));
    }
  }
  if (e != NULL && e->act == TSR_ACT_RELU) {
#pragma GCC unroll 14
    for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
      for (int j = 0; j < nv; j++) acc[i][j] = vf_max(vf_zero(), acc[i][j]);
  }
  if (e != NULL && (e->act == TSR_ACT_RELU6 || e->act == TSR_ACT_CLAMP)) {
    const vf low = e->act == TSR_ACT_RELU6 ? vf_zero() : vf_set(e->p0), high = vf_set(e->act == TSR_ACT_RELU6 ? 6.0f : e->p1);
#pragma GCC unroll 14
    for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
      for (int j = 0; j < nv; j++) acc[i][j] = vf_min(high, vf_max(low, acc[i][j]));
  }
  if (e != NULL && e->act == TSR_ACT_HARDSWISH) {
#pragma GCC unroll 14
    for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
      for (int j = 0; j < nv; j++) acc[i][j] = act_vec(TSR_ACT_HARDSWISH, acc[i][j], acc[i][j], acc[i][j]);
  }
#pragma GCC unroll 14
  for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
    for (int j = 0; j < nv; j++) row_store(t->c[i] + t->c_off, acc[i][j], j, nv, full, rest);
}

/* A term of the sums of one row: the value broadcast into a register once, sums that stay where they are.  Left to choose,
 * the compiler loads the value for every vector, overwrites factors and then copies or spills sums. */
#if defined(__AVX2__)
#if VF_REGS == 32
#define IN_REG "v"
#else
#define IN_REG "x"
#endif
#define ROW_TERM1(s, a, b) \
  __asm__("vbroadcastss %2, %1\n\tvfmadd231ps %3, %1, %0" : "+" IN_REG(s[0]), "=&" IN_REG(av) : "m"(*(a)), IN_REG(b[0]))
#define ROW_TERM2(s, a, b) \
  __asm__("vbroadcastss %3, %2\n\tvfmadd231ps %4, %2, %0\n\tvfmadd231ps %5, %2, %1" \
          : "+" IN_REG(s[0]), "+" IN_REG(s[1]), "=&" IN_REG(av) : "m"(*(a)), IN_REG(b[0]), IN_REG(b[1]))
#define ROW_TERM3(s, a, b) \
  __asm__("vbroadcastss %4, %3\n\tvfmadd231ps %5, %3, %0\n\tvfmadd231ps %6, %3, %1\n\tvfmadd231ps %7, %3, %2" \
          : "+" IN_REG(s[0]), "+" IN_REG(s[1]), "+" IN_REG(s[2]), "=&" IN_REG(av) : "m"(*(a)), IN_REG(b[0]), IN_REG(b[1]), IN_REG(b[2]))
#define ROW_TERM4(s, a, b) \
  __asm__("vbroadcastss %5, %4\n\tvfmadd231ps %6, %4, %0\n\tvfmadd231ps %7, %4, %1\n\tvfmadd231ps %8, %4, %2\n\tvfmadd231ps %9, %4, %3" \
          : "+" IN_REG(s[0]), "+" IN_REG(s[1]), "+" IN_REG(s[2]), "+" IN_REG(s[3]), "=&" IN_REG(av) \
          : "m"(*(a)), IN_REG(b[0]), IN_REG(b[1]), IN_REG(b[2]), IN_REG(b[3]))
#endif
VF_INLINE void row_term(vf *s, const float *a, const vf *b, const int nv) {
  vf av;
#if defined(__AVX2__)
  if (nv == 1) ROW_TERM1(s, a, b);
  else if (nv == 2) ROW_TERM2(s, a, b);
  else if (nv == 3) ROW_TERM3(s, a, b);
  else ROW_TERM4(s, a, b);
#else
  av = vf_set(*a);
#if defined(__aarch64__)
  __asm__("" : "+w"(av)); /* as a memory operand it would be loaded nv times */
#endif
#pragma GCC unroll 4
  for (int j = 0; j < nv; j++) s[j] = vf_fma(av, b[j], s[j]);
#endif
}
#define KEEP_POINTER(p) __asm__("" : "+r"(p)) /* the compiler would make more of them */

/* Rows of B fetched ahead of their use into L1, where the hardware's own streams do not keep up with L2 (a tenth
 * to a quarter of the time of a product), and into L2, for weights that come from memory and are read by few rows. */
enum { B_AHEAD = 16, B_FAR = 128 };

/* Fetches the line `off` bytes after p[far] into L1.  Left to choose, the compiler has a register for each sum of the two. */
VF_INLINE void fetch_near(const float *p, int64_t far, const int off) {
#if defined(__x86_64__)
  __asm__ volatile("prefetcht0 %c2(%0,%1)" : : "r"(p), "r"(far), "i"(off));
#else
  __builtin_prefetch((const char *)p + far + off);
#endif
}

/* One term of every sum; far: bytes to the row that is fetched into L1. */
VF_INLINE void tile_term(vf acc[TSR_GEMM_MR][4], const float *a, const float *b, const float *b2, int64_t far, const int mr, const int nv) {
  vf bv[4];
#pragma GCC unroll 4
  for (int j = 0; j < nv; j++) bv[j] = vf_load(nv == 4 && j >= 2 ? b2 + (j - 2) * VF_N : b + j * VF_N);
#pragma GCC unroll 4
  for (int j = 0; j < nv; j += TSR_MAX(1, 16 / VF_N)) {
    const float *at = nv == 4 && j >= 2 ? b2 : b;
    const int off = (nv == 4 && j >= 2 ? j - 2 : j) * VF_N * 4;
    fetch_near(at, far, off);
    if (mr <= 3) __builtin_prefetch((const char *)at + B_FAR / B_AHEAD * far + off, 0, 2);
  }
#pragma GCC unroll 14
  for (int i = 0; i < mr; i++) row_term(acc[i], a + i * TSR_GEMM_LDA, bv, nv);
}

/* What counts and moves pointers competes with the multiplications for ports, and so would pointers that do not stay in
 * registers.  ahead: with fetches of A and C. */
VF_INLINE void tile_run(const tsr_tile *t, const int mr, const int nv, const bool ahead) {
  vf acc[TSR_GEMM_MR][4];
#pragma GCC unroll 14
  for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
    for (int j = 0; j < nv; j++) acc[i][j] = vf_zero();
  const float *a = t->a, *b = t->b, *b2 = t->b2, *const end = a + t->kc;
  const int64_t ldb = t->ldb, far = B_AHEAD * 4 * ldb, step = t->step, to_r = t->to_r;
  const char *soon = t->soon, *soon_a = t->soon_a, *soon_c = t->soon_c;
  const int32_t *at_a = t->at_a, *at_c = t->at_c;
#define NEXT_TERM              \
  tile_term(acc, a, b, b2, far, mr, nv); \
  a++;                         \
  b += ldb;                    \
  if (nv == 4) b2 += ldb;      \
  KEEP_POINTER(a);             \
  KEEP_POINTER(b);             \
  KEEP_POINTER(b2)
#define FETCH_SOON                \
  do {                            \
    __builtin_prefetch(soon, 0, 2); \
    soon += step;                 \
    KEEP_POINTER(soon);           \
  } while (0)
#pragma GCC unroll 1
  while (a != end) {
    if (mr > 3) FETCH_SOON;
    NEXT_TERM;
    if (a == end) break;
    if (ahead) {
      const char *c = soon_c + *at_c++;
      __builtin_prefetch(soon_a + *at_a++, 0, 2);
      __builtin_prefetch(c, 1, 2);
      __builtin_prefetch(c + to_r, 0, 2);
      KEEP_POINTER(at_a);
      KEEP_POINTER(at_c);
    }
    if (mr > 3) FETCH_SOON;
    NEXT_TERM;
  }
#undef NEXT_TERM
#undef FETCH_SOON
  if (!ONE_FINISH && t->n == nv * VF_N) tile_finish(t, acc, mr, nv, true, false);
  else tile_finish(t, acc, mr, nv, false, false);
  if (t->epi != NULL && !act_in_tile(t->epi->act)) act_rows(t, mr);
}

VF_INLINE void near_term(vf acc[TSR_GEMM_MR][4], const float *const a[5], const int k, int64_t lda, const float *b, const int mr, const int nv) {
  vf bv[3];
#pragma GCC unroll 3
  for (int j = 0; j < nv; j++) bv[j] = vf_load(b + j * VF_N);
#pragma GCC unroll 14
  for (int i = 0; i < mr; i++) row_term(acc[i], a[i / 3] + k + i % 3 * lda, bv, nv);
}

/* Every third row has a pointer, the others are reached by lda and 2 * lda: fourteen pointers would not stay in registers. */
VF_INLINE void near_run(const tsr_tile *t, int64_t lda, const int mr, const int nv) {
  const float *a[5], *b = t->b, *bias = t->epi != NULL ? t->epi->bias : NULL;
  vf acc[TSR_GEMM_MR][4], start[3];
#pragma GCC unroll 3
  for (int j = 0; j < nv; j++) start[j] = bias == NULL ? vf_zero() : row_load(bias + t->c_off, j, nv, false, t->n - (nv - 1) * VF_N);
#pragma GCC unroll 14
  for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
    for (int j = 0; j < nv; j++) acc[i][j] = start[j];
#pragma GCC unroll 5
  for (int g = 0; g < 5; g++) a[g] = t->a + TSR_MIN(3 * g, mr - 1) * lda;
  const int64_t kc = t->kc, ldb = t->ldb, step = t->step;
  const char *soon = t->soon;
  int64_t k = 0;
#pragma GCC unroll 1
  for (; k + 2 <= kc; k += 2, b += 2 * ldb, soon += step) {
    near_term(acc, a, 0, lda, b, mr, nv);
    __builtin_prefetch(soon, 0, 2);
    near_term(acc, a, 1, lda, b + ldb, mr, nv);
#pragma GCC unroll 5
    for (int g = 0; g < 5; g++) {
      a[g] += 2;
      KEEP_POINTER(a[g]);
    }
  }
  if (k < kc) near_term(acc, a, 0, lda, b, mr, nv);
  if (!ONE_FINISH && t->n == nv * VF_N) tile_finish(t, acc, mr, nv, true, true);
  else tile_finish(t, acc, mr, nv, false, true);
  if (t->epi != NULL && !act_in_tile(t->epi->act)) act_rows(t, mr);
}

#define TILE(mr, nv) static void tile_##mr##x##nv(const tsr_tile *t) { tile_run(t, mr, nv, false); }
#define AHEAD(mr) static void ahead_##mr(const tsr_tile *t) { tile_run(t, mr, 2, true); }
#define NEAR(mr, nv) static void near_##mr##x##nv(const tsr_tile *t, int64_t lda) { near_run(t, lda, mr, nv); }
#define NEAR6(nv) NEAR(1, nv) NEAR(2, nv) NEAR(3, nv) NEAR(4, nv) NEAR(5, nv) NEAR(6, nv)
#define NEAR_NAMES6(nv) near_1x##nv, near_2x##nv, near_3x##nv, near_4x##nv, near_5x##nv, near_6x##nv
NEAR6(1)
NEAR6(2)
#if VF_REGS == 32
#define NEAR14(nv) NEAR(7, nv) NEAR(8, nv) NEAR(9, nv) NEAR(10, nv) NEAR(11, nv) NEAR(12, nv) NEAR(13, nv) NEAR(14, nv)
#define NEAR_NAMES14(nv) NEAR_NAMES6(nv), near_7x##nv, near_8x##nv, near_9x##nv, near_10x##nv, near_11x##nv, near_12x##nv, near_13x##nv, near_14x##nv
NEAR14(1)
NEAR14(2)
NEAR6(3)
NEAR(7, 3) NEAR(8, 3) NEAR(9, 3)
#endif
#define TILES6(nv) TILE(1, nv) TILE(2, nv) TILE(3, nv) TILE(4, nv) TILE(5, nv) TILE(6, nv)
#define NAMES6(nv) tile_1x##nv, tile_2x##nv, tile_3x##nv, tile_4x##nv, tile_5x##nv, tile_6x##nv
TILES6(1)
TILES6(2)
#if VF_REGS == 32
#define TILES14(nv) TILE(7, nv) TILE(8, nv) TILE(9, nv) TILE(10, nv) TILE(11, nv) TILE(12, nv) TILE(13, nv) TILE(14, nv)
#define NAMES14(nv) NAMES6(nv), tile_7x##nv, tile_8x##nv, tile_9x##nv, tile_10x##nv, tile_11x##nv, tile_12x##nv, tile_13x##nv, tile_14x##nv
TILES14(1)
TILES14(2)
TILES6(3)
TILE(7, 3) TILE(8, 3) TILE(9, 3)
TILES6(4)
AHEAD(12) AHEAD(13) AHEAD(14)
#else
AHEAD(5) AHEAD(6)
TILE(1, 4) TILE(2, 4)
#endif

/* ---- moving data ---- */

/* dst[j][i] = src[i][j]; blocks of 16 x 16 keep both sides in cache. */
static void transpose(float *dst, int64_t ldd, const float *src, int64_t lds, int64_t rows, int64_t cols) {
  for (int64_t i0 = 0; i0 < rows; i0 += 16) {
    int64_t in = TSR_MIN(16, rows - i0);
    for (int64_t j0 = 0; j0 < cols; j0 += 16) {
      int64_t jn = TSR_MIN(16, cols - j0);
      const float *s = src + i0 * lds + j0;
      float *d = dst + j0 * ldd + i0;
      if (in == 16 && jn == 16) {
        vf_transpose16(d, ldd, s, lds);
        continue;
      }
      for (int64_t j = 0; j < jn; j++)
        for (int64_t i = 0; i < in; i++) d[j * ldd + i] = s[i * lds + j];
    }
  }
}

static void pack(float *dst, int64_t w, const float *src, int64_t kn, int64_t ks, int64_t nn, int64_t ns) {
  if (ks == 1 && ns != 1) {
    transpose(dst, w, src, ns, nn, kn);
  } else {
    for (int64_t k = 0; k < kn; k++) {
      float *d = dst + k * w;
      const float *s = src + k * ks;
      if (ns == 1) memcpy(d, s, (size_t)nn * sizeof *d);
      else for (int64_t j = 0; j < nn; j++) d[j] = s[j * ns];
    }
  }
  if (nn < w)
    for (int64_t k = 0; k < kn; k++) memset(dst + k * w + nn, 0, (size_t)(w - nn) * sizeof *dst);
}

/* Rows of A next to each other, TSR_GEMM_LDA apart: the terms of one tap after those of another. */
static void gather(float *dst, const float *const *rows, int mr, int64_t taps, int64_t off, int64_t n) {
  for (int64_t tap = 0; tap < taps; tap++)
    for (int i = 0; i < mr; i++) {
      const float *s = rows[tap * mr + i] + off;
      float *d = dst + i * TSR_GEMM_LDA + tap * n;
      int64_t k = 0;
      for (; k + VF_N <= n; k += VF_N) vf_store(d + k, vf_load(s + k));
      if (k < n) vf_store_n(d + k, vf_load_n(s + k, (int)(n - k)), (int)(n - k));
    }
}

static void gather_scaled(float *dst, const float *const *rows, int mr, int64_t off, int64_t n, const float *factor) {
  for (int64_t k = 0; k < n; k += VF_N) {
    int lanes = (int)TSR_MIN(VF_N, n - k);
    vf f = vf_load_n(factor + off + k, lanes);
    for (int i = 0; i < mr; i++) {
      const float *s = rows[i] + off + k;
      float *d = dst + i * TSR_GEMM_LDA + k;
      if (lanes == VF_N) vf_store(d, vf_mul(vf_load(s), f));
      else vf_store_n(d, vf_mul(vf_load_n(s, lanes), f), lanes);
    }
  }
}

static float dot(const float *a, const float *b, int64_t n) {
  vf s0 = vf_zero(), s1 = vf_zero(), s2 = vf_zero(), s3 = vf_zero();
  int64_t i = 0;
  for (; i + 4 * VF_N <= n; i += 4 * VF_N) {
    s0 = vf_fma(vf_load(a + i), vf_load(b + i), s0);
    s1 = vf_fma(vf_load(a + i + VF_N), vf_load(b + i + VF_N), s1);
    s2 = vf_fma(vf_load(a + i + 2 * VF_N), vf_load(b + i + 2 * VF_N), s2);
    s3 = vf_fma(vf_load(a + i + 3 * VF_N), vf_load(b + i + 3 * VF_N), s3);
  }
  for (; i < n; i += VF_N) {
    int r = (int)TSR_MIN(VF_N, n - i);
    s0 = vf_fma(vf_load_n(a + i, r), vf_load_n(b + i, r), s0);
  }
  return vf_hsum(vf_add(vf_add(s0, s1), vf_add(s2, s3)));
}

const tsr_gemm_fns VF_NAME(tsr_gemm) = {
    .lanes = VF_N,
#if VF_REGS == 32
    .max_nv = 2,
    .max_mr = {14, 14, 9},
    .pair_mr = 6,
    .ahead = {[11] = ahead_12, ahead_13, ahead_14},
    .tile = {{NAMES14(1)}, {NAMES14(2)}, {NAMES6(3), tile_7x3, tile_8x3, tile_9x3}, {NAMES6(4)}},
    .near = {{NEAR_NAMES14(1)}, {NEAR_NAMES14(2)}, {NEAR_NAMES6(3), near_7x3, near_8x3, near_9x3}},
#else
    .max_nv = 2,
    .max_mr = {6, 6},
    .pair_mr = 2,
    .ahead = {[4] = ahead_5, ahead_6},
    .tile = {{NAMES6(1)}, {NAMES6(2)}, {0}, {tile_1x4, tile_2x4}},
    .near = {{NEAR_NAMES6(1)}, {NEAR_NAMES6(2)}},
#endif
    .pack = pack,
    .gather = gather,
    .gather_scaled = gather_scaled,
    .act = act_run,
    .dot = dot,
    .transpose = transpose,
};
