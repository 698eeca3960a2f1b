/* SIGINT and SIGTERM: a running model is cancelled, a file being written is finished, everything else
 * ends at once.  The exit code is 128 plus the signal. */
#include <signal.h>
#include <unistd.h>

#include "cli.h"

static tsr_session *volatile running;
static volatile sig_atomic_t held, received;

static void on_signal(int sig) {
  tsr_session *s = running;
  bool second = received != 0;
  received = sig;
  if (second || (s == NULL && !held)) _exit(EXIT_SIGNAL + sig);
  if (s != NULL) tsr_session_cancel(s);
}

void cli_signals_install(void) {
  struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGINT, &act, NULL);
  sigaction(SIGTERM, &act, NULL);
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  sigaction(SIGPIPE, &ignore, NULL); /* a closed pipe is a write error */
}

void cli_signals_watch(tsr_session *s) {
  running = s;
  if (s != NULL && received) tsr_session_cancel(s);
}

void cli_signals_hold(bool hold) { held = hold; }

int cli_signals_exit(int exit) { return received ? EXIT_SIGNAL + received : exit; }
