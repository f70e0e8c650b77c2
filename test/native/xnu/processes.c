// Processes as XNU shows them, of what Linux says in /proc.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include "xnu.h"

enum { TICKS = 100, MICROSECONDS = 1000000 };

// A small file of a process: its length, 0 when it cannot be read.
static size_t read_of(int pid, const char *name, char *into, size_t cap) {
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  int fd = __real_open(path, O_RDONLY | O_CLOEXEC);
  ssize_t len = fd < 0 ? 0 : read(fd, into, cap - 1);
  if (fd >= 0) (void)close(fd);
  into[len > 0 ? len : 0] = '\0';
  return len > 0 ? (size_t)len : 0;
}

// bsd/kern/kern_sysctl.c, fill_user64_proc.
static bool row_of(int pid, struct kinfo_proc *row) {
  char stat[512];
  char *at = read_of(pid, "stat", stat, sizeof stat) > 0 ? strrchr(stat, ')') : NULL;
  if (at == NULL || strlen(at) < 5) return false;
  const char state = at[2];
  int parent = (int)strtol(at + 4, &at, 10), group = (int)strtol(at, &at, 10);
  for (int field = 6; field < 22 && at != NULL; field++) at = strchr(at + 1, ' ');
  if (at == NULL) return false;
  unsigned long long ticks = strtoull(at, NULL, 10);
  *row = (struct kinfo_proc){.kp_proc = {.p_pid = pid, .p_stat = SRUN}};
  if (state == 'T') row->kp_proc.p_stat = SSTOP;
  if (state == 'Z' || state == 'X') row->kp_proc.p_stat = SZOMB;
  row->kp_proc.p_starttime.tv_sec = (time_t)(ticks / TICKS);
  row->kp_proc.p_starttime.tv_usec = (suseconds_t)(ticks % TICKS * (MICROSECONDS / TICKS));
  row->kp_eproc.e_ppid = parent;
  row->kp_eproc.e_pgid = group;
  return true;
}

// Apart, as it takes long and is not asked of all.
static void add_handled(struct kinfo_proc *row) {
  char status[4096];
  unsigned long long caught = 0;
  (void)read_of(row->kp_proc.p_pid, "status", status, sizeof status);
  const char *at = strstr(status, "\nSigCgt:");
  if (at != NULL) (void)sscanf(at, "\nSigCgt: %llx", &caught);
  row->kp_proc.p_sigcatch = (uint32_t)caught;
}

// The next process of a folder that is /proc; false after the last.
static bool next_row(DIR *folder, struct kinfo_proc *row) {
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
    if (atoi(entry->d_name) > 0 && row_of(atoi(entry->d_name), row)) return true;
  return false;
}

bool xnu_group_lives(pid_t group) {
  struct kinfo_proc row;
  DIR *folder = opendir("/proc");
  bool lives = false;
  while (folder != NULL && !lives && next_row(folder, &row)) lives = row.kp_eproc.e_pgid == group && row.kp_proc.p_stat != SZOMB;
  if (folder != NULL) (void)closedir(folder);
  return lives;
}

// bsd/kern/kern_sysctl.c, sysctl_prochandle: ENOMEM after as many as fit, and then a length of 0. A test says by a variable that there are
// more: the rows of those, which the caller has from an earlier call, are of no process.
int sysctl(int *name, unsigned depth, void *into, size_t *bytes, void *from, size_t from_bytes) {
  static size_t filled;
  struct kinfo_proc row, *rows = into;
  size_t room = *bytes / sizeof row, count = 0;
  if (depth != 4 || name[0] != CTL_KERN || name[1] != KERN_PROC || from != NULL || from_bytes != 0) abort();
  DIR *folder = name[2] == KERN_PROC_ALL ? opendir("/proc") : NULL;
  bool more = folder != NULL ? next_row(folder, &row) : row_of(name[3], &row);
  if (more && folder == NULL) add_handled(&row);
  for (; more; more = folder != NULL && next_row(folder, &row)) {
    if (count < room) rows[count] = row;
    count++;
  }
  if (folder != NULL) (void)closedir(folder);
  for (size_t at = count; at < filled && at < room; at++) rows[at] = (struct kinfo_proc){.kp_proc = {.p_pid = 0}};
  filled = count;
  bool fits = count <= room && (name[2] != KERN_PROC_ALL || getenv("XNU_CROWDED") == NULL);
  *bytes = fits ? count * sizeof row : 0;
  errno = ENOMEM;
  return fits ? 0 : -1;
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

// bsd/kern/sys_pipe.c, fill_pipeinfo: two ends, each with a handle; here of the inode of both, the end that is written to being the odd one.
int proc_pidfdinfo(int pid, int fd, int flavor, void *buffer, int size) {
  struct pipe_fdinfo *info = buffer;
  char path[64];
  struct stat target, link;
  (void)snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
  if (flavor != PROC_PIDFDPIPEINFO || size < (int)sizeof *info || stat(path, &target) != 0 || lstat(path, &link) != 0) return 0;
  if (!S_ISFIFO(target.st_mode)) return 0;
  uint64_t reader = (uint64_t)target.st_ino * 2;
  bool writes = (link.st_mode & S_IWUSR) != 0;
  info->pipeinfo.pipe_handle = writes ? reader + 1 : reader;
  info->pipeinfo.pipe_peerhandle = writes ? reader : reader + 1;
  return (int)sizeof *info;
}

int proc_pidpath(int pid, void *buffer, uint32_t size) {
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/%d/exe", pid);
  ssize_t len = size < PROC_PIDPATHINFO_MAXSIZE ? -1 : readlink(path, buffer, size - 1);
  if (len <= 0) return 0;
  ((char *)buffer)[len] = '\0';
  return (int)len;
}
