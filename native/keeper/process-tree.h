// The processes of the service: all descendants of the keeper, or only its process group where no more is known.
#ifndef KEEPER_PROCESS_TREE_H
#define KEEPER_PROCESS_TREE_H

#include <stdbool.h>
#include <sys/types.h>

#include "descendants.h"

enum { PROCESS_TREE_MAX = DESCENDANTS_MAX };

// Unless `group_only`, starts to track the keeper's descendants. Returns true when it inherits the orphans, so that it has a last child.
bool process_tree_adopt(bool group_only);

// Records the main process. `cgroup` is NULL or a cgroup v2 folder that is killed at the end.
void process_tree_start(pid_t main, const char *cgroup);

// Records that the main process was reaped: its pid may be reused from now on.
void process_tree_main_exited(void);

// Returns the number of live processes besides the main one; a group counts as one.
unsigned process_tree_left(void);

// Sends the signal to the main process's group, so that stopped processes notice it too. Returns false when there is none.
bool process_tree_signal_group(int number);

// Returns all live processes below the keeper (descendants_look), valid until the next call. 0 where only the group is known.
unsigned process_tree_members(const struct process **members);

// Returns true when the members of the tree are known, not only its group.
bool process_tree_known(void);

// Returns the main process's group, 0 when it certainly has no process left.
pid_t process_tree_group(void);

// Sends SIGKILL to every process in one pass, the main process included.
void process_tree_kill(void);

#endif
