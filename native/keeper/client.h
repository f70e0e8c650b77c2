// One control connection: what it still has to say and what it still has to be told. It is never waited for.
#ifndef KEEPER_CLIENT_H
#define KEEPER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLIENT_IN_MAX = 1024, CLIENT_OUT_MAX = 16384 };

struct client {
  int fd;         // -1: this place is free
  bool raw;       // attached: `in` is typed text and the output is told by the screen
  bool poked;     // wants to hear of a write to the log that it was not told of
  bool skipping;  // in the rest of a line that was too long
  bool behind;    // a notify event had no room
  bool parting;   // has been told all, its own end is awaited
  uint64_t seen;  // raw: how much of the screen it has got
  uint64_t told;  // how many writes to the log there were when it was last told
  size_t in_len, out_len;
  char in[CLIENT_IN_MAX], out[CLIENT_OUT_MAX];
};

// Takes over a prepared descriptor.
void client_open(struct client *client, int fd);
void client_close(struct client *client);

// Sends now what can be sent and keeps the rest. A client that lets too much pile up is closed.
void client_send(struct client *client, const char *bytes, size_t len);
void client_error(struct client *client, const char *why);

// The socket may be writable again.
void client_flush(struct client *client);

// Writes once: how much was taken, 0 when the socket is full; closes the client when it is gone.
size_t client_write(struct client *client, const char *bytes, size_t len);

#endif
