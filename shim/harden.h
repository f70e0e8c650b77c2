// Resets what a process inherits from a hostile caller, before anything else.
#ifndef SHIM_HARDEN_H
#define SHIM_HARDEN_H

#include <stdbool.h>

enum { CHANNEL_FD = 3 };

// Resets descriptors, environment, folder, umask, timers, signals, limits and core dumps. `channel`: keeps descriptor 3.
// `whole`: the work must not be cut short, so it exits where limits are too low.
void harden_process(bool channel, bool whole);

// Disables core dumps and ptrace(2); to be called again after each change of credentials, which resets both.
void harden_against_tracing(void);

// Makes the shim exit after this many seconds from now; 0: never.
void harden_time_limit(unsigned seconds);

// Blocks all signals but SIGKILL from here on.
void harden_against_signals(void);

#endif
