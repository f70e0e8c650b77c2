#include "scrollback.h"

#include <string.h>

enum { SCREEN_MAX = 262144 };

static char ring[SCREEN_MAX];
static uint64_t shown;  // bytes since the start

void screen_join(struct client *client) { client->seen = shown; }

bool screen_pending(const struct client *client) { return client->seen < shown; }

void screen_flush(struct client *client) {
  while (client->fd >= 0 && client->seen < shown) {
    if (shown - client->seen > SCREEN_MAX) {
      client_close(client);
      return;
    }
    size_t at = (size_t)(client->seen % SCREEN_MAX), left = (size_t)(shown - client->seen);
    size_t run = left < SCREEN_MAX - at ? left : SCREEN_MAX - at;
    size_t sent = client_write(client, ring + at, run);
    client->seen += sent;
    if (sent < run) return;
  }
}

void screen_show(const char *bytes, size_t len) {
  while (len > 0) {
    size_t at = (size_t)(shown % SCREEN_MAX);
    size_t run = len < SCREEN_MAX - at ? len : SCREEN_MAX - at;
    memcpy(ring + at, bytes, run);
    shown += run;
    bytes += run;
    len -= run;
  }
}
