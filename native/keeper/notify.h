// NOTIFY_SOCKET, see sd_notify(3).
#ifndef KEEPER_NOTIFY_H
#define KEEPER_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum { NOTICE_MAX = 4096, STATUS_MAX = 1024 };

// What one datagram says, or what all of them said so far. No status is `status_len` 0 with `has_status` false.
struct notice {
  bool ready, stopping, reloading, has_status;
  uint64_t mainpid;  // 0: not said
  uint64_t sender;   // 0: unknown
  size_t status_len;
  char status[STATUS_MAX];
};

// Pure. False when the datagram is garbage or says nothing known. A status that is too long is cut.
bool notice_parse(const char *datagram, size_t len, struct notice *notice);

// The fd of a socket bound to the path, -1 with errno.
int notify_open(const char *path);

// Takes one datagram; descriptors that came with it are closed, which is all that BARRIER=1 wants.
// 1: a notice, 0: one to be ignored, -1: nothing more now.
int notify_take(int fd, struct notice *notice);

// Adds what is new to what was known.
void notice_merge(struct notice *known, const struct notice *news);

// {"event":"notify",…} and a newline.
void notice_event(struct text *text, const struct notice *notice);

#endif
