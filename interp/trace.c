/* Tracebacks in PyTorch's two-part form: serialized code, then the user's own source where the archive
 * has debug records; one more line names the operands of the operator that refused and the module. */
#include "interp/vm.h"

#include <stdlib.h>

#define CONTEXT 3 /* newlines around the highlighted lines */

typedef struct entry { const tsr_loc *loc; } entry;
typedef struct entries { entry *items; size_t count, cap; bool oom; } entries;

static void push_entry(entries *es, const tsr_loc *loc) {
  if (es->count == es->cap) {
    size_t cap = es->cap == 0 ? 16 : es->cap * 2;
    entry *items = realloc(es->items, cap * sizeof *items);
    if (items == NULL) {
      es->oom = true;
      return;
    }
    es->items = items;
    es->cap = cap;
  }
  es->items[es->count++].loc = loc;
}

/* A location and the calls it was inlined through, outermost first. */
static void push_chain(entries *es, const tsr_loc *loc, int depth) {
  if (loc == NULL || depth > TSR_MAX_DEPTH) return;
  push_chain(es, loc->caller, depth + 1);
  push_entry(es, loc);
}

static size_t line_begin(const char *s, size_t at) {
  while (at > 0 && s[at - 1] != '\n') at--;
  return at;
}

static size_t line_end(const char *s, size_t len, size_t at) {
  while (at < len && s[at] != '\n') at++;
  return at;
}

static bool only_blank(const char *s, size_t from, size_t to) {
  for (size_t i = from; i < to; i++)
    if (s[i] != ' ' && s[i] != '\n') return false;
  return true;
}

/* One highlighted line [at, eol) and the tildes under it. */
static void put_highlight(tsr_buf *out, const char *s, size_t len, size_t begin, size_t end, size_t at, size_t eol) {
  size_t first = line_begin(s, at), last = TSR_MIN(eol, end), blank = 0;
  tsr_buf_put(out, s + at, eol - at);
  tsr_buf_putc(out, '\n');
  for (size_t i = first; i < last && (i < begin || s[i] == ' '); i++) blank++;
  if (last <= first + blank) return;
  for (size_t i = 0; i < blank; i++) tsr_buf_putc(out, ' ');
  for (size_t i = first + blank; i < last; i++) tsr_buf_putc(out, '~');
  bool more = eol != end && !only_blank(s, eol, TSR_MIN(end + 1, len));
  tsr_buf_puts(out, more && eol < end ? "\n" : " <--- HERE\n");
}

/* The lines of [begin, end) with what stands around them. */
static void put_source(tsr_buf *out, const char *s, size_t len, size_t begin, size_t end) {
  if (begin > len) return;
  end = TSR_MIN(end, len);
  size_t from = line_begin(s, begin), to = line_end(s, len, TSR_MAX(begin, end));
  for (size_t i = 0; from > 0; from--) {
    if (s[from - 1] == '\n') i++;
    if (i >= CONTEXT) break;
  }
  for (size_t i = 0; to < len; to++) {
    if (s[to] == '\n') i++;
    if (i >= CONTEXT) break;
  }
  tsr_buf_put(out, s + from, begin - from);
  size_t at = begin;
  while (at < end) {
    size_t eol = line_end(s, len, at);
    put_highlight(out, s, len, begin, end, at, eol);
    at = eol + 1;
  }
  if (at >= len || at >= to) return;
  tsr_buf_put(out, s + at, to - at);
  if (s[to - 1] != '\n') tsr_buf_putc(out, '\n');
}

static void put_place(tsr_buf *out, const char *file, size_t file_len, int line, const char *function) {
  tsr_buf_puts(out, "  File \"");
  tsr_buf_put(out, file, file_len);
  tsr_buf_printf(out, "\", line %d", line);
  const char *dot = function != NULL ? strrchr(function, '.') : NULL;
  if (dot != NULL) function = dot + 1;
  if (function != NULL && function[0] != 0) tsr_buf_printf(out, ", in %s", function);
  tsr_buf_putc(out, '\n');
}

static void put_serialized(tsr_buf *out, const tsr_loc *loc) {
  if (loc->src == NULL) return;
  int line, column;
  tsr_source_position(loc->src, loc->begin, &line, &column);
  put_place(out, loc->src->name, strlen(loc->src->name), line, loc->function);
  put_source(out, loc->src->text, loc->src->len, loc->begin, loc->end);
}

static bool find_origin(const tsr_loc *loc, tsr_origin *out) {
  return loc->src != NULL && loc->src->debug != NULL && tsr_ranges_find(loc->src->debug, loc->begin, out);
}

