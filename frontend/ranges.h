/* Source ranges of *.debug_pkl: from a byte offset in serialized code to the user's own source. */
#ifndef TSR_FRONTEND_RANGES_H
#define TSR_FRONTEND_RANGES_H

#include "frontend/ast.h"

typedef struct tsr_ranges tsr_ranges;

typedef struct tsr_origin {
  const char *file; size_t file_len;   /* "" when unknown */
  int line;                            /* 1-based line of the range's start in file */
  const char *text; size_t text_len;   /* the source text the range lies in (lines) */
  size_t begin, end;                   /* within text */
} tsr_origin;

/* Both forms (plain, string table).  Damaged records are dropped, never fatal: a missing origin only
 * costs the second half of a traceback.  bytes must stay alive.  NULL only when out of memory.
 * Reading is put off until the first look-up; look-ups may come from several threads at once. */
tsr_ranges *tsr_ranges_parse(tsr_arena *arena, const void *bytes, size_t len);
bool tsr_ranges_find(const tsr_ranges *r, uint32_t offset, tsr_origin *out); /* greatest record <= offset; borrow */
void tsr_ranges_free(tsr_ranges *r); /* what look-ups have allocated (r itself is the arena's); NULL is allowed */

#endif
