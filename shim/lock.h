// One shim at a time changes files.
#ifndef SHIM_LOCK_H
#define SHIM_LOCK_H

#include <sys/types.h>

// Waits for the lock, which lasts as long as this process; refuses when it is not free in time. `uid`: the caller.
void lock_take(uid_t uid);

// Gives it back, if it was taken: nothing that the caller can delay is done while it is held.
void lock_release(void);

#endif
