// The descendants of the keeper, as far as each system shows them.
#ifndef KEEPER_DESCENDANTS_H
#define KEEPER_DESCENDANTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "proc.h"

// The following passes find more.
enum { DESCENDANTS_MAX = 4096 };

// KIN_GROUP: only process groups are known. KIN_SEEN: a process seen below the keeper stays known, even as an
// orphan (macOS). KIN_RETURNING: orphans become children of the keeper, so that none is missed and wait(2) reports the last (Linux).
enum kin { KIN_GROUP, KIN_SEEN, KIN_RETURNING };

enum kin descendants_open(void);

// Returns all live descendants, parents before children, valid until the next call. An orphan's parent is the keeper. `main` is the main
// process and its group, whose members are included.
unsigned descendants_look(pid_t main, const struct process **members);

// Kills in one pass: each process as soon as it is seen.
void descendants_kill(pid_t main);

#endif
