// locald-shim: the one part of locald that runs as root. One privileged act, asked for by a verb, then it exits; it reads
// no configuration but who may call it, and takes no path, no address and no program from anybody. See README.md.
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
  become_caller();
  if (write(STDOUT_FILENO, version, sizeof version - 1) != (ssize_t)sizeof version - 1)
    refuse_errno(REFUSE_PROCESS, "standard output");
}

int main(int argc, char *argv[]) {
  struct request request;
  const char *why, *word;
  if (!request_parse(argc, argv, &request, &why, &word)) refuse(REFUSE_USAGE, why, word);
  process_harden(request.verb == VERB_BIND, request.verb != VERB_BIND && request.verb != VERB_VERSION);
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
  // Before the descriptors of its caller's are closed, which may take as long as he likes.
  lock_release();
  return 0;
}
