/* Cells that a program steps through a sequence by hand: the inputs of a few steps are multiplied together, as a
 * recurrent layer does it.  interp/pass_steps.c finds the loops and proves that nothing writes the sequence; that a cell's
 * input is a step of it is looked up here, at each call. */
#include "ops/native.h"
#include "ops/rnn.h"
#include "ops/site.h"

#define FIRST_STEPS 8          /* a loop may be left early */
#define MOST_STEPS 32
#define MOST_FLOATS (1 << 18)

typedef struct steps {
  tsr_mem *mem;
  float *gx; int64_t room;     /* floats */
  int64_t first, count, next;  /* steps whose products are there, and how many the next time */
} steps;

static void steps_free(void *p) {
  steps *s = p;
  tsr_buf_free(s->mem, s->gx, (size_t)s->room * sizeof *s->gx);
  tsr_free(s->mem, s, sizeof *s);
}

TSR_KERNEL(steps) {
  tsr_mem *mem = c->ctx->mem;
  steps *s = tsr_zalloc(mem, sizeof *s);
  if (s == NULL) return tsr_op_nomem(c->ctx);
  s->mem = mem;
  s->next = FIRST_STEPS;
  tsr_capsule *cap = tsr_capsule_new(mem, "steps", s, steps_free);
  if (cap == NULL) {
    steps_free(s);
    return tsr_op_nomem(c->ctx);
  }
  c->rets[0] = tsr_from_obj(cap);
  return TSR_OK;
}

/* x = xs[i] along dim, with a dimension of 1 in front when xs[i] has one only: i, or -1. */
static int64_t find_step(const tsr_tensor *x, const tsr_tensor *xs, int64_t dim) {
  int xdims = xs->ndim - 1, last = xs->ndim - 1;
  if (x->storage != xs->storage || xs->dtype != TSR_FLOAT32 || x->ndim != 2 || xdims < 1 || xdims > 2 || dim < 0 || dim >= xs->ndim - 1) return -1;
  int64_t stride = xs->stride[dim], at = x->offset - xs->offset;
  if (x->size[1] != xs->size[last] || xs->stride[last] != 1 || x->stride[1] != 1) return -1;
  if (xdims == 1 ? x->size[0] != 1 : x->size[0] != xs->size[1 - dim] || (x->size[0] > 1 && x->stride[0] != xs->stride[1 - dim])) return -1;
  return stride <= 0 || at < 0 || at % stride != 0 || at / stride >= xs->size[dim] ? -1 : at / stride;
}

/* Which steps to multiply when step i is missing: those after it, or before it when the loop goes backwards. */
static void choose_steps(steps *s, int64_t i, int64_t total, int64_t most) {
  bool start = s->count == 0, on = !start && i == s->first + s->count, back = start ? i > 0 && i == total - 1 : i == s->first - 1;
  int64_t n = start ? (i == 0 || back ? s->next : 1) : on || back ? s->next : 1;
  n = TSR_MAX(1, TSR_MIN(TSR_MIN(n, most), back ? i + 1 : total - i));
  s->next = on || back || start ? TSR_MIN(2 * s->next, MOST_STEPS) : FIRST_STEPS;
  s->first = back ? i + 1 - n : i;
  s->count = n;
}

static tsr_status multiply(tsr_ctx *ctx, tsr_site *site, const tsr_rnn_layer *l, steps *s, const tsr_tensor *x, const tsr_tensor *xs, int64_t dim, int64_t most) {
  int64_t batch[MOST_STEPS], row[MOST_STEPS], entries = x->size[0], step = entries * tsr_rnn_f32_width(l);
  if (s->count * step > s->room) {
    tsr_buf_free(s->mem, s->gx, (size_t)s->room * sizeof *s->gx);
    s->room = TSR_MIN(xs->size[dim], most) * step;
    s->gx = tsr_buf_alloc(s->mem, (size_t)s->room * sizeof *s->gx);
    if (s->gx == NULL) {
      s->room = s->count = 0;
      return tsr_op_nomem(ctx);
    }
  }
  for (int64_t i = 0; i < s->count; i++) {
    batch[i] = entries;
    row[i] = i * entries;
  }
  tsr_rnn_seq seq = {s->count, s->count * entries, entries, batch, row};
  const float *from = (const float *)tsr_tensor_data_ro(xs) + s->first * xs->stride[dim];
  return tsr_rnn_f32_inputs(ctx, site, l, &seq, from, xs->stride[dim], x->size[0] > 1 ? x->stride[0] : 0, s->gx);
}

tsr_status tsr_rnn_steps_row(tsr_ctx *ctx, tsr_site *site, const tsr_rnn_layer *l, const tsr_tensor *x, const tsr_tensor *xs, int64_t dim,
                             tsr_val kept, const float **gx) {
  *gx = NULL;
  if (dim < 0) dim += xs->ndim;
  int64_t i = find_step(x, xs, dim), width = tsr_rnn_f32_width(l);
  int64_t most = TSR_MIN(MOST_STEPS, MOST_FLOATS / TSR_MAX(1, width * x->size[0]));
  if (i < 0 || kept.tag != TSR_V_CAPSULE || most < 2) return TSR_OK;
  steps *s = kept.cap->data;
  if (i < s->first || i >= s->first + s->count) {
    choose_steps(s, i, xs->size[dim], most);
    TSR_TRY(multiply(ctx, site, l, s, x, xs, dim, most));
  }
  *gx = s->gx + (i - s->first) * x->size[0] * width;
  return TSR_OK;
}

const tsr_op tsr_ops_rnn_steps[] = {
    {"tsr::steps() -> Any", op_steps, TSR_NOOPT | TSR_HIDDEN},
    {0},
};
