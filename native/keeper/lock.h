// `locald-keeper lock [--held-ok] PATH -- PROG ARG...`: at most one PROG at a time.
#ifndef KEEPER_LOCK_H
#define KEEPER_LOCK_H

#include <stdbool.h>

// Makes the file, and its folder (0700), then becomes the program, which holds the lock (flock(2)) as long as it lives.
// Returns only an exit code: 75 when another holds it, or 0 where that is well (launchd restarts what exits otherwise); 73 when the file cannot be locked, 127 or 126 when there is no such program or it cannot run.
int lock(const char *path, bool held_ok, char *const *program);

// `locald-keeper relock`: takes the lock of the file that is standard input, for who has it open. Returns an exit code as above.
int relock(void);

#endif
