/* Public listings: code of a model by stage, missing operators, implemented operators, the build. */
#include <stdlib.h>

#include "interp/api.h"
#include "interp/passes.h"
#include "ops/absent.h"
#include "ops/blas.h"
#include "ops/cpu.h"

static void flush(tsr_buf *b, tsr_write_fn write, void *user) {
  if (b->len > 0) write(user, b->data, b->len);
  tsr_buf_dispose(b);
}

/* ---- code ---- */

static tsr_status print_sources(tsr_model *m, bool ast, tsr_errrec *e, tsr_write_fn write, void *user) {
  tsr_program *p = m->program;
  for (size_t i = 0; i < tsr_program_source_count(p); i++) {
    const tsr_source *src = tsr_program_source(p, i);
    tsr_buf b = {0};
    tsr_buf_printf(&b, "# %s\n", src->name);
    if (ast) {
      const tsr_ast *tree = NULL;
      TSR_TRY(tsr_program_parse_source(p, e, i, &tree));
      tsr_ast_print(tree, &b);
    } else {
      tsr_buf_put(&b, src->text, src->len);
    }
    if (b.len > 0 && b.data[b.len - 1] != '\n') tsr_buf_putc(&b, '\n');
    flush(&b, write, user);
  }
  return TSR_OK;
}

static tsr_status print_method(tsr_model *m, tsr_method *method, bool ir, tsr_errrec *e, tsr_write_fn write, void *user) {
  tsr_buf b = {0};
  TSR_TRY(tsr_model_optimise_method(m, e, method));
  if (ir) {
    tsr_ir_print(method->entry, &b);
  } else {
    TSR_TRY(tsr_model_compile_method(m, e, method));
    tsr_bytecode_print(method->code, &b);
  }
  flush(&b, write, user);
  return TSR_OK;
}

/* Bytecode of what the methods call out of line. */
static void print_callees(tsr_model *m, tsr_write_fn write, void *user) {
  for (size_t i = 0; i < m->ncodes; i++) {
    bool is_method = false;
    for (size_t k = 0; k < m->method_count; k++) is_method |= m->methods[k].code == m->codes[i];
    if (is_method) continue;
    tsr_buf b = {0};
    tsr_bytecode_print(m->codes[i], &b);
    flush(&b, write, user);
  }
}

static tsr_status print_methods(tsr_model *m, bool ir, const char *name, tsr_errrec *e, tsr_write_fn write, void *user) {
  for (size_t i = 0; i < m->method_count; i++)
    if (name == NULL || strcmp(m->methods[i].name, name) == 0) TSR_TRY(print_method(m, &m->methods[i], ir, e, write, user));
  for (size_t i = 0; !ir && i < m->ncodes; i++) { /* grows while callees are compiled */
    const tsr_bytecode *c = m->codes[i];
    for (uint32_t k = 0; k < c->nsites; k++)
      if (c->sites[k].fn != NULL && tsr_model_compile_fn(m, e, c->sites[k].fn) == NULL) return e->status;
  }
  if (!ir) print_callees(m, write, user);
  return TSR_OK;
}

static tsr_status print_stage(tsr_model *m, const char *stage, const char *method, tsr_errrec *e, tsr_write_fn write, void *user) {
  if (stage[0] == 's' || stage[0] == 'a') return print_sources(m, stage[0] == 'a', e, write, user);
  if (method != NULL && tsr_model_find_method(m, method) == NULL) return tsr_fail(e, TSR_EUSAGE, "the model has no method '%s'", method);
  return print_methods(m, stage[0] == 'i', method, e, write, user);
}

static tsr_status check_options(tsr_errrec *e, const char *path, const tsr_code_options *o, tsr_write_fn write, bool *lower) {
  static const char *const stages[] = {"source", "ast", "ir", "bytecode"};
  size_t known = 0, index;
  if (path == NULL || o->stage == NULL || write == NULL) return tsr_fail(e, TSR_EUSAGE, "tsr_code: path, stage and write must not be NULL");
  while (known < TSR_COUNT(stages) && strcmp(o->stage, stages[known]) != 0) known++;
  if (known == TSR_COUNT(stages)) return tsr_fail(e, TSR_EUSAGE, "unknown stage '%s': source, ast, ir or bytecode", o->stage);
  *lower = known >= 2;
  if (o->pass == NULL) return TSR_OK;
  if (known != 2) return tsr_fail(e, TSR_EUSAGE, "passes show in the intermediate form only: stage 'ir'");
  if (o->opt_level < 0) return tsr_fail(e, TSR_EUSAGE, "no pass runs at level 0");
  uint64_t mask;
  return strcmp(o->pass, "all") == 0 || tsr_pass_is_known(o->pass, strlen(o->pass), &index) ? TSR_OK : tsr_pass_parse(o->pass, e, &mask);
}

tsr_status tsr_code_with(const char *path, const tsr_code_options *opt, tsr_write_fn write, void *user, tsr_error **err) {
  tsr_errrec e = {0};
  tsr_code_options o = {.struct_size = sizeof o};
  if (opt != NULL) memcpy(&o, opt, TSR_MIN(opt->struct_size, sizeof o));
  tsr_load_options load = {.struct_size = sizeof load, .opt_level = o.opt_level, .allow_missing_ops = true, .threads = 1, .disable_passes = o.disable_passes};
  tsr_archive *a = NULL;
  tsr_model *m = NULL;
  bool lower = false;
  if (check_options(&e, path, &o, write, &lower) == TSR_OK && tsr_archive_open(path, false, &e, &a) == TSR_OK &&
      tsr_model_load_archive(a, &load, lower ? TSR_MODEL_RUN : TSR_MODEL_SOURCES, &e, &m) == TSR_OK) {
    if (o.pass != NULL) tsr_print_passes(m, o.pass, o.method, &e, write, user);
    else print_stage(m, o.stage, o.method, &e, write, user);
  }
  tsr_model_free(m);
  return e.status == TSR_OK ? TSR_OK : tsr_errrec_publish(&e, err);
}

