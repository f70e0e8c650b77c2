#include "delivery.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "process-tree.h"
#include "signal-order.h"

// Beyond RECEIVERS_MAX a process may get the signal twice. A reader has READER_MS to exit after its writer.
enum { RECEIVERS_MAX = PROCESS_TREE_MAX, READER_MS = 300 };

struct receiver {
  pid_t pid;
  uint64_t start;
  enum signal_hold held_by;  // HOLD_NONE: signal sent
  int64_t until;    // -1: its writer still runs
};

static struct receiver receivers[RECEIVERS_MAX];
static unsigned receivers_count;
static int signal_sent;
static uint64_t signals_begun;
static bool group_has_it;

static struct {
  const struct process *at;
  unsigned count;
  enum signal_hold holds[PROCESS_TREE_MAX];
} members;

static void look(void) {
  members.count = process_tree_members(&members.at);
  signal_order_look(members.at, members.count, signal_sent, members.holds);
}

bool delivery_begin(int signal) {
  uint64_t bit = (uint64_t)1 << (signal - 1);
  if ((signals_begun & bit) != 0) return false;
  signals_begun |= bit;
  signal_sent = signal;
  receivers_count = 0;
  group_has_it = false;
  signal_order_begin();
  return true;
}

static struct receiver *known(const struct process *process) {
  for (unsigned i = 0; i < receivers_count; i++)
    if (receivers[i].pid == process->pid && receivers[i].start == process->start) return &receivers[i];
  return NULL;
}

static void note(const struct process *process, enum signal_hold held_by) {
  struct receiver *receiver = known(process);
  if (receiver == NULL && receivers_count == RECEIVERS_MAX) return;
  if (receiver == NULL) receiver = &receivers[receivers_count++];
  *receiver = (struct receiver){.pid = process->pid, .start = process->start, .held_by = held_by, .until = -1};
}

// A stopped process handles the signal only after SIGCONT.
static void send_signal(const struct process *process) {
  note(process, HOLD_NONE);
  (void)kill(process->pid, signal_sent);  // it may have exited
  if (process->stopped) (void)kill(process->pid, SIGCONT);
}

// Sends the signal, or records what holds it back, unless one of both was done before.
static void send_or_hold(unsigned at) {
  const struct process *process = &members.at[at];
  if (known(process) != NULL) return;
  if (members.holds[at] == HOLD_NONE) send_signal(process);
  else note(process, members.holds[at]);
}

static bool none_held(pid_t group) {
  for (unsigned i = 0; i < members.count; i++)
    if (members.at[i].group == group && members.holds[i] != HOLD_NONE) return false;
  return true;
}

// Signals a whole group at once, so that a process that forks meanwhile is not missed, nor its child. With held members, a second pass does that.
static void send_to_group(pid_t group) {
  if (!none_held(group)) {
    for (unsigned pass = 0; pass < 2; pass++) {
      for (unsigned i = 0; i < members.count; i++)
        if (members.at[i].group == group) send_or_hold(i);
      look();
    }
    return;
  }
  for (unsigned i = 0; i < members.count; i++)
    if (members.at[i].group == group) note(&members.at[i], HOLD_NONE);
  (void)kill(-group, signal_sent);
  if (!process_tree_known()) (void)kill(-group, SIGCONT);
  for (unsigned i = 0; i < members.count; i++)
    if (members.at[i].group == group && members.at[i].stopped) (void)kill(members.at[i].pid, SIGCONT);
}

static bool is_ours(pid_t group) {
  if (!process_tree_known()) return getsid(group) == getsid(0);
  for (unsigned i = 0; i < members.count; i++)
    if (members.at[i].group == group) return true;
  return false;
}

void delivery_to_main(pid_t foreground) {
  look();
  pid_t main = process_tree_group();
  group_has_it = true;
  send_to_group(main);
  if (foreground != 0 && foreground != main && is_ours(foreground)) send_to_group(foreground);
}

void delivery_to_orphans(void) {
  look();
  if (!process_tree_known() && !group_has_it && process_tree_group() != 0) {
    group_has_it = true;
    send_to_group(process_tree_group());
  }
  pid_t keeper = getpid();
  for (unsigned i = 0; i < members.count; i++) {
    if (members.at[i].parent != keeper || known(&members.at[i]) != NULL) continue;
    for (unsigned j = 0; j < members.count; j++)
      if (members.at[j].group == members.at[i].group) send_or_hold(j);
  }
}

// Returns true once nothing holds the signal back. A reader gets READER_MS after its writer's exit.
static bool is_due(struct receiver *receiver, enum signal_hold hold, int64_t now) {
  if (hold != HOLD_NONE) {
    receiver->held_by = hold;
    receiver->until = -1;
    return false;
  }
  if (receiver->held_by == HOLD_WRITER && receiver->until < 0) receiver->until = now + READER_MS;
  return now >= receiver->until;
}

bool delivery_goes_on(int64_t now) {
  bool any = false;
  for (unsigned i = 0; i < receivers_count && !any; i++) any = receivers[i].held_by != HOLD_NONE;
  if (!any) return false;
  any = false;
  look();
  for (unsigned i = 0; i < members.count; i++) {
    struct receiver *receiver = known(&members.at[i]);
    if (receiver == NULL || receiver->held_by == HOLD_NONE) continue;
    if (is_due(receiver, members.holds[i], now)) send_signal(&members.at[i]);
    else any = true;
  }
  return any;
}

void delivery_to_rest(void) {
  look();
  for (unsigned i = 0; i < members.count; i++) {
    const struct receiver *receiver = known(&members.at[i]);
    if (receiver == NULL || receiver->held_by != HOLD_NONE) send_signal(&members.at[i]);
  }
}
