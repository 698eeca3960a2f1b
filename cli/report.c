/* What goes to the person: errors on one line, escaped; progress; JSON strings; the clock. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

enum { MAX_LINE = 1000 /* bytes of one error line */, MAX_TRACE = 1 << 16 };

void *cli_alloc(void *p, size_t size) {
  void *q = realloc(p, size > 0 ? size : 1);
  if (q == NULL) exit(cli_fail(EXIT_LIMIT, "out of memory"));
  return q;
}

double cli_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void cli_write(void *user, const char *text, size_t len) { fwrite(text, 1, len, user); }

/* ---- text from files is never shown raw */

/* Bytes of the printable UTF-8 character at p, or 0: to be escaped. */
static size_t printable(const unsigned char *p, size_t len) {
  if (p[0] >= 0x20 && p[0] < 0x7F) return 1;
  size_t n = p[0] >= 0xF0 && p[0] < 0xF5 ? 4 : p[0] >= 0xE0 ? 3 : 2;
  if (p[0] < 0xC3 || p[0] >= 0xF5 || n > len) return 0; /* below C3 stand the C1 controls */
  for (size_t i = 1; i < n; i++)
    if ((p[i] & 0xC0) != 0x80) return 0;
  if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) || (p[0] == 0xF0 && p[1] < 0x90) ||
      (p[0] == 0xF4 && p[1] > 0x8F))
    return 0;
  /* marks that turn the writing direction, line and paragraph separators */
  if (p[0] == 0xE2 &&
      ((p[1] == 0x80 && p[2] >= 0x8B && p[2] <= 0xAE) || (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9)))
    return 0;
  return n;
}

/* What load_state_dict says has lines, and is known by them. */
static bool has_lines(const char *text) { return strncmp(text, "Error(s) in loading state_dict for", 34) == 0; }

static size_t print_safe(FILE *out, const char *text, size_t len, bool keep_lines, size_t limit) {
  size_t written = 0;
  for (size_t i = 0; i < len;) {
    const unsigned char *p = (const unsigned char *)text + i;
    size_t n = printable(p, len - i);
    if (written + 8 > limit) {
      fputs("...", out);
      return written + 3;
    }
    if (n > 0)
      fwrite(p, 1, n, out);
    else if (*p == '\n' && keep_lines)
      fputc('\n', out), n = 1;
    else if (*p == '\n')
      written += (size_t)fprintf(out, "\\n");
    else if (*p == '\t')
      fputc(keep_lines ? '\t' : ' ', out), n = 1;
    else
      written += (size_t)fprintf(out, "\\x%02x", *p);
    written += n;
    i += n > 0 ? n : 1;
  }
  return written;
}

void cli_print_safe(FILE *out, const char *text, size_t len, bool keep_lines) {
  print_safe(out, text, len, keep_lines, MAX_TRACE);
}

static char *captured;
static size_t captured_size;

void cli_capture(char *buffer, size_t size) {
  captured = buffer;
  captured_size = size;
}

int cli_fail(int exit, const char *fmt, ...) {
  char text[2 * MAX_LINE];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  cli_progress(NULL);
  if (captured != NULL) {
    snprintf(captured, captured_size, "%s", text);
    return exit;
  }
  fflush(stdout);
  fputs("tsrun: ", stderr);
  print_safe(stderr, text, strlen(text), false, MAX_LINE - 16);
  fputc('\n', stderr);
  return exit;
}

int cli_exit_of(tsr_status status) {
  switch (status) {
  case TSR_OK:
    return EXIT_OK;
  case TSR_ERAISED:
    return EXIT_RAISED;
  case TSR_EUSAGE:
    return EXIT_USAGE;
  case TSR_EUNSUPPORTED:
    return EXIT_UNSUPPORTED;
  case TSR_EFORMAT:
    return EXIT_FORMAT;
  case TSR_ELIMIT:
  case TSR_ENOMEM:
  case TSR_ECANCELLED:
    return EXIT_LIMIT;
  case TSR_EIO:
    return EXIT_IO;
  case TSR_EINTERNAL:
    break;
  }
  return EXIT_LIMIT;
}

