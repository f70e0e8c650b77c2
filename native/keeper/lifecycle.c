#include "lifecycle.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "clock.h"
#include "control.h"
#include "delivery.h"
#include "json.h"
#include "terminal.h"
#include "process-tree.h"
#include "protocol.h"

// A group whose main process left others behind is checked every GROUP_MS, and every STOP_MS during a stop; it is
// given up GIVE_UP_MS after SIGKILL, since unreaped zombies look alive. KILL_PASSES outrun a process that forks and exits.
// Processes whose signal is held back are checked after LOOK_MS, then less and less often.
enum { GROUP_MS = 1000, STOP_MS = 50, LOOK_MS = 10, LOOK_MAX_MS = 160, GIVE_UP_MS = 1000, EAGER_MS = 2000, EAGER_PAUSE_MS = 50, PAUSE_MS = 1000, KILL_PASSES = 8 };

static struct {
  pid_t main;
  bool whole, main_only, main_exited, over, stopping, killing;
  int status, default_signal;
  int64_t default_grace, deadline, last_call, next_look, killing_since, next, pause, look_pause;
} lifecycle;

void lifecycle_start(pid_t main, bool whole_tree, const struct options *options) {
  lifecycle.main = main;
  lifecycle.whole = whole_tree;
  lifecycle.main_only = options->main_only;
  lifecycle.default_signal = (int)options->stop_signal;
  lifecycle.default_grace = (int64_t)options->stop_ms;
  lifecycle.next = lifecycle.last_call = lifecycle.next_look = -1;
}

bool lifecycle_main_exited(void) { return lifecycle.main_exited; }

void lifecycle_outcome(struct text *text) {
  text_add(text, "\"code\":");
  if (WIFEXITED(lifecycle.status)) text_number(text, (uint64_t)WEXITSTATUS(lifecycle.status));
  else text_add(text, "null");
  text_add(text, ",\"signal\":");
  text_json_string(text, WIFSIGNALED(lifecycle.status) ? signal_name(WTERMSIG(lifecycle.status)) : NULL);
}

static void send_main_exited(unsigned left) {
  char event[256];
  struct text text = text_in(event, sizeof event);
  text_add(&text, "{\"event\":\"main\",");
  lifecycle_outcome(&text);
  text_add(&text, ",\"left\":");
  text_number(&text, left);
  text_add(&text, "}\n");
  control_broadcast(&text);
}

static void handle_main_exit(void) {
  // At least one is left, even if it was too quick to be seen.
  unsigned left = process_tree_left();
  send_main_exited(left > 0 ? left : 1);
  bool clean = WIFEXITED(lifecycle.status) && WEXITSTATUS(lifecycle.status) == 0;
  if (!lifecycle.stopping && !clean) lifecycle_finish();
  if (!lifecycle.whole) lifecycle.next = clock_ms();
}

// Returns true when the main process has just exited; sets `any` when any process of the tree has.
static bool reap(bool *any) {
  bool just_now = false;
  int status;
  pid_t pid;
  *any = false;
  while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
    if (WIFSTOPPED(status)) {
      if (pid == lifecycle.main && !lifecycle.main_exited) terminal_resume(lifecycle.main, WSTOPSIG(status));
      continue;
    }
    *any = true;
    if (pid != lifecycle.main || lifecycle.main_exited) continue;
    lifecycle.main_exited = just_now = true;
    lifecycle.status = status;
    process_tree_main_exited();
  }
  if (lifecycle.main_exited) lifecycle.over = lifecycle.whole ? pid < 0 && errno == ECHILD : process_tree_left() == 0;
  return just_now;
}

// `changed`: a process has exited or was signalled.
static void send_to_unheld(int64_t now, bool changed) {
  lifecycle.look_pause = changed ? LOOK_MS : lifecycle.look_pause * 2;
  if (lifecycle.look_pause > LOOK_MAX_MS) lifecycle.look_pause = LOOK_MAX_MS;
  lifecycle.next_look = delivery_goes_on(now) ? now + lifecycle.look_pause : -1;
}

