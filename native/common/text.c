#include "text.h"

#include <string.h>
#include <unistd.h>

struct text text_in(char *buffer, size_t cap) {
  buffer[0] = '\0';
  return (struct text){.at = buffer, .len = 0, .cap = cap, .full = false};
}

void text_bytes(struct text *text, const char *bytes, size_t len) {
  if (text->full || len >= text->cap - text->len) {
    text->full = true;
    return;
  }
  memcpy(text->at + text->len, bytes, len);
  text->len += len;
  text->at[text->len] = '\0';
}

void text_add(struct text *text, const char *part) { text_bytes(text, part, strlen(part)); }

void text_number(struct text *text, uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  text_bytes(text, digits + at, sizeof digits - at);
}

void text_signed(struct text *text, int64_t number) {
  if (number < 0) text_add(text, "-");
  text_number(text, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

bool number_parse(const char *digits, size_t len, uint64_t max, uint64_t *number) {
  if (len == 0 || len > 20 || (len > 1 && digits[0] == '0')) return false;
  uint64_t value = 0;
  for (size_t i = 0; i < len; i++) {
    if (digits[i] < '0' || digits[i] > '9') return false;
    uint64_t digit = (uint64_t)(digits[i] - '0');
    if (value > (UINT64_MAX - digit) / 10) return false;
    value = value * 10 + digit;
  }
  if (value > max) return false;
  *number = value;
  return true;
}

void text_complain(const char *program, const char *what, const char *which) {
  char line[512];
  struct text text = text_in(line, sizeof line - 1);
  text_add(&text, program);
  text_add(&text, ": ");
  text_add(&text, what);
  if (which != NULL) {
    text_add(&text, ": ");
    text_add(&text, which);
  }
  line[text.len++] = '\n';
  // Nothing can be done when standard error is closed.
  if (write(STDERR_FILENO, line, text.len) < 0) return;
}
