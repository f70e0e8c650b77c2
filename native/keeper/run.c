#include "run.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "control.h"
#include "fds.h"
#include "json.h"
#include "lifecycle.h"
#include "log.h"
#include "notify.h"
#include "output.h"
#include "exit-record.h"
#include "signals.h"
#include "terminal.h"
#include "process-tree.h"

// A terminal that another process still holds open is read for at most DRAIN_MS after the service's exit.
enum { DRAIN_MS = 1000, FAREWELL_MS = 250, NOTICES_AT_ONCE = 32, EVENT_MAX = CLIENT_OUT_MAX / 2 };
enum { POLL_MAX = 2 + OUTPUT_POLL_MAX + CONTROL_POLL_MAX };

static const struct options *options;
static struct notice known;
static int notify_fd = -1;
static int64_t started_ms;
static bool in_cgroup;

static void add_pids(struct text *text) {
  text_add(text, "\"pid\":");
  text_number(text, (uint64_t)lifecycle_main());
  text_add(text, ",\"keeper\":");
  text_number(text, (uint64_t)getpid());
  text_add(text, ",\"startedMs\":");
  text_number(text, (uint64_t)started_ms);
  text_add(text, ",\"cgroup\":");
  text_json_bool(text, in_cgroup);
}

static void send_started(void) {
  char event[256];
  struct text text = text_in(event, sizeof event);
  text_add(&text, "{\"event\":\"started\",");
  add_pids(&text);
  text_add(&text, "}\n");
  control_broadcast(&text);
}

static void send_state(struct client *client) {
  static char event[EVENT_MAX];
  struct text text = text_in(event, sizeof event);
  text_add(&text, "{\"event\":\"state\",");
  add_pids(&text);
  text_add(&text, ",\"main\":");
  if (lifecycle_main_exited()) {
    text_add(&text, "{");
    lifecycle_outcome(&text);
    text_add(&text, "}");
  } else {
    text_add(&text, "null");
  }
  text_add(&text, ",\"left\":");
  text_number(&text, process_tree_left());
  text_add(&text, ",\"notify\":{\"ready\":");
  text_json_bool(&text, known.ready);
  text_add(&text, ",\"status\":");
  if (known.has_status) text_json(&text, known.status, known.status_len);
  else text_add(&text, "null");
  text_add(&text, ",\"pid\":");
  text_number(&text, known.sender);
  text_add(&text, "},\"log\":{\"lines\":");
  text_number(&text, log_lines());
  text_add(&text, ",\"dropped\":");
  text_number(&text, log_dropped());
  text_add(&text, "}}\n");
  client_send(client, text.at, text.len);
}

static void attach(struct client *client, const struct command *command) {
  if (output_terminal() < 0) {
    client_error(client, "the service has no terminal");
    return;
  }
  if (command->verb == VERB_ATTACH) control_attach(client);
  if (command->verb == VERB_REPLAY) control_replay(client);
  if (!terminal_resize(output_terminal(), command->first, command->second) && command->verb == VERB_RESIZE)
    client_error(client, strerror(errno));
}

static void handle_command(struct client *client, const struct command *command) {
  switch (command->verb) {
    case VERB_STATE:
      send_state(client);
      break;
    case VERB_POKE:
      log_revive();
      control_poke(client);
      break;
    case VERB_STOP:
      lifecycle_stop((int)command->first, (int64_t)command->second);
      break;
    case VERB_SIGNAL:
      if (!lifecycle_signal((int)command->first)) client_error(client, "the main process has exited");
      break;
    case VERB_FINISH:
      lifecycle_finish();
      break;
    case VERB_RESIZE:
    case VERB_ATTACH:
    case VERB_REPLAY:
      attach(client, command);
      break;
  }
}

// Skips a key that would suspend the service: no shell is there to resume it.
static size_t type(const char *bytes, size_t len) {
  size_t typable = terminal_typable(bytes, len, lifecycle_main());
  return typable == 0 && len > 0 ? 1 : output_type(bytes, typable);
}

// Reports why the service did not start, to the daemon and on standard error.
static int fail(const struct failure *failure) {
  char event[512];
  struct text text = text_in(event, sizeof event);
  text_add(&text, "{\"event\":\"failed\",\"step\":");
  text_json_string(&text, failure->step);
  text_add(&text, ",\"errno\":");
  text_number(&text, (uint64_t)failure->error);
  text_add(&text, ",\"error\":");
  text_json_string(&text, strerror(failure->error));
  text_add(&text, "}\n");
  control_unlisten();
  if (notify_fd >= 0) (void)unlink(options->notify);
  if (options->exit != NULL) (void)unlink(options->exit);
  control_broadcast(&text);
  control_close(FAREWELL_MS);
  text_complain("locald-keeper", failure->step, strerror(failure->error));
  return 1;
}