tsr_status tsr_code(const char *path, const char *stage, const char *method, int opt_level, tsr_write_fn write, void *user,
                    tsr_error **err) {
  tsr_code_options o = {.struct_size = sizeof o, .stage = stage, .method = method, .opt_level = opt_level};
  return tsr_code_with(path, &o, write, user, err);
}

const char *tsr_pass_name(size_t index, const char **what) {
  for (size_t i = 0; i < index; i++)
    if (tsr_pass_switches[i].name == NULL) return NULL;
  if (what != NULL) *what = tsr_pass_switches[index].what;
  return tsr_pass_switches[index].name;
}

/* ---- missing operators ---- */

tsr_status tsr_check(const char *path, tsr_write_fn write, void *user, size_t *missing, tsr_error **err) {
  tsr_load_options opt = {.struct_size = sizeof opt, .allow_missing_ops = true, .lazy = true, .threads = 1};
  tsr_model *m = NULL;
  TSR_TRY(tsr_model_load(path, &opt, &m, err));
  tsr_buf b = {0};
  tsr_program_print_missing(m->program, &b);
  if (missing != NULL) *missing = m->program->missing_count;
  if (write != NULL) flush(&b, write, user);
  tsr_buf_dispose(&b);
  tsr_model_free(m);
  return TSR_OK;
}

/* ---- implemented operators ---- */

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void print_absent(tsr_buf *b) {
  size_t n;
  const tsr_absent *rows = tsr_absent_rows(&n);
  tsr_buf_puts(b, "\n## Not available\n\nWhat else PyTorch 2.13 lists, apart from the names above, and why it is not here; `*` stands for anything and the first row that fits counts.\n\n| operators | reason |\n|---|---|\n");
  for (size_t i = 0; i < n; i++) {
    bool first = i == 0 || strcmp(rows[i].reason, rows[i - 1].reason) != 0, last = i + 1 == n || strcmp(rows[i].reason, rows[i + 1].reason) != 0;
    tsr_buf_printf(b, "%s`%s`", first ? "| " : ", ", rows[i].pattern);
    if (last) tsr_buf_printf(b, " | %s |\n", rows[i].reason);
  }
  tsr_buf_puts(b, "\n## Where results may differ\n\n"
                  "* Eigenvectors and singular vectors are unique up to a factor of absolute value 1; another LAPACK chooses another one.\n"
                  "* Which of several equal elements a sort that need not be stable, or `mode`, reports.\n"
                  "* `matrix_exp` and `grid_sample` in float16 and bfloat16: computed in float32 here and rounded once; PyTorch rounds every step and may overflow.\n"
                  "* Quantized layers round as FBGEMM does (linear) and as oneDNN does (convolutions up to 100 groups), what PyTorch takes by default on processors with\n"
                  "  AVX-512 VNNI; on others, or with another `torch.backends.quantized.engine`, a value halfway between two steps may be one step beside. Transposed\n"
                  "  quantized convolutions give the right sums also where oneDNN's reading of the weight is wrong (different numbers of input and output channels).\n"
                  "* Sums run in another order: rounding.\n");
}

tsr_status tsr_ops(bool markdown, tsr_write_fn write, void *user) {
  size_t count = 0, n = tsr_op_count();
  const char **rows = calloc(n + 1, sizeof *rows);
  if (rows == NULL) return TSR_ENOMEM;
  for (const tsr_op *const *f = tsr_op_families; *f != NULL; f++)
    for (const tsr_op *op = *f; op->schema != NULL && count < n; op++)
      if (!(op->flags & TSR_HIDDEN)) rows[count++] = op->schema;
  qsort(rows, count, sizeof *rows, by_text);
  tsr_buf b = {0};
  if (markdown) tsr_buf_printf(&b, "# Operators\n\nWritten by `tsrun ops --markdown`. %zu operators and overloads are implemented.\n\n| operator | schema |\n|---|---|\n", count);
  for (size_t i = 0; i < count; i++) {
    if (!markdown) {
      tsr_buf_printf(&b, "%s\n", rows[i]);
      continue;
    }
    size_t name = strcspn(rows[i], "(");
    tsr_buf_printf(&b, "| `%.*s` | `%s` |\n", (int)name, rows[i], rows[i]);
  }
  free(rows);
  if (markdown) print_absent(&b);
  bool oom = b.oom;
  flush(&b, write, user);
  return oom ? TSR_ENOMEM : TSR_OK;
}

/* ---- the build ---- */

tsr_status tsr_build_info(tsr_write_fn write, void *user) {
  tsr_buf b = {0};
  tsr_buf_printf(&b, "tsrun %s, %s kernels (processor has:", TSRUN_VERSION, tsr_isa_name(tsr_cpu_isa()));
  for (int isa = 0; isa < TSR_ISA_COUNT; isa++)
    if (tsr_cpu_has((tsr_isa)isa)) tsr_buf_printf(&b, " %s", tsr_isa_name((tsr_isa)isa));
  tsr_buf_printf(&b, "), BLAS %s, %d threads, %zu operators\n", tsr_blas_name(), tsr_threads_default(), tsr_op_count());
  bool oom = b.oom;
  flush(&b, write, user);
  return oom ? TSR_ENOMEM : TSR_OK;
}
