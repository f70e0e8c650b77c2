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
    if (errno != EINTR) refuse_errno(REFUSE_PROCESS, "its end cannot be seen");
  for (ssize_t len; (len = read(said, message, sizeof message)) > 0;)
    if (write(STDERR_FILENO, message, (size_t)len) < 0) break;  // nothing can be done when standard error is closed
  if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
  refuse(REFUSE_PROCESS, "it was ended by a signal", NULL);
}

// Closing a file waits for its file system, at the end of a process, too, and that of the standard descriptors may be the
// caller's own (FUSE). So the process that holds the lock has none of them.
static void leave_descriptors(const int said[static 2]) {
  int null = open("/dev/null", O_RDWR);
  bool done = null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0;
  done = done && dup2(said[1], STDERR_FILENO) >= 0 && close(said[0]) == 0 && close(said[1]) == 0 && close(null) == 0;
  if (!done) refuse_errno(REFUSE_PROCESS, "its descriptors cannot be left");
}

static void go_apart(unsigned seconds) {
  int said[2];
  process_limit(seconds + SPARE_SECONDS);
  if (pipe(said) != 0) refuse_errno(REFUSE_PROCESS, "no pipe can be made");
  pid_t child = fork();
  if (child < 0) refuse_errno(REFUSE_PROCESS, "no process can be made");
  if (child > 0) {
    (void)close(said[1]);
    follow(child, said[0]);
  }
  process_limit(SPARE_SECONDS);  // fork(2) hands none on, and its caller may keep a descriptor from being closed
  leave_descriptors(said);
  // With the session its terminal, and the nice value of the session, which counts above that of the process (sched(7)).
  if (setsid() < 0) refuse_errno(REFUSE_PROCESS, "its session cannot be left");
}
#else
// Apple's frameworks do not work in a process that was forked.
static void go_apart(unsigned seconds) { (void)seconds; }
#endif

void act_begin(uid_t uid, unsigned seconds) {
  become_root();
  go_apart(seconds);
  process_limit(seconds);
  isolate();
  lock_take(uid);
}
