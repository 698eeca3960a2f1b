/* A cache file: blocks of bytes by name, mapped and never written to.
 *
 * The file is for one id; every offset and size in it is checked when it is opened, the bytes of a block when it is first
 * asked for.  Folders and files that other users may write are not used.  Writing makes a new file and renames it. */
#ifndef TSR_FRONTEND_CACHE_H
#define TSR_FRONTEND_CACHE_H

#include "core/digest.h"
#include "core/error.h"

typedef struct tsr_cache tsr_cache;
typedef struct tsr_cache_block { tsr_digest name; const void *data; size_t size; } tsr_cache_block;

/* file: which file of the folder; id: what it must have been made for.  NULL with nothing in *e: there is no such file, or
 * one of another id that may be written over.  NULL with an error: its message says why it, or the folder, is not used. */
tsr_cache *tsr_cache_open(const char *dir, tsr_digest file, tsr_digest id, tsr_errrec *e);
void tsr_cache_close(tsr_cache *c); /* NULL is allowed; blocks die with it */
/* The block's bytes, 64-byte aligned; NULL: not there, or not as they were written.  Any thread. */
const void *tsr_cache_find(tsr_cache *c, tsr_digest name, size_t size);
bool tsr_cache_is_damaged(const tsr_cache *c); /* a block was not as it was written */
/* Have its pages in memory ahead of their use, until *stop (atomic) is set; beside other threads. */
void tsr_cache_enter(const tsr_cache *c, const int *stop);
/* Makes the folder, too, if only the last part of its path is missing.  Files of the folder that were used longest ago
 * are removed when all of them would be larger than limit bytes. */
tsr_status tsr_cache_write(const char *dir, tsr_digest file, tsr_digest id, const tsr_cache_block *blocks, size_t count, uint64_t limit, tsr_errrec *e);

#endif
