#include "protocol.h"

#include <signal.h>
#include <string.h>

#include "text.h"

static const struct {
  const char *word;
  enum verb verb;
  unsigned numbers, min, max_first, max_second;
} commands[] = {
    {"state", VERB_STATE, 0, 0, 0, 0},
    {"poke", VERB_POKE, 0, 0, 0, 0},
    {"finish", VERB_FINISH, 0, 0, 0, 0},
    {"signal", VERB_SIGNAL, 1, 1, SIGNAL_MAX, 0},
    {"stop", VERB_STOP, 2, 1, SIGNAL_MAX, GRACE_MAX_MS},
    {"resize", VERB_RESIZE, 2, 1, SIZE_MAX_CELLS, SIZE_MAX_CELLS},
    {"attach", VERB_ATTACH, 2, 1, SIZE_MAX_CELLS, SIZE_MAX_CELLS},
    {"replay", VERB_REPLAY, 2, 1, SIZE_MAX_CELLS, SIZE_MAX_CELLS},
};

bool cells_parse(const char *text, unsigned *cols, unsigned *rows) {
  const char *by = strchr(text, 'x');
  uint64_t first, second;
  if (by == NULL) return false;
  if (!number_parse(text, (size_t)(by - text), SIZE_MAX_CELLS, &first)) return false;
  if (!number_parse(by + 1, strlen(by + 1), SIZE_MAX_CELLS, &second)) return false;
  if (first == 0 || second == 0) return false;
  *cols = (unsigned)first;
  *rows = (unsigned)second;
  return true;
}

// Reads one " NUMBER" from the front of the rest of a line.
static bool take_number(const char **rest, size_t *left, uint64_t max, unsigned *number) {
  if (*left < 2 || (*rest)[0] != ' ') return false;
  const char *digits = *rest + 1;
  const char *space = memchr(digits, ' ', *left - 1);
  size_t len = space == NULL ? *left - 1 : (size_t)(space - digits);
  uint64_t value;
  if (!number_parse(digits, len, max, &value)) return false;
  *number = (unsigned)value;
  *rest += 1 + len;
  *left -= 1 + len;
  return true;
}

bool command_parse(const char *line, size_t len, struct command *command) {
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    size_t word = strlen(commands[i].word);
    if (len < word || memcmp(line, commands[i].word, word) != 0) continue;
    const char *rest = line + word;
    size_t left = len - word;
    *command = (struct command){.verb = commands[i].verb, .first = 0, .second = 0};
    if (commands[i].numbers > 0 && !take_number(&rest, &left, commands[i].max_first, &command->first)) return false;
    if (commands[i].numbers > 1 && !take_number(&rest, &left, commands[i].max_second, &command->second)) return false;
    if (command->first < commands[i].min) return false;
    // A terminal has at least one row; a grace of 0 ms is allowed.
    if (command->second == 0 && commands[i].max_second == SIZE_MAX_CELLS) return false;
    return left == 0;
  }
  return false;
}

static const struct {
  int number;
  const char *name;
} signals[] = {
    {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},       {SIGTRAP, "SIGTRAP"},
    {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},   {SIGKILL, "SIGKILL"},     {SIGUSR1, "SIGUSR1"},
    {SIGSEGV, "SIGSEGV"}, {SIGUSR2, "SIGUSR2"}, {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"},     {SIGTERM, "SIGTERM"},
    {SIGCHLD, "SIGCHLD"}, {SIGCONT, "SIGCONT"}, {SIGSTOP, "SIGSTOP"}, {SIGTSTP, "SIGTSTP"},     {SIGTTIN, "SIGTTIN"},
    {SIGTTOU, "SIGTTOU"}, {SIGURG, "SIGURG"},   {SIGXCPU, "SIGXCPU"}, {SIGXFSZ, "SIGXFSZ"},     {SIGVTALRM, "SIGVTALRM"},
    {SIGPROF, "SIGPROF"}, {SIGIO, "SIGIO"},     {SIGSYS, "SIGSYS"},   {SIGWINCH, "SIGWINCH"},
#ifdef __linux__
    {SIGPWR, "SIGPWR"},   {SIGSTKFLT, "SIGSTKFLT"},
#else
    {SIGEMT, "SIGEMT"},   {SIGINFO, "SIGINFO"},
#endif
};

const char *signal_name(int number) {
  static char other[16];
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
    if (signals[i].number == number) return signals[i].name;
  struct text text = text_in(other, sizeof other);
  text_add(&text, "SIG");
  text_number(&text, (uint64_t)(unsigned)number);
  return other;
}
