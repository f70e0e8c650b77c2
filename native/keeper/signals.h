// Turns signals into something to poll: a pipe that the handler writes to.
#ifndef KEEPER_SIGNALS_H
#define KEEPER_SIGNALS_H

#include <stdbool.h>

// Catches SIGCHLD, SIGTERM, SIGINT and SIGHUP, and ignores what would kill the keeper by accident. Returns false with errno.
bool signals_open(void);

// Returns the descriptor that is readable after a signal.
int signals_fd(void);

// Empties the pipe. Returns true when the keeper was asked to stop the service.
bool signals_take(void);

// Returns true, once, after a SIGHUP: the sockets' paths may be missing.
bool signals_hung_up(void);

#endif
