#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "answers.h"
#include "clock.h"
#include "control.h"
#include "lines.h"
#include "log.h"
#include "terminal.h"

enum { BATCH_MAX = 65536, BUSY_BATCH = 32768, PIPE_WANTED = 1048576, REST_MS = 1 };

static struct source {
  int fd;
  bool grown, closed;
  struct lines lines;
} sources[2];

static bool terminal;
static char batch[BATCH_MAX];
static int64_t last_read = -1, rest_until = -1;

void output_start(int output, int errors) {
  terminal = errors < 0;
  sources[STDOUT].fd = output;
  sources[STDERR].fd = errors;
  sources[STDOUT].lines.stream = STDOUT;
  sources[STDERR].lines.stream = STDERR;
  sources[STDOUT].lines.tty = terminal;
  sources[STDERR].closed = errors < 0;
}

unsigned output_poll(struct pollfd *fds, bool typing, int64_t now) {
  unsigned count = 0;
  short events = now < rest_until ? 0 : POLLIN;
  if (typing) events |= POLLOUT;
  for (unsigned i = 0; i < 2 && events != 0; i++)
    if (!sources[i].closed) fds[count++] = (struct pollfd){.fd = sources[i].fd, .events = events};
  return count;
}

// A terminal's master stays open: closing it would hang up on the service.
static void end_source(struct source *source) {
  if (source->closed) return;
  source->closed = true;
  if (!terminal) (void)close(source->fd);
  lines_end(&source->lines);
}

// A busy service gets a bigger pipe; idle ones must not use up the user's limit (pipe-user-pages-soft).
static void grow(struct source *source) {
#ifdef F_SETPIPE_SZ
  if (!source->grown && !terminal) (void)fcntl(source->fd, F_SETPIPE_SZ, PIPE_WANTED);  // refused: the pipe stays small
#endif
  source->grown = true;
}

// Reads up to one batch. Returns 0 when there is nothing now, -1 at the end of the stream.
static ssize_t read_batch(const struct source *source) {
  size_t len = 0;
  while (len < sizeof batch) {
    ssize_t got = read(source->fd, batch + len, sizeof batch - len);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (got <= 0) return len > 0 ? (ssize_t)len : -1;  // EIO: the terminal has no user left
    len += (size_t)got;
    if (!terminal) break;  // a pipe returns all it has in one read
  }
  return (ssize_t)len;
}

static void show(const char *bytes, size_t len, int64_t now) {
  if (control_show(bytes, len)) answers_stop();
  else answers_to(bytes, len, now);
}

static ssize_t take_batch(struct source *source, int64_t now) {
  ssize_t len = read_batch(source);
  if (len == 0) return 0;
  log_stamp();
  if (len < 0) {
    end_source(source);
  } else {
    lines_feed(&source->lines, batch, (size_t)len, now);
    if (terminal) show(batch, (size_t)len, now);
  }
  if (log_flush()) control_log_written();
  if (len >= BUSY_BATCH) grow(source);
  return len;
}

void output_handle(const struct pollfd *fds, unsigned count, int64_t now) {
  ssize_t most = 0;
  for (unsigned i = 0; i < count; i++) {
    if ((fds[i].revents & POLLOUT) != 0) control_type();
    if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
    bool first = !sources[STDOUT].closed && fds[i].fd == sources[STDOUT].fd;
    ssize_t len = take_batch(first ? &sources[STDOUT] : &sources[STDERR], now);
    if (len > most) most = len;
  }
  // Waking up for each of many small writes would slow the service down, so they accumulate for a moment.
  if (most > 0 && most < BUSY_BATCH && !terminal && now - last_read <= REST_MS) rest_until = now + REST_MS;
  if (most > 0) last_read = now;
}

int64_t output_due(void) {
  int64_t first = lines_due(&sources[STDOUT].lines), second = lines_due(&sources[STDERR].lines);
  int64_t due = first < 0 || (second >= 0 && second < first) ? second : first;
  if (answers_due() >= 0 && (due < 0 || answers_due() < due)) due = answers_due();
  // While paused, the pipes are not polled.
  return due < 0 || rest_until < due ? (rest_until >= 0 ? rest_until : due) : due;
}

void output_tick(int64_t now) {
  if (rest_until >= 0 && now >= rest_until) rest_until = -1;
  if (answers_due() >= 0 && now >= answers_due()) answers_tick(now);
  bool shown = false;
  for (unsigned i = 0; i < 2; i++) {
    int64_t due = lines_due(&sources[i].lines);
    if (due < 0 || now < due) continue;
    if (!shown) log_stamp();
    shown = true;
    lines_show(&sources[i].lines);
  }
  if (shown && log_flush()) control_log_written();
}

// Reads first: macOS discards what is unread at a terminal's last close, and blocks the closing process until then.
void output_drain(int64_t last) {
  terminal_flow();
  for (unsigned i = 0; i < 2; i++)
    while (!sources[i].closed && clock_ms() < last && take_batch(&sources[i], clock_ms()) > 0) continue;
  terminal_release();
}

bool output_over(void) { return sources[STDOUT].closed && sources[STDERR].closed; }

void output_end(void) {
  log_stamp();
  for (unsigned i = 0; i < 2; i++) end_source(&sources[i]);
  if (log_flush()) control_log_written();
}

int output_terminal(void) { return terminal && !sources[STDOUT].closed ? sources[STDOUT].fd : -1; }

size_t output_type(const char *bytes, size_t len) {
  if (output_terminal() < 0) return len;
  ssize_t wrote = write(output_terminal(), bytes, len);
  if (wrote >= 0) return (size_t)wrote;
  return errno == EAGAIN || errno == EINTR ? 0 : len;  // it will never be read
}
