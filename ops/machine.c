/* Peak of the multiply-add units and of main memory, and what a call would need of both. */
#include "ops/machine.h"

#include <math.h>
#include <stdlib.h>

#include "ops/cpu.h"
#include "ops/nn.h"

/* ---- the peak of multiply-adds ---- */

#define ROUNDS 200000
#define CHAINS 12 /* independent sums: latency times units */

#if defined(__x86_64__)
#define F(r, n) "vfmadd231ps %%" r "0, %%" r "0, %%" r #n "\n\t"
#define ZERO(n) "vxorps %%xmm" #n ", %%xmm" #n ", %%xmm" #n "\n\t"
#define ALL(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#define FY(n) F("ymm", n)
#define FZ(n) F("zmm", n)
#define LOOP(body)                                                                                                        \
  __asm__ volatile(ZERO(0) ALL(ZERO) "1:\n\t" body body "sub $2, %0\n\tjnz 1b\n\tvzeroupper\n\t"                           \
                   : "+r"(rounds)::"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
                     "xmm11", "xmm12", "cc")

/* Intrinsics would leave the registers to the compiler, which spills them. */
static double fma_loop(void) {
  int64_t rounds = ROUNDS;
  int lanes = tsr_cpu_isa() == TSR_ISA_AVX512 ? 16 : 8;
  if (tsr_cpu_isa() == TSR_ISA_AVX512) LOOP(ALL(FZ));
  else if (tsr_cpu_isa() == TSR_ISA_AVX2) LOOP(ALL(FY));
  else lanes = 0;
  return 2.0 * ROUNDS * CHAINS * lanes;
}
#else
static double fma_loop(void) { return 0; }
#endif

/* Where there is no loop of our own: what the dot product of cached vectors reaches. */
static double dot_loop(float *room) {
  enum { N = 2048, REPEAT = 500 };
  float s = 0;
  memset(room, 0, 2 * N * sizeof *room);
  for (int i = 0; i < REPEAT; i++) s += tsr_kernels_best()->gemm->dot(room, room + N, N);
  room[0] = s;
  return 2.0 * N * REPEAT;
}

typedef struct probe { double work[256], seconds[256]; float *data; int64_t floats; float sink[256]; } probe;

static void flops_task(void *arg, int64_t task, int worker) {
  TSR_UNUSED(worker);
  probe *p = arg;
  double start = tsr_clock_now();
  p->work[task] = fma_loop();
  if (p->work[task] == 0) p->work[task] = dot_loop(p->data + task * p->floats);
  p->seconds[task] = tsr_clock_now() - start;
}

static void read_task(void *arg, int64_t task, int worker) {
  TSR_UNUSED(worker);
  probe *p = arg;
  double start = tsr_clock_now();
  p->sink[task] = tsr_kernels_best()->nn->sum(p->data + task * p->floats, p->floats);
  p->work[task] = (double)p->floats * sizeof(float);
  p->seconds[task] = tsr_clock_now() - start;
}

/* The best of several rounds; each thread does one task, and the slowest counts. */
static double best_rate(tsr_pool *pool, probe *p, int threads, int rounds, void (*task)(void *, int64_t, int)) {
  double best = 0;
  for (int i = 0; i < rounds; i++) {
    double work = 0, slowest = 0, start = tsr_clock_now();
    tsr_pool_run(pool, 0, threads, task, p);
    double wall = tsr_clock_now() - start;
    for (int t = 0; t < threads; t++) {
      work += p->work[t];
      slowest = fmax(slowest, p->seconds[t]);
    }
    best = fmax(best, work / fmax(wall, slowest));
  }
  return best;
}

bool tsr_machine_measure(tsr_pool *pool, double *flops, double *bandwidth) {
  int threads = TSR_MIN(tsr_pool_threads(pool), 256);
  probe *p = calloc(1, sizeof *p);
  if (p == NULL) return false;
  p->floats = TSR_MAX((int64_t)4 << 20, (int64_t)(48 << 20) / threads); /* 192 MB: far beyond the caches */
  p->data = malloc((size_t)(p->floats * threads) * sizeof *p->data);
  if (p->data != NULL) {
    for (int64_t i = 0; i < p->floats * threads; i++) p->data[i] = 1; /* pages of zeros would all be one page, in cache */
    *flops = best_rate(pool, p, threads, 12, flops_task);
    *bandwidth = best_rate(pool, p, threads, 6, read_task);
  }
  bool ok = p->data != NULL;
  free(p->data);
  free(p);
  return ok;
}

