// The names for the hosts file: "locald-hosts 1 COUNT", then COUNT names, one per line. A pure function, so
// that it can be fuzzed. With the count, the truncated input of a failed producer is detected.
#ifndef SHIM_HOSTNAMES_H
#define SHIM_HOSTNAMES_H

#include <stdbool.h>
#include <stddef.h>

enum { HOSTNAMES_MAX = 1024, NAME_MAX_BYTES = 253, LABEL_MAX = 63, LABELS_MAX = 16 };
// 40 bytes per name, so that one user's block leaves room for others (hosts.c).
enum { HOSTNAMES_BYTES_MAX = 32 + HOSTNAMES_MAX * 40 };

// `at`: the names, each followed by a newline.
struct hostnames {
  const char *at;
  size_t len;
  unsigned count;
};

enum hostnames_result { HOSTNAMES_FINE, HOSTNAMES_INPUT, HOSTNAMES_NAME };

// HOSTNAMES_INPUT: not this format. HOSTNAMES_NAME: a name is not allowed. `why` has the details.
enum hostnames_result hostnames_parse(const char *text, size_t len, struct hostnames *names, const char **why);

// Allows lower-case letters, digits and dashes, below localhost or test; no label that machines look up on their own (wpad).
bool hostname_is_allowed(const char *name, size_t len);

#endif
