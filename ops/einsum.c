/* Contractions written as equations: einsum, and tensordot and bilinear which are such. */
#include <ctype.h>

#include "ops/native.h"

enum { LETTERS = 52, MAX_LABELS = LETTERS + TSR_MAX_NDIM };

/* Labels 0–51 are letters, from 52 on the dimensions of "...", right-aligned. */
typedef struct term { tsr_tensor *t; int count; int label[TSR_MAX_NDIM]; } term;

typedef struct equation {
  int terms;
  term *term;
  int out_count;
  int out[TSR_MAX_NDIM];
  int ellipsis;                  /* most dimensions any "..." covers */
  bool keep_type;                /* of integers, where one operand is summed by itself */
} equation;

static int letter(char ch) { return ch >= 'A' && ch <= 'Z' ? ch - 'A' : ch - 'a' + 26; }
static char letter_name(int label) { return (char)(label < 26 ? 'A' + label : 'a' + label - 26); }

/* One operand's subscripts up to ',' , '-' or the end; marks where "..." stands with -1. */
static tsr_status parse_term(tsr_ctx *ctx, const char **p, int operand, int *labels, int *n) {
  *n = 0;
  bool dots = false;
  for (; **p != 0 && **p != ',' && **p != '-'; ++*p) {
    if (**p == ' ') continue;
    if (**p == '.') {
      if (dots || strncmp(*p, "...", 3) != 0) return tsr_op_fail(ctx, "einsum(): found '.' for operand %d that is not part of any ellipsis", operand);
      *p += 2;
      dots = true;
      labels[(*n)++] = -1;
    } else if (isalpha((unsigned char)**p)) {
      labels[(*n)++] = letter(**p);
    } else {
      return tsr_op_fail(ctx, "einsum(): invalid subscript given at index %d in the equation string, subscripts must be in [a-zA-Z]", operand);
    }
    if (*n > TSR_MAX_NDIM) return tsr_op_fail(ctx, "einsum(): too many subscripts for operand %d", operand);
  }
  return TSR_OK;
}

/* Replace "..." by labels; the operand's dimensions must be covered exactly. */
static tsr_status spread_ellipsis(tsr_ctx *ctx, term *t, int operand, const int *labels, int n, equation *eq) {
  int dots = -1, covered;
  for (int i = 0; i < n; i++) {
    if (labels[i] == -1) dots = i;
  }
  covered = t->t->ndim - (dots >= 0 ? n - 1 : n);
  if (dots < 0 ? covered != 0 : covered < 0) {
    return tsr_op_fail(ctx, "einsum(): the number of subscripts in the equation (%d)%s for operand %d, but no ellipsis was given", dots >= 0 ? n - 1 : n,
                       covered > 0 ? " does not match the number of dimensions" : " is more than the number of dimensions", operand);
  }
  t->count = 0;
  for (int i = 0; i < n; i++) {
    if (labels[i] != -1) t->label[t->count++] = labels[i];
    else for (int k = 0; k < covered; k++) t->label[t->count++] = LETTERS + TSR_MAX_NDIM - covered + k;
  }
  if (dots >= 0) eq->ellipsis = TSR_MAX(eq->ellipsis, covered);
  return TSR_OK;
}

static tsr_status parse_output(tsr_ctx *ctx, const char *p, equation *eq, const int *uses) {
  if (*p == 0) { /* implied: the ellipsis, then letters used once in alphabetical order */
    for (int k = 0; k < eq->ellipsis; k++) eq->out[eq->out_count++] = LETTERS + TSR_MAX_NDIM - eq->ellipsis + k;
    for (int l = 0; l < LETTERS; l++) {
      if (uses[l] == 1) eq->out[eq->out_count++] = l;
    }
    return TSR_OK;
  }
  bool seen[LETTERS] = {false};
  if (strncmp(p, "->", 2) != 0) return tsr_op_fail(ctx, "einsum(): found '-' in the equation that is not part of '->'");
  for (p += 2; *p != 0; p++) {
    if (*p == ' ') continue;
    if (*p == '.') {
      if (strncmp(p, "...", 3) != 0) return tsr_op_fail(ctx, "einsum(): found '.' for output but an ellipsis (...) was already found");
      p += 2;
      for (int k = 0; k < eq->ellipsis; k++) eq->out[eq->out_count++] = LETTERS + TSR_MAX_NDIM - eq->ellipsis + k;
      continue;
    }
    if (!isalpha((unsigned char)*p)) return tsr_op_fail(ctx, "einsum(): invalid subscript in the output, subscripts must be in [a-zA-Z]");
    int l = letter(*p);
    if (uses[l] == 0) return tsr_op_fail(ctx, "einsum(): output subscript %c does not appear in the equation for any input operand", *p);
    if (seen[l]) return tsr_op_fail(ctx, "einsum(): output subscript %c appears more than once in the output", *p);
    seen[l] = true;
    if (eq->out_count == TSR_MAX_NDIM) return tsr_op_fail(ctx, "einsum(): too many output dimensions");
    eq->out[eq->out_count++] = l;
  }
  return TSR_OK;
}

