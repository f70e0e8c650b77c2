// macOS. Nothing here needs a privilege: ps(1) gets the same from sysctl(3), lsof(8) from libproc.
#include "proc.h"

#ifndef __linux__
#include <errno.h>
#include <libproc.h>
#include <string.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include "text.h"

// kern.maxproc of the largest Macs is about 12 000.
enum { SYSTEM_MAX = 16384, SIGNALS = 32 };

static struct kinfo_proc rows[SYSTEM_MAX];

// Touches no more of the buffer than there are rows. A buffer that is too small is filled, and ENOMEM returns no length (xnu-11417.101.15,
// bsd/kern/kern_sysctl.c sysctl_prochandle).
static unsigned read_rows(int which, int of) {
  int name[] = {CTL_KERN, KERN_PROC, which, of};
  size_t bytes = sizeof rows;
  if (sysctl(name, 4, rows, &bytes, NULL, 0) == 0) return (unsigned)(bytes / sizeof *rows);
  return errno == ENOMEM ? SYSTEM_MAX : 0;
}

unsigned proc_everyone(struct process *into, unsigned cap) {
  unsigned count = read_rows(KERN_PROC_ALL, 0);
  if (count > cap) count = cap;
  for (unsigned i = 0; i < count; i++) {
    const struct extern_proc *row = &rows[i].kp_proc;
    uint64_t start = (uint64_t)row->p_starttime.tv_sec * 1000000 + (uint64_t)row->p_starttime.tv_usec;
    into[i] = (struct process){.pid = row->p_pid, .start = start, .alive = row->p_stat != SZOMB, .stopped = row->p_stat == SSTOP};
    into[i].parent = rows[i].kp_eproc.e_ppid;
    into[i].group = rows[i].kp_eproc.e_pgid;
  }
  return count;
}

bool proc_sees(void) { return read_rows(KERN_PROC_PID, getpid()) == 1 && rows[0].kp_eproc.e_ppid == getppid(); }

bool proc_handles(pid_t pid, int signal) {
  return signal <= SIGNALS && read_rows(KERN_PROC_PID, pid) == 1 && (rows[0].kp_proc.p_sigcatch >> (signal - 1) & 1) != 0;
}

bool proc_program(pid_t pid, char *name, size_t cap) {
  char path[PROC_PIDPATHINFO_MAXSIZE];
  if (proc_pidpath(pid, path, sizeof path) <= 0) return false;
  const char *slash = strrchr(path, '/');
  struct text text = text_in(name, cap);
  text_add(&text, slash == NULL ? path : slash + 1);
  return !text.full;
}

// Each end of a pipe has its own number and knows that of its peer, 0 when the peer is closed.
static uint64_t pipe_of(pid_t pid, int fd) {
  struct pipe_fdinfo info;
  if (proc_pidfdinfo(pid, fd, PROC_PIDFDPIPEINFO, &info, (int)sizeof info) < (int)sizeof info) return 0;
  uint64_t own = info.pipeinfo.pipe_handle, peer = info.pipeinfo.pipe_peerhandle;
  return peer != 0 && peer < own ? peer : own;
}

void proc_pipes(pid_t pid, struct pipes *pipes) {
  pipes->input = pipe_of(pid, STDIN_FILENO);
  pipes->output = pipe_of(pid, STDOUT_FILENO);
  pipes->errors = pipe_of(pid, STDERR_FILENO);
}
#endif
