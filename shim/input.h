// The caller's standard input.
#ifndef SHIM_INPUT_H
#define SHIM_INPUT_H

#include <stddef.h>

// Reads all of it; exits when it is longer than `cap`.
size_t input_read(char *buffer, size_t cap);

#endif
