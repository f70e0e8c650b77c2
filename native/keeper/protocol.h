// Parses the commands of the control protocol: pure functions, so that they can be fuzzed.
#ifndef KEEPER_PROTOCOL_H
#define KEEPER_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMMAND_MAX = 256, SIGNAL_MAX = 64, SIZE_MAX_CELLS = 9999, GRACE_MAX_MS = 86400000 };

enum verb { VERB_STATE, VERB_POKE, VERB_STOP, VERB_SIGNAL, VERB_FINISH, VERB_RESIZE, VERB_ATTACH, VERB_REPLAY };

// `first` and `second` are SIGNUM and GRACE_MS, or COLS and ROWS.
struct command {
  enum verb verb;
  unsigned first, second;
};

// Parses strictly: the exact word, single spaces, decimal numbers in range, nothing after them.
bool command_parse(const char *line, size_t len, struct command *command);

// 80x24
bool cells_parse(const char *text, unsigned *cols, unsigned *rows);

// Returns "SIGTERM"; a number without a name is "SIG<number>". Valid until the next call.
const char *signal_name(int number);

#endif
