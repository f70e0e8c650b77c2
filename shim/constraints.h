// Checks the name constraints of a CA: a pure function.
#ifndef SHIM_CONSTRAINTS_H
#define SHIM_CONSTRAINTS_H

#include <stdbool.h>

#include "der.h"

// Returns true when they exclude nothing and permit DNS names, all equal to or below localhost, test or internal, and the
// loopback addresses of both families, and no others.
bool constraints_local(struct der extension, const char **why);

#endif
