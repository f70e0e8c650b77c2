// Cgroups: one of the caller's own (Linux, cgroup v2), and none of the caller's.
#ifndef SHIM_CGROUP_H
#define SHIM_CGROUP_H

// Makes locald.slice/u<uid>/daemon, gives the last two to the caller, and moves the caller's parent (the daemon) there.
// Prints the folder of u<uid>. Takes no path from anybody.
void cgroup_delegate(void);

// Moves this process out of the cgroups of its caller, of every hierarchy that is mounted: to their roots, or, where a root
// takes no processes, to a cgroup of root's own. Refuses where that fails. Linux.
void cgroup_leave(void);

#endif
