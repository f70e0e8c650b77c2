#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fds.h"
#include "terminal.h"
#include "text.h"

// The child's stdio, and the pipe on which it reports until exec closes it.
struct ends {
  int in, out, err, report;
  bool tty;
};

// One record in the report pipe: exec failed, or the child joined the cgroup.
struct report {
  int joined;  // not a bool: the record has no padding
  int error;
};

static void join_cgroup(const char *folder, int report) {
  char path[4096];
  struct text text = text_in(path, sizeof path);
  text_add(&text, folder);
  text_add(&text, "/cgroup.procs");
  int fd = text.full ? -1 : open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;  // not fatal: the events say whether the child joined
  const struct report joined = {.joined = 1, .error = 0};
  if (write(fd, "0", 1) == 1 && write(report, &joined, sizeof joined) != (ssize_t)sizeof joined) _exit(127);
  (void)close(fd);
}

// A limit that only affects real-time threads; every descendant inherits it, and /proc/PID/limits shows it.
static void set_mark(uint64_t mark) {
#ifdef __linux__
  struct rlimit limit;
  if (mark == 0 || getrlimit(RLIMIT_RTTIME, &limit) != 0) return;
  limit.rlim_cur = (rlim_t)mark;
  (void)setrlimit(RLIMIT_RTTIME, &limit);  // the hard limit is lower: the process stays unmarked
#else
  (void)mark;
#endif
}

static void default_signals(void) {
  struct sigaction normal = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; number++) (void)sigaction(number, &normal, NULL);  // SIGKILL and SIGSTOP cannot be reset
  sigset_t none;
  (void)sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const struct options *options, const struct ends *ends) {
  static char notify[512];
  if (ends->tty ? !terminal_take(ends->in) : setsid() < 0) goto failed;
  default_signals();
  if (dup2(ends->in, 0) < 0 || dup2(ends->out, 1) < 0 || dup2(ends->err, 2) < 0) goto failed;
  set_mark(options->mark);
  if (options->cgroup != NULL) join_cgroup(options->cgroup, ends->report);
  if (options->notify != NULL) {
    struct text text = text_in(notify, sizeof notify);
    text_add(&text, "NOTIFY_SOCKET=");
    text_add(&text, options->notify);
    errno = ENAMETOOLONG;
    if (text.full || putenv(notify) != 0) goto failed;
  }
  (void)execvp(options->program[0], options->program);
failed:;
  const struct report report = {.joined = 0, .error = errno};
  ssize_t wrote = write(ends->report, &report, sizeof report);
  _exit(wrote < 0 ? 126 : 127);
}

static bool open_one_pipe(int *ours, int *theirs) {
  int pair[2];
  if (!fd_pipe(pair)) return false;
  *ours = pair[0];
  *theirs = pair[1];
  return fcntl(pair[1], F_SETFL, 0) == 0;  // the service writes to it as to any pipe
}

// A pipe that is never written to: many watchers exit at the end of their input. The keeper holds the other end until it exits.
static bool open_input(struct ends *ends) {
  int pair[2];
  if (!fd_pipe(pair)) return false;
  ends->in = pair[0];
#ifdef F_SETPIPE_SZ
  (void)fcntl(pair[1], F_SETPIPE_SZ, 1);  // one page, the minimum: it counts towards the user's limit
#endif
  return fcntl(pair[0], F_SETFL, 0) == 0;
}

static bool open_pipes(struct child *child, struct ends *ends) {
  return open_input(ends) && open_one_pipe(&child->output, &ends->out) && open_one_pipe(&child->errors, &ends->err);
}

static bool open_terminal(const struct options *options, struct child *child, struct ends *ends) {
  int slave = -1;
  bool opened = terminal_open(options->cols, options->rows, &child->output, &slave);
  ends->in = ends->out = ends->err = slave;
  return opened;
}

// Closes the child's copies. The slave of a terminal stays open.
static void close_ends(const struct ends *ends) {
  const int fds[] = {ends->report, ends->tty ? -1 : ends->in, ends->tty ? -1 : ends->out, ends->tty ? -1 : ends->err};
  for (unsigned i = 0; i < sizeof fds / sizeof *fds; i++)
    if (fds[i] >= 0) (void)close(fds[i]);
}

// Waits for exec to close the pipe. Returns false when the child reported a failure.
static bool wait_for_exec(int pipe, struct child *child, struct failure *failure) {
  struct report report;
  struct pollfd wait = {.fd = pipe, .events = POLLIN};
  bool fine = true;
  for (;;) {
    ssize_t got = read(pipe, &report, sizeof report);
    if (got == 0) return fine;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      (void)fds_wait(&wait, 1, -1);
    } else if (got != (ssize_t)sizeof report) {
      return fine;  // records are shorter than PIPE_BUF, so they arrive whole
    } else if (report.joined) {
      child->in_cgroup = true;
    } else {
      *failure = (struct failure){.step = "exec", .error = report.error};
      fine = false;
    }
  }
}

bool child_start(const struct options *options, struct child *child, struct failure *failure) {
  *child = (struct child){.pid = -1, .output = -1, .errors = -1, .in_cgroup = false};
  struct ends ends = {.in = -1, .out = -1, .err = -1, .report = -1, .tty = options->tty};
  int report[2] = {-1, -1};
  bool ready = options->tty ? open_terminal(options, child, &ends) : open_pipes(child, &ends);
  if (!ready) *failure = (struct failure){.step = options->tty ? "pty" : "fork", .error = errno};
  if (ready && !(ready = fd_pipe(report))) *failure = (struct failure){.step = "fork", .error = errno};
  ends.report = report[1];
  if (ready) {
    // The keeper's signal handlers must not run in the child.
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    child->pid = fork();
    if (child->pid == 0) become(options, &ends);
    *failure = (struct failure){.step = "fork", .error = errno};
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    ready = child->pid > 0;
  }
  close_ends(&ends);
  if (ready) ready = wait_for_exec(report[0], child, failure);
  if (report[0] >= 0) (void)close(report[0]);
  return ready;
}
