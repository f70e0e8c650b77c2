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

// Tells apart why there is no root: a mode bit, a mount option, or a parent that gave up gaining privileges.
static void require_root(bool binds) {
  if (geteuid() == 0) return;
  if (become_may_bind()) {
    if (binds) return;
    refuse(REFUSE_PORTS_ONLY, "it was installed for ports only; for the rest run `" SETUP "`", NULL);
  }
#ifdef __linux__
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
    refuse(REFUSE_NO_NEW_PRIVILEGES, "its caller may not gain privileges (no_new_privs)", NULL);
#endif
  refuse(REFUSE_NOT_SETUID, "it is not setuid root, or on a file system mounted nosuid; run `" SETUP "`", NULL);
}

static void own_path(char path[static PATH_MAX]) {
#ifdef __linux__
  ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
  if (len <= 0) refuse_errno(REFUSE_OWN_PATH, "/proc/self/exe");
  path[len] = '\0';
#else
  static char raw[PATH_MAX];
  uint32_t size = sizeof raw;
  if (_NSGetExecutablePath(raw, &size) != 0 || realpath(raw, path) == NULL)
    refuse(REFUSE_OWN_PATH, "its own path is not known", NULL);
#endif
}

// Whether the file is the one that runs. On macOS the path it was started by may lead to another one by now, as anybody may start an
// old version by a name of their own for it (hard link) and put a link in its place; its mapped code tells (xnu-11417.101.15,
// bsd/kern/proc_info.c proc_pidregionpathinfo). Where that cannot be told, its path has to do.
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
  if (name == NULL || name == path || name[1] == '\0') refuse(REFUSE_OWN_PATH, "its own path is odd", path);
  *name++ = '\0';
  struct stat file;
  int folder = trail_folder(REFUSE_OWN_PATH, path);
  int fd = trail_file(REFUSE_OWN_PATH, folder, name, O_RDONLY, &file);
  if (fd < 0) refuse(REFUSE_OWN_PATH, "it was replaced while it started", name);
  if (!is_running(&file)) refuse(REFUSE_OWN_PATH, "it was replaced while it started", name);
  (void)close(fd);
  (void)close(folder);
}

static void require_listed(uid_t uid) {
  static char text[CONF_MAX + 1];
  struct stat info;
  int folder = trail_folder(REFUSE_CONF, CONF_FOLDER);
  int fd = trail_file(REFUSE_CONF, folder, CONF_NAME, O_RDONLY, &info);
  if (fd < 0) refuse(REFUSE_CONF, "there is no list of who may call; run `" SETUP "`", CONF_FOLDER "/" CONF_NAME);
  size_t len = 0;
  ssize_t got;
  while (len < sizeof text && (got = read(fd, text + len, sizeof text - len)) > 0) len += (size_t)got;
  if (len > CONF_MAX) refuse(REFUSE_CONF, "the list of who may call is too long", CONF_NAME);
  (void)close(fd);
  (void)close(folder);
  switch (uids_find(text, len, uid)) {
    case LISTED:
      return;
    case NOT_LISTED:
      refuse(REFUSE_CALLER, "this user may not use it; run `" SETUP "`", NULL);
    case LIST_BROKEN:
      refuse(REFUSE_CONF, "the list of who may call has a wrong line; run `" SETUP "`", CONF_NAME);
  }
}

void caller_check(bool binds) {
  require_root(binds);
  require_own_path();
  if (getuid() != 0) require_listed(getuid());
}
