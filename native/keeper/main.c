// locald-keeper: holds one supervised process for locald and outlives its daemon. See README.md for the protocol.
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "lock.h"
#include "run.h"
#include "starter.h"
#include "sweep.h"
#include "text.h"

enum { USAGE = 64 };  // sysexits(3)

static const char version[] = "locald-keeper 1\n";

static int refused(const char *why, const char *word) {
  text_complain("locald-keeper", why, word);
  return USAGE;
}

int main(int argc, char *argv[]) {
  if (argc < 2) return refused("usage: locald-keeper run|starter|lock|relock|sweep|version", NULL);
  const char *verb = argv[1];
  if (strcmp(verb, "version") == 0 && argc == 2)
    return write(STDOUT_FILENO, version, sizeof version - 1) == (ssize_t)sizeof version - 1 ? 0 : 1;
  if (strcmp(verb, "run") == 0) {
    struct options options;
    struct refusal refusal;
    if (!options_parse(argc - 2, argv + 2, &options, &refusal)) return refused(refusal.why, refusal.word);
    return run(&options);
  }
  if (strcmp(verb, "starter") == 0) return argc == 3 ? starter(argv[2]) : refused("usage: locald-keeper starter PATH", NULL);
  if (strcmp(verb, "lock") == 0) {
    int at = argc > 2 && strcmp(argv[2], "--held-ok") == 0 ? 3 : 2;
    if (argc < at + 3 || strcmp(argv[at + 1], "--") != 0)
      return refused("usage: locald-keeper lock [--held-ok] PATH -- PROGRAM ...", NULL);
    return lock(argv[at], at == 3, argv + at + 2);
  }
  if (strcmp(verb, "relock") == 0) return argc == 2 ? relock() : refused("usage: locald-keeper relock", NULL);
  if (strcmp(verb, "sweep") == 0) {
    uint64_t mark;
    if (argc != 3 || !mark_parse(argv[2], &mark)) return refused("usage: locald-keeper sweep MARK", NULL);
    return sweep(mark);
  }
  return refused("unknown command", verb);
}
