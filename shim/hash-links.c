#include "hash-links.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "exit-codes.h"
#include "text.h"

enum { HASH = 8, NUMBER_MAX = 9999 };

// HHHHHHHH.N
static bool parse(const char *name, uint64_t *number) {
  size_t len = strlen(name);
  return len > HASH + 1 && strspn(name, "0123456789abcdef") == HASH && name[HASH] == '.' &&
         number_parse(name + HASH + 1, len - HASH - 1, NUMBER_MAX, number);
}

static bool leads_to(int folder, const char *link, const char *file) {
  char target[PATH_MAX];
  ssize_t len = readlinkat(folder, link, target, sizeof target);
  return len == (ssize_t)strlen(file) && memcmp(target, file, (size_t)len) == 0;
}

// Finds a link that leads to the file. Returns false when there is none.
static bool find(int folder, const char *file, char found[static HASH + 8], uint64_t *number) {
  int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *all = copy < 0 ? NULL : fdopendir(copy);
  if (all == NULL) exit_with_errno(EXIT_STORE, "the store cannot be read");
  bool done = false;
  for (const struct dirent *entry; !done && (entry = readdir(all)) != NULL;) {
    done = parse(entry->d_name, number) && leads_to(folder, entry->d_name, file);
    if (done) memcpy(found, entry->d_name, strlen(entry->d_name) + 1);
  }
  (void)closedir(all);
  return done;
}

bool hash_links_lead_to(int folder, const char *file) {
  char name[HASH + 8];
  uint64_t number;
  return find(folder, file, name, &number);
}

static void name_link(const char *hash, uint64_t number, struct text *name) {
  text_bytes(name, hash, HASH);
  text_add(name, ".");
  text_number(name, number);
}

static bool is_there(int folder, const char *hash, uint64_t number) {
  char buffer[HASH + 8];
  struct text name = text_in(buffer, sizeof buffer);
  struct stat info;
  name_link(hash, number, &name);
  return fstatat(folder, name.at, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

void hash_links_remove(int folder, const char *file) {
  char name[HASH + 8], buffer[HASH + 8];
  uint64_t number;
  while (find(folder, file, name, &number)) {
    uint64_t last = number;
    while (last < NUMBER_MAX && is_there(folder, name, last + 1)) last++;
    struct text text = text_in(buffer, sizeof buffer);
    name_link(name, last, &text);
    if (last == number ? unlinkat(folder, name, 0) != 0 : renameat(folder, text.at, folder, name) != 0)
      exit_with_errno(EXIT_WRITE, name);
  }
}
