#include <copyfile.h>
#include <errno.h>
#include <stdio.h>
#include <sys/acl.h>
#include <sys/stat.h>

enum { MOST = 8 };

struct entry {
  int tag, permissions;
};

static struct list {
  struct entry entries[MOST];
  int count, at;
} found;

acl_t acl_get_fd_np(int fd, acl_type_t type) {
  struct stat info;
  FILE *file = fopen(LISTS, "re");
  unsigned long inode;
  int tag, permissions;
  found.count = found.at = 0;
  if (type != ACL_TYPE_EXTENDED || fstat(fd, &info) != 0) return NULL;
  while (file != NULL && found.count < MOST && fscanf(file, "%lu %d %x", &inode, &tag, (unsigned *)&permissions) == 3)
    if (inode == info.st_ino) found.entries[found.count++] = (struct entry){tag, permissions};
  if (file != NULL) (void)fclose(file);
  errno = ENOENT;  // as where there is none
  return found.count == 0 ? NULL : &found;
}

int acl_get_entry(acl_t list, int which, acl_entry_t *entry) {
  if (which == ACL_FIRST_ENTRY) list->at = 0;
  if (list->at >= list->count) return -1;
  *entry = &list->entries[list->at++];
  return 0;
}

int acl_get_tag_type(acl_entry_t entry, acl_tag_t *tag) {
  *tag = entry->tag;
  return 0;
}

int acl_get_permset(acl_entry_t entry, acl_permset_t *permissions) {
  *permissions = entry;
  return 0;
}

int acl_get_perm_np(acl_permset_t permissions, acl_perm_t permission) {
  return (permissions->permissions & permission) != 0;
}

int acl_free(void *object) {
  (void)object;
  return 0;
}

int fcopyfile(int from, int to, copyfile_state_t state, copyfile_flags_t flags) {
  struct stat info;
  if (state != NULL || flags != (COPYFILE_ACL | COPYFILE_XATTR) || fstat(to, &info) != 0) return -1;
  (void)acl_get_fd_np(from, ACL_TYPE_EXTENDED);
  FILE *file = found.count == 0 ? NULL : fopen(LISTS, "ae");
  for (int i = 0; file != NULL && i < found.count; i++)
    (void)fprintf(file, "%lu %d %x\n", (unsigned long)info.st_ino, found.entries[i].tag, (unsigned)found.entries[i].permissions);
  return file == NULL ? 0 : fclose(file);
}
