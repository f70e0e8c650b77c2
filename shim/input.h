// What the caller says on standard input.
#ifndef SHIM_INPUT_H
#define SHIM_INPUT_H

#include <stddef.h>

// All of it, to its end; refuses when it is longer than `cap`.
size_t input_read(char *buffer, size_t cap);

#endif
