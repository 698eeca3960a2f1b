/* The command tsrun: which verb, and what the process returns. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static int (*const verbs[VERB_COUNT])(const cli_options *o) = {
    [VERB_RUN] = cli_run, [VERB_VERIFY] = cli_verify, [VERB_INSPECT] = cli_inspect, [VERB_CHECK] = cli_check,
    [VERB_OPS] = cli_ops, [VERB_BENCH] = cli_bench,   [VERB_PROFILE] = cli_profile, [VERB_CODE] = cli_code,
    [VERB_WEIGHTS] = cli_weights, [VERB_SCAN] = cli_scan,
};

static int print_version(const cli_options *o) {
  printf("tsrun %s\n", tsr_version());
  if (o->verbose) tsr_build_info(cli_write, stdout);
  return EXIT_OK;
}

/* A reader that went away (tsrun ops | head) needs no message. */
static int finish_stdout(int rc) {
  bool failed = fflush(stdout) != 0 || ferror(stdout);
  if (!failed || rc != EXIT_OK) return rc;
  return errno == EPIPE ? EXIT_IO : cli_fail(EXIT_IO, "cannot write to standard output: %s", strerror(errno));
}

int main(int argc, char **argv) {
  cli_options o;
  bool bare = argc < 2;
  cli_signals_install();
  (void)setenv("TZ", ":/etc/localtime", 0); /* what is meant anyway: but unset, each entry of an archive has glibc look whether that file has changed */
  int rc = cli_options_parse(&o, argc, argv);
  if (rc == EXIT_OK && o.version)
    rc = print_version(&o);
  else if (rc == EXIT_OK && o.help && !o.verb_given && o.args.count == 1 && cli_docs(o.args.items[0])) {
  } else if (rc == EXIT_OK && o.help)
    cli_help(stdout, o.verb_given ? o.verb : -1);
  else if (rc == EXIT_OK && bare && o.args.count == 0)
    cli_help(stderr, -1), rc = EXIT_USAGE;
  else if (rc == EXIT_OK)
    rc = verbs[o.verb](&o);
  cli_options_dispose(&o);
  return cli_signals_exit(finish_stdout(rc));
}
