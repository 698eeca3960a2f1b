/* Operators of the torchvision namespace: box suppression, region pooling, deformable convolution. */
#include <math.h>
#include <stdlib.h>

#include "ops/native.h"

/* ---- nms ---- */

typedef struct scored { double score; int64_t index; } scored;

static int by_score(const void *a_, const void *b_) {
  const scored *a = a_, *b = b_;
  if (a->score != b->score) return a->score > b->score ? -1 : 1;
  return a->index < b->index ? -1 : 1; /* stable */
}

TSR_KERNEL(nms) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *boxes = tsr_arg_tensor(c, 0), *scores = tsr_arg_tensor(c, 1), *out;
  double limit = tsr_arg_float(c, 2);
  if (boxes->ndim != 2) return tsr_op_fail(ctx, "boxes should be a 2d tensor, got %dD", boxes->ndim);
  if (boxes->size[1] != 4) return tsr_op_fail(ctx, "boxes should have 4 elements in dimension 1, got %lld", (long long)boxes->size[1]);
  if (scores->ndim != 1) return tsr_op_fail(ctx, "scores should be a 1d tensor, got %dD", scores->ndim);
  if (boxes->size[0] != scores->size[0]) return tsr_op_fail(ctx, "boxes and scores should have same number of elements in dimension 0, got %lld and %lld", (long long)boxes->size[0], (long long)scores->size[0]);
  int64_t n = boxes->size[0], kept = 0;
  bool single = boxes->dtype != TSR_FLOAT64;
  TSR_TRY(tsr_ready(ctx, &boxes, boxes, TSR_FLOAT64));
  TSR_TRY(tsr_ready(ctx, &scores, scores, TSR_FLOAT64));
  scored *order = tsr_scratch(ctx, ((size_t)n + 1) * sizeof *order);
  bool *gone = tsr_scratch(ctx, (size_t)n + 1);
  double *area = tsr_scratch(ctx, ((size_t)n + 1) * sizeof *area);
  int64_t *keep = tsr_scratch(ctx, ((size_t)n + 1) * sizeof *keep);
  if (order == NULL || gone == NULL || area == NULL || keep == NULL) return ctx->err.status;
  const double *b = tsr_tensor_data_ro(boxes), *s = tsr_tensor_data_ro(scores);
  for (int64_t i = 0; i < n; i++) {
    order[i] = (scored){s[i], i};
    area[i] = (b[4 * i + 2] - b[4 * i]) * (b[4 * i + 3] - b[4 * i + 1]);
  }
  qsort(order, (size_t)n, sizeof *order, by_score);
  for (int64_t i = 0; i < n; i++) {
    int64_t at = order[i].index;
    if (gone[at]) continue;
    const double *p = b + 4 * at;
    keep[kept++] = at;
    for (int64_t k = i + 1; k < n; k++) {
      int64_t other = order[k].index;
      const double *q = b + 4 * other;
      if (gone[other]) continue;
      double w = fmax(0, fmin(p[2], q[2]) - fmax(p[0], q[0])), h = fmax(0, fmin(p[3], q[3]) - fmax(p[1], q[1]));
      double overlap = w * h / (area[at] + area[other] - w * h);
      gone[other] = (single ? (double)(float)overlap : overlap) > limit;
    }
    if ((i & 63) == 63) TSR_TRY(tsr_ctx_poll(ctx, (uint64_t)n >> 4));
  }
  TSR_TRY(tsr_new(ctx, &out, TSR_INT64, 1, &kept));
  if (kept > 0) memcpy(out->storage->data, keep, (size_t)kept * sizeof *keep);
  return tsr_ret_tensor(c, 0, out);
}

/* ---- region pooling: rois are [k, 5] of (batch, x1, y1, x2, y2) ---- */

typedef struct regions {
  const double *in, *rois;
  int64_t n, c, h, w, count, ph, pw;
  double scale;
  int64_t ratio;
  bool aligned;
} regions;

