/* What kind of file the bytes are: magic numbers, and for zips the names of the entries. */
#ifndef TSR_FRONTEND_DETECT_H
#define TSR_FRONTEND_DETECT_H

#include "frontend/archive.h"
#include "frontend/zipdir.h"

/* TSR_FILE_ZIP for every zip, also a truncated one. */
tsr_file_kind tsr_detect_bytes(const void *bytes, size_t len);

typedef struct tsr_zip_kind {
  tsr_file_kind kind;
  const char *root; /* in the directory's bytes, without the slash */
  size_t root_len;  /* 0: names have no root folder */
  bool has_code;
} tsr_zip_kind;

void tsr_detect_zip(const tsr_zipent *ents, size_t count, tsr_zip_kind *out);
/* A tensor's record, "data/0": read by address, its size bounded by the memory cap instead. */
bool tsr_detect_is_storage(const char *name, size_t len);

#endif