static void put_origin(tsr_buf *out, const tsr_loc *loc) {
  tsr_origin o;
  if (!find_origin(loc, &o)) { /* with records but none here, the code was made by the compiler: nothing to show */
    if (loc->src != NULL && loc->src->debug == NULL) put_serialized(out, loc);
    return;
  }
  if (o.begin == 0 && o.end >= o.text_len) { /* a whole text: a Python stack trace of the tracer */
    tsr_buf_put(out, o.text, o.text_len);
    return;
  }
  put_place(out, o.file, o.file_len, o.line, loc->function);
  put_source(out, o.text, o.text_len, o.begin, o.end);
}

static void put_entries(tsr_buf *out, const entries *es) {
  bool original = false;
  tsr_origin o;
  for (size_t i = 0; i < es->count && !original; i++) original = find_origin(es->items[i].loc, &o);
  tsr_buf_printf(out, "The following operation failed in the TorchScript interpreter.\nTraceback of TorchScript%s (most recent call last):\n",
                 original ? ", serialized code" : "");
  for (size_t i = 0; i < es->count; i++) put_serialized(out, es->items[i].loc);
  if (!original) return;
  tsr_buf_puts(out, "\nTraceback of TorchScript, original code (most recent call last):\n");
  for (size_t i = 0; i < es->count; i++) put_origin(out, es->items[i].loc);
}

/* ---- operands and module ---- */

static void put_value(tsr_buf *out, tsr_val v, int depth) {
  if (v.tag == TSR_V_TENSOR) {
    char sizes[256];
    tsr_sizes_print(sizes, sizeof sizes, v.t->ndim, v.t->size);
    tsr_buf_printf(out, "%s%s", tsr_dtype_name((tsr_dtype)v.t->dtype), sizes);
  } else if (v.tag == TSR_V_LIST && depth < 3) {
    tsr_buf_putc(out, '[');
    for (size_t i = 0; i < v.l->len && i < 8; i++) {
      if (i > 0) tsr_buf_puts(out, ", ");
      put_value(out, v.l->items[i], depth + 1);
    }
    tsr_buf_puts(out, v.l->len > 8 ? ", ...]" : "]");
  } else if (v.tag < TSR_V_COMPLEX || (v.tag == TSR_V_STR && v.s->len <= 40)) {
    tsr_val_print(v, out);
  } else {
    tsr_buf_puts(out, tsr_tag_name(v));
  }
}

/* "layer1.0.conv2": the receivers of the frames, then the inlined part. */
void tsr_trace_module(tsr_buf *out, const tsr_vm *vm) {
  size_t start = out->len;
  for (size_t i = 0; i < vm->nframes; i++) {
    const tsr_frame *f = &vm->frames[i];
    const tsr_loc *loc = tsr_bytecode_loc(f->code, f->pc);
    if (loc != NULL && loc->module_path != NULL && loc->module_path[0] != 0)
      tsr_buf_printf(out, "%s%s", out->len > start ? "." : "", loc->module_path);
    const tsr_insn *in = &f->code->insns[f->pc];
    if (in->op != TSR_BC_CALL || i + 1 == vm->nframes) continue;
    const char *name = f->code->sites[in->a].name;
    if (name != NULL) tsr_buf_printf(out, "%s%s", out->len > start ? "." : "", name);
  }
}

static void put_facts(tsr_buf *out, const tsr_vm *vm, const tsr_callsite *site, const tsr_val *args) {
  tsr_buf module = {0};
  tsr_trace_module(&module, vm);
  bool has_op = site != NULL && site->schema != NULL && args != NULL;
  if (has_op) {
    tsr_buf_printf(out, "operands of %s: ", site->schema->name);
    for (uint32_t i = 0; i < site->nargs; i++) {
      const char *name = i < site->schema->param_count ? site->schema->params[i].name : "";
      tsr_buf_printf(out, "%s%s=", i > 0 ? ", " : "", name);
      put_value(out, args[i], 0);
    }
  }
  if (module.len > 0) tsr_buf_printf(out, "%sin module %s", has_op ? "; " : "", module.data);
  if (has_op || module.len > 0) tsr_buf_putc(out, '\n');
  tsr_buf_dispose(&module);
}

void tsr_trace_attach(tsr_vm *vm, const tsr_callsite *site, const tsr_val *args) {
  tsr_errrec *e = &vm->ctx->err;
  if (e->traceback != NULL || e->message == NULL) return;
  entries es = {0};
  for (size_t i = 0; i < vm->nframes; i++) push_chain(&es, tsr_bytecode_loc(vm->frames[i].code, vm->frames[i].pc), 0);
  tsr_buf out = {0};
  put_entries(&out, &es);
  tsr_buf_printf(&out, "%s%s\n", e->class_name != NULL ? "" : "RuntimeError: ", e->message);
  put_facts(&out, vm, site, args);
  free(es.items);
  if (es.oom || out.oom) tsr_buf_dispose(&out);
  else tsr_errrec_set_traceback(e, tsr_buf_take(&out));
}
