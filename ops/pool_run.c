/* The loops of pooling, by element type and layout. */
#include <math.h>

#include "ops/native.h"
#include "ops/conv_kernels.h"
#include "ops/nn.h"
#include "ops/pool.h"

tsr_status tsr_pool_tables(tsr_ctx *ctx, tsr_pool_plan *p) {
  for (int d = 0; d < 3; d++) {
    int64_t *t = tsr_scratch(ctx, (size_t)(3 * p->out[d] + 1) * sizeof *t);
    if (t == NULL) return tsr_op_nomem(ctx);
    p->lo[d] = t;
    p->hi[d] = t + p->out[d];
    p->count[d] = t + 2 * p->out[d];
    if (d >= 3 - p->nd) continue;
    p->lo[d][0] = 0;
    p->hi[d][0] = p->count[d][0] = p->step[d] = 1;
  }
  return TSR_OK;
}

typedef struct job {
  const tsr_pool_plan *p;
  const tsr_nn_fns *nn;
  const tsr_conv_fns *conv;
  const void *x;
  void *y;
  int64_t *index;
} job;

/* One output row (all of the last dimension) of one plane, or of one image with channels last: task numbers
 * count rows.  Window positions of the outer two dimensions are a, b. */
typedef struct row { int64_t plane, a, b; } row;

static row row_at(const tsr_pool_plan *p, int64_t task) {
  return (row){task / (p->out[0] * p->out[1]), task / p->out[1] % p->out[0], task % p->out[1]};
}

#define FOR_WINDOW(p, r, o)                                                                       \
  for (int64_t i = (p)->lo[0][(r).a]; i < (p)->hi[0][(r).a]; i += (p)->step[0])                   \
    for (int64_t h = (p)->lo[1][(r).b]; h < (p)->hi[1][(r).b]; h += (p)->step[1])                 \
      for (int64_t w = (p)->lo[2][o]; w < (p)->hi[2][o]; w += (p)->step[2])

#define MAX_ROWS(T, LOWEST, ISNAN)                                                                \
  static void max_rows_##T(void *arg, int64_t begin, int64_t end) {                               \
    const job *j = arg;                                                                           \
    const tsr_pool_plan *p = j->p;                                                                \
    int64_t size = p->in[0] * p->in[1] * p->in[2], cs = p->last ? p->c : 1, lanes = p->last ? p->c : 1; \
    for (int64_t task = begin; task < end; task++) {                                              \
      row r = row_at(p, task);                                                                    \
      const T *x = (const T *)j->x + r.plane * size * cs;                                         \
      for (int64_t o = 0; o < p->out[2]; o++) {                                                   \
        T *y = (T *)j->y + (task * p->out[2] + o) * cs;                                           \
        int64_t *index = j->index == NULL ? NULL : j->index + (task * p->out[2] + o) * cs;        \
        int64_t first = (p->lo[0][r.a] * p->in[1] + p->lo[1][r.b]) * p->in[2] + p->lo[2][o];      \
        for (int64_t k = 0; k < lanes; k++) {                                                     \
          y[k] = LOWEST;                                                                          \
          if (index != NULL) index[k] = first;                                                    \
        }                                                                                         \
        FOR_WINDOW(p, r, o) {                                                                     \
          int64_t at = (i * p->in[1] + h) * p->in[2] + w;                                         \
          const T *v = x + at * cs;                                                               \
          if (index == NULL) {                                                                    \
            for (int64_t k = 0; k < lanes; k++) y[k] = v[k] > y[k] || ISNAN(v[k]) ? v[k] : y[k];  \
            continue;                                                                             \
          }                                                                                       \
          for (int64_t k = 0; k < lanes; k++) {                                                   \
            bool better = v[k] > y[k] || ISNAN(v[k]);                                             \
            y[k] = better ? v[k] : y[k];                                                          \
            index[k] = better ? at : index[k];                                                    \
          }                                                                                       \
        }                                                                                         \
      }                                                                                           \
    }                                                                                             \
  }
