// Delivers the stop signal to the processes of the service: to each once, and in order.
#ifndef KEEPER_DELIVERY_H
#define KEEPER_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// Starts a stop with this signal. Returns false when there was one with the same signal: no process gets it twice.
bool delivery_begin(int signal);

// Signals the main process's group and the terminal's foreground group (`foreground`, 0: none), such as a job of an interactive shell.
void delivery_to_main(pid_t foreground);

// Signals each orphan and its group. Other processes are left to their parents, which may stop them in order.
void delivery_to_orphans(void);

// Signals processes that are no longer held back. Returns false when none is left; otherwise it has to be called again soon.
bool delivery_goes_on(int64_t now);

// Signals all that have not got it: a last call, for processes whose parent does not pass it on.
void delivery_to_rest(void);

#endif
