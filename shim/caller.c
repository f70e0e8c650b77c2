#include "caller.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "credentials.h"
#include "paths.h"
#include "exit-codes.h"
#include "root-path.h"
#include "uids.h"

#ifdef __linux__
#include <sys/prctl.h>
#else
#include <libproc.h>
#include <mach-o/dyld.h>
#endif

// Reports why the process is not root: a mode bit, a mount option, or a parent that gave up gaining privileges.
static void require_root(bool binds) {
  if (geteuid() == 0) return;
  if (credentials_may_bind()) {
    if (binds) return;
    exit_with(EXIT_PORTS_ONLY, "installed for ports only; for everything else run `" SETUP "`", NULL);
  }
#ifdef __linux__
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
    exit_with(EXIT_NO_NEW_PRIVILEGES, "the caller may not gain privileges (no_new_privs)", NULL);
#endif
  exit_with(EXIT_NOT_SETUID, "not setuid root, or on a file system mounted nosuid; run `" SETUP "`", NULL);
}

static void own_path(char path[static PATH_MAX]) {
#ifdef __linux__
  ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
  if (len <= 0) exit_with_errno(EXIT_OWN_PATH, "/proc/self/exe");
  path[len] = '\0';
#else
  static char raw[PATH_MAX];
  uint32_t size = sizeof raw;
  if (_NSGetExecutablePath(raw, &size) != 0 || realpath(raw, path) == NULL)
    exit_with(EXIT_OWN_PATH, "its own path is unknown", NULL);
#endif
}

// Returns whether the file is the running program. On macOS the path it was started by may lead to another file by now: any user may
// start an old version by their own hard link and replace that with a symbolic link; its mapped code shows it (xnu-11417.101.15,
// bsd/kern/proc_info.c proc_pidregionpathinfo). Where that is not available, the path has to do.
static bool is_running(const struct stat *file) {
#ifdef __linux__
  struct stat self;
  return stat("/proc/self/exe", &self) == 0 && self.st_ino == file->st_ino && self.st_dev == file->st_dev;
#else
  static struct proc_regionwithpathinfo code;
  const uint64_t address = (uint64_t)(uintptr_t)&caller_check;
  const int size = (int)sizeof code;
  if (proc_pidinfo(getpid(), PROC_PIDREGIONPATHINFO, address, &code, size) != size) return true;
  const struct vinfo_stat *self = &code.prp_vip.vip_vi.vi_stat;
  return self->vst_ino == 0 || (self->vst_ino == file->st_ino && self->vst_dev == (uint32_t)file->st_dev);
#endif
}

static void require_own_path(void) {
  static char path[PATH_MAX];
  own_path(path);
  char *name = strrchr(path, '/');
  if (name == NULL || name == path || name[1] == '\0') exit_with(EXIT_OWN_PATH, "its own path is invalid", path);
  *name++ = '\0';
  struct stat file;
  int folder = root_path_folder(EXIT_OWN_PATH, path);
  int fd = root_path_file(EXIT_OWN_PATH, folder, name, O_RDONLY, &file);
  if (fd < 0) exit_with(EXIT_OWN_PATH, "it was replaced while starting", name);
  if (!is_running(&file)) exit_with(EXIT_OWN_PATH, "it was replaced while starting", name);
  (void)close(fd);
  (void)close(folder);
}

static void require_listed(uid_t uid) {
  static char text[CONF_MAX + 1];
  struct stat info;
  int folder = root_path_folder(EXIT_CONF, CONF_FOLDER);
  int fd = root_path_file(EXIT_CONF, folder, CONF_NAME, O_RDONLY, &info);
  if (fd < 0) exit_with(EXIT_CONF, "the list of allowed users is missing; run `" SETUP "`", CONF_FOLDER "/" CONF_NAME);
  size_t len = 0;
  ssize_t got;
  while (len < sizeof text && (got = read(fd, text + len, sizeof text - len)) > 0) len += (size_t)got;
  if (len > CONF_MAX) exit_with(EXIT_CONF, "the list of allowed users is too long", CONF_NAME);
  (void)close(fd);
  (void)close(folder);
  switch (uids_find(text, len, uid)) {
    case LISTED:
      return;
    case NOT_LISTED:
      exit_with(EXIT_CALLER, "this user is not on the list of allowed users; run `" SETUP "`", NULL);
    case LIST_BROKEN:
      exit_with(EXIT_CONF, "the list of allowed users has an invalid line; run `" SETUP "`", CONF_NAME);
  }
}

void caller_check(bool binds) {
  require_root(binds);
  require_own_path();
  if (getuid() != 0) require_listed(getuid());
}
