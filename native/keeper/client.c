#include "client.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "text.h"

void client_open(struct client *client, int fd) {
  client->fd = fd;
  client->raw = client->poked = client->skipping = client->behind = client->parting = false;
  client->seen = client->log_writes_seen = 0;
  client->in_len = client->out_len = 0;
}

void client_close(struct client *client) {
  if (client->fd >= 0) (void)close(client->fd);
  client->fd = -1;
  client->in_len = client->out_len = 0;
}

size_t client_write(struct client *client, const char *bytes, size_t len) {
  for (;;) {
    ssize_t wrote = write(client->fd, bytes, len);  // SIGPIPE is ignored
    if (wrote >= 0) return (size_t)wrote;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) client_close(client);
    return 0;
  }
}

void client_send(struct client *client, const char *bytes, size_t len) {
  if (client->fd < 0) return;
  size_t sent = client->out_len == 0 ? client_write(client, bytes, len) : 0;
  if (client->fd < 0 || sent == len) return;
  if (len - sent > sizeof client->out - client->out_len) {
    client_close(client);
    return;
  }
  memcpy(client->out + client->out_len, bytes + sent, len - sent);
  client->out_len += len - sent;
}

void client_error(struct client *client, const char *why) {
  char line[256];
  struct text text = text_in(line, sizeof line);
  text_add(&text, "{\"event\":\"error\",\"error\":");
  text_json_string(&text, why);
  text_add(&text, "}\n");
  client_send(client, line, text.len);
}

void client_flush(struct client *client) {
  if (client->fd < 0 || client->out_len == 0) return;
  size_t sent = client_write(client, client->out, client->out_len);
  if (client->fd < 0) return;
  client->out_len -= sent;
  memmove(client->out, client->out + sent, client->out_len);
}
