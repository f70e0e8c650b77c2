// The store itself, as the platform has it: store-linux.c, store-darwin.c.
#ifndef SHIM_STORE_H
#define SHIM_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ca-check.h"

// A certificate that was checked, and whose it is.
struct certificate {
  uid_t owner;
  const uint8_t *der;
  size_t len;
  const struct authority *authority;
};

// Whether the store knows who has put a certificate into it: then anybody may name any for taking it out.
#if defined(__linux__) && !defined(SHIM_FAKE_KEYCHAIN)
enum { STORE_HAS_OWNERS = 1 };
#else
enum { STORE_HAS_OWNERS = 0 };
#endif

// Adding what is there changes nothing, and neither does taking out what is not there. All other certificates are there at any
// time.
void store_add(const struct certificate *certificate);
void store_remove(const struct certificate *certificate);

#endif
