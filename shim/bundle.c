#include "bundle.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic-file.h"
#include "exit-codes.h"
#include "root-path.h"

// Nine times the size of Mozilla's list.
enum { BUNDLE_MAX = 2097152 };

static char before[BUNDLE_MAX], after[BUNDLE_MAX];

// Finds it at the beginning of a line; NULL when it is not there.
static const char *find(const char *from, const char *end, const struct text *pem) {
  for (const char *at = from; (size_t)(end - at) >= pem->len;) {
    if (memcmp(at, pem->at, pem->len) == 0) return at;
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    if (newline == NULL) return NULL;
    at = newline + 1;
  }
  return NULL;
}

bool bundle_edit(const char *bundle, size_t len, const struct text *pem, bool add, struct text *out) {
  const char *at = bundle, *end = bundle + len;
  for (const char *copy; (copy = find(at, end, pem)) != NULL; at = copy + pem->len) text_bytes(out, at, (size_t)(copy - at));
  text_bytes(out, at, (size_t)(end - at));
  if (add && out->len > 0 && out->at[out->len - 1] != '\n') text_add(out, "\n");
  if (add) text_bytes(out, pem->at, pem->len);
  return !out->full;
}

// update-ca-certificates(8) takes no lock.
static bool is_same(int folder, const char *name, const struct stat *known) {
  struct stat info;
  return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_ino == known->st_ino &&
         info.st_dev == known->st_dev && info.st_size == known->st_size && info.st_mtime == known->st_mtime;
}

void bundle_require(int folder, const char *name) {
  struct stat info;
  int fd = root_path_file(EXIT_STORE, folder, name, O_RDONLY, &info);
  if (fd < 0) exit_with(EXIT_STORE, "there is no bundle; run `update-ca-certificates`", name);
  (void)close(fd);
}

void bundle_change(int folder, const char *name, const char *temporary, const struct text *pem, bool add) {
  struct stat info;
  int fd = root_path_file(EXIT_STORE, folder, name, O_RDONLY, &info);
  if (fd < 0) return;
  size_t len = root_path_read(EXIT_STORE, fd, before, sizeof before, "the bundle is longer than 2 MiB");
  bool there = find(before, before + len, pem) != NULL;
  struct text text = text_in(after, sizeof after);
  if (there == add) {
    (void)close(fd);
    return;
  }
  if (!bundle_edit(before, len, pem, add, &text)) exit_with(EXIT_STORE, "the bundle would become too long", NULL);
  atomic_file_write(folder, temporary, text.at, text.len, &info, fd);
  (void)close(fd);
  if (!is_same(folder, name, &info)) {
    (void)unlinkat(folder, temporary, 0);
    exit_with(EXIT_STORE_UPDATE, "another program changed the bundle during the update; try again", name);
  }
  if (!atomic_file_publish(folder, temporary, name)) exit_with(EXIT_STORE, "the bundle is a mount point", name);
}
