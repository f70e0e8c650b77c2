// What the shim uses of Apple's <sys/acl.h>: acl(3). Its lists are lines of the file LISTS: the inode, the tag and the permissions.
#ifndef FAKE_ACL_H
#define FAKE_ACL_H

#include <stdint.h>

typedef struct list *acl_t;
typedef struct entry *acl_entry_t;
typedef struct entry *acl_permset_t;
typedef int acl_tag_t;
typedef int acl_perm_t;
typedef int acl_type_t;

enum { ACL_EXTENDED_ALLOW = 1, ACL_EXTENDED_DENY = 2, ACL_TYPE_EXTENDED = 0x100, ACL_FIRST_ENTRY = 0, ACL_NEXT_ENTRY = -1 };
enum {
  ACL_WRITE_DATA = 1 << 2,
  ACL_DELETE = 1 << 4,
  ACL_APPEND_DATA = 1 << 5,
  ACL_DELETE_CHILD = 1 << 6,
  ACL_WRITE_SECURITY = 1 << 12,
  ACL_CHANGE_OWNER = 1 << 13,
};

acl_t acl_get_fd_np(int fd, acl_type_t type);
int acl_get_entry(acl_t list, int which, acl_entry_t *entry);
int acl_get_tag_type(acl_entry_t entry, acl_tag_t *tag);
int acl_get_permset(acl_entry_t entry, acl_permset_t *permissions);
int acl_get_perm_np(acl_permset_t permissions, acl_perm_t permission);
int acl_free(void *object);

#endif
