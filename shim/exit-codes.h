// How the shim ends when it does not do what it was asked: one line that says why, and a code of its own.
#ifndef SHIM_EXIT_CODES_H
#define SHIM_EXIT_CODES_H

// Exit codes; README.md has the list. Never renumbered: the daemon tells its hints by them.
enum refusal {
  REFUSE_USAGE = 64,
  REFUSE_NOT_SETUID = 10,
  REFUSE_NO_NEW_PRIVILEGES = 11,
  REFUSE_OWN_PATH = 12,
  REFUSE_CONF = 13,
  REFUSE_CALLER = 14,
  REFUSE_PORTS_ONLY = 15,
  REFUSE_LIMITS = 16,
  REFUSE_PROCESS = 17,
  REFUSE_DROP = 18,
  REFUSE_TIME = 19,
  REFUSE_CHANNEL = 20,
  REFUSE_PORT_TAKEN = 21,
  REFUSE_PORT = 22,
  REFUSE_INPUT = 30,
  REFUSE_NAME = 31,
  REFUSE_HOSTS_FILE = 32,
  REFUSE_BLOCK = 33,
  REFUSE_BUSY = 34,
  REFUSE_WRITE = 35,
  REFUSE_PEM = 40,
  REFUSE_AUTHORITY = 41,
  REFUSE_STORE = 42,
  REFUSE_STORE_UPDATE = 43,
  REFUSE_STORE_FULL = 44,
  REFUSE_JAVA = 45,
  REFUSE_KEYCHAIN = 46,
  REFUSE_NO_CGROUPS = 50,
  REFUSE_PARENT = 51,
  REFUSE_CGROUP = 52,
};

// Writes "locald-shim: what: which" (without `which` when NULL) to standard error and ends.
_Noreturn void refuse(enum refusal code, const char *what, const char *which);

// The same with the message of errno for `which`.
_Noreturn void refuse_errno(enum refusal code, const char *what);

#endif
