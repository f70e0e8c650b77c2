#include "lines.h"

#include <string.h>

// Unfinished text is shown after QUIET_MS without more; a progress bar that never pauses, every BUSY_MS.
enum { QUIET_MS = 50, BUSY_MS = 500 };

static void put(struct lines *lines, char tag, const char *tail, size_t tail_len) {
  log_entry(lines->stream, tag, lines->text, lines->len, tail, tail_len);
  lines->len = 0;
  lines->open = tag == 'P';
}

// Adds text without a newline: writes whole entries and keeps the rest.
static void keep(struct lines *lines, const char *data, size_t len, int64_t now) {
  while (lines->len + len > ENTRY_MAX) {
    size_t fits = ENTRY_MAX - lines->len;
    put(lines, 'P', data, fits);
    data += fits;
    len -= fits;
  }
  if (len == 0) return;
  if (lines->len == 0) lines->since = now;
  lines->last = now;
  memcpy(lines->text + lines->len, data, len);
  lines->len += len;
}

// Adds text up to a newline, which is not in `len`.
static void finish(struct lines *lines, const char *data, size_t len) {
  while (lines->len + len > ENTRY_MAX) {
    size_t fits = ENTRY_MAX - lines->len;
    put(lines, 'P', data, fits);
    data += fits;
    len -= fits;
  }
  if (lines->tty) {
    if (len > 0 && data[len - 1] == '\r') len--;
    else if (len == 0 && lines->len > 0 && lines->text[lines->len - 1] == '\r') lines->len--;
  }
  put(lines, 'F', data, len);
}

void lines_feed(struct lines *lines, const char *data, size_t len, int64_t now) {
  while (len > 0) {
    const char *newline = memchr(data, '\n', len);
    if (newline == NULL) {
      keep(lines, data, len, now);
      return;
    }
    size_t piece = (size_t)(newline - data);
    finish(lines, data, piece);
    data += piece + 1;
    len -= piece + 1;
  }
}

// On a terminal a trailing \r may belong to a newline still to come: it is held back.
static bool held_back(const struct lines *lines) { return lines->tty && lines->text[lines->len - 1] == '\r'; }

int64_t lines_due(const struct lines *lines) {
  if (lines->len == 0 || (lines->len == 1 && held_back(lines))) return -1;
  int64_t quiet = lines->last + QUIET_MS, busy = lines->since + BUSY_MS;
  return quiet < busy ? quiet : busy;
}

void lines_show(struct lines *lines) {
  if (lines_due(lines) < 0) return;
  bool held = held_back(lines);
  if (held) lines->len--;
  put(lines, 'P', NULL, 0);
  if (held) lines->text[lines->len++] = '\r';
}

void lines_end(struct lines *lines) {
  if (lines->len > 0 || lines->open) put(lines, 'F', NULL, 0);
}
