// Starts the service: its terminal or pipes, its session, its limits.
#ifndef KEEPER_CHILD_H
#define KEEPER_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "args.h"

// The keeper's ends. With a terminal `output` is its master, `slave` its other side and `errors` is -1.
struct child {
  pid_t pid;
  int output, errors, slave;
  bool in_cgroup;
};

// Which step failed and with which errno.
struct failure {
  const char *step;
  int error;
};

// Returns when the program runs, or cannot.
bool child_start(const struct options *options, struct child *child, struct failure *failure);

// Tells the terminal its size (ioctl_tty(2)); its foreground processes get SIGWINCH. False with errno.
bool child_resize(int terminal, unsigned cols, unsigned rows);

#endif
