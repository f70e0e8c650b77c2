#include "store.h"

#if defined(__linux__) && !defined(SHIM_FAKE_KEYCHAIN)
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "draft.h"
#include "pem.h"
#include "places.h"
#include "process.h"
#include "program.h"
#include "refuse.h"
#include "text.h"
#include "trail.h"

// What a user may have in the store: one CA for each sandbox.
enum { OWN_MAX = 16, PATH_LIMIT = 4096 };

struct family {
  const char *anchors, *ending, *program;
  // Words of the program after its name, for a certificate that is new and for one that is gone.
  const char *add, *remove;
};

static const struct family families[] = {
    {SHIM_ROOT "/usr/local/share/ca-certificates", ".crt", SHIM_ROOT "/usr/sbin/update-ca-certificates", NULL, "--fresh"},
    {SHIM_ROOT "/etc/pki/ca-trust/source/anchors", ".pem", SHIM_ROOT "/usr/bin/update-ca-trust", "extract", "extract"},
    {SHIM_ROOT "/etc/ca-certificates/trust-source/anchors", ".crt", SHIM_ROOT "/usr/bin/update-ca-trust", NULL, NULL},
    {SHIM_ROOT "/etc/pki/trust/anchors", ".pem", SHIM_ROOT "/usr/sbin/update-ca-certificates", NULL, NULL},
};
static const char draft[] = ".locald.draft";

static const struct family *family_here(void) {
  for (size_t i = 0; i < sizeof families / sizeof *families; i++)
    if (access(families[i].anchors, F_OK) == 0 && access(families[i].program, X_OK) == 0) return &families[i];
  refuse(REFUSE_STORE, "no known store of certificates; install your distribution's ca-certificates", NULL);
}

// The program's own path may go over links (/usr/sbin is one on some systems); where it ends must be root's.
static void require_program(const struct family *family, char path[static PATH_MAX]) {
  struct stat info;
  // It may take out all certificates of the machine before it puts them back.
  process_make_room();
  if (realpath(family->program, path) == NULL) refuse_errno(REFUSE_STORE, family->program);
  char *name = strrchr(path, '/');
  if (name == NULL || name == path) refuse(REFUSE_STORE, "an odd path", family->program);
  *name = '\0';
  int folder = trail_folder(REFUSE_STORE, path);
  int fd = trail_file(REFUSE_STORE, folder, name + 1, O_RDONLY, &info);
  if (fd < 0) refuse(REFUSE_STORE, "it is gone", family->program);
  *name = '/';
  (void)close(fd);
  (void)close(folder);
}

static void add_owner(struct text *name, uid_t owner) {
  text_add(name, "locald-");
  text_number(name, owner);
  text_add(name, "-");
}

// locald-UID-SERIAL.crt
static void name_anchor(const struct certificate *certificate, const struct family *family, struct text *name) {
  static const char hex[] = "0123456789abcdef";
  add_owner(name, certificate->owner);
  for (size_t i = 0; i < certificate->authority->serial_len; i++) {
    const char pair[2] = {hex[certificate->authority->serial[i] >> 4], hex[certificate->authority->serial[i] & 15]};
    text_bytes(name, pair, sizeof pair);
  }
  text_add(name, family->ending);
}

static unsigned count_own(int folder, uid_t owner) {
  char prefix[32];
  struct text text = text_in(prefix, sizeof prefix);
  add_owner(&text, owner);
  int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *all = copy < 0 ? NULL : fdopendir(copy);
  if (all == NULL) refuse_errno(REFUSE_STORE, "the store cannot be read");
  unsigned count = 0;
  for (const struct dirent *entry; (entry = readdir(all)) != NULL;)
    if (strncmp(entry->d_name, text.at, text.len) == 0) count++;
  (void)closedir(all);
  return count;
}

static bool has(int folder, const char *name, const struct text *pem) {
  char there[PEM_MAX * 2];
  struct stat info;
  int fd = trail_file(REFUSE_STORE, folder, name, O_RDONLY, &info);
  if (fd < 0) return false;
  ssize_t len = read(fd, there, sizeof there);
  (void)close(fd);
  return len == (ssize_t)pem->len && memcmp(there, pem->at, pem->len) == 0;
}

static bool update(const char *program, const char *word) {
  const char *const argv[] = {program, word, NULL};
  return program_run(argv);
}

void store_add(const struct certificate *certificate) {
  static char pem_buffer[PEM_MAX * 2], program[PATH_MAX];
  char name_buffer[128];
  const struct family *family = family_here();
  struct text name = text_in(name_buffer, sizeof name_buffer), pem = text_in(pem_buffer, sizeof pem_buffer);
  const struct stat as = {.st_uid = 0, .st_gid = 0, .st_mode = 0644};
  require_program(family, program);
  int folder = trail_folder(REFUSE_STORE, family->anchors);
  name_anchor(certificate, family, &name);
  pem_encode(certificate->der, certificate->len, &pem);
  if (name.full || pem.full) refuse(REFUSE_STORE, "the certificate is too long", NULL);
  if (has(folder, name.at, &pem)) return;
  if (count_own(folder, certificate->owner) >= OWN_MAX)
    refuse(REFUSE_STORE_FULL, "this user has 16 certificates in the store; take some out with `locald untrust`", NULL);
  // Written from what was understood of it, not from what was said.
  draft_write(folder, draft, pem.at, pem.len, &as, -1);
  if (!draft_publish(folder, draft, name.at)) refuse(REFUSE_STORE, "the store is a mount point", family->anchors);
  if (update(program, family->add)) return;
  (void)unlinkat(folder, name.at, 0);  // left there, the next try would take all for done
  refuse(REFUSE_STORE_UPDATE, "it failed: run it by hand and see why", program);
}

void store_remove(const struct certificate *certificate) {
  static char program[PATH_MAX];
  char name_buffer[128];
  const struct family *family = family_here();
  struct text name = text_in(name_buffer, sizeof name_buffer);
  require_program(family, program);
  int folder = trail_folder(REFUSE_STORE, family->anchors);
  name_anchor(certificate, family, &name);
  if (name.full) refuse(REFUSE_STORE, "the certificate is too long", NULL);
  if (unlinkat(folder, name.at, 0) != 0 && errno != ENOENT) refuse_errno(REFUSE_WRITE, name.at);
  // Also when it was gone: what the program makes of the anchors may still have it.
  if (!update(program, family->remove)) refuse(REFUSE_STORE_UPDATE, "it failed: run it by hand and see why", program);
}
#endif
