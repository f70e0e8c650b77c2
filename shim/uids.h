// The list of allowed users: lines "uid N", comments from "#", empty lines. A pure function, so that it can be fuzzed.
#ifndef SHIM_UIDS_H
#define SHIM_UIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONF_MAX = 16384 };

enum listed { LISTED, NOT_LISTED, LIST_BROKEN };

// One invalid line invalidates the whole list: what was meant is unknown.
enum listed uids_find(const char *text, size_t len, uint64_t uid);

#endif