#define NEVER(v) false
#define IS_NAN(v) ((v) != (v))
MAX_ROWS(float, -INFINITY, IS_NAN)
MAX_ROWS(double, -INFINITY, IS_NAN)
MAX_ROWS(int64_t, INT64_MIN, NEVER)
MAX_ROWS(int32_t, INT32_MIN, NEVER)
MAX_ROWS(int16_t, INT16_MIN, NEVER)
MAX_ROWS(int8_t, INT8_MIN, NEVER)
MAX_ROWS(uint8_t, 0, NEVER)

/* Window o of a row, channels last, in the first image plane of depth it has; false: more planes than one, or none. */
static bool flat_window(const tsr_pool_plan *p, row r, int64_t o, const float *x, tsr_window *w) {
  int64_t i = p->lo[0][r.a], h = p->lo[1][r.b], at = p->lo[2][o];
  int64_t rows = p->hi[1][r.b] - h, cols = p->hi[2][o] - at;
  if (p->hi[0][r.a] - i != 1 || rows <= 0 || cols <= 0) return false;
  *w = (tsr_window){x + ((i * p->in[1] + h) * p->in[2] + at) * p->c, (rows + p->step[1] - 1) / p->step[1], (cols + p->step[2] - 1) / p->step[2],
                    p->step[1] * p->in[2] * p->c, p->step[2] * p->c};
  return true;
}

/* float32 without indices, channels last: whole vectors of channels. */
static void max_last_f32(void *arg, int64_t begin, int64_t end) {
  const job *j = arg;
  const tsr_pool_plan *p = j->p;
  for (int64_t task = begin; task < end; task++) {
    row r = row_at(p, task);
    const float *x = (const float *)j->x + r.plane * p->in[0] * p->in[1] * p->in[2] * p->c;
    for (int64_t o = 0; o < p->out[2]; o++) {
      float *y = (float *)j->y + (task * p->out[2] + o) * p->c;
      bool first = true;
      tsr_window flat;
      if (flat_window(p, r, o, x, &flat)) {
        j->conv->max_window(y, &flat, p->c);
        continue;
      }
      FOR_WINDOW(p, r, o) {
        const float *v = x + ((i * p->in[1] + h) * p->in[2] + w) * p->c;
        if (first) memcpy(y, v, (size_t)p->c * sizeof *y);
        else j->nn->max_into(y, v, p->c);
        first = false;
      }
      if (first)
        for (int64_t k = 0; k < p->c; k++) y[k] = -INFINITY;
    }
  }
}

/* float32 without indices, contiguous: the rows of the window first, vector by vector, then along the row. */
static void max_planes_f32(void *arg, int64_t begin, int64_t end) {
  const job *j = arg;
  const tsr_pool_plan *p = j->p;
  float tall[1024];
  int64_t iw = p->in[2];
  if (iw > 1024 || p->in[1] * p->in[0] == 0) {
    max_rows_float(arg, begin, end);
    return;
  }
  for (int64_t task = begin; task < end; task++) {
    row r = row_at(p, task);
    const float *x = (const float *)j->x + r.plane * p->in[0] * p->in[1] * iw;
    float *y = (float *)j->y + task * p->out[2];
    bool first = true;
    for (int64_t i = p->lo[0][r.a]; i < p->hi[0][r.a]; i += p->step[0])
      for (int64_t h = p->lo[1][r.b]; h < p->hi[1][r.b]; h += p->step[1]) {
        const float *v = x + (i * p->in[1] + h) * iw;
        if (first) memcpy(tall, v, (size_t)iw * sizeof *tall);
        else j->nn->max_into(tall, v, iw);
        first = false;
      }
    for (int64_t o = 0; o < p->out[2]; o++) {
      float m = -INFINITY;
      for (int64_t w = p->lo[2][o]; w < p->hi[2][o] && !first; w += p->step[2]) m = tall[w] > m || tall[w] != tall[w] ? tall[w] : m;
      y[o] = m;
    }
  }
}

static int64_t rows_of(const tsr_pool_plan *p) { return p->n * (p->last ? 1 : p->c) * p->out[0] * p->out[1]; }

