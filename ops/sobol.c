/* Sobol sequences: drawing, advancing and scrambling.
 *
 * A state is a row of 30 direction numbers for each dimension; a point differs from the one before by the direction number at the lowest zero bit of
 * its index.  The states themselves come from a table of two megabytes that is not here: models bring them along as buffers. */
#include "ops/create.h"
#include "ops/native.h"
#include "ops/shape.h"

enum { BITS = 30 };

static tsr_status want_long(tsr_ctx *ctx, const char *name, const tsr_tensor *t) {
  return t->dtype == TSR_INT64 ? TSR_OK : tsr_op_fail(ctx, "%s needs to be of type Long", name);
}

static int lowest_zero(int64_t n) {
  int i = 0;
  for (; i < 62 && (n >> i & 1) != 0; i++) {}
  return n < 0 ? 0 : i;
}

/* The direction numbers in C order and the point, checked: every bit that the n steps will look at is there. */
static tsr_status open_state(tsr_ctx *ctx, const tsr_tensor *quasi, tsr_tensor *state, int64_t n, int64_t dimension, int64_t generated, const int64_t **v, int64_t *cols) {
  TSR_TRY(want_long(ctx, "sobolstate", state));
  TSR_TRY(want_long(ctx, "quasi", quasi));
  if (state->ndim != 2 || quasi->ndim < 1 || dimension < 0 || state->size[0] < dimension || quasi->size[0] < dimension)
    return tsr_op_fail(ctx, "a Sobol engine of %lld dimensions needs a point of as many elements and a state of as many rows", (long long)dimension);
  int last = 0;
  for (int64_t k = 1; k > 0 && n > 0 && k <= generated + n; k <<= 1) last++; /* indices below 2^last have their lowest zero at `last` or before */
  *cols = state->size[1];
  if (n > 0 && dimension > 0 && (last >= 62 || generated < 0 || *cols <= lowest_zero(generated)))
    return tsr_op_fail(ctx, "a Sobol engine whose state has %lld columns cannot go on from point %lld", (long long)*cols, (long long)generated);
  TSR_TRY(tsr_contiguous(ctx, &state, state));
  *v = tsr_tensor_data_ro(state);
  return TSR_OK;
}

static tsr_status step(tsr_ctx *ctx, int64_t *point, int64_t stride, const int64_t *v, int64_t cols, int64_t dimension, int64_t index) {
  int bit = lowest_zero(index);
  if (bit >= cols) return tsr_op_fail(ctx, "a Sobol engine whose state has %lld columns cannot go on from point %lld", (long long)cols, (long long)index);
  for (int64_t j = 0; j < dimension; j++) point[j * stride] ^= v[j * cols + bit];
  return TSR_OK;
}

/* quasi, n, sobolstate, dimension, num_generated, dtype */
TSR_KERNEL(draw) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *quasi = tsr_arg_tensor(c, 0), *next, *y;
  int64_t n = tsr_arg_int(c, 1), dimension = tsr_arg_int(c, 3), generated = tsr_arg_int(c, 4), cols, size[2] = {n, dimension};
  const int64_t *v;
  tsr_dtype dtype;
  void *p, *q;
  TSR_TRY(open_state(ctx, quasi, tsr_arg_tensor(c, 2), n, dimension, generated, &v, &cols));
  TSR_TRY(tsr_dtype_arg(c, 5, TSR_FLOAT32, &dtype));
  TSR_TRY(tsr_new(ctx, &y, dtype, 2, size));
  if (dtype != TSR_FLOAT32 && dtype != TSR_FLOAT64) return tsr_op_fail(ctx, "\"_sobol_engine_draw\" not implemented for '%s'", tsr_dtype_get_info(dtype)->cpp_name);
  TSR_TRY(tsr_new(ctx, &next, TSR_INT64, quasi->ndim, quasi->size));
  TSR_TRY(tsr_copy_into(ctx, next, quasi));
  TSR_TRY(tsr_data_mut(ctx, next, &p));
  TSR_TRY(tsr_data_mut(ctx, y, &q));
  int64_t *point = p, stride = quasi->numel / TSR_MAX(quasi->size[0], 1);
  for (int64_t i = 0; i < n && dimension > 0; i++) {
    TSR_TRY(step(ctx, point, stride, v, cols, dimension, generated + i));
    for (int64_t j = 0; j < dimension; j++) {
      if (dtype == TSR_FLOAT64) ((double *)q)[i * dimension + j] = (double)point[j * stride] * 0x1p-30;
      else ((float *)q)[i * dimension + j] = (float)point[j * stride] * 0x1p-30f;
    }
  }
  TSR_TRY(tsr_ret_tensor(c, 0, y));
  return tsr_ret_tensor(c, 1, next);
}

