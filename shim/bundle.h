// The bundle: one file with the certificates of all CAs that a machine trusts, which most programs read.
#ifndef SHIM_BUNDLE_H
#define SHIM_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

// Writes the bundle's text to `out`, without each copy of the certificate; `add`: with one at the end. All other bytes stay,
// but for a last newline that was missing. A pure function, so that it can be fuzzed. False when `out` is too small.
bool bundle_edit(const char *bundle, size_t len, const struct text *pem, bool add, struct text *out);

// Refuses where there is no such file, or one that others than root may change.
void bundle_require(int folder, const char *name);

// Puts a certificate into the file of a folder, or takes it out; the file is the old one or the new one at any time. `draft`:
// the name it is written under first. A file that is right already, or missing, is not written.
void bundle_change(int folder, const char *name, const char *draft, const struct text *pem, bool add);

#endif
