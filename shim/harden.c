#include "harden.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#include "limits.h"
#include "lock.h"
#include "exit-codes.h"

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#else
// zig does not ship <sys/ptrace.h>.
enum { PT_DENY_ATTACH = 31 };
int ptrace(int request, pid_t pid, char *address, int data);
extern char **environ;
#endif

enum { SECONDS = 15, MANY_FDS = 65536 };

static void repair_stdio(void) {
  for (int fd = 0; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) exit_with_errno(EXIT_PROCESS, "no standard descriptors");
}

static void close_from(int first) {
#if defined(__linux__) && defined(SYS_close_range)
  if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0) return;
#endif
  long most = sysconf(_SC_OPEN_MAX);
  if (most < 0 || most > MANY_FDS) most = MANY_FDS;
  for (int fd = first; fd < most; fd++) (void)close(fd);  // most are not open
}

static void forget_environment(void) {
#ifdef __linux__
  if (clearenv() != 0) exit_with(EXIT_PROCESS, "the environment cannot be cleared", NULL);
#else
  static char *empty[] = {NULL};
  environ = empty;
#endif
}

// Writes nothing: standard error may be a pipe without a reader. close(2) is safe in a handler (signal-safety(7)).
static void out_of_time(int number) {
  (void)number;
  lock_release();
  _exit(EXIT_TIME);
}

// Timers survive exec: one kind sends SIGALRM, the others signals of their own.
static void reset_timers(void) {
  static const int kinds[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
  const struct itimerval off = {0};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (setitimer(kinds[i], &off, NULL) != 0) exit_with_errno(EXIT_PROCESS, "timers cannot be reset");
}

static void reset_signals(void) {
  struct sigaction normal = {.sa_handler = SIG_DFL}, ignored = {.sa_handler = SIG_IGN}, late = {.sa_handler = out_of_time};
  for (int number = 1; number < NSIG; number++) (void)sigaction(number, &normal, NULL);  // SIGKILL and SIGSTOP cannot be reset
  // Errors of write(2) are checked; SIGPIPE would kill the process half-way.
  bool done = sigaction(SIGPIPE, &ignored, NULL) == 0 && sigaction(SIGXFSZ, &ignored, NULL) == 0;
  sigset_t none;
  done = done && sigaction(SIGALRM, &late, NULL) == 0 && sigemptyset(&none) == 0;
  if (!done || sigprocmask(SIG_SETMASK, &none, NULL) != 0) exit_with_errno(EXIT_PROCESS, "signals cannot be reset");
}

void harden_against_tracing(void) {
#ifdef __linux__
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) exit_with_errno(EXIT_PROCESS, "ptrace cannot be disabled");
#else
  if (ptrace(PT_DENY_ATTACH, 0, NULL, 0) != 0) exit_with_errno(EXIT_PROCESS, "ptrace cannot be disabled");
#endif
}

void harden_time_limit(unsigned seconds) { (void)alarm(seconds); }

void harden_process(bool channel, bool whole) {
  repair_stdio();
  close_from(channel ? CHANNEL_FD + 1 : CHANNEL_FD);
  forget_environment();
  if (chdir("/") != 0) exit_with_errno(EXIT_PROCESS, "cannot change to /");
  (void)umask(022);  // cannot fail
  reset_timers();
  reset_signals();
  harden_time_limit(SECONDS);
  limits_reset(whole);
  harden_against_tracing();
}

void harden_against_signals(void) {
  sigset_t most;
  if (sigfillset(&most) != 0 || sigdelset(&most, SIGALRM) != 0 || sigprocmask(SIG_SETMASK, &most, NULL) != 0)
    exit_with_errno(EXIT_PROCESS, "signals cannot be blocked");
}
