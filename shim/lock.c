#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "paths.h"
#include "exit-codes.h"
#include "root-path.h"

enum { TRIES = 400, PAUSE_NS = 10000000 };

static int held = -1;

// A user's shims first wait for each other, so that only one of them at a time can delay other users.
static bool take_own(int fd, uid_t uid) {
#ifdef F_OFD_SETLK
  struct flock own = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)uid, .l_len = 1};
  return fcntl(fd, F_OFD_SETLK, &own) == 0;
#else
  (void)fd;
  (void)uid;
  return true;
#endif
}

static bool take_all(int fd, uid_t uid) {
  (void)uid;
  return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void wait_for(bool (*take)(int fd, uid_t uid), int fd, uid_t uid) {
  for (int left = TRIES; !take(fd, uid); left--) {
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = PAUSE_NS};
    if (errno != EWOULDBLOCK && errno != EACCES) exit_with_errno(EXIT_WRITE, LOCK_NAME);
    if (left == 0) exit_with(EXIT_BUSY, "timed out waiting for another locald-shim", NULL);
    (void)nanosleep(&pause, NULL);
  }
}

void lock_take(uid_t uid) {
  int folder = root_path_folder(EXIT_CONF, CONF_FOLDER);
  int fd = openat(folder, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  struct stat info;
  if (fd < 0) exit_with_errno(EXIT_WRITE, CONF_FOLDER "/" LOCK_NAME);
  // Others could hold a lock forever that they can open.
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != 0 || (info.st_mode & 077) != 0)
    exit_with(EXIT_CONF, "not root's alone", CONF_FOLDER "/" LOCK_NAME);
  wait_for(take_own, fd, uid);
  wait_for(take_all, fd, uid);
  (void)close(folder);
  held = fd;
}

void lock_release(void) {
  if (held >= 0) (void)close(held);
  held = -1;
}
