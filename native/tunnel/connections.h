// The connections of clients: each is one to the daemon's socket, too, whose first line names the port.
#ifndef TUNNEL_CONNECTIONS_H
#define TUNNEL_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { CONNECTIONS_MAX = 1024 };

// Lowers the number of connections to what the limit of descriptors allows; false when that is none. `socket` must live
// as long as the program.
bool connections_start(const char *socket);

// Whether another one can be taken.
bool connections_have_room(void);

// Takes a client that connected to this port.
void connections_add(int client, uint16_t port);

// Handles an event of a connection's client or upstream side.
void connections_event(unsigned which, bool is_client, uint32_t events);

// Tries again to reach the daemon, for clients that wait for it; frees what was closed since the last call.
void connections_tick(void);

// When it must be called next: ms, -1 for no limit.
int connections_timeout(void);

#endif
