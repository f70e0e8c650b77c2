// The processes that descend from the keeper, as far as each system can tell.
#ifndef KEEPER_DESCENDANTS_H
#define KEEPER_DESCENDANTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "proc.h"

// More are met in the passes that follow.
enum { DESCENDANTS_MAX = 4096 };

// KIN_GROUP: nothing is known but process groups. KIN_SEEN: who was below the keeper when it was looked at is known from then on, even as
// an orphan (macOS). KIN_RETURNING: orphans become the keeper's own children, so that none is missed and wait(2) tells of the last (Linux).
enum kin { KIN_GROUP, KIN_SEEN, KIN_RETURNING };

enum kin descendants_open(void);

// All live ones, parents before their children, until the next call. The parent of an orphan is the keeper. `main` is the main process
// and its group, whose members count.
unsigned descendants_look(pid_t main, const struct process **members);

// One pass of SIGKILL: each is killed as soon as it is seen.
void descendants_kill(pid_t main);

#endif
