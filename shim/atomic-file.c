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

static _Noreturn void give_up(int folder, const char *draft, const char *what) {
  int error = errno;
  (void)unlinkat(folder, draft, 0);  // it is the one that cannot be written
  errno = error;
  refuse_errno(REFUSE_WRITE, what);
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

// With the label of any new file in /etc, confined services could not read the hosts file.
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

// What trail_file has let pass lets nobody write, so a file without them is no worse: a volume, or System Integrity Protection, may refuse.
static void copy_lists(int from, int to) {
#if defined(__APPLE__) || defined(SHIM_FAKE_ACL)
  if (from >= 0) (void)fcopyfile(from, to, NULL, COPYFILE_ACL | COPYFILE_XATTR);
#else
  (void)from;
  (void)to;
#endif
}

// Down to the medium: on macOS fsync(2) leaves it in the drive's cache, and not every file system has more.
static bool sync_all(int fd) {
#ifdef F_FULLFSYNC
  if (fcntl(fd, F_FULLFSYNC) == 0) return true;
#endif
  return fsync(fd) == 0;
}

void draft_write(int folder, const char *draft, const char *bytes, size_t len, const struct stat *as, int like) {
  // One that is there was left by a shim that was killed: the lock is ours, and nobody but root could put it there.
  if (unlinkat(folder, draft, 0) != 0 && errno != ENOENT) refuse_errno(REFUSE_WRITE, draft);
  int fd = openat(folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) refuse_errno(REFUSE_WRITE, draft);
  if (!write_at(fd, bytes, len)) give_up(folder, draft, "it cannot be written");
  if (fchown(fd, as->st_uid, as->st_gid) != 0 || fchmod(fd, as->st_mode & 0777) != 0) give_up(folder, draft, "its owner");
  if (!copy_label(like, fd)) give_up(folder, draft, "its SELinux label");
  copy_lists(like, fd);
  if (!sync_all(fd) || close(fd) != 0) give_up(folder, draft, "it cannot be written");
}

bool draft_publish(int folder, const char *draft, const char *name) {
  if (renameat(folder, draft, folder, name) != 0) {
    if (errno != EBUSY && errno != EXDEV) give_up(folder, draft, name);
    (void)unlinkat(folder, draft, 0);
    return false;
  }
  if (!sync_all(folder)) refuse_errno(REFUSE_WRITE, "the folder cannot be synced");
  return true;
}

void draft_overwrite(int fd, const char *bytes, size_t len) {
  if (!write_at(fd, bytes, len) || ftruncate(fd, (off_t)len) != 0 || !sync_all(fd))
    refuse_errno(REFUSE_WRITE, "it cannot be written");
}
