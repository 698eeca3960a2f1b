/* Fuzz target: source text to typed IR.  The first byte is the format version; every function and method is
 * lowered, verified and printed.  A TSR_EINTERNAL is a defect of the compiler, whatever the text. */
#include <stdint.h>
#include <stdlib.h>

#include "frontend/ast.h"
#include "interp/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void lower(tsr_program *p, tsr_ir_fn *fn) {
  tsr_errrec e = {0};
  tsr_status s = fn == NULL ? TSR_EUSAGE : tsr_program_lower(p, &e, fn);
  if (s == TSR_OK) s = tsr_ir_verify(fn, &e);
  if (s == TSR_EINTERNAL) abort();
  if (s == TSR_OK) {
    tsr_buf out = {0};
    tsr_ir_print(fn, &out);
    tsr_buf_dispose(&out);
  }
  tsr_errrec_dispose(&e);
}

static void lower_function(tsr_program *p, const char *name) {
  tsr_errrec e = {0};
  tsr_ir_fn *fn = NULL;
  if (tsr_program_find_function(p, &e, name, &fn) == TSR_OK) lower(p, fn);
  tsr_errrec_dispose(&e);
}

static void lower_class(tsr_program *p, const char *name) {
  tsr_errrec e = {0};
  tsr_class *cls = NULL;
  if (tsr_program_find_class(p, &e, name, &cls) == TSR_OK && cls != NULL && !cls->is_custom) {
    for (size_t i = 0; i < tsr_program_method_count(p, cls); i++) {
      tsr_errrec one = {0};
      tsr_ir_fn *fn = NULL;
      if (tsr_program_find_method(p, &one, cls, tsr_program_method_name(p, cls, i), &fn) == TSR_OK) lower(p, fn);
      tsr_errrec_dispose(&one);
    }
  }
  tsr_errrec_dispose(&e);
}

static void lower_all(tsr_program *p) {
  tsr_errrec e = {0};
  const tsr_ast *file = NULL;
  if (tsr_program_parse_source(p, &e, 0, &file) == TSR_OK) {
    for (uint32_t i = 0; i < file->count; i++) {
      const tsr_ast *a = file->kids[i];
      tsr_buf name = {0};
      tsr_buf_printf(&name, "__torch__.%.*s", (int)a->len, a->text);
      if (!name.oom && a->kind == TSR_AST_DEF) lower_function(p, name.data);
      if (!name.oom && a->kind == TSR_AST_CLASS) lower_class(p, name.data);
      tsr_buf_dispose(&name);
    }
  }
  tsr_errrec_dispose(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  tsr_mem *mem = tsr_mem_new(64u << 20);
  char *text = malloc(size); /* its own block: a read past the end is seen */
  tsr_errrec e = {0};
  tsr_program *p = NULL;
  if (mem != NULL && text != NULL) {
    memcpy(text, data + 1, size - 1);
    if (tsr_program_from_source(text, size - 1, 1 + data[0] % 10, mem, &e, &p) == TSR_OK) lower_all(p);
    tsr_program_free(p);
  }
  tsr_errrec_dispose(&e);
  free(text);
  if (mem != NULL) tsr_mem_close(mem);
  return 0;
}
