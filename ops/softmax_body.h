/* Softmax of float32 rows and of bundles of columns; included by map_body.h. */

/* Sums over at most 16 floats a lane are added in double. */
static float row_max(const float *x, int64_t n) {
  vf m = vf_set(-INFINITY);
  int64_t i = 0;
  for (; i + VF_N <= n; i += VF_N) m = vf_max(vf_load(x + i), m);
  float r = vf_hmax(m);
  for (; i < n; i++) r = x[i] > r ? x[i] : r;
  return r;
}

/* y = exp(x - m) when y is not NULL; the sum of it. */
static double row_exp(float *y, const float *x, int64_t n, float m) {
  double sum = 0;
  vf vm_ = vf_set(m);
  for (int64_t i = 0; i < n;) {
    int64_t end = TSR_MIN(i + 16 * VF_N, n);
    vf part = vf_zero();
    for (; i + VF_N <= end; i += VF_N) {
      vf e = vf_exp(vf_sub(vf_load(x + i), vm_));
      if (y) vf_store(y + i, e);
      part = vf_add(part, e);
    }
    if (i < end) {
      float tail[VF_N];
      vf_store(tail, vf_exp(vf_sub(vf_load_n(x + i, (int)(end - i)), vm_)));
      for (int k = 0; i < end; i++, k++) {
        if (y) y[i] = tail[k];
        sum += tail[k];
      }
    }
    sum += vf_hsum(part);
  }
  return sum;
}

static void softmax_row(float *y, const float *x, int64_t n, bool log) {
  float m = row_max(x, n);
  double sum = row_exp(log ? NULL : y, x, n, m);
  if (log) {
    float shift = (float)logf((float)sum);
    for (int64_t i = 0; i < n; i++) y[i] = x[i] - m - shift;
  } else {
    float scale = (float)(1 / sum);
    for (int64_t i = 0; i < n; i++) y[i] *= scale;
  }
}

static void softmax_cols(float *y, const float *x, int64_t n, int64_t step, int64_t w, bool log) {
  float m[64 + VF_N], sum[64 + VF_N], t[64 + VF_N];
  for (int64_t j = 0; j < w; j++) m[j] = -INFINITY, sum[j] = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < w; j++) m[j] = x[i * step + j] > m[j] ? x[i * step + j] : m[j];
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < w; j++) t[j] = x[i * step + j] - m[j];
    for (int64_t j = w; j % VF_N; j++) t[j] = 0;
    for (int64_t j = 0; j < w; j += VF_N) vf_store(t + j, vf_exp(vf_load(t + j)));
    for (int64_t j = 0; j < w; j++) {
      sum[j] += t[j];
      if (!log) y[i * step + j] = t[j];
    }
  }
  for (int64_t j = 0; j < w; j++) sum[j] = log ? logf(sum[j]) + 0.0f : 1 / sum[j];
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < w; j++) y[i * step + j] = log ? x[i * step + j] - m[j] - sum[j] : y[i * step + j] * sum[j];
}
