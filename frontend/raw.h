/* Bytes as they lie in a file.  Who only lists tensors, or copies them from file to file, asks for raw ones:
 * nothing is read before it is needed.  A raw storage may be misaligned, of the other byte order, hold bools
 * that are not 0 or 1, or be compressed (data is NULL then): tsr_tensor_cook makes it fit for use. */
#ifndef TSR_FRONTEND_RAW_H
#define TSR_FRONTEND_RAW_H

#include "core/tensor.h"
#include "frontend/archive.h"

enum { TSR_RAW_SWAP = 1, TSR_RAW_MISALIGNED = 2, TSR_RAW_BOOL = 4, TSR_RAW_DEFLATED = 8 };

/* Over bytes of the archive, kept alive by it; fit for use as they are. */
tsr_storage *tsr_storage_mapped(tsr_mem *mem, tsr_archive *a, const void *data, size_t nbytes);
/* The same for a storage that was made before its bytes were known. */
void tsr_storage_map(tsr_storage *s, tsr_archive *a, const void *data);
/* Over bytes of the archive, as they lie there. */
tsr_storage *tsr_storage_raw(tsr_mem *mem, tsr_archive *a, const void *data, size_t nbytes, uint8_t raw);
/* Over the bytes of a compressed entry, from skip on. */
tsr_storage *tsr_storage_deflated(tsr_mem *mem, tsr_archive *a, size_t entry, size_t skip, uint8_t raw);
/* The storage itself when it is fit for elements of dtype, else one with the same bytes made fit.  *out: own. */
tsr_status tsr_storage_cook(tsr_mem *mem, tsr_errrec *e, tsr_storage *s, tsr_dtype dtype, tsr_storage **out);
/* The same for a tensor, with its scales or indices. */
tsr_status tsr_tensor_cook(tsr_mem *mem, tsr_errrec *e, tsr_tensor *t, tsr_tensor **out);
/* Bytes that were used and will not be again soon: their pages may go. */
void tsr_storage_forget(const tsr_storage *s);
void tsr_storage_forget_part(const tsr_storage *s, size_t from, size_t len);

#endif
