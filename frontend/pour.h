/* Bytes of tensors on their way into a file: in C order and this machine's byte order, a block at a time, straight from
 * where they lie.  A tensor that is mapped, of the other byte order or transposed is never in memory as a whole; only
 * one that the file holds compressed is. */
#ifndef TSR_FRONTEND_POUR_H
#define TSR_FRONTEND_POUR_H

#include "frontend/atomic.h"
#include "frontend/files.h"

typedef struct tsr_pour tsr_pour;

/* The elements of a strided tensor, raw or not; t is borrowed until close. */
tsr_status tsr_pour_tensor(const tsr_file_env *env, const tsr_tensor *t, tsr_pour **out);
/* All bytes of a storage, as elements of dtype. */
tsr_status tsr_pour_storage(const tsr_file_env *env, tsr_storage *s, tsr_dtype dtype, tsr_pour **out);
/* The next bytes, at most max of them: valid until the next call.  0: that was all. */
size_t tsr_pour_next(tsr_pour *p, size_t max, const void **data);
void tsr_pour_close(tsr_pour *p); /* NULL is allowed */
/* A whole tensor into an open file. */
tsr_status tsr_pour_into(const tsr_file_env *env, tsr_outfile *o, const tsr_tensor *t);

#endif
