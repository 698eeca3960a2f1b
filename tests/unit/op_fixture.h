/* Calls operators by name in unit tests and keeps what they use until the end. */
#ifndef TSR_TEST_OP_FIXTURE_H
#define TSR_TEST_OP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ops/op.h"

typedef struct fixture {
  tsr_mem *mem;
  tsr_ctx ctx;
  tsr_val kept[512];
  int count;
  tsr_val ret[4]; /* of the last call */
} fixture;

static inline void fx_open(fixture *f) {
  memset(f, 0, sizeof *f);
  f->mem = tsr_mem_new(0);
  tsr_ctx_init(&f->ctx, f->mem, NULL);
}

static inline void fx_close(fixture *f) {
  for (int i = 0; i < f->count; i++) tsr_release(f->kept[i]);
  tsr_ctx_dispose(&f->ctx);
  tsr_mem_trim(f->mem);
  assert_int_equal(tsr_mem_used(f->mem), 0);
  tsr_mem_close(f->mem);
}

static inline tsr_val fx_keep(fixture *f, void *object) {
  assert_non_null(object);
  assert_true(f->count < 512);
  return f->kept[f->count++] = tsr_from_obj(object);
}

/* 0, 1, 2, … of any dtype. */
static inline tsr_val fx_range(fixture *f, tsr_dtype dtype, int ndim, const int64_t *size) {
  tsr_tensor *t = tsr_tensor_new(f->mem, dtype, ndim, size);
  assert_non_null(t);
  for (int64_t i = 0; i < t->numel; i++) tsr_convert(dtype, (char *)t->storage->data + (size_t)i * tsr_dtype_size(dtype), TSR_INT64, &i, 1);
  return fx_keep(f, t);
}

static inline tsr_val fx_tensor(fixture *f, tsr_dtype dtype, int ndim, const int64_t *size, const double *values) {
  tsr_val v = fx_range(f, dtype, ndim, size);
  tsr_convert(dtype, v.t->storage->data, TSR_FLOAT64, values, v.t->numel);
  return v;
}

static inline tsr_val fx_ints(fixture *f, int n, const int64_t *xs) {
  tsr_list *l = tsr_list_new(f->mem, &tsr_type_int, (size_t)n);
  tsr_val v = fx_keep(f, l);
  for (int i = 0; i < n; i++) assert_true(tsr_list_push_take(l, tsr_int(xs[i])));
  return v;
}

static inline tsr_val fx_tensors(fixture *f, int n, const tsr_val *ts) {
  tsr_list *l = tsr_list_new(f->mem, &tsr_type_tensor, (size_t)n);
  tsr_val v = fx_keep(f, l);
  for (int i = 0; i < n; i++) assert_true(tsr_list_push_take(l, tsr_retain(ts[i])));
  return v;
}

/* Results go to f->ret and are kept. */
static inline tsr_status fx_run(fixture *f, const char *name, const char *overload, uint32_t nargs, const tsr_val *args, uint32_t nrets) {
  const tsr_op *op = tsr_op_get(name, overload);
  assert_non_null(op);
  tsr_val copy[16];
  memcpy(copy, args, nargs * sizeof *args);
  for (uint32_t i = 0; i < 4; i++) f->ret[i] = tsr_none();
  tsr_errrec_dispose(&f->ctx.err);
  tsr_call c = {.ctx = &f->ctx, .op = op, .args = copy, .nargs = nargs, .rets = f->ret, .nrets = nrets};
  tsr_status st = tsr_call_run(&c);
  for (uint32_t i = 0; i < nrets && st == TSR_OK; i++)
    if (tsr_is_boxed(f->ret[i])) fx_keep(f, f->ret[i].o);
  return st;
}

#define FX_ARGS(...) (sizeof((tsr_val[]){__VA_ARGS__}) / sizeof(tsr_val)), (tsr_val[]){__VA_ARGS__}
/* The call must succeed and give one tensor. */
static inline tsr_tensor *fx_call(fixture *f, const char *name, const char *overload, uint32_t nargs, const tsr_val *args) {
  tsr_status st = fx_run(f, name, overload, nargs, args, 1);
  if (st != TSR_OK) print_error("%s: %s\n", name, f->ctx.err.message);
  assert_int_equal(st, TSR_OK);
  assert_int_equal(f->ret[0].tag, TSR_V_TENSOR);
  return f->ret[0].t;
}

/* The call must fail with this message. */
static inline void fx_refused(fixture *f, const char *message, const char *name, const char *overload, uint32_t nargs, const tsr_val *args) {
  assert_int_equal(fx_run(f, name, overload, nargs, args, 1), TSR_ERAISED);
  assert_string_equal(f->ctx.err.message, message);
  tsr_errrec_dispose(&f->ctx.err);
}

static inline void fx_check(fixture *f, const tsr_tensor *t, int ndim, const int64_t *size, const double *values) {
  assert_int_equal(t->ndim, ndim);
  for (int d = 0; d < ndim; d++) assert_int_equal(t->size[d], size[d]);
  for (int64_t i = 0; i < t->numel; i++) {
    tsr_val v = tsr_tensor_get(f->mem, t, i);
    double got = tsr_scalar_of(v).d;
    if (got != values[i]) print_error("element %lld: %g, expected %g\n", (long long)i, got, values[i]);
    assert_true(got == values[i]);
  }
}

static inline void fx_check_strides(const tsr_tensor *t, const int64_t *stride) {
  for (int d = 0; d < t->ndim; d++) assert_int_equal(t->stride[d], stride[d]);
}

#define SIZES(...) (const int64_t[]){__VA_ARGS__}
#define VALUES(...) (const double[]){__VA_ARGS__}
#define INTS(f, ...) fx_ints(f, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})

#endif
