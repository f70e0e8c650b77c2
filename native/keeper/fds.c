#include "fds.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>

enum { MANY_FDS = 65536 };

static void close_above(int first) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0) return;
#endif
  long most = sysconf(_SC_OPEN_MAX);
  if (most < 0 || most > MANY_FDS) most = MANY_FDS;
  for (int fd = first; fd < most; fd++) (void)close(fd);  // most are not open
}
#else
#include <libproc.h>
#include <sys/select.h>

enum { FDS_AT_ONCE = 512 };

// The kernel lists the open descriptors in order: trying every number would cost a new keeper 10 ms.
static void close_above(int first) {
  struct proc_fdinfo open[FDS_AT_ONCE];
  bool more = true;
  while (more) {
    int bytes = proc_pidinfo(getpid(), PROC_PIDLISTFDS, 0, open, (int)sizeof open);
    more = false;
    for (int i = 0; i < bytes / (int)sizeof *open; i++)
      if (open[i].proc_fd >= first && close(open[i].proc_fd) == 0) more = true;
  }
}
#endif

bool fds_inherit(void) {
  for (int fd = 0; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return false;
  close_above(FIRST_CLIENT_FD + 1);
  struct stat info;
  if (fstat(FIRST_CLIENT_FD, &info) != 0) return false;
  if (S_ISSOCK(info.st_mode) && fd_prepare(FIRST_CLIENT_FD)) return true;
  (void)close(FIRST_CLIENT_FD);
  return false;
}

bool fd_prepare(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

bool fd_pipe(int ends[2]) {
  if (pipe(ends) != 0) return false;
  if (fd_prepare(ends[0]) && fd_prepare(ends[1])) return true;
  int error = errno;
  (void)close(ends[0]);
  (void)close(ends[1]);
  errno = error;
  return false;
}

int fd_bind(const char *path, int type) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(address.sun_path, path, strlen(path) + 1);
  if (unlink(path) != 0 && errno != ENOENT) return -1;
  int fd = socket(AF_UNIX, type, 0);
  if (fd < 0) return -1;
  mode_t before = umask(0177);
  bool bound = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
  int error = errno;
  (void)umask(before);  // cannot fail
  if (bound && fd_prepare(fd)) return fd;
  if (bound) error = errno;
  (void)close(fd);
  errno = error;
  return -1;
}

#ifdef __linux__
int fds_wait(struct pollfd *fds, unsigned count, int timeout_ms) { return poll(fds, count, timeout_ms); }
#else
int fds_wait(struct pollfd *fds, unsigned count, int timeout_ms) {
  fd_set in, out;
  FD_ZERO(&in);
  FD_ZERO(&out);
  int most = -1;
  for (unsigned i = 0; i < count; i++) {
    fds[i].revents = 0;
    if (fds[i].fd < 0 || fds[i].fd >= FD_SETSIZE) continue;
    if (fds[i].events & POLLIN) FD_SET(fds[i].fd, &in);
    if (fds[i].events & POLLOUT) FD_SET(fds[i].fd, &out);
    if (fds[i].fd > most) most = fds[i].fd;
  }
  struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
  int ready = select(most + 1, &in, &out, NULL, timeout_ms < 0 ? NULL : &limit);
  if (ready <= 0) return ready;
  for (unsigned i = 0; i < count; i++) {
    if (fds[i].fd < 0 || fds[i].fd >= FD_SETSIZE) continue;
    if (FD_ISSET(fds[i].fd, &in)) fds[i].revents |= POLLIN;
    if (FD_ISSET(fds[i].fd, &out)) fds[i].revents |= POLLOUT;
  }
  return ready;
}
#endif