static int64_t grain_of(const tsr_pool_plan *p) {
  int64_t cost = p->out[2] * (p->last ? p->c : 1);
  return TSR_MAX(1, 4096 / TSR_MAX(1, cost));
}

tsr_status tsr_pool_max(tsr_ctx *ctx, const tsr_pool_plan *p, tsr_tensor *y, tsr_tensor *index, tsr_tensor *x) {
  job j = {.p = p, .nn = ctx->kernels->nn, .conv = ctx->kernels->conv, .x = tsr_tensor_data_ro(x)};
  void *data;
  void (*fn)(void *, int64_t, int64_t) = NULL;
  TSR_TRY(tsr_data_mut(ctx, y, &j.y));
  if (index != NULL) {
    TSR_TRY(tsr_data_mut(ctx, index, &data));
    j.index = data;
  }
  switch (x->dtype) {
  case TSR_FLOAT32: fn = index != NULL ? max_rows_float : p->last ? max_last_f32 : max_planes_f32; break;
  case TSR_FLOAT64: fn = max_rows_double; break;
  case TSR_INT64: fn = max_rows_int64_t; break;
  case TSR_INT32: fn = max_rows_int32_t; break;
  case TSR_INT16: fn = max_rows_int16_t; break;
  case TSR_INT8: fn = max_rows_int8_t; break;
  default: fn = max_rows_uint8_t; break;
  }
  if (y->numel > 0) tsr_parallel_for(ctx, rows_of(p), grain_of(p), fn, &j);
  return TSR_OK;
}

/* ---- averages ---- */

static int64_t divisor_of(const tsr_pool_plan *p, row r, int64_t o) {
  return p->divisor != 0 ? p->divisor : p->count[0][r.a] * p->count[1][r.b] * p->count[2][o];
}

static bool empty_window(const tsr_pool_plan *p, row r, int64_t o) {
  return p->lo[0][r.a] >= p->hi[0][r.a] || p->lo[1][r.b] >= p->hi[1][r.b] || p->lo[2][o] >= p->hi[2][o];
}

#define AVG_ROWS(T)                                                                               \
  static void avg_rows_##T(void *arg, int64_t begin, int64_t end) {                               \
    const job *j = arg;                                                                           \
    const tsr_pool_plan *p = j->p;                                                                \
    int64_t size = p->in[0] * p->in[1] * p->in[2], cs = p->last ? p->c : 1;                       \
    for (int64_t task = begin; task < end; task++) {                                              \
      row r = row_at(p, task);                                                                    \
      const T *x = (const T *)j->x + r.plane * size * cs;                                         \
      for (int64_t o = 0; o < p->out[2]; o++) {                                                   \
        T *y = (T *)j->y + (task * p->out[2] + o) * cs;                                           \
        int64_t div = divisor_of(p, r, o);                                                        \
        for (int64_t k = 0; k < cs; k++) y[k] = 0;                                                \
        if (empty_window(p, r, o)) continue;                                                      \
        FOR_WINDOW(p, r, o) {                                                                     \
          const T *v = x + ((i * p->in[1] + h) * p->in[2] + w) * cs;                              \
          for (int64_t k = 0; k < cs; k++) y[k] = (T)(y[k] + v[k]);                               \
        }                                                                                         \
        for (int64_t k = 0; k < cs; k++) y[k] = (T)(y[k] / (T)div);                               \
      }                                                                                           \
    }                                                                                             \
  }
AVG_ROWS(double)
AVG_ROWS(int64_t)

