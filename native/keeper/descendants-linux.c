// Linux: reads /proc; the keeper is a subreaper, which inherits the orphans among its descendants.
#include "descendants.h"

#ifdef __linux__
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "text.h"

enum { SYSTEM_MAX = 32768 };

// Results of the last walk; the first is the keeper itself.
static pid_t found[DESCENDANTS_MAX];
static unsigned found_count;

enum kin descendants_open(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? KIN_RETURNING : KIN_GROUP; }

static void add(pid_t pid, bool kill_now) {
  if (found_count < DESCENDANTS_MAX) found[found_count++] = pid;
  if (kill_now) (void)kill(pid, SIGKILL);  // it may have exited
}

struct look {
  pid_t pid;
  bool kill_now, readable;
};

// Reads /proc/PID/task/TID/children: "12 34 56 ".
static void look_at_thread(pid_t thread, void *with) {
  struct look *look = with;
  char path[64], children[4096];
  struct text text = text_in(path, sizeof path);
  text_add(&text, "/proc/");
  text_number(&text, (uint64_t)look->pid);
  text_add(&text, "/task/");
  text_number(&text, (uint64_t)thread);
  text_add(&text, "/children");
  ssize_t len = proc_read(path, children, sizeof children);
  if (len < 0) return;
  look->readable = true;
  const char *at = children;
  for (const char *space; (space = strchr(at, ' ')) != NULL; at = space + 1) {
    uint64_t pid;
    if (number_parse(at, (size_t)(space - at), INT32_MAX, &pid) && pid > 1) add((pid_t)pid, look->kill_now);
  }
}

// Returns false when this kernel has no children files (CONFIG_PROC_CHILDREN).
static bool walk_children(bool kill_now) {
#ifdef KEEPER_NO_CHILDREN_FILES
  return false;
#endif
  bool known = false;
  for (unsigned at = 0; at < found_count; at++) {
    char path[64];
    struct text text = text_in(path, sizeof path);
    text_add(&text, "/proc/");
    text_number(&text, (uint64_t)found[at]);
    text_add(&text, "/task");
    struct look look = {.pid = found[at], .kill_now = kill_now, .readable = false};
    (void)proc_each(path, look_at_thread, &look);
    if (at == 0) known = look.readable;
    if (!known) return false;
  }
  return true;
}

static struct {
  pid_t pid, parent;
} everyone[SYSTEM_MAX];
static unsigned everyone_count;

// Orphans are killed at once: by the end of the walk they may have forked and exited.
static void note(pid_t pid, void *with) {
  const bool *kill_now = with;
  bool alive;
  if (everyone_count == SYSTEM_MAX) return;
  pid_t parent = proc_parent(pid, &alive);
  if (*kill_now && parent == found[0]) (void)kill(pid, SIGKILL);
  everyone[everyone_count].parent = parent;
  everyone[everyone_count++].pid = pid;
}

static void walk_everyone(bool kill_now) {
  everyone_count = 0;
  (void)proc_each("/proc", note, &kill_now);
  for (unsigned at = 0; at < found_count; at++)
    for (unsigned i = 0; i < everyone_count; i++)
      if (everyone[i].parent == found[at]) add(everyone[i].pid, kill_now);
}

// With `kill_now` each process is killed as soon as it is seen, before it can fork and exit.
static void walk(bool kill_now) {
  found[0] = getpid();
  found_count = 1;
  if (walk_children(kill_now)) return;
  found_count = 1;
  walk_everyone(kill_now);
}

unsigned descendants_look(pid_t main, const struct process **members) {
  static struct process seen[DESCENDANTS_MAX];
  unsigned count = 0;
  (void)main;  // the main process is a child of the keeper
  walk(false);
  for (unsigned i = 1; i < found_count; i++)
    if (proc_look(found[i], &seen[count]) && seen[count].alive) count++;
  *members = seen;
  return count;
}

void descendants_kill(pid_t main) {
  (void)main;
  walk(true);
}
#endif
