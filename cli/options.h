/* The tables that parsing, help, manual page and completion are made from. */
#ifndef TSRUN_CLI_OPTIONS_H
#define TSRUN_CLI_OPTIONS_H

#include "cli.h"

typedef enum cli_option_kind { FLAG, TEXT, WORDS, NUMBER, SECONDS, REAL, SIZE, STAGE, SEED } cli_option_kind;

typedef struct cli_option {
  char letter;          /* 0: none */
  const char *name;     /* long name */
  const char *argument; /* what --help calls it; NULL: takes none */
  cli_option_kind kind;
  size_t offset;       /* in cli_options */
  unsigned verbs;      /* bit set of enum cli_verb */
  const char *choices; /* "none|summary|all" or NULL */
  const char *help;
} cli_option;

typedef struct cli_verb_info {
  const char *name, *words, *help;
} cli_verb_info;

extern const cli_option cli_options_table[];
extern const size_t cli_options_count;
extern const cli_verb_info cli_verbs[VERB_COUNT];

#endif
