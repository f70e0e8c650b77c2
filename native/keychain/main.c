// locald-keychain: adds a root to the login keychain of the user who runs it, and to that user's own trust settings. It has no privileges
// and gains none: macOS asks the person at the screen for their password before it changes anything. See ../../shim/README.md.
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "../../shim/pem.h"
#include "trust-state.h"
#include "text.h"

#if defined(__APPLE__) || defined(SHIM_FAKE_KEYCHAIN)

// Exit codes besides 0. The daemon and the CLI read the result from the line of JSON.
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

static void add_trust_state(struct text *line, const char *domain, struct trust_state state) {
  static const char *const kinds[] = {
      [TRUST_STATE_NONE] = "none",   [TRUST_STATE_TRUSTED] = "trusted", [TRUST_STATE_DENIED] = "denied",
      [TRUST_STATE_OTHER] = "other", [TRUST_STATE_UNKNOWN] = "unknown",
  };
  text_add(line, domain);
  text_add(line, "\":{\"is\":\"");
  text_add(line, kinds[state.kind]);
  text_add(line, "\",\"status\":");
  text_signed(line, state.status);
}

static int print_state(SecCertificateRef root) {
  char buffer[256];
  struct text line = text_in(buffer, sizeof buffer);
  text_add(&line, "{\"");
  add_trust_state(&line, "user", trust_state_of(root, kSecTrustSettingsDomainUser));
  text_add(&line, "},\"");
  add_trust_state(&line, "admin", trust_state_of(root, kSecTrustSettingsDomainAdmin));
  text_add(&line, "}}\n");
  return print(&line, 0);
}

static int print_result(const char *call, OSStatus status) {
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
  if (added != errSecSuccess && added != errSecDuplicateItem) return print_result("SecCertificateAddToKeychain", added);
  const OSStatus status = root_trust(root, kSecTrustSettingsDomainUser);
  // The reason why it is not trusted is what matters.
  if (status != errSecSuccess && added == errSecSuccess) (void)root_delete(root, NULL);
  return print_result("SecTrustSettingsSetTrustSettings", status);
}

static int untrust(SecCertificateRef root) {
  OSStatus status = root_distrust(root, kSecTrustSettingsDomainUser);
  if (status != errSecSuccess) return print_result("SecTrustSettingsRemoveTrustSettings", status);
  return print_result("SecItemDelete", root_delete(root, NULL));
}

// Removes what a `trust` left behind that was killed while it waited.
static int discard(SecCertificateRef root) {
  const struct trust_state state = trust_state_of(root, kSecTrustSettingsDomainUser);
  if (state.kind != TRUST_STATE_NONE) return print_result("SecTrustSettingsCopyTrustSettings", state.status);
  return print_result("SecItemDelete", root_delete(root, NULL));
}

static int (*verb_of(const char *word))(SecCertificateRef) {
  if (strcmp(word, "state") == 0) return print_state;
  if (strcmp(word, "trust") == 0) return trust;
  if (strcmp(word, "discard") == 0) return discard;
  return strcmp(word, "untrust") == 0 ? untrust : NULL;
}

int main(int argc, char *argv[]) {
  int (*verb)(SecCertificateRef) = argc == 2 ? verb_of(argv[1]) : NULL;
  if (verb == NULL) end(USAGE, "usage: locald-keychain state|trust|untrust|discard < root.pem", NULL);
  if (getuid() != geteuid() || getgid() != getegid()) end(WRONG_USER, "it must not be installed setuid or setgid", NULL);
  // No browser uses root's settings.
  if (verb == trust && getuid() == 0) end(WRONG_USER, "it changes the settings of its own user: run it without sudo", NULL);
  (void)alarm(PERSON_SECONDS);
  SecCertificateRef root = read_root();
  int code = verb(root);
  CFRelease(root);
  return code;
}
#endif
