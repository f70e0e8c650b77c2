// The bundle: one file with the certificates of all CAs the machine trusts, which most programs read.
#ifndef SHIM_BUNDLE_H
#define SHIM_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

// Writes the bundle's text to `out` without any copy of the certificate; `add`: with one at the end. All other bytes stay,
// except that a missing last newline is added. A pure function, so that it can be fuzzed. Returns false when `out` is too small.
bool bundle_edit(const char *bundle, size_t len, const struct text *pem, bool add, struct text *out);

// Exits where the file is missing, or can be changed by others than root.
void bundle_require(int folder, const char *name);

// Adds a certificate to the file, or removes it; at any time the file is the old one or the new one. `temporary`:
// the name it is written under first. A file that is already right, or missing, is not written.
void bundle_change(int folder, const char *name, const char *temporary, const struct text *pem, bool add);

#endif
