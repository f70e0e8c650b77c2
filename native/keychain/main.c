// locald-keychain: a root in the login keychain of the user who runs it, and that user's own trust settings. It has no privileges, and
// takes none: macOS asks the person at the screen for their password before it changes anything. See ../shim/README.md.
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "../../shim/pem.h"
#include "trust-state.h"
#include "text.h"

#if defined(__APPLE__) || defined(SHIM_FAKE_KEYCHAIN)

// Exit codes besides 0. The daemon and the CLI tell by the line of JSON what came of it.
enum { NOT_DONE = 1, NO_CERTIFICATE = 65, WRONG_USER = 66, USAGE = 64 };

static const char name[] = "locald-keychain";

static _Noreturn void end(int code, const char *what, const char *which) {
  text_complain(name, what, which);
  _exit(code);
}

static SecCertificateRef read_root(void) {
  static char pem[PEM_MAX + 1];
  static uint8_t der[CERTIFICATE_MAX];
  size_t len = 0, der_len;
  while (len < sizeof pem) {
    ssize_t got = read(STDIN_FILENO, pem + len, sizeof pem - len);
    if (got == 0) break;
    if (got < 0 && errno != EINTR) end(NO_CERTIFICATE, "standard input cannot be read", strerror(errno));
    if (got > 0) len += (size_t)got;
  }
  if (len > PEM_MAX || !pem_decode(pem, len, der, &der_len))
    end(NO_CERTIFICATE, "standard input is not one certificate in PEM", NULL);
  SecCertificateRef root = root_read(der, der_len);
  if (root == NULL) end(NO_CERTIFICATE, "macOS cannot read the certificate", NULL);
  return root;
}

static int print(const struct text *line, int code) {
  if (line->full || write(STDOUT_FILENO, line->at, line->len) != (ssize_t)line->len)
    end(NOT_DONE, "standard output", strerror(errno));
  return code;
}

static void add_standing(struct text *line, const char *domain, struct standing standing) {
  static const char *const kinds[] = {
      [STANDING_NONE] = "none",   [STANDING_TRUSTED] = "trusted", [STANDING_DENIED] = "denied",
      [STANDING_OTHER] = "other", [STANDING_UNKNOWN] = "unknown",
  };
  text_add(line, domain);
  text_add(line, "\":{\"is\":\"");
  text_add(line, kinds[standing.kind]);
  text_add(line, "\",\"status\":");
  text_signed(line, standing.status);
}

static int tell_state(SecCertificateRef root) {
  char buffer[256];
  struct text line = text_in(buffer, sizeof buffer);
  text_add(&line, "{\"");
  add_standing(&line, "user", standing_of(root, kSecTrustSettingsDomainUser));
  text_add(&line, "},\"");
  add_standing(&line, "admin", standing_of(root, kSecTrustSettingsDomainAdmin));
  text_add(&line, "}}\n");
  return print(&line, 0);
}

static int tell(const char *call, OSStatus status) {
  char buffer[256];
  struct text line = text_in(buffer, sizeof buffer);
  text_add(&line, "{\"call\":\"");
  text_add(&line, call);
  text_add(&line, "\",\"status\":");
  text_signed(&line, status);
  text_add(&line, "}\n");
  return print(&line, status == errSecSuccess ? 0 : NOT_DONE);
}

static int trust(SecCertificateRef root) {
  const OSStatus added = SecCertificateAddToKeychain(root, NULL);
  if (added != errSecSuccess && added != errSecDuplicateItem) return tell("SecCertificateAddToKeychain", added);
  const OSStatus status = root_trust(root, kSecTrustSettingsDomainUser);
  // Why it is not trusted is what matters.
  if (status != errSecSuccess && added == errSecSuccess) (void)root_delete(root, NULL);
  return tell("SecTrustSettingsSetTrustSettings", status);
}

static int untrust(SecCertificateRef root) {
  OSStatus status = root_distrust(root, kSecTrustSettingsDomainUser);
  if (status != errSecSuccess) return tell("SecTrustSettingsRemoveTrustSettings", status);
  return tell("SecItemDelete", root_delete(root, NULL));
}

// What a `trust` has left that was ended while it waited.
static int discard(SecCertificateRef root) {
  const struct standing standing = standing_of(root, kSecTrustSettingsDomainUser);
  if (standing.kind != STANDING_NONE) return tell("SecTrustSettingsCopyTrustSettings", standing.status);
  return tell("SecItemDelete", root_delete(root, NULL));
}

static int (*verb_of(const char *word))(SecCertificateRef) {
  if (strcmp(word, "state") == 0) return tell_state;
  if (strcmp(word, "trust") == 0) return trust;
  if (strcmp(word, "discard") == 0) return discard;
  return strcmp(word, "untrust") == 0 ? untrust : NULL;
}

int main(int argc, char *argv[]) {
  int (*verb)(SecCertificateRef) = argc == 2 ? verb_of(argv[1]) : NULL;
  if (verb == NULL) end(USAGE, "usage: locald-keychain state|trust|untrust|discard < root.pem", NULL);
  if (getuid() != geteuid() || getgid() != getegid()) end(WRONG_USER, "it must not be installed setuid or setgid", NULL);
  // The settings of root are nobody's who browses.
  if (verb == trust && getuid() == 0) end(WRONG_USER, "it changes the settings of its own user: run it without sudo", NULL);
  (void)alarm(PERSON_SECONDS);
  SecCertificateRef root = read_root();
  int code = verb(root);
  CFRelease(root);
  return code;
}
#endif
