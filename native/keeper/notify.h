// NOTIFY_SOCKET, see sd_notify(3).
#ifndef KEEPER_NOTIFY_H
#define KEEPER_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum { NOTICE_MAX = 4096, STATUS_MAX = 1024 };

// One datagram, or the sum of all so far. Without a status, `status_len` is 0 and `has_status` false.
struct notice {
  bool ready, stopping, reloading, has_status;
  uint64_t mainpid;  // 0: none
  uint64_t sender;   // 0: unknown
  size_t status_len;
  char status[STATUS_MAX];
};

// Parses a datagram; pure. Returns false when it is malformed or contains nothing known. A status that is too long is cut.
bool notice_parse(const char *datagram, size_t len, struct notice *notice);

// Binds a socket to the path. Returns -1 with errno.
int notify_open(const char *path);

// Receives one datagram and closes the descriptors that came with it, which is all that BARRIER=1 requires.
// Returns 1 for a notice, 0 for one to ignore, -1 when none is left.
int notify_take(int fd, struct notice *notice);

// Merges new values into the known ones.
void notice_merge(struct notice *known, const struct notice *news);

// Adds {"event":"notify",…} and a newline.
void notice_event(struct text *text, const struct notice *notice);

#endif
