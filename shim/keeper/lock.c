#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "text.h"

// sysexits(3)
enum { CANNOT_CREATE = 73, TRY_AGAIN = 75, CANNOT_RUN = 126, NOT_FOUND = 127 };

int lock(const char *path, char *const *program) {
  int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (fd >= 0 && fd <= STDERR_FILENO) fd = fcntl(fd, F_DUPFD, STDERR_FILENO + 1);
  if (fd < 0) {
    text_complain("locald-keeper", path, strerror(errno));
    return CANNOT_CREATE;
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return TRY_AGAIN;
    text_complain("locald-keeper", path, strerror(errno));
    return CANNOT_CREATE;
  }
  (void)execvp(program[0], program);
  int error = errno;
  text_complain("locald-keeper", program[0], strerror(error));
  return error == ENOENT ? NOT_FOUND : CANNOT_RUN;
}
