#include "answers.h"

#include "output.h"
#include "queries.h"
#include "terminal.h"

// A script may send its query before it switches the terminal to raw mode: it has PATIENCE_MS. Until then an answer would only be echoed.
enum { PENDING_MAX = 8192, PATIENCE_MS = 200, LOOK_MS = 5 };

static struct queries queries;
static char pending[PENDING_MAX];
static struct text answers = {.at = pending, .cap = sizeof pending};
static int64_t next = -1, last;

static void give(void) {
  (void)output_type(answers.at, answers.len);  // a terminal whose input is full and unread does not need it
  answers_stop();
}

void answers_to(const char *bytes, size_t len, int64_t now) {
  size_t before = answers.len;
  queries_take(&queries, bytes, len, terminal_size, &answers);
  if (answers.len == before) return;
  last = now + PATIENCE_MS;
  answers_tick(now);
}

int64_t answers_due(void) { return next; }

void answers_tick(int64_t now) {
  if (answers.len == 0) return;
  if (!terminal_waits_for_lines()) give();
  else if (now >= last) answers_stop();
  else next = now + LOOK_MS;
}

void answers_stop(void) {
  answers.len = 0;
  next = -1;
}
