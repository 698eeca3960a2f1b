/* JSON as events, for readers that want no values (safetensors headers, model descriptions), and the
 * pieces writers share.  The text is parsed as a whole at the first event, by a library (json.c), within limits:
 * depth, number of values.  tsr_json_parse and tsr_json_write (files.h) are built on it. */
#ifndef TSR_FRONTEND_JSON_H
#define TSR_FRONTEND_JSON_H

#include "core/error.h"
#include "core/mem.h"

#define TSR_JSON_MAX_DEPTH 64

typedef enum tsr_json_kind {
  TSR_JSON_NULL, TSR_JSON_BOOL, TSR_JSON_INT, TSR_JSON_FLOAT, TSR_JSON_STR, TSR_JSON_KEY,
  TSR_JSON_OPEN_LIST, TSR_JSON_CLOSE_LIST, TSR_JSON_OPEN_DICT, TSR_JSON_CLOSE_DICT, TSR_JSON_END
} tsr_json_kind;

struct json_t; /* the library's */

/* A list or dict that is being walked. */
typedef struct tsr_json_frame {
  struct json_t *value;
  void *iter;            /* of a dict: the pair */
  size_t at;             /* items taken */
  bool is_list, in_pair; /* in_pair: the key was given, its value comes next */
} tsr_json_frame;

typedef struct tsr_json {
  const char *text; size_t len;
  const char *what;      /* "header", for messages */
  tsr_errrec *e;
  /* the event just read */
  tsr_json_kind kind;
  bool b; int64_t i; double d;
  const char *str; size_t str_len;  /* STR, KEY: unescaped, NUL-terminated; valid until dispose */
  /* inside */
  struct json_t *root;   /* NULL before the first event */
  int depth;
  tsr_json_frame frames[TSR_JSON_MAX_DEPTH];
} tsr_json;

void tsr_json_init(tsr_json *j, tsr_errrec *e, const char *text, size_t len, const char *what);
void tsr_json_dispose(tsr_json *j);
tsr_status tsr_json_next(tsr_json *j);            /* one event; END once the single value is over */
tsr_status tsr_json_skip(tsr_json *j);            /* the rest of the value whose first event was just read */
tsr_status tsr_json_fail(tsr_json *j, const char *what); /* "header: a.b: what" */
/* A quoted string: bytes that are not UTF-8 become U+FFFD. */
void tsr_json_put_str(tsr_buf *b, const char *s, size_t len);

#endif
