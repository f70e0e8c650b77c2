// Processes as XNU knows them, of what Linux says in /proc.
#include <dirent.h>
#include <libproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xnu.h"

bool xnu_group_lives(pid_t group) {
  DIR *folder = opendir("/proc");
  bool lives = false;
  for (const struct dirent *entry; folder != NULL && !lives && (entry = readdir(folder)) != NULL;) {
    char path[300], stat[512];
    if (atoi(entry->d_name) <= 0) continue;
    (void)snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
    FILE *file = fopen(path, "re");
    size_t len = file == NULL ? 0 : fread(stat, 1, sizeof stat - 1, file);
    if (file != NULL) (void)fclose(file);
    stat[len] = '\0';
    char state;
    int parent, of;
    const char *at = strrchr(stat, ')');
    lives = at != NULL && sscanf(at + 1, " %c %d %d", &state, &parent, &of) == 3 && of == group && state != 'Z' && state != 'X';
  }
  if (folder != NULL) (void)closedir(folder);
  return lives;
}

// bsd/kern/proc_info.c, proc_pidfdlist: from the least up, as many as there is room for.
int proc_pidinfo(int pid, int flavor, uint64_t arg, void *buffer, int size) {
  struct proc_fdinfo *into = buffer;
  int count = 0, room = size / (int)sizeof *into;
  DIR *folder = pid == getpid() && flavor == PROC_PIDLISTFDS && arg == 0 ? opendir("/proc/self/fd") : NULL;
  for (const struct dirent *entry; folder != NULL && count < room && (entry = readdir(folder)) != NULL;) {
    int fd = atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != dirfd(folder)) into[count++] = (struct proc_fdinfo){.proc_fd = fd};
  }
  if (folder != NULL) (void)closedir(folder);
  return count * (int)sizeof *into;
}
