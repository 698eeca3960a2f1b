/* Output files that are whole or absent: a temporary beside the target, synced, then renamed over it.
 * Devices and pipes, and "-" for stdout, are written directly. */
#ifndef TSR_FRONTEND_ATOMIC_H
#define TSR_FRONTEND_ATOMIC_H

#include "core/error.h"

typedef struct tsr_outfile {
  int fd;
  char *path, *temp;   /* temp NULL: nothing to rename */
  bool to_stdout;      /* fd is a memory file, copied to stdout at commit */
  bool no_sync;        /* may be lost or cut short when the machine stops: its readers find out */
} tsr_outfile;

/* The fd is a regular file that starts empty, but for devices and pipes. */
tsr_status tsr_outfile_open(tsr_outfile *o, tsr_errrec *e, const char *path);
tsr_status tsr_outfile_write(tsr_outfile *o, tsr_errrec *e, const void *data, size_t len);
tsr_status tsr_outfile_commit(tsr_outfile *o, tsr_errrec *e); /* closes, also on failure */
void tsr_outfile_abort(tsr_outfile *o);                       /* closes and removes the temporary */

#endif
