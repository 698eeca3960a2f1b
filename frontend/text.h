/* Names and texts that come from a file, made fit for one line of a message. */
#ifndef TSR_FRONTEND_TEXT_H
#define TSR_FRONTEND_TEXT_H

#include "core/mem.h"

typedef struct tsr_shown { char text[132]; } tsr_shown;

/* At most 120 bytes; control characters and bytes that are not UTF-8 become \xNN; longer ones end in "...". */
tsr_shown tsr_show(const char *s, size_t len);
/* Length of the valid UTF-8 sequence at s (1-4), 0 if there is none. */
size_t tsr_utf8_length(const char *s, size_t len);
/* Append a code point (<= 0x10ffff) as UTF-8. */
void tsr_buf_put_utf8(tsr_buf *b, uint32_t code);
/* "1.2 MB": sizes for people, powers of 1000. */
tsr_shown tsr_show_bytes(uint64_t bytes);
/* C-locale decimal to double and back (shortest text that reads back the same, as float or double). */
bool tsr_text_to_double(const char *s, size_t len, double *out);
void tsr_buf_put_double(tsr_buf *b, double d, bool is_float32);

#endif
