// Paths to which only root can have written: each folder on the way and the file itself is owned by root, is no
// link, and is not writable by others.
#ifndef SHIM_ROOT_PATH_H
#define SHIM_ROOT_PATH_H

#include <stddef.h>
#include <sys/stat.h>

#include "exit-codes.h"

// Opens the folder at an absolute path; exits with `code`, naming the part of the path that is at fault.
int root_path_folder(enum exit_code code, const char *path);

// Opens a regular file in such a folder: owned by root, not writable by others, with one link. Returns -1 when there is none.
int root_path_file(enum exit_code code, int folder, const char *name, int flags, struct stat *info);

// Reads a file to its end and returns its length, less than `cap`. Exits with `too_long` when it is longer.
size_t root_path_read(enum exit_code code, int fd, char *buffer, size_t cap, const char *too_long);

#endif
