// locald-shim: the one part of locald that runs as root. It does one privileged action, given by a verb, then exits; it reads
// no configuration but the list of allowed users, and takes no path, address or program from its caller. See README.md.
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "credentials.h"
#include "bind.h"
#include "caller.h"
#include "cgroup.h"
#include "hosts.h"
#include "lock.h"
#include "harden.h"
#include "exit-codes.h"
#include "trust.h"
#include "version.h"

static void print_version(void) {
  static const char version[] = "locald-shim " SHIM_VERSION "\n";
  credentials_become_caller();
  if (write(STDOUT_FILENO, version, sizeof version - 1) != (ssize_t)sizeof version - 1)
    exit_with_errno(EXIT_PROCESS, "standard output");
}

int main(int argc, char *argv[]) {
  struct request request;
  const char *why, *word;
  if (!request_parse(argc, argv, &request, &why, &word)) exit_with(EXIT_USAGE, why, word);
  harden_process(request.verb == VERB_BIND, request.verb != VERB_BIND && request.verb != VERB_VERSION);
  if (request.verb != VERB_VERSION) caller_check(request.verb == VERB_BIND);
  switch (request.verb) {
    case VERB_VERSION:
      print_version();
      break;
    case VERB_BIND:
      bind_port(request.port);
      break;
    case VERB_HOSTS:
      hosts_update();
      break;
    case VERB_CGROUP_DELEGATE:
      cgroup_delegate();
      break;
    case VERB_TRUST:
      trust_change(true);
      break;
    case VERB_UNTRUST:
      trust_change(false);
      break;
  }
  // Before closing the caller's descriptors, which may take as long as the caller likes.
  lock_release();
  return 0;
}
