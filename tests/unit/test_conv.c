/* Convolutions of every instruction set, layout and kind against plain loops in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <math.h>
#include <cmocka.h>

#include "ops/conv.h"
#include "ops/conv_rows.h"
#include "ops/kernels.h"

static tsr_mem *mem;
static tsr_pool *pool;

static uint32_t seed = 1;
static float number(void) {
  seed = seed * 1664525u + 1013904223u;
  return (float)(int32_t)seed / 2147483648.0f;
}

typedef struct shape { int64_t n, c, h, w, oc, k, stride, pad, dil, groups; bool transposed; } shape;

static const shape shapes[] = {
    {1, 3, 9, 10, 8, 3, 2, 1, 1, 1, false},   /* few channels: merged kernel rows */
    {2, 17, 7, 7, 33, 3, 1, 1, 1, 1, false},  /* ragged channels */
    {1, 16, 8, 8, 64, 1, 1, 0, 1, 1, false},  /* plain product */
    {1, 16, 9, 9, 20, 1, 2, 0, 1, 1, false},
    {1, 20, 11, 13, 20, 3, 1, 1, 1, 20, false}, /* depthwise */
    {1, 33, 12, 12, 33, 5, 2, 2, 1, 33, false},
    {1, 19, 40, 40, 19, 3, 1, 2, 2, 19, false},
    {2, 8, 10, 10, 16, 3, 1, 2, 2, 2, false}, /* groups, dilation */
    {1, 12, 6, 6, 12, 3, 1, 1, 1, 4, false},
    {1, 300, 4, 4, 40, 3, 1, 1, 1, 1, false}, /* several blocks of terms */
    {1, 32, 16, 16, 32, 3, 1, 1, 1, 1, false}, /* Winograd where the weights are kept */
    {2, 40, 15, 13, 35, 3, 1, 0, 1, 1, false}, /* ragged tiles, channels and edges */
    {1, 33, 14, 18, 70, 3, 1, 2, 1, 1, false},
    {1, 530, 7, 7, 80, 3, 1, 1, 1, 1, false},   /* … with 2x2 tiles, in blocks of channels */
    {1, 33, 24, 23, 34, 3, 1, 3, 3, 1, false},  /* … dilated: nine grids of different sizes */
    {1, 20, 6, 9, 24, 3, 1, 5, 5, 1, false},   /* most taps lie in the padding, for most positions */
    {1, 530, 5, 4, 9, 3, 1, 3, 3, 1, false},
    {1, 20, 14, 14, 24, 3, 1, 12, 12, 1, false},
    {1, 17, 3, 4, 16, 3, 1, 6, 2, 1, false},   /* some positions see nothing but padding */
    {1, 90, 7, 7, 33, 5, 2, 4, 2, 1, false},
    {3, 70, 8, 7, 71, 3, 2, 1, 1, 1, false},   /* small maps, a tap at a time: images, phases of the stride */
    {1, 530, 6, 5, 40, 3, 3, 1, 1, 1, false},
    {1, 100, 3, 4, 33, 3, 2, 5, 2, 1, false},  /* … some see nothing, some kernel rows nobody */
    {1, 3, 5, 6, 20, 5, 1, 6, 1, 1, false},
    {1, 3, 30, 33, 40, 7, 2, 3, 1, 1, false},  /* pictures: tiles and their overlap, three vectors, widths below a tile */
    {2, 4, 17, 35, 35, 4, 4, 0, 1, 1, false},
    {1, 2, 6, 9, 21, 3, 1, 1, 1, 1, false},
    {1, 15, 5, 2, 70, 3, 3, 1, 1, 1, false},
    {1, 2, 2, 600, 17, 3, 1, 1, 1, 1, false},  /* a row in parts */
    {2, 40, 9, 21, 40, 3, 1, 1, 1, 20, false}, /* groups narrower than a vector: of 2, 8, 4, 8, 16 channels */
    {1, 104, 9, 30, 104, 3, 2, 1, 1, 13, false},
    {1, 72, 5, 9, 72, 5, 1, 3, 1, 18, false},
    {1, 24, 11, 12, 24, 3, 1, 2, 2, 3, false},
    {1, 48, 3, 7, 48, 1, 1, 0, 1, 3, false},
    {1, 40, 1, 700, 40, 3, 1, 1, 1, 40, false}, /* rows in pieces */
    {1, 40, 1, 300, 40, 3, 2, 4, 1, 10, false},
    {1, 24, 7, 7, 24, 3, 1, 1, 1, 24, false},  /* depthwise: rows shorter than a tile, than the kernel */
    {1, 40, 6, 14, 40, 5, 1, 2, 1, 40, false},
    {2, 18, 4, 4, 18, 7, 1, 3, 1, 18, false},
    {1, 70, 9, 30, 70, 3, 2, 1, 1, 70, false},
    {1, 21, 3, 7, 21, 3, 1, 0, 1, 21, false},   /* … of every size of tile, alone and overlapping */
    {1, 37, 4, 9, 37, 3, 1, 1, 1, 37, false},
    {1, 16, 4, 18, 16, 3, 1, 1, 1, 16, false},
    {1, 40, 5, 11, 40, 3, 2, 1, 1, 40, false},
    {1, 23, 5, 17, 23, 3, 2, 0, 1, 23, false},
    {1, 32, 6, 12, 32, 5, 1, 2, 1, 32, false},
    {1, 19, 7, 20, 19, 5, 1, 0, 1, 19, false},
    {1, 50, 9, 23, 50, 5, 2, 2, 1, 50, false},
    {1, 9, 6, 10, 9, 5, 2, 1, 1, 9, false},
    {1, 8, 5, 6, 7, 3, 2, 1, 1, 1, true},
    {1, 20, 3, 2, 9, 3, 1, 0, 4, 1, true},
    {2, 6, 5, 5, 4, 2, 3, 0, 1, 2, true},     /* a kernel smaller than the stride leaves gaps */
};

