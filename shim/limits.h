// Resource limits: those of a caller end programs half-way and cut files short.
#ifndef SHIM_LIMITS_H
#define SHIM_LIMITS_H

#include <stdbool.h>

// Sets every limit there is. `strict`: refuses where one stays below what is needed (in containers root may not raise them).
void limits_reset(bool strict);

#endif
