/* The error record and the public tsr_error. */
#include "core/error.h"

#include <stdio.h>
#include <stdlib.h>

struct tsr_error {
  tsr_errrec rec;
};

/* Handed out when there is not even memory for an error. */
static tsr_error error_nomem = {.rec = {.status = TSR_ENOMEM}};

tsr_status tsr_vfail(tsr_errrec *e, tsr_status status, const char *fmt, va_list ap) {
  if (e->status != TSR_OK) return e->status;
  e->status = status;
  if (vasprintf(&e->message, fmt, ap) < 0) e->message = NULL;
  return status;
}

tsr_status tsr_fail(tsr_errrec *e, tsr_status status, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  status = tsr_vfail(e, status, fmt, ap);
  va_end(ap);
  return status;
}

tsr_status tsr_fail_nomem(tsr_errrec *e) {
  if (e->status != TSR_OK) return e->status;
  e->status = TSR_ENOMEM; /* the message is implied: nothing is allocated here */
  return TSR_ENOMEM;
}

void tsr_errrec_set_traceback(tsr_errrec *e, char *text) {
  free(e->traceback);
  e->traceback = text;
}

void tsr_errrec_set_class(tsr_errrec *e, const char *qualified_name) {
  free(e->class_name);
  e->class_name = strdup(qualified_name);
}

void tsr_errrec_dispose(tsr_errrec *e) {
  free(e->message);
  free(e->traceback);
  free(e->class_name);
  memset(e, 0, sizeof *e);
}

tsr_status tsr_errrec_copy(tsr_errrec *to, const tsr_errrec *from) {
  if (to->status != TSR_OK) return to->status;
  tsr_fail(to, from->status, "%s", from->message != NULL ? from->message : tsr_status_name(from->status));
  if (from->class_name != NULL) tsr_errrec_set_class(to, from->class_name);
  if (from->traceback != NULL) tsr_errrec_set_traceback(to, strdup(from->traceback));
  return from->status;
}

tsr_status tsr_errrec_publish(tsr_errrec *e, tsr_error **out) {
  tsr_status status = e->status;
  if (out != NULL && status != TSR_OK) {
    tsr_error *copy = malloc(sizeof *copy);
    if (copy != NULL) {
      copy->rec = *e;
      memset(e, 0, sizeof *e);
      *out = copy;
    } else {
      *out = &error_nomem;
    }
  }
  tsr_errrec_dispose(e);
  return status;
}

const char *tsr_version(void) { return TSRUN_VERSION; }

const char *tsr_status_name(tsr_status status) {
  static const char *const names[] = {"ok", "raised", "usage", "unsupported", "bad file", "limit reached",
                                      "input/output error", "out of memory", "cancelled", "internal error"};
  return (unsigned)status < TSR_COUNT(names) ? names[status] : "unknown status";
}

tsr_status tsr_error_status(const tsr_error *err) { return err == NULL ? TSR_OK : err->rec.status; }

const char *tsr_error_message(const tsr_error *err) {
  if (err == NULL) return "";
  return err->rec.message != NULL ? err->rec.message : tsr_status_name(err->rec.status);
}

const char *tsr_error_traceback(const tsr_error *err) {
  return err != NULL && err->rec.traceback != NULL ? err->rec.traceback : "";
}

void tsr_error_free(tsr_error *err) {
  if (err == NULL || err == &error_nomem) return;
  tsr_errrec_dispose(&err->rec);
  free(err);
}
