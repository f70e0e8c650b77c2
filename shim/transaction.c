#include "transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "credentials.h"
#include "isolate.h"
#include "lock.h"
#include "harden.h"
#include "exit-codes.h"

#if defined(__linux__) && !defined(SHIM_FAKE_KEYCHAIN)
// How much longer the first process waits.
enum { SPARE_SECONDS = 5 };

static _Noreturn void follow(pid_t child, int said) {
  char message[512];
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) exit_with_errno(EXIT_PROCESS, "its exit status cannot be read");
  for (ssize_t len; (len = read(said, message, sizeof message)) > 0;)
    if (write(STDERR_FILENO, message, (size_t)len) < 0) break;  // nothing can be done when standard error is closed
  if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
  exit_with(EXIT_PROCESS, "it was killed by a signal", NULL);
}

// Closing a file waits for its file system, also when a process exits, and the file system of stdio may be the
// caller's own (FUSE). So the process that holds the lock has none of these descriptors.
static void leave_descriptors(const int said[static 2]) {
  int null = open("/dev/null", O_RDWR);
  bool done = null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0;
  done = done && dup2(said[1], STDERR_FILENO) >= 0 && close(said[0]) == 0 && close(said[1]) == 0 && close(null) == 0;
  if (!done) exit_with_errno(EXIT_PROCESS, "its descriptors cannot be replaced");
}

static void go_apart(unsigned seconds) {
  int said[2];
  harden_time_limit(seconds + SPARE_SECONDS);
  if (pipe(said) != 0) exit_with_errno(EXIT_PROCESS, "no pipe can be created");
  pid_t child = fork();
  if (child < 0) exit_with_errno(EXIT_PROCESS, "no process can be started");
  if (child > 0) {
    (void)close(said[1]);
    follow(child, said[0]);
  }
  harden_time_limit(SPARE_SECONDS);  // a timer does not survive fork(2), and the caller may keep a descriptor from being closed
  leave_descriptors(said);
  // A new session drops the terminal, and the nice value of the old session, which counts above that of the process (sched(7)).
  if (setsid() < 0) exit_with_errno(EXIT_PROCESS, "no session can be started");
}
#else
// Apple's frameworks do not work in a forked process.
static void go_apart(unsigned seconds) { (void)seconds; }
#endif

void transaction_begin(uid_t uid, unsigned seconds) {
  credentials_become_root();
  go_apart(seconds);
  harden_time_limit(seconds);
  isolate();
  lock_take(uid);
}
