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

// The text's closing NUL included, so that a file is never made longer than the next run takes.
enum { FILE_MAX = 1048576, SECONDS = 15 };

static char input[NAMES_BYTES_MAX];
static char before[FILE_MAX + 1], after[FILE_MAX + 1];

// A hosts file that is a mount point (in containers) can only be written where it is.
static void overwrite(int folder, const struct stat *known, const struct text *text) {
  struct stat info;
  int fd = trail_file(REFUSE_HOSTS_FILE, folder, HOSTS_NAME, O_WRONLY, &info);
  if (fd < 0 || info.st_ino != known->st_ino || info.st_dev != known->st_dev)
    refuse(REFUSE_HOSTS_FILE, "the hosts file was replaced meanwhile", NULL);
  process_limit(0);  // in the middle the file would be a mixture
  draft_overwrite(fd, text->at, text->len);
  (void)close(fd);
}

void hosts_update(void) {
  struct names names;
  struct stat info;
  const char *why = NULL;
  const uid_t uid = getuid();
  size_t len = input_read(input, sizeof input);
  enum names_result parsed = names_parse(input, len, &names, &why);
  if (parsed != NAMES_FINE) refuse(parsed == NAMES_NAME ? REFUSE_NAME : REFUSE_INPUT, why, NULL);
  act_begin(uid, SECONDS);
  int folder = trail_folder(REFUSE_HOSTS_FILE, HOSTS_FOLDER);
  int fd = trail_file(REFUSE_HOSTS_FILE, folder, HOSTS_NAME, O_RDONLY, &info);
  if (fd < 0) refuse(REFUSE_HOSTS_FILE, "there is none", HOSTS_FOLDER "/" HOSTS_NAME);
  size_t had = trail_read(REFUSE_HOSTS_FILE, fd, before, sizeof before, "the hosts file is longer than 1 MiB");
  struct text text = text_in(after, sizeof after);
  if (!block_replace(before, had, uid, &names, &text, &why)) refuse(REFUSE_BLOCK, why, NULL);
  if (text.len == had && memcmp(before, after, had) == 0) return;
  draft_write(folder, HOSTS_DRAFT, text.at, text.len, &info, fd);
  if (!draft_publish(folder, HOSTS_DRAFT, HOSTS_NAME)) overwrite(folder, &info, &text);
}
