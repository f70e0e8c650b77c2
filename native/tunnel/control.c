#include "control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listeners.h"
#include "ports.h"
#include "sockets.h"
#include "text.h"

// How long it waits between two attempts: longer each time.
enum { WAIT_FIRST_MS = 100, WAIT_MAX_MS = 1000 };

static const char *path, *name;
static int fd = -1;
static char line[PORTS_LINE_MAX + 1];
static size_t len;
static uint64_t next_at;
static unsigned wait_ms = WAIT_FIRST_MS;

static void disconnect(void) {
  if (fd >= 0) (void)close(fd);
  fd = -1;
  len = 0;
  next_at = now_ms() + wait_ms;
  wait_ms = wait_ms * 2 < WAIT_MAX_MS ? wait_ms * 2 : WAIT_MAX_MS;
}

// A daemon that reads nothing is not waited for.
static bool write_all(const struct text *text) {
  return !text->full && send(fd, text->at, text->len, MSG_NOSIGNAL) == (ssize_t)text->len;
}

static void dial(void) {
  char hello[128];
  struct text text = text_in(hello, sizeof hello);
  text_add(&text, "forwarder ");
  text_add(&text, name);
  text_add(&text, "\n");
  fd = unix_connect(path);
  if (fd < 0 || !write_all(&text) || !poller_add(fd, EPOLLIN, WATCH_CONTROL, 0)) disconnect();
}

static bool apply(size_t end) {
  struct ports ports;
  if (!ports_parse(line, end, &ports)) return false;
  char answer[128];
  struct text text = text_in(answer, sizeof answer);
  uint16_t failed = 0;
  if (listeners_set(&ports, &failed)) {
    text_add(&text, "listening\n");
  } else {
    const char *why = strerror(errno);
    text_add(&text, "failed ");
    text_number(&text, failed);
    text_add(&text, " ");
    text_add(&text, why);
    text_add(&text, "\n");
  }
  return write_all(&text);
}

// Applies all complete lines; false for anything else.
static bool apply_lines(void) {
  for (;;) {
    char *end = memchr(line, '\n', len);
    if (end == NULL) return len < sizeof line;
    size_t size = (size_t)(end - line);
    if (!apply(size)) return false;
    len -= size + 1;
    memmove(line, end + 1, len);
  }
}

void control_event(void) {
  if (fd < 0) return;
  ssize_t count = recv(fd, line + len, sizeof line - len, 0);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  if (count > 0) len += (size_t)count;
  if (count <= 0 || !apply_lines()) disconnect();
  else wait_ms = WAIT_FIRST_MS;
}

void control_start(const char *socket, const char *id) {
  path = socket;
  name = id;
  dial();
}

void control_tick(void) {
  if (fd < 0 && now_ms() >= next_at) dial();
}

int control_timeout(void) {
  if (fd >= 0) return -1;
  uint64_t now = now_ms();
  return now >= next_at ? 0 : (int)(next_at - now);
}
