#include "request.h"

#include <string.h>

static char *strings[STRINGS_MAX + 2];

static uint32_t number(const unsigned char *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

bool request_head(const unsigned char head[HEAD_SIZE], struct request_head *into) {
  *into = (struct request_head){.bytes = number(head), .words = number(head + 4), .variables = number(head + 8)};
  if (into->words < 1 || into->words > STRINGS_MAX || into->variables > STRINGS_MAX - into->words) return false;
  return into->bytes <= REQUEST_MAX;
}

// Returns the string at `*at` and moves past its NUL. NULL when there is none.
static char *take(char **at, const char *end) {
  char *string = *at;
  char *nul = string < end ? memchr(string, '\0', (size_t)(end - string)) : NULL;
  if (nul == NULL) return NULL;
  *at = nul + 1;
  return string;
}

static bool take_all(char **at, const char *end, uint32_t count, char **into) {
  for (uint32_t i = 0; i < count; i++)
    if ((into[i] = take(at, end)) == NULL) return false;
  into[count] = NULL;
  return true;
}

bool request_body(char *body, const struct request_head *head, struct request *into) {
  char *at = body;
  const char *end = body + head->bytes;
  into->folder = take(&at, end);
  into->words = strings;
  into->variables = strings + head->words + 1;
  if (into->folder == NULL || !take_all(&at, end, head->words, into->words)) return false;
  return take_all(&at, end, head->variables, into->variables) && at == end;
}
