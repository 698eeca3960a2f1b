/* JSON as events, for readers that want no values (safetensors headers, model descriptions), and the
 * pieces writers share.  tsr_json_parse and tsr_json_write (files.h) are built on it. */
#ifndef TSR_FRONTEND_JSON_H
#define TSR_FRONTEND_JSON_H

#include "core/error.h"
#include "core/mem.h"

#define TSR_JSON_MAX_DEPTH 64

typedef enum tsr_json_kind {
  TSR_JSON_NULL, TSR_JSON_BOOL, TSR_JSON_INT, TSR_JSON_FLOAT, TSR_JSON_STR, TSR_JSON_KEY,
  TSR_JSON_OPEN_LIST, TSR_JSON_CLOSE_LIST, TSR_JSON_OPEN_DICT, TSR_JSON_CLOSE_DICT, TSR_JSON_END
} tsr_json_kind;

typedef struct tsr_json {
  const char *text; size_t len, at;
  const char *what;      /* "header", for messages */
  tsr_errrec *e;
  /* the event just read */
  tsr_json_kind kind;
  bool b; int64_t i; double d;
  const char *str; size_t str_len;  /* STR, KEY: unescaped; valid until the next event */
  size_t token;          /* where it began */
  /* inside */
  tsr_buf scratch;
  int depth;
  char open[TSR_JSON_MAX_DEPTH];    /* '[' or '{' */
  int expect;
} tsr_json;

void tsr_json_init(tsr_json *j, tsr_errrec *e, const char *text, size_t len, const char *what);
void tsr_json_dispose(tsr_json *j);
tsr_status tsr_json_next(tsr_json *j);            /* one event; END once the single value is over */
tsr_status tsr_json_skip(tsr_json *j);            /* the rest of the value whose first event was just read */
tsr_status tsr_json_fail(tsr_json *j, const char *what); /* "header: offset 12: what" */
/* A quoted string: bytes that are not UTF-8 become U+FFFD. */
void tsr_json_put_str(tsr_buf *b, const char *s, size_t len);

#endif
