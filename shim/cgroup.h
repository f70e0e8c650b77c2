// Delegates a cgroup to the caller (Linux, cgroup v2), and leaves the caller's cgroups.
#ifndef SHIM_CGROUP_H
#define SHIM_CGROUP_H

// Creates locald.slice/u<uid>/daemon, gives the last two to the caller, and moves the caller's parent (the daemon) there.
// Prints the folder of u<uid>. Takes no path from the caller.
void cgroup_delegate(void);

// Moves this process out of the caller's cgroups in every mounted hierarchy: to the root or, where a root
// takes no processes, to a cgroup owned by root. Exits where that fails. Linux.
void cgroup_leave(void);

#endif
