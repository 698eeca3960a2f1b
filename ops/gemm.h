/* Matrix products in float32: register-blocked tiles over packed panels, with fused epilogues.
 *
 * One kernel serves linear layers and convolutions: the rows of A are given by pointers, one for each
 * row and "tap" (a convolution's kernel position; a plain product has one tap), so nothing is copied
 * for an im2col.  Every output element is the same chain of multiply-adds whatever the tiling, so
 * results do not depend on the number of threads. */
#ifndef TSR_OPS_GEMM_H
#define TSR_OPS_GEMM_H

#include "ops/kernels.h"
#include "ops/op.h"
#include "ops/supply.h"

enum {
  TSR_GEMM_MR = 14,   /* most rows of a tile, any instruction set */
  TSR_GEMM_KC = 512,  /* most terms of a block: a tile's rows of A and what is read of B fit in L1 together */
  TSR_GEMM_LDA = TSR_GEMM_KC + 16, /* between gathered rows: an odd number of cache lines */
  TSR_GEMM_ROWS = 168, /* of A that stay in L2, gathered, while panels and blocks of B pass by */
  TSR_GEMM_ROOM = (TSR_GEMM_ROWS + 2 * TSR_GEMM_MR) * TSR_GEMM_LDA /* floats for them */
};

/* Applied to every element when its sum is complete: act(sum + bias + residual). */
typedef enum tsr_act {
  TSR_ACT_NONE, TSR_ACT_RELU, TSR_ACT_RELU6, TSR_ACT_SILU, TSR_ACT_HARDSWISH, TSR_ACT_SIGMOID, TSR_ACT_HARDSIGMOID,
  TSR_ACT_GELU, TSR_ACT_GELU_TANH, TSR_ACT_TANH, TSR_ACT_LEAKY, /* p0: slope */
  TSR_ACT_CLAMP,                                                 /* p0 <= x <= p1 */
  TSR_ACT_ELU, TSR_ACT_MISH, TSR_ACT_COUNT
} tsr_act;

typedef struct tsr_epi {
  const float *bias;       /* one a column, or NULL */
  const float *residual;   /* laid out as C is, or NULL */
  const float *c_base;     /* where C starts: residual element = residual + (c element - c_base) */
  tsr_act act;
  float p0, p1;
} tsr_epi;

typedef struct tsr_tile {    /* C[mr rows][n] (+)= sum over k of A[row][k] * B[k][n] */
  const float *a;            /* row i at a + i * TSR_GEMM_LDA */
  int64_t kc;
  const float *b, *b2;       /* rows of at least the kernel's width, ldb apart; b2: columns from the third vector on */
  int64_t ldb;
  float *const *c;           /* mr row pointers */
  int64_t c_off;             /* first column */
  int n;                     /* columns to write: all but the last vector are whole */
  bool accumulate;           /* add to C */
  const tsr_epi *epi;        /* NULL: store the plain sum */
  const char *soon; int64_t step; /* what is fetched into L2 meanwhile, of B: step bytes with each term */
  /* By the kernels that look ahead, with the i-th two terms: what lies at_a[i] bytes from soon_a, and at_c[i] from soon_c,
   * where C will be written, and to_r bytes further.  Both have kc / 2 elements. */
  const char *soon_a, *soon_c;
  const int32_t *at_a, *at_c;
  int64_t to_r;
} tsr_tile;

enum { TSR_GEMM_ROUNDS = TSR_GEMM_KC / 2 };
extern const int32_t tsr_gemm_nowhere[TSR_GEMM_ROUNDS]; /* zeros, for at_a or at_c */

typedef void (*tsr_tile_fn)(const tsr_tile *t);
/* The same for rows of A that lie lda apart, read in place; b2 and accumulate are not looked at. */
typedef void (*tsr_near_fn)(const tsr_tile *t, int64_t lda);

typedef struct tsr_gemm_fns {
  int lanes, max_nv;                /* a panel is 1..max_nv vectors of `lanes` columns by choice, 3 where max_mr[2] > 0 */
  int max_mr[3];                    /* by vectors - 1 */
  int pair_mr;                      /* up to this many rows, two panels of two vectors go as one tile of four */
  tsr_tile_fn tile[4][TSR_GEMM_MR]; /* by vectors - 1, rows - 1 */
  tsr_tile_fn ahead[TSR_GEMM_MR];   /* two vectors, by rows - 1: looking ahead; NULL: there is none */
  tsr_near_fn near[3][TSR_GEMM_MR];
  /* dst[k][w] = src[k * ks + n * ns] for n < n_count, 0 up to w */
  void (*pack)(float *dst, int64_t w, const float *src, int64_t k_count, int64_t ks, int64_t n_count, int64_t ns);
  /* dst[i * TSR_GEMM_LDA + tap * n + k] = rows[tap * mr + i][off + k] */
  void (*gather)(float *dst, const float *const *rows, int mr, int64_t taps, int64_t off, int64_t n);
  /* One tap; each term times factor[off + k]. */
  void (*gather_scaled)(float *dst, const float *const *rows, int mr, int64_t off, int64_t n, const float *factor);
  void (*act)(tsr_act act, float p0, float p1, float *x, int64_t n); /* in place */
  float (*dot)(const float *a, const float *b, int64_t n);
  /* dst[j][i] = src[i][j], i < rows, j < cols */
  void (*transpose)(float *dst, int64_t ldd, const float *src, int64_t lds, int64_t rows, int64_t cols);
} tsr_gemm_fns;

extern const tsr_gemm_fns tsr_gemm_scalar, tsr_gemm_avx2, tsr_gemm_avx512, tsr_gemm_neon;