void lifecycle_reap(void) {
  if (lifecycle.over) return;
  bool any;
  bool just_now = reap(&any);
  if (lifecycle.over) return;
  if (just_now) handle_main_exit();
  if (!lifecycle.stopping || lifecycle.killing) return;
  // No parent is left to stop an orphan. Only Linux reports the exit of a grandchild.
  bool orphans = lifecycle.main_exited && (any || !lifecycle.whole);
  if (orphans) delivery_to_orphans();
  if (any || orphans) send_to_unheld(clock_ms(), any);
}

void lifecycle_stop(int signal, int64_t grace_ms) {
  if (lifecycle.over) return;
  int64_t now = clock_ms(), deadline = now + grace_ms;
  bool begins = delivery_begin(signal), shortens = !lifecycle.stopping || deadline < lifecycle.deadline;
  if (shortens) lifecycle.deadline = deadline;
  if (begins || shortens) lifecycle.last_call = now + (lifecycle.deadline - now) / 2;
  lifecycle.stopping = true;
  if (!begins) return;  // this stop is in progress
  if (!lifecycle.main_exited) {
    delivery_to_main(terminal_foreground());
  } else {
    delivery_to_orphans();
    if (!lifecycle.whole) lifecycle.next = now;
  }
  send_to_unheld(now, true);
}

void lifecycle_finish(void) { lifecycle_stop(lifecycle.default_signal, lifecycle.default_grace); }

bool lifecycle_signal(int signal) { return process_tree_signal_group(signal); }

int64_t lifecycle_due(void) {
  if (lifecycle.over) return -1;
  int64_t due = lifecycle.next;
  if (lifecycle.stopping && !lifecycle.killing) {
    if (due < 0 || lifecycle.deadline < due) due = lifecycle.deadline;
    if (lifecycle.last_call >= 0 && lifecycle.last_call < due) due = lifecycle.last_call;
    if (lifecycle.next_look >= 0 && lifecycle.next_look < due) due = lifecycle.next_look;
  }
  return due;
}

static void kill_all(int64_t now) {
  if (!lifecycle.killing) {
    lifecycle.killing = true;
    lifecycle.killing_since = now;
    lifecycle.pause = 1;
  }
  for (unsigned pass = 0; pass < KILL_PASSES && !lifecycle.over; pass++) {
    process_tree_kill();
    lifecycle_reap();
  }
  bool eager = now - lifecycle.killing_since < EAGER_MS;
  lifecycle.next = now + lifecycle.pause;
  lifecycle.pause = lifecycle.pause * 2;
  if (lifecycle.pause > (eager ? EAGER_PAUSE_MS : PAUSE_MS)) lifecycle.pause = eager ? EAGER_PAUSE_MS : PAUSE_MS;
  if (!lifecycle.whole && lifecycle.main_exited && now - lifecycle.killing_since >= GIVE_UP_MS) lifecycle.over = true;
}

void lifecycle_tick(int64_t now) {
  if (lifecycle.over) return;
  if (lifecycle.stopping && !lifecycle.killing && now >= lifecycle.deadline) {
    kill_all(now);
  } else if (lifecycle.stopping && !lifecycle.killing && lifecycle.last_call >= 0 && now >= lifecycle.last_call) {
    lifecycle.last_call = -1;
    if (lifecycle.main_exited || !lifecycle.main_only) delivery_to_rest();
  } else if (lifecycle.stopping && !lifecycle.killing && lifecycle.next_look >= 0 && now >= lifecycle.next_look) {
    send_to_unheld(now, false);
  } else if (lifecycle.next >= 0 && now >= lifecycle.next) {
    lifecycle.next = now + (lifecycle.stopping ? STOP_MS : GROUP_MS);
    if (lifecycle.killing) kill_all(now);
    else lifecycle_reap();
  }
}

bool lifecycle_is_over(void) { return lifecycle.over; }

pid_t lifecycle_main(void) { return lifecycle.main; }
