#include "limits.h"

#include <stddef.h>
#include <sys/resource.h>

#include "exit-codes.h"

enum {
  MEMORY_NEEDED = 536870912,
  FILE_NEEDED = 16777216,
  STACK = 8388608,
  STACK_NEEDED = 1048576,
  FILES = 1024,
  FILES_NEEDED = 256,
  SECONDS_NEEDED = 60,
};

// Lists every limit by number: one not listed here would be set to 0.
static const struct limit {
  rlim_t wanted, needed;
  const char *what;
} table[RLIM_NLIMITS] = {
    [RLIMIT_CPU] = {RLIM_INFINITY, SECONDS_NEEDED, "the limit of CPU time is too low"},
    [RLIMIT_FSIZE] = {RLIM_INFINITY, FILE_NEEDED, "the limit of file sizes is too low"},
    [RLIMIT_DATA] = {RLIM_INFINITY, MEMORY_NEEDED, "the limit of data is too low"},
    [RLIMIT_STACK] = {STACK, STACK_NEEDED, "the limit of the stack is too low"},
    [RLIMIT_CORE] = {0, 0, "core dumps cannot be turned off"},
    // The same number as RLIMIT_RSS on macOS.
    [RLIMIT_AS] = {RLIM_INFINITY, MEMORY_NEEDED, "the limit of memory is too low"},
    [RLIMIT_NOFILE] = {FILES, FILES_NEEDED, "the limit of open files is too low"},
    [RLIMIT_NPROC] = {RLIM_INFINITY, 0, NULL},
    [RLIMIT_MEMLOCK] = {RLIM_INFINITY, 0, NULL},
#ifdef __linux__
    [RLIMIT_RSS] = {RLIM_INFINITY, 0, NULL},
    [RLIMIT_LOCKS] = {RLIM_INFINITY, 0, NULL},
    [RLIMIT_SIGPENDING] = {RLIM_INFINITY, 0, NULL},
    [RLIMIT_MSGQUEUE] = {RLIM_INFINITY, 0, NULL},
    [RLIMIT_NICE] = {0, 0, NULL},
    [RLIMIT_RTPRIO] = {0, 0, NULL},
    // The kernel kills what has run longer in a real-time class, which isolate() leaves.
    [RLIMIT_RTTIME] = {RLIM_INFINITY, 0, NULL},
#endif
};

static void reset(int which, const struct limit *limit, bool strict) {
  struct rlimit is = {.rlim_cur = limit->wanted, .rlim_max = limit->wanted};
  if (setrlimit(which, &is) == 0) return;
  // Stays within the hard limit, then.
  bool done = getrlimit(which, &is) == 0;
  is.rlim_cur = limit->wanted < is.rlim_max ? limit->wanted : is.rlim_max;
  done = done && setrlimit(which, &is) == 0 && is.rlim_cur >= limit->needed;
  if (!done && strict && limit->what != NULL) exit_with_errno(EXIT_LIMITS, limit->what);
}

void limits_reset(bool strict) {
  for (int which = 0; which < (int)RLIM_NLIMITS; which++) reset(which, &table[which], strict);
}
