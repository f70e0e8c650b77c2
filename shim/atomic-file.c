#include "atomic-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "exit-codes.h"

#ifdef __linux__
#include <sys/xattr.h>
#endif
#if defined(__APPLE__) || defined(SHIM_FAKE_ACL)
#include <copyfile.h>
#endif

static _Noreturn void give_up(int folder, const char *temporary, const char *what) {
  int error = errno;
  (void)unlinkat(folder, temporary, 0);  // the file that cannot be written
  errno = error;
  exit_with_errno(EXIT_WRITE, what);
}

static bool write_at(int fd, const char *bytes, size_t len) {
  for (size_t at = 0; at < len;) {
    ssize_t wrote = pwrite(fd, bytes + at, len - at, (off_t)at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote == 0) errno = ENOSPC;
    if (wrote <= 0) return false;
    at += (size_t)wrote;
  }
  return true;
}

// With the default label of a new file in /etc, confined services could not read the hosts file.
static bool copy_label(int from, int to) {
#ifdef __linux__
  char label[256];
  ssize_t len = from < 0 ? -1 : fgetxattr(from, "security.selinux", label, sizeof label);
  if (len <= 0) return true;
  return fsetxattr(to, "security.selinux", label, (size_t)len, 0) == 0 || errno == ENOTSUP;
#else
  (void)from;
  (void)to;
  return true;
#endif
}

// root_path_file accepts no list that lets others write, so a file without one is no worse: a volume, or System Integrity
// Protection, may refuse it.
static void copy_lists(int from, int to) {
#if defined(__APPLE__) || defined(SHIM_FAKE_ACL)
  if (from >= 0) (void)fcopyfile(from, to, NULL, COPYFILE_ACL | COPYFILE_XATTR);
#else
  (void)from;
  (void)to;
#endif
}

// Syncs to the medium: on macOS fsync(2) leaves data in the drive's cache, and not every file system supports F_FULLFSYNC.
static bool sync_all(int fd) {
#ifdef F_FULLFSYNC
  if (fcntl(fd, F_FULLFSYNC) == 0) return true;
#endif
  return fsync(fd) == 0;
}

void atomic_file_write(int folder, const char *temporary, const char *bytes, size_t len, const struct stat *as, int like) {
  // A leftover of a killed shim: this process holds the lock, and only root can create files here.
  if (unlinkat(folder, temporary, 0) != 0 && errno != ENOENT) exit_with_errno(EXIT_WRITE, temporary);
  int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) exit_with_errno(EXIT_WRITE, temporary);
  if (!write_at(fd, bytes, len)) give_up(folder, temporary, "it cannot be written");
  if (fchown(fd, as->st_uid, as->st_gid) != 0 || fchmod(fd, as->st_mode & 0777) != 0) give_up(folder, temporary, "its owner");
  if (!copy_label(like, fd)) give_up(folder, temporary, "its SELinux label");
  copy_lists(like, fd);
  if (!sync_all(fd) || close(fd) != 0) give_up(folder, temporary, "it cannot be written");
}

bool atomic_file_publish(int folder, const char *temporary, const char *name) {
  if (renameat(folder, temporary, folder, name) != 0) {
    if (errno != EBUSY && errno != EXDEV) give_up(folder, temporary, name);
    (void)unlinkat(folder, temporary, 0);
    return false;
  }
  if (!sync_all(folder)) exit_with_errno(EXIT_WRITE, "the folder cannot be synced");
  return true;
}

void atomic_file_overwrite(int fd, const char *bytes, size_t len) {
  if (!write_at(fd, bytes, len) || ftruncate(fd, (off_t)len) != 0 || !sync_all(fd))
    exit_with_errno(EXIT_WRITE, "it cannot be written");
}
