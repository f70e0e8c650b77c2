#include "exit-record.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "clock.h"
#include "lifecycle.h"
#include "text.h"

// Open until the service exits: it holds the lock.
static int begun = -1;

bool exit_record_begin(const char *path) {
  char record[64];
  struct text text = text_in(record, sizeof record);
  (void)unlink(path);
  begun = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (begun < 0) return false;
  text_add(&text, "{\"keeper\":");
  text_number(&text, (uint64_t)getpid());
  text_add(&text, "}\n");
  if (flock(begun, LOCK_EX | LOCK_NB) == 0 && write(begun, text.at, text.len) == (ssize_t)text.len) return true;
  (void)unlink(path);
  (void)close(begun);
  begun = -1;
  return false;
}

// No fsync: after a crash of the machine the record is of no use, and it would delay the restart.
void exit_record_write(const char *path) {
  char record[160], temporary[PATH_MAX];
  struct text text = text_in(record, sizeof record), name = text_in(temporary, sizeof temporary);
  text_add(&name, path);
  text_add(&name, ".tmp");
  text_add(&text, "{");
  lifecycle_outcome(&text);
  text_add(&text, ",\"endedMs\":");
  text_number(&text, (uint64_t)clock_epoch_ms());
  text_add(&text, "}\n");
  if (name.full) return;
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  bool written = write(fd, record, text.len) == (ssize_t)text.len;
  if (close(fd) != 0 || !written || rename(temporary, path) != 0) (void)unlink(temporary);
  // Closed before the exit event, so that the file's space is free by then.
  if (begun >= 0) (void)close(begun);
}
