// A file that takes another's place as a whole: written beside it, synced, renamed. Only to be used under the lock.
#ifndef SHIM_ATOMIC_FILE_H
#define SHIM_ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

// Writes `bytes` to a new file with this owner, group, mode; `like`: a descriptor whose SELinux label it gets, or -1.
void draft_write(int folder, const char *draft, const char *bytes, size_t len, const struct stat *as, int like);

// Puts it in its place. False, the draft removed, when `name` is a mount point: it has to be written where it is.
bool draft_publish(int folder, const char *draft, const char *name);

// Writes to a file that cannot be replaced. Not atomic: a crash meanwhile may leave a mixture.
void draft_overwrite(int fd, const char *bytes, size_t len);

#endif
