#include "control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "fds.h"
#include "scrollback.h"

enum { BACKLOG = 64 };

static struct client clients[CLIENTS_MAX];
static struct control_calls on;
static const char *path;
static int listener = -1;

#define EACH_CLIENT(client) \
  for (struct client *client = clients; client < clients + CLIENTS_MAX; client++) \
    if (client->fd >= 0)

void control_start(int first, const struct control_calls *calls) {
  for (unsigned i = 0; i < CLIENTS_MAX; i++) clients[i].fd = -1;
  on = *calls;
  if (first >= 0) client_open(&clients[0], first);
}

bool control_listen(const char *where) {
  listener = fd_bind(where, SOCK_STREAM);
  if (listener < 0) return false;
  path = where;
  return listen(listener, BACKLOG) == 0;
}

void control_relisten(void) {
  int fd = path == NULL ? -1 : fd_bind(path, SOCK_STREAM);
  if (fd < 0) return;
  if (listen(fd, BACKLOG) != 0) {
    (void)close(fd);
    return;
  }
  (void)close(listener);
  listener = fd;
}

// Unlinks now, never later: by then the path may belong to the next keeper.
void control_unlisten(void) {
  if (path == NULL) return;
  (void)unlink(path);
  path = NULL;
  (void)close(listener);
  listener = -1;
}

static bool pending(const struct client *client) {
  return client->raw ? scrollback_pending(client) : client->out_len > 0;
}

unsigned control_poll(struct pollfd *fds) {
  unsigned count = 0;
  if (listener >= 0) fds[count++] = (struct pollfd){.fd = listener, .events = POLLIN};
  EACH_CLIENT(client) {
    // A client that does not read its answers, or types faster than the terminal accepts, is not read from either.
    bool listening = client->raw ? client->in_len == 0 : client->out_len < CLIENT_OUT_MAX / 2;
    short events = (short)((listening ? POLLIN : 0) | (pending(client) ? POLLOUT : 0));
    fds[count++] = (struct pollfd){.fd = client->fd, .events = events};
  }
  return count;
}

// Closes disconnected clients with pending input: they are not polled for input, and select(2) does not report a hang-up.
static void close_disconnected(void) {
  EACH_CLIENT(client) {
    struct pollfd look = {.fd = client->fd, .events = POLLHUP};
    if (poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR)) != 0) client_close(client);
  }
}

static struct client *free_place(void) {
  for (unsigned i = 0; i < CLIENTS_MAX; i++)
    if (clients[i].fd < 0) return &clients[i];
  return NULL;
}

// Returns false when no connection is pending.
static bool accept_client(void) {
  int fd = accept(listener, NULL, NULL);
  if (fd < 0) return false;
  if (!fd_prepare(fd)) {
    (void)close(fd);
    return true;
  }
  if (free_place() == NULL) close_disconnected();
  struct client *place = free_place();
  if (place != NULL) {
    client_open(place, fd);
    return true;
  }
  static struct client refused;
  client_open(&refused, fd);
  client_error(&refused, "too many connections");
  client_close(&refused);
  return true;
}

static void type_pending(struct client *client) {
  size_t taken = on.type(client->in, client->in_len);
  client->in_len -= taken;
  memmove(client->in, client->in + taken, client->in_len);
}

// Handles the first line of the input. Returns false when there is none yet.
static bool take_line(struct client *client) {
  const char *newline = memchr(client->in, '\n', client->in_len);
  if (newline == NULL) {
    if (client->skipping) client->in_len = 0;
    if (client->in_len <= COMMAND_MAX) return false;
    client->skipping = true;
    client->in_len = 0;
    client_error(client, "command too long");
    return false;
  }
  size_t len = (size_t)(newline - client->in);
  struct command command = {.verb = VERB_STATE};
  bool skipped = client->skipping;
  bool fits = len <= COMMAND_MAX;
  bool known = !skipped && fits && command_parse(client->in, len, &command);
  client->skipping = false;
  client->in_len -= len + 1;
  memmove(client->in, newline + 1, client->in_len);
  if (known)
    on.command(client, &command);
  else if (!skipped)
    client_error(client, fits ? "unknown command" : "command too long");
  return client->fd >= 0;
}

static void read_client(struct client *client) {
  ssize_t got = read(client->fd, client->in + client->in_len, sizeof client->in - client->in_len);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    client_close(client);
    return;
  }
  client->in_len += (size_t)got;
  while (!client->raw && take_line(client)) continue;
  if (client->raw && client->fd >= 0) type_pending(client);
}

