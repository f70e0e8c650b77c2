// Runs system programs as root.
#ifndef SHIM_PROGRAM_H
#define SHIM_PROGRAM_H

#include <stdbool.h>

// Exits unless only root can have put it there. The path itself may contain links (/usr/sbin is one on some systems); the path it
// leads to must be root's.
void program_require(const char *path);

// Runs it by its absolute path, with only PATH in its environment and /dev/null as stdio. Returns true when it exits with 0.
bool program_run(const char *const argv[]);

#endif
