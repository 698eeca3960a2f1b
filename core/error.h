/* The error record: status, one-line message, optional traceback.  The first message wins.
 * tsr_fail is its only writer of messages. */
#ifndef TSR_CORE_ERROR_H
#define TSR_CORE_ERROR_H

#include "core/base.h"

typedef struct tsr_errrec {
  tsr_status status;    /* TSR_OK while empty */
  char *message;        /* malloc; NULL when empty or when even the message could not be allocated */
  char *traceback;      /* malloc or NULL */
  char *class_name;     /* malloc or NULL: qualified exception class of a raise, "builtins.ValueError" */
} tsr_errrec;

/* Record the failure if none is recorded yet; returns status.  Message style: lower case where it is
 * ours, PyTorch's own text where PyTorch has one; names the values; no final newline. */
tsr_status tsr_fail(tsr_errrec *e, tsr_status status, const char *fmt, ...) TSR_PRINTF(3, 4);
tsr_status tsr_vfail(tsr_errrec *e, tsr_status status, const char *fmt, va_list ap);
tsr_status tsr_fail_nomem(tsr_errrec *e);
void tsr_errrec_set_traceback(tsr_errrec *e, char *text /* taken */);
void tsr_errrec_set_class(tsr_errrec *e, const char *qualified_name);
void tsr_errrec_dispose(tsr_errrec *e); /* frees and empties */
tsr_status tsr_errrec_copy(tsr_errrec *to, const tsr_errrec *from); /* what happened before happens again, if nothing else has; the status */
/* Move e into a public tsr_error at *out (if out is not NULL), empty e, return its status. */
tsr_status tsr_errrec_publish(tsr_errrec *e, tsr_error **out);

#endif