/* A label repeated in one operand: its diagonal. */
static tsr_status take_diagonals(tsr_ctx *ctx, term *t) {
  for (int i = 0; i < t->count; i++) {
    for (int k = i + 1; k < t->count; k++) {
      if (t->label[i] != t->label[k]) continue;
      tsr_tensor *x = t->t;
      if (x->size[i] != x->size[k]) {
        return tsr_op_fail(ctx, "einsum(): subscript %c is repeated for operand but the sizes don't match, %lld != %lld", letter_name(t->label[i]), (long long)x->size[k], (long long)x->size[i]);
      }
      int64_t size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM];
      int n = 0;
      for (int d = 0; d < x->ndim; d++) {
        if (d == k) continue;
        size[n] = x->size[d];
        stride[n++] = x->stride[d] + (d == i ? x->stride[k] : 0);
      }
      TSR_TRY(tsr_new_view(ctx, &t->t, x, x->offset, n, size, stride));
      memmove(t->label + k, t->label + k + 1, (size_t)(t->count - k - 1) * sizeof *t->label);
      t->count--;
      k--;
    }
  }
  return TSR_OK;
}

static int find_label(const term *t, int label) {
  for (int i = 0; i < t->count; i++) {
    if (t->label[i] == label) return i;
  }
  return -1;
}

/* A view of t with dimensions in the order of labels[n]; those it lacks have size 1. */
static tsr_status arrange(tsr_ctx *ctx, tsr_tensor **out, const term *t, const int *labels, int n) {
  int64_t size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM];
  for (int i = 0; i < n; i++) {
    int d = find_label(t, labels[i]);
    size[i] = d < 0 ? 1 : t->t->size[d];
    stride[i] = d < 0 ? 0 : t->t->stride[d];
  }
  return tsr_new_view(ctx, out, t->t, t->t->offset, n, size, stride);
}

static tsr_status sum_out(tsr_ctx *ctx, const equation *eq, term *t, int label) {
  int64_t d = find_label(t, label);
  TSR_TRY(tsr_reduce(ctx, &t->t, "sum", t->t, 1, &d, false, eq->keep_type ? t->t->dtype : -1)); /* integers become int64 */
  memmove(t->label + d, t->label + d + 1, (size_t)(t->count - d - 1) * sizeof *t->label);
  t->count--;
  return TSR_OK;
}

/* a = a (x) b where nothing is summed, in the order of the result as far as it goes: exact in every dtype, and laid out as PyTorch's. */
static tsr_status multiply(tsr_ctx *ctx, const equation *eq, term *a, term *b) {
  int order[2 * TSR_MAX_NDIM + MAX_LABELS], n = 0;
  bool seen[MAX_LABELS] = {false};
  for (int i = 0; i < eq->out_count + a->count + b->count; i++) {
    int k = i - eq->out_count, l = k < 0 ? eq->out[i] : k < a->count ? a->label[k] : b->label[k - a->count];
    if (seen[l] || (find_label(a, l) < 0 && find_label(b, l) < 0)) continue;
    seen[l] = true;
    order[n++] = l;
  }
  if (n > TSR_MAX_NDIM) return tsr_op_fail(ctx, "einsum(): too many dimensions");
  tsr_tensor *x, *y;
  TSR_TRY(arrange(ctx, &x, a, order, n));
  TSR_TRY(arrange(ctx, &y, b, order, n));
  TSR_TRY(tsr_binary(ctx, &a->t, "mul", x, y));
  memcpy(a->label, order, (size_t)n * sizeof *order);
  a->count = n;
  return TSR_OK;
}

