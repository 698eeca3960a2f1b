/* Files of values: npy, npz, safetensors, torch.save zips, JSON.  Readers refuse what does not fit the
 * file; writers write a temporary file beside the target, sync it and rename it. */
#ifndef TSR_FRONTEND_FILES_H
#define TSR_FRONTEND_FILES_H

#include "core/tensor.h"

typedef struct tsr_file_env {
  tsr_mem *mem;
  tsr_types *types;
  tsr_errrec *e;
  bool raw; /* tensors stay as they lie in the file (frontend/raw.h) */
} tsr_file_env;

/* format: "npy", "npz", "pt", "safetensors", "json" or NULL (first bytes, then extension). npz and
 * safetensors give an ordered dict str -> Tensor.  path "-": stdin / stdout. */
tsr_status tsr_file_load(const tsr_file_env *env, const char *path, const char *format, tsr_val *out);
tsr_status tsr_file_save(const tsr_file_env *env, const char *path, const char *format, tsr_val v);
tsr_status tsr_json_parse(const tsr_file_env *env, const char *text, size_t len, tsr_val *out);
tsr_status tsr_json_write(const tsr_file_env *env, tsr_val v, tsr_buf *out); /* tensors as nested lists */

#endif
