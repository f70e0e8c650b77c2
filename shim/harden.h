// What a process inherits from a hostile caller, put right before anything else is done.
#ifndef SHIM_HARDEN_H
#define SHIM_HARDEN_H

#include <stdbool.h>

enum { CHANNEL_FD = 3 };

// Descriptors, environment, folder, umask, timers, signals, limits, dumps. `channel`: descriptor 3 is kept.
// `whole`: what is done must not be cut short, so it refuses where limits are too low.
void process_harden(bool channel, bool whole);

// Neither core dumps nor ptrace(2); to be said again after each change of credentials, which resets it.
void process_hide(void);

// The shim ends by itself after this many seconds from now; 0: it does not.
void process_limit(unsigned seconds);

// From here on no signal but SIGKILL disturbs.
void process_undisturbed(void);

#endif
