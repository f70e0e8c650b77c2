// The order in which the processes of a service get the stop signal: some are held back until others exit.
#ifndef KEEPER_SIGNAL_ORDER_H
#define KEEPER_SIGNAL_ORDER_H

#include <stdbool.h>

#include "proc.h"

// NONE: may get it now. PARENT: its parent, or one above, handles the signal and will stop it: make, npm and the masters
// of servers pass it on. WRITER: it reads a pipe that another process still writes: `x | cat` would lose the last output of x.
enum signal_hold { HOLD_NONE, HOLD_PARENT, HOLD_WRITER };

// Starts a stop with another signal.
void signal_order_begin(void);

// Fills in one hold for each member; members are sorted parents before children.
void signal_order_look(const struct process *members, unsigned count, int signal, enum signal_hold *holds);

#endif
