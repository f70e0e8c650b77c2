#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "places.h"
#include "refuse.h"
#include "trail.h"

enum { TRIES = 400, PAUSE_NS = 10000000 };

static int held = -1;

void lock_take(void) {
  int folder = trail_folder(REFUSE_CONF, CONF_FOLDER);
  int fd = openat(folder, LOCK_NAME, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  struct stat info;
  if (fd < 0) refuse_errno(REFUSE_WRITE, CONF_FOLDER "/" LOCK_NAME);
  // A lock that others can open they could hold for ever.
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != 0 || (info.st_mode & 077) != 0)
    refuse(REFUSE_CONF, "not root's alone", CONF_FOLDER "/" LOCK_NAME);
  for (int left = TRIES; flock(fd, LOCK_EX | LOCK_NB) != 0; left--) {
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = PAUSE_NS};
    if (errno != EWOULDBLOCK) refuse_errno(REFUSE_WRITE, LOCK_NAME);
    if (left == 0) refuse(REFUSE_BUSY, "another locald-shim does not come to its end", NULL);
    (void)nanosleep(&pause, NULL);
  }
  held = fd;
}

void lock_release(void) {
  if (held >= 0) (void)close(held);
  held = -1;
}
