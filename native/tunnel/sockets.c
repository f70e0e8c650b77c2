#include "sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 4096, KEEPALIVE_IDLE_S = 60, KEEPALIVE_EACH_S = 15, KEEPALIVE_TRIES = 4 };

static int poller = -1;

bool poller_start(void) {
  poller = epoll_create1(EPOLL_CLOEXEC);
  return poller >= 0;
}

int poller_wait(struct epoll_event *events, int count, int timeout_ms) {
  return epoll_wait(poller, events, count, timeout_ms);
}

static bool control(int operation, int fd, uint32_t events, enum watched what, unsigned which) {
  struct epoll_event event = {.events = events, .data.u64 = (uint64_t)what << 32 | which};
  return epoll_ctl(poller, operation, fd, &event) == 0;
}

bool poller_add(int fd, uint32_t events, enum watched what, unsigned which) {
  return control(EPOLL_CTL_ADD, fd, events, what, which);
}

bool poller_change(int fd, uint32_t events, enum watched what, unsigned which) {
  return control(EPOLL_CTL_MOD, fd, events, what, which);
}

void poller_remove(int fd) {
  // Fails only for one that was not added.
  (void)epoll_ctl(poller, EPOLL_CTL_DEL, fd, NULL);
}

enum watched watched_of(const struct epoll_event *event) { return (enum watched)(event->data.u64 >> 32); }

unsigned index_of(const struct epoll_event *event) { return (unsigned)(event->data.u64 & UINT32_MAX); }

// Closes it and keeps errno.
static int give_up(int fd) {
  int error = errno;
  (void)close(fd);
  errno = error;
  return -1;
}

bool unix_fits(const char *path) {
  size_t len = strlen(path);
  return len > 0 && len < sizeof((struct sockaddr_un *)NULL)->sun_path;
}

int unix_connect(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!unix_fits(path)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(address.sun_path, path, strlen(path) + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  // A full backlog is EAGAIN, not a connection in progress: unix(7).
  if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
  return give_up(fd);
}

static bool set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static int listen_on(int family, const struct sockaddr *address, socklen_t len) {
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  if (!set(fd, SOL_SOCKET, SO_REUSEADDR, 1)) return give_up(fd);
  if (family == AF_INET6 && !set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) return give_up(fd);
  if (bind(fd, address, len) != 0 || listen(fd, BACKLOG) != 0) return give_up(fd);
  return fd;
}

int tcp_listen(uint16_t port) {
  const struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_ANY_INIT};
  int fd = listen_on(AF_INET6, (const struct sockaddr *)&six, sizeof six);
  // A kernel without IPv6 has no such sockets, or no such addresses.
  if (fd >= 0 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL)) return fd;
  const struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY)};
  return listen_on(AF_INET, (const struct sockaddr *)&four, sizeof four);
}

int tcp_accept(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return -1;
  bool is_set = set(fd, IPPROTO_TCP, TCP_NODELAY, 1) && set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) &&
                set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S) &&
                set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EACH_S) &&
                set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_TRIES);
  return is_set ? fd : give_up(fd);
}

void tcp_reset(int fd) {
  const struct linger none = {.l_onoff = 1, .l_linger = 0};
  // Without it the client sees an ordinary close.
  (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  (void)close(fd);
}

uint64_t now_ms(void) {
  struct timespec now;
  // Cannot fail for this clock.
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
