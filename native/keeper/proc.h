// What the system says of processes: Linux in /proc, macOS by sysctl(3) and libproc.
#ifndef KEEPER_PROC_H
#define KEEPER_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A process as it is right now. `start` tells two of one pid apart: clock ticks since the machine's start, or µs since 1970.
struct process {
  pid_t pid, parent, group;
  uint64_t start;
  bool alive, stopped;
};

// Whether a process has a handler for a signal or, as far as the system shows it (Linux), waits for it as sigwait(3) and signalfd(2) do.
bool proc_handles(pid_t pid, int signal);

// The file name of its program: of a script that of its interpreter. False when it cannot be seen.
bool proc_program(pid_t pid, char *name, size_t cap);

// The pipes that are its standard input, output and errors: a number that both ends have, 0 for what is no pipe or cannot be seen.
struct pipes {
  uint64_t input, output, errors;
};

void proc_pipes(pid_t pid, struct pipes *pipes);

#ifdef __linux__
// Calls `visit` for each entry of a folder of /proc whose name is a number. False when the folder cannot be read.
bool proc_each(const char *folder, void (*visit)(pid_t number, void *with), void *with);

// Reads a small file whole, closed by a NUL: its length, or -1.
ssize_t proc_read(const char *path, char *buffer, size_t cap);

// Looks at one process. False when it does not exist.
bool proc_look(pid_t pid, struct process *process);

// The parent of a process, 0 when it is gone; `alive` is false for a zombie.
pid_t proc_parent(pid_t pid, bool *alive);

// The soft RLIMIT_RTTIME of a process; false when it is gone or unlimited.
bool proc_mark(pid_t pid, uint64_t *mark);
#else
// All processes of the machine, also those that have ended and were not waited for: how many. What does not fit is left out.
unsigned proc_everyone(struct process *into, unsigned cap);

// False where the system does not show us even ourselves.
bool proc_sees(void);
#endif

#endif
