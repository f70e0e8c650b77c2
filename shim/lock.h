// The lock under which one shim at a time changes files.
#ifndef SHIM_LOCK_H
#define SHIM_LOCK_H

#include <sys/types.h>

// Waits for the lock and holds it until the process exits; exits when it is not free in time. `uid`: the caller.
void lock_take(uid_t uid);

// Releases the lock, if it was taken: while it is held, nothing is done that the caller can delay.
void lock_release(void);

#endif
