// locald-tunnel: carries connections from containers to this machine's locald. See README.md.
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "connections.h"
#include "control.h"
#include "listeners.h"
#include "sockets.h"
#include "text.h"

enum { FAILED = 1, USAGE = 64, EVENTS_AT_ONCE = 64, ID_MAX = 64 };  // USAGE: sysexits(3)

static int refused(const char *why, const char *word) {
  text_complain("locald-tunnel", why, word);
  return USAGE;
}

static int failed(const char *what) {
  const char *why = strerror(errno);
  text_complain("locald-tunnel", what, why);
  return FAILED;
}

static void exit_now(int signal) {
  (void)signal;
  _exit(0);
}

// The kernel ignores signals without a handler for the first process of a container.
static bool handle_signals(void) {
  struct sigaction action = {.sa_handler = exit_now};
  return sigemptyset(&action.sa_mask) == 0 && sigaction(SIGTERM, &action, NULL) == 0 &&
         sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGHUP, &action, NULL) == 0;
}

static bool is_id(const char *word) {
  size_t len = strlen(word);
  return len > 0 && len <= ID_MAX && strspn(word, "0123456789abcdef") == len;
}

static int sooner(int one, int other) {
  if (one < 0) return other;
  return other >= 0 && other < one ? other : one;
}

static void handle(const struct epoll_event *event) {
  switch (watched_of(event)) {
    case WATCH_CONTROL:
      control_event();
      break;
    case WATCH_LISTENER:
      listeners_event(index_of(event));
      break;
    case WATCH_CLIENT:
    case WATCH_UPSTREAM:
      connections_event(index_of(event), watched_of(event) == WATCH_CLIENT, event->events);
      break;
  }
}

static int run(void) {
  struct epoll_event events[EVENTS_AT_ONCE];
  for (;;) {
    int timeout = sooner(control_timeout(), sooner(connections_timeout(), listeners_timeout()));
    int count = poller_wait(events, EVENTS_AT_ONCE, timeout);
    if (count < 0 && errno != EINTR) return failed("waiting for events");
    for (int i = 0; i < count; i++) handle(&events[i]);
    connections_tick();
    listeners_tick();
    control_tick();
  }
}

int main(int argc, char *argv[]) {
  if (argc != 3) return refused("usage: locald-tunnel SOCKET ID", NULL);
  if (!unix_fits(argv[1])) return refused("no path of a socket", argv[1]);
  if (!is_id(argv[2])) return refused("no id", argv[2]);
  if (!handle_signals()) return failed("handling signals");
  if (!poller_start()) return failed("creating an epoll instance");
  if (!connections_start(argv[1])) return failed("too few descriptors");
  control_start(argv[1], argv[2]);
  return run();
}
