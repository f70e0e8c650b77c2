// Sockets for a loop that must never block: all are close-on-exec and non-blocking.
#ifndef TUNNEL_SOCKETS_H
#define TUNNEL_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

// What an event is about, and which one of them.
enum watched { WATCH_CONTROL, WATCH_LISTENER, WATCH_CLIENT, WATCH_UPSTREAM };

// Creates the epoll instance. Returns false with errno.
bool poller_start(void);
// Waits for events; -1 with errno. `timeout_ms` < 0: for ever.
struct epoll_event;
int poller_wait(struct epoll_event *events, int count, int timeout_ms);
bool poller_add(int fd, uint32_t events, enum watched what, unsigned which);
bool poller_change(int fd, uint32_t events, enum watched what, unsigned which);
void poller_remove(int fd);
enum watched watched_of(const struct epoll_event *event);
unsigned index_of(const struct epoll_event *event);

// Connects to a Unix socket. Returns -1 with errno.
int unix_connect(const char *path);
// Whether the path fits into an address.
bool unix_fits(const char *path);

// Listens on a port of all addresses, IPv4 and, where the kernel has it, IPv6. Returns -1 with errno.
int tcp_listen(uint16_t port);
// Accepts a connection, which sends without delay and notices a peer that has vanished. Returns -1 with errno.
int tcp_accept(int listener);
// Closes a connection with a reset.
void tcp_reset(int fd);

// Milliseconds of a clock that never jumps.
uint64_t now_ms(void);

#endif
