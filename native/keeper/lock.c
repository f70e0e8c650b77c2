#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

// sysexits(3)
enum { CANNOT_CREATE = 73, TRY_AGAIN = 75, CANNOT_RUN = 126, NOT_FOUND = 127 };

enum { TRIES = 100 };

// The folder is missing after a boot, and only its owner may access it.
static void make_folder_of(const char *path) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path);
  if (length == 0 || length >= sizeof folder) return;
  memcpy(folder, path, length);
  folder[length] = '\0';
  // Opening the file reports what is wrong with its folder.
  (void)mkdir(folder, 0700);
}

static bool is_at(int fd, const char *path) {
  struct stat opened, there;
  return fstat(fd, &opened) == 0 && lstat(path, &there) == 0 && opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}

static int complain(const char *what) {
  text_complain("locald-keeper", what, strerror(errno));
  return CANNOT_CREATE;
}

int lock(const char *path, bool held_ok, char *const *program) {
  const int held = held_ok ? 0 : TRY_AGAIN;
  int fd;
  make_folder_of(path);
  for (unsigned tries = 0;; tries++) {
    fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (fd >= 0 && fd <= STDERR_FILENO) fd = fcntl(fd, F_DUPFD, STDERR_FILENO + 1);
    if (fd < 0) return complain(path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) return errno == EWOULDBLOCK ? held : complain(path);
    // A file that was removed since it was opened locks nothing: the next process creates another.
    if (is_at(fd, path)) break;
    (void)close(fd);
    if (tries == TRIES) return held;
  }
  (void)execvp(program[0], program);
  int error = errno;
  text_complain("locald-keeper", program[0], strerror(error));
  return error == ENOENT ? NOT_FOUND : CANNOT_RUN;
}

int relock(void) {
  if (flock(STDIN_FILENO, LOCK_EX | LOCK_NB) == 0) return 0;
  return errno == EWOULDBLOCK ? TRY_AGAIN : complain("standard input");
}
