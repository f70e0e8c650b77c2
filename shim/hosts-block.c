#include "hosts-block.h"

#include <string.h>

static const char begin[] = "# BEGIN locald uid ";
static const char finish[] = "# END locald uid ";

// Returns whether a line is a marker of this kind; a marker without a number is damaged.
static bool marker(const char *line, size_t len, const char *word, uint64_t *uid, bool *damaged) {
  size_t own = strlen(word);
  if (len < own || memcmp(line, word, own) != 0) return false;
  if (!number_parse(line + own, len - own, UINT32_MAX, uid)) *damaged = true;
  return true;
}

// Finds the block of `uid`: [from, to); from == to when there is none.
static bool find(const char *file, size_t len, uint32_t uid, size_t *from, size_t *to) {
  bool open = false, found = false, damaged = false;
  uint64_t owner = 0, number = 0;
  size_t start = 0;
  *from = *to = len;
  for (size_t at = 0; at < len && !damaged;) {
    const char *newline = memchr(file + at, '\n', len - at);
    size_t next = newline == NULL ? len : (size_t)(newline - file) + 1;
    size_t end = newline == NULL ? len : next - 1;
    if (end > at && file[end - 1] == '\r') end--;
    if (marker(file + at, end - at, begin, &number, &damaged)) {
      damaged = damaged || open;
      open = true;
      owner = number;
      start = at;
    } else if (marker(file + at, end - at, finish, &number, &damaged)) {
      damaged = damaged || !open || number != owner || (found && number == uid);
      open = false;
      if (number == uid && !damaged) {
        found = true;
        *from = start;
        *to = next;
      }
    }
    at = next;
  }
  return !damaged && !open;
}

static void add_marker(struct text *out, const char *word, uint32_t uid) {
  text_add(out, word);
  text_number(out, uid);
  text_add(out, "\n");
}

static void add_names(struct text *out, const struct hostnames *names) {
  for (size_t at = 0; at < names->len;) {
    const char *newline = memchr(names->at + at, '\n', names->len - at);
    size_t line = newline == NULL ? names->len - at : (size_t)(newline - names->at) - at + 1;
    text_add(out, "127.0.0.1 ");
    text_bytes(out, names->at + at, line);
    text_add(out, "::1 ");
    text_bytes(out, names->at + at, line);
    at += line;
  }
}

bool hosts_block_replace(const char *file, size_t len, uint32_t uid, const struct hostnames *names, struct text *out,
                   const char **why) {
  size_t from, to;
  *why = "a block of locald in the hosts file is damaged: fix its BEGIN and END lines";
  if (!find(file, len, uid, &from, &to)) return false;
  text_bytes(out, file, from);
  if (names->count > 0) {
    if (from > 0 && file[from - 1] != '\n') text_add(out, "\n");
    add_marker(out, begin, uid);
    add_names(out, names);
    add_marker(out, finish, uid);
  }
  text_bytes(out, file + to, len - to);
  *why = "the hosts file would become too long";
  return !out->full;
}
