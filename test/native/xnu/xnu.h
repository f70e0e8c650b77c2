// What the parts of the imitation of XNU ask one another.
#ifndef XNU_H
#define XNU_H

#include <stdbool.h>
#include <sys/types.h>

int __real_open(const char *path, int flags, ...);

// Whether a group has a process that is no zombie.
bool xnu_group_lives(pid_t group);

#endif
