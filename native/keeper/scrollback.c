#include "scrollback.h"

#include <string.h>

enum { SCROLLBACK_MAX = 262144 };

static char ring[SCROLLBACK_MAX];
static uint64_t shown;  // bytes since the start

void scrollback_join(struct client *client) { client->seen = shown; }

size_t scrollback_replay(struct client *client) {
  size_t history = shown < HISTORY_MAX ? (size_t)shown : HISTORY_MAX;
  client->seen = shown - history;
  return history;
}

bool scrollback_pending(const struct client *client) { return client->seen < shown; }

void scrollback_flush(struct client *client) {
  while (client->fd >= 0 && client->seen < shown) {
    if (shown - client->seen > SCROLLBACK_MAX) {
      client_close(client);
      return;
    }
    size_t at = (size_t)(client->seen % SCROLLBACK_MAX), left = (size_t)(shown - client->seen);
    size_t run = left < SCROLLBACK_MAX - at ? left : SCROLLBACK_MAX - at;
    size_t sent = client_write(client, ring + at, run);
    client->seen += sent;
    if (sent < run) return;
  }
}

void scrollback_show(const char *bytes, size_t len) {
  while (len > 0) {
    size_t at = (size_t)(shown % SCROLLBACK_MAX);
    size_t run = len < SCROLLBACK_MAX - at ? len : SCROLLBACK_MAX - at;
    memcpy(ring + at, bytes, run);
    shown += run;
    bytes += run;
    len -= run;
  }
}
