// Exits with a message and a code for the reason.
#ifndef SHIM_EXIT_CODES_H
#define SHIM_EXIT_CODES_H

// Exit codes; README.md lists them. Never renumbered: the daemon chooses its hints by them.
enum exit_code {
  EXIT_USAGE = 64,
  EXIT_NOT_SETUID = 10,
  EXIT_NO_NEW_PRIVILEGES = 11,
  EXIT_OWN_PATH = 12,
  EXIT_CONF = 13,
  EXIT_CALLER = 14,
  EXIT_PORTS_ONLY = 15,
  EXIT_LIMITS = 16,
  EXIT_PROCESS = 17,
  EXIT_DROP = 18,
  EXIT_TIME = 19,
  EXIT_CHANNEL = 20,
  EXIT_PORT_TAKEN = 21,
  EXIT_PORT = 22,
  EXIT_INPUT = 30,
  EXIT_NAME = 31,
  EXIT_HOSTS_FILE = 32,
  EXIT_BLOCK = 33,
  EXIT_BUSY = 34,
  EXIT_WRITE = 35,
  EXIT_PEM = 40,
  EXIT_CA = 41,
  EXIT_STORE = 42,
  EXIT_STORE_UPDATE = 43,
  EXIT_STORE_FULL = 44,
  EXIT_JAVA = 45,
  EXIT_KEYCHAIN = 46,
  EXIT_NO_CGROUPS = 50,
  EXIT_PARENT = 51,
  EXIT_CGROUP = 52,
};

// Writes "locald-shim: what: which" (without `which` when NULL) to standard error and exits.
_Noreturn void exit_with(enum exit_code code, const char *what, const char *which);

// Does the same with the message of errno as `which`.
_Noreturn void exit_with_errno(enum exit_code code, const char *what);

#endif
