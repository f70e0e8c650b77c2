// Hash links by which programs find a CA in a folder: `3bde41ac.0` for the first whose subject has this hash (openssl-rehash(1)).
#ifndef SHIM_HASH_LINKS_H
#define SHIM_HASH_LINKS_H

#include <stdbool.h>

// Returns whether a hash link leads to the file.
bool hash_links_lead_to(int folder, const char *file);

// Removes all links to the file, whether it exists or not. Programs count from 0 and stop at the first gap, so the last link of
// the hash replaces the removed one.
void hash_links_remove(int folder, const char *file);

#endif
