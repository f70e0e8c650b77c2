// A cgroup of the caller's own (Linux, cgroup v2).
#ifndef SHIM_CGROUP_H
#define SHIM_CGROUP_H

// Makes locald.slice/u<uid>/daemon, gives the last two to the caller, and moves the caller's parent (the daemon) there.
// Prints the folder of u<uid>. Takes no path from anybody.
void cgroup_delegate(void);

#endif
