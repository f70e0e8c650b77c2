#include "uids.h"

#include <string.h>

#include "text.h"

enum listed uids_find(const char *text, size_t len, uint64_t uid) {
  static const char word[] = "uid ";
  enum { WORD = sizeof word - 1 };
  enum listed result = NOT_LISTED;
  for (size_t at = 0; at < len;) {
    const char *line = text + at;
    const char *newline = memchr(line, '\n', len - at);
    if (newline == NULL) return LIST_BROKEN;  // cut short
    size_t length = (size_t)(newline - line);
    at += length + 1;
    if (length == 0 || line[0] == '#') continue;
    uint64_t number;
    if (length <= WORD || memcmp(line, word, WORD) != 0) return LIST_BROKEN;
    // The highest is (uid_t)-1, which setresuid(2) reads as "unchanged".
    if (!number_parse(line + WORD, length - WORD, UINT32_MAX - 1, &number)) return LIST_BROKEN;
    if (number == uid) result = LISTED;
  }
  return result;
}
