/* Directories as Hugging Face and others keep models: which files there are, and what config.json says. */
#ifndef TSR_FRONTEND_FOLDER_H
#define TSR_FRONTEND_FOLDER_H

#include "core/error.h"
#include "core/mem.h"

/* Appends to out: text lines, or JSON members beginning with a comma. */
tsr_status tsr_folder_print(const char *path, bool json, tsr_errrec *e, tsr_buf *out);

#endif
