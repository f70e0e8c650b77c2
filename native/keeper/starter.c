#include "starter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fds.h"
#include "json.h"
#include "request.h"
#include "text.h"

// sysexits(3). A daemon writes its request at once.
enum { CANNOT_CREATE = 73, REQUEST_S = 10, BACKLOG = 128 };

extern char **environ;

static char body[REQUEST_MAX];

static _Noreturn void fail(int client, const char *step, int error) {
  char event[512];
  struct text text = text_in(event, sizeof event);
  text_add(&text, "{\"event\":\"failed\",\"step\":");
  text_json_string(&text, step);
  text_add(&text, ",\"errno\":");
  text_number(&text, (uint64_t)error);
  text_add(&text, ",\"error\":");
  text_json_string(&text, strerror(error));
  text_add(&text, "}\n");
  ssize_t wrote = write(client, text.at, text.len);
  _exit(wrote == (ssize_t)text.len ? 1 : 2);
}

static bool read_all(int client, void *into, size_t len) {
  for (size_t done = 0; done < len;) {
    ssize_t got = read(client, (char *)into + done, len - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += (size_t)got;
  }
  return true;
}

static _Noreturn void become(int client) {
  unsigned char head[HEAD_SIZE];
  struct request_head sizes;
  struct request request;
  // Some systems pass on the listener's mode.
  if (fcntl(client, F_SETFL, 0) != 0) fail(client, "fork", errno);
  (void)alarm(REQUEST_S);
  if (!read_all(client, head, sizeof head) || !request_head(head, &sizes)) fail(client, "request", EINVAL);
  if (!read_all(client, body, sizes.bytes) || !request_body(body, &sizes, &request)) fail(client, "request", EINVAL);
  (void)alarm(0);
  if (chdir(request.folder) != 0) fail(client, "folder", errno);
  const struct sigaction normal = {.sa_handler = SIG_DFL};
  if (sigaction(SIGCHLD, &normal, NULL) != 0 || sigaction(SIGPIPE, &normal, NULL) != 0) fail(client, "fork", errno);
  if (dup2(STDOUT_FILENO, STDIN_FILENO) < 0 || (client != FIRST_CLIENT_FD && dup2(client, FIRST_CLIENT_FD) < 0))
    fail(client, "fork", errno);
  environ = request.variables;
  (void)execv(request.words[0], request.words);
  fail(FIRST_CLIENT_FD, "exec", errno);
}

// Accepts one request. Returns false when none is pending.
static bool take(int listener) {
  int client = accept(listener, NULL, NULL);
  if (client < 0) return false;
  pid_t pid = fork();
  if (pid == 0) become(client);
  // When fork failed there is no process to report it: the daemon sees its connection close.
  (void)close(client);
  return true;
}

// Prints a line once it listens, then replaces standard output with /dev/null.
static bool announce(void) {
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  bool done = nothing >= 0 && write(STDOUT_FILENO, "\n", 1) == 1 && dup2(nothing, STDOUT_FILENO) >= 0;
  if (nothing > STDERR_FILENO) (void)close(nothing);
  return done;
}

int starter(const char *path) {
  // Ignoring SIGCHLD leaves no zombies (sigaction(2)).
  const struct sigaction ignore = {.sa_handler = SIG_IGN};
  int listener = fd_bind(path, SOCK_STREAM);
  if (listener < 0 || listen(listener, BACKLOG) != 0 || sigaction(SIGCHLD, &ignore, NULL) != 0 ||
      sigaction(SIGPIPE, &ignore, NULL) != 0 || !announce()) {
    text_complain("locald-keeper", path, strerror(errno));
    return CANNOT_CREATE;
  }
  for (;;) {
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
    if (fds_wait(fds, 2, -1) < 0 && errno != EINTR) break;
    if (fds[0].revents != 0) break;
    if (fds[1].revents != 0) (void)take(listener);
  }
  // Serves requests made before another starter took the path.
  while (take(listener)) continue;
  (void)unlink(path);
  return 0;
}
