// JSON in a text: the events.
#ifndef KEEPER_JSON_H
#define KEEPER_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

// A JSON string (RFC 8259) with its quotes; bytes which are not UTF-8 become U+FFFD. NULL is `null`.
void text_json(struct text *text, const char *bytes, size_t len);
void text_json_string(struct text *text, const char *string);
void text_json_bool(struct text *text, bool value);

#endif
