#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "refuse.h"

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#else
// <sys/ptrace.h> is not among the headers that zig brings.
enum { PT_DENY_ATTACH = 31 };
int ptrace(int request, pid_t pid, char *address, int data);
extern char **environ;
#endif

enum { SECONDS = 15, MANY_FDS = 65536, FILES_NEEDED = 32, FILE_BYTES_NEEDED = 4194304 };
// Of the distribution's program.
enum { PROGRAM_SECONDS = 60, PROGRAM_BYTES = 536870912, PROGRAM_STACK = 1048576, PROGRAM_FILES = 256 };

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

static void out_of_time(int number) {
  (void)number;
  static const char message[] = "locald-shim: it took too long\n";
  ssize_t wrote = write(STDERR_FILENO, message, sizeof message - 1);
  (void)wrote;  // it ends anyway
  _exit(REFUSE_TIME);
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

// A caller's small limit would cut a file short.
static void require_limit(int which, rlim_t needed, const char *what) {
  struct rlimit limit;
  if (getrlimit(which, &limit) != 0) refuse_errno(REFUSE_LIMITS, what);
  if (limit.rlim_cur >= needed) return;
  limit.rlim_cur = needed;
  if (limit.rlim_max < needed) limit.rlim_max = needed;
  if (setrlimit(which, &limit) != 0) refuse_errno(REFUSE_LIMITS, what);
}

void process_make_room(void) {
  const struct {
    int which;
    rlim_t needed;
    const char *what;
  } limits[] = {
      {RLIMIT_CPU, PROGRAM_SECONDS, "the limit of CPU time is too low"},
      {RLIMIT_AS, PROGRAM_BYTES, "the limit of memory is too low"},
      {RLIMIT_DATA, PROGRAM_BYTES, "the limit of data is too low"},
      {RLIMIT_STACK, PROGRAM_STACK, "the limit of the stack is too low"},
      {RLIMIT_NOFILE, PROGRAM_FILES, "the limit of open files is too low"},
  };
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
    require_limit(limits[i].which, limits[i].needed, limits[i].what);
}

void process_hide(void) {
#ifdef __linux__
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) refuse_errno(REFUSE_PROCESS, "it cannot be hidden from ptrace");
#else
  if (ptrace(PT_DENY_ATTACH, 0, NULL, 0) != 0) refuse_errno(REFUSE_PROCESS, "it cannot be hidden from ptrace");
#endif
}

void process_limit(unsigned seconds) { (void)alarm(seconds); }

void process_harden(bool channel) {
  repair_stdio();
  close_from(channel ? CHANNEL_FD + 1 : CHANNEL_FD);
  forget_environment();
  if (chdir("/") != 0) refuse_errno(REFUSE_PROCESS, "cannot change to /");
  (void)umask(022);  // cannot fail
  reset_signals();
  process_limit(SECONDS);
  const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) refuse_errno(REFUSE_LIMITS, "core dumps cannot be turned off");
  require_limit(RLIMIT_FSIZE, FILE_BYTES_NEEDED, "the limit of file sizes is too low");
  require_limit(RLIMIT_NOFILE, FILES_NEEDED, "the limit of open files is too low");
  process_hide();
}

void process_undisturbed(void) {
  sigset_t most;
  if (sigfillset(&most) != 0 || sigdelset(&most, SIGALRM) != 0 || sigprocmask(SIG_SETMASK, &most, NULL) != 0)
    refuse_errno(REFUSE_PROCESS, "signals cannot be blocked");
}
