// Paths on which nobody but root could have put anything: each folder on the way and the file itself is root's, is no
// link, and cannot be written to by others.
#ifndef SHIM_ROOT_PATH_H
#define SHIM_ROOT_PATH_H

#include <stddef.h>
#include <sys/stat.h>

#include "exit-codes.h"

// A descriptor of the folder at an absolute path; refuses with `code`, naming the part of the path that is at fault.
int trail_folder(enum refusal code, const char *path);

// Opens a regular file in a folder of the trail: root's, not writable by others, one link only. -1 when there is none.
int trail_file(enum refusal code, int folder, const char *name, int flags, struct stat *info);

// Reads a file to its end: its length, less than `cap`. Refuses with `too_long` where it has more.
size_t trail_read(enum refusal code, int fd, char *buffer, size_t cap, const char *too_long);

#endif
