#include "store.h"

#if defined(__linux__) && !defined(SHIM_FAKE_KEYCHAIN)
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "anchors.h"
#include "pem.h"
#include "paths.h"
#include "program.h"
#include "exit-codes.h"
#include "store-debian.h"
#include "text.h"
#include "root-path.h"

// Where other distributions keep the administrator's anchors, and the program that builds all stores from them: Java's, too, and
// none can be left out. So nothing is added there; anchors of earlier versions are removed.
static const struct family {
  const char *anchors, *ending, *program, *word;
} families[] = {
    {SHIM_ROOT "/etc/pki/ca-trust/source/anchors", ".pem", SHIM_ROOT "/usr/bin/update-ca-trust", "extract"},
    {SHIM_ROOT "/etc/ca-certificates/trust-source/anchors", ".crt", SHIM_ROOT "/usr/bin/update-ca-trust", NULL},
    {SHIM_ROOT "/etc/pki/trust/anchors", ".pem", SHIM_ROOT "/usr/sbin/update-ca-certificates", NULL},
};

static const struct family *family_here(void) {
  for (size_t i = 0; i < sizeof families / sizeof *families; i++)
    if (access(families[i].anchors, F_OK) == 0 && access(families[i].program, X_OK) == 0) return &families[i];
  exit_with(EXIT_STORE, "no known certificate store; install your distribution's ca-certificates", NULL);
}

static void remove_anchor(const struct family *family, const struct certificate *certificate, const struct text *pem) {
  char buffer[ANCHOR_NAME];
  struct text name = text_in(buffer, sizeof buffer);
  int folder = root_path_folder(EXIT_STORE, family->anchors);
  anchors_name(certificate, family->ending, &name);
  program_require(family->program);
  if (!anchors_take(folder, name.at)) return;
  const char *const argv[] = {family->program, family->word, NULL};
  if (program_run(argv)) return;
  anchors_write(folder, name.at, pem->at, pem->len, 0644);  // or the next try would consider it done
  exit_with(EXIT_STORE_UPDATE, "it failed: run it by hand to see why", family->program);
}

static struct text encode(const struct certificate *certificate) {
  static char buffer[PEM_MAX * 2];
  struct text pem = text_in(buffer, sizeof buffer);
  pem_encode(certificate->der, certificate->len, &pem);
  if (pem.full) exit_with(EXIT_STORE, "the certificate is too long", NULL);
  return pem;
}

void store_add(const struct certificate *certificate) {
  const struct text pem = encode(certificate);
  if (debian_is_here()) {
    debian_add(certificate, &pem);
    return;
  }
  (void)family_here();
  exit_with(EXIT_JAVA, "it would also get into Java's store, and Java ignores name constraints", NULL);
}

void store_remove(const struct certificate *certificate) {
  const struct text pem = encode(certificate);
  if (debian_is_here()) debian_remove(certificate, &pem);
  else remove_anchor(family_here(), certificate, &pem);
}
#endif