static void take_notices(void) {
  static struct notice news;
  for (int i = 0; i < NOTICES_AT_ONCE; i++) {
    int took = notify_take(notify_fd, &news);
    if (took < 0) return;
    if (took == 0) continue;
    notice_merge(&known, &news);
    control_notify(&news, &known);
  }
}

static void bind_again(void) {
  control_relisten();
  if (options->notify == NULL) return;
  int fd = notify_open(options->notify);
  if (fd < 0) return;
  take_notices();
  (void)close(notify_fd);
  notify_fd = fd;
}

static int wait_ms(int64_t now, int64_t first, int64_t second, int64_t third) {
  int64_t due = first;
  if (second >= 0 && (due < 0 || second < due)) due = second;
  if (third >= 0 && (due < 0 || third < due)) due = third;
  if (due < 0) return -1;
  return due <= now ? 0 : due - now > INT_MAX ? INT_MAX : (int)(due - now);
}

// Waits once and handles everything that arrived. `last` is the end of the drain (clock_ms()), -1 while the service runs.
static void run_once(int64_t last) {
  struct pollfd fds[POLL_MAX];
  int64_t now = clock_ms();
  unsigned count = 0;
  fds[count++] = (struct pollfd){.fd = signals_fd(), .events = POLLIN};
  fds[count++] = (struct pollfd){.fd = notify_fd, .events = POLLIN};
  unsigned outputs = output_poll(fds + count, control_typing(), now);
  unsigned clients = control_poll(fds + count + outputs);
  int ready = fds_wait(fds, count + outputs + clients, wait_ms(now, lifecycle_due(), output_due(), last));
  now = clock_ms();
  if (ready > 0) {
    if (fds[0].revents != 0) {
      if (signals_take()) lifecycle_finish();
      if (signals_hung_up()) bind_again();
      lifecycle_reap();
    }
    if (fds[1].revents != 0) take_notices();
    output_handle(fds + count, outputs, now);
    control_handle(fds + count + outputs, clients);
  }
  output_tick(now);
  lifecycle_tick(now);
}

static bool open_all(struct failure *failure) {
  failure->step = "fork";
  bool ready = signals_open();
  if (ready) {
    failure->step = "log";
    ready = log_open(options->log, options->log_bytes, options->log_files);
  }
  if (ready && options->socket != NULL) {
    failure->step = "socket";
    ready = control_listen(options->socket);
  }
  if (ready && options->notify != NULL) {
    failure->step = "notify";
    notify_fd = notify_open(options->notify);
    ready = notify_fd >= 0;
  }
  failure->error = errno;
  return ready;
}

static void send_exit(void) {
  char event[256];
  struct text text = text_in(event, sizeof event);
  text_add(&text, "{\"event\":\"exit\",");
  lifecycle_outcome(&text);
  text_add(&text, "}\n");
  output_end();
  // Unlinked before the event: on it the daemon may start the next keeper on the same paths.
  control_unlisten();
  if (notify_fd >= 0) (void)unlink(options->notify);
  if (options->exit != NULL) exit_record_write(options->exit);
  control_broadcast(&text);
  control_close(FAREWELL_MS);
}

int run(const struct options *given) {
  static const struct control_calls calls = {.command = handle_command, .type = type};
  struct failure failure;
  struct child child;
  options = given;
  control_start(fds_inherit() ? FIRST_CLIENT_FD : -1, &calls);
  if (getsid(0) != getpid()) (void)setsid();  // fails for a group leader, which can have no terminal then
  if (options->exit != NULL) (void)exit_record_begin(options->exit);
  if (!open_all(&failure)) return fail(&failure);
  bool whole = process_tree_adopt(options->group_only);
  if (!child_start(options, &child, &failure)) return fail(&failure);
  started_ms = clock_epoch_ms();
  in_cgroup = child.in_cgroup;
  process_tree_start(child.pid, options->cgroup);
  lifecycle_start(child.pid, whole, options);
  output_start(child.output, child.errors);
  send_started();
  while (!lifecycle_is_over()) run_once(-1);
  int64_t last = clock_ms() + DRAIN_MS;
  output_drain(last);
  while (options->tty && !output_over() && clock_ms() < last) run_once(last);
  send_exit();
  return 0;
}
