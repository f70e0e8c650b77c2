#include "process-tree.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "text.h"

static struct {
  enum kin kin;
  bool main_exited;
  pid_t main;
  const char *cgroup;
} tree;

bool process_tree_adopt(bool group_only) {
  tree.kin = group_only ? KIN_GROUP : descendants_open();
  return tree.kin == KIN_RETURNING;
}

void process_tree_start(pid_t main, const char *cgroup) {
  tree.main = main;
  tree.cgroup = cgroup;
}

void process_tree_main_exited(void) { tree.main_exited = true; }

static bool group_lives(void) { return kill(-tree.main, 0) == 0; }

unsigned process_tree_left(void) {
  if (tree.kin == KIN_GROUP) return tree.main_exited && group_lives() ? 1 : 0;
  const struct process *members;
  unsigned count = process_tree_members(&members), left = count;
  for (unsigned i = 0; i < count; i++)
    if (members[i].pid == tree.main && !tree.main_exited) left--;
  return left;
}

bool process_tree_signal_group(int number) {
  if (tree.main_exited || kill(-tree.main, number) != 0) return false;
  return true;
}

unsigned process_tree_members(const struct process **members) {
  return tree.kin == KIN_GROUP ? 0 : descendants_look(tree.main, members);
}

bool process_tree_known(void) { return tree.kin != KIN_GROUP; }

pid_t process_tree_group(void) { return !tree.main_exited || group_lives() ? tree.main : 0; }

static void kill_cgroup(void) {
  char path[4096];
  struct text text = text_in(path, sizeof path);
  text_add(&text, tree.cgroup);
  text_add(&text, "/cgroup.kill");
  int fd = text.full ? -1 : open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;  // before Linux 5.14: the walk kills them
  ssize_t wrote = write(fd, "1", 1);
  (void)wrote;  // if refused, the walk kills them
  (void)close(fd);
}

void process_tree_kill(void) {
  if (tree.cgroup != NULL) kill_cgroup();
  if (tree.kin != KIN_GROUP) descendants_kill(tree.main);
  // Children born meanwhile are usually in the group.
  if (tree.kin != KIN_RETURNING && (!tree.main_exited || group_lives())) (void)kill(-tree.main, SIGKILL);
}
