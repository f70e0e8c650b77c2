// Signals as something to wait for: a pipe which a handler writes to.
#ifndef KEEPER_SIGNALS_H
#define KEEPER_SIGNALS_H

#include <stdbool.h>

// Catches SIGCHLD, SIGTERM, SIGINT and SIGHUP, ignores what would end the keeper by chance. False with errno.
bool signals_open(void);

// Readable after a signal.
int signals_fd(void);

// Empties the pipe. True when the keeper was asked to end the service.
bool signals_take(void);

// True, once, after a SIGHUP: the paths of the sockets may be missing.
bool signals_hung_up(void);

#endif
