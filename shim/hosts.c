#include "hosts.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transaction.h"
#include "hosts-block.h"
#include "atomic-file.h"
#include "input.h"
#include "hostnames.h"
#include "paths.h"
#include "harden.h"
#include "exit-codes.h"
#include "text.h"
#include "root-path.h"

// Includes the closing NUL, so that a file never becomes longer than the next run accepts.
enum { FILE_MAX = 1048576, SECONDS = 15 };

static char input[HOSTNAMES_BYTES_MAX];
static char before[FILE_MAX + 1], after[FILE_MAX + 1];

// A hosts file that is a mount point (in containers) can only be written in place.
static void overwrite(int folder, const struct stat *known, const struct text *text) {
  struct stat info;
  int fd = root_path_file(EXIT_HOSTS_FILE, folder, HOSTS_NAME, O_WRONLY, &info);
  if (fd < 0 || info.st_ino != known->st_ino || info.st_dev != known->st_dev)
    exit_with(EXIT_HOSTS_FILE, "the hosts file was replaced during the update", NULL);
  harden_time_limit(0);  // stopping in the middle would leave a mixture
  atomic_file_overwrite(fd, text->at, text->len);
  (void)close(fd);
}

void hosts_update(void) {
  struct hostnames names;
  struct stat info;
  const char *why = NULL;
  const uid_t uid = getuid();
  size_t len = input_read(input, sizeof input);
  enum hostnames_result parsed = hostnames_parse(input, len, &names, &why);
  if (parsed != HOSTNAMES_FINE) exit_with(parsed == HOSTNAMES_NAME ? EXIT_NAME : EXIT_INPUT, why, NULL);
  transaction_begin(uid, SECONDS);
  int folder = root_path_folder(EXIT_HOSTS_FILE, HOSTS_FOLDER);
  int fd = root_path_file(EXIT_HOSTS_FILE, folder, HOSTS_NAME, O_RDONLY, &info);
  if (fd < 0) exit_with(EXIT_HOSTS_FILE, "there is none", HOSTS_FOLDER "/" HOSTS_NAME);
  size_t had = root_path_read(EXIT_HOSTS_FILE, fd, before, sizeof before, "the hosts file is longer than 1 MiB");
  struct text text = text_in(after, sizeof after);
  if (!hosts_block_replace(before, had, uid, &names, &text, &why)) exit_with(EXIT_BLOCK, why, NULL);
  if (text.len == had && memcmp(before, after, had) == 0) return;
  atomic_file_write(folder, HOSTS_DRAFT, text.at, text.len, &info, fd);
  if (!atomic_file_publish(folder, HOSTS_DRAFT, HOSTS_NAME)) overwrite(folder, &info, &text);
}
