#include "listeners.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "connections.h"
#include "sockets.h"
#include "text.h"

enum { ACCEPTS_AT_ONCE = 16, RETRY_MS = 100, MESSAGE_EACH_MS = 60000 };

// `port` 0: not in use.
struct listener {
  int fd;
  uint16_t port;
};

static struct listener all[PORTS_MAX];
static bool is_paused;
static uint64_t complained_at;

static bool has(uint16_t port) {
  for (unsigned i = 0; i < PORTS_MAX; i++)
    if (all[i].port == port) return true;
  return false;
}

static bool add(uint16_t port) {
  unsigned which = 0;
  while (which < PORTS_MAX && all[which].port != 0) which++;
  if (which == PORTS_MAX) {
    errno = ENOSPC;
    return false;
  }
  int fd = tcp_listen(port);
  if (fd < 0) return false;
  if (!poller_add(fd, is_paused ? 0 : EPOLLIN, WATCH_LISTENER, which)) {
    int error = errno;
    (void)close(fd);
    errno = error;
    return false;
  }
  all[which] = (struct listener){.fd = fd, .port = port};
  return true;
}

bool listeners_set(const struct ports *ports, uint16_t *failed) {
  for (unsigned i = 0; i < PORTS_MAX; i++) {
    if (all[i].port == 0 || ports_have(ports, all[i].port)) continue;
    (void)close(all[i].fd);
    all[i].port = 0;
  }
  int error = 0;
  for (unsigned i = 0; i < ports->count; i++) {
    if (has(ports->of[i]) || add(ports->of[i])) continue;
    if (error == 0) *failed = ports->of[i];
    if (error == 0) error = errno;
  }
  errno = error;
  return error == 0;
}

static void watch_all(bool is_on) {
  is_paused = !is_on;
  // A listener that could not be changed is seen again when it is replaced.
  for (unsigned i = 0; i < PORTS_MAX; i++)
    if (all[i].port != 0) (void)poller_change(all[i].fd, is_on ? EPOLLIN : 0, WATCH_LISTENER, i);
}

static void pause_all(const char *why) {
  watch_all(false);
  uint64_t now = now_ms();
  if (complained_at != 0 && now < complained_at + MESSAGE_EACH_MS) return;
  complained_at = now;
  text_complain("locald-tunnel", "new connections have to wait", why);
}

void listeners_event(unsigned which) {
  if (which >= PORTS_MAX) return;
  for (int i = 0; i < ACCEPTS_AT_ONCE && !is_paused && all[which].port != 0; i++) {
    if (!connections_have_room()) {
      pause_all("too many are open");
      return;
    }
    int client = tcp_accept(all[which].fd);
    if (client >= 0) {
      connections_add(client, all[which].port);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    // Others are the client's, such as ECONNABORTED: the next one may be in the backlog.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) pause_all("there are too few descriptors");
  }
}

void listeners_tick(void) {
  if (is_paused && connections_have_room()) watch_all(true);
}

int listeners_timeout(void) { return is_paused ? RETRY_MS : -1; }
