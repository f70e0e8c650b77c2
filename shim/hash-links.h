// Links by which programs find a CA in a folder: `3bde41ac.0` for the first whose subject has this hash (openssl-rehash(1)).
#ifndef SHIM_HASH_LINKS_H
#define SHIM_HASH_LINKS_H

#include <stdbool.h>

// Whether a link of this kind leads to the file.
bool links_lead_to(int folder, const char *file);

// Removes all that lead to the file, whether it exists or not. Programs count from 0 and stop at the first gap, so the last link of
// the hash replaces the one that is removed.
void links_remove(int folder, const char *file);

#endif
