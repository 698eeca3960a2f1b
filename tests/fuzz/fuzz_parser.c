/* Fuzz target: source text to syntax tree, its dump, and the look-up of ranges in the same bytes.
 * The first byte chooses the entry point. */
#include <stdint.h>
#include <stdlib.h>

#include "frontend/ast.h"
#include "frontend/ranges.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const uint8_t *data, size_t size, bool expr) {
  tsr_arena *arena = tsr_arena_new();
  tsr_errrec e = {0};
  tsr_source src = {"code/fuzz.py", (const char *)data, size, NULL};
  tsr_ast *tree = NULL;
  if (arena == NULL) return;
  if ((expr ? tsr_parse_expr : tsr_parse_file)(arena, &e, &src, &tree) == TSR_OK) {
    tsr_buf out = {0};
    tsr_ast_print(tree, &out);
    tsr_buf_dispose(&out);
  }
  tsr_errrec_dispose(&e);
  tsr_arena_free(arena);
}

static void find(const uint8_t *data, size_t size) {
  tsr_arena *arena = tsr_arena_new();
  tsr_origin origin;
  if (arena == NULL) return;
  tsr_ranges *r = tsr_ranges_parse(arena, data, size);
  for (uint32_t at = 0; at < 4096; at += 97) tsr_ranges_find(r, at, &origin);
  tsr_ranges_free(r);
  tsr_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  uint8_t *copy = malloc(size); /* its own block: a read past the end is seen */
  if (copy == NULL) return 0;
  memcpy(copy, data + 1, size - 1);
  if (data[0] % 3 == 2)
    find(copy, size - 1);
  else
    parse(copy, size - 1, data[0] % 3 == 1);
  free(copy);
  return 0;
}
