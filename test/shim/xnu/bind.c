// bind(2) for root as XNU has it, where it lets a loopback address be had beside a listener on all addresses. Linux does the same for a
// user's own sockets with SO_REUSEPORT, which the listener must have, too.
#include <sys/socket.h>

int __real_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size) {
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) return -1;
  return __real_bind(fd, address, size);
}