/* a = a (x) b, summing labels that nothing later needs: batch, left and right dimensions around one product. */
static tsr_status contract(tsr_ctx *ctx, const equation *eq, term *a, term *b, const bool *needed) {
  int batch[TSR_MAX_NDIM], left[TSR_MAX_NDIM], right[TSR_MAX_NDIM], sum[TSR_MAX_NDIM], nb = 0, nl = 0, nr = 0, ns = 0;
  int64_t size_of[MAX_LABELS];
  for (int i = 0; i < a->count; i++) {
    int l = a->label[i], d = find_label(b, l);
    int64_t sa = a->t->size[i], sb = d < 0 ? 1 : b->t->size[d];
    size_of[l] = TSR_MAX(sa, sb);
    if (sa == 0 || sb == 0) size_of[l] = 0;
    bool shared = d >= 0 && sa != 1 && sb != 1;
    if (shared && !needed[l]) sum[ns++] = l;
    else if (shared) batch[nb++] = l;
    else if (d >= 0 && sb != 1) right[nr++] = l; /* only b has extent there */
    else left[nl++] = l;
  }
  for (int i = 0; i < b->count; i++) {
    int l = b->label[i];
    if (find_label(a, l) >= 0) continue;
    right[nr++] = l;
    size_of[l] = b->t->size[i];
  }
  if (ns == 0) return multiply(ctx, eq, a, b);
  int order_a[TSR_MAX_NDIM], order_b[TSR_MAX_NDIM], na = 0, nbd = 0;
  int64_t pb = 1, pl = 1, pr = 1, ps = 1;
  for (int i = 0; i < nb; i++) order_a[na++] = order_b[nbd++] = batch[i], pb *= size_of[batch[i]];
  for (int i = 0; i < nl; i++) order_a[na++] = left[i], pl *= size_of[left[i]];
  for (int i = 0; i < ns; i++) order_a[na++] = order_b[nbd++] = sum[i], ps *= size_of[sum[i]];
  for (int i = 0; i < nr; i++) order_b[nbd++] = right[i], pr *= size_of[right[i]];
  tsr_tensor *x, *y;
  TSR_TRY(arrange(ctx, &x, a, order_a, na));
  TSR_TRY(arrange(ctx, &y, b, order_b, nbd));
  int64_t xs[] = {pb, pl, ps}, ys[] = {pb, ps, pr};
  TSR_TRY(tsr_reshape(ctx, &x, x, 3, xs));
  TSR_TRY(tsr_reshape(ctx, &y, y, 3, ys));
  TSR_TRY(tsr_bmm(ctx, &x, x, y));
  int64_t size[TSR_MAX_NDIM];
  a->count = 0;
  const int *groups[] = {batch, left, right};
  int counts[] = {nb, nl, nr};
  for (int g = 0; g < 3; g++) {
    for (int i = 0; i < counts[g]; i++) {
      size[a->count] = size_of[groups[g][i]];
      a->label[a->count++] = groups[g][i];
    }
  }
  if (a->count > TSR_MAX_NDIM) return tsr_op_fail(ctx, "einsum(): too many dimensions");
  return tsr_reshape(ctx, &a->t, x, a->count, size);
}

static void mark_needed(const equation *eq, int from, bool *needed) {
  memset(needed, 0, MAX_LABELS * sizeof *needed);
  for (int i = 0; i < eq->out_count; i++) needed[eq->out[i]] = true;
  for (int k = from; k < eq->terms; k++) {
    for (int i = 0; i < eq->term[k].count; i++) needed[eq->term[k].label[i]] = true;
  }
}

static tsr_status evaluate(tsr_ctx *ctx, equation *eq, tsr_tensor **out) {
  bool needed[MAX_LABELS];
  term *acc = &eq->term[0];
  for (int k = 0; k < eq->terms; k++) {
    term *t = &eq->term[k];
    mark_needed(eq, k + 1, needed);
    for (int i = 0; k > 0 && i < acc->count; i++) needed[acc->label[i]] = true; /* its partner is already there */
    for (int i = t->count - 1; i >= 0; i--) {
      if (!needed[t->label[i]]) TSR_TRY(sum_out(ctx, eq, t, t->label[i]));
    }
    if (k == 0) continue;
    mark_needed(eq, k + 1, needed);
    TSR_TRY(contract(ctx, eq, acc, t, needed));
    for (int i = acc->count - 1; i >= 0; i--) {
      if (!needed[acc->label[i]]) TSR_TRY(sum_out(ctx, eq, acc, acc->label[i]));
    }
  }
  return arrange(ctx, out, acc, eq->out, eq->out_count);
}