/* self, n, sobolstate, dimension, num_generated */
TSR_KERNEL(forward) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *self = tsr_arg_tensor(c, 0);
  int64_t n = tsr_arg_int(c, 1), dimension = tsr_arg_int(c, 3), generated = tsr_arg_int(c, 4), cols;
  const int64_t *v;
  void *p;
  TSR_TRY(open_state(ctx, self, tsr_arg_tensor(c, 2), n, dimension, generated, &v, &cols));
  TSR_TRY(tsr_data_mut(ctx, self, &p));
  for (int64_t i = 0; i < n && dimension > 0; i++) {
    if ((i & 4095) == 4095) TSR_TRY(tsr_ctx_poll(ctx, 1));
    TSR_TRY(step(ctx, p, self->stride[0], v, cols, dimension, generated + i));
  }
  return tsr_ret_tensor(c, 0, self);
}

static int64_t parity(int64_t v) { return __builtin_popcountll((uint64_t)v & ((UINT64_C(1) << BITS) - 1)) & 1; }

/* self, ltm (a lower triangular matrix of bits for each dimension, whose diagonal is taken as ones), dimension */
TSR_KERNEL(scramble) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *self = tsr_arg_tensor(c, 0), *ltm = tsr_arg_tensor(c, 1), *copy;
  int64_t dimension = tsr_arg_int(c, 2), rows[BITS];
  void *p;
  TSR_TRY(want_long(ctx, "sobolstate", self));
  TSR_TRY(want_long(ctx, "ltm", ltm));
  bool fits = self->ndim == 2 && dimension >= 0 && self->size[0] >= dimension && self->size[1] >= BITS && ltm->ndim == 3 && ltm->size[0] >= dimension &&
              ltm->size[1] >= BITS && ltm->size[2] == BITS;
  if (!fits) return tsr_op_fail(ctx, "scrambling a Sobol state of %lld dimensions needs %d columns and a %dx%d matrix for each", (long long)dimension, BITS, BITS, BITS);
  TSR_TRY(tsr_contiguous(ctx, &copy, ltm));
  const int64_t *m = tsr_tensor_data_ro(copy);
  TSR_TRY(tsr_data_mut(ctx, self, &p));
  for (int64_t d = 0; d < dimension; d++) {
    for (int i = 0; i < BITS; i++) {
      const int64_t *row = m + (d * ltm->size[1] + i) * BITS;
      rows[i] = 0;
      for (int k = 0; k < BITS; k++) rows[i] += (int64_t)((uint64_t)(k == i ? 1 : row[k]) << (BITS - 1 - k));
    }
    for (int j = 0; j < BITS; j++) {
      int64_t *v = (int64_t *)p + d * self->stride[0] + j * self->stride[1], sum = 0;
      for (int i = 0; i < BITS; i++) sum |= parity(rows[i] & *v) << (BITS - 1 - i);
      *v = sum;
    }
  }
  return tsr_ret_tensor(c, 0, self);
}

const tsr_op tsr_ops_sobol[] = {
    {"aten::_sobol_engine_draw(Tensor quasi, int n, Tensor sobolstate, int dimension, int num_generated, ScalarType? dtype) -> (Tensor, Tensor)", op_draw, TSR_PURE},
    {"aten::_sobol_engine_ff_(Tensor(a!) self, int n, Tensor sobolstate, int dimension, int num_generated) -> Tensor(a!)", op_forward, 0},
    {"aten::_sobol_engine_scramble_(Tensor(a!) self, Tensor ltm, int dimension) -> Tensor(a!)", op_scramble, 0},
    {0},
};