static void catch_up(struct client *client, const struct notice *known) {
  char event[CLIENT_OUT_MAX / 2];
  struct text text = text_in(event, sizeof event);
  notice_event(&text, known);
  client->behind = false;
  client_send(client, event, text.len);
}

static const struct notice *known_notice;

static void handle_client(struct client *client, short events) {
  if ((events & POLLOUT) != 0) {
    if (client->raw) scrollback_flush(client);
    else client_flush(client);
    if (client->behind && client->fd >= 0 && client->out_len == 0) catch_up(client, known_notice);
  }
  if (client->fd < 0 || (events & (POLLIN | POLLHUP | POLLERR)) == 0) return;
  if (client->raw && client->in_len > 0) client_close(client);  // disconnected with pending input
  else if (client->in_len < sizeof client->in) read_client(client);
}

void control_handle(const struct pollfd *fds, unsigned count) {
  bool more = false;
  for (unsigned i = 0; i < count; i++) {
    if (fds[i].revents == 0) continue;
    if (fds[i].fd == listener) more = true;
    // A client closed in this loop is skipped from then on; its slot is reused only below.
    else EACH_CLIENT(client) if (client->fd == fds[i].fd) handle_client(client, fds[i].revents);
  }
  for (unsigned i = 0; more && i < BACKLOG; i++) more = accept_client();
}

void control_attach(struct client *client) {
  client->raw = true;
  client->out_len = 0;
  scrollback_join(client);
}

void control_replay(struct client *client) {
  char event[64];
  struct text text = text_in(event, sizeof event);
  text_add(&text, "{\"event\":\"attached\",\"history\":");
  text_number(&text, scrollback_replay(client));
  text_add(&text, "}\n");
  client_send(client, event, text.len);
  // What is raw begins after the whole event.
  if (client->out_len > 0) client_close(client);
  client->raw = true;
}

void control_broadcast(const struct text *event) {
  EACH_CLIENT(client) if (!client->raw) client_send(client, event->at, event->len);
}

void control_notify(const struct notice *news, const struct notice *known) {
  char event[CLIENT_OUT_MAX / 2];
  struct text text = text_in(event, sizeof event);
  notice_event(&text, news);
  known_notice = known;
  EACH_CLIENT(client) {
    if (client->raw) continue;
    // A client that lags behind a chatty service is not disconnected: it gets a summary once it reads again.
    if (client->out_len > 0) client->behind = true;
    else client_send(client, event, text.len);
  }
}

static uint64_t log_writes;

static void send_log_event(struct client *client) {
  static const char event[] = "{\"event\":\"log\"}\n";
  if (!client->poked || client->raw || client->log_writes_seen == log_writes) return;
  client->poked = false;
  client->log_writes_seen = log_writes;
  client_send(client, event, sizeof event - 1);
}

void control_log_written(void) {
  log_writes++;
  EACH_CLIENT(client) send_log_event(client);
}

void control_poke(struct client *client) {
  client->poked = true;
  send_log_event(client);
}

bool control_show(const char *bytes, size_t len) {
  bool anyone = false;
  scrollback_show(bytes, len);
  EACH_CLIENT(client) {
    if (!client->raw) continue;
    anyone = true;
    scrollback_flush(client);
  }
  return anyone;
}

void control_type(void) {
  EACH_CLIENT(client) if (client->raw && client->in_len > 0) type_pending(client);
}

bool control_typing(void) {
  EACH_CLIENT(client) if (client->raw && client->in_len > 0) return true;
  return false;
}

// Closing the socket of a client that is still sending would discard the last events.
static void part(struct client *client) {
  char words[512];
  client->in_len = 0;
  if (!client->parting && shutdown(client->fd, SHUT_WR) != 0) {
    client_close(client);
    return;
  }
  client->parting = true;
  ssize_t got;
  do got = read(client->fd, words, sizeof words);
  while (got > 0);
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) client_close(client);
}

void control_close(int limit_ms) {
  int64_t end = clock_ms() + limit_ms;
  for (;;) {
    struct pollfd fds[CLIENTS_MAX];
    unsigned count = 0;
    EACH_CLIENT(client) {
      if (pending(client)) (client->raw ? scrollback_flush : client_flush)(client);
      if (client->fd >= 0 && !pending(client)) part(client);
      if (client->fd >= 0) fds[count++] = (struct pollfd){.fd = client->fd, .events = client->parting ? POLLIN : POLLOUT};
    }
    int64_t left = end - clock_ms();
    if (count == 0 || left <= 0 || fds_wait(fds, count, (int)left) <= 0) break;
  }
  EACH_CLIENT(client) client_close(client);
}