static tsr_status read_regions(tsr_call *c, regions *r, const char *name) {
  tsr_tensor *in = tsr_arg_tensor(c, 0), *rois = tsr_arg_tensor(c, 1);
  if (in->ndim != 4) return tsr_op_fail(c->ctx, "%s: expected a 4D input, got %dD", name, in->ndim);
  if (rois->ndim != 2 || rois->size[1] != 5) return tsr_op_fail(c->ctx, "rois must have shape as Tensor[K, 5]");
  if (in->dtype != rois->dtype) return tsr_op_fail(c->ctx, "Expected tensor for argument #1 'input' to have the same type as tensor for argument #2 'rois'; but type %s does not equal %s", tsr_dtype_get_info(in->dtype)->cpp_name, tsr_dtype_get_info(rois->dtype)->cpp_name);
  r->n = in->size[0], r->c = in->size[1], r->h = in->size[2], r->w = in->size[3], r->count = rois->size[0];
  r->scale = tsr_arg_float(c, 2);
  r->ph = tsr_arg_int(c, 3);
  r->pw = tsr_arg_int(c, 4);
  if (r->ph <= 0 || r->pw <= 0) return tsr_op_fail(c->ctx, "%s: the pooled size must be positive, got %lld x %lld", name, (long long)r->ph, (long long)r->pw);
  TSR_TRY(tsr_ready(c->ctx, &in, in, TSR_FLOAT64));
  TSR_TRY(tsr_ready(c->ctx, &rois, rois, TSR_FLOAT64));
  r->in = tsr_tensor_data_ro(in);
  r->rois = tsr_tensor_data_ro(rois);
  for (int64_t i = 0; i < r->count; i++) {
    if (!(r->rois[5 * i] >= 0 && r->rois[5 * i] < (double)r->n)) return tsr_op_fail(c->ctx, "%s: roi %lld belongs to image %g of %lld", name, (long long)i, r->rois[5 * i], (long long)r->n);
    for (int k = 1; k < 5; k++) {
      if (!(fabs(r->rois[5 * i + k] * r->scale) < 1e7)) return tsr_op_fail(c->ctx, "%s: roi %lld has the coordinate %g", name, (long long)i, r->rois[5 * i + k]);
    }
  }
  return TSR_OK;
}

static double sample(const double *plane, int64_t h, int64_t w, double y, double x) {
  if (y < -1 || y > (double)h || x < -1 || x > (double)w) return 0;
  y = fmax(y, 0);
  x = fmax(x, 0);
  int64_t y0 = (int64_t)y, x0 = (int64_t)x, y1 = y0 + 1, x1 = x0 + 1;
  if (y0 >= h - 1) y1 = y0 = h - 1, y = (double)y0;
  if (x0 >= w - 1) x1 = x0 = w - 1, x = (double)x0;
  double ly = y - (double)y0, lx = x - (double)x0;
  return (1 - ly) * (1 - lx) * plane[y0 * w + x0] + (1 - ly) * lx * plane[y0 * w + x1] + ly * (1 - lx) * plane[y1 * w + x0] + ly * lx * plane[y1 * w + x1];
}

/* Mean of a grid of samples in one bin. */
static double bin_mean(const regions *r, const double *plane, double y0, double x0, double bh, double bw, int64_t gh, int64_t gw) {
  double sum = 0;
  for (int64_t iy = 0; iy < gh; iy++) {
    double y = y0 + ((double)iy + 0.5) * bh / (double)gh;
    for (int64_t ix = 0; ix < gw; ix++) sum += sample(plane, r->h, r->w, y, x0 + ((double)ix + 0.5) * bw / (double)gw);
  }
  return sum / (double)TSR_MAX(gh * gw, (int64_t)1);
}

typedef struct box { const double *image; double x, y, w, h, bin_h, bin_w; int64_t grid_h, grid_w; } box;

