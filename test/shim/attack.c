// What an attacker does that a shell cannot: `attack HOW ... PROGRAM ARG...`.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what) {
  perror(what);
  return 99;
}

static int become(char **words) {
  (void)execv(words[0], words);
  return fail(words[0]);
}

// Descriptor 3 is something that is no channel.
static int channel(const char *kind, char **words) {
  int fd = -1, pair[2];
  if (strcmp(kind, "file") == 0) fd = open("/dev/null", O_RDWR);
  if (strcmp(kind, "tcp") == 0) fd = socket(AF_INET, SOCK_STREAM, 0);
  if (strcmp(kind, "datagram") == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0) fd = pair[0];
  if (strcmp(kind, "pipe") == 0 && pipe(pair) == 0) fd = pair[1];
  if (strcmp(kind, "none") == 0) (void)close(3);
  else if (fd < 0 || (fd != 3 && dup2(fd, 3) != 3)) return fail(kind);
  return become(words);
}

// All descriptors are used up; only what setrlimit allows is left.
static int exhaust(char **words) {
  const struct rlimit few = {.rlim_cur = 3, .rlim_max = 3};
  return setrlimit(RLIMIT_NOFILE, &few) == 0 ? become(words) : fail("setrlimit");
}

static int limit(const char *bytes, char **words) {
  const struct rlimit small = {.rlim_cur = (rlim_t)atol(bytes), .rlim_max = (rlim_t)atol(bytes)};
  (void)signal(SIGXFSZ, SIG_DFL);
  return setrlimit(RLIMIT_FSIZE, &small) == 0 ? become(words) : fail("setrlimit");
}

// Signals ignored and blocked, and an alarm that goes off soon.
static int signals(char **words) {
  sigset_t all;
  (void)sigfillset(&all);
  (void)sigprocmask(SIG_SETMASK, &all, NULL);
  for (int number = 1; number < 32; number++) (void)signal(number, SIG_IGN);
  (void)alarm(1);
  return become(words);
}

// Standard error is a full pipe without a reader. Prints the process id of the program.
static int deaf(char **words) {
  int pair[2];
  char byte = 'x';
  if (pipe(pair) != 0 || fcntl(pair[1], F_SETFL, O_NONBLOCK) != 0) return fail("pipe");
  while (write(pair[1], &byte, 1) == 1) continue;
  if (fcntl(pair[1], F_SETFL, 0) != 0) return fail("fcntl");
  pid_t child = fork();
  if (child == 0) return dup2(pair[1], STDERR_FILENO) == STDERR_FILENO ? become(words) : 99;
  int status = 0;
  if (printf("%d\n", (int)child) < 0 || fflush(stdout) != 0 || waitpid(child, &status, 0) != child) return fail("child");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

// All that makes root's own work slow, or end in the middle, and that a process hands on.
static int burden(char **words) {
  const struct sched_param none = {.sched_priority = 0};
  const struct itimerval soon = {.it_value = {.tv_sec = 0, .tv_usec = 20000}};
  for (int which = 0; which < (int)RLIM_NLIMITS; which++) {
    struct rlimit is;
    if (getrlimit(which, &is) != 0) return fail("getrlimit");
    // As low as a program can still be started with; what is above stays, since root of a container may not raise it.
    bool memory = which == RLIMIT_AS || which == RLIMIT_DATA || which == RLIMIT_STACK;
    is.rlim_cur = which == RLIMIT_NOFILE ? 64 : which == RLIMIT_CPU ? 1 : 4096;
    if (memory || is.rlim_cur > is.rlim_max) continue;
    if (setrlimit(which, &is) != 0) return fail("setrlimit");
  }
  int score = open("/proc/self/oom_score_adj", O_WRONLY);
  if (score < 0 || write(score, "1000", 4) != 4 || close(score) != 0) return fail("oom_score_adj");
  if (nice(19) != 19 || sched_setscheduler(0, SCHED_IDLE, &none) != 0) return fail("scheduling");
  if (setitimer(ITIMER_VIRTUAL, &soon, NULL) != 0 || setitimer(ITIMER_PROF, &soon, NULL) != 0) return fail("setitimer");
  return become(words);
}

// Reading the clock, as most programs do when they start, kills the program.
static int clockless(char **words) {
#ifdef __x86_64__
  if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) != 0) return fail("prctl");
#endif
  return become(words);
}

// Traced by its own caller: the kernel then gives no privileges.
static int traced(char **words) {
  pid_t child = fork();
  if (child == 0) return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? become(words) : fail("ptrace");
  for (int status;;) {
    if (waitpid(child, &status, 0) != child) return fail("waitpid");
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
    (void)ptrace(PTRACE_CONT, child, NULL, NULL);
  }
}

