// The last output of the terminal, for clients that attach later or read a little slower than the service writes.
#ifndef KEEPER_SCROLLBACK_H
#define KEEPER_SCROLLBACK_H

#include <stdbool.h>
#include <stddef.h>

#include "client.h"

// How much output from before it a client may get; as much again may then wait for it.
enum { HISTORY_MAX = 131072 };

// Attaches the client at the current end.
void scrollback_join(struct client *client);

// Attaches the client up to HISTORY_MAX before the end. Returns how much before.
size_t scrollback_replay(struct client *client);

// Returns true when the client has output left to read.
bool scrollback_pending(const struct client *client);

// Sends what the socket accepts. Closes a client that has lost output by lagging too far behind.
void scrollback_flush(struct client *client);

// Stores a batch; the caller flushes the attached clients after it.
void scrollback_show(const char *bytes, size_t len);

#endif
