// The names a caller wants in the hosts file: "locald-hosts 1 COUNT", then COUNT names, a line each. A pure function, so
// that it can be fuzzed. The count makes sure that the input of a producer that failed half-way is not taken for less.
#ifndef SHIM_HOSTNAMES_H
#define SHIM_HOSTNAMES_H

#include <stdbool.h>
#include <stddef.h>

enum { NAMES_MAX = 1024, NAME_MAX_BYTES = 253, LABEL_MAX = 63, LABELS_MAX = 16 };
// 40 bytes for each name, so that a user's block leaves room for those of others (hosts.c).
enum { NAMES_BYTES_MAX = 32 + NAMES_MAX * 40 };

// `at`: the names, each ended by a newline.
struct names {
  const char *at;
  size_t len;
  unsigned count;
};

enum names_result { NAMES_FINE, NAMES_INPUT, NAMES_NAME };

// NAMES_INPUT: not this format. NAMES_NAME: a name is not allowed. `why` says more.
enum names_result names_parse(const char *text, size_t len, struct names *names, const char **why);

// Lower-case letters, digits and dashes; below localhost or test; no label that machines look for by themselves (wpad).
bool name_allowed(const char *name, size_t len);

#endif
