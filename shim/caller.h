// Checks that this program is installed safely, and that its caller may use it.
#ifndef SHIM_CALLER_H
#define SHIM_CALLER_H

#include <stdbool.h>

// Exits unless it runs as root (or, for `bind`, with the capability for it), from a path owned by root, for a listed caller.
void caller_check(bool binds);

#endif