static tsr_tensor *tensor(tsr_ctx *ctx, int64_t a, int64_t b, int64_t c, int64_t d, bool last) {
  int64_t size[4] = {a, b, c, d}, stride[4];
  tsr_tensor *t;
  if (last) tsr_strides_channels_last(4, size, stride);
  else tsr_strides_contiguous(4, size, stride);
  assert_int_equal(tsr_new_strided(ctx, &t, TSR_FLOAT32, 4, size, stride), TSR_OK);
  float *p = tsr_tensor_data_mut(t);
  for (int64_t i = 0; i < t->numel; i++) p[i] = number();
  return t;
}

static double at(const tsr_tensor *t, int64_t a, int64_t b, int64_t c, int64_t d) {
  return (double)((const float *)tsr_tensor_data_ro(t))[a * t->stride[0] + b * t->stride[1] + c * t->stride[2] + d * t->stride[3]];
}

static double exact(const shape *s, const tsr_tensor *x, const tsr_tensor *w, int64_t n, int64_t o, int64_t y, int64_t z) {
  int64_t cg = s->c / s->groups, og = s->oc / s->groups, g = o / og;
  double sum = 0;
  for (int64_t c = 0; c < cg; c++)
    for (int64_t i = 0; i < s->k; i++)
      for (int64_t j = 0; j < s->k; j++) {
        int64_t h = s->transposed ? y + s->pad - i * s->dil : y * s->stride - s->pad + i * s->dil;
        int64_t v = s->transposed ? z + s->pad - j * s->dil : z * s->stride - s->pad + j * s->dil;
        if (s->transposed && (h % s->stride != 0 || v % s->stride != 0)) continue;
        if (s->transposed) h /= s->stride, v /= s->stride;
        if (h < 0 || h >= s->h || v < 0 || v >= s->w) continue;
        double weight = s->transposed ? at(w, g * cg + c, o % og, i, j) : at(w, o, c, i, j);
        sum += at(x, n, g * cg + c, h, v) * weight;
      }
  return sum;
}

