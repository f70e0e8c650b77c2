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
// <sys/ptrace.h> is not among the headers that zig brings.
enum { PT_DENY_ATTACH = 31 };
int ptrace(int request, pid_t pid, char *address, int data);
extern char **environ;
#endif

enum { SECONDS = 15, MANY_FDS = 65536 };

static void repair_stdio(void) {
  for (int fd = 0; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) refuse_errno(REFUSE_PROCESS, "no standard descriptors");
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
  if (clearenv() != 0) refuse(REFUSE_PROCESS, "the environment cannot be cleared", NULL);
#else
  static char *empty[] = {NULL};
  environ = empty;
#endif
}

// Writes nothing: standard error may be a pipe that no one reads. Closing is safe in a handler (signal-safety(7)).
static void out_of_time(int number) {
  (void)number;
  lock_release();
  _exit(REFUSE_TIME);
}

// They go off in a program that is started, too: the one kind by SIGALRM, the others by signals of their own.
static void reset_timers(void) {
  static const int kinds[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
  const struct itimerval off = {0};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (setitimer(kinds[i], &off, NULL) != 0) refuse_errno(REFUSE_PROCESS, "timers cannot be reset");
}

static void reset_signals(void) {
  struct sigaction normal = {.sa_handler = SIG_DFL}, ignored = {.sa_handler = SIG_IGN}, late = {.sa_handler = out_of_time};
  for (int number = 1; number < NSIG; number++) (void)sigaction(number, &normal, NULL);  // KILL and STOP refuse
  // Errors of write(2) are looked at; a signal would end it half-way.
  bool done = sigaction(SIGPIPE, &ignored, NULL) == 0 && sigaction(SIGXFSZ, &ignored, NULL) == 0;
  sigset_t none;
  done = done && sigaction(SIGALRM, &late, NULL) == 0 && sigemptyset(&none) == 0;
  if (!done || sigprocmask(SIG_SETMASK, &none, NULL) != 0) refuse_errno(REFUSE_PROCESS, "signals cannot be reset");
}

void process_hide(void) {
#ifdef __linux__
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) refuse_errno(REFUSE_PROCESS, "it cannot be hidden from ptrace");
#else
  if (ptrace(PT_DENY_ATTACH, 0, NULL, 0) != 0) refuse_errno(REFUSE_PROCESS, "it cannot be hidden from ptrace");
#endif
}

void process_limit(unsigned seconds) { (void)alarm(seconds); }

void process_harden(bool channel, bool whole) {
  repair_stdio();
  close_from(channel ? CHANNEL_FD + 1 : CHANNEL_FD);
  forget_environment();
  if (chdir("/") != 0) refuse_errno(REFUSE_PROCESS, "cannot change to /");
  (void)umask(022);  // cannot fail
  reset_timers();
  reset_signals();
  process_limit(SECONDS);
  limits_reset(whole);
  process_hide();
}

void process_undisturbed(void) {
  sigset_t most;
  if (sigfillset(&most) != 0 || sigdelset(&most, SIGALRM) != 0 || sigprocmask(SIG_SETMASK, &most, NULL) != 0)
    refuse_errno(REFUSE_PROCESS, "signals cannot be blocked");
}
