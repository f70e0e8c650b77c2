// Access control lists, which can grant more than the mode of a file or a folder shows.
#ifndef SHIM_ACL_H
#define SHIM_ACL_H

#include <stdbool.h>
#include <sys/stat.h>

// Returns true when the list lets others change the file: its bytes, entries, owner or the list itself; also when it cannot be read.
bool acl_lets_write(int fd, const struct stat *info);

#endif
