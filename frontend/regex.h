/* Regular expressions, as Python's re has them: characters, ".", [sets], groups, |, * + ? {m,n} and their lazy forms, ^ $,
 * \d \w \s \b (a loop over what may be empty may go on where Python stops).  No back references and no looking around: a search takes time in proportion to pattern times text. */
#ifndef TSR_FRONTEND_REGEX_H
#define TSR_FRONTEND_REGEX_H

#include <stdbool.h>
#include <stddef.h>

enum { TSR_REGEX_SLOTS = 20 }; /* begin and end of the whole and of nine groups; (size_t)-1 where a group took no part */

typedef struct tsr_regex tsr_regex;
/* own: tsr_regex_free.  NULL: *why is what is wrong with the pattern, or NULL when memory ran out. */
tsr_regex *tsr_regex_new(const char *pattern, size_t len, const char **why);
void tsr_regex_free(tsr_regex *re);
/* The leftmost match at from or later, with advance none that is empty and at from: 1 and slots; 0: none; -1: this expression takes too long. */
int tsr_regex_search(tsr_regex *re, const char *text, size_t len, size_t from, bool advance, size_t slots[TSR_REGEX_SLOTS]);

#endif
