// Checks whether a whole machine may trust a certificate: a CA of locald, whose critical name constraints
// (RFC 5280, 4.2.1.10) permit nothing but local names. A pure function, so that it can be fuzzed.
#ifndef SHIM_CA_CHECK_H
#define SHIM_CA_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SERIAL_MAX = 20 };

// What the file name is made of.
struct ca {
  uint8_t serial[SERIAL_MAX];
  size_t serial_len;
};

// Accepts X.509 version 3, self-issued, a common name that begins with "locald"; an RSA key of 2048 to 8192 bits or one on
// P-256 or P-384; a signature by SHA-2; critical basicConstraints (CA), critical keyUsage with keyCertSign, extendedKeyUsage
// for TLS servers only, critical nameConstraints; no other extensions but key identifiers. Otherwise returns false and why.
bool ca_check(const uint8_t *certificate, size_t len, struct ca *ca, const char **why);

// Reads only what the file name is made of. Returns false for what is no certificate.
bool ca_read(const uint8_t *certificate, size_t len, struct ca *ca);

#endif
