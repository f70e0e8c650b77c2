// A daemon's request to the starter: a folder, a program with its arguments, and its environment.
#ifndef KEEPER_REQUEST_H
#define KEEPER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The head is three numbers of four bytes, little-endian: bytes that follow, words, variables. Then come the folder,
// the words and the variables, a NUL after each. As much as execve(2) accepts on Linux, and a little more.
enum { HEAD_SIZE = 12, REQUEST_MAX = 4194304, STRINGS_MAX = 65536 };

struct request_head {
  uint32_t bytes, words, variables;
};

struct request {
  const char *folder;
  char **words, **variables;  // NULL after the last
};

// Returns false for a request that is too large or has no program.
bool request_head(const unsigned char head[HEAD_SIZE], struct request_head *into);

// Finds the strings in place; the result is valid as long as `body`, and until the next call.
// Returns false unless they are exactly as many as the head says.
bool request_body(char *body, const struct request_head *head, struct request *into);

#endif
