#include "cgroup.h"

#include <stddef.h>

#include "exit-codes.h"

#ifdef __linux__
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "credentials.h"
#include "isolate.h"
#include "text.h"

enum { FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

// Version 2 alone, or beside version 1 (hybrid).
static int open_root(const char **path) {
  static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
  for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
    struct statfs info;
    int fd = open(mounts[i], FOLDER_FLAGS);
    if (fd < 0) continue;
    *path = mounts[i];
    if (fstatfs(fd, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC) return fd;
    (void)close(fd);
  }
  exit_with(EXIT_NO_CGROUPS, "no cgroup v2 is mounted at /sys/fs/cgroup", NULL);
}

// Opens a folder below, creating it when missing. Links cannot exist in cgroupfs, and O_NOFOLLOW makes sure.
static int open_below(int folder, const char *name) {
  if (mkdirat(folder, name, 0755) != 0 && errno != EEXIST) exit_with_errno(EXIT_CGROUP, name);
  int fd = openat(folder, name, FOLDER_FLAGS);
  struct statfs info;
  if (fd < 0 || fstatfs(fd, &info) != 0) exit_with_errno(EXIT_CGROUP, name);
  if (info.f_type != CGROUP2_SUPER_MAGIC) exit_with(EXIT_CGROUP, "not a cgroup", name);
  return fd;
}

static bool write_to(int folder, const char *name, const char *text) {
  int fd = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return false;
  bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  int error = errno;
  (void)close(fd);
  errno = error;
  return done;
}

// One by one: a missing controller must not hinder the others, and none is needed to stop services.
static void offer_controllers(int folder) {
  static const char *const controllers[] = {"+cpu", "+memory", "+pids"};
  for (size_t i = 0; i < sizeof controllers / sizeof *controllers; i++)
    (void)write_to(folder, "cgroup.subtree_control", controllers[i]);
}

static void give(int folder, uid_t uid, gid_t gid) {
  // The files that cgroups(7) lists for delegation; limits stay root's.
  static const char *const files[] = {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};
  bool done = fchown(folder, uid, gid) == 0;
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    done = done && (fchownat(folder, files[i], uid, gid, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT);
  if (!done) exit_with_errno(EXIT_CGROUP, "the cgroup cannot be given to the caller");
}

// An open /proc/PID keeps naming the same process: one that reuses the pid is not mistaken for it.
static int open_parent(pid_t parent, uid_t uid) {
  char path[64];
  struct text text = text_in(path, sizeof path);
  struct stat info;
  text_add(&text, "/proc/");
  text_number(&text, (uint64_t)parent);
  int fd = parent > 1 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (fd < 0 || fstat(fd, &info) != 0 || getppid() != parent) exit_with(EXIT_PARENT, "the calling process has exited", NULL);
  if (info.st_uid != uid) exit_with(EXIT_PARENT, "the calling process belongs to another user", NULL);
  return fd;
}

static bool still_there(int process) {
  int fd = openat(process, "cgroup", O_RDONLY | O_CLOEXEC);
  char byte;
  bool there = fd >= 0 && read(fd, &byte, 1) == 1;
  if (fd >= 0) (void)close(fd);
  return there;
}

void cgroup_delegate(void) {
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  const pid_t parent = getppid();
  const char *mount = NULL;
  char own[32], number[32], line[128];
  int process = open_parent(parent, uid);
  credentials_become_root();
  // The caller could freeze this process between the check of a pid and its use, and wait until the pid is reused.
  isolate();
  int root = open_root(&mount);
  struct text name = text_in(own, sizeof own);
  text_add(&name, "u");
  text_number(&name, uid);
  offer_controllers(root);
  int slice = open_below(root, "locald.slice");
  offer_controllers(slice);
  int users = open_below(slice, own);
  int leaf = open_below(users, "daemon");
  give(users, uid, gid);
  give(leaf, uid, gid);
  struct text pid = text_in(number, sizeof number);
  text_number(&pid, (uint64_t)parent);
  if (!still_there(process)) exit_with(EXIT_PARENT, "the calling process has exited", NULL);
  if (!write_to(leaf, "cgroup.procs", number)) exit_with_errno(EXIT_CGROUP, "the calling process cannot be moved");
  struct text said = text_in(line, sizeof line);
  text_add(&said, mount);
  text_add(&said, "/locald.slice/");
  text_add(&said, own);
  text_add(&said, "\n");
  if (write(STDOUT_FILENO, said.at, said.len) != (ssize_t)said.len) exit_with_errno(EXIT_PROCESS, "standard output");
}

// In containers the root of cgroup v2 may delegate controllers, and then takes no processes.
static bool enter_helpers(int root) {
  int slice = open_below(root, "locald.slice");
  int own = open_below(slice, "helper");
  bool done = write_to(own, "cgroup.procs", "0");
  (void)close(own);
  (void)close(slice);
  return done;
}

// Where nothing is writable, the caller has no cgroup either.
static void leave(int root, bool unified) {
  if (write_to(root, "cgroup.procs", "0") || errno == EROFS || errno == ENOENT) return;
  if (unified && errno == EBUSY && enter_helpers(root)) return;
  exit_with_errno(EXIT_CGROUP, "it cannot leave the caller's cgroup");
}

void cgroup_leave(void) {
  struct statfs info;
  int top = open("/sys/fs/cgroup", FOLDER_FLAGS);
  if (top < 0 && errno == ENOENT) return;
  if (top < 0 || fstatfs(top, &info) != 0) exit_with_errno(EXIT_CGROUP, "/sys/fs/cgroup");
  if (info.f_type == CGROUP2_SUPER_MAGIC) {
    leave(top, true);
    (void)close(top);
    return;
  }
  // Version 1: a folder for each hierarchy, and links for aliases; version 2 may be beside them.
  DIR *all = fdopendir(top);
  if (all == NULL) exit_with_errno(EXIT_CGROUP, "/sys/fs/cgroup");
  for (const struct dirent *entry; (entry = readdir(all)) != NULL;) {
    int root = openat(top, entry->d_name, FOLDER_FLAGS);
    if (root < 0) continue;
    if (fstatfs(root, &info) != 0) exit_with_errno(EXIT_CGROUP, entry->d_name);
    if (info.f_type == CGROUP_SUPER_MAGIC || info.f_type == CGROUP2_SUPER_MAGIC)
      leave(root, info.f_type == CGROUP2_SUPER_MAGIC);
    (void)close(root);
  }
  (void)closedir(all);
}
#else
void cgroup_delegate(void) { exit_with(EXIT_NO_CGROUPS, "this system has no cgroups", NULL); }
#endif
