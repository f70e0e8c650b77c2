// The stop signal on its way to the processes of the service: each gets it once, and in its turn.
#ifndef KEEPER_DELIVERY_H
#define KEEPER_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// A stop by this signal begins. False when there was one by the same signal: who has got it does not get it again.
bool delivery_begin(int signal);

// To the main process's group and to the one that has the terminal (`foreground`, 0: none), such as a job of an interactive shell.
void delivery_to_main(pid_t foreground);

// To each process whose parent has ended, and to its group. Others are left to their parents, which may end them in order.
void delivery_to_orphans(void);

// To those whose turn has come meanwhile. False when none waits any more, else this has to be called again soon.
bool delivery_goes_on(int64_t now);

// To all that have not got it: a last call, for those whose parent does not pass it on.
void delivery_to_rest(void);

#endif
