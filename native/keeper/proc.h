// Reads processes from the system: Linux from /proc, macOS by sysctl(3) and libproc.
#ifndef KEEPER_PROC_H
#define KEEPER_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A process as it is now. `start` distinguishes processes that reuse a pid: clock ticks since boot, or µs since 1970.
struct process {
  pid_t pid, parent, group;
  uint64_t start;
  bool alive, stopped;
};

// Returns whether a process handles a signal or, where the system shows it (Linux), waits for it with sigwait(3) or signalfd(2).
bool proc_handles(pid_t pid, int signal);

// Reads the file name of the program; for a script, of its interpreter. Returns false when it is not visible.
bool proc_program(pid_t pid, char *name, size_t cap);

// The pipes on standard input, output and error: a number that both ends share, 0 for what is no pipe or not visible.
struct pipes {
  uint64_t input, output, errors;
};

void proc_pipes(pid_t pid, struct pipes *pipes);

#ifdef __linux__
// Calls `visit` for each numeric entry of a folder of /proc. Returns false when the folder cannot be read.
bool proc_each(const char *folder, void (*visit)(pid_t number, void *with), void *with);

// Reads a small file and adds a NUL. Returns its length, or -1.
ssize_t proc_read(const char *path, char *buffer, size_t cap);

// Reads one process. Returns false when it does not exist.
bool proc_look(pid_t pid, struct process *process);

// Returns the parent of a process, 0 when it does not exist; `alive` is false for a zombie.
pid_t proc_parent(pid_t pid, bool *alive);

// Reads the soft RLIMIT_RTTIME of a process. Returns false when it does not exist or is unlimited.
bool proc_mark(pid_t pid, uint64_t *mark);
#else
// Reads all processes of the machine, zombies included, and returns their number. Those beyond `cap` are dropped.
unsigned proc_everyone(struct process *into, unsigned cap);

// Returns false where the system does not even show us our own process.
bool proc_sees(void);
#endif

#endif
