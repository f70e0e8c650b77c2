#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "text.h"

// Whether the path still leads to the file is checked every LOOK_MS at most. Up to LEVELS of its folders are created.
enum { HEAD_LENGTH = STAMP_LENGTH + 10, OUT_MAX = 262144, LOOK_MS = 20, LEVELS = 3 };

static struct {
  const char *path;
  int fd;
  uint64_t bytes, files, size;
  uint64_t lines, dropped;
  unsigned batch_lines, batch_entries;
  size_t len;
  bool wrote;
  dev_t device;
  ino_t inode;
  int64_t now, looked;
} file = {.fd = -1};

static char out[OUT_MAX];
static char heads[2][HEAD_LENGTH + 1] = {
    "0000-00-00T00:00:00.000000Z stdout F ",
    "0000-00-00T00:00:00.000000Z stderr F ",
};

// Creates the folder of a path and up to `levels` above it, since they may have been deleted. Changes the path.
static bool make_folder(char *path, unsigned levels) {
  char *slash = strrchr(path, '/');
  if (slash == NULL || slash == path) return false;
  *slash = '\0';
  bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
  if (!made && errno == ENOENT && levels > 1) {
    char above[PATH_MAX];
    struct text text = text_in(above, sizeof above);
    text_add(&text, path);
    made = !text.full && make_folder(above, levels - 1) && mkdir(path, 0700) == 0;
  }
  return made;
}

static int open_path(void) {
  const int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC;
  int fd = open(file.path, flags, 0600);
  if (fd >= 0 || errno != ENOENT) return fd;
  char folder[PATH_MAX];
  struct text text = text_in(folder, sizeof folder);
  text_add(&text, file.path);
  return !text.full && make_folder(folder, LEVELS) ? open(file.path, flags, 0600) : -1;
}

// Opens the file at the path. On failure an open file stays in use.
static bool file_open(void) {
  int fd = open_path();
  if (fd < 0) return false;
  if (file.fd >= 0) (void)close(file.fd);
  file.fd = fd;
  struct stat info;
  char last = '\n';
  bool known = fstat(fd, &info) == 0;
  file.size = known && info.st_size > 0 ? (uint64_t)info.st_size : 0;
  file.device = known ? info.st_dev : 0;
  file.inode = known ? info.st_ino : 0;
  // A killed keeper may have left half an entry.
  if (file.size > 0 && pread(file.fd, &last, 1, (off_t)file.size - 1) == 1 && last != '\n' && write(file.fd, "\n", 1) == 1)
    file.size++;
  return true;
}

bool log_open(const char *path, uint64_t bytes, uint64_t files) {
  file.path = path;
  file.bytes = bytes;
  file.files = files;
  if (path == NULL) return true;
  char longest[PATH_MAX];
  struct text text = text_in(longest, sizeof longest);
  text_add(&text, path);
  text_add(&text, ".9999");
  if (text.full) {
    errno = ENAMETOOLONG;
    return false;
  }
  return file_open();
}

void log_stamp(void) {
  file.now = clock_ms();
  clock_stamp(heads[STDOUT]);
  memcpy(heads[STDERR], heads[STDOUT], STAMP_LENGTH);
}

// The file may have been removed or renamed: the log is what the path leads to.
void log_revive(void) {
  struct stat info;
  if (file.path == NULL) return;
  file.looked = file.now;
  bool same = file.fd >= 0 && stat(file.path, &info) == 0 && info.st_ino == file.inode && info.st_dev == file.device;
  if (!same) (void)file_open();  // retried at the next write
}

static uint64_t count_entries(const char *at, size_t len) {
  uint64_t count = 0;
  for (const char *end = at + len; at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++) count++;
  return count;
}

// Writes the whole batch or its first whole entries: cuts off an entry torn by a full disk.
static size_t write_entries(void) {
  size_t done = 0;
  while (done < file.len) {
    ssize_t wrote = write(file.fd, out + done, file.len - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) break;
    done += (size_t)wrote;
  }
  if (done == file.len) return done;
  size_t whole = done;
  while (whole > 0 && out[whole - 1] != '\n') whole--;
  // When even this fails, the reader gets a torn line: the service matters more.
  if (whole < done && ftruncate(file.fd, (off_t)(file.size + whole)) != 0) file.size += done - whole;
  return whole;
}

bool log_flush(void) {
  bool wrote = file.wrote;
  file.wrote = false;
  if (file.len == 0) return wrote;
  size_t whole = 0;
  if (file.fd < 0 || file.now - file.looked >= LOOK_MS) log_revive();
  if (file.fd >= 0) whole = write_entries();
  file.size += whole;
  if (whole == file.len) {
    file.lines += file.batch_lines;
  } else {
    uint64_t kept = count_entries(out, whole);
    file.dropped += file.batch_entries - kept;
    file.lines += kept < file.batch_lines ? kept : file.batch_lines;
  }
  file.len = 0;
  file.batch_lines = file.batch_entries = 0;
  return wrote || whole > 0;
}

static bool numbered(char *buffer, uint64_t number) {
  struct text text = text_in(buffer, PATH_MAX);
  text_add(&text, file.path);
  if (number > 0) {
    text_add(&text, ".");
    text_number(&text, number);
  }
  return !text.full;
}

// Renames PATH.1 to PATH.2 and so on, PATH to PATH.1. On failure it truncates the file, so that the limit holds.
static void rotate(void) {
  struct stat info;
  if (fstat(file.fd, &info) == 0 && (uint64_t)info.st_size < file.size) {
    file.size = (uint64_t)info.st_size;  // the file was truncated
    return;
  }
  char from[PATH_MAX], to[PATH_MAX];
  bool moved = file.files > 1;
  for (uint64_t number = file.files - 1; moved && number > 0; number--) {
    if (!numbered(from, number - 1) || !numbered(to, number)) moved = false;
    else if (rename(from, to) != 0 && (number == 1 || errno != ENOENT)) moved = false;
  }
  if (!moved) {
    if (ftruncate(file.fd, 0) == 0) file.size = 0;
    return;
  }
  (void)close(file.fd);
  file.fd = -1;
  file.size = 0;
  (void)file_open();  // retried at the next write
}

void log_entry(enum stream stream, char tag, const char *head, size_t head_len, const char *tail, size_t tail_len) {
  if (file.path == NULL) return;
  size_t need = HEAD_LENGTH + head_len + tail_len + 1;
  if (need > sizeof out - file.len) file.wrote = log_flush();
  if (file.size + file.len > 0 && file.size + file.len + need > file.bytes) {
    file.wrote = log_flush();
    if (file.fd >= 0 && file.size > 0) rotate();
  }
  char *at = out + file.len;
  memcpy(at, heads[stream], HEAD_LENGTH);
  at[HEAD_LENGTH - 2] = tag;
  at += HEAD_LENGTH;
  if (head_len > 0) memcpy(at, head, head_len);
  at += head_len;
  if (tail_len > 0) memcpy(at, tail, tail_len);
  at[tail_len] = '\n';
  file.len += need;
  file.batch_entries++;
  if (tag == 'F') file.batch_lines++;
}

uint64_t log_lines(void) { return file.lines; }

uint64_t log_dropped(void) { return file.dropped; }