static void conv_case(tsr_isa isa, const shape *s, bool last, bool keep) {
  tsr_ctx ctx;
  tsr_site site = {0};
  tsr_ctx_init(&ctx, mem, pool);
  ctx.kernels = tsr_kernels_get(isa);
  tsr_tensor *x = tensor(&ctx, s->n, s->c, s->h, s->w, last);
  tsr_tensor *w = s->transposed ? tensor(&ctx, s->c, s->oc / s->groups, s->k, s->k, false) : tensor(&ctx, s->oc, s->c / s->groups, s->k, s->k, false);
  tsr_tensor *y, *bias, *res = NULL;
  int64_t zero = 0;
  assert_int_equal(tsr_new(&ctx, &bias, TSR_FLOAT32, 1, &s->oc), TSR_OK);
  float *b = tsr_tensor_data_mut(bias);
  for (int64_t i = 0; i < s->oc; i++) b[i] = number();
  tsr_conv_args a = {.x = x, .w = w, .bias = bias, .stride = &s->stride, .pad = &s->pad, .dil = &s->dil, .opad = &zero, .stride_n = 1,
                     .pad_n = 1, .dil_n = 1, .opad_n = 1, .transposed = s->transposed, .groups = s->groups, .site = keep ? &site : NULL};
  for (int round = 0; round < 2; round++) { /* the second time with a residual, and from the site's weights */
    assert_int_equal(tsr_convolution(&ctx, &y, &a), TSR_OK);
    assert_true(last ? tsr_tensor_is_channels_last(y) : tsr_tensor_is_contiguous(y));
    for (int64_t n = 0; n < y->size[0]; n++)
      for (int64_t o = 0; o < y->size[1]; o++)
        for (int64_t i = 0; i < y->size[2]; i++)
          for (int64_t j = 0; j < y->size[3]; j++) {
            double want = exact(s, x, w, n, o, i, j) + (double)b[o];
            if (res != NULL) want = fmax(0, want + at(res, n, o, i, j));
            if (!(fabs(at(y, n, o, i, j) - want) <= 2e-5 * sqrt((double)(s->c * s->k * s->k))))
              fail_msg("%s, case of %ld channels, layout %d: %g, expected %g", tsr_isa_name(isa), (long)s->c, last, at(y, n, o, i, j), want);
          }
    res = tensor(&ctx, y->size[0], y->size[1], y->size[2], y->size[3], last);
    a.residual = res;
    a.epi.act = TSR_ACT_RELU;
  }
  if (site.data != NULL) site.free_fn(site.data);
  while (ctx.temp_count > 0) tsr_release(ctx.temps[--ctx.temp_count]);
  tsr_ctx_dispose(&ctx);
}

static void test_conv(void **state) {
  for (int isa = 0; isa < TSR_ISA_COUNT; isa++) {
    if (!tsr_cpu_has((tsr_isa)isa)) continue;
    for (size_t i = 0; i < TSR_COUNT(shapes); i++)
      for (int k = 0; k < 4; k++) conv_case((tsr_isa)isa, &shapes[i], (k & 1) != 0, (k & 2) != 0);
  }
}

static tsr_conv_args plain_args(tsr_tensor *x, tsr_tensor *w, tsr_site *site) {
  static const int64_t zero = 0, one = 1;
  return (tsr_conv_args){.x = x, .w = w, .stride = &one, .pad = &one, .dil = &one, .opad = &zero, .stride_n = 1, .pad_n = 1, .dil_n = 1,
                         .opad_n = 1, .groups = 1, .site = site};
}

static void finish(tsr_ctx *ctx, tsr_site *site) {
  if (site->data != NULL) site->free_fn(site->data);
  while (ctx->temp_count > 0) tsr_release(ctx->temps[--ctx->temp_count]);
  tsr_ctx_dispose(ctx);
}

/* Many weights, which Winograd's algorithm transforms in the call, against direct summation. */
static void test_many_weights(void **state) {
  static const struct { int64_t n, c, h, w, oc, dil; } cases[] = {{1, 300, 14, 15, 500, 1}, {6, 800, 7, 6, 190, 1}, {1, 200, 17, 16, 740, 2}};
  TSR_UNUSED(state);
  for (int isa = 0; isa < TSR_ISA_COUNT; isa++)
    for (size_t i = 0; i < TSR_COUNT(cases) && tsr_cpu_has((tsr_isa)isa); i++) {
      tsr_ctx ctx;
      tsr_site site = {0};
      tsr_tensor *y[2], *res;
      tsr_ctx_init(&ctx, mem, pool);
      ctx.kernels = tsr_kernels_get((tsr_isa)isa);
      tsr_tensor *x = tensor(&ctx, cases[i].n, cases[i].c, cases[i].h, cases[i].w, true), *w = tensor(&ctx, cases[i].oc, cases[i].c, 3, 3, false);
      tsr_conv_args a = plain_args(x, w, &site);
      a.pad = a.dil = &cases[i].dil;
      a.residual = res = tensor(&ctx, cases[i].n, cases[i].oc, cases[i].h, cases[i].w, true);
      a.epi.act = TSR_ACT_RELU;
      for (int k = 0; k < 2; k++) {
        ctx.no_winograd = k == 1;
        assert_int_equal(tsr_convolution(&ctx, &y[k], &a), TSR_OK);
      }
      const float *p = tsr_tensor_data_ro(y[0]), *q = tsr_tensor_data_ro(y[1]);
      bool same = true;
      for (int64_t k = 0; k < y[0]->numel; k++) {
        same = same && p[k] == q[k];
        if (!(fabsf(p[k] - q[k]) <= 2e-5f * sqrtf((float)cases[i].c * 9))) fail_msg("%s, case %d: %g, expected %g", tsr_isa_name((tsr_isa)isa), (int)i, p[k], q[k]);
      }
      assert_false(same);
      finish(&ctx, &site);
    }
}

