// One direction of a connection: bytes from one socket to another, with a fixed buffer, its end, and backpressure.
#ifndef TUNNEL_FLOW_H
#define TUNNEL_FLOW_H

#include <stdbool.h>
#include <stddef.h>

enum { FLOW_BYTES = 32768 };

struct flow {
  char *buffer;  // FLOW_BYTES
  size_t start, end;
  bool is_read;    // the source is at its end: nothing more is read
  bool is_passed;  // and the destination was notified; or it takes nothing more
  bool is_reset;   // the source was reset
};

// Moves what can be moved without waiting, up to a limit that is fair to other connections. `skip`: how many bytes of
// the source are for us, decreased as they come; a source that ends before them is not passed on.
void flow_move(struct flow *flow, int from, int to, size_t *skip);

// Whether it waits for bytes of the source, or for room in the destination.
bool flow_wants_input(const struct flow *flow);
bool flow_wants_output(const struct flow *flow);

#endif
