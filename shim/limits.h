// Resource limits: a caller's limits could kill programs half-way and truncate files.
#ifndef SHIM_LIMITS_H
#define SHIM_LIMITS_H

#include <stdbool.h>

// Sets every limit. `strict`: exits where one stays below what is needed (in containers root may not raise them).
void limits_reset(bool strict);

#endif
