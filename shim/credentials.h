// Credentials: from setuid root to the caller for good, or to root for good.
#ifndef SHIM_CREDENTIALS_H
#define SHIM_CREDENTIALS_H

#include <stdbool.h>

// Whether this process may bind low ports without being root (Linux capabilities).
bool become_may_bind(void);

// Gives up all privileges, and proves that they are gone.
void become_caller(void);

// Real root, so that the caller can send no signal any more; and none is taken but SIGKILL.
void become_root(void);

#endif
