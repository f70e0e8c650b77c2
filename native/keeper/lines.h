// Cuts one output stream of the service into lines and log entries.
#ifndef KEEPER_LINES_H
#define KEEPER_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

struct lines {
  enum stream stream;
  bool tty;             // lines end in \r\n
  bool open;            // a P entry was written, its line continues
  size_t len;           // unfinished text
  int64_t since, last;  // when it began and last grew, clock_ms()
  char text[ENTRY_MAX];
};

// Cuts a batch that was read at `now` (clock_ms()).
void lines_feed(struct lines *lines, const char *data, size_t len, int64_t now);

// Returns when unfinished text is due to be shown (clock_ms()), -1 when there is none.
int64_t lines_due(const struct lines *lines);

// Writes unfinished text as a P entry: a prompt has to be visible while the service waits.
void lines_show(struct lines *lines);

// Closes the stream: writes its last line as complete, with or without a newline.
void lines_end(struct lines *lines);

#endif