/* A site that has packed for Winograd still answers for images too small for it when the weights are gone. */
static void test_weights_come_back(void **state) {
  static const shape s = {1, 33, 5, 5, 40, 3, 1, 1, 1, 1, false};
  for (int isa = 0; isa < TSR_ISA_COUNT; isa++) {
    tsr_ctx ctx;
    tsr_site site = {0};
    tsr_tensor *y;
    if (!tsr_cpu_has((tsr_isa)isa)) continue;
    tsr_ctx_init(&ctx, mem, pool);
    ctx.kernels = tsr_kernels_get((tsr_isa)isa);
    tsr_tensor *big = tensor(&ctx, 1, 33, 20, 20, false), *x = tensor(&ctx, 1, 33, 5, 5, false), *w = tensor(&ctx, 40, 33, 3, 3, false), *gone;
    assert_int_equal(tsr_new_like(&ctx, &gone, w, TSR_FLOAT32), TSR_OK);
    memset(tsr_tensor_data_mut(gone), 0, (size_t)gone->numel * sizeof(float));
    tsr_conv_args a = plain_args(big, w, &site), b = plain_args(x, gone, &site);
    assert_int_equal(tsr_convolution(&ctx, &y, &a), TSR_OK);
    assert_int_equal(tsr_convolution(&ctx, &y, &b), TSR_OK);
    for (int64_t o = 0; o < 40; o++)
      for (int64_t i = 0; i < 25; i++)
        assert_true(fabs(at(y, 0, o, i / 5, i % 5) - exact(&s, x, w, 0, o, i / 5, i % 5)) < 1e-4);
    finish(&ctx, &site);
  }
}

/* Bit for bit the same with any number of threads. */
static void test_threads(void **state) {
  static const shape cases[] = {{1, 64, 28, 28, 96, 3, 1, 1, 1, 1, false}, {2, 20, 30, 30, 24, 3, 1, 1, 1, 1, false},
                                {1, 72, 14, 14, 72, 3, 1, 1, 1, 72, false}, {1, 200, 14, 14, 130, 1, 1, 0, 1, 1, false},
                                {1, 3, 40, 40, 32, 3, 1, 1, 1, 1, false}, {2, 600, 7, 7, 300, 3, 1, 1, 1, 1, false}};
  for (size_t k = 0; k < TSR_COUNT(cases); k++) {
    const shape *s = &cases[k];
    float *first = NULL;
    for (int threads = 1; threads <= 8; threads++) {
      tsr_pool *p = tsr_pool_new(threads);
      tsr_ctx ctx;
      tsr_site site = {0};
      tsr_tensor *y;
      tsr_ctx_init(&ctx, mem, p);
      seed = 7;
      tsr_tensor *x = tensor(&ctx, s->n, s->c, s->h, s->w, true), *w = tensor(&ctx, s->oc, s->c / s->groups, s->k, s->k, false);
      tsr_conv_args a = plain_args(x, w, &site);
      a.pad = &s->pad;
      a.groups = s->groups;
      assert_int_equal(tsr_convolution(&ctx, &y, &a), TSR_OK);
      size_t bytes = (size_t)y->numel * sizeof *first;
      if (first == NULL) {
        first = malloc(bytes);
        memcpy(first, tsr_tensor_data_ro(y), bytes);
      }
      assert_memory_equal(first, tsr_tensor_data_ro(y), bytes);
      finish(&ctx, &site);
      tsr_pool_free(p);
    }
    free(first);
  }
}

/* Taps in the padding are left out where they are many. */
static void test_small_maps(void **state) {
  const tsr_gemm_fns *f = tsr_kernels_get(TSR_ISA_SCALAR)->gemm;
  tsr_conv p = {.nd = 2, .n = 1, .c = 512, .oc = 512, .groups = 1, .in = {1, 7, 7}, .out = {1, 7, 7}, .k = {1, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 1, 1}, .dil = {1, 1, 1}};
  tsr_packed plan = tsr_packed_plan(f, p.oc, 9, p.c);
  TSR_UNUSED(state);
  assert_true(tsr_rows_wants(&p, &plan));
  p.pad[1] = p.pad[2] = 0;
  p.in[1] = p.in[2] = 9;
  assert_false(tsr_rows_wants(&p, &plan));
}

int main(void) {
  mem = tsr_mem_new(0);
  pool = tsr_pool_new(2);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_conv), cmocka_unit_test(test_many_weights), cmocka_unit_test(test_weights_come_back), cmocka_unit_test(test_threads), cmocka_unit_test(test_small_maps)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  tsr_pool_free(pool);
  tsr_mem_close(mem);
  return failed;
}
