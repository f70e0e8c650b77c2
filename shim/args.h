// The argument grammar: a pure function, so that it can be fuzzed.
#ifndef SHIM_ARGS_H
#define SHIM_ARGS_H

#include <stdbool.h>

enum verb { VERB_VERSION, VERB_BIND, VERB_HOSTS, VERB_CGROUP_DELEGATE, VERB_TRUST, VERB_UNTRUST };

// `port`: 80 or 443 with VERB_BIND, else 0.
struct request {
  enum verb verb;
  unsigned port;
};

// Accepts exactly the usage line. Otherwise returns false and why; `word` may be NULL.
bool request_parse(int argc, char *const argv[], struct request *request, const char **why, const char **word);

#endif
