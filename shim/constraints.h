// The name constraints of a CA: a pure function.
#ifndef SHIM_CONSTRAINTS_H
#define SHIM_CONSTRAINTS_H

#include <stdbool.h>

#include "der.h"

// True when they permit, and exclude nothing: DNS names, all of them localhost, test or internal or below; both families of
// loopback addresses and no others.
bool constraints_local(struct der extension, const char **why);

#endif
