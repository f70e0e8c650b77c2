// One control connection: its unread commands and unsent events. The keeper never waits for it.
#ifndef KEEPER_CLIENT_H
#define KEEPER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLIENT_IN_MAX = 1024, CLIENT_OUT_MAX = 16384 };

struct client {
  int fd;         // -1: unused slot
  bool raw;       // attached: `in` is typed text, and output comes from the scrollback
  bool poked;     // wants a log event at the next write to the log
  bool skipping;  // skips the rest of a line that was too long
  bool behind;    // a notify event did not fit
  bool parting;   // everything is sent; waits for the client to close
  uint64_t seen;  // raw: scrollback position of the client
  uint64_t log_writes_seen;  // writes to the log up to its last log event
  size_t in_len, out_len;
  char in[CLIENT_IN_MAX], out[CLIENT_OUT_MAX];
};

// Initializes the client with a descriptor prepared by fd_prepare.
void client_open(struct client *client, int fd);
void client_close(struct client *client);

// Sends what the socket accepts now and buffers the rest. Closes a client whose buffer overflows.
void client_send(struct client *client, const char *bytes, size_t len);
void client_error(struct client *client, const char *why);

// Called when the socket may be writable again.
void client_flush(struct client *client);

// Writes once. Returns the bytes written, 0 when the socket is full; closes the client when it has disconnected.
size_t client_write(struct client *client, const char *bytes, size_t len);

#endif
