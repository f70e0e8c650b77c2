// What a daemon asks a starter for: a folder, the words of a program and its environment.
#ifndef KEEPER_REQUEST_H
#define KEEPER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The head is three numbers of four bytes, least first: bytes that follow, words, variables. What follows are the folder,
// the words and the variables, a NUL after each. As much as execve(2) takes on Linux, and some more.
enum { HEAD_SIZE = 12, REQUEST_MAX = 4194304, STRINGS_MAX = 65536 };

struct request_head {
  uint32_t bytes, words, variables;
};

struct request {
  const char *folder;
  char **words, **variables;  // NULL after the last
};

// False when it cannot be: too much, or no program.
bool request_head(const unsigned char head[HEAD_SIZE], struct request_head *into);

// Finds the strings in place: `body` and what it gives live as long as each other, and until the next call.
// False unless they are just as many as the head says.
bool request_body(char *body, const struct request_head *head, struct request *into);

#endif
