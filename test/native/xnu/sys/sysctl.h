// The part of macOS' sys/sysctl.h and sys/proc.h that the keeper uses.
#ifndef XNU_SYSCTL_H
#define XNU_SYSCTL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/types.h>

enum { CTL_KERN = 1, KERN_PROC = 14, KERN_PROC_ALL = 0, KERN_PROC_PID = 1, SRUN = 2, SSTOP = 4, SZOMB = 5 };

struct extern_proc {
  struct timeval p_starttime;
  char p_stat;
  pid_t p_pid;
  uint32_t p_sigcatch;
};

struct kinfo_proc {
  struct extern_proc kp_proc;
  struct eproc {
    pid_t e_ppid, e_pgid;
  } kp_eproc;
};

// Of { CTL_KERN, KERN_PROC, KERN_PROC_ALL or KERN_PROC_PID, PID }.
int sysctl(int *name, unsigned depth, void *into, size_t *bytes, void *from, size_t from_bytes);

#endif
