/* Convolutions whose kernel reaches far over the border of a small map: positions with the same taps inside
 * the input are computed together, and the taps that would only read zeros are left out. */
#include "ops/conv_regions.h"

enum { MOST_CUTS = 16, MOST_REGIONS = 256 };
#define LEAST_GAIN 0.93  /* of the time without regions */

typedef struct axis { int64_t cut[MOST_CUTS + 1]; int count; } axis; /* segments: [cut[i], cut[i + 1]) */

typedef struct layout { axis d[3]; double cost; bool fits; } layout;

static int64_t clamp(int64_t x, int64_t most) { return TSR_MAX(0, TSR_MIN(x, most)); }

static int64_t ceil_div(int64_t a, int64_t b) { return a <= 0 ? 0 : (a + b - 1) / b; }

/* Positions [*lo, *hi) of dimension d see tap t inside the input. */
static void tap_range(const tsr_conv_grid *g, int d, int64_t t, int64_t *lo, int64_t *hi) {
  int64_t at = g->tap[4 * t + d];
  *lo = clamp(ceil_div(-at, g->step[d]), g->counts[d]);
  *hi = clamp(ceil_div(g->in[d] - at, g->step[d]), g->counts[d]);
}

static bool add_cut(axis *a, int64_t at) {
  int i = 0;
  while (i <= a->count && a->cut[i] < at) i++;
  if (i <= a->count && a->cut[i] == at) return true;
  if (a->count == MOST_CUTS) return false;
  memmove(&a->cut[i + 1], &a->cut[i], (size_t)(a->count + 1 - i) * sizeof *a->cut);
  a->cut[i] = at;
  a->count++;
  return true;
}

static bool cut_axis(const tsr_conv_grid *g, int d, bool split, axis *a) {
  *a = (axis){.cut = {0, g->counts[d]}, .count = 1};
  for (int64_t t = 0; t < g->taps && split; t++) {
    int64_t lo, hi;
    tap_range(g, d, t, &lo, &hi);
    if (!add_cut(a, lo) || !add_cut(a, hi)) return false;
  }
  return true;
}

/* Some position of the region sees tap t. */
static bool sees(const tsr_conv_grid *g, const layout *l, const int at[3], int64_t t) {
  for (int d = 0; d < 3; d++) {
    int64_t lo, hi;
    tap_range(g, d, t, &lo, &hi);
    if (TSR_MAX(lo, l->d[d].cut[at[d]]) >= TSR_MIN(hi, l->d[d].cut[at[d] + 1])) return false;
  }
  return true;
}

static int region_count(const layout *l) { return l->d[0].count * l->d[1].count * l->d[2].count; }

static int64_t region_at(const tsr_conv_grid *g, const layout *l, int i, int at[3]) {
  int64_t rows = g->n;
  at[2] = i % l->d[2].count;
  at[1] = i / l->d[2].count % l->d[1].count;
  at[0] = i / l->d[2].count / l->d[1].count;
  for (int d = 0; d < 3; d++) rows *= l->d[d].cut[at[d] + 1] - l->d[d].cut[at[d]];
  return rows;
}

/* A tile of few rows waits for its weights. */
static double tile_cost(int64_t rows, int mr) {
  int64_t tiles = ceil_div(rows, mr);
  return (double)tiles * (TSR_MAX(4.0, (double)rows / (double)tiles) + 1);
}

/* Regions cut along the axes of the mask. */
static layout plan(const tsr_conv_grid *g, int mask) {
  layout l = {.fits = true};
  for (int d = 0; d < 3; d++) l.fits = l.fits && cut_axis(g, d, (mask >> d & 1) != 0, &l.d[d]);
  l.fits = l.fits && region_count(&l) <= MOST_REGIONS;
  for (int i = 0; l.fits && i < region_count(&l); i++) {
    int at[3];
    int64_t rows = region_at(g, &l, i, at), used = 0;
    for (int64_t t = 0; t < g->taps; t++) used += sees(g, &l, at, t);
    l.cost += tile_cost(rows, g->mr) * ((double)used + 0.1);
  }
  return l;
}

static layout choose(const tsr_conv_grid *g) {
  layout best = {0};
  double most = LEAST_GAIN * tile_cost(g->n * g->counts[0] * g->counts[1] * g->counts[2], g->mr) * (double)g->taps;
  for (int mask = 1; mask < 8; mask++) {
    layout l = plan(g, mask);
    if (!l.fits || l.cost >= most) continue;
    most = l.cost;
    best = l;
  }
  return best;
}

static int64_t *list_rows(const tsr_conv_grid *g, const layout *l, const int at[3], int64_t *order) {
  const axis *a = l->d;
  for (int64_t n = 0; n < g->n; n++)
    for (int64_t i = a[0].cut[at[0]]; i < a[0].cut[at[0] + 1]; i++)
      for (int64_t j = a[1].cut[at[1]]; j < a[1].cut[at[1] + 1]; j++)
        for (int64_t k = a[2].cut[at[2]]; k < a[2].cut[at[2] + 1]; k++)
          *order++ = ((n * g->counts[0] + i) * g->counts[1] + j) * g->counts[2] + k;
  return order;
}

/* Reach along an axis that hardly any position is cut by: not worth a look at all layouts. */
static bool may_gain(const tsr_conv_grid *g) {
  double kept = 1;
  for (int d = 0; d < 3; d++) {
    int64_t sum = 0;
    for (int64_t t = 0; t < g->taps; t++) {
      int64_t lo, hi;
      tap_range(g, d, t, &lo, &hi);
      sum += TSR_MAX(0, hi - lo);
    }
    kept *= (double)sum / (double)TSR_MAX(1, g->taps * g->counts[d]);
  }
  return kept < LEAST_GAIN;
}

tsr_status tsr_conv_regions_make(tsr_ctx *ctx, const tsr_conv_grid *g, tsr_conv_regions *out) {
  *out = (tsr_conv_regions){0};
  if (!may_gain(g)) return TSR_OK;
  layout l = choose(g);
  if (!l.fits) return TSR_OK;
  int count = region_count(&l);
  int64_t all = g->n * g->counts[0] * g->counts[1] * g->counts[2], m = 0;
  uint8_t *used = tsr_scratch(ctx, (size_t)(count * g->taps) + 1);
  out->order = tsr_scratch(ctx, (size_t)all * sizeof *out->order);
  out->tiles = tsr_scratch(ctx, (size_t)(all / g->mr + count) * sizeof *out->tiles);
  if (used == NULL || out->order == NULL || out->tiles == NULL) return tsr_op_nomem(ctx);
  for (int i = 0; i < count; i++, used += g->taps) {
    int at[3];
    int64_t rows = region_at(g, &l, i, at), tiles = ceil_div(rows, g->mr);
    tsr_row_tile t = {.first = g->taps, .last = -1, .used = used};
    for (int64_t k = 0; k < g->taps; k++) {
      if (!sees(g, &l, at, k)) continue;
      used[k] = 1;
      t.first = TSR_MIN(t.first, k);
      t.last = k;
    }
    list_rows(g, &l, at, out->order + m);
    for (int64_t k = 0; k < tiles; k++) {
      t.m0 = m + k * rows / tiles;
      t.rows = (int)(m + (k + 1) * rows / tiles - t.m0);
      out->tiles[out->tile_count++] = t;
    }
    m += rows;
  }
  return TSR_OK;
}
