// Drops privileges permanently to the caller, or becomes root permanently.
#ifndef SHIM_CREDENTIALS_H
#define SHIM_CREDENTIALS_H

#include <stdbool.h>

// Returns whether this process may bind low ports without being root (Linux capabilities).
bool credentials_may_bind(void);

// Gives up all privileges, and verifies that they cannot be regained.
void credentials_become_caller(void);

// Becomes real root, so that the caller can send no signal any more, and blocks all signals but SIGKILL.
void credentials_become_root(void);

#endif
