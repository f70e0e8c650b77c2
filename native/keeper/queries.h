// What a program asks its terminal in its output (ECMA-48, xterm's ctlseqs), and what a plain terminal answers.
#ifndef KEEPER_QUERIES_H
#define KEEPER_QUERIES_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

// Longer sequences are no queries. An answer is shorter than ANSWER_MAX.
enum { QUERY_MAX = 256, ANSWER_MAX = 96 };

// Where in a sequence the output is; all zero at its start.
struct queries {
  enum { QUERIES_TEXT, QUERIES_ESCAPE, QUERIES_CHARSET, QUERIES_CONTROL, QUERIES_STRING, QUERIES_STRING_END } state;
  char kind;      // of a string: ], P, X, ^ or _
  bool too_long;
  size_t len;
  char body[QUERY_MAX];
};

// Asked for the terminal's size only when the program asks for it. False: not known.
typedef bool (*terminal_size_call)(unsigned *cols, unsigned *rows);

// Pure. Adds the answers to the queries that a piece of output completes; those without room are left out.
void queries_take(struct queries *queries, const char *bytes, size_t len, terminal_size_call size, struct text *answers);

#endif
