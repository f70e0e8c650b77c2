// Fuzzes all that parses what others wrote: control commands, notify datagrams, arguments, output and the queries in it. Run it with
//   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I../common $(ls *.c ../common/*.c | grep -v main.c) -o /tmp/fuzz
//   /tmp/fuzz -max_total_time=60
// or, where there is no libFuzzer, on inputs generated from a seed:
//   cc -g -O1 -fsanitize=address,undefined -DFUZZ_ALONE -D_GNU_SOURCE -I../common $(ls *.c ../common/*.c | grep -v main.c) -o /tmp/fuzz
//   /tmp/fuzz 1000000
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "lines.h"
#include "notify.h"
#include "queries.h"
#include "request.h"
#include "text.h"
#include "protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KINDS = 6 };

static void require(bool holds) {
  if (!holds) abort();
}

static void fuzz_command(const char *text, size_t len) {
  struct command command;
  if (!command_parse(text, len, &command)) return;
  require(len <= COMMAND_MAX && command.second <= GRACE_MAX_MS);
  if (command.verb == VERB_STOP || command.verb == VERB_SIGNAL) require(command.first >= 1 && command.first <= SIGNAL_MAX);
}

static void fuzz_notice(const char *text, size_t len) {
  static char event[8192];
  struct notice notice;
  if (!notice_parse(text, len, &notice)) return;
  struct text out = text_in(event, sizeof event);
  notice_event(&out, &notice);
  require(!out.full);
  // One line, whatever the status is.
  require(memchr(event, '\n', out.len) == event + out.len - 1);
}

static void fuzz_options(char *text) {
  enum { WORDS_MAX = 64 };
  char *words[WORDS_MAX + 1];
  int count = 0;
  for (char *word = strtok(text, "\n"); word != NULL && count < WORDS_MAX; word = strtok(NULL, "\n")) words[count++] = word;
  words[count] = NULL;
  struct options options;
  struct refusal refusal = {NULL, NULL};
  if (options_parse(count, words, &options, &refusal))
    require(options.program[0] != NULL);
  else
    require(refusal.why != NULL);
}

static void fuzz_lines(const char *text, size_t len) {
  static struct lines lines;
  lines.tty = len % 2 == 0;
  for (size_t at = 0; at < len;) {
    size_t part = (unsigned char)text[at] % 97 + 1;
    if (part > len - at) part = len - at;
    lines_feed(&lines, text + at, part, 0);
    if (part % 5 == 0) lines_show(&lines);
    require(lines.len <= ENTRY_MAX);
    at += part;
  }
  if (len % 3 == 0) lines_end(&lines);
}

static bool eighty_by_24(unsigned *cols, unsigned *rows) {
  *cols = 80;
  *rows = 24;
  return true;
}

// The answers do not depend on how the input is cut, no answer is itself a query, and none contains a control character that terminates a line.
static void fuzz_queries(const char *text, size_t len) {
  static char whole[4096], torn[4096], again[4096];
  struct text once = text_in(whole, sizeof whole), pieces = text_in(torn, sizeof torn), echo = text_in(again, sizeof again);
  struct queries first = {0}, second = {0}, third = {0};
  queries_take(&first, text, len, eighty_by_24, &once);
  for (size_t at = 0; at < len;) {
    size_t part = (unsigned char)text[at] % 7 + 1;
    if (part > len - at) part = len - at;
    queries_take(&second, text + at, part, eighty_by_24, &pieces);
    at += part;
  }
  require(once.len == pieces.len && memcmp(whole, torn, once.len) == 0 && !once.full);
  require(memchr(whole, '\n', once.len) == NULL && memchr(whole, '\r', once.len) == NULL && memchr(whole, 3, once.len) == NULL);
  queries_take(&third, whole, once.len, eighty_by_24, &echo);
  require(echo.len == 0);
}

