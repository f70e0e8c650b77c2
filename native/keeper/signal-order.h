// In which order the processes of the service are asked to end: some have to wait for the end of others.
#ifndef KEEPER_SIGNAL_ORDER_H
#define KEEPER_SIGNAL_ORDER_H

#include <stdbool.h>

#include "proc.h"

// FREE: it may be asked. PARENT: it is its parent's to end it, or that of one above, which handles the signal: make, npm and the masters
// of servers pass it on. WRITER: it reads from a pipe what another still writes: asked now, `x | cat` would lose the last words of x.
enum turn { TURN_FREE, TURN_PARENT, TURN_WRITER };

// A stop by another signal begins.
void turns_begin(void);

// One for each of the members, which are parents before their children.
void turns_look(const struct process *members, unsigned count, int signal, enum turn *turns);

#endif
