// The control socket and its clients: see protocol.h for what they may say.
#ifndef KEEPER_CONTROL_H
#define KEEPER_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "client.h"
#include "notify.h"
#include "text.h"
#include "protocol.h"

enum { CLIENTS_MAX = 8, CONTROL_POLL_MAX = CLIENTS_MAX + 1 };

// What commands do, given by run.c.
struct control_calls {
  void (*command)(struct client *client, const struct command *command);
  size_t (*type)(const char *bytes, size_t len);  // how much the terminal took
};

// `first` is a connected socket or -1.
void control_start(int first, const struct control_calls *calls);

// Listens on a path. False with errno.
bool control_listen(const char *path);

// Binds the path again: its socket may have been removed. Connections live on; where it cannot be bound all stays as it was.
void control_relisten(void);
void control_unlisten(void);

// Fills in what to wait for: how many were used.
unsigned control_poll(struct pollfd *fds);
void control_handle(const struct pollfd *fds, unsigned count);

// An attached client: the rest of its input is typed, the output is shown to it.
void control_attach(struct client *client);

void control_broadcast(const struct text *event);
void control_notify(const struct notice *news, const struct notice *known);
void control_log_written(void);

// Tells the client of the next write to the log, or at once if there was one since it was last told.
void control_poke(struct client *client);

// Shows output to all that are attached. False when nobody is.
bool control_show(const char *bytes, size_t len);

// The terminal takes input again.
void control_type(void);

// True when typed text waits for the terminal.
bool control_typing(void);

// Before exit: gives clients up to `limit_ms` to take what is theirs and to close.
void control_close(int limit_ms);

#endif
