#include "exit-codes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lock.h"
#include "text.h"

_Noreturn void exit_with(enum exit_code code, const char *what, const char *which) {
  // Standard error may be a pipe that no one reads.
  lock_release();
  text_complain("locald-shim", what, which);
  _exit((int)code);
}

_Noreturn void exit_with_errno(enum exit_code code, const char *what) { exit_with(code, what, strerror(errno)); }
