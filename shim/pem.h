// One certificate in PEM (RFC 7468, strict). Pure functions, so that they can be fuzzed.
#ifndef SHIM_PEM_H
#define SHIM_PEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum { PEM_MAX = 16384, CERTIFICATE_MAX = PEM_MAX / 4 * 3 };

// Decodes exactly one CERTIFICATE, with nothing before it and only line ends after it. `der` has room for CERTIFICATE_MAX bytes.
bool pem_decode(const char *text, size_t len, uint8_t *der, size_t *der_len);

// Encodes a certificate in its canonical form, in lines of 64.
void pem_encode(const uint8_t *der, size_t len, struct text *out);

#endif
