// The store itself, as the platform has it: store-linux.c, store-darwin.c.
#ifndef SHIM_STORE_H
#define SHIM_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "authority.h"

// A certificate that was checked, and whose it is.
struct certificate {
  uid_t owner;
  const uint8_t *der;
  size_t len;
  const struct authority *authority;
};

// Adding what is there changes nothing.
void store_add(const struct certificate *certificate);
void store_remove(const struct certificate *certificate);

#endif