int cli_report(tsr_status status, tsr_error *err, const char *prefix) {
  const char *message = err != NULL ? tsr_error_message(err) : tsr_status_name(status);
  const char *trace = err != NULL ? tsr_error_traceback(err) : "";
  cli_progress(NULL);
  fflush(stdout);
  if (trace[0] != '\0' && status == TSR_ERAISED && captured == NULL) {
    size_t len = strlen(trace);
    print_safe(stderr, trace, len, true, MAX_TRACE);
    if (trace[len - 1] != '\n') fputc('\n', stderr);
  }
  if (has_lines(message) && captured == NULL) {
    fputs("tsrun: ", stderr);
    print_safe(stderr, message, strlen(message), true, MAX_TRACE);
    fputc('\n', stderr);
  } else if (prefix != NULL)
    cli_fail(0, "%s: %s", prefix, message);
  else
    cli_fail(0, "%s", message);
  tsr_error_free(err);
  return cli_exit_of(status);
}

void cli_json_string(FILE *out, const char *text) {
  fputc('"', out);
  for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
    size_t n = printable(p, strnlen((const char *)p, 4));
    if (n == 0)
      fprintf(out, *p < 0x80 ? "\\u%04x" : "\\ufffd", *p), n = 1;
    else if (*p == '"' || *p == '\\')
      fprintf(out, "\\%c", *p);
    else
      fwrite(p, 1, n, out);
    p += n;
  }
  fputc('"', out);
}

/* ---- progress: a timer, because what takes long may be one call of the library */

static char progress_text[200];
static volatile sig_atomic_t progress_len, progress_shown;

static void on_tick(int sig) {
  (void)sig;
  if (progress_len > 0 && !progress_shown)
    progress_shown = write(STDERR_FILENO, progress_text, (size_t)progress_len) > 0;
}

static void set_timer(int seconds) {
  struct itimerval once = {.it_value = {.tv_sec = seconds}};
  setitimer(ITIMER_REAL, &once, NULL);
}

void cli_progress(const char *what) {
  if (progress_len > 0) set_timer(0);
  progress_len = 0;
  if (progress_shown) progress_shown = write(STDERR_FILENO, "\r\033[K", 4) < 0;
  if (what == NULL || !isatty(STDERR_FILENO)) return;
  FILE *f = fmemopen(progress_text, sizeof progress_text, "w");
  if (f == NULL) return;
  fputs("tsrun: ", f);
  print_safe(f, what, strlen(what), false, sizeof progress_text - 40);
  fputs(" ...", f);
  long n = ftell(f);
  fclose(f);
  struct sigaction act = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &act, NULL);
  progress_len = n > 0 ? (int)n : 0;
  set_timer(1);
}

/* ---- files of text ---- */

static bool write_bytes(int fd, const char *data, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, data, len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    data += n;
    len -= (size_t)n;
  }
  return true;
}

/* What is written so that it is there after a crash, or nothing is. */
static bool replace_file(const char *path, const char *temp, const char *text, size_t len) {
  int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) return false;
  bool ok = write_bytes(fd, text, len) && fsync(fd) == 0;
  int why = errno;
  if (close(fd) != 0 && ok) ok = false, why = errno;
  if (ok && rename(temp, path) == 0) return true;
  if (ok) why = errno;
  unlink(temp);
  errno = why;
  return false;
}

int cli_write_whole(const char *path, void (*put)(FILE *out, void *user), void *user) {
  char *text = NULL, *temp = cli_alloc(NULL, strlen(path) + 32);
  size_t len = 0;
  FILE *f = open_memstream(&text, &len);
  if (f != NULL) put(f, user);
  bool bad = f == NULL || ferror(f) != 0;
  if (f != NULL && fclose(f) != 0) bad = true;
  sprintf(temp, "%s.%ld.tmp", path, (long)getpid());
  int rc = bad ? cli_fail(EXIT_LIMIT, "out of memory") : EXIT_OK;
  cli_signals_hold(true); /* an interrupt waits until the temporary file is gone */
  if (rc == EXIT_OK && !replace_file(path, temp, text, len)) rc = cli_fail(EXIT_IO, "%s: cannot be written: %s", path, strerror(errno));
  cli_signals_hold(false);
  free(temp);
  free(text);
  return rc;
}
