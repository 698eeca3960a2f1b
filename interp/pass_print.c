/* The optimiser at work: the code that a pass leaves, and what each pass changes. */
#include <stdlib.h>

#include "interp/passes.h"

typedef struct printer {
  const char *pass;  /* NULL: all */
  tsr_buf before;    /* all: the code as the last pass left it */
  tsr_buf after;     /* one pass: the code as it left it last */
  const tsr_ir_fn *fn;
  tsr_buf out;
} printer;

/* ---- lines ---- */

typedef struct line { const char *text; size_t len; size_t at; } line;
typedef struct lines { line *v; size_t n; } lines;

static bool split(const tsr_buf *b, lines *out) {
  size_t n = 0;
  for (size_t i = 0; i < b->len; i++) n += b->data[i] == '\n';
  *out = (lines){calloc(n + 1, sizeof *out->v), 0};
  if (out->v == NULL) return false;
  for (size_t i = 0; i < b->len;) {
    size_t end = i;
    while (end < b->len && b->data[end] != '\n') end++;
    out->v[out->n] = (line){b->data + i, end - i, out->n};
    out->n += end < b->len || end > i;
    i = end + 1;
  }
  return true;
}

static int by_text(const void *a, const void *b) {
  const line *x = a, *y = b;
  int c = memcmp(x->text, y->text, TSR_MIN(x->len, y->len));
  if (c != 0) return c;
  return x->len != y->len ? (x->len < y->len ? -1 : 1) : (x->at > y->at) - (x->at < y->at);
}

static int same_text(const line *x, const line *y) {
  int c = memcmp(x->text, y->text, TSR_MIN(x->len, y->len));
  return c != 0 ? c : (x->len > y->len) - (x->len < y->len);
}

/* Lines of a that b does not have and the reverse: both sorted and merged, equal lines pair up. */
static bool mark(const lines *a, const lines *b, bool *only_a, bool *only_b) {
  line *x = malloc((a->n + 1) * sizeof *x), *y = malloc((b->n + 1) * sizeof *y);
  bool ok = x != NULL && y != NULL;
  if (ok) {
    memcpy(x, a->v, a->n * sizeof *x);
    memcpy(y, b->v, b->n * sizeof *y);
    qsort(x, a->n, sizeof *x, by_text);
    qsort(y, b->n, sizeof *y, by_text);
  }
  for (size_t i = 0, k = 0; ok && (i < a->n || k < b->n);) {
    int c = i == a->n ? 1 : k == b->n ? -1 : same_text(&x[i], &y[k]);
    only_a[i < a->n ? x[i].at : a->n] |= c < 0;
    only_b[k < b->n ? y[k].at : b->n] |= c > 0;
    i += c <= 0;
    k += c >= 0;
  }
  free(x);
  free(y);
  return ok;
}

static void put_line(tsr_buf *out, char sign, const line *l) {
  tsr_buf_printf(out, "%c ", sign);
  tsr_buf_put(out, l->text, l->len);
  tsr_buf_putc(out, '\n');
}

/* Removed and new lines in the order of the code; those that only moved are left out. */
static bool put_changes(tsr_buf *out, const tsr_buf *before, const tsr_buf *after) {
  lines a = {0}, b = {0};
  bool ok = split(before, &a) && split(after, &b);
  bool *only_a = calloc(a.n + 1, 1), *only_b = calloc(b.n + 1, 1);
  ok = ok && only_a != NULL && only_b != NULL && mark(&a, &b, only_a, only_b);
  for (size_t i = 0, k = 0; ok && (i < a.n || k < b.n);) {
    if (i < a.n && only_a[i]) put_line(out, '-', &a.v[i++]);
    else if (k < b.n && only_b[k]) put_line(out, '+', &b.v[k++]);
    else i += i < a.n, k += k < b.n;
  }
  free(only_a);
  free(only_b);
  free(a.v);
  free(b.v);
  return ok;
}

/* ---- watching ---- */

static void after_pass(void *user, const char *pass, const tsr_ir_fn *fn, bool changed) {
  printer *p = user;
  tsr_buf now = {0};
  if (p->fn != NULL && fn->name != p->fn->name && strcmp(fn->name, p->fn->name) != 0) return;
  if (p->pass != NULL && strcmp(pass, p->pass) != 0) return;
  if (!changed && (p->pass == NULL || p->after.len > 0)) return;
  tsr_ir_print(fn, &now);
  if (p->pass != NULL) {
    tsr_buf_dispose(&p->after);
    p->after = now;
    return;
  }
  if (p->before.len == 0) {
    tsr_buf_printf(&p->out, "== %s\n", pass);
    tsr_buf_put(&p->out, now.data, now.len);
  } else {
    tsr_buf_printf(&p->out, "== after %s\n", pass);
    if (!put_changes(&p->out, &p->before, &now)) p->out.oom = true;
  }
  tsr_buf_dispose(&p->before);
  p->before = now;
}

/* All methods are prepared before the first is finished; only this one is told about. */
static tsr_status print_one(tsr_model *m, tsr_method *method, const char *pass, tsr_errrec *e, printer *p) {
  struct tsr_pass_watch watch = {after_pass, p};
  p->pass = strcmp(pass, "all") == 0 ? NULL : pass;
  p->fn = method->fn;
  m->watch = &watch;
  tsr_status s = tsr_model_optimise_method(m, e, method);
  m->watch = NULL;
  if (s == TSR_OK && p->pass != NULL && p->after.len == 0) tsr_buf_printf(&p->out, "# %s: pass %s does not run\n", method->name, pass);
  tsr_buf_put(&p->out, p->after.data != NULL ? p->after.data : "", p->after.len);
  return s;
}

tsr_status tsr_print_passes(tsr_model *m, const char *pass, const char *name, tsr_errrec *e, tsr_write_fn write, void *user) {
  tsr_method *method = tsr_model_find_method(m, name != NULL ? name : "forward");
  printer p = {0};
  if (method == NULL && name == NULL && m->method_count > 0) method = &m->methods[0];
  if (method == NULL) return tsr_fail(e, TSR_EUSAGE, "the model has no method '%s'", name != NULL ? name : "forward");
  tsr_status s = print_one(m, method, pass, e, &p);
  if (s == TSR_OK && (p.out.oom || p.before.oom || p.after.oom)) s = tsr_fail_nomem(e);
  if (s == TSR_OK && p.out.len > 0) write(user, p.out.data, p.out.len);
  tsr_buf_dispose(&p.before);
  tsr_buf_dispose(&p.after);
  tsr_buf_dispose(&p.out);
  return s;
}
