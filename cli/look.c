/* inspect, scan, check, ops, code: what the library tells about files and about itself. */
#include <string.h>

#include "cli.h"

static int one_file(const cli_options *o, const char **path) {
  if (o->args.count == 1) {
    *path = o->args.items[0];
    return EXIT_OK;
  }
  return cli_fail(EXIT_USAGE, "tsrun %s takes one file, got %zu", cli_verb_name(o->verb), o->args.count);
}

static int finish(tsr_status status, tsr_error *err, const char *path) {
  cli_progress(NULL);
  if (status == TSR_OK) return EXIT_OK;
  const char *message = err == NULL ? "" : tsr_error_message(err);
  return cli_report(status, err, path != NULL && strstr(message, path) == NULL ? path : NULL);
}

int cli_inspect(const cli_options *o) {
  const char *path = NULL;
  tsr_error *err = NULL;
  int rc = one_file(o, &path);
  if (rc != EXIT_OK) return rc;
  cli_progress(path);
  tsr_status status = tsr_inspect(path, o->json, cli_write, stdout, &err);
  return finish(status, err, path);
}

int cli_check(const cli_options *o) {
  const char *path = NULL;
  tsr_error *err = NULL;
  size_t missing = 0;
  int rc = one_file(o, &path);
  if (rc != EXIT_OK) return rc;
  cli_progress(path);
  tsr_status status = tsr_check(path, cli_write, stdout, &missing, &err);
  rc = finish(status, err, path);
  if (rc != EXIT_OK) return rc;
  if (missing == 0) printf("every operator is there\n");
  return missing == 0 ? EXIT_OK : EXIT_UNSUPPORTED;
}

int cli_scan(const cli_options *o) {
  const char *path = NULL;
  tsr_error *err = NULL;
  size_t suspicious = 0;
  int rc = one_file(o, &path);
  if (rc != EXIT_OK) return rc;
  cli_progress(path);
  tsr_status status = tsr_scan_report(path, o->json, cli_write, stdout, &suspicious, &err);
  rc = finish(status, err, path);
  return rc != EXIT_OK ? rc : suspicious == 0 ? EXIT_OK : EXIT_RAISED;
}

int cli_ops(const cli_options *o) {
  if (o->args.count > 0) return cli_fail(EXIT_USAGE, "tsrun ops takes no files");
  tsr_status status = tsr_ops(o->markdown, cli_write, stdout);
  return finish(status, NULL, NULL);
}

int cli_code(const cli_options *o) {
  const char *path = NULL;
  tsr_error *err = NULL;
  int rc = one_file(o, &path);
  if (rc != EXIT_OK) return rc;
  cli_progress(path);
  tsr_code_options opt = {.struct_size = sizeof opt, .stage = o->stage != NULL ? o->stage : o->pass != NULL ? "ir" : "source",
                          .method = o->method, .opt_level = cli_opt_level(o), .disable_passes = o->disable_passes, .pass = o->pass};
  tsr_status status = tsr_code_with(path, &opt, cli_write, stdout, &err);
  return finish(status, err, path);
}
