#include "acl.h"

#include <errno.h>
#include <stddef.h>

#if defined(__APPLE__) || defined(SHIM_FAKE_ACL)
#include <sys/acl.h>
#include <sys/types.h>

// As in acl(3). Letting others change its times, flags and attributes is harmless.
static bool grants(acl_entry_t entry) {
  static const acl_perm_t changes[] = {ACL_WRITE_DATA,   ACL_APPEND_DATA,    ACL_DELETE,
                                       ACL_DELETE_CHILD, ACL_WRITE_SECURITY, ACL_CHANGE_OWNER};
  acl_tag_t tag;
  acl_permset_t permissions;
  if (acl_get_tag_type(entry, &tag) != 0 || acl_get_permset(entry, &permissions) != 0) return true;
  if (tag == ACL_EXTENDED_DENY) return false;
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
    if (acl_get_perm_np(permissions, changes[i]) != 0) return true;
  return false;
}

bool acl_lets_write(int fd, const struct stat *info) {
  (void)info;  // the mode and the list are separate
  errno = 0;
  acl_t list = acl_get_fd_np(fd, ACL_TYPE_EXTENDED);
  if (list == NULL) return errno != ENOENT;
  bool found = false;
  acl_entry_t entry;
  for (int which = ACL_FIRST_ENTRY; !found && acl_get_entry(list, which, &entry) == 0; which = ACL_NEXT_ENTRY)
    found = grants(entry);
  (void)acl_free(list);
  return found;
}
#else
#include <sys/xattr.h>

// The group bits are then the most that the list grants (acl(5)).
bool acl_lets_write(int fd, const struct stat *info) {
  if ((info->st_mode & S_IWGRP) == 0) return false;
  return fgetxattr(fd, "system.posix_acl_access", NULL, 0) >= 0 || (errno != ENODATA && errno != ENOTSUP);
}
#endif