/* What has one label has one size, or size 1. */
static tsr_status check_sizes(tsr_ctx *ctx, const equation *eq) {
  int64_t seen[MAX_LABELS];
  for (int l = 0; l < MAX_LABELS; l++) seen[l] = 1;
  for (int k = 0; k < eq->terms; k++) {
    for (int i = 0; i < eq->term[k].count; i++) {
      int64_t *have = &seen[eq->term[k].label[i]], size = eq->term[k].t->size[i];
      if (size == 1) continue;
      if (*have == 1 || *have == size) *have = size;
      else if (eq->term[k].label[i] < LETTERS) return tsr_op_fail(ctx, "einsum(): subscript %c has size %lld for operand %d which does not broadcast with previously seen size %lld", letter_name(eq->term[k].label[i]), (long long)size, k, (long long)*have);
      else return tsr_op_fail(ctx, "einsum(): dimension %d covered by ellipsis in operand %dhas size %lld which does not broadcast with previously seen ellipsis with size %lld for the respective dimension", i, k, (long long)size, (long long)*have);
    }
  }
  return TSR_OK;
}

static tsr_status run_equation(tsr_ctx *ctx, const char *p, tsr_tensor *const *ts, int64_t n, tsr_tensor **out) {
  int uses[MAX_LABELS] = {0};
  equation eq = {0};
  if (n == 0) return tsr_op_fail(ctx, "einsum(): must provide at least one operand");
  if (n > 1000) return tsr_op_fail(ctx, "einsum(): too many operands");
  eq.term = tsr_scratch(ctx, (size_t)n * sizeof *eq.term);
  if (eq.term == NULL) return ctx->err.status;
  for (eq.terms = 0; eq.terms < n; eq.terms++) {
    int labels[TSR_MAX_NDIM + 1], count;
    term *t = &eq.term[eq.terms];
    t->t = ts[eq.terms];
    if (eq.terms > 0 && *p++ != ',') return tsr_op_fail(ctx, "einsum(): more operands were provided than specified in the equation");
    TSR_TRY(parse_term(ctx, &p, eq.terms, labels, &count));
    TSR_TRY(spread_ellipsis(ctx, t, eq.terms, labels, count, &eq));
    for (int i = 0; i < t->count; i++) uses[t->label[i]]++;
  }
  if (*p == ',') return tsr_op_fail(ctx, "einsum(): fewer operands were provided than specified in the equation");
  TSR_TRY(parse_output(ctx, p, &eq, uses));
  for (int k = 0; k < eq.terms; k++) TSR_TRY(take_diagonals(ctx, &eq.term[k]));
  TSR_TRY(check_sizes(ctx, &eq));
  return evaluate(ctx, &eq, out);
}

TSR_KERNEL(einsum) {
  int64_t n;
  tsr_tensor **ts = tsr_arg_tensors(c, 1, &n), *out;
  if (ts == NULL) return c->ctx->err.status;
  TSR_TRY(run_equation(c->ctx, tsr_arg_str(c, 0)->bytes, ts, n, &out));
  return tsr_ret_tensor(c, 0, out);
}

/* Labels as numbers: 0..25 are the capitals. */
static tsr_status put_labels(tsr_ctx *ctx, tsr_buf *b, tsr_val v) {
  if (v.tag != TSR_V_LIST) return tsr_op_fail(ctx, "einsum(): expected a list of subscripts after each operand");
  for (size_t i = 0; i < v.l->len; i++) {
    int64_t label = v.l->items[i].tag == TSR_V_INT ? v.l->items[i].i : -1;
    if (label < 0 || label >= 52) return tsr_op_fail(ctx, "einsum(): expected subscripts to be in [0, 52), got %lld", (long long)label);
    tsr_buf_putc(b, (char)(label < 26 ? 'A' + label : 'a' + label - 26));
  }
  return TSR_OK;
}

