// The lifecycle of the service: running, main process exited with others left, stopping, killing, over.
#ifndef KEEPER_LIFECYCLE_H
#define KEEPER_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "args.h"
#include "text.h"

void lifecycle_start(pid_t main, bool whole_tree, const struct options *options);

// Reaps exited processes: after SIGCHLD, and when the group of an exited main process is checked.
void lifecycle_reap(void);

// Stops all processes with this signal; what is left after the grace period is killed. A later call can only shorten it.
void lifecycle_stop(int signal, int64_t grace_ms);

// Stops with the signal and grace period of the options.
void lifecycle_finish(void);

// Signals the main process's group. Returns false when the main process has exited.
bool lifecycle_signal(int signal);

// Returns when lifecycle_tick has to be called (clock_ms()), -1 for never.
int64_t lifecycle_due(void);
void lifecycle_tick(int64_t now);

// Returns true when no process of the service is left.
bool lifecycle_is_over(void);

// Returns true once the main process has exited; lifecycle_outcome then adds "code":…,"signal":… to an event.
bool lifecycle_main_exited(void);
void lifecycle_outcome(struct text *text);

pid_t lifecycle_main(void);

#endif
