// Isolates work that must complete from its caller: no setting of the caller's processes can kill, stop
// or starve it halfway.
#ifndef SHIM_ISOLATE_H
#define SHIM_ISOLATE_H

// As root: leaves the caller's cgroups (which the caller can kill, freeze and limit), and resets scheduling, nice value, I/O
// priority, CPUs, memory policy and OOM score. Programs that it runs later inherit all of it.
// Exits where the kernel does not allow it.
void isolate(void);

#endif
