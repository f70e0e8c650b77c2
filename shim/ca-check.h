// Whether a certificate is one that may be trusted by a whole machine: a CA of locald, whose critical name constraints
// (RFC 5280, 4.2.1.10) permit nothing but local names. A pure function, so that it can be fuzzed.
#ifndef SHIM_CA_CHECK_H
#define SHIM_CA_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SERIAL_MAX = 20 };

// What a file is named by.
struct authority {
  uint8_t serial[SERIAL_MAX];
  size_t serial_len;
};

// True for: X.509 version 3, self-issued, a common name that begins with "locald"; an RSA key of 2048 to 8192 bits or one on
// P-256 or P-384; a signature by SHA-2; critical basicConstraints (CA), critical keyUsage with keyCertSign, extendedKeyUsage
// for TLS servers only, critical nameConstraints; no extension besides these but key identifiers. False, with why.
bool authority_check(const uint8_t *certificate, size_t len, struct authority *authority, const char **why);

// No more than what a file is named by. False for what is no certificate.
bool authority_read(const uint8_t *certificate, size_t len, struct authority *authority);

#endif
