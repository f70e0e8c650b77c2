// The ports on which the tunnel listens.
#ifndef TUNNEL_LISTENERS_H
#define TUNNEL_LISTENERS_H

#include <stdbool.h>
#include <stdint.h>

#include "ports.h"

// Listens on these ports and on no others; connections that exist stay. When one cannot be opened the others are, and
// the result is false, with errno and that port in `failed`.
bool listeners_set(const struct ports *ports, uint16_t *failed);

// Accepts clients, up to a number that is fair to other connections. Where no more connections are possible, clients
// wait in the backlog until one is closed.
void listeners_event(unsigned which);

// Accepts clients again after it was not possible.
void listeners_tick(void);

// When it must be called next: ms, -1 for no limit.
int listeners_timeout(void);

#endif
