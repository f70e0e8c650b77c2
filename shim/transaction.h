// The frame of an act on files: root's, whole, one at a time, and with nothing at hand that its caller can delay.
#ifndef SHIM_TRANSACTION_H
#define SHIM_TRANSACTION_H

#include <sys/types.h>

// Goes on as real root, apart from the caller `uid`, with the lock; refuses where that cannot be. The act may last `seconds`
// from now, whatever was used up before. On Linux it goes on in a process of its own; the first one waits for its end, says
// what it has said and exits as it does.
void act_begin(uid_t uid, unsigned seconds);

#endif
