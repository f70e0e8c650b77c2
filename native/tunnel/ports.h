// The list of ports that the daemon sends: a pure function, so that it can be fuzzed.
#ifndef TUNNEL_PORTS_H
#define TUNNEL_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PORTS_MAX = 256, PORTS_LINE_MAX = PORTS_MAX * 6 };

struct ports {
  uint16_t of[PORTS_MAX];
  unsigned count;
};

// Parses a line without its newline: numbers from 1 to 65535 with one space between them; none in an empty line. False
// for anything else, and when a number comes twice or there are more than PORTS_MAX.
bool ports_parse(const char *line, size_t len, struct ports *ports);

bool ports_have(const struct ports *ports, uint16_t port);

#endif