static box aligned_box(const regions *r, int64_t i, bool shift, bool at_least_one) {
  const double *roi = r->rois + 5 * i;
  double off = shift ? 0.5 : 0;
  box b = {.image = r->in + (int64_t)roi[0] * r->c * r->h * r->w, .x = roi[1] * r->scale - off, .y = roi[2] * r->scale - off};
  b.w = roi[3] * r->scale - off - b.x;
  b.h = roi[4] * r->scale - off - b.y;
  if (at_least_one) b.w = fmax(b.w, 1), b.h = fmax(b.h, 1);
  b.bin_h = b.h / (double)r->ph;
  b.bin_w = b.w / (double)r->pw;
  b.grid_h = r->ratio > 0 ? r->ratio : (int64_t)ceil(b.h / (double)r->ph);
  b.grid_w = r->ratio > 0 ? r->ratio : (int64_t)ceil(b.w / (double)r->pw);
  return b;
}

static tsr_status ret_regions(tsr_call *c, tsr_tensor *out) {
  TSR_TRY(tsr_to_dtype(c->ctx, &out, out, (tsr_dtype)tsr_arg_tensor(c, 0)->dtype));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(roi_align) {
  regions r = {0};
  tsr_tensor *out;
  TSR_TRY(read_regions(c, &r, "roi_align"));
  r.ratio = tsr_arg_int(c, 5);
  r.aligned = tsr_arg_bool(c, 6);
  int64_t size[] = {r.count, r.c, r.ph, r.pw};
  TSR_TRY(tsr_new(c->ctx, &out, TSR_FLOAT64, 4, size));
  double *o = out->storage->data;
  for (int64_t i = 0; i < r.count; i++) {
    box b = aligned_box(&r, i, r.aligned, !r.aligned);
    for (int64_t ch = 0; ch < r.c; ch++) {
      for (int64_t y = 0; y < r.ph; y++) {
        for (int64_t x = 0; x < r.pw; x++) {
          *o++ = bin_mean(&r, b.image + ch * r.h * r.w, b.y + (double)y * b.bin_h, b.x + (double)x * b.bin_w, b.bin_h, b.bin_w, b.grid_h, b.grid_w);
        }
      }
    }
    TSR_TRY(tsr_ctx_poll(c->ctx, (uint64_t)(r.c * r.ph * r.pw) >> 8));
  }
  return ret_regions(c, out);
}

static tsr_status position_sensitive(tsr_call *c, const regions *r, int64_t *channels, const char *name) {
  if (r->c % (r->ph * r->pw) != 0) return tsr_op_fail(c->ctx, "%s: input channels must be a multiple of pooling height * pooling width", name);
  *channels = r->c / (r->ph * r->pw);
  return TSR_OK;
}

TSR_KERNEL(ps_roi_align) {
  regions r = {0};
  int64_t channels = 0;
  tsr_tensor *out, *map;
  TSR_TRY(read_regions(c, &r, "ps_roi_align"));
  TSR_TRY(position_sensitive(c, &r, &channels, "ps_roi_align"));
  r.ratio = tsr_arg_int(c, 5);
  int64_t size[] = {r.count, channels, r.ph, r.pw};
  TSR_TRY(tsr_new(c->ctx, &out, TSR_FLOAT64, 4, size));
  TSR_TRY(tsr_new(c->ctx, &map, TSR_INT32, 4, size));
  double *o = out->storage->data;
  int32_t *m = map->storage->data;
  for (int64_t i = 0; i < r.count; i++) {
    box b = aligned_box(&r, i, true, false);
    for (int64_t ch = 0; ch < channels; ch++) {
      for (int64_t y = 0; y < r.ph; y++) {
        for (int64_t x = 0; x < r.pw; x++) {
          int64_t from = (ch * r.ph + y) * r.pw + x;
          *m++ = (int32_t)from;
          *o++ = bin_mean(&r, b.image + from * r.h * r.w, b.y + (double)y * b.bin_h, b.x + (double)x * b.bin_w, b.bin_h, b.bin_w, b.grid_h, b.grid_w);
        }
      }
    }
  }
  TSR_TRY(tsr_ret_tensor(c, 1, map));
  return ret_regions(c, out);
}

static int64_t clip(double v, int64_t n) { return (int64_t)fmin(fmax(v, 0), (double)n); }

TSR_KERNEL(roi_pool) { /* the largest value of each bin of whole pixels */
  regions r = {0};
  tsr_tensor *out, *arg;
  TSR_TRY(read_regions(c, &r, "roi_pool"));
  int64_t size[] = {r.count, r.c, r.ph, r.pw};
  TSR_TRY(tsr_new(c->ctx, &out, TSR_FLOAT64, 4, size));
  TSR_TRY(tsr_new(c->ctx, &arg, TSR_INT32, 4, size));
  double *o = out->storage->data;
  int32_t *a = arg->storage->data;
  for (int64_t i = 0; i < r.count; i++) {
    const double *roi = r.rois + 5 * i;
    double x0 = round(roi[1] * r.scale), y0 = round(roi[2] * r.scale);
    double bw = fmax(round(roi[3] * r.scale) - x0 + 1, 1) / (double)r.pw, bh = fmax(round(roi[4] * r.scale) - y0 + 1, 1) / (double)r.ph;
    for (int64_t ch = 0; ch < r.c; ch++) {
      const double *plane = r.in + ((int64_t)roi[0] * r.c + ch) * r.h * r.w;
      for (int64_t y = 0; y < r.ph; y++) {
        for (int64_t x = 0; x < r.pw; x++) {
          int64_t hs = clip(floor((double)y * bh) + y0, r.h), he = clip(ceil((double)(y + 1) * bh) + y0, r.h);
          int64_t ws = clip(floor((double)x * bw) + x0, r.w), we = clip(ceil((double)(x + 1) * bw) + x0, r.w);
          bool empty = he <= hs || we <= ws;
          double best = empty ? 0 : -INFINITY;
          int64_t at = -1;
          for (int64_t yy = hs; yy < he; yy++) {
            for (int64_t xx = ws; xx < we; xx++) {
              if (plane[yy * r.w + xx] > best) best = plane[yy * r.w + xx], at = yy * r.w + xx;
            }
          }
          *o++ = best;
          *a++ = (int32_t)at;
        }
      }
    }
  }
  TSR_TRY(tsr_ret_tensor(c, 1, arg));
  return ret_regions(c, out);
}

TSR_KERNEL(ps_roi_pool) { /* the mean of each bin, each from its own channel */
  regions r = {0};
  int64_t channels = 0;
  tsr_tensor *out, *map;
  TSR_TRY(read_regions(c, &r, "ps_roi_pool"));
  TSR_TRY(position_sensitive(c, &r, &channels, "ps_roi_pool"));
  int64_t size[] = {r.count, channels, r.ph, r.pw};
  TSR_TRY(tsr_new(c->ctx, &out, TSR_FLOAT64, 4, size));
  TSR_TRY(tsr_new(c->ctx, &map, TSR_INT32, 4, size));
  double *o = out->storage->data;
  int32_t *m = map->storage->data;
  for (int64_t i = 0; i < r.count; i++) {
    const double *roi = r.rois + 5 * i;
    double x0 = round(roi[1] * r.scale), y0 = round(roi[2] * r.scale);
    double bw = fmax(round(roi[3] * r.scale) - x0, 1) / (double)r.pw, bh = fmax(round(roi[4] * r.scale) - y0, 1) / (double)r.ph;
    for (int64_t ch = 0; ch < channels; ch++) {
      for (int64_t y = 0; y < r.ph; y++) {
        for (int64_t x = 0; x < r.pw; x++) {
          int64_t from = (ch * r.ph + y) * r.pw + x;
          const double *plane = r.in + ((int64_t)roi[0] * r.c + from) * r.h * r.w;
          int64_t hs = clip(floor((double)y * bh) + y0, r.h - 1), he = clip(ceil((double)(y + 1) * bh) + y0, r.h - 1); /* never the last row or column */
          int64_t ws = clip(floor((double)x * bw) + x0, r.w - 1), we = clip(ceil((double)(x + 1) * bw) + x0, r.w - 1);
          double sum = 0, count = (double)((he - hs) * (we - ws));
          for (int64_t yy = hs; yy < he; yy++) {
            for (int64_t xx = ws; xx < we; xx++) sum += plane[yy * r.w + xx];
          }
          *o++ = he <= hs || we <= ws ? 0 : sum / count;
          *m++ = (int32_t)from;
        }
      }
    }
  }
  TSR_TRY(tsr_ret_tensor(c, 1, map));
  return ret_regions(c, out);
}

/* ---- deformable convolution ---- */

typedef struct deform {
  const double *in, *weight, *offset, *mask, *bias;
  double *out;
  int64_t n, c, h, w, oc, kh, kw, oh, ow, sh, sw, ph, pw, dh, dw, groups, offset_groups;
} deform;

static double deform_sample(const double *plane, int64_t h, int64_t w, double y, double x) {
  if (!(y > -1 && y < (double)h && x > -1 && x < (double)w)) return 0;
  int64_t y0 = (int64_t)floor(y), x0 = (int64_t)floor(x);
  double ly = y - (double)y0, lx = x - (double)x0, v = 0;
  for (int k = 0; k < 4; k++) {
    int64_t yy = y0 + k / 2, xx = x0 + k % 2;
    if (yy < 0 || yy >= h || xx < 0 || xx >= w) continue;
    v += (k / 2 ? ly : 1 - ly) * (k % 2 ? lx : 1 - lx) * plane[yy * w + xx];
  }
  return v;
}

static void deform_pixels(void *arg, int64_t begin, int64_t end) {
  const deform *d = arg;
  int64_t taps = d->kh * d->kw, per_group = d->c / d->groups, out_group = d->oc / d->groups, per_offset = d->c / d->offset_groups;
  for (int64_t i = begin; i < end; i++) {
    int64_t b = i / (d->oh * d->ow), y = i / d->ow % d->oh, x = i % d->ow, area = d->oh * d->ow, at = y * d->ow + x;
    for (int64_t o = 0; o < d->oc; o++) d->out[(b * d->oc + o) * area + at] = d->bias != NULL ? d->bias[o] : 0;
    for (int64_t ch = 0; ch < d->c; ch++) {
      int64_t og = ch / per_offset, g = ch / per_group;
      for (int64_t t = 0; t < taps; t++) {
        const double *off = d->offset + ((b * d->offset_groups + og) * 2 * taps + 2 * t) * area + at;
        double yy = (double)(y * d->sh - d->ph + t / d->kw * d->dh) + off[0], xx = (double)(x * d->sw - d->pw + t % d->kw * d->dw) + off[area];
        double v = deform_sample(d->in + (b * d->c + ch) * d->h * d->w, d->h, d->w, yy, xx);
        if (d->mask != NULL) v *= d->mask[((b * d->offset_groups + og) * taps + t) * area + at];
        for (int64_t o = g * out_group; o < (g + 1) * out_group; o++) {
          d->out[(b * d->oc + o) * area + at] += v * d->weight[(o * per_group + ch % per_group) * taps + t];
        }
      }
    }
  }
}

TSR_KERNEL(deform_conv2d) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *t[5], *out;
  tsr_dtype dtype = (tsr_dtype)tsr_arg_tensor(c, 0)->dtype;
  for (uint32_t i = 0; i < 5; i++) TSR_TRY(tsr_ready(ctx, &t[i], tsr_arg_tensor(c, i), TSR_FLOAT64));
  bool use_mask = tsr_arg_bool(c, 13);
  if (t[0]->ndim != 4 || t[1]->ndim != 4 || t[2]->ndim != 4 || (use_mask && t[3]->ndim != 4)) return tsr_op_fail(ctx, "deform_conv2d: expected 4D input, weight, offset and mask");
  deform d = {.in = tsr_tensor_data_ro(t[0]), .weight = tsr_tensor_data_ro(t[1]), .offset = tsr_tensor_data_ro(t[2]), .mask = use_mask ? tsr_tensor_data_ro(t[3]) : NULL,
              .bias = t[4]->numel > 0 ? tsr_tensor_data_ro(t[4]) : NULL, .n = t[0]->size[0], .c = t[0]->size[1], .h = t[0]->size[2], .w = t[0]->size[3],
              .oc = t[1]->size[0], .kh = t[1]->size[2], .kw = t[1]->size[3], .sh = tsr_arg_int(c, 5), .sw = tsr_arg_int(c, 6), .ph = tsr_arg_int(c, 7), .pw = tsr_arg_int(c, 8),
              .dh = tsr_arg_int(c, 9), .dw = tsr_arg_int(c, 10), .groups = tsr_arg_int(c, 11), .offset_groups = tsr_arg_int(c, 12)};
  if (d.kh < 1 || d.kw < 1 || d.sh < 1 || d.sw < 1 || d.ph < 0 || d.pw < 0 || d.dh < 1 || d.dw < 1 || d.groups < 1 || d.offset_groups < 1) return tsr_op_fail(ctx, "deform_conv2d: kernel, stride, dilation and groups must be positive");
  if (d.c % d.groups != 0 || d.oc % d.groups != 0 || d.c % d.offset_groups != 0 || t[1]->size[1] != d.c / d.groups) return tsr_op_fail(ctx, "deform_conv2d: channels do not divide into groups");
  d.oh = (d.h + 2 * d.ph - (d.dh * (d.kh - 1) + 1)) / d.sh + 1;
  d.ow = (d.w + 2 * d.pw - (d.dw * (d.kw - 1) + 1)) / d.sw + 1;
  int64_t taps = d.kh * d.kw;
  if (d.oh < 1 || d.ow < 1) return tsr_op_fail(ctx, "Calculated output size too small - out_h: %lld out_w: %lld", (long long)d.oh, (long long)d.ow);
  if (t[2]->size[0] != d.n || t[2]->size[1] != d.offset_groups * 2 * taps || t[2]->size[2] != d.oh || t[2]->size[3] != d.ow) {
    return tsr_op_fail(ctx, "offset output dims: (%lld, %lld) - computed output dims: (%lld, %lld)", (long long)t[2]->size[2], (long long)t[2]->size[3], (long long)d.oh, (long long)d.ow);
  }
  if (use_mask && (t[3]->size[0] != d.n || t[3]->size[1] != d.offset_groups * taps || t[3]->size[2] != d.oh || t[3]->size[3] != d.ow)) {
    return tsr_op_fail(ctx, "mask output dims: (%lld, %lld) - computed output dims: (%lld, %lld)", (long long)t[3]->size[2], (long long)t[3]->size[3], (long long)d.oh, (long long)d.ow);
  }
  if (d.bias != NULL && t[4]->numel != d.oc) return tsr_op_fail(ctx, "invalid bias shape: got: %lld", (long long)t[4]->numel);
  int64_t size[] = {d.n, d.oc, d.oh, d.ow};
  TSR_TRY(tsr_new(ctx, &out, TSR_FLOAT64, 4, size));
  d.out = out->storage->data;
  tsr_parallel_for(ctx, d.n * d.oh * d.ow, 64, deform_pixels, &d);
  TSR_TRY(tsr_to_dtype(ctx, &out, out, dtype));
  return tsr_ret_tensor(c, 0, out);
}

