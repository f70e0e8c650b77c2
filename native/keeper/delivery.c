#include "delivery.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "process-tree.h"
#include "signal-order.h"

// More than RECEIVERS_MAX may get it twice. Whose writer has ended has READER_MS to end, after its last words.
enum { RECEIVERS_MAX = TREE_MAX, READER_MS = 300 };

struct receiver {
  pid_t pid;
  uint64_t start;
  enum turn waits;  // TURN_FREE: it has got it
  int64_t until;    // -1: its writer lives
};

static struct receiver receivers[RECEIVERS_MAX];
static unsigned receivers_count;
static int signal_sent;
static uint64_t signals_begun;
static bool group_has_it;

static struct {
  const struct process *at;
  unsigned count;
  enum turn turns[TREE_MAX];
} members;

static void look(void) {
  members.count = tree_members(&members.at);
  turns_look(members.at, members.count, signal_sent, members.turns);
}

bool delivery_begin(int signal) {
  uint64_t bit = (uint64_t)1 << (signal - 1);
  if ((signals_begun & bit) != 0) return false;
  signals_begun |= bit;
  signal_sent = signal;
  receivers_count = 0;
  group_has_it = false;
  turns_begin();
  return true;
}

static struct receiver *known(const struct process *process) {
  for (unsigned i = 0; i < receivers_count; i++)
    if (receivers[i].pid == process->pid && receivers[i].start == process->start) return &receivers[i];
  return NULL;
}

static void note(const struct process *process, enum turn waits) {
  struct receiver *receiver = known(process);
  if (receiver == NULL && receivers_count == RECEIVERS_MAX) return;
  if (receiver == NULL) receiver = &receivers[receivers_count++];
  *receiver = (struct receiver){.pid = process->pid, .start = process->start, .waits = waits, .until = -1};
}

// A stopped process notices the signal only when it goes on.
static void give(const struct process *process) {
  note(process, TURN_FREE);
  (void)kill(process->pid, signal_sent);  // it may have ended
  if (process->stopped) (void)kill(process->pid, SIGCONT);
}

// It is given, or noted as one that waits, if neither was done before.
static void enlist(unsigned at) {
  const struct process *process = &members.at[at];
  if (known(process) != NULL) return;
  if (members.turns[at] == TURN_FREE) give(process);
  else note(process, members.turns[at]);
}

static bool all_may(pid_t group) {
  for (unsigned i = 0; i < members.count; i++)
    if (members.at[i].group == group && members.turns[i] != TURN_FREE) return false;
  return true;
}

// To all of a group in one moment: one that forks meanwhile is not missed, nor is its child. Where some have to wait, a second look does that.
static void give_group(pid_t group) {
  if (!all_may(group)) {
    for (unsigned pass = 0; pass < 2; pass++) {
      for (unsigned i = 0; i < members.count; i++)
        if (members.at[i].group == group) enlist(i);
      look();
    }
    return;
  }
  for (unsigned i = 0; i < members.count; i++)
    if (members.at[i].group == group) note(&members.at[i], TURN_FREE);
  (void)kill(-group, signal_sent);
  if (!tree_known()) (void)kill(-group, SIGCONT);
  for (unsigned i = 0; i < members.count; i++)
    if (members.at[i].group == group && members.at[i].stopped) (void)kill(members.at[i].pid, SIGCONT);
}

static bool is_ours(pid_t group) {
  if (!tree_known()) return getsid(group) == getsid(0);
  for (unsigned i = 0; i < members.count; i++)
    if (members.at[i].group == group) return true;
  return false;
}

void delivery_to_main(pid_t foreground) {
  look();
  pid_t main = tree_group();
  group_has_it = true;
  give_group(main);
  if (foreground != 0 && foreground != main && is_ours(foreground)) give_group(foreground);
}

void delivery_to_orphans(void) {
  look();
  if (!tree_known() && !group_has_it && tree_group() != 0) {
    group_has_it = true;
    give_group(tree_group());
  }
  pid_t keeper = getpid();
  for (unsigned i = 0; i < members.count; i++) {
    if (members.at[i].parent != keeper || known(&members.at[i]) != NULL) continue;
    for (unsigned j = 0; j < members.count; j++)
      if (members.at[j].group == members.at[i].group) enlist(j);
  }
}

// True once it waits for nothing. A reader has a moment after its writer's end.
static bool may(struct receiver *receiver, enum turn turn, int64_t now) {
  if (turn != TURN_FREE) {
    receiver->waits = turn;
    receiver->until = -1;
    return false;
  }
  if (receiver->waits == TURN_WRITER && receiver->until < 0) receiver->until = now + READER_MS;
  return now >= receiver->until;
}

bool delivery_goes_on(int64_t now) {
  bool any = false;
  for (unsigned i = 0; i < receivers_count && !any; i++) any = receivers[i].waits != TURN_FREE;
  if (!any) return false;
  any = false;
  look();
  for (unsigned i = 0; i < members.count; i++) {
    struct receiver *receiver = known(&members.at[i]);
    if (receiver == NULL || receiver->waits == TURN_FREE) continue;
    if (may(receiver, members.turns[i], now)) give(&members.at[i]);
    else any = true;
  }
  return any;
}

void delivery_to_rest(void) {
  look();
  for (unsigned i = 0; i < members.count; i++) {
    const struct receiver *receiver = known(&members.at[i]);
    if (receiver == NULL || receiver->waits != TURN_FREE) give(&members.at[i]);
  }
}
