#include "store-debian.h"

#if defined(__linux__) && !defined(SHIM_FAKE_KEYCHAIN)
#include <errno.h>
#include <unistd.h>

#include "anchors.h"
#include "bundle.h"
#include "hash-links.h"
#include "paths.h"
#include "program.h"
#include "exit-codes.h"
#include "root-path.h"

// The most that one user may have in the store: one CA per sandbox.
enum { OWN_MAX = 16 };

// Programs read the bundle, or find a certificate in its folder by a hash of its subject. Java's store, which must not get it
// (README.md), is built from what update-ca-certificates(8) reports to its hooks, and from links named *.pem in that folder. So the
// certificate is a file named *.crt in that folder, which neither looks at; and the helper's own hook, which runs last, adds
// it again to the bundle, which update-ca-certificates(8) writes without it. That program is never run from here.
static const char folder_path[] = ETC "/ssl/certs", bundle[] = "ca-certificates.crt", ending[] = ".crt";
static const char hooks_path[] = ETC "/ca-certificates/update.d", hook[] = "zz-locald";
static const char hook_text[] =
    "#!/bin/sh -e\n"
    "# Written by locald-shim: puts the CAs of `locald trust` back into the bundle, and not into Java's store.\n"
    "cd " ETC "/ssl/certs\n"
    "set -- locald-*.crt\n"
    "[ -f \"$1\" ] || exit 0\n"
    "cat ca-certificates.crt \"$@\" > .locald.hook\n"
    "chmod 0644 .locald.hook\n"
    "mv -f .locald.hook ca-certificates.crt\n";
static const char bundle_draft[] = ".locald.bundle";
static const char openssl[] = SHIM_ROOT "/usr/bin/openssl";
// The folder used by earlier versions, for that program; it made a link *.pem.
static const char earlier_path[] = SHIM_ROOT "/usr/local/share/ca-certificates", link_ending[] = ".pem";
static const char updater[] = SHIM_ROOT "/usr/sbin/update-ca-certificates";

bool debian_is_here(void) { return access(earlier_path, F_OK) == 0 && access(updater, X_OK) == 0; }

static void set_hook(bool wanted) {
  if (access(hooks_path, F_OK) != 0) return;
  int folder = root_path_folder(EXIT_STORE, hooks_path);
  const size_t len = sizeof hook_text - 1;
  if (!wanted) (void)anchors_take(folder, hook);
  else if (anchors_find(folder, hook, hook_text, len) != ANCHOR_SAME) anchors_write(folder, hook, hook_text, len, 0755);
  (void)close(folder);
}

// openssl-rehash(1) keeps correct links. Without it the bundle suffices for most programs.
static bool make_links(int folder, const char *name) {
  if (hash_links_lead_to(folder, name) || access(openssl, F_OK) != 0) return true;
  const char *const argv[] = {openssl, "rehash", folder_path, NULL};
  // Its exit code also complains of other files in the folder.
  (void)program_run(argv);
  return hash_links_lead_to(folder, name);
}

// Returns whether another user has the same certificate in the store, added by this version or an earlier one.
static bool is_shared(int folder, const char *name, const struct text *pem) {
  int earlier = root_path_folder(EXIT_STORE, earlier_path);
  bool shared = anchors_shared(folder, name, ending, pem) || anchors_shared(earlier, name, ending, pem);
  (void)close(earlier);
  return shared;
}

// Removes links first: a dangling link hides those after it. `found`: whether it is this certificate that is there.
static void take_out(int folder, const char *name, bool found, const struct text *pem) {
  hash_links_remove(folder, name);
  if (found && !is_shared(folder, name, pem)) bundle_change(folder, bundle, bundle_draft, pem, false);
  (void)anchors_take(folder, name);
  if (anchors_count(folder, NULL, ending) == 0) set_hook(false);
}

// Removes what earlier versions left. `kept`: the certificate stays trusted, and so in the bundle.
static void take_earlier(int folder, const struct certificate *certificate, const struct text *pem, bool kept) {
  char anchor_buffer[ANCHOR_NAME], link_buffer[ANCHOR_NAME];
  struct text anchor = text_in(anchor_buffer, sizeof anchor_buffer), link = text_in(link_buffer, sizeof link_buffer);
  anchors_name(certificate, ending, &anchor);
  anchors_name(certificate, link_ending, &link);
  int earlier = root_path_folder(EXIT_STORE, earlier_path);
  enum anchor is = anchors_find(earlier, anchor.at, pem->at, pem->len);
  if (is != ANCHOR_OTHER) {
    hash_links_remove(folder, link.at);
    (void)anchors_take(folder, link.at);
  }
  if (is == ANCHOR_SAME) {
    (void)anchors_take(earlier, anchor.at);
    if (!kept && !is_shared(folder, anchor.at, pem)) bundle_change(folder, bundle, bundle_draft, pem, false);
  }
  (void)close(earlier);
}

static void require_room(int folder, uid_t owner) {
  int earlier = root_path_folder(EXIT_STORE, earlier_path);
  unsigned count = anchors_count(folder, &owner, ending) + anchors_count(earlier, &owner, ending);
  (void)close(earlier);
  if (count >= OWN_MAX)
    exit_with(EXIT_STORE_FULL, "this user has 16 certificates in the store; remove some with `locald untrust`", NULL);
}

void debian_add(const struct certificate *certificate, const struct text *pem) {
  char buffer[ANCHOR_NAME];
  struct text name = text_in(buffer, sizeof buffer);
  int folder = root_path_folder(EXIT_STORE, folder_path);
  anchors_name(certificate, ending, &name);
  enum anchor is = anchors_find(folder, name.at, pem->at, pem->len);
  // Checks everything that can be wrong before anything is changed.
  if (is == ANCHOR_OTHER) exit_with(EXIT_STORE, "another certificate with the same serial number is there", name.at);
  bundle_require(folder, bundle);
  if (access(openssl, F_OK) == 0) program_require(openssl);
  take_earlier(folder, certificate, pem, true);
  if (is == ANCHOR_NONE) require_room(folder, certificate->owner);
  // Encoded from what was parsed, not copied from the input.
  if (is == ANCHOR_NONE) anchors_write(folder, name.at, pem->at, pem->len, 0644);
  set_hook(true);
  if (!make_links(folder, name.at)) {
    take_out(folder, name.at, true, pem);
    exit_with(EXIT_STORE_UPDATE, "it failed: run `openssl rehash` by hand to see why", folder_path);
  }
  bundle_change(folder, bundle, bundle_draft, pem, true);
}

void debian_remove(const struct certificate *certificate, const struct text *pem) {
  char buffer[ANCHOR_NAME];
  struct text name = text_in(buffer, sizeof buffer);
  int folder = root_path_folder(EXIT_STORE, folder_path);
  anchors_name(certificate, ending, &name);
  take_earlier(folder, certificate, pem, false);
  enum anchor is = anchors_find(folder, name.at, pem->at, pem->len);
  if (is != ANCHOR_OTHER) take_out(folder, name.at, is == ANCHOR_SAME, pem);
}
#endif