static void fuzz_request(char *text, size_t len) {
  struct request_head head;
  struct request request;
  if (len < HEAD_SIZE || !request_head((const unsigned char *)text, &head)) return;
  if (head.bytes > len - HEAD_SIZE || !request_body(text + HEAD_SIZE, &head, &request)) return;
  size_t bytes = strlen(request.folder) + 1;
  for (char **word = request.words; *word != NULL; word++) bytes += strlen(*word) + 1;
  for (char **variable = request.variables; *variable != NULL; variable++) bytes += strlen(*variable) + 1;
  require(bytes == head.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // Exactly as long as the input, so that a byte read too far is seen.
  char *copy = malloc(size + 1);
  if (copy == NULL || size == 0) {
    free(copy);
    return 0;
  }
  memcpy(copy, data + 1, size - 1);
  char *exact = malloc(size - 1 > 0 ? size - 1 : 1);
  if (exact != NULL) {
    memcpy(exact, data + 1, size - 1);
    if (data[0] % KINDS == 0) fuzz_command(exact, size - 1);
    if (data[0] % KINDS == 1) fuzz_notice(exact, size - 1);
    if (data[0] % KINDS == 2) fuzz_lines(exact, size - 1);
    if (data[0] % KINDS == 5) fuzz_queries(exact, size - 1);
    if (data[0] % KINDS == 4) fuzz_request(exact, size - 1);
  }
  copy[size - 1] = '\0';
  if (data[0] % KINDS == 3) fuzz_options(copy);
  free(exact);
  free(copy);
  return 0;
}

#ifdef FUZZ_ALONE
static uint64_t seed = 88172645463325252U;

static uint32_t random_below(uint32_t limit) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (uint32_t)(seed >> 32) % limit;
}

// A head that may fit.
static void make_head(uint8_t *head, size_t len) {
  uint32_t numbers[] = {(uint32_t)(len - HEAD_SIZE), random_below(20), random_below(20)};
  for (unsigned i = 0; i < 3; i++)
    for (unsigned byte = 0; byte < 4; byte++) head[4 * i + byte] = (uint8_t)(numbers[i] >> (8 * byte));
}

// Words of the grammars with noise between them.
static size_t make(uint8_t *data, size_t cap) {
  static const char *const words[] = {
      "stop",     " ",       "15",         "0",       "state",   "poke",      "signal",   "resize",      "attach",   "replay",
      "finish",   "\n",      "READY=1",    "STATUS=", "MAINPID=", "BARRIER=1", "\xc3\xa9", "\xed\xa0\x80", "\"\\\x7f",
      "--socket", "--tty",   "80x24",      "--",      "true",    "--mark",    "x",        "--log-bytes", "18446744073709551615",
      "--exit",   "--stop-ms", "--group-only", "--main-only", "STOPPING=1", "9999", "86400000", "64", "\r", "--notify",
      "\033[", "\033]", "\033P", "\033\\", "c", "n", "6", "5", "?", ">", "=", "q", "u", "$p", "$q", "+q", "18t", "16t", "11;?", "4;1;?", ";12;?", "\007",
      "\033Z", "\033(", "\x18", "\x1a", "\033_", "2026", "\033[6n", "\033[c", "\033[?u"};
  size_t len = 1;
  data[0] = (uint8_t)random_below(KINDS);
  for (uint32_t left = random_below(40); left > 0; left--) {
    const char *word = words[random_below(sizeof words / sizeof *words)];
    size_t add = random_below(8) == 0 ? random_below(600) : strlen(word);
    if (add > cap - len) break;
    if (add == strlen(word)) memcpy(data + len, word, add);
    else for (size_t i = 0; i < add; i++) data[len + i] = (uint8_t)random_below(256);
    len += add;
    if (data[0] == 3 && len < cap) data[len++] = '\n';
    if (data[0] == 4 && len < cap) data[len++] = '\0';
  }
  if (data[0] == 4 && len > HEAD_SIZE) make_head(data + 1, len - 1);
  return len;
}

int main(int argc, char *argv[]) {
  static uint8_t data[40000];
  for (long left = argc > 1 ? atol(argv[1]) : 100000; left > 0; left--) (void)LLVMFuzzerTestOneInput(data, make(data, sizeof data));
  return 0;
}
#endif
