// The part of macOS' libproc.h and sys/proc_info.h that the keeper uses.
#ifndef XNU_LIBPROC_H
#define XNU_LIBPROC_H

#include <stdint.h>

enum { PROC_PIDLISTFDS = 1, PROC_PIDFDPIPEINFO = 6, PROC_PIDPATHINFO_MAXSIZE = 4096 };

struct proc_fdinfo {
  int32_t proc_fd;
  uint32_t proc_fdtype;
};

struct pipe_fdinfo {
  struct {
    uint64_t pipe_handle, pipe_peerhandle;
  } pipeinfo;
};

// Each answers with the bytes it has written, 0 when it is not known.
int proc_pidinfo(int pid, int flavor, uint64_t arg, void *buffer, int size);
int proc_pidfdinfo(int pid, int fd, int flavor, void *buffer, int size);
int proc_pidpath(int pid, void *buffer, uint32_t size);

#endif
