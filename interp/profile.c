/* What a session's profiler is told of each operator. */
#include "core/mem.h"
#include "interp/program.h"
#include "interp/vm.h"
#include "ops/machine.h"

/* The user's own source where the archive knows it, else the archive's code; file: into `buffer`. */
static int find_line(const tsr_vm *vm, tsr_buf *file) {
  const tsr_frame *f = &vm->frames[vm->nframes - 1];
  const tsr_loc *loc = tsr_bytecode_loc(f->code, f->pc);
  tsr_origin o;
  int line = 0, column;
  if (loc == NULL || loc->src == NULL) return 0;
  if (loc->src->debug != NULL && tsr_ranges_find(loc->src->debug, loc->begin, &o) && o.file_len > 0) {
    tsr_buf_put(file, o.file, o.file_len);
    return o.line;
  }
  tsr_buf_puts(file, loc->src->name);
  tsr_source_position(loc->src, loc->begin, &line, &column);
  return line;
}

void tsr_vm_profile(tsr_vm *vm, const tsr_call *c, double start) {
  double now = tsr_clock_now();
  tsr_buf name = {0}, module = {0}, file = {0};
  tsr_profile_event e = {.struct_size = sizeof e, .start = start, .seconds = now - start, .memory = tsr_mem_used(vm->ctx->mem)};
  tsr_buf_put(&name, c->op->schema, strcspn(c->op->schema, "("));
  tsr_trace_module(&module, vm);
  e.line = find_line(vm, &file);
  tsr_call_cost(c, &e.flops, &e.bytes);
  e.op = name.data != NULL ? name.data : "";
  e.module = module.data != NULL ? module.data : "";
  e.file = file.data != NULL ? file.data : "";
  if (!name.oom && !module.oom && !file.oom) vm->profile(vm->profile_user, &e);
  tsr_buf_dispose(&name);
  tsr_buf_dispose(&module);
  tsr_buf_dispose(&file);
}
