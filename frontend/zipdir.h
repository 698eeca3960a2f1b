/* The central directory of a zip file, read from its bytes with every bound checked.  libzip hands out
 * no raw offsets, and mapping weights needs them; the archive compares this reading with libzip's. */
#ifndef TSR_FRONTEND_ZIPDIR_H
#define TSR_FRONTEND_ZIPDIR_H

#include "core/error.h"

#define TSR_ZIP_MAX_ENTRIES 65536
#define TSR_ZIP_MAX_NAME 4096
#define TSR_ZIP_STORED 0
#define TSR_ZIP_DEFLATED 8

typedef struct tsr_zipent {
  const char *name;            /* in the file's bytes, not NUL-terminated */
  uint32_t name_len;
  uint32_t crc;
  uint64_t csize, usize;       /* bytes in the file, bytes when inflated; csize + data_off <= file size */
  uint64_t header_off, data_off;
  uint16_t method;             /* TSR_ZIP_STORED or TSR_ZIP_DEFLATED */
} tsr_zipent;

/* Structure holds: no overlap, no entry outside the file, no duplicate, local headers agree with the
 * directory.  *ents: malloc, in directory order.  *no_end: no end record, so the file is cut short. */
tsr_status tsr_zipdir_parse(const uint8_t *bytes, size_t len, tsr_errrec *e, tsr_zipent **ents, size_t *count, bool *no_end);

#endif
