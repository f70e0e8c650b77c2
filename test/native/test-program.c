// A service that does what shells cannot: `test-program VERB ARG...`, see main.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

// Sends a datagram to NOTIFY_SOCKET, with a descriptor unless `fd` is -1.
static int notify(const char *text, size_t len, int fd) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  if (path == NULL || strlen(path) >= sizeof to.sun_path) return 1;
  strcpy(to.sun_path, path);
  int from = socket(AF_UNIX, SOCK_DGRAM, 0);
  char control[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec part = {.iov_base = (void *)(size_t)text, .iov_len = len};
  struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1};
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
  }
  ssize_t sent = sendmsg(from, &message, 0);
  close(from);
  return sent == (ssize_t)len ? 0 : 1;
}

// BARRIER=1 as sd_notify_barrier(3): the other end of the pipe is closed once it was received.
static int barrier(void) {
  int ends[2];
  if (pipe(ends) != 0 || notify("BARRIER=1", 9, ends[1]) != 0) return 1;
  close(ends[1]);
  struct pollfd wait = {.fd = ends[0], .events = POLLIN};
  if (poll(&wait, 1, 5000) != 1) return 1;
  puts("barrier passed");
  return 0;
}

// Never two seconds the same process: each forks the next one and exits.
static int hop(void) {
  if (fork() != 0) return 0;
  for (;;) {
    pid_t next = fork();
    if (next > 0) _exit(0);
    if (next == 0) setsid();
    usleep(300);
  }
}

// Ignores what can be ignored, `depth` generations deep.
static int stubborn(int depth) {
  for (int number = 1; number < 32; number++)
    if (number != SIGCHLD) signal(number, SIG_IGN);
  while (depth > 0 && fork() == 0) {
    setsid();
    depth = depth == 1 ? -1 : depth - 1;
  }
  if (depth <= 0) puts("deep");
  fflush(stdout);
  for (;;) pause();
}

// Notes each signal that it gets in a file, `name number`; SIGTERM and SIGINT make it end after some milliseconds.
static int graceful(const char *path, const char *name, long ms) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  FILE *notes = fopen(path, "ae");
  if (notes == NULL) return 1;
  setvbuf(notes, NULL, _IOLBF, 0);
  fprintf(notes, "%s up\n", name);
  struct timespec now, end = {0, 0};
  for (;;) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    long left = end.tv_sec == 0 ? 60000 : ms - (now.tv_sec - end.tv_sec) * 1000 - (now.tv_nsec - end.tv_nsec) / 1000000;
    struct timespec limit = {left / 1000, left % 1000 * 1000000};
    int number = left <= 0 ? -1 : sigtimedwait(&all, NULL, &limit);
    if (number > 0) fprintf(notes, "%s %d\n", name, number);
    else if (end.tv_sec != 0 || left == 60000) break;
    if ((number == SIGTERM || number == SIGINT) && end.tv_sec == 0) clock_gettime(CLOCK_MONOTONIC, &end);
  }
  fprintf(notes, "%s done\n", name);
  return 0;
}

// Asks its terminal each of its words, with a question after it that is always answered, and prints what was answered in between.
static int ask(int count, char *queries[]) {
  struct termios before, raw;
  if (tcgetattr(0, &before) != 0) return 1;
  raw = before;
  raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
  for (int at = 0; at < count; at++) {
    char answer[256] = "";
    size_t len = 0;
    // The first is asked before it listens, as scripts do.
    if (at > 0) tcsetattr(0, TCSANOW, &raw);
    if (write(1, queries[at], strlen(queries[at])) < 0 || write(1, "\033[5n", 4) < 0) return 1;
    if (at == 0) tcsetattr(0, TCSANOW, &raw);
    while (strstr(answer, "\033[0n") == NULL) {
      struct pollfd wait = {.fd = 0, .events = POLLIN};
      if (len == sizeof answer - 1 || poll(&wait, 1, 5000) != 1 || read(0, answer + len, 1) != 1) return 2;
      answer[++len] = '\0';
    }
    tcsetattr(0, TCSANOW, &before);
    for (size_t i = 0; i < len - 4; i++) printf(answer[i] == '\033' ? "^[" : answer[i] == '\007' ? "^G" : "%c", answer[i]);
    puts("");
    fflush(stdout);
  }
  return 0;
}

// Prints its words, each after the first at a SIGUSR1.
static int steps(int count, char *words[]) {
  sigset_t next;
  int number;
  sigemptyset(&next);
  sigaddset(&next, SIGUSR1);
  sigprocmask(SIG_BLOCK, &next, NULL);
  for (int at = 0; at < count; at++) {
    if (at > 0 && sigwait(&next, &number) != 0) return 1;
    if (write(1, words[at], strlen(words[at])) < 0) return 1;
  }
  return 0;
}

static int lines(long count) {
  char line[64];
  memset(line, '.', sizeof line);
  for (long i = 0; i < count; i++) {
    int len = snprintf(line, sizeof line, "%ld ", i);
    line[len] = '.';
    line[sizeof line - 1] = '\n';
    if (write(1, line, sizeof line) != (ssize_t)sizeof line) return 1;
  }
  return 0;
}

int main(int argc, char *argv[]) {
  const char *verb = argc > 1 ? argv[1] : "";
  if (strcmp(verb, "isatty") == 0) return printf("%d%d%d\n", isatty(0), isatty(1), isatty(2)) < 0;
  if (strcmp(verb, "notify") == 0 && argc > 2) return printf("%d\n", getpid()) < 0 || notify(argv[2], strlen(argv[2]), -1);
  if (strcmp(verb, "garbage") == 0) {
    static char big[5000];
    memset(big, 'S', sizeof big);
    return notify(big, sizeof big, -1) || notify("READY=1\0X=1", 11, -1) || notify("READY=2", 7, -1) || notify("", 0, -1);
  }
  if (strcmp(verb, "flood") == 0) {
    for (int i = 0; i < 20000; i++)
      if (notify("STATUS=busy with the same thing all the time", 44, -1) != 0) return 1;
    return notify("STATUS=done", 11, -1);
  }
  if (strcmp(verb, "barrier") == 0) return barrier();
  if (strcmp(verb, "hop") == 0) return hop();
  if (strcmp(verb, "stubborn") == 0 && argc > 2) return stubborn(atoi(argv[2]));
  if (strcmp(verb, "graceful") == 0 && argc > 4) return graceful(argv[2], argv[3], atol(argv[4]));
  if (strcmp(verb, "ask") == 0) return ask(argc - 2, argv + 2);
  if (strcmp(verb, "steps") == 0) return steps(argc - 2, argv + 2);
  if (strcmp(verb, "lines") == 0 && argc > 2) return lines(atol(argv[2]));
  return 64;
}
