#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

// sysexits(3)
enum { CANNOT_CREATE = 73, TRY_AGAIN = 75, CANNOT_RUN = 126, NOT_FOUND = 127 };

// The folder is not there when the machine has just started, and nobody else may look into it.
static void make_folder_of(const char *path) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path);
  if (length == 0 || length >= sizeof folder) return;
  memcpy(folder, path, length);
  folder[length] = '\0';
  // What is wrong with it is told when the file cannot be opened.
  (void)mkdir(folder, 0700);
}

int lock(const char *path, char *const *program) {
  make_folder_of(path);
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