/* B in panels: [k block][panel][k][width].  A block is either several whole taps or a part of one. */
typedef struct tsr_packed {
  int64_t n, taps, c;         /* columns; terms = taps * c */
  int64_t blocks, taps_block, c_block;
  int nv, mr;                 /* vectors a panel (the last may have fewer), rows a tile */
  int64_t n_pad, panels;      /* n rounded up to whole vectors */
  float *data;                /* 64-byte aligned; n_pad * taps * c floats */
  const float *direct;        /* or: whole panels are read in place from rows direct_ld apart (one tap), and */
  int64_t direct_ld;          /* data holds the last panel only when n is no multiple of a panel */
} tsr_packed;

/* Choose the blocking for a product of this shape; data stays NULL. */
tsr_packed tsr_packed_plan(const tsr_gemm_fns *f, int64_t n, int64_t taps, int64_t c);
/* With panels of nv vectors; 0: its own choice. */
tsr_packed tsr_packed_plan_nv(const tsr_gemm_fns *f, int64_t n, int64_t taps, int64_t c, int nv);
static inline int64_t tsr_packed_floats(const tsr_packed *p) { return p->n_pad * p->taps * p->c; }
/* Fill p->data from w[tap * ts + c * ks + n * ns], in parallel; with tap_at, tap t is at w + tap_at[t]. */
void tsr_packed_fill(tsr_ctx *ctx, const tsr_packed *p, const float *w, int64_t ts, int64_t ks, int64_t ns);
void tsr_packed_fill_taps(tsr_ctx *ctx, const tsr_packed *p, const float *w, const int64_t *tap_at, int64_t ks, int64_t ns);
/* The same from rows of a weight: column n is row `row` + n of it, and term c of tap t stands at c * ks + tap_at[t] there. */
tsr_status tsr_packed_fill_rows(tsr_ctx *ctx, const tsr_packed *p, const tsr_supply *w, int64_t row, const int64_t *tap_at, int64_t ks);

/* Rows [m0, m0 + rows) whose sums have only some of the taps: those of an image's border that do not lie in its padding. */
typedef struct tsr_row_tile {
  int64_t m0;
  int rows;
  int64_t first, last;        /* tap of the sum; first > last: it has none, and is 0 */
  const uint8_t *used;        /* by tap */
} tsr_row_tile;

typedef struct tsr_gemm_lines tsr_gemm_lines;

typedef struct tsr_gemm {
  const tsr_packed *b;
  int64_t m;
  const tsr_row_tile *tiles; int64_t tile_count; /* or NULL: tiles of nearly the same size, all taps */
  /* Rows of A: row i of tap t is a + i * lda (one tap), or what rows() says. */
  const float *a; int64_t lda;
  void (*rows)(const void *arg, int64_t m0, int mr, int64_t tap0, int64_t taps, const float **out /* [taps][mr] */);
  const void *rows_arg;
  const float *a_scale;       /* factors of the terms (one tap), or NULL */
  /* Rows of C: c + i * ldc, or what crows() says. */
  float *c; int64_t ldc; int64_t c_row0; /* c is row c_row0 */
  void (*crows)(const void *arg, int64_t m0, int mr, float **out);
  tsr_epi epi;                /* c_base is filled in */
  bool accumulate;            /* C is added to from the first block on */
  int64_t terms;              /* the first of one tap that are summed; 0: all */
  const tsr_packed *next;     /* of the product that comes after this one, or NULL: its first panels are fetched meanwhile */
  const char *after; int64_t after_bytes; /* the same for a part: what its last panels fetch */
  float *room;                /* TSR_GEMM_ROOM floats of this thread, or NULL: rows are gathered again for each group of panels */
  const tsr_gemm_lines *lines; /* filled in */
} tsr_gemm;

/* The whole product on the pool. */
void tsr_gemm_run(tsr_ctx *ctx, const tsr_gemm *g);
/* A part on this thread: row tiles [t0, t1) of tsr_gemm_tiles(g), panels [p0, p1). */
void tsr_gemm_part(const tsr_gemm_fns *f, const tsr_gemm *g, int64_t t0, int64_t t1, int64_t p0, int64_t p1);
/* Rows are spread evenly over the tiles, tile i starts at row i * m / tiles, unless the product brings its own. */
static inline int64_t tsr_gemm_tiles(const tsr_gemm *g) { return g->tiles != NULL ? g->tile_count : (g->m + g->b->mr - 1) / g->b->mr; }

/* Threads a job may use. */
int tsr_gemm_threads(const tsr_ctx *ctx);

/* A float32 matrix of any strides. */
typedef struct tsr_mat { const float *p; int64_t rs, cs; /* elements between rows, columns */ } tsr_mat;

/* c[m,n] = a[m,k] . b[k,n] for `count` products whose operands lie a_step, b_step, c_step elements apart; c row-major.
 * With inner > 0 the stack has two levels: each `inner` products of it start a_outer, b_outer elements after those before.
 * Packs b for this call where that pays.  epi (may be NULL) belongs to count == 1.  Fails only for want of memory. */
typedef struct tsr_product {
  int64_t m, n, k, count;
  tsr_mat a, b;
  float *c;
  int64_t ldc, a_step, b_step, c_step;
  const tsr_epi *epi;
  int64_t inner, a_outer, b_outer;
} tsr_product;
tsr_status tsr_gemm_product(tsr_ctx *ctx, const tsr_product *p);
/* Floats of uninitialised working memory until the operator returns. */
tsr_status tsr_work(tsr_ctx *ctx, int64_t floats, float **out);

#endif
