/* tsrun weights convert, extract, merge: new files. */
#include <string.h>

#include "cli.h"

static int save(const cli_options *o, const char *in, const char *out, bool archive) {
  tsr_weights *w = NULL;
  tsr_error *err = NULL;
  int rc = cli_weights_open(o, in, &w);
  if (rc != EXIT_OK) return rc;
  if (archive && !tsr_weights_is_archive(w)) {
    tsr_weights_free(w);
    return cli_fail(EXIT_FORMAT, "%s is no TorchScript archive: tsrun weights convert takes other files", in);
  }
  cli_progress(out);
  cli_signals_hold(true);
  tsr_status status = tsr_weights_save(w, out, NULL, cli_note, NULL, &err);
  cli_signals_hold(false);
  cli_progress(NULL);
  tsr_weights_free(w);
  return status == TSR_OK ? EXIT_OK : cli_report(status, err, NULL);
}

int cli_weights_convert(const cli_options *o, const char *const *args, size_t count) {
  if (count != 2) return cli_fail(EXIT_USAGE, "tsrun weights convert IN[:KEY] OUT takes two files, got %zu", count);
  return save(o, args[0], args[1], false);
}

int cli_weights_extract(const cli_options *o, const char *const *args, size_t count) {
  if (count != 2) return cli_fail(EXIT_USAGE, "tsrun weights extract MODEL OUT takes two files, got %zu", count);
  return save(o, args[0], args[1], true);
}

int cli_weights_merge(const cli_options *o, const char *const *args, size_t count) {
  tsr_load_options opt = {.struct_size = sizeof opt};
  cli_options with = *o;
  tsr_weights *w = NULL;
  tsr_error *err = NULL;
  if (count != 3) return cli_fail(EXIT_USAGE, "tsrun weights merge MODEL WEIGHTS OUT takes three files, got %zu", count);
  with.weights = args[1];
  int rc = cli_weights_options(&with, &opt, &w);
  if (rc != EXIT_OK) return rc;
  cli_signals_hold(true);
  tsr_status status = tsr_weights_merge(args[0], &opt, args[2], &err);
  cli_signals_hold(false);
  tsr_weights_free(w);
  return status == TSR_OK ? EXIT_OK : cli_report(status, err, NULL);
}
