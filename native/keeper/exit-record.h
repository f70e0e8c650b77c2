// The exit record, for a daemon that was down when the service exited.
#ifndef KEEPER_EXIT_RECORD_H
#define KEEPER_EXIT_RECORD_H

#include <stdbool.h>

// Writes {"keeper":PID} and locks the file (flock(2)) while this process lives: a daemon that has nothing but the file finds the process,
// whose sockets may have been removed, and knows that the pid was not reused. Replaces an existing file. Returns false on failure.
bool exit_record_begin(const char *path);

// Writes {"code":…,"signal":…,"endedMs":…}: complete or not at all.
void exit_record_write(const char *path);

#endif
