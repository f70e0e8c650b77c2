// The platform's certificate store: store-linux.c, store-darwin.c.
#ifndef SHIM_STORE_H
#define SHIM_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ca-check.h"

// A checked certificate and its owner.
struct certificate {
  uid_t owner;
  const uint8_t *der;
  size_t len;
  const struct ca *ca;
};

// Whether the store records who added a certificate: then any user may name any certificate to remove.
#if defined(__linux__) && !defined(SHIM_FAKE_KEYCHAIN)
enum { STORE_HAS_OWNERS = 1 };
#else
enum { STORE_HAS_OWNERS = 0 };
#endif

// Adding what is there, or removing what is not, changes nothing. All other certificates stay in the store
// throughout.
void store_add(const struct certificate *certificate);
void store_remove(const struct certificate *certificate);

#endif
