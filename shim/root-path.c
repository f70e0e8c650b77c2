#include "root-path.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "acl.h"
#include "text.h"

enum { PATH_LIMIT = 4096 };

#ifdef __APPLE__
#define ACL_REMOVE "`sudo chmod -N` removes it"
#else
#define ACL_REMOVE "`sudo setfacl -b` removes it"
#endif

static void require_roots(enum exit_code code, int fd, const char *path, struct stat *info) {
  if (fstat(fd, info) != 0) exit_with_errno(code, path);
  if (info->st_uid != 0) exit_with(code, "not owned by root", path);
  // Group 0 is root's own.
  if ((info->st_mode & S_IWOTH) != 0 || ((info->st_mode & S_IWGRP) != 0 && info->st_gid != 0))
    exit_with(code, "it is writable by others than root", path);
  if (acl_lets_write(fd, info)) exit_with(code, "an access control list lets others write to it (" ACL_REMOVE ")", path);
}

int root_path_folder(enum exit_code code, const char *path) {
  char so_far[PATH_LIMIT];
  struct text text = text_in(so_far, sizeof so_far);
  struct stat info;
  if (path[0] != '/') exit_with(code, "not an absolute path", path);
  int at = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (at < 0) exit_with_errno(code, "/");
  require_roots(code, at, "/", &info);
  for (const char *part = path; *part != '\0';) {
    part += strspn(part, "/");
    size_t len = strcspn(part, "/");
    if (len == 0) break;
    text_add(&text, "/");
    size_t start = text.len;
    text_bytes(&text, part, len);
    if (text.full) exit_with(code, "the path is too long", NULL);
    int next = openat(at, so_far + start, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) exit_with(code, errno == ELOOP || errno == ENOTDIR ? "not a folder, or a link" : strerror(errno), so_far);
    require_roots(code, next, so_far, &info);
    (void)close(at);
    at = next;
    part += len;
  }
  return at;
}

int root_path_file(enum exit_code code, int folder, const char *name, int flags, struct stat *info) {
  // A FIFO or a device must not block it.
  int fd = openat(folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return -1;
  if (fd < 0) exit_with(code, errno == ELOOP ? "it is a link" : strerror(errno), name);
  require_roots(code, fd, name, info);
  if (!S_ISREG(info->st_mode)) exit_with(code, "not a regular file", name);
#ifdef __linux__
  // macOS lets any user create another name for any file on the same volume, which does not change this one.
  if (info->st_nlink != 1) exit_with(code, "it has several names (hard links)", name);
#endif
  return fd;
}

size_t root_path_read(enum exit_code code, int fd, char *buffer, size_t cap, const char *too_long) {
  size_t len = 0;
  while (len < cap) {
    ssize_t got = read(fd, buffer + len, cap - len);
    if (got == 0) return len;
    if (got < 0 && errno != EINTR) exit_with_errno(code, "it cannot be read");
    if (got > 0) len += (size_t)got;
  }
  exit_with(code, too_long, NULL);
}