/* ---- rotated boxes: (centre x, centre y, width, height, degrees counter-clockwise) ---- */

typedef struct point { double x, y; } point;

static void corners(const double *b, double cx, double cy, point out[4]) {
  double angle = b[4] * 0.01745329251994329577, c = cos(angle) * 0.5, s = sin(angle) * 0.5, x = b[0] - cx, y = b[1] - cy;
  out[0] = (point){x + s * b[3] + c * b[2], y + c * b[3] - s * b[2]};
  out[1] = (point){x - s * b[3] + c * b[2], y - c * b[3] - s * b[2]};
  out[2] = (point){2 * x - out[0].x, 2 * y - out[0].y};
  out[3] = (point){2 * x - out[1].x, 2 * y - out[1].y};
}

static double side(point a, point b, point p) { return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x); }

static double area_of(const point *p, int n) {
  double twice = 0;
  for (int i = 0; i < n; i++) twice += p[i].x * p[(i + 1) % n].y - p[(i + 1) % n].x * p[i].y;
  return fabs(twice) / 2;
}

/* The part of polygon p[n] on the inner side of the edge from a to b; into q: how many corners it has. */
static int cut(const point *p, int n, point a, point b, double turn, point *q) {
  int m = 0;
  for (int i = 0; i < n; i++) {
    point from = p[i], to = p[(i + 1) % n];
    double d0 = turn * side(a, b, from), d1 = turn * side(a, b, to);
    if (d0 >= 0) q[m++] = from;
    if ((d0 > 0 && d1 < 0) || (d0 < 0 && d1 > 0)) q[m++] = (point){from.x + (to.x - from.x) * d0 / (d0 - d1), from.y + (to.y - from.y) * d0 / (d0 - d1)};
  }
  return m;
}

