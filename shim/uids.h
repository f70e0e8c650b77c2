// The list of who may call: lines "uid N", comments from "#", empty lines. A pure function, so that it can be fuzzed.
#ifndef SHIM_UIDS_H
#define SHIM_UIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONF_MAX = 16384 };

enum listed { LISTED, NOT_LISTED, LIST_BROKEN };

// One wrong line spoils the whole list: what was meant is not known.
enum listed uids_find(const char *text, size_t len, uint64_t uid);

#endif
