// `locald-keeper lock [--held-ok] PATH -- PROG ARG...`: runs at most one PROG at a time.
#ifndef KEEPER_LOCK_H
#define KEEPER_LOCK_H

#include <stdbool.h>

// Creates the file and its folder (0700), then becomes the program, which holds the lock (flock(2)) while it lives.
// Returns only on failure, an exit code: 75 when another process holds the lock, or 0 with `held_ok` (launchd restarts what exits otherwise);
// 73 when the file cannot be locked, 127 or 126 when the program is missing or cannot run.
int lock(const char *path, bool held_ok, char *const *program);

// `locald-keeper relock`: locks the file on standard input, for the process that opened it. Returns an exit code as above.
int relock(void);

#endif
