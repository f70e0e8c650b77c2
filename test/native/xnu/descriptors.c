// What XNU does and Linux does not, where it matters to the keeper. It is linked into a keeper of the branches that are not
// Linux's (`-xnu` in scripts/build-native.ts) by ld's --wrap, so that no service gets any of it. Sources are of apple-oss-distributions/xnu.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "xnu.h"

enum { FDS_MAX = 1024, PATH_BYTES = 104 };

// Masters of terminals. One takes no ioctl until its slave was opened once.
static struct {
  bool is_master, is_usable;
} fds[FDS_MAX];

static bool refuses(int fd) {
  if (fd < 0 || fd >= FDS_MAX || !fds[fd].is_master || fds[fd].is_usable) return false;
  errno = ENOTTY;
  return true;
}

// bsd/kern/tty_ptmx.c: ENXIO where kern.tty.ptmx_max are open. A test says so by a variable.
int __real_posix_openpt(int flags);
int __wrap_posix_openpt(int flags) {
  if (getenv("XNU_NO_TERMINALS") != NULL) {
    errno = ENXIO;
    return -1;
  }
  int fd = __real_posix_openpt(flags);
  if (fd >= 0 && fd < FDS_MAX) {
    fds[fd].is_master = true;
    fds[fd].is_usable = false;
  }
  return fd;
}

int __real_ioctl(int fd, unsigned long request, ...);

// The other open of a slave that a session's first open of /dev/tty is.
static int ctty = -1;

// bsd/kern/tty_dev.c, ptsclose: the last close waits 60 ticks for the master's reader, then throws away what is unread.
static void close_slave(int fd) {
  int number, of, unread;
  if (ctty >= 0 || fd == ctty || __real_ioctl(fd, TIOCGPTN, &of) == 0 || ttyname(fd) == NULL) return;
  if (sscanf(ttyname(fd), "/dev/pts/%d", &number) != 1) return;
  for (int master = 0; master < FDS_MAX; master++)
    if (fds[master].is_master && __real_ioctl(master, TIOCGPTN, &of) == 0 && of == number &&
        __real_ioctl(master, FIONREAD, &unread) == 0 && unread > 0) {
      (void)usleep(600000);
      (void)tcflush(master, TCIFLUSH);
    }
}

int __real_close(int fd);
int __wrap_close(int fd) {
  if (fd >= 0 && fd < FDS_MAX && fds[fd].is_master) fds[fd].is_master = false;
  else if (isatty(fd)) close_slave(fd);
  return __real_close(fd);
}

// bsd/kern/tty_tty.c, cttyopen: what a session's /dev/tty has opened is closed with its leader, or by revoke(2).
int revoke(const char *path) {
  (void)path;
  if (ctty >= 0) (void)__real_close(ctty);
  ctty = -1;
  return 0;
}

static void slave_opened(const char *path) {
  int number, master;
  if (sscanf(path, "/dev/pts/%d", &number) != 1) return;
  for (int fd = 0; fd < FDS_MAX; fd++)
    if (fds[fd].is_master && __real_ioctl(fd, TIOCGPTN, &master) == 0 && master == number) fds[fd].is_usable = true;
}

// There is no /proc.
int __wrap_open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (strncmp(path, "/proc/", 6) == 0) {
    errno = ENOENT;
    return -1;
  }
  int fd = __real_open(path, flags, mode);
  if (fd >= 0) slave_opened(path);
  if (fd >= 0 && strncmp(path, "/dev/pts/", 9) == 0 && getenv("XNU_DEV_TTY") != NULL) ctty = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return fd;
}

// bsd/kern/tty_dev.c, ptyioctl: ENOTTY on a primary with TS_IOCTL_NOT_OK. macOS 15 (xnu-11215.1.10) exempts FIONBIO and FIOASYNC only.
int __wrap_ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *with = va_arg(rest, void *);
  va_end(rest);
  return refuses(fd) ? -1 : __real_ioctl(fd, request, with);
}

int __real_tcgetattr(int fd, struct termios *modes);
int __wrap_tcgetattr(int fd, struct termios *modes) { return refuses(fd) ? -1 : __real_tcgetattr(fd, modes); }

int __real_tcsetattr(int fd, int when, const struct termios *modes);
int __wrap_tcsetattr(int fd, int when, const struct termios *modes) {
  return refuses(fd) ? -1 : __real_tcsetattr(fd, when, modes);
}

// bsd/kern/kern_descrip.c: F_SETFL is the ioctls FIONBIO and FIOASYNC, and fails as they do.
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  long with = va_arg(rest, long);
  va_end(rest);
  return command == F_SETFL && refuses(fd) ? -1 : __real_fcntl(fd, command, with);
}

// bsd/kern/tty_dev.c, ptcread: the end of the last slave is the end of the file, where Linux says EIO.
ssize_t __real_read(int fd, void *into, size_t bytes);
ssize_t __wrap_read(int fd, void *into, size_t bytes) {
  ssize_t got = __real_read(fd, into, bytes);
  return got < 0 && errno == EIO && fd < FDS_MAX && fds[fd].is_master ? 0 : got;
}

// bsd/kern/uipc_socket2.c, sonewconn: a connection has the modes of its listener; bsd/kern/uipc_usrreq.c: buffers of 8 KiB.
int __real_accept(int listener, struct sockaddr *address, socklen_t *length);
int __wrap_accept(int listener, struct sockaddr *address, socklen_t *length) {
  int fd = __real_accept(listener, address, length);
  int modes = fd < 0 ? 0 : __real_fcntl(listener, F_GETFL, 0L);
  const int bytes = 8192;
  if (fd >= 0) (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  if (fd >= 0) (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  if (fd >= 0 && (modes & O_NONBLOCK) != 0) (void)__real_fcntl(fd, F_SETFL, (long)modes);
  return fd;
}

// bsd/sys/un.h: a path of 104 bytes with its NUL.
int __real_bind(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length) {
  const struct sockaddr_un *local = (const void *)address;
  if (local->sun_family == AF_UNIX && strlen(local->sun_path) >= PATH_BYTES) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return __real_bind(fd, address, length);
}

// poll(2), BUGS: "The poll() system call currently does not support devices."
int __real_poll(struct pollfd *of, nfds_t count, int limit_ms);
int __wrap_poll(struct pollfd *of, nfds_t count, int limit_ms) {
  int wrong = 0;
  for (nfds_t i = 0; i < count; i++) {
    struct stat info;
    of[i].revents = of[i].fd >= 0 && fstat(of[i].fd, &info) == 0 && S_ISCHR(info.st_mode) ? POLLNVAL : 0;
    if (of[i].revents != 0) wrong++;
  }
  return wrong > 0 ? wrong : __real_poll(of, count, limit_ms);
}

// bsd/kern/kern_sig.c, killpg1: zombies of a group are skipped, and a group of zombies alone gives EPERM.
int __real_kill(pid_t pid, int signal);
int __wrap_kill(pid_t pid, int signal) {
  if (pid < -1 && __real_kill(pid, 0) == 0 && !xnu_group_lives(-pid)) {
    errno = EPERM;
    return -1;
  }
  return __real_kill(pid, signal);
}