static double rotated_overlap(const double *a, const double *b) {
  double one = a[2] * a[3], two = b[2] * b[3], cx = (a[0] + b[0]) / 2, cy = (a[1] + b[1]) / 2;
  point pa[4], pb[4], now[16], next[16];
  if (!(one >= 1e-14 && two >= 1e-14)) return 0;
  corners(a, cx, cy, pa);
  corners(b, cx, cy, pb);
  double turn = side(pb[0], pb[1], pb[2]) < 0 ? -1 : 1;
  int n = 4;
  memcpy(now, pa, sizeof pa);
  for (int e = 0; e < 4 && n > 0; e++) { /* each cut adds at most one corner */
    n = cut(now, n, pb[e], pb[(e + 1) % 4], turn, next);
    memcpy(now, next, (size_t)n * sizeof *now);
  }
  double both = n > 2 ? area_of(now, n) : 0;
  return both / (one + two - both);
}

TSR_KERNEL(box_iou_rotated) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *wa, *wb, *y;
  void *p;
  if (a->ndim != 2 || b->ndim != 2 || a->size[1] != 5 || b->size[1] != 5)
    return tsr_op_fail(c->ctx, "boxes should have shape [N, 5], got tensors of %d and %d dimensions", a->ndim, b->ndim);
  if (!tsr_dtype_is_float((tsr_dtype)a->dtype) || a->dtype != b->dtype) return tsr_op_fail(c->ctx, "boxes1 and boxes2 must be floating point tensors of the same type");
  int64_t size[2] = {a->size[0], b->size[0]};
  TSR_TRY(tsr_ready(c->ctx, &wa, a, TSR_FLOAT64));
  TSR_TRY(tsr_ready(c->ctx, &wb, b, TSR_FLOAT64));
  TSR_TRY(tsr_new(c->ctx, &y, TSR_FLOAT64, 2, size));
  TSR_TRY(tsr_data_mut(c->ctx, y, &p));
  for (int64_t i = 0; i < size[0]; i++) {
    for (int64_t k = 0; k < size[1]; k++)
      ((double *)p)[i * size[1] + k] = rotated_overlap((const double *)tsr_tensor_data_ro(wa) + 5 * i, (const double *)tsr_tensor_data_ro(wb) + 5 * k);
    TSR_TRY(tsr_ctx_poll(c->ctx, (uint64_t)size[1] >> 4));
  }
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, (tsr_dtype)a->dtype));
  return tsr_ret_tensor(c, 0, y);
}

#define P TSR_PURE
#define POOLED "Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width"
const tsr_op tsr_ops_vision[] = {
    {"torchvision::box_iou_rotated(Tensor boxes1, Tensor boxes2) -> Tensor", op_box_iou_rotated, P},
    {"torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor", op_nms, P},
    {"torchvision::roi_align(" POOLED ", int sampling_ratio, bool aligned) -> Tensor", op_roi_align, P},
    {"torchvision::ps_roi_align(" POOLED ", int sampling_ratio) -> (Tensor, Tensor)", op_ps_roi_align, P},
    {"torchvision::roi_pool(" POOLED ") -> (Tensor, Tensor)", op_roi_pool, P}, {"torchvision::ps_roi_pool(" POOLED ") -> (Tensor, Tensor)", op_ps_roi_pool, P},
    {"torchvision::deform_conv2d(Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, SymInt stride_h, SymInt stride_w, SymInt pad_h, SymInt pad_w, SymInt dilation_h, SymInt dilation_w, "
     "SymInt groups, SymInt offset_groups, bool use_mask) -> Tensor", op_deform_conv2d, P},
    {0}};
