// Recognizes terminal queries in output (ECMA-48, xterm's ctlseqs) and answers as a plain terminal does.
#ifndef KEEPER_QUERIES_H
#define KEEPER_QUERIES_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

// Longer sequences are no queries. An answer is shorter than ANSWER_MAX.
enum { QUERY_MAX = 256, ANSWER_MAX = 96 };

// The position within a sequence; all zero at its start.
struct queries {
  enum { QUERIES_TEXT, QUERIES_ESCAPE, QUERIES_CHARSET, QUERIES_CONTROL, QUERIES_STRING, QUERIES_STRING_END } state;
  char kind;      // of a string: ], P, X, ^ or _
  bool too_long;
  size_t len;
  char body[QUERY_MAX];
};

// Called only when the program queries the terminal's size. Returns false when it is not known.
typedef bool (*terminal_size_call)(unsigned *cols, unsigned *rows);

// Pure. Adds the answers to the queries that this piece of output completes; drops those that do not fit.
void queries_take(struct queries *queries, const char *bytes, size_t len, terminal_size_call size, struct text *answers);

#endif
