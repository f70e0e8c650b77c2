#include "isolate.h"

#include <stdbool.h>
#include <sys/resource.h>

#include "exit-codes.h"

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cgroup.h"

enum { IOPRIO_PROCESS = 1, SLACK_NS = 50000 };

// The kernel lacks it, or root of a container may not change it. Then the caller may not either, or harms only a container.
static bool is_out_of_reach(void) {
  return errno == ENOENT || errno == ENOSYS || errno == EROFS || errno == EPERM || errno == EACCES;
}

static void require(bool done, const char *what) {
  if (!done && !is_out_of_reach()) exit_with_errno(EXIT_PROCESS, what);
}

static void reset_oom_score(void) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  require(fd >= 0 && write(fd, "0", 1) == 1, "its score for the OOM killer cannot be reset");
  if (fd >= 0) (void)close(fd);
}

static void reset_scheduling(void) {
  const struct sched_param normal = {.sched_priority = 0};
  require(sched_setscheduler(0, SCHED_OTHER, &normal) == 0, "its scheduling class cannot be reset");
  require(syscall(SYS_ioprio_set, IOPRIO_PROCESS, 0, 0) == 0, "its I/O priority cannot be reset");
  require(prctl(PR_SET_TIMERSLACK, SLACK_NS, 0, 0, 0) == 0, "its timers cannot be reset");
#ifdef __x86_64__
  // A program that reads the clock would be killed otherwise, and most read it when they start.
  require(prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0) == 0, "its clock cannot be reset");
#endif
  require(prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) == 0, "the signal at the end of its parent cannot be reset");
}

// All CPUs of its cpuset.
static void reset_places(void) {
  cpu_set_t all;
  memset(&all, 0xff, sizeof all);
  require(sched_setaffinity(0, sizeof all, &all) == 0, "its CPUs cannot be reset");
  require(syscall(SYS_set_mempolicy, 0, NULL, 0) == 0, "its memory policy cannot be reset");
}
#else
static void require(bool done, const char *what) {
  if (!done) exit_with_errno(EXIT_PROCESS, what);
}
#endif

void isolate(void) {
#ifdef __linux__
  reset_scheduling();
  cgroup_leave();
  reset_places();
  reset_oom_score();
#else
  require(setpriority(PRIO_DARWIN_PROCESS, 0, 0) == 0, "its background state cannot be reset");
#endif
  require(setpriority(PRIO_PROCESS, 0, 0) == 0, "its nice value cannot be reset");
}
