#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "fds.h"

static int ends[2] = {-1, -1};
static volatile sig_atomic_t asked, hung_up;

static void on_signal(int number) {
  int error = errno;
  if (number == SIGHUP) hung_up = 1;
  else if (number != SIGCHLD) asked = 1;
  // If the pipe is full, the loop is awake already.
  ssize_t wrote = write(ends[1], "", 1);
  (void)wrote;
  errno = error;
}

bool signals_open(void) {
  static const int caught_signals[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
  // SIGXFSZ: a file size limit must cost log lines, not the service.
  static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGTTIN, SIGTTOU};
  if (!fd_pipe(ends)) return false;
  struct sigaction catch = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
    if (sigaction(ignored[i], &ignore, NULL) != 0) return false;
  for (size_t i = 0; i < sizeof caught_signals / sizeof *caught_signals; i++)
    if (sigaction(caught_signals[i], &catch, NULL) != 0) return false;
  sigset_t none;
  return sigemptyset(&none) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

int signals_fd(void) { return ends[0]; }

bool signals_take(void) {
  char bytes[64];
  while (read(ends[0], bytes, sizeof bytes) > 0) continue;
  if (!asked) return false;
  asked = 0;
  return true;
}

bool signals_hung_up(void) {
  if (!hung_up) return false;
  hung_up = 0;
  return true;
}
