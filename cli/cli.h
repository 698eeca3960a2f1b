/* The command: what its files share.  It uses the library through tsrun.h only. */
#ifndef TSRUN_CLI_H
#define TSRUN_CLI_H

#include <stdio.h>

#include "tsrun.h"

enum cli_exit {
  EXIT_OK = 0,
  EXIT_RAISED = 1,
  EXIT_USAGE = 2,
  EXIT_UNSUPPORTED = 3,
  EXIT_FORMAT = 4,
  EXIT_LIMIT = 5,
  EXIT_IO = 6,
  EXIT_SIGNAL = 128
};

/* ---- options.c: one table gives parsing, environment variables and help */

enum cli_verb { VERB_RUN, VERB_VERIFY, VERB_INSPECT, VERB_CHECK, VERB_OPS, VERB_BENCH, VERB_PROFILE, VERB_CODE, VERB_WEIGHTS, VERB_SCAN, VERB_COUNT };

typedef struct cli_list {
  const char **items;
  size_t count, cap;
} cli_list;

typedef struct cli_options {
  int verb; /* enum cli_verb */
  bool verb_given;
  cli_list args; /* words that are no options, without the verb; -m first, -i as given */
  const char *model;
  cli_list inputs; /* of -i */
  cli_list renames; /* of --rename */
  const char *output, *method, *threads, *print, *format, *labels, *stage;
  const char *sort, *by, *trace, *disable_passes, *against, *pass, *export_to;
  int64_t top;            /* negative: not given */
  int64_t min_runs, runs; /* negative: not given */
  int64_t seed, opt_level, warmup;
  const char *weights, *strip_prefix, *add_prefix;
  const char *cache;
  uint64_t max_memory, cache_limit; /* bytes, 0: none */
  double timeout, min_time; /* seconds */
  double rtol, atol;        /* negative: not given */
  bool bisect;
  bool lazy; /* compile and pack when first needed */
  bool no_winograd, strict_device, eval;
  const char *map_location; /* checked only: "cpu" is all there is */
  bool has_seed, verbose, fail_fast, json, markdown, help, version;
  bool no_strict, ignore_mismatched_sizes, fold, stats;
} cli_options;

/* Parse argv and TSRUN_* variables.  Returns EXIT_OK or EXIT_USAGE with the reason printed. */
int cli_options_parse(cli_options *o, int argc, char **argv);
void cli_options_dispose(cli_options *o);
void cli_help(FILE *out, int verb /* -1: the whole command */);
bool cli_docs(const char *what); /* "man", "bash": print it; false: no such thing */
const char *cli_verb_name(int verb);
void cli_list_push(cli_list *l, const char *item); /* exits with EXIT_LIMIT when out of memory, as cli_alloc does */

/* ---- report.c */

void *cli_alloc(void *p, size_t size); /* realloc that does not fail */
/* One line on stderr, control characters escaped, at most 1,000 bytes; returns exit. */
int cli_fail(int exit, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Print err (with its traceback), free it, give the exit code of status.  prefix may be NULL. */
int cli_report(tsr_status status, tsr_error *err, const char *prefix);
int cli_exit_of(tsr_status status);
/* While buffer is not NULL, cli_fail and cli_report write their line there and nothing on stderr. */
void cli_capture(char *buffer, size_t size);
void cli_print_safe(FILE *out, const char *text, size_t len, bool keep_lines);
void cli_json_string(FILE *out, const char *text);
double cli_now(void); /* monotonic seconds */
/* A note on the terminal once what has taken a second; NULL: done, wipe it. */
void cli_progress(const char *what);
/* A file of text, whole or absent: written beside it, then renamed.  Exit code. */
int cli_write_whole(const char *path, void (*put)(FILE *out, void *user), void *user);
void cli_write(void *user /* FILE * */, const char *text, size_t len); /* a tsr_write_fn */

/* ---- signals.c: SIGINT and SIGTERM cancel what runs */

void cli_signals_install(void);
void cli_signals_watch(tsr_session *s); /* NULL: nothing runs, a signal ends the process at once */
void cli_signals_hold(bool hold);       /* while a file is being written, a signal waits */
int cli_signals_exit(int exit);         /* 128 + signal when one came, else exit */

/* ---- inputs.c */

typedef struct cli_call {
  tsr_value **values;
  const char **names;
  size_t count, cap;
} cli_call;

/* Load INPUT words and bind them to the parameters of method.  EXIT_OK, or a code with the reason printed. */
int cli_call_make(cli_call *c, tsr_model *m, const char *method, const char *const *inputs, size_t count);
void cli_call_dispose(cli_call *c);
bool cli_file_exists(const char *path);

/* ---- show.c */

/* Numbers of any element type as doubles (the imaginary part in im when it is not NULL). */
double cli_element(tsr_dtype dtype, const void *data, int64_t index, double *im);
int cli_show(FILE *out, const tsr_value *v, bool all, int64_t top, const char *labels_path);

/* ---- verbs */

/* The words after the model, then those of -i.  free(list.items). */
cli_list cli_inputs(const cli_options *o);
int cli_load(const cli_options *o, const char *path, int threads, tsr_model **out);
int cli_session(const cli_options *o, tsr_model *m, const tsr_session_options *more /* print, seed; or NULL */,
                tsr_session **out);
tsr_value *cli_flatten(const tsr_value *v);          /* own: dict of named tensors; NULL: holds something else */
int cli_threads(const cli_options *o, int *threads); /* the single number of -t */
static inline int cli_opt_level(const cli_options *o) { return o->opt_level == 0 ? TSR_OPT_NONE : (int)o->opt_level; }
int cli_run(const cli_options *o);
int cli_verify(const cli_options *o);
int cli_inspect(const cli_options *o);
int cli_check(const cli_options *o);
int cli_scan(const cli_options *o);
int cli_ops(const cli_options *o);
int cli_against(const cli_options *o); /* verify --against, --bisect */
int cli_bench(const cli_options *o);
int cli_profile(const cli_options *o);
int cli_code(const cli_options *o);

/* ---- weights.c: the verb and what --weights needs */

int cli_weights(const cli_options *o);
/* FILE[:KEY], with the renaming options applied. */
int cli_weights_open(const cli_options *o, const char *where, tsr_weights **out);
/* Options of a load that takes o's weights; they are opened into *w, to be freed after the load. */
int cli_weights_options(const cli_options *o, tsr_load_options *opt, tsr_weights **w);
void cli_note(void *user, const char *line); /* "tsrun: note: line" on stderr */
/* weights_look.c, weights_files.c: sub-verbs; args begin after their name. */
int cli_weights_print(const cli_options *o, const char *const *args, size_t count);
int cli_weights_diff(const cli_options *o, const char *const *args, size_t count);
int cli_weights_convert(const cli_options *o, const char *const *args, size_t count);
int cli_weights_extract(const cli_options *o, const char *const *args, size_t count);
int cli_weights_merge(const cli_options *o, const char *const *args, size_t count);
void cli_put_shape(FILE *out, const tsr_weight_info *x); /* [3, 4] */

#endif
