// An act that must be whole is done apart from its caller: nothing that he has set for his own processes can end it, stop it
// or starve it in the middle.
#ifndef SHIM_ISOLATE_H
#define SHIM_ISOLATE_H

// As root: leaves the caller's cgroups (which he can kill, freeze and limit), and gets the usual scheduling, nice value, I/O
// priority, CPUs, memory policy and score for the OOM killer. Programs that are run later inherit all of it.
// Refuses where the kernel does not let it.
void isolate(void);

#endif