static tsr_status run_sublists(tsr_call *c, tsr_buf *b, tsr_tensor **ts) {
  uint32_t n = c->nargs / 2;
  tsr_tensor *out;
  for (uint32_t i = 0; i < n; i++) {
    if (c->args[2 * i].tag != TSR_V_TENSOR) return tsr_op_fail(c->ctx, "einsum(): operand %u is not a Tensor", i);
    ts[i] = c->args[2 * i].t;
    if (i > 0) tsr_buf_putc(b, ',');
    TSR_TRY(put_labels(c->ctx, b, c->args[2 * i + 1]));
  }
  if (c->nargs % 2 != 0) {
    tsr_buf_puts(b, "->");
    TSR_TRY(put_labels(c->ctx, b, c->args[c->nargs - 1]));
  }
  tsr_buf_putc(b, 0);
  if (b->data == NULL || b->oom) return tsr_ctx_nomem(c->ctx);
  TSR_TRY(run_equation(c->ctx, b->data, ts, n, &out));
  return tsr_ret_tensor(c, 0, out);
}

/* einsum(a, [0, 1], b, [1, 2], [0, 2]) */
TSR_KERNEL(einsum_sublist) {
  tsr_buf b = {0};
  tsr_tensor **ts = tsr_scratch(c->ctx, (c->nargs + 1) * sizeof *ts);
  if (ts == NULL) return c->ctx->err.status;
  tsr_status s = run_sublists(c, &b, ts);
  tsr_buf_dispose(&b);
  return s;
}

TSR_KERNEL(tensordot) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *out;
  int64_t na, nb;
  const int64_t *da = tsr_arg_ints(c, 2, &na), *db = tsr_arg_ints(c, 3, &nb);
  term terms[2] = {{.t = a, .count = a->ndim}, {.t = b, .count = b->ndim}};
  equation eq = {.terms = 2, .term = terms, .keep_type = true};
  bool seen[2][TSR_MAX_NDIM] = {{false}};
  if (da == NULL || db == NULL) return ctx->err.status;
  if (na != nb) return tsr_op_fail(ctx, "both dimension lists should have same length");
  if (a->dtype != b->dtype) return tsr_op_fail(ctx, "both inputs should have same dtype");
  if (a->ndim + b->ndim > LETTERS) return tsr_op_fail(ctx, "tensordot: too many dimensions");
  for (int i = 0; i < a->ndim; i++) terms[0].label[i] = i;
  for (int i = 0; i < b->ndim; i++) terms[1].label[i] = a->ndim + i;
  for (int64_t k = 0; k < na; k++) {
    int64_t i, j;
    TSR_TRY(tsr_wrap_dim(ctx, da[k], a->ndim, &i));
    TSR_TRY(tsr_wrap_dim(ctx, db[k], b->ndim, &j));
    if (seen[0][i] || seen[1][j]) return tsr_op_fail(ctx, "dim %lld appears multiple times in the list of dims", (long long)(seen[0][i] ? i : j));
    seen[0][i] = seen[1][j] = true;
    int64_t si = a->ndim == 0 ? 1 : a->size[i], sj = b->ndim == 0 ? 1 : b->size[j];
    if (si != sj && si != 1 && sj != 1) {
      return tsr_op_fail(ctx, "contracted dimensions need to match, but first has size %lld in dim %lld and second has size %lld in dim %lld", (long long)si, (long long)da[k], (long long)sj, (long long)db[k]);
    }
    if (b->ndim > 0 && a->ndim > 0) terms[1].label[j] = (int)i;
  }
  for (int side = 0; side < 2; side++) {
    for (int i = 0; i < terms[side].count; i++) {
      if (find_label(&terms[!side], terms[side].label[i]) < 0) eq.out[eq.out_count++] = terms[side].label[i];
    }
  }
  TSR_TRY(evaluate(ctx, &eq, &out));
  tsr_dtype got;
  if (tsr_out_dtype(c, 0, &got) && got != out->dtype)
    return tsr_op_fail(ctx, "tensordot: Expected the output tensor to have dtype %s, but got an output tensor with dtype %s", tsr_dtype_get_info(out->dtype)->cpp_name, tsr_dtype_get_info(got)->cpp_name);
  return tsr_ret_tensor(c, 0, out);
}

