#include "ports.h"

#include <string.h>

#include "text.h"

bool ports_have(const struct ports *ports, uint16_t port) {
  for (unsigned i = 0; i < ports->count; i++)
    if (ports->of[i] == port) return true;
  return false;
}

bool ports_parse(const char *line, size_t len, struct ports *ports) {
  ports->count = 0;
  if (len == 0) return true;
  for (size_t at = 0;;) {
    const char *space = memchr(line + at, ' ', len - at);
    size_t end = space == NULL ? len : (size_t)(space - line);
    uint64_t port;
    if (!number_parse(line + at, end - at, UINT16_MAX, &port) || port == 0) return false;
    if (ports->count == PORTS_MAX || ports_have(ports, (uint16_t)port)) return false;
    ports->of[ports->count++] = (uint16_t)port;
    if (end == len) return true;
    at = end + 1;
  }
}
