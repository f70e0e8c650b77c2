#include "signal-order.h"

#include <signal.h>
#include <string.h>

#include "process-tree.h"

// What is read of a process, at most once per look.
struct view {
  struct pipes pipes;
  enum { UNSEEN, HANDLES, LETS } handling;
};

// Shells do not pass a signal on, even when they handle it. The name may include a version.
static bool is_shell(pid_t pid) {
  static const char *const shells[] = {"sh", "bash", "dash", "ash", "busybox", "zsh", "ksh", "mksh", "fish", "tcsh", "csh"};
  char name[64];
  if (!proc_program(pid, name, sizeof name)) return false;
  size_t letters = strspn(name, "abcdefghijklmnopqrstuvwxyz");
  for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
    if (strlen(shells[i]) == letters && strncmp(name, shells[i], letters) == 0) return true;
  return false;
}

// A terminal sends these to a whole group, so a parent that handles one does not pass it on.
static bool is_of_terminals(int signal) { return signal == SIGINT || signal == SIGQUIT || signal == SIGHUP; }

// Processes that handled the signal at some look. One that does so only the first time, such as timeout(1), stays one of them.
static struct {
  pid_t pid;
  uint64_t start;
} handlers[PROCESS_TREE_MAX];
static unsigned handlers_count;

void signal_order_begin(void) { handlers_count = 0; }

static bool has_handled(const struct process *process) {
  for (unsigned i = 0; i < handlers_count; i++)
    if (handlers[i].pid == process->pid && handlers[i].start == process->start) return true;
  return false;
}

static bool handles_now(const struct process *process, int signal) {
  if (!proc_handles(process->pid, signal) || is_shell(process->pid)) return false;
  if (handlers_count < PROCESS_TREE_MAX) {
    handlers[handlers_count].pid = process->pid;
    handlers[handlers_count++].start = process->start;
  }
  return true;
}

static bool handles(const struct process *process, int signal, struct view *view) {
  if (view->handling == UNSEEN) view->handling = has_handled(process) || handles_now(process, signal) ? HANDLES : LETS;
  return view->handling == HANDLES;
}

static bool reads_from_member(const struct process *members, unsigned count, const struct view *views, unsigned reader) {
  uint64_t input = views[reader].pipes.input;
  for (unsigned i = 0; input != 0 && i < count; i++)
    if (i != reader && members[i].parent != members[reader].pid && (views[i].pipes.output == input || views[i].pipes.errors == input))
      return true;
  return false;
}

static unsigned parent_of(const struct process *members, unsigned at) {
  unsigned parent = 0;
  while (parent < at && members[parent].pid != members[at].parent) parent++;
  return parent;
}

void signal_order_look(const struct process *members, unsigned count, int signal, enum signal_hold *holds) {
  static struct view views[PROCESS_TREE_MAX];
  for (unsigned i = 0; i < count; i++) {
    views[i] = (struct view){.handling = UNSEEN};
    holds[i] = HOLD_NONE;
    if (count > 1) proc_pipes(members[i].pid, &views[i].pipes);
  }
  for (unsigned i = 0; i < count; i++) {
    unsigned parent = parent_of(members, i);
    bool is_child = parent < i;
    if (is_child && (holds[parent] == HOLD_PARENT || (!is_of_terminals(signal) && handles(&members[parent], signal, &views[parent]))))
      holds[i] = HOLD_PARENT;
    else if (reads_from_member(members, count, views, i))
      holds[i] = HOLD_WRITER;
  }
}
