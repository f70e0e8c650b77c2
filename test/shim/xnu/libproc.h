// The part of macOS' libproc.h and sys/proc_info.h that the keeper uses.
#ifndef XNU_LIBPROC_H
#define XNU_LIBPROC_H

#include <stdint.h>

enum { PROC_PIDLISTFDS = 1 };

struct proc_fdinfo {
  int32_t proc_fd;
  uint32_t proc_fdtype;
};

// The bytes it has written.
int proc_pidinfo(int pid, int flavor, uint64_t arg, void *buffer, int size);

#endif