/* The product of three operands, with dimensions of size 1 put in where expand says, summed over sumdim. */
TSR_KERNEL(trilinear) {
  tsr_ctx *ctx = c->ctx;
  term terms[3] = {{0}};
  equation eq = {.terms = 3, .term = terms};
  tsr_tensor *out;
  int64_t n, at, total = 0;
  bool summed[TSR_MAX_NDIM] = {false};
  for (uint32_t k = 0; k < 3; k++) {
    bool put_in[TSR_MAX_NDIM] = {false};
    term *t = &terms[k];
    const int64_t *expand = tsr_arg_ints(c, 3 + k, &n);
    if (expand == NULL) return ctx->err.status;
    t->t = tsr_arg_tensor(c, k);
    int64_t own = t->t->ndim + n;
    if (k == 0) total = own;
    if (own > TSR_MAX_NDIM) return tsr_op_fail(ctx, "_trilinear: too many dimensions");
    for (int64_t i = 0; i < n; i++) {
      TSR_TRY(tsr_wrap_dim(ctx, expand[i], total, &at));
      put_in[at] = true;
    }
    if (own < total) return tsr_op_fail(ctx, "Dimension out of range (expected to be in range of [%lld, %lld], but got %lld)", (long long)-own, (long long)own - 1, (long long)own);
    if (own > total) return tsr_op_fail(ctx, "number of dimensions must match");
    for (int d = 0; d < total; d++) {
      if (!put_in[d]) t->label[t->count++] = d;
    }
    if (t->count != t->t->ndim) return tsr_op_fail(ctx, "number of dimensions must match");
    if (t->t->dtype != terms[0].t->dtype) return tsr_op_fail(ctx, "expected scalar type %s but found %s", tsr_dtype_get_info(terms[0].t->dtype)->cpp_name, tsr_dtype_get_info(t->t->dtype)->cpp_name);
  }
  const int64_t *dims = tsr_arg_ints(c, 6, &n);
  if (dims == NULL) return ctx->err.status;
  for (int64_t i = 0; i < n; i++) {
    TSR_TRY(tsr_wrap_dim(ctx, dims[i], total, &at));
    summed[at] = true;
  }
  int unroll = (int)tsr_arg_int(c, 7);
  if (tsr_arg_int(c, 7) < 0 || tsr_arg_int(c, 7) >= total) return tsr_op_fail(ctx, "unroll_dim must be in [0,%lld]", (long long)total - 1);
  for (int d = 0; d < total; d++) {
    int64_t size = 1;
    bool there = false;
    for (int k = 0; k < 3; k++) {
      int p = find_label(&terms[k], d);
      if (p < 0) continue;
      if (d == unroll && there) TSR_TRY(tsr_narrow(ctx, &terms[k].t, terms[k].t, p, 0, size)); /* PyTorch walks as many slices as the first operand has */
      if (!there) size = terms[k].t->size[p];
      there = true;
      if (terms[k].t->size[p] != 1 && size != 1 && terms[k].t->size[p] != size) return tsr_op_fail(ctx, "non-broadcast dimensions must match");
      if (terms[k].t->size[p] != 1) size = terms[k].t->size[p];
    }
    if (!there) return tsr_op_fail(ctx, "_trilinear: dimension %d belongs to no operand", d);
    if (!summed[d]) eq.out[eq.out_count++] = d;
  }
  if (terms[0].t->dtype == TSR_BOOL) return tsr_op_fail(ctx, "\"bmm\" not implemented for 'Bool'");
  TSR_TRY(evaluate(ctx, &eq, &out));
  TSR_TRY(tsr_contiguous(ctx, &out, out));
  return tsr_ret_tensor(c, 0, out);
}

#define TRILINEAR "Tensor i1, Tensor i2, Tensor i3, int[] expand1, int[] expand2, int[] expand3, int[] sumdim, int unroll_dim=1"
const tsr_op tsr_ops_einsum[] = {
    {"aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor", op_einsum, TSR_PURE | TSR_NOOPT},
    {"aten::einsum.sublist(Tensor a, ...) -> Tensor", op_einsum_sublist, TSR_PURE | TSR_NOOPT},
    {"aten::tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor", op_tensordot, TSR_PURE},
    {"aten::tensordot.out(Tensor self, Tensor other, int[] dims_self, int[] dims_other, *, Tensor(a!) out) -> Tensor(a!)", op_tensordot, TSR_OUT_PLAIN},
    {"aten::_trilinear(" TRILINEAR ") -> Tensor", op_trilinear, TSR_PURE},
    {"aten::_trilinear.out(" TRILINEAR ", *, Tensor(a!) out) -> Tensor(a!)", op_trilinear, TSR_OUT_NEW},
    {0}};
