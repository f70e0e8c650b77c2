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

// A group whose main process left others behind is looked at every GROUP_MS, and every STOP_MS while it is stopped; it
// is given up GIVE_UP_MS after SIGKILL, for zombies that nobody reaps look alive. KILL_PASSES outrun a process that forks and exits.
// Processes that wait for their turn to be stopped are looked at after TURN_MS, and less and less often.
enum { GROUP_MS = 1000, STOP_MS = 50, TURN_MS = 10, TURN_MAX_MS = 160, GIVE_UP_MS = 1000, EAGER_MS = 2000, EAGER_PAUSE_MS = 50, PAUSE_MS = 1000, KILL_PASSES = 8 };

static struct {
  pid_t main;
  bool whole, main_only, ended, over, stopping, killing;
  int status, default_signal;
  int64_t default_grace, deadline, last_call, next_turn, killing_since, next, pause, turn_pause;
} life;

void life_start(pid_t main, bool whole_tree, const struct options *options) {
  life.main = main;
  life.whole = whole_tree;
  life.main_only = options->main_only;
  life.default_signal = (int)options->stop_signal;
  life.default_grace = (int64_t)options->stop_ms;
  life.next = life.last_call = life.next_turn = -1;
}

bool life_ended(void) { return life.ended; }

void life_outcome(struct text *text) {
  text_add(text, "\"code\":");
  if (WIFEXITED(life.status)) text_number(text, (uint64_t)WEXITSTATUS(life.status));
  else text_add(text, "null");
  text_add(text, ",\"signal\":");
  text_json_string(text, WIFSIGNALED(life.status) ? signal_name(WTERMSIG(life.status)) : NULL);
}

static void tell_main_ended(unsigned left) {
  char event[256];
  struct text text = text_in(event, sizeof event);
  text_add(&text, "{\"event\":\"main\",");
  life_outcome(&text);
  text_add(&text, ",\"left\":");
  text_number(&text, left);
  text_add(&text, "}\n");
  control_broadcast(&text);
}

static void main_ended(void) {
  // Somebody is left, even if it was too quick to be met.
  unsigned left = tree_left();
  tell_main_ended(left > 0 ? left : 1);
  bool clean = WIFEXITED(life.status) && WEXITSTATUS(life.status) == 0;
  if (!life.stopping && !clean) life_finish();
  if (!life.whole) life.next = clock_ms();
}

// True when the main process has ended just now; `any` when one of the tree has.
static bool reap(bool *any) {
  bool just_now = false;
  int status;
  pid_t pid;
  *any = false;
  while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
    if (WIFSTOPPED(status)) {
      if (pid == life.main && !life.ended) terminal_resume(life.main, WSTOPSIG(status));
      continue;
    }
    *any = true;
    if (pid != life.main || life.ended) continue;
    life.ended = just_now = true;
    life.status = status;
    tree_main_ended();
  }
  if (life.ended) life.over = life.whole ? pid < 0 && errno == ECHILD : tree_left() == 0;
  return just_now;
}

// `changed`: somebody has ended, or been asked to.
static void give_turns(int64_t now, bool changed) {
  life.turn_pause = changed ? TURN_MS : life.turn_pause * 2;
  if (life.turn_pause > TURN_MAX_MS) life.turn_pause = TURN_MAX_MS;
  life.next_turn = delivery_goes_on(now) ? now + life.turn_pause : -1;
}

void life_reap(void) {
  if (life.over) return;
  bool any;
  bool just_now = reap(&any);
  if (life.over) return;
  if (just_now) main_ended();
  if (!life.stopping || life.killing) return;
  // Whose parent has ended is a process that nobody else will ask to end. Of a grandchild's end only Linux tells.
  bool orphans = life.ended && (any || !life.whole);
  if (orphans) delivery_to_orphans();
  if (any || orphans) give_turns(clock_ms(), any);
}

void life_stop(int signal, int64_t grace_ms) {
  if (life.over) return;
  int64_t now = clock_ms(), deadline = now + grace_ms;
  bool begins = delivery_begin(signal), shortens = !life.stopping || deadline < life.deadline;
  if (shortens) life.deadline = deadline;
  if (begins || shortens) life.last_call = now + (life.deadline - now) / 2;
  life.stopping = true;
  if (!begins) return;  // it is under way
  if (!life.ended) {
    delivery_to_main(terminal_foreground());
  } else {
    delivery_to_orphans();
    if (!life.whole) life.next = now;
  }
  give_turns(now, true);
}

void life_finish(void) { life_stop(life.default_signal, life.default_grace); }

bool life_signal(int signal) { return tree_signal_group(signal); }

int64_t life_due(void) {
  if (life.over) return -1;
  int64_t due = life.next;
  if (life.stopping && !life.killing) {
    if (due < 0 || life.deadline < due) due = life.deadline;
    if (life.last_call >= 0 && life.last_call < due) due = life.last_call;
    if (life.next_turn >= 0 && life.next_turn < due) due = life.next_turn;
  }
  return due;
}

static void kill_all(int64_t now) {
  if (!life.killing) {
    life.killing = true;
    life.killing_since = now;
    life.pause = 1;
  }
  for (unsigned pass = 0; pass < KILL_PASSES && !life.over; pass++) {
    tree_kill();
    life_reap();
  }
  bool eager = now - life.killing_since < EAGER_MS;
  life.next = now + life.pause;
  life.pause = life.pause * 2;
  if (life.pause > (eager ? EAGER_PAUSE_MS : PAUSE_MS)) life.pause = eager ? EAGER_PAUSE_MS : PAUSE_MS;
  if (!life.whole && life.ended && now - life.killing_since >= GIVE_UP_MS) life.over = true;
}

void life_tick(int64_t now) {
  if (life.over) return;
  if (life.stopping && !life.killing && now >= life.deadline) {
    kill_all(now);
  } else if (life.stopping && !life.killing && life.last_call >= 0 && now >= life.last_call) {
    life.last_call = -1;
    if (life.ended || !life.main_only) delivery_to_rest();
  } else if (life.stopping && !life.killing && life.next_turn >= 0 && now >= life.next_turn) {
    give_turns(now, false);
  } else if (life.next >= 0 && now >= life.next) {
    life.next = now + (life.stopping ? STOP_MS : GROUP_MS);
    if (life.killing) kill_all(now);
    else life_reap();
  }
}

bool life_over(void) { return life.over; }

pid_t life_main(void) { return life.main; }
