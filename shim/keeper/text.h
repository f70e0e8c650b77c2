// A bounded text under construction: events, paths and messages are built in it, without malloc.
#ifndef KEEPER_TEXT_H
#define KEEPER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// `full` is set, and the text left as it was, as soon as something does not fit.
struct text {
  char *at;
  size_t len, cap;
  bool full;
};

// The buffer must live as long as the text. `cap` counts the closing NUL.
struct text text_in(char *buffer, size_t cap);
void text_add(struct text *text, const char *part);
void text_bytes(struct text *text, const char *bytes, size_t len);
void text_number(struct text *text, uint64_t number);

// A JSON string (RFC 8259) with its quotes; bytes which are not UTF-8 become U+FFFD. NULL is `null`.
void text_json(struct text *text, const char *bytes, size_t len);
void text_json_string(struct text *text, const char *string);
void text_json_bool(struct text *text, bool value);

// Writes the parts, then a newline, to standard error: usage errors only.
void text_complain(const char *what, const char *which);

#endif
