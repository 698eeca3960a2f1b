/* What a file holds, for people and for programs: trees of checkpoints, arrays of npz and safetensors,
 * entries of other zips.  Nothing is executed.  TorchScript archives are described by interp. */
#ifndef TSR_FRONTEND_DESCRIBE_H
#define TSR_FRONTEND_DESCRIBE_H

#include "core/tensor.h"
#include "frontend/archive.h"

tsr_status tsr_describe(tsr_archive *a, bool json, tsr_errrec *e, tsr_buf *out);
/* The same with the caller's memory and types, to a function. */
tsr_status tsr_describe_file(tsr_archive *a, tsr_mem *mem, tsr_types *types, tsr_errrec *e, bool json, tsr_write_fn write, void *user);

#endif
