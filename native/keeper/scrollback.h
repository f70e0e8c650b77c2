// The last bytes the terminal showed, for attached clients which read a little slower than the service writes.
#ifndef KEEPER_SCROLLBACK_H
#define KEEPER_SCROLLBACK_H

#include <stdbool.h>
#include <stddef.h>

#include "client.h"

// From now on the client gets what the terminal shows.
void screen_join(struct client *client);

// True when the client has not got all yet.
bool screen_pending(const struct client *client);

// Sends what the socket takes. A client for which something is lost by now is closed.
void screen_flush(struct client *client);

// Remembers a batch; the attached clients are flushed before and after by the caller.
void screen_show(const char *bytes, size_t len);

#endif
