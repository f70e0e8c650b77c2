// The control socket and its clients. See protocol.h for the commands.
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

// Callbacks, set by run.c.
struct control_calls {
  void (*command)(struct client *client, const struct command *command);
  size_t (*type)(const char *bytes, size_t len);  // returns how much the terminal accepted
};

// `first` is a connected socket, or -1.
void control_start(int first, const struct control_calls *calls);

// Listens on a path. Returns false with errno.
bool control_listen(const char *path);

// Binds the path again, since its socket file may have been removed. Connections stay open; on failure nothing changes.
void control_relisten(void);
void control_unlisten(void);

// Adds the descriptors to poll and returns their number.
unsigned control_poll(struct pollfd *fds);
void control_handle(const struct pollfd *fds, unsigned count);

// Attaches a client: the rest of its input is typed into the terminal, and it gets the output.
void control_attach(struct client *client);

// Attaches a client likewise; it gets an event with the length of the history that follows, which is output from before.
void control_replay(struct client *client);

void control_broadcast(const struct text *event);
void control_notify(const struct notice *news, const struct notice *known);
void control_log_written(void);

// Sends the client a log event at the next write to the log, or at once if there was one since its last log event.
void control_poke(struct client *client);

// Keeps output for clients that attach later, and sends it to all attached ones. Returns false when there are none.
bool control_show(const char *bytes, size_t len);

// Called when the terminal accepts input again.
void control_type(void);

// Returns true when typed text waits for the terminal.
bool control_typing(void);

// Before exit: gives clients up to `limit_ms` to read their events and to close.
void control_close(int limit_ms);

#endif