// Prints how attaching to a process and opening its memory fail.
static int attach(pid_t pid) {
  char path[64];
  int attached = ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 ? 0 : errno;
  (void)snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
  int memory = open(path, O_RDWR) >= 0 ? 0 : errno;
  (void)snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
  int environment = open(path, O_RDONLY) >= 0 ? 0 : errno;
  return printf("%s\n%s\n%s\n", strerror(attached), strerror(memory), strerror(environment)) > 0 ? 0 : 99;
}

// Runs a program with the processes that it makes, each system call shown to `look` before it is carried out. Root only, so
// that the kernel makes it setuid all the same. Its exit code, or 128 plus the number of the signal that killed one of them.
static int trace(uid_t uid, char **words, void (*look)(pid_t pid, long call)) {
  int code = 99, signalled = 0;
  pid_t child = fork();
  if (child == 0) {
    if (setgid(uid) != 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || setuid(uid) != 0) _exit(99);
    (void)raise(SIGSTOP);
    return become(words);
  }
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
    struct __ptrace_syscall_info info;
    if (WIFSIGNALED(status)) signalled = 128 + WTERMSIG(status);
    if (WIFEXITED(status) && pid == child) code = WEXITSTATUS(status);
    if (!WIFSTOPPED(status)) continue;
    const int number = WSTOPSIG(status);
    if (number == (SIGTRAP | 0x80)) {
      bool known = ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) > 0;
      if (known && info.op == PTRACE_SYSCALL_INFO_ENTRY) look(pid, (long)info.entry.nr);
    } else if (pid == child && number == SIGSTOP) {
      const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
      (void)ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options);
    }
    // Those of ptrace(2) are no one's.
    const bool own = number == (SIGTRAP | 0x80) || number == SIGTRAP || number == SIGSTOP;
    (void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(own ? 0L : (long)number));
  }
  return signalled > 0 ? signalled : code;
}

static long calls_left;

// The Nth system call is not carried out.
static void kill_at(pid_t pid, long call) {
  (void)call;
  if (--calls_left == 0) (void)kill(pid, SIGKILL);
}

// What the standard descriptors of the process are that takes the lock.
static void show_descriptors(pid_t pid, long call) {
  for (int fd = 0; call == SYS_flock && fd <= STDERR_FILENO; fd++) {
    char path[64], target[256];
    (void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
    ssize_t len = readlink(path, target, sizeof target);
    (void)printf("%.*s\n", len < 0 ? 0 : (int)len, target);
  }
}

// Which cgroup (of version 2) the process is in that gives one away.
static void show_cgroup(pid_t pid, long call) {
  char path[64], line[512];
  (void)snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
  FILE *file = call == SYS_fchown ? fopen(path, "r") : NULL;
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, "0::", 3) == 0) (void)fputs(line, stdout);
  if (file != NULL) (void)fclose(file);
}

int main(int argc, char *argv[]) {
  static char *nothing[] = {NULL};
  if (argc < 3) return 99;
  if (strcmp(argv[1], "unnamed") == 0) return execve(argv[2], nothing, nothing) == 0 ? 0 : fail(argv[2]);
  if (strcmp(argv[1], "channel") == 0) return channel(argv[2], argv + 3);
  if (strcmp(argv[1], "exhaust") == 0) return exhaust(argv + 2);
  if (strcmp(argv[1], "limit") == 0) return limit(argv[2], argv + 3);
  if (strcmp(argv[1], "signals") == 0) return signals(argv + 2);
  if (strcmp(argv[1], "deaf") == 0) return deaf(argv + 2);
  if (strcmp(argv[1], "burden") == 0) return burden(argv + 2);
  if (strcmp(argv[1], "clockless") == 0) return clockless(argv + 2);
  if (strcmp(argv[1], "traced") == 0) return traced(argv + 2);
  if (strcmp(argv[1], "attach") == 0) return attach((pid_t)atoi(argv[2]));
  if (strcmp(argv[1], "descriptors") == 0) return trace((uid_t)atoi(argv[2]), argv + 3, show_descriptors);
  if (strcmp(argv[1], "cgroup") == 0) return trace((uid_t)atoi(argv[2]), argv + 3, show_cgroup);
  if (strcmp(argv[1], "kill-at") != 0) return 99;
  calls_left = atol(argv[2]);
  return trace((uid_t)atoi(argv[3]), argv + 4, kill_at);
}
