#include "args.h"

#include <string.h>

#include "text.h"
#include "protocol.h"

enum kind { PATH, NUMBER, MARK, CELLS, FLAG };

struct option {
  const char *name;
  enum kind kind;
  const char **path;
  uint64_t *number, min, max;
  bool *flag;
};

bool mark_parse(const char *word, uint64_t *mark) {
  return number_parse(word, strlen(word), UINT64_MAX - 1, mark) && *mark != 0;
}

static bool take_value(const struct option *option, const char *word, struct options *options) {
  switch (option->kind) {
    case PATH:
      *option->path = word;
      return word[0] != '\0';
    case NUMBER:
      return number_parse(word, strlen(word), option->max, option->number) && *option->number >= option->min;
    case MARK:
      return mark_parse(word, option->number);
    case CELLS:
      options->tty = true;
      return cells_parse(word, &options->cols, &options->rows);
    case FLAG:
      break;
  }
  return false;
}

static bool refuse(struct refusal *refusal, const char *why, const char *word) {
  *refusal = (struct refusal){.why = why, .word = word};
  return false;
}

bool options_parse(int count, char *const words[], struct options *options, struct refusal *refusal) {
  *options = (struct options){.log_bytes = 10485760, .log_files = 5, .stop_signal = 15, .stop_ms = 10000};
  const struct option known[] = {
      {.name = "--socket", .kind = PATH, .path = &options->socket},
      {.name = "--exit", .kind = PATH, .path = &options->exit},
      {.name = "--log", .kind = PATH, .path = &options->log},
      {.name = "--notify", .kind = PATH, .path = &options->notify},
      {.name = "--cgroup", .kind = PATH, .path = &options->cgroup},
      {.name = "--log-bytes", .kind = NUMBER, .number = &options->log_bytes, .min = 1, .max = INT64_MAX},
      {.name = "--log-files", .kind = NUMBER, .number = &options->log_files, .min = 1, .max = 999},
      {.name = "--stop-signal", .kind = NUMBER, .number = &options->stop_signal, .min = 1, .max = SIGNAL_MAX},
      {.name = "--stop-ms", .kind = NUMBER, .number = &options->stop_ms, .min = 0, .max = GRACE_MAX_MS},
      {.name = "--mark", .kind = MARK, .number = &options->mark},
      {.name = "--tty", .kind = CELLS},
      {.name = "--group-only", .kind = FLAG, .flag = &options->group_only},
      {.name = "--main-only", .kind = FLAG, .flag = &options->main_only},
  };
  bool seen[sizeof known / sizeof *known] = {false};
  for (int at = 0; at < count; at++) {
    if (strcmp(words[at], "--") == 0) {
      options->program = words + at + 1;
      if (at + 1 < count && words[at + 1][0] != '\0') return true;
      return refuse(refusal, "no program after --", NULL);
    }
    size_t which = 0;
    while (which < sizeof known / sizeof *known && strcmp(words[at], known[which].name) != 0) which++;
    if (which == sizeof known / sizeof *known) return refuse(refusal, "unknown option", words[at]);
    if (seen[which]) return refuse(refusal, "option given twice", words[at]);
    seen[which] = true;
    if (known[which].kind == FLAG) {
      *known[which].flag = true;
      continue;
    }
    if (at + 1 >= count) return refuse(refusal, "no value for", words[at]);
    at++;
    if (!take_value(&known[which], words[at], options)) return refuse(refusal, "bad value of", words[at - 1]);
  }
  return refuse(refusal, "no -- before the program", NULL);
}
