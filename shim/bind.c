#include "bind.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include "credentials.h"
#include "harden.h"
#include "exit-codes.h"
#include "text.h"

enum { BACKLOG = 4096, SEND_MS = 5000, ANSWER_MS = 5000, CONNECT_MS = 500 };

// Node crashes on an unexpected descriptor, so only its own channel ever gets one: the caller's stream socket.
static void require_channel(void) {
  struct sockaddr_un address;
  socklen_t size = sizeof address;
  int type = 0;
  socklen_t type_size = sizeof type;
  if (getsockname(CHANNEL_FD, (struct sockaddr *)&address, &size) != 0 || address.sun_family != AF_UNIX ||
      getsockopt(CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 || type != SOCK_STREAM)
    exit_with(EXIT_CHANNEL, "descriptor 3 is not Node's channel", NULL);
#ifdef __linux__
  struct ucred peer;
  socklen_t peer_size = sizeof peer;
  bool known = getsockopt(CHANNEL_FD, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) == 0;
  bool own = known && peer.uid == getuid();
#else
  uid_t uid;
  gid_t gid;
  bool own = getpeereid(CHANNEL_FD, &uid, &gid) == 0 && uid == getuid();
#endif
  if (!own) exit_with(EXIT_CHANNEL, "descriptor 3 is another user's channel", NULL);
}

// Returns whether another process accepts connections to the address. XNU lets root bind a loopback address beside anyone's listener on
// all addresses, and would divert its connections (xnu-11417.101.15, bsd/netinet/in_pcb.c in_pcbbind). Any answer counts as a listener.
static bool is_answered(const struct sockaddr *address, socklen_t size) {
  int error = 0;
  socklen_t error_size = sizeof error;
  int fd = socket(address->sa_family, SOCK_STREAM, 0);
  if (fd < 0) return false;
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || (connect(fd, address, size) != 0 && errno != EINPROGRESS)) {
    error = errno;
  } else {
    struct pollfd result = {.fd = fd, .events = POLLOUT};
    if (poll(&result, 1, CONNECT_MS) > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) != 0) error = errno;
  }
  (void)close(fd);
  return error == 0 || error == ECONNRESET;
}

static int bound(const struct sockaddr *address, socklen_t size, const char *what, bool optional) {
  const int on = 1;
  if (is_answered(address, size)) exit_with(EXIT_PORT_TAKEN, "another program is listening there", what);
  int fd = socket(address->sa_family, SOCK_STREAM, 0);
  if (fd < 0 && optional && errno == EAFNOSUPPORT) return -1;
  if (fd < 0) exit_with_errno(EXIT_PORT, what);
  bool set = fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
  set = set && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
  if (address->sa_family == AF_INET6) set = set && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
  if (!set) exit_with_errno(EXIT_PORT, what);
  if (bind(fd, address, size) == 0 && listen(fd, BACKLOG) == 0) return fd;
  if (errno == EADDRINUSE) exit_with(EXIT_PORT_TAKEN, "another program is listening there", what);
  if (!optional || errno != EADDRNOTAVAIL) exit_with_errno(EXIT_PORT, what);
  (void)close(fd);
  return -1;
}

// One line and one descriptor at a time: Node takes only the first of several.
static void send_line(const struct text *line, int fd) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec part = {.iov_base = line->at, .iov_len = line->len};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd >= 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = control.space;
    message.msg_controllen = sizeof control.space;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  struct pollfd room = {.fd = CHANNEL_FD, .events = POLLOUT};
  if (poll(&room, 1, SEND_MS) != 1) exit_with(EXIT_CHANNEL, "Node's channel accepts no data", NULL);
  ssize_t sent = sendmsg(CHANNEL_FD, &message, 0);
  if (sent != (ssize_t)line->len) exit_with_errno(EXIT_CHANNEL, "Node's channel cannot be written to");
}

// Node acknowledges each descriptor; closing this end before that would lose what was sent after it.
static void wait_for_answer(void) {
  static const char taken[] = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
  char answer[sizeof taken];
  struct pollfd answered = {.fd = CHANNEL_FD, .events = POLLIN};
  size_t len = 0;
  while (len < sizeof taken - 1) {
    if (poll(&answered, 1, ANSWER_MS) != 1) exit_with(EXIT_CHANNEL, "Node does not answer", NULL);
    ssize_t got = read(CHANNEL_FD, answer + len, sizeof taken - 1 - len);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) exit_with(EXIT_CHANNEL, "Node closed the channel", NULL);
    if (got > 0) len += (size_t)got;
  }
  if (memcmp(answer, taken, len) != 0) exit_with(EXIT_CHANNEL, "Node did not take the socket", NULL);
}

static void hand_over(int fd, const char *address, unsigned port) {
  char buffer[256];
  struct text line = text_in(buffer, sizeof buffer);
  text_add(&line, "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":{\"bound\":\"");
  text_add(&line, address);
  text_add(&line, "\",\"port\":");
  text_number(&line, port);
  text_add(&line, "}}\n");
  send_line(&line, fd);
  wait_for_answer();
}

void bind_port(unsigned port) {
  const struct sockaddr_in four = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  const struct sockaddr_in6 six = {
      .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  require_channel();
  int first = bound((const struct sockaddr *)&four, sizeof four, port == 80 ? "127.0.0.1:80" : "127.0.0.1:443", false);
  int second = bound((const struct sockaddr *)&six, sizeof six, port == 80 ? "[::1]:80" : "[::1]:443", true);
  credentials_become_caller();
  hand_over(first, "127.0.0.1", port);
  if (second >= 0) hand_over(second, "::1", port);
  char buffer[32];
  struct text done = text_in(buffer, sizeof buffer);
  text_add(&done, second >= 0 ? "{\"done\":2}\n" : "{\"done\":1}\n");
  send_line(&done, -1);
}
