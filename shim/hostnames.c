#include "hostnames.h"

#include <stdint.h>
#include <string.h>

#include "text.h"

// Reserved for local use (RFC 6761). Not `internal`: companies, clouds and container engines use names below it, which programs
// of all users of the machine rely on.
static const char *const allowed[] = {"localhost", "test"};

// Programs of all users look these up in whatever domain the machine is in (RFC 5214 and similar).
static const char *const reserved[] = {"wpad", "isatap"};

static bool label_allowed(const char *label, size_t len) {
  if (len == 0 || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-') return false;
  for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
    if (len == strlen(reserved[i]) && memcmp(label, reserved[i], len) == 0) return false;
  for (size_t i = 0; i < len; i++) {
    char byte = label[i];
    if (!((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-')) return false;
  }
  return true;
}

static bool is_below(const char *name, size_t len, const char *domain) {
  size_t own = strlen(domain);
  return len > own + 1 && name[len - own - 1] == '.' && memcmp(name + len - own, domain, own) == 0;
}

bool hostname_is_allowed(const char *name, size_t len) {
  unsigned labels = 0;
  if (len > NAME_MAX_BYTES) return false;
  for (size_t at = 0; at <= len; labels++) {
    const char *dot = memchr(name + at, '.', len - at);
    size_t end = dot == NULL ? len : (size_t)(dot - name);
    if (!label_allowed(name + at, end - at)) return false;
    at = end + 1;
  }
  bool fine = false;
  if (labels > LABELS_MAX) return false;
  for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) fine = fine || is_below(name, len, allowed[i]);
  return fine;
}

static enum hostnames_result wrong(enum hostnames_result result, const char **why, const char *what) {
  *why = what;
  return result;
}

enum hostnames_result hostnames_parse(const char *text, size_t len, struct hostnames *names, const char **why) {
  static const char magic[] = "locald-hosts 1 ";
  enum { MAGIC = sizeof magic - 1 };
  const char *newline = memchr(text, '\n', len);
  if (newline == NULL || len < MAGIC || memcmp(text, magic, MAGIC) != 0)
    return wrong(HOSTNAMES_INPUT, why, "standard input does not begin with `locald-hosts 1 COUNT`");
  uint64_t count;
  size_t head = (size_t)(newline - text);
  if (head <= MAGIC || !number_parse(text + MAGIC, head - MAGIC, UINT32_MAX, &count))
    return wrong(HOSTNAMES_INPUT, why, "the count of names is not a number");
  if (count > HOSTNAMES_MAX) return wrong(HOSTNAMES_INPUT, why, "more than 1024 names");
  *names = (struct hostnames){.at = newline + 1, .len = len - head - 1, .count = 0};
  for (size_t at = 0; at < names->len; names->count++) {
    const char *end = memchr(names->at + at, '\n', names->len - at);
    if (end == NULL) return wrong(HOSTNAMES_INPUT, why, "the last name is cut short");
    size_t length = (size_t)(end - names->at) - at;
    if (names->count == count) return wrong(HOSTNAMES_INPUT, why, "more names than counted");
    if (!hostname_is_allowed(names->at + at, length))
      return wrong(HOSTNAMES_NAME, why, "a name is not allowed: only a-z, 0-9 and dashes, below localhost or test");
    at += length + 1;
  }
  if (names->count != count) return wrong(HOSTNAMES_INPUT, why, "fewer names than counted");
  return HOSTNAMES_FINE;
}
