#include "delivery.h"

#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "tree.h"

// More than RECEIVERS_MAX may get it twice.
enum { RECEIVERS_MAX = 4096 };

static struct {
  pid_t pid;
  uint64_t start;
} receivers[RECEIVERS_MAX];
static unsigned receivers_count;
static int signal_sent;
static bool group_has_it;

bool delivery_begin(int signal) {
  if (signal == signal_sent) return false;
  signal_sent = signal;
  receivers_count = 0;
  group_has_it = false;
  return true;
}

static bool has_it(const struct process *process) {
  for (unsigned i = 0; i < receivers_count; i++)
    if (receivers[i].pid == process->pid && receivers[i].start == process->start) return true;
  return false;
}

static void note(const struct process *process) {
  if (receivers_count == RECEIVERS_MAX) return;
  receivers[receivers_count].pid = process->pid;
  receivers[receivers_count++].start = process->start;
}

// A stopped process notices the signal only when it goes on.
static void give(const struct process *process) {
  if (has_it(process)) return;
  note(process);
  (void)kill(process->pid, signal_sent);  // it may have ended
  if (process->stopped) (void)kill(process->pid, SIGCONT);
}

// To all of a group in one moment: one that forks meanwhile is not missed, nor is its child.
static void give_group(pid_t group, const struct process *members, unsigned count) {
  for (unsigned i = 0; i < count; i++)
    if (members[i].group == group) note(&members[i]);
  (void)kill(-group, signal_sent);
  if (!tree_known()) (void)kill(-group, SIGCONT);
  for (unsigned i = 0; i < count; i++)
    if (members[i].group == group && members[i].stopped) (void)kill(members[i].pid, SIGCONT);
}

static bool is_ours(pid_t group, const struct process *members, unsigned count) {
  if (!tree_known()) return getsid(group) == getsid(0);
  for (unsigned i = 0; i < count; i++)
    if (members[i].group == group) return true;
  return false;
}

void delivery_to_main(pid_t foreground) {
  const struct process *members;
  unsigned count = tree_members(&members);
  pid_t main = tree_group();
  group_has_it = true;
  give_group(main, members, count);
  if (foreground != 0 && foreground != main && is_ours(foreground, members, count)) give_group(foreground, members, count);
}

void delivery_to_orphans(void) {
  const struct process *members;
  unsigned count = tree_members(&members);
  if (!tree_known() && !group_has_it && tree_group() != 0) {
    group_has_it = true;
    give_group(tree_group(), members, count);
  }
  pid_t keeper = getpid();
  for (unsigned i = 0; i < count; i++) {
    if (members[i].parent != keeper || has_it(&members[i])) continue;
    for (unsigned j = 0; j < count; j++)
      if (members[j].group == members[i].group) give(&members[j]);
  }
}

void delivery_to_rest(void) {
  const struct process *members;
  unsigned count = tree_members(&members);
  for (unsigned i = 0; i < count; i++) give(&members[i]);
}
