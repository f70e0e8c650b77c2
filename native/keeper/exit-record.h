// The exit record, for a daemon that was not there when the service ended.
#ifndef KEEPER_EXIT_RECORD_H
#define KEEPER_EXIT_RECORD_H

#include <stdbool.h>

// Writes {"keeper":PID}, and locks the file (flock(2)) as long as this process lives: who has nothing but the file finds the process, whose
// sockets may have been removed, and knows that it is no other one. Replaces what is there. False when it cannot.
bool record_begin(const char *path);

// Writes {"code":…,"signal":…,"endedMs":…}: complete or not at all.
void record_write(const char *path);

#endif
