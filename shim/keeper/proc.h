// What Linux says of processes in /proc. Elsewhere nothing is known.
#ifndef KEEPER_PROC_H
#define KEEPER_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// Calls `visit` for each entry of a folder of /proc whose name is a number. False when the folder cannot be read.
bool proc_each(const char *folder, void (*visit)(pid_t number, void *with), void *with);

// Reads a small file whole, closed by a NUL: its length, or -1.
ssize_t proc_read(const char *path, char *buffer, size_t cap);

// A process as it is right now. `start` tells two of one pid apart: clock ticks since the machine's start.
struct process {
  pid_t pid, parent, group;
  uint64_t start;
  bool alive, stopped;
};

// Looks at one process. False when it does not exist.
bool proc_look(pid_t pid, struct process *process);

// The parent of a process, 0 when it is gone; `alive` is false for a zombie.
pid_t proc_parent(pid_t pid, bool *alive);

// The soft RLIMIT_RTTIME of a process; false when it is gone or unlimited.
bool proc_mark(pid_t pid, uint64_t *mark);

#endif
