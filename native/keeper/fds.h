// What has to be done to file descriptors before they are used in a loop that must never block or leak.
#ifndef KEEPER_FDS_H
#define KEEPER_FDS_H

#include <poll.h>
#include <stdbool.h>

// The daemon's socket, as spawned: see fds_inherit.
enum { FIRST_CLIENT_FD = 3 };

// Makes 0, 1 and 2 be something and closes all that was inherited above FIRST_CLIENT_FD.
// True when FIRST_CLIENT_FD is a socket; whatever else it is gets closed.
bool fds_inherit(void);

// Close-on-exec and non-blocking. False with errno.
bool fd_prepare(int fd);

// Both ends close-on-exec and non-blocking. False with errno, with nothing open.
bool fd_pipe(int ends[2]);

// A socket of this type bound to a path which only its owner may use; what was there is unlinked. -1 with errno.
int fd_bind(const char *path, int type);

// poll(2), or on macOS, where poll(2) does not do terminals, the same by select(2).
int fds_wait(struct pollfd *fds, unsigned count, int timeout_ms);

#endif
