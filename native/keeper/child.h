// Starts the service: its terminal or pipes, its process group, its limits.
#ifndef KEEPER_CHILD_H
#define KEEPER_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "args.h"

// The keeper's side. With a terminal, `output` is its master and `errors` is -1.
struct child {
  pid_t pid;
  int output, errors;
  bool in_cgroup;
};

// Which step failed, and its errno.
struct failure {
  const char *step;
  int error;
};

// Returns when the program runs or has failed to start.
bool child_start(const struct options *options, struct child *child, struct failure *failure);

#endif
