#include "tree.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "text.h"
#include "wire.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { SYSTEM_MAX = 32768 };

static struct {
  bool whole, ended;
  pid_t main;
  const char *cgroup;
} tree;

// Found by the last walk; the first is the keeper itself.
static pid_t found[TREE_MAX];
static unsigned found_count;

bool tree_adopt(bool group_only) {
#ifdef __linux__
  tree.whole = !group_only && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
#else
  (void)group_only;
  tree.whole = false;
#endif
  return tree.whole;
}

void tree_start(pid_t main, const char *cgroup) {
  tree.main = main;
  tree.cgroup = cgroup;
}

void tree_main_ended(void) { tree.ended = true; }

static void add(pid_t pid, bool kill_now) {
  if (found_count < TREE_MAX) found[found_count++] = pid;
  if (kill_now) (void)kill(pid, SIGKILL);  // it may be gone already
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

// False when this kernel has no children files (CONFIG_PROC_CHILDREN).
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

// An orphan is killed right here: until all are known it may have forked and gone.
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

// `kill_now`: each is killed as soon as it is seen, before it can fork and exit.
static void walk(bool kill_now) {
  found[0] = getpid();
  found_count = 1;
  if (walk_children(kill_now)) return;
  found_count = 1;
  walk_everyone(kill_now);
}

static bool group_lives(void) { return kill(-tree.main, 0) == 0; }

unsigned tree_left(void) {
  if (!tree.whole) return tree.ended && group_lives() ? 1 : 0;
  walk(false);
  unsigned left = 0;
  for (unsigned i = 1; i < found_count; i++) {
    bool alive;
    if (found[i] == tree.main && !tree.ended) continue;
    if (proc_parent(found[i], &alive) != 0 && alive) left++;
  }
  return left;
}

bool tree_signal_group(int number) {
  if (tree.ended || kill(-tree.main, number) != 0) return false;
  return true;
}

unsigned tree_members(const struct process **members) {
  static struct process seen[TREE_MAX];
  unsigned count = 0;
  *members = seen;
  if (!tree.whole) return 0;
  walk(false);
  for (unsigned i = 1; i < found_count; i++)
    if (proc_look(found[i], &seen[count]) && seen[count].alive) count++;
  return count;
}

bool tree_known(void) { return tree.whole; }

pid_t tree_group(void) { return !tree.ended || group_lives() ? tree.main : 0; }

static void kill_cgroup(void) {
  char path[4096];
  struct text text = text_in(path, sizeof path);
  text_add(&text, tree.cgroup);
  text_add(&text, "/cgroup.kill");
  int fd = text.full ? -1 : open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;  // before Linux 5.14: the walk does it
  ssize_t wrote = write(fd, "1", 1);
  (void)wrote;  // where it is refused the walk does it
  (void)close(fd);
}

void tree_kill(void) {
  if (tree.cgroup != NULL) kill_cgroup();
  if (tree.whole)
    walk(true);
  else if (!tree.ended || group_lives())
    (void)kill(-tree.main, SIGKILL);
}
