// The life of the service: running, main process ended with others left, being stopped, being killed, over.
#ifndef KEEPER_LIFECYCLE_H
#define KEEPER_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "args.h"
#include "text.h"

void life_start(pid_t main, bool whole_tree, const struct options *options);

// Takes in who has ended: after SIGCHLD, and when the group of an ended main process is looked at.
void life_reap(void);

// Asks all to end with this signal; what is left after the grace is killed. A later call can only shorten it.
void life_stop(int signal, int64_t grace_ms);

// The same with the defaults of the options.
void life_finish(void);

// False when the main process has ended.
bool life_signal(int signal);

// When life_tick has to be called (clock_ms()), -1 for never.
int64_t life_due(void);
void life_tick(int64_t now);

// Nothing of the service is left.
bool life_over(void);

// True once the main process has ended; life_outcome then adds "code":…,"signal":… to an event.
bool life_ended(void);
void life_outcome(struct text *text);

pid_t life_main(void);

#endif
