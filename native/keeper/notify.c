#include "notify.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fds.h"
#include "json.h"
#include "text.h"
#include "protocol.h"

enum { DESCRIPTORS_MAX = 253 };  // SCM_MAX_FD

static bool is(const char *line, size_t len, const char *word) {
  return len == strlen(word) && memcmp(line, word, len) == 0;
}

static bool starts(const char *line, size_t len, const char *word) {
  return len >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

static bool line_parse(const char *line, size_t len, struct notice *notice) {
  if (is(line, len, "READY=1")) return notice->ready = true;
  if (is(line, len, "STOPPING=1")) return notice->stopping = true;
  if (is(line, len, "RELOADING=1")) return notice->reloading = true;
  if (starts(line, len, "MAINPID=")) {
    uint64_t pid;
    if (!number_parse(line + 8, len - 8, INT32_MAX, &pid) || pid == 0) return false;
    notice->mainpid = pid;
    return true;
  }
  if (!starts(line, len, "STATUS=")) return false;
  notice->has_status = true;
  notice->status_len = len - 7 < STATUS_MAX ? len - 7 : STATUS_MAX;
  memcpy(notice->status, line + 7, notice->status_len);
  return true;
}

bool notice_parse(const char *datagram, size_t len, struct notice *notice) {
  notice->ready = notice->stopping = notice->reloading = notice->has_status = false;
  notice->mainpid = notice->sender = 0;
  notice->status_len = 0;
  // systemd allows one NUL at the end and refuses others.
  if (len > 0 && datagram[len - 1] == '\0') len--;
  if (len == 0 || len > NOTICE_MAX || memchr(datagram, '\0', len) != NULL) return false;
  bool known = false;
  while (len > 0) {
    const char *newline = memchr(datagram, '\n', len);
    size_t line = newline == NULL ? len : (size_t)(newline - datagram);
    if (line_parse(datagram, line, notice)) known = true;
    size_t used = newline == NULL ? line : line + 1;
    datagram += used;
    len -= used;
  }
  return known;
}

int notify_open(const char *path) {
  int fd = fd_bind(path, SOCK_DGRAM);
#ifdef __linux__
  int on = 1;
  if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    int error = errno;
    (void)close(fd);
    (void)unlink(path);
    errno = error;
    return -1;
  }
#endif
  return fd;
}

static void close_received(const struct cmsghdr *part) {
  size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (size_t i = 0; i < count; i++) {
    int fd;
    memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
    (void)close(fd);
  }
}

// musl's CMSG_NXTHDR compares a size with a difference.
#pragma GCC diagnostic ignored "-Wsign-compare"

int notify_take(int fd, struct notice *notice) {
  char datagram[NOTICE_MAX + 1];
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int)) + CMSG_SPACE(64)];
  struct iovec part = {.iov_base = datagram, .iov_len = sizeof datagram};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t len = recvmsg(fd, &message, 0);
  if (len < 0) return errno == EINTR ? 0 : -1;
  uint64_t sender = 0;
  for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at != NULL; at = CMSG_NXTHDR(&message, at)) {
    if (at->cmsg_level != SOL_SOCKET) continue;
    if (at->cmsg_type == SCM_RIGHTS) close_received(at);
#ifdef __linux__
    if (at->cmsg_type == SCM_CREDENTIALS) {
      struct ucred credentials;
      memcpy(&credentials, CMSG_DATA(at), sizeof credentials);
      if (credentials.pid > 0) sender = (uint64_t)credentials.pid;
    }
#endif
  }
  if ((message.msg_flags & MSG_TRUNC) != 0 || !notice_parse(datagram, (size_t)len, notice)) return 0;
  notice->sender = sender;
  return 1;
}

void notice_merge(struct notice *known, const struct notice *news) {
  known->ready |= news->ready;
  known->stopping |= news->stopping;
  known->reloading = news->reloading;
  known->sender = news->sender;
  if (news->mainpid != 0) known->mainpid = news->mainpid;
  if (!news->has_status) return;
  known->has_status = true;
  known->status_len = news->status_len;
  memcpy(known->status, news->status, news->status_len);
}

void notice_event(struct text *text, const struct notice *notice) {
  text_add(text, "{\"event\":\"notify\",\"pid\":");
  text_number(text, notice->sender);
  text_add(text, ",\"ready\":");
  text_json_bool(text, notice->ready);
  text_add(text, ",\"stopping\":");
  text_json_bool(text, notice->stopping);
  text_add(text, ",\"reloading\":");
  text_json_bool(text, notice->reloading);
  text_add(text, ",\"status\":");
  if (notice->has_status) text_json(text, notice->status, notice->status_len);
  else text_add(text, "null");
  text_add(text, ",\"mainpid\":");
  if (notice->mainpid != 0) text_number(text, notice->mainpid);
  else text_add(text, "null");
  text_add(text, "}\n");
}
