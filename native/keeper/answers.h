// Answers the terminal queries of a program while no client is attached whose own terminal would answer.
#ifndef KEEPER_ANSWERS_H
#define KEEPER_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Looks for queries in a batch of output that was read at `now` (clock_ms()).
void answers_to(const char *bytes, size_t len, int64_t now);

// Returns when answers_tick has to be called (clock_ms()), -1 for never.
int64_t answers_due(void);
void answers_tick(int64_t now);

// Discards pending answers: a client is attached.
void answers_stop(void);

#endif
