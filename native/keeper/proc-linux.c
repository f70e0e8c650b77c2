#include "proc.h"

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "text.h"
#include "protocol.h"

// readdir(3) would allocate 32 KiB; the kernel's own records suffice.
struct entry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

bool proc_each(const char *folder, void (*visit)(pid_t number, void *with), void *with) {
  _Alignas(struct entry) char buffer[4096];
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  long got;
  while ((got = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0) {
    for (long at = 0; at < got;) {
      const struct entry *entry = (const struct entry *)(const void *)(buffer + at);
      uint64_t number;
      if (number_parse(entry->name, strlen(entry->name), INT32_MAX, &number)) visit((pid_t)number, with);
      at += entry->length;
    }
  }
  (void)close(fd);
  return true;
}

ssize_t proc_read(const char *path, char *buffer, size_t cap) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t len = 0;
  ssize_t got;
  while (len < cap - 1 && (got = read(fd, buffer + len, cap - 1 - len)) > 0) len += (size_t)got;
  (void)close(fd);
  buffer[len] = '\0';
  return (ssize_t)len;
}

static void path_of(pid_t pid, const char *name, char *path, size_t cap) {
  struct text text = text_in(path, cap);
  text_add(&text, "/proc/");
  text_number(&text, (uint64_t)pid);
  text_add(&text, name);
}

static ssize_t read_of(pid_t pid, const char *name, char *buffer, size_t cap) {
  char path[64];
  path_of(pid, name, path, sizeof path);
  return proc_read(path, buffer, cap);
}

// Reads the number before the next space. Returns false when there is none.
static bool next_number(const char **at, uint64_t *number) {
  size_t len = strcspn(*at, " ");
  bool taken = number_parse(*at, len, UINT64_MAX, number);
  *at += len + ((*at)[len] == ' ' ? 1 : 0);
  return taken;
}

bool proc_look(pid_t pid, struct process *process) {
  char stat[512];
  if (read_of(pid, "/stat", stat, sizeof stat) <= 0) return false;
  // "PID (NAME) STATE PPID PGRP SESSION …", the start is field 22. The name may contain spaces and parentheses.
  const char *at = strrchr(stat, ')');
  if (at == NULL || strlen(at) < 5) return false;
  uint64_t number = 0, parent, group;
  const char state = at[2];
  at += 4;
  if (!next_number(&at, &parent) || !next_number(&at, &group)) return false;
  for (unsigned field = 6; field <= 22; field++) {
    number = 0;
    (void)next_number(&at, &number);  // some are negative
  }
  *process = (struct process){.pid = pid, .parent = (pid_t)parent, .group = (pid_t)group, .start = number};
  process->alive = state != 'Z' && state != 'X';
  process->stopped = state == 'T';
  return true;
}

pid_t proc_parent(pid_t pid, bool *alive) {
  struct process process;
  bool seen = proc_look(pid, &process);
  *alive = seen && process.alive;
  return seen ? process.parent : 0;
}

// Reads a set of signals in /proc/PID/status, in hexadecimal digits.
static bool has_signal(const char *status, const char *title, int signal) {
  static const char digits[] = "0123456789abcdef";
  const char *at = strstr(status, title);
  if (at == NULL) return false;
  at += strlen(title);
  size_t len = strspn(at, digits), back = (size_t)(signal - 1) / 4 + 1;
  if (len < back) return false;
  return ((strchr(digits, at[len - back]) - digits) >> (signal - 1) % 4 & 1) != 0;
}

bool proc_handles(pid_t pid, int signal) {
  char status[4096];
  if (read_of(pid, "/status", status, sizeof status) <= 0) return false;
  return has_signal(status, "\nSigCgt:\t", signal) || has_signal(status, "\nSigBlk:\t", signal);
}

bool proc_program(pid_t pid, char *name, size_t cap) {
  char path[64], target[4096];
  path_of(pid, "/exe", path, sizeof path);
  ssize_t len = readlink(path, target, sizeof target - 1);
  if (len <= 0) return false;
  target[len] = '\0';
  const char *slash = strrchr(target, '/');
  struct text text = text_in(name, cap);
  text_add(&text, slash == NULL ? target : slash + 1);
  return !text.full;
}

static uint64_t pipe_of(pid_t pid, const char *name) {
  char path[64];
  struct stat info;
  path_of(pid, name, path, sizeof path);
  return stat(path, &info) == 0 && S_ISFIFO(info.st_mode) ? (uint64_t)info.st_ino : 0;
}

void proc_pipes(pid_t pid, struct pipes *pipes) {
  pipes->input = pipe_of(pid, "/fd/0");
  pipes->output = pipe_of(pid, "/fd/1");
  pipes->errors = pipe_of(pid, "/fd/2");
}

bool proc_mark(pid_t pid, uint64_t *mark) {
  char limits[4096];
  if (read_of(pid, "/limits", limits, sizeof limits) <= 0) return false;
  static const char title[] = "Max realtime timeout";
  const char *at = strstr(limits, title);
  if (at == NULL) return false;
  at += sizeof title - 1;
  at += strspn(at, " ");
  return number_parse(at, strcspn(at, " "), UINT64_MAX - 1, mark);
}
#endif