/* ---- what a call costs ---- */

static tsr_tensor *tensor_at(const tsr_val *v, uint32_t n, uint32_t i) {
  return i < n && v[i].tag == TSR_V_TENSOR && v[i].t->layout == 0 && v[i].t->storage != NULL ? v[i].t : NULL;
}

static double bytes_of(tsr_val v) {
  double sum = 0;
  if (v.tag == TSR_V_TENSOR && v.t->layout == 0) return (double)v.t->numel * (double)tsr_tensor_itemsize(v.t);
  for (size_t i = 0; v.tag == TSR_V_LIST && i < v.l->len && v.l->items[i].tag == TSR_V_TENSOR; i++) sum += bytes_of(v.l->items[i]);
  return sum;
}

static double elements_of(tsr_val v) {
  double sum = 0;
  if (v.tag == TSR_V_TENSOR) return (double)v.t->numel;
  for (size_t i = 0; v.tag == TSR_V_LIST && i < v.l->len && v.l->items[i].tag == TSR_V_TENSOR; i++) sum += (double)v.l->items[i].t->numel;
  return sum;
}

/* The result shares an argument's bytes and the operator writes nothing: a view. */
static bool is_view(const tsr_call *c) {
  const tsr_tensor *y = tensor_at(c->rets, c->nrets, 0);
  const char *name = c->op->schema;
  size_t len = strcspn(name, ".(");
  if (y == NULL || (c->op->flags & (TSR_INPLACE | TSR_OUT)) != 0 || (len > 0 && name[len - 1] == '_')) return false;
  for (uint32_t i = 0; i < c->nargs; i++) {
    const tsr_tensor *x = tensor_at(c->args, c->nargs, i);
    if (x != NULL && x->storage == y->storage) return (c->moved >> (i & 63) & 1) == 0 || y != x;
  }
  return false;
}

static int64_t last_size(const tsr_tensor *t) { return t->ndim > 0 ? t->size[t->ndim - 1] : 1; }

/* Terms of a product summed for each result element, 0: no product. */
static double terms_of(const tsr_call *c, const char *name, const tsr_tensor *y) {
  const tsr_tensor *a = tensor_at(c->args, c->nargs, 0), *b = tensor_at(c->args, c->nargs, 1);
  if (y == NULL || a == NULL || b == NULL) return 0;
  bool adds = strstr(name, "addmm") != NULL || strstr(name, "addbmm") != NULL || strstr(name, "baddbmm") != NULL || strstr(name, "addmv") != NULL;
  if (strstr(name, "conv") != NULL && b->ndim >= 3) {
    bool transposed = strstr(name, "transpose") != NULL;
    double per = (double)b->numel / (double)TSR_MAX(1, b->size[0]);
    return transposed ? per * (double)a->numel / (double)TSR_MAX(1, y->numel) : per;
  }
  if (adds) return (double)last_size(b);
  if (strstr(name, "linear") != NULL || strstr(name, "mm") != NULL || strstr(name, "matmul") != NULL || strstr(name, "mv") != NULL ||
      strstr(name, "dot") != NULL)
    return (double)last_size(a);
  return 0;
}

/* Scores, and their product with the values: of tsr::attention the keys come transposed. */
static double attention_flops(const tsr_call *c, const tsr_tensor *y, bool transposed) {
  const tsr_tensor *q = tensor_at(c->args, c->nargs, 0), *k = tensor_at(c->args, c->nargs, 1);
  if (y == NULL || q == NULL || k == NULL || k->ndim < 2 || y->ndim < 1) return 0;
  double rows = (double)y->numel / (double)TSR_MAX(1, last_size(y));
  return 2.0 * rows * (double)k->size[k->ndim - (transposed ? 1 : 2)] * (double)(last_size(q) + last_size(y));
}

/* Whole layers of attention: their projections once a position, then the scores. */
static double layer_flops(const tsr_call *c) {
  const tsr_tensor *x = tensor_at(c->args, c->nargs, 0);
  if (x == NULL || x->ndim != 3) return 0;
  double weights = 0;
  for (uint32_t i = 1; i < c->nargs; i++) {
    const tsr_tensor *w = tensor_at(c->args, c->nargs, i);
    if (w != NULL && w->ndim == 2 && tsr_dtype_is_float(w->dtype)) weights += (double)w->numel;
  }
  return 2.0 * weights * (double)(x->size[0] * x->size[1]) + 4.0 * (double)x->numel * (double)x->size[1];
}

