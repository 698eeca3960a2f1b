/* Convolutions of the dtypes without kernels of their own: unfold, multiply, or multiply and add up. */
#include "ops/conv.h"
#include "ops/native.h"
#include "ops/product.h"

typedef struct walk { const tsr_conv *p; int64_t rows; char *col; char *image; size_t item; tsr_dtype dtype; } walk;

#define ADD_ALL(T) do { T *y = (T *)(void *)dst; const T *x = (const T *)(const void *)src; *y = (T)(*y + *x); } while (0)
static void add_element(tsr_dtype d, char *dst, const char *src) {
  switch (d) {
  case TSR_FLOAT32: ADD_ALL(float); break;
  case TSR_FLOAT64: ADD_ALL(double); break;
  case TSR_COMPLEX64: ADD_ALL(_Complex float); break;
  case TSR_COMPLEX128: ADD_ALL(_Complex double); break;
  case TSR_INT16: ADD_ALL(uint16_t); break;
  case TSR_INT32: ADD_ALL(uint32_t); break;
  case TSR_INT64: ADD_ALL(uint64_t); break;
  default: ADD_ALL(uint8_t); break;
  }
}

/* Row r of the unfolded image: channel and kernel element, one column for each position of the smaller grid
 * (the output of a plain convolution, the input of a transposed one).  Unfolding copies image to col, folding
 * adds col to image. */
static void walk_row(const walk *w, int64_t r, bool fold) {
  const tsr_conv *p = w->p;
  const int64_t *grid = p->transposed ? p->in : p->out, *big = p->transposed ? p->out : p->in;
  int64_t taps = tsr_conv_taps(p), ch = r / taps, t = r % taps;
  int64_t k[3] = {t / (p->k[1] * p->k[2]), t / p->k[2] % p->k[1], t % p->k[2]};
  char *col = w->col + r * grid[0] * grid[1] * grid[2] * (int64_t)w->item;
  char *image = w->image + ch * big[0] * big[1] * big[2] * (int64_t)w->item;
  for (int64_t a = 0; a < grid[0]; a++)
    for (int64_t b = 0; b < grid[1]; b++)
      for (int64_t e = 0; e < grid[2]; e++, col += w->item) {
        int64_t i = a * p->stride[0] - p->pad[0] + k[0] * p->dil[0], j = b * p->stride[1] - p->pad[1] + k[1] * p->dil[1];
        int64_t l = e * p->stride[2] - p->pad[2] + k[2] * p->dil[2];
        bool inside = i >= 0 && i < big[0] && j >= 0 && j < big[1] && l >= 0 && l < big[2];
        char *at = image + ((i * big[1] + j) * big[2] + l) * (int64_t)w->item;
        if (fold) {
          if (inside) add_element(w->dtype, at, col);
        } else if (inside) {
          memcpy(col, at, w->item);
        } else {
          memset(col, 0, w->item);
        }
      }
}

static void unfold_task(void *arg, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; r++) walk_row(arg, r, false);
}

static void fold_task(void *arg, int64_t begin, int64_t end) { /* a task owns whole channels */
  const walk *w = arg;
  int64_t taps = tsr_conv_taps(w->p);
  for (int64_t r = begin * taps; r < end * taps; r++) walk_row(w, r, true);
}

/* A [rows, cols] matrix at an offset of a contiguous tensor. */
static tsr_status matrix_at(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *t, int64_t offset, int64_t rows, int64_t cols) {
  return tsr_new_view(ctx, out, t, t->offset + offset, 2, (int64_t[]){rows, cols}, (int64_t[]){cols, 1});
}

static tsr_status plain_group(tsr_ctx *ctx, const tsr_conv *p, tsr_tensor *y, tsr_tensor *x, tsr_tensor *w, tsr_tensor *col, int64_t n, int64_t g) {
  int64_t cg = p->c / p->groups, og = p->oc / p->groups, taps = tsr_conv_taps(p), si = tsr_conv_in(p), so = tsr_conv_out(p);
  size_t item = tsr_tensor_itemsize(x);
  tsr_dtype d = (tsr_dtype)x->dtype;
  tsr_tensor *wm, *xm, *z;
  void *data;
  int64_t xat = (n * p->c + g * cg) * si, yat = (n * p->oc + g * og) * so;
  TSR_TRY(matrix_at(ctx, &wm, w, g * cg * og * taps, p->transposed ? cg : og, p->transposed ? og * taps : cg * taps));
  if (!p->transposed) {
    TSR_TRY(tsr_data_mut(ctx, col, &data));
    walk k = {p, cg * taps, data, (char *)(uintptr_t)tsr_tensor_data_ro(x) + (size_t)xat * item, item, d};
    tsr_parallel_for(ctx, cg * taps, 1, unfold_task, &k);
    TSR_TRY(tsr_product_any(ctx, &z, "slow_conv2d_cpu", -1, og, so, cg * taps, tsr_side_of(wm), tsr_side_of(col)));
    TSR_TRY(tsr_data_mut(ctx, y, &data));
    memcpy((char *)data + (size_t)yat * item, tsr_tensor_data_ro(z), (size_t)(og * so) * item);
    return TSR_OK;
  }
  TSR_TRY(matrix_at(ctx, &xm, x, xat, cg, si));
  TSR_TRY(tsr_product_any(ctx, &z, "slow_conv_transpose2d_out_cpu", -1, og * taps, si, cg, tsr_side_flip(tsr_side_of(wm)), tsr_side_of(xm)));
  TSR_TRY(tsr_data_mut(ctx, y, &data));
  memset((char *)data + (size_t)yat * item, 0, (size_t)(og * so) * item);
  walk k = {p, og * taps, (char *)(uintptr_t)tsr_tensor_data_ro(z), (char *)data + (size_t)yat * item, item, d};
  tsr_parallel_for(ctx, og, 1, fold_task, &k);
  return TSR_OK;
}

tsr_status tsr_conv_plain(tsr_ctx *ctx, const tsr_conv *p, tsr_tensor *y, tsr_tensor *x, tsr_tensor *w) {
  tsr_tensor *col = NULL;
  int64_t size[2] = {p->c / p->groups * tsr_conv_taps(p), tsr_conv_out(p)};
  if (!p->transposed) TSR_TRY(tsr_new(ctx, &col, (tsr_dtype)x->dtype, 2, size));
  for (int64_t n = 0; n < p->n; n++)
    for (int64_t g = 0; g < p->groups; g++) TSR_TRY(plain_group(ctx, p, y, x, w, col, n, g));
  return TSR_OK;
}
