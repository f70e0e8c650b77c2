#ifndef KEEPER_CLOCK_H
#define KEEPER_CLOCK_H

#include <stdint.h>

enum { STAMP_LENGTH = 27 };

// Monotonic milliseconds, not counting sleep.
int64_t clock_ms(void);

// Milliseconds since 1970, UTC.
int64_t clock_epoch_ms(void);

// Writes the current time as RFC 3339 in UTC with microseconds, without a NUL: 2026-11-24T03:44:10.123456Z
void clock_stamp(char stamp[STAMP_LENGTH]);

#endif
