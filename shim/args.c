#include "args.h"

#include <stddef.h>
#include <string.h>

static const struct {
  const char *word;
  enum verb verb;
} verbs[] = {
    {"version", VERB_VERSION}, {"bind", VERB_BIND},   {"hosts", VERB_HOSTS}, {"cgroup-delegate", VERB_CGROUP_DELEGATE},
    {"trust", VERB_TRUST},     {"untrust", VERB_UNTRUST},
};

bool request_parse(int argc, char *const argv[], struct request *request, const char **why, const char **word) {
  *why = "usage: locald-shim version | bind 80 | bind 443 | hosts | cgroup-delegate | trust | untrust";
  *word = NULL;
  // With no arguments at all (argc 0), argv[1] would be the environment: CVE-2021-4034.
  if (argc < 2) return false;
  size_t which = 0;
  while (which < sizeof verbs / sizeof *verbs && strcmp(argv[1], verbs[which].word) != 0) which++;
  if (which == sizeof verbs / sizeof *verbs) {
    *why = "unknown verb";
    *word = argv[1];
    return false;
  }
  *request = (struct request){.verb = verbs[which].verb, .port = 0};
  if (argc != (request->verb == VERB_BIND ? 3 : 2)) return false;
  if (request->verb != VERB_BIND) return true;
  if (strcmp(argv[2], "80") == 0) request->port = 80;
  if (strcmp(argv[2], "443") == 0) request->port = 443;
  if (request->port != 0) return true;
  *why = "only ports 80 and 443 can be bound";
  *word = argv[2];
  return false;
}
