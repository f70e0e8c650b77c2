#include "flow.h"

#include <errno.h>
#include <sys/socket.h>

// Buffers that one connection moves before others have their turn.
enum { TURN = 4 };

bool flow_wants_input(const struct flow *flow) { return flow->start == flow->end && !flow->is_read; }

bool flow_wants_output(const struct flow *flow) { return flow->start < flow->end; }

static bool is_wait(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// True when there is something in the buffer, or the source is at its end.
static bool fill(struct flow *flow, int from, size_t *skip) {
  ssize_t count = recv(from, flow->buffer, FLOW_BYTES, 0);
  if (count < 0 && is_wait(errno)) return false;
  if (count <= 0) {
    flow->is_read = true;
    flow->is_reset = count < 0;
    return true;
  }
  size_t own = (size_t)count < *skip ? (size_t)count : *skip;
  *skip -= own;
  flow->start = own;
  flow->end = (size_t)count;
  return true;
}

// True when the buffer is empty.
static bool drain(struct flow *flow, int to) {
  ssize_t count = send(to, flow->buffer + flow->start, flow->end - flow->start, MSG_NOSIGNAL);
  if (count < 0) {
    if (is_wait(errno)) return false;
    // The destination takes nothing more; what it still sends is the other direction's.
    flow->start = flow->end = 0;
    flow->is_read = flow->is_passed = true;
    return false;
  }
  flow->start += (size_t)count;
  return flow->start == flow->end;
}

void flow_move(struct flow *flow, int from, int to, size_t *skip) {
  for (int turn = 0; turn < TURN && !flow->is_passed; turn++) {
    if (flow_wants_input(flow) && !fill(flow, from, skip)) return;
    if (flow_wants_output(flow) && !drain(flow, to)) return;
    if (!flow->is_read) continue;
    // An end without the bytes that are for us is not the destination's.
    if (*skip > 0) return;
    // Fails only when the destination has disconnected, which is then no news to it.
    (void)shutdown(to, SHUT_WR);
    flow->is_passed = true;
  }
}
