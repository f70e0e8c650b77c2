// A bounded text: events, paths and messages are built in it, without malloc. Also numbers in texts.
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// When something does not fit, `full` is set and the text stays as it was.
struct text {
  char *at;
  size_t len, cap;
  bool full;
};

// The buffer must live as long as the text. `cap` includes the closing NUL.
struct text text_in(char *buffer, size_t cap);
void text_add(struct text *text, const char *part);
void text_bytes(struct text *text, const char *bytes, size_t len);
void text_number(struct text *text, uint64_t number);
void text_signed(struct text *text, int64_t number);

// Accepts decimal digits only, no sign, no leading zero, at most `max`.
bool number_parse(const char *digits, size_t len, uint64_t max, uint64_t *number);

// Writes "program: what: which" and a newline to standard error; without `which` when it is NULL.
void text_complain(const char *program, const char *what, const char *which);

#endif
