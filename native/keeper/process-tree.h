// The processes of the service: all that descend from the keeper, or its process group where nothing else is known.
#ifndef KEEPER_PROCESS_TREE_H
#define KEEPER_PROCESS_TREE_H

#include <stdbool.h>
#include <sys/types.h>

#include "descendants.h"

enum { TREE_MAX = DESCENDANTS_MAX };

// Unless `group_only`, gets to know all that descends from the keeper. True when it inherits the orphans: it has a last child then.
bool tree_adopt(bool group_only);

// The main process has started. `cgroup` is NULL or a folder of a cgroup v2 to kill in the end.
void tree_start(pid_t main, const char *cgroup);

// The main process has been reaped: from now on its pid may be another's.
void tree_main_ended(void);

// How many processes live besides the main one; a group counts as one.
unsigned tree_left(void);

// Sends the signal to the main process's group, so that stopped ones notice it too. False when there is none.
bool tree_signal_group(int number);

// All live processes below the keeper (descendants_look), until the next call. 0 where only the group is known.
unsigned tree_members(const struct process **members);

// True when the members of the tree are known, not its group alone.
bool tree_known(void);

// The main process's group, 0 when it is certain that no process is left in it.
pid_t tree_group(void);

// One pass of SIGKILL over all there is, the main process included.
void tree_kill(void);

#endif