static void avg_rows_f32(void *arg, int64_t begin, int64_t end) {
  const job *j = arg;
  const tsr_pool_plan *p = j->p;
  int64_t size = p->in[0] * p->in[1] * p->in[2], cs = p->last ? p->c : 1;
  for (int64_t task = begin; task < end; task++) {
    row r = row_at(p, task);
    const float *x = (const float *)j->x + r.plane * size * cs;
    for (int64_t o = 0; o < p->out[2]; o++) {
      float *y = (float *)j->y + (task * p->out[2] + o) * cs, div = (float)divisor_of(p, r, o);
      tsr_window flat;
      if (p->last && flat_window(p, r, o, x, &flat)) {
        j->conv->mean_window(y, &flat, cs, div);
        continue;
      }
      if (p->last) {
        memset(y, 0, (size_t)cs * sizeof *y);
        if (empty_window(p, r, o)) continue;
        FOR_WINDOW(p, r, o) j->nn->add_into(y, x + ((i * p->in[1] + h) * p->in[2] + w) * cs, cs);
        for (int64_t k = 0; k < cs; k++) y[k] /= div;
        continue;
      }
      float sum = 0;
      int64_t wlo = p->lo[2][o], len = p->hi[2][o] - wlo, rows = p->hi[1][r.b] - p->lo[1][r.b];
      if (empty_window(p, r, o)) {
        y[0] = 0;
        continue;
      }
      for (int64_t i = p->lo[0][r.a]; i < p->hi[0][r.a]; i++) {
        const float *v = x + (i * p->in[1] + p->lo[1][r.b]) * p->in[2] + wlo;
        if (len == p->in[2]) {
          sum += j->nn->sum(v, len * rows);
          continue;
        }
        for (int64_t h = 0; h < rows; h++, v += p->in[2])
          for (int64_t w = 0; w < len; w++) sum += v[w];
      }
      y[0] = sum / div;
    }
  }
}

enum { GLOBAL_CHANNELS = 64 };

/* One output an image: tasks take some channels each. */
static void global_task(void *arg, int64_t begin, int64_t end) {
  const job *j = arg;
  const tsr_pool_plan *p = j->p;
  int64_t parts = (p->c + GLOBAL_CHANNELS - 1) / GLOBAL_CHANNELS;
  for (int64_t t = begin; t < end; t++) {
    int64_t n = t / parts, ch = t % parts * GLOBAL_CHANNELS;
    row r = row_at(p, n);
    tsr_window w;
    if (!flat_window(p, r, 0, (const float *)j->x + n * p->in[0] * p->in[1] * p->in[2] * p->c + ch, &w)) continue;
    j->conv->mean_window((float *)j->y + n * p->c + ch, &w, TSR_MIN(GLOBAL_CHANNELS, p->c - ch), (float)divisor_of(p, r, 0));
  }
}

/* Channels last, one window without depth for each image. */
static bool is_global(const tsr_pool_plan *p, const tsr_tensor *x) {
  tsr_window w;
  return x->dtype == TSR_FLOAT32 && p->last && p->out[0] * p->out[1] * p->out[2] == 1 && flat_window(p, row_at(p, 0), 0, tsr_tensor_data_ro(x), &w);
}

tsr_status tsr_pool_avg(tsr_ctx *ctx, const tsr_pool_plan *p, tsr_tensor *y, tsr_tensor *x) {
  job j = {.p = p, .nn = ctx->kernels->nn, .conv = ctx->kernels->conv, .x = tsr_tensor_data_ro(x)};
  TSR_TRY(tsr_data_mut(ctx, y, &j.y));
  if (y->numel == 0) return TSR_OK;
  if (is_global(p, x)) {
    int64_t cost = x->numel / TSR_MAX(1, p->n * p->c) * GLOBAL_CHANNELS;
    tsr_parallel_for(ctx, p->n * ((p->c + GLOBAL_CHANNELS - 1) / GLOBAL_CHANNELS), TSR_MAX(1, 16384 / TSR_MAX(1, cost)), global_task, &j);
    return TSR_OK;
  }
  int64_t window = TSR_MAX(1, x->numel / TSR_MAX(1, y->numel));
  tsr_parallel_for(ctx, rows_of(p), TSR_MAX(1, grain_of(p) / window),
                   x->dtype == TSR_FLOAT32 ? avg_rows_f32 : x->dtype == TSR_FLOAT64 ? avg_rows_double : avg_rows_int64_t, &j);
  return TSR_OK;
}
