#include "sweep.h"

#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "proc.h"
#include "text.h"

enum { LIMIT_MS = 2000, PAUSE_NS = 2000000, PIDS_MAX = 4194304, UNAVAILABLE = 69 };

static int unavailable(void) {
  text_complain("locald-keeper", "no marks on this system", NULL);
  return UNAVAILABLE;
}

#ifdef __linux__
static unsigned char killed[PIDS_MAX / 8];

struct pass {
  uint64_t mark;
  unsigned met, killed;
};

static void look(pid_t pid, void *with) {
  struct pass *pass = with;
  uint64_t mark;
  bool alive;
  if (pid == getpid() || pid >= PIDS_MAX || !proc_mark(pid, &mark) || mark != pass->mark) return;
  if (proc_parent(pid, &alive) < 0 || !alive) return;
  pass->met++;
  unsigned char bit = (unsigned char)(1U << (pid % 8));
  if (kill(pid, SIGKILL) != 0 || (killed[pid / 8] & bit) != 0) return;
  killed[pid / 8] |= bit;
  pass->killed++;
}

int sweep(uint64_t mark) {
  struct pass pass = {.mark = mark, .met = 0, .killed = 0};
  int64_t end = clock_ms() + LIMIT_MS;
  for (;;) {
    pass.met = 0;
    if (!proc_each("/proc", look, &pass)) return unavailable();
    if (pass.met == 0 || clock_ms() >= end) break;
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = PAUSE_NS};
    (void)nanosleep(&pause, NULL);
  }
  char line[32];
  struct text text = text_in(line, sizeof line);
  text_number(&text, pass.killed);
  text_add(&text, "\n");
  if (write(STDOUT_FILENO, line, text.len) != (ssize_t)text.len) return 1;
  return pass.met == 0 ? 0 : 1;
}
#else
int sweep(uint64_t mark) {
  (void)mark;
  return unavailable();
}
#endif
