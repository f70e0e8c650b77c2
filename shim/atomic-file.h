// Replaces a file atomically: writes beside it, syncs, renames. Only for the holder of the lock.
#ifndef SHIM_ATOMIC_FILE_H
#define SHIM_ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

// Writes `bytes` to a new file with this owner, group and mode; `like`: a descriptor whose SELinux label it gets, or -1.
void atomic_file_write(int folder, const char *temporary, const char *bytes, size_t len, const struct stat *as, int like);

// Renames it to `name`. Returns false, with the temporary file removed, when `name` is a mount point, which can only be written in place.
bool atomic_file_publish(int folder, const char *temporary, const char *name);

// Writes to a file that cannot be replaced. Not atomic: a crash in between may leave a mixture.
void atomic_file_overwrite(int fd, const char *bytes, size_t len);

#endif
