// macOS has no subreaper: orphans become children of launchd. So a process once seen below the keeper stays known, and so does its group.
#include "descendants.h"

#ifndef __linux__
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { SYSTEM_MAX = 16384 };

static struct process everyone[SYSTEM_MAX];
static unsigned everyone_count;

// Indexes of the members in `everyone`.
static unsigned joined[DESCENDANTS_MAX];
static unsigned joined_count;
static bool has_joined[SYSTEM_MAX];

// The live members of this look and of the previous one.
static struct process members[DESCENDANTS_MAX], before[DESCENDANTS_MAX];
static unsigned members_count, before_count;

static const struct process *find(const struct process *all, unsigned count, pid_t pid) {
  for (unsigned i = 0; i < count; i++)
    if (all[i].pid == pid) return &all[i];
  return NULL;
}

static bool was_member(const struct process *one) {
  const struct process *then = find(before, before_count, one->pid);
  return then != NULL && then->start == one->start;
}

// A group outlives its leader. One whose leader is unknown reuses the number of an earlier group.
static bool is_in_group(const struct process *one, pid_t main, pid_t keeper) {
  bool known = one->group == main;
  for (unsigned i = 0; i < before_count && !known; i++) known = before[i].group == one->group;
  if (!known) return false;
  const struct process *leader = find(everyone, everyone_count, one->group);
  return leader == NULL || leader->parent == keeper || was_member(leader);
}

static bool is_known(const struct process *one, pid_t main, pid_t keeper) {
  return one->parent == keeper || was_member(one) || is_in_group(one, main, keeper);
}

static void join(unsigned which, pid_t keeper) {
  if (has_joined[which] || !everyone[which].alive || everyone[which].pid == keeper || joined_count == DESCENDANTS_MAX) return;
  has_joined[which] = true;
  joined[joined_count++] = which;
}

// Collects the known processes and all their descendants.
static void gather(pid_t main, pid_t keeper) {
  memset(has_joined, 0, everyone_count * sizeof *has_joined);
  joined_count = 0;
  for (unsigned i = 0; i < everyone_count; i++)
    if (is_known(&everyone[i], main, keeper)) join(i, keeper);
  for (unsigned at = 0; at < joined_count; at++)
    for (unsigned i = 0; i < everyone_count; i++)
      if (everyone[i].parent == everyone[joined[at]].pid) join(i, keeper);
}

static bool has_member_above(const struct process *one) {
  for (unsigned at = 0; at < joined_count; at++)
    if (everyone[joined[at]].pid == one->parent) return true;
  return false;
}

// Sorts parents before children, starting with members whose parent is no member.
static void sort(pid_t keeper) {
  members_count = 0;
  for (unsigned at = 0; at < joined_count; at++) {
    if (has_member_above(&everyone[joined[at]])) continue;
    members[members_count] = everyone[joined[at]];
    members[members_count++].parent = keeper;
  }
  for (unsigned above = 0; above < members_count; above++)
    for (unsigned at = 0; at < joined_count; at++)
      if (members_count < joined_count && everyone[joined[at]].parent == members[above].pid)
        members[members_count++] = everyone[joined[at]];
}

static void look(pid_t main) {
  pid_t keeper = getpid();
  everyone_count = proc_everyone(everyone, SYSTEM_MAX);
  if (find(everyone, everyone_count, keeper) == NULL) return;  // the table could not be read: keep the previous look
  memcpy(before, members, members_count * sizeof *members);
  before_count = members_count;
  gather(main, keeper);
  sort(keeper);
}

enum kin descendants_open(void) { return proc_sees() ? KIN_SEEN : KIN_GROUP; }

unsigned descendants_look(pid_t main, const struct process **seen) {
  look(main);
  *seen = members;
  return members_count;
}

void descendants_kill(pid_t main) {
  look(main);
  for (unsigned i = 0; i < members_count; i++) (void)kill(members[i].pid, SIGKILL);  // it may have exited
}
#endif
