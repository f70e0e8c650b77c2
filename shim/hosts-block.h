// A user's block in the hosts file. A pure function, so that it can be fuzzed.
//   # BEGIN locald uid 1000
//   127.0.0.1 web.shop.localhost
//   ::1 web.shop.localhost
//   # END locald uid 1000
#ifndef SHIM_HOSTS_BLOCK_H
#define SHIM_HOSTS_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostnames.h"
#include "text.h"

// Writes the file's text to `out`, with the block in place of an earlier one or at the end; without names, no block.
// All other bytes stay. Returns false and why when a block (of any user) is damaged, or `out` is too small.
bool hosts_block_replace(const char *file, size_t len, uint32_t uid, const struct hostnames *names, struct text *out,
                   const char **why);

#endif
