// The log file: entries `2026-11-24T03:44:10.123456Z stdout F text`, written in batches and rotated; errors are never fatal.
#ifndef KEEPER_LOG_H
#define KEEPER_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stream { STDOUT = 0, STDERR = 1 };

// The longest text of one entry, in bytes.
enum { ENTRY_MAX = 16384 };

// `path` NULL: no log. Keeps at most `files` files of about `bytes` each: PATH, PATH.1, PATH.2 … Returns false with errno.
bool log_open(const char *path, uint64_t bytes, uint64_t files);

// Takes the time for the following entries: once per batch.
void log_stamp(void);

// Adds an entry whose text is `head` followed by `tail`; `tag` is F (a full line, or the end of one) or P (it continues).
void log_entry(enum stream stream, char tag, const char *head, size_t head_len, const char *tail, size_t tail_len);

// Writes the collected entries. Returns true when something reached the file.
bool log_flush(void);

// Reopens the path when the file, or its folder, was removed or renamed.
// Writes do this too, but not each of many.
void log_revive(void);

// Entries with tag F written, and entries of either tag lost to a full disk, since the start.
uint64_t log_lines(void);
uint64_t log_dropped(void);

#endif
