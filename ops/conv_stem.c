/* Rows of a first convolution straight from the planes of a picture: no copy with channels last, and what is
 * multiplied by one weight lies `stride` apart in a row. */
#include "ops/conv_stem.h"

#include "ops/conv_kernels.h"

enum { MAX_TERM_ROWS = 64 }; /* channels times kernel rows */

/* What whole tiles read of a row. */
static int64_t line_length(const tsr_conv *p) { return ((TSR_MAX(p->out[2], TSR_GEMM_MR) - 1) * p->stride[2] + p->k[2] + 15) / 16 * 16; }

bool tsr_stem_fits(const tsr_conv *p) {
  return !p->transposed && p->nd == 2 && p->groups == 1 && p->dil[1] == 1 && p->dil[2] == 1 && p->c <= 4 && p->c * p->k[1] <= MAX_TERM_ROWS &&
         p->stride[2] <= 16 && p->out[2] <= 1 << 16;
}

int64_t tsr_stem_floats(const tsr_conv *p) {
  return p->c * p->k[1] * line_length(p);
}

/* The input rows of result row r with their padding, [kernel row][channel]. */
static void fill_lines(const tsr_stem *s, int64_t r, const float **rows) {
  const tsr_conv *p = s->p;
  int64_t length = line_length(p), w = p->in[2], left = TSR_MIN(p->pad[2], length), have = TSR_MIN(w, length - left);
  for (int64_t k = 0; k < p->k[1]; k++)
    for (int64_t c = 0; c < p->c; c++) {
      int64_t h = r * p->stride[1] - p->pad[1] + k;
      float *line = s->line + (k * p->c + c) * length;
      rows[k * p->c + c] = line;
      if (h < 0 || h >= p->in[1]) {
        memset(line, 0, (size_t)length * sizeof *line);
        continue;
      }
      memset(line, 0, (size_t)left * sizeof *line);
      memcpy(line + left, s->x + (c * p->in[1] + h) * w, (size_t)have * sizeof *line);
      memset(line + left + have, 0, (size_t)(length - left - have) * sizeof *line);
    }
}

static void panel_row(const tsr_stem *s, const float *const *rows, int64_t panel, float *y, int64_t y_step) {
  const tsr_conv *p = s->p;
  const tsr_packed *b = s->b;
  float *c[TSR_GEMM_MR], spare[3 * 16];
  int64_t mr = b->mr, width = (int64_t)b->nv * s->f->lanes, col = panel * width;
  tsr_tile t = {.b = b->data + col * b->taps * b->c, .ldb = TSR_MIN(width, b->n_pad - col), .c = c, .c_off = col, .n = (int)TSR_MIN(width, b->n - col),
                .epi = &s->epi};
  tsr_lines lines = {.rows = rows, .groups = p->k[1], .columns = p->k[2], .lines = p->c, .stride = p->stride[2]};
  int vectors = (t.n + s->f->lanes - 1) / s->f->lanes;
  for (int64_t done = 0; done < p->out[2]; done += mr) {
    int64_t o = TSR_MAX(0, TSR_MIN(done, p->out[2] - mr)); /* the last tile makes some positions again */
    for (int64_t i = 0; i < mr; i++) c[i] = (o + i < p->out[2] ? y + (o + i) * y_step : spare) - col;
    lines.at = o * p->stride[2];
    s->f->lines[vectors - 1](&t, &lines);
  }
}

void tsr_stem_row(const tsr_stem *s, int64_t r, int64_t panel, float *y, int64_t y_step) {
  const float *rows[MAX_TERM_ROWS];
  fill_lines(s, r, rows);
  panel_row(s, rows, panel, y, y_step);
}

typedef struct job { tsr_stem s; const float *x; float *y, *line; int64_t line_floats; } job;

static void row_task(void *arg, int64_t task, int worker) {
  const job *j = arg;
  const tsr_conv *p = j->s.p;
  const float *rows[MAX_TERM_ROWS];
  tsr_stem s = j->s;
  int64_t n = task / p->out[1], r = task % p->out[1], width = (int64_t)s.b->nv * s.f->lanes;
  s.x = j->x + n * p->c * p->in[1] * p->in[2];
  s.line = j->line + worker * j->line_floats;
  fill_lines(&s, r, rows);
  for (int64_t i = 0; i < s.b->panels; i++) panel_row(&s, rows, i, j->y + task * p->out[2] * p->oc + i * width, p->oc);
}

tsr_status tsr_stem_run(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *b, const float *x, float *y, const tsr_epi *epi) {
  job j = {.s = {.f = ctx->kernels->gemm, .p = p, .b = b, .epi = *epi}, .x = x, .y = y, .line_floats = tsr_stem_floats(p)};
  TSR_TRY(tsr_work(ctx, j.line_floats * tsr_gemm_threads(ctx), &j.line));
  tsr_pool_run(ctx->pool, ctx->max_threads, p->n * p->out[1], row_task, &j);
  return TSR_OK;
}
