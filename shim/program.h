// A program of the system, run as root.
#ifndef SHIM_PROGRAM_H
#define SHIM_PROGRAM_H

#include <stdbool.h>

// Refuses unless only root could have put it there. Its own path may go over links (/usr/sbin is one on some systems); where it ends
// must be root's.
void program_require(const char *path);

// By its absolute path, in an environment of only PATH, with nothing on its standard descriptors. True when it exits with 0.
bool program_run(const char *const argv[]);

#endif
