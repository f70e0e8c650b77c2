#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exit-codes.h"
#include "root-path.h"

static _Noreturn void become(const char *const argv[]) {
  static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char *const environment[] = {path, NULL};
  const struct sigaction normal = {.sa_handler = SIG_DFL};
  sigset_t none;
  int null = open("/dev/null", O_RDWR);
  bool ready = null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2;
  ready = ready && sigaction(SIGPIPE, &normal, NULL) == 0 && sigaction(SIGXFSZ, &normal, NULL) == 0;
  ready = ready && sigemptyset(&none) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0 && setsid() > 0;
  // execve() does not change the arguments; its type is older than const.
  union {
    const char *const *given;
    char *const *taken;
  } words = {.given = argv};
  if (ready) (void)execve(argv[0], words.taken, environment);
  _exit(127);
}

void program_require(const char *path) {
  static char real[PATH_MAX];
  struct stat info;
  if (realpath(path, real) == NULL) exit_with_errno(EXIT_STORE, path);
  char *name = strrchr(real, '/');
  if (name == NULL || name == real) exit_with(EXIT_STORE, "an invalid path", path);
  *name = '\0';
  int folder = root_path_folder(EXIT_STORE, real);
  int fd = root_path_file(EXIT_STORE, folder, name + 1, O_RDONLY, &info);
  if (fd < 0) exit_with(EXIT_STORE, "it is missing", path);
  (void)close(fd);
  (void)close(folder);
}

bool program_run(const char *const argv[]) {
  int status;
  pid_t child = fork();
  if (child < 0) exit_with_errno(EXIT_PROCESS, "no process can be started");
  if (child == 0) become(argv);
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