/* Every weight is used once a step and sequence. */
static double recurrent_flops(const tsr_call *c, const tsr_tensor *y) {
  double weights = 0;
  const tsr_tensor *x = tensor_at(c->args, c->nargs, 0);
  uint32_t end = strstr(c->op->schema, "_cell_steps(") != NULL ? 6 : c->nargs; /* then the sequence */
  for (uint32_t i = 1; i < end; i++) {
    tsr_val v = c->args[i];
    if (v.tag == TSR_V_TENSOR && v.t->ndim == 2 && i >= 2) weights += (double)v.t->numel;
    for (size_t k = 0; v.tag == TSR_V_LIST && k < v.l->len; k++)
      if (v.l->items[k].tag == TSR_V_TENSOR && v.l->items[k].t->ndim == 2) weights += (double)v.l->items[k].t->numel;
  }
  return x == NULL || y == NULL ? 0 : 2.0 * weights * (double)x->numel / (double)TSR_MAX(1, last_size(x));
}

/* tsr::mlp: both weights once a row. */
static double pair_flops(const tsr_call *c) {
  const tsr_tensor *x = tensor_at(c->args, c->nargs, 0), *a = tensor_at(c->args, c->nargs, 1), *b = tensor_at(c->args, c->nargs, 6);
  if (x == NULL || a == NULL || b == NULL) return 0;
  return 2.0 * ((double)a->numel + (double)b->numel) * (double)x->numel / (double)TSR_MAX(1, last_size(x));
}

static double weights_of(const tsr_call *c, uint32_t i) {
  const tsr_tensor *w = tensor_at(c->args, c->nargs, i);
  return w == NULL ? 0 : (double)w->numel;
}

/* tsr::conv_block: the first convolution for each position of its result (x's, or a fraction when its stride is not 1), the
 * others for each of y's, those of the gates once an image. */
static double block_flops(const tsr_call *c, const tsr_tensor *y) {
  const tsr_tensor *x = tensor_at(c->args, c->nargs, 0);
  const tsr_val *v = c->args;
  if (x == NULL || y == NULL || x->ndim != 4 || y->ndim != 4 || c->nargs < 27) return 0;
  double out = (double)y->numel / (double)TSR_MAX(1, y->size[1]), in = (double)x->numel / (double)TSR_MAX(1, x->size[1]);
  for (size_t k = 0; v[3].tag == TSR_V_LIST && k < v[3].l->len && v[1].tag == TSR_V_TENSOR; k++) in /= (double)TSR_MAX(1, v[3].l->items[k].i);
  return 2 * (weights_of(c, 1) * in + (weights_of(c, 8) + weights_of(c, 15)) * out + (weights_of(c, 21) + weights_of(c, 26)) * (double)x->size[0]);
}

void tsr_call_cost(const tsr_call *c, double *flops, double *bytes) {
  const tsr_tensor *y = tensor_at(c->rets, c->nrets, 0);
  char name[80];
  size_t len = TSR_MIN(strcspn(c->op->schema, ".("), sizeof name - 1);
  memcpy(name, c->op->schema, len);
  name[len] = 0;
  *flops = *bytes = 0;
  if (c->nrets == 0 || is_view(c)) return;
  for (uint32_t i = 0; i < c->nrets; i++) *bytes += bytes_of(c->rets[i]);
  if (*bytes == 0) return; /* sizes, element types: nothing is read */
  for (uint32_t i = 0; i < c->nargs; i++) *bytes += bytes_of(c->args[i]);
  bool block = strcmp(name, "tsr::conv_block") == 0, attention = strstr(name, "attention") != NULL;
  double terms = block || attention ? 0 : terms_of(c, name, y);
  if (terms > 0) *flops = 2 * terms * (double)y->numel;
  else if (block) *flops = block_flops(c, y);
  else if (strcmp(name, "tsr::mlp") == 0) *flops = pair_flops(c);
  else if (strstr(name, "_native_multi_head_attention") != NULL || strstr(name, "_encoder_layer_fwd") != NULL) *flops = layer_flops(c);
  else if (attention) *flops = attention_flops(c, y, strcmp(name, "tsr::attention") == 0);
  else if (strstr(name, "lstm") != NULL || strstr(name, "gru") != NULL || strstr(name, "rnn_") != NULL) *flops = recurrent_flops(c, y);
  else for (uint32_t i = 0; i < c->nrets; i++) *flops += elements_of(c->rets[i]);
}
