// Links by which programs find a CA in a folder: `3bde41ac.0` for the first whose subject has this hash (openssl-rehash(1)).
#ifndef SHIM_LINKS_H
#define SHIM_LINKS_H

#include <stdbool.h>

// Whether a link of this kind leads to the file.
bool links_lead_to(int folder, const char *file);

// Takes out all that lead to the file, whether it is there or not. They are counted from 0 without a gap, or the later ones are
// not found: the last one of a hash moves into the place of one that is taken out.
void links_remove(int folder, const char *file);

#endif
