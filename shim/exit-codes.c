#include "exit-codes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lock.h"
#include "text.h"

_Noreturn void refuse(enum refusal code, const char *what, const char *which) {
  // Standard error may be a pipe that no one reads.
  lock_release();
  text_complain("locald-shim", what, which);
  _exit((int)code);
}

_Noreturn void refuse_errno(enum refusal code, const char *what) { refuse(code, what, strerror(errno)); }
