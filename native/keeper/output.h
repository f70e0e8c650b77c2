// What the service prints, from its terminal or pipes to the log and to attached clients.
#ifndef KEEPER_OUTPUT_H
#define KEEPER_OUTPUT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OUTPUT_POLL_MAX = 2 };

// With a terminal `output` is its master and `errors` is -1, else both are pipes.
void output_start(int output, int errors);

// Fills in what to wait for at `now` (clock_ms()): how many were used. Typed text waiting is `typing`.
unsigned output_poll(struct pollfd *fds, bool typing, int64_t now);
void output_handle(const struct pollfd *fds, unsigned count, int64_t now);

// When output_tick has to be called (clock_ms()), -1 for never.
int64_t output_due(void);
void output_tick(int64_t now);

// Once nobody is left to write: what is there is read, until `last` (clock_ms()) at most, and a terminal is let to come to its end.
void output_drain(int64_t last);

// True when every stream has ended.
bool output_over(void);

// Ends the streams: an unfinished line is written out.
void output_end(void);

// The terminal, -1 when there is none or no more.
int output_terminal(void);

// Types into the terminal: how much it took now.
size_t output_type(const char *bytes, size_t len);

#endif
