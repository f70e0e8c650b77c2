// The argument grammar of `locald-keeper run`: a pure function, so that it can be fuzzed.
#ifndef KEEPER_ARGS_H
#define KEEPER_ARGS_H

#include <stdbool.h>
#include <stdint.h>

// Absent paths are NULL. Sizes are in bytes, times in milliseconds.
struct options {
  const char *socket, *exit, *log, *notify, *cgroup;
  uint64_t log_bytes, log_files, mark, stop_signal, stop_ms;
  bool tty, group_only, main_only;
  unsigned cols, rows;
  char *const *program;  // the rest of argv: program, arguments, NULL
};

// Why the arguments are rejected, and which one is at fault.
struct refusal {
  const char *why, *word;
};

// Parses the arguments after `run`. When it returns false, `refusal` is filled in.
bool options_parse(int count, char *const words[], struct options *options, struct refusal *refusal);

// A mark is any number but 0 and "unlimited", which unmarked processes have.
bool mark_parse(const char *word, uint64_t *mark);

#endif
