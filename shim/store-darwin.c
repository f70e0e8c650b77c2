// The system keychain, and the trust settings of all users.
#include "store.h"

#if defined(__APPLE__) || defined(SHIM_FAKE_KEYCHAIN)
#include <unistd.h>

#include "lock.h"
#include "harden.h"
#include "exit-codes.h"
#include "root.h"
#include "text.h"

static const char keychain_path[] = "/Library/Keychains/System.keychain";

// Prints the OSStatus last: its meaning is explained by the caller, and Apple's tables are indexed by it.
static _Noreturn void failed(const char *what, OSStatus status) {
  char number[16];
  struct text text = text_in(number, sizeof number);
  text_signed(&text, status);
  exit_with(EXIT_KEYCHAIN, what, number);
}

static SecCertificateRef read_certificate(const struct certificate *certificate) {
  SecCertificateRef root = root_read(certificate->der, certificate->len);
  if (root == NULL) exit_with(EXIT_PEM, "macOS cannot read the certificate", NULL);
  return root;
}

// Apple has deprecated every call that names a keychain since 10.10, but nothing else adds a certificate to the system's: the
// SecItem calls take such a reference, or use the keychain of the process's user.
static SecKeychainRef open_keychain(void) {
  SecKeychainRef keychain = NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  OSStatus status = SecKeychainOpen(keychain_path, &keychain);
#pragma GCC diagnostic pop
  if (status != errSecSuccess) failed("the system keychain cannot be opened", status);
  return keychain;
}

// macOS shows a dialog, even to root (release notes of macOS 11.0.1). Other shims must not wait for the answer.
static void let_answer(void) {
  lock_release();
  harden_time_limit(PERSON_SECONDS);
}

void store_add(const struct certificate *certificate) {
  SecCertificateRef root = read_certificate(certificate);
  SecKeychainRef keychain = open_keychain();
  const OSStatus added = SecCertificateAddToKeychain(root, keychain);
  if (added != errSecSuccess && added != errSecDuplicateItem) failed("the certificate cannot be added", added);
  let_answer();
  const OSStatus status = root_trust(root, kSecTrustSettingsDomainAdmin);
  if (status != errSecSuccess && added == errSecSuccess) {
    lock_take(certificate->owner);
    (void)root_delete(root, keychain);  // the reason of the failure is what matters
  }
  if (status != errSecSuccess) failed("the certificate cannot be trusted", status);
  CFRelease(keychain);
  CFRelease(root);
}

void store_remove(const struct certificate *certificate) {
  SecCertificateRef root = read_certificate(certificate);
  let_answer();
  OSStatus status = root_distrust(root, kSecTrustSettingsDomainAdmin);
  if (status != errSecSuccess) failed("the certificate is still trusted", status);
  lock_take(certificate->owner);
  SecKeychainRef keychain = open_keychain();
  status = root_delete(root, keychain);
  if (status != errSecSuccess) failed("the certificate is still in the system keychain", status);
  CFRelease(keychain);
  CFRelease(root);
}
#endif
