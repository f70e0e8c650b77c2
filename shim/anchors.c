#include "anchors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic-file.h"
#include "pem.h"
#include "exit-codes.h"
#include "root-path.h"

static const char prefix[] = "locald-", temporary[] = ".locald.draft";

void anchors_name(const struct certificate *certificate, const char *ending, struct text *name) {
  static const char hex[] = "0123456789abcdef";
  text_add(name, prefix);
  text_number(name, certificate->owner);
  text_add(name, "-");
  for (size_t i = 0; i < certificate->ca->serial_len; i++) {
    const char pair[2] = {hex[certificate->ca->serial[i] >> 4], hex[certificate->ca->serial[i] & 15]};
    text_bytes(name, pair, sizeof pair);
  }
  text_add(name, ending);
  if (name->full) exit_with(EXIT_STORE, "the certificate's name is too long", NULL);
}

enum anchor anchors_find(int folder, const char *name, const char *bytes, size_t len) {
  char there[PEM_MAX * 2];
  struct stat info;
  int fd = root_path_file(EXIT_STORE, folder, name, O_RDONLY, &info);
  if (fd < 0) return ANCHOR_NONE;
  ssize_t got = read(fd, there, sizeof there);
  (void)close(fd);
  return got == (ssize_t)len && memcmp(there, bytes, len) == 0 ? ANCHOR_SAME : ANCHOR_OTHER;
}

static DIR *open_all(int folder) {
  int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *all = copy < 0 ? NULL : fdopendir(copy);
  if (all == NULL) exit_with_errno(EXIT_STORE, "the store cannot be read");
  return all;
}

static bool is_anchor(const char *name, const char *start, const char *ending) {
  size_t len = strlen(name), last = strlen(ending);
  return len > last && strncmp(name, start, strlen(start)) == 0 && strcmp(name + len - last, ending) == 0;
}

unsigned anchors_count(int folder, const uid_t *owner, const char *ending) {
  char buffer[32];
  struct text start = text_in(buffer, sizeof buffer);
  unsigned count = 0;
  text_add(&start, prefix);
  if (owner != NULL) text_number(&start, *owner);
  if (owner != NULL) text_add(&start, "-");
  DIR *all = open_all(folder);
  for (const struct dirent *entry; (entry = readdir(all)) != NULL;)
    if (is_anchor(entry->d_name, start.at, ending)) count++;
  (void)closedir(all);
  return count;
}

bool anchors_shared(int folder, const char *name, const char *ending, const struct text *pem) {
  bool shared = false;
  DIR *all = open_all(folder);
  for (const struct dirent *entry; !shared && (entry = readdir(all)) != NULL;)
    shared = is_anchor(entry->d_name, prefix, ending) && strcmp(entry->d_name, name) != 0 &&
             anchors_find(folder, entry->d_name, pem->at, pem->len) == ANCHOR_SAME;
  (void)closedir(all);
  return shared;
}

void anchors_write(int folder, const char *name, const char *bytes, size_t len, mode_t mode) {
  const struct stat as = {.st_uid = 0, .st_gid = 0, .st_mode = mode};
  atomic_file_write(folder, temporary, bytes, len, &as, -1);
  if (!atomic_file_publish(folder, temporary, name)) exit_with(EXIT_STORE, "the store is a mount point", name);
}

bool anchors_take(int folder, const char *name) {
  if (unlinkat(folder, name, 0) == 0) return true;
  if (errno != ENOENT) exit_with_errno(EXIT_WRITE, name);
  return false;
}
