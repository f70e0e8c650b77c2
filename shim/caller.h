// Whether this program may be what it is, and whether its caller may use it.
#ifndef SHIM_CALLER_H
#define SHIM_CALLER_H

#include <stdbool.h>

// Refuses unless it runs as root (or, for `bind`, with the capability for it), from a path of root's, for a listed caller.
void caller_check(bool binds);

#endif
