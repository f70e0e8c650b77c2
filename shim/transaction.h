// The frame of a change to files: as root, completed, one at a time, and without anything that the caller can delay.
#ifndef SHIM_TRANSACTION_H
#define SHIM_TRANSACTION_H

#include <sys/types.h>

// Becomes real root, isolated from the caller `uid`, with the lock; exits where that fails. The work may take `seconds`
// from now, however much time was used before. On Linux it continues in a child process; the parent waits for it, prints
// what it printed and exits with its code.
void transaction_begin(uid_t uid, unsigned seconds);

#endif
