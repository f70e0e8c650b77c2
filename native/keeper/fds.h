// Prepares file descriptors for a loop that must never block or leak.
#ifndef KEEPER_FDS_H
#define KEEPER_FDS_H

#include <poll.h>
#include <stdbool.h>

// The daemon's socket, as the keeper inherits it: see fds_inherit.
enum { FIRST_CLIENT_FD = 3 };

// Opens 0, 1 and 2 when they are closed, and closes everything inherited above FIRST_CLIENT_FD.
// Returns true when FIRST_CLIENT_FD is a socket; anything else there is closed.
bool fds_inherit(void);

// Sets close-on-exec and non-blocking mode. Returns false with errno.
bool fd_prepare(int fd);

// Opens a pipe, both ends close-on-exec and non-blocking. Returns false with errno and nothing open.
bool fd_pipe(int ends[2]);

// Binds a socket of this type to a path that only its owner may use, and replaces an existing file. Returns -1 with errno.
int fd_bind(const char *path, int type);

// poll(2); on macOS, whose poll(2) does not support terminals, the same by select(2).
int fds_wait(struct pollfd *fds, unsigned count, int timeout_ms);

#endif
