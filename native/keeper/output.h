// Copies the service's output from its terminal or pipes to the log and to attached clients.
#ifndef KEEPER_OUTPUT_H
#define KEEPER_OUTPUT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OUTPUT_POLL_MAX = 2 };

// With a terminal, `output` is its master and `errors` is -1; otherwise both are pipes.
void output_start(int output, int errors);

// Adds the descriptors to poll at `now` (clock_ms()) and returns their number. `typing`: typed text waits for the terminal.
unsigned output_poll(struct pollfd *fds, bool typing, int64_t now);
void output_handle(const struct pollfd *fds, unsigned count, int64_t now);

// Returns when output_tick has to be called (clock_ms()), -1 for never.
int64_t output_due(void);
void output_tick(int64_t now);

// After the last writer has exited: reads what is left, until `last` (clock_ms()) at most, and lets a terminal close.
void output_drain(int64_t last);

// Returns true when all streams are at their end.
bool output_over(void);

// Closes the streams: writes an unfinished line.
void output_end(void);

// Returns the terminal, -1 when there is none or it is closed.
int output_terminal(void);

// Types into the terminal. Returns how much it accepted.
size_t output_type(const char *bytes, size_t len);

#endif
