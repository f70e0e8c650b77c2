// The last output of the terminal, for attached clients that read a little slower than the service writes.
#ifndef KEEPER_SCROLLBACK_H
#define KEEPER_SCROLLBACK_H

#include <stdbool.h>
#include <stddef.h>

#include "client.h"

// Attaches the client at the current end.
void scrollback_join(struct client *client);

// Returns true when the client has output left to read.
bool scrollback_pending(const struct client *client);

// Sends what the socket accepts. Closes a client that has lost output by lagging too far behind.
void scrollback_flush(struct client *client);

// Stores a batch; the caller flushes the attached clients before and after.
void scrollback_show(const char *bytes, size_t len);

#endif
