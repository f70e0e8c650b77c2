// Access control lists, which let more in than the mode of a file or a folder says.
#ifndef SHIM_ACL_H
#define SHIM_ACL_H

#include <stdbool.h>
#include <sys/stat.h>

// Whether one lets anybody change it: its bytes, its entries, its owner or the list itself. True, too, for one that cannot be read.
bool acl_lets_write(int fd, const struct stat *info);

#endif
