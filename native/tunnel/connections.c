#include "connections.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow.h"
#include "ports.h"
#include "sockets.h"
#include "text.h"

// A daemon that restarts is back within a second or two.
enum { DIAL_EACH_MS = 50, DIAL_FOR_MS = 5000 };
// Descriptors for all but connections: standard ones, the poller, the control connection, one just accepted.
enum { OTHER_FDS = 16 };

enum state { FREE, DIALING, OPEN, CLOSED };

struct side {
  int fd;
  uint32_t events;  // that the poller waits for
  bool is_watched;
};

struct connection {
  enum state state;
  uint16_t port;
  uint64_t deadline;
  struct side client, upstream;
  struct flow up, down;
  size_t unconfirmed;  // 1 until the daemon's byte: it has reached the port
  bool is_hung_up;     // the daemon has closed its side completely
};

static struct connection all[CONNECTIONS_MAX];
static _Alignas(65536) char buffers[CONNECTIONS_MAX][2][FLOW_BYTES];
static const char *path;
static unsigned most = CONNECTIONS_MAX, used, dialing, closed;

bool connections_start(const char *socket) {
  path = socket;
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  rlim_t wanted = 2 * CONNECTIONS_MAX + PORTS_MAX + OTHER_FDS;
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    // Without it the lower limit holds.
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  }
  if (limit.rlim_cur >= wanted) return true;
  if (limit.rlim_cur < PORTS_MAX + OTHER_FDS + 2) return false;
  most = (unsigned)(limit.rlim_cur - PORTS_MAX - OTHER_FDS) / 2;
  return true;
}

bool connections_have_room(void) { return used < most; }

static void close_side(struct side *side) {
  if (side->fd >= 0) (void)close(side->fd);  // that removes it from the poller
  *side = (struct side){.fd = -1};
}

// It is freed by the next tick: other events of this turn may be about it.
static void close_connection(struct connection *one) {
  if (one->state == DIALING) dialing--;
  if (one->client.fd >= 0 && one->unconfirmed > 0) {
    tcp_reset(one->client.fd);
    one->client.fd = -1;
  }
  close_side(&one->client);
  close_side(&one->upstream);
  one->state = CLOSED;
  closed++;
}

static unsigned number_of(const struct connection *one) { return (unsigned)(one - all); }

static bool watch(struct connection *one, struct side *side, uint32_t events) {
  if (!side->is_watched || side->events == events) return true;
  side->events = events;
  return poller_change(side->fd, events, side == &one->client ? WATCH_CLIENT : WATCH_UPSTREAM, number_of(one));
}

static bool start_watching(struct connection *one, struct side *side) {
  side->events = EPOLLIN;
  side->is_watched = poller_add(side->fd, EPOLLIN, side == &one->client ? WATCH_CLIENT : WATCH_UPSTREAM, number_of(one));
  return side->is_watched;
}

// Waits for what each direction needs. A side that has hung up is not watched any more: all that it sent is there, and
// the poller would report it for ever.
static bool watch_both(struct connection *one) {
  bool drains_client = !one->client.is_watched && flow_wants_input(&one->up);
  bool drains_upstream = !one->upstream.is_watched && flow_wants_input(&one->down);
  uint32_t client = (flow_wants_input(&one->up) ? EPOLLIN : 0U) |
                    (flow_wants_output(&one->down) || drains_upstream ? EPOLLOUT : 0U);
  uint32_t upstream = (flow_wants_input(&one->down) ? EPOLLIN : 0U) |
                      (flow_wants_output(&one->up) || drains_client ? EPOLLOUT : 0U);
  return watch(one, &one->client, client) && watch(one, &one->upstream, upstream);
}

static void move(struct connection *one) {
  size_t none = 0;
  flow_move(&one->down, one->upstream.fd, one->client.fd, &one->unconfirmed);
  flow_move(&one->up, one->client.fd, one->upstream.fd, &none);
  bool is_over = one->up.is_reset || (one->down.is_passed && (one->up.is_passed || one->is_hung_up || one->down.is_reset));
  // Before the daemon's byte its end means that it has not reached the port.
  if (is_over || (one->down.is_read && one->unconfirmed > 0) || !watch_both(one)) close_connection(one);
}

static void write_line(struct connection *one) {
  char line[16];
  struct text text = text_in(line, sizeof line);
  text_number(&text, one->port);
  text_add(&text, "\n");
  // A new socket has room for it.
  if (send(one->upstream.fd, line, text.len, MSG_NOSIGNAL) != (ssize_t)text.len) close_connection(one);
}

static void dial(struct connection *one) {
  one->upstream.fd = unix_connect(path);
  if (one->upstream.fd < 0) {
    // The daemon is not there, has a full backlog, or there are no descriptors for the moment.
    if (now_ms() >= one->deadline) close_connection(one);
    return;
  }
  dialing--;
  one->state = OPEN;
  write_line(one);
  if (one->state != OPEN) return;
  if (!start_watching(one, &one->client) || !start_watching(one, &one->upstream)) close_connection(one);
}

void connections_add(int client, uint16_t port) {
  unsigned which = 0;
  while (which < most && all[which].state != FREE) which++;
  if (which == most) {
    tcp_reset(client);
    return;
  }
  all[which] = (struct connection){
      .state = DIALING,
      .port = port,
      .deadline = now_ms() + DIAL_FOR_MS,
      .client = {.fd = client},
      .upstream = {.fd = -1},
      .up = {.buffer = buffers[which][0]},
      .down = {.buffer = buffers[which][1]},
      .unconfirmed = 1,
  };
  used++;
  dialing++;
  dial(&all[which]);
}

void connections_event(unsigned which, bool is_client, uint32_t events) {
  struct connection *one = &all[which];
  if (one->state != OPEN) return;
  struct side *side = is_client ? &one->client : &one->upstream;
  if (events & (EPOLLHUP | EPOLLERR)) {
    poller_remove(side->fd);
    side->is_watched = false;
    if (!is_client) one->is_hung_up = true;
  }
  move(one);
}

static void free_closed(void) {
  for (unsigned i = 0; i < most && closed > 0; i++) {
    if (all[i].state != CLOSED) continue;
    // Gives the memory back; when that fails it is used again all the same.
    (void)madvise(buffers[i], sizeof buffers[i], MADV_DONTNEED);
    all[i].state = FREE;
    closed--;
    used--;
  }
}

void connections_tick(void) {
  free_closed();
  for (unsigned i = 0; i < most && dialing > 0; i++)
    if (all[i].state == DIALING) dial(&all[i]);
}

int connections_timeout(void) { return closed > 0 ? 0 : dialing > 0 ? DIAL_EACH_MS : -1; }
