// Adds JSON to a text, for events.
#ifndef KEEPER_JSON_H
#define KEEPER_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

// Adds a JSON string (RFC 8259) with its quotes; bytes that are not UTF-8 become U+FFFD. NULL is `null`.
void text_json(struct text *text, const char *bytes, size_t len);
void text_json_string(struct text *text, const char *string);
void text_json_bool(struct text *text, bool value);

#endif
