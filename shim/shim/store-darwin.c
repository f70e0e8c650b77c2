// The system keychain, by Apple's own calls: https://developer.apple.com/documentation/security/certificate-key-and-trust-services
#include "store.h"

#if defined(__APPLE__) || defined(SHIM_FAKE_KEYCHAIN)
#include <Security/Security.h>
#include <stddef.h>
#include <stdint.h>

#include "refuse.h"

static const char keychain_path[] = "/Library/Keychains/System.keychain";

// Says the number: it is what Apple's tables and `security error` are searched by.
static _Noreturn void failed(const char *what, OSStatus status) {
  char text[16];
  unsigned long rest = status < 0 ? 0UL - (unsigned long)(long)status : (unsigned long)status;
  size_t at = sizeof text;
  text[--at] = '\0';
  do {
    text[--at] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (status < 0) text[--at] = '-';
  refuse(REFUSE_STORE, what, text + at);
}

static SecCertificateRef read_certificate(const struct certificate *certificate) {
  CFDataRef data = CFDataCreate(NULL, certificate->der, (CFIndex)certificate->len);
  SecCertificateRef read = data == NULL ? NULL : SecCertificateCreateWithData(NULL, data);
  if (data != NULL) CFRelease(data);
  if (read == NULL) refuse(REFUSE_STORE, "macOS cannot read the certificate", NULL);
  return read;
}

// A root for TLS servers, and for nothing else.
static CFDictionaryRef servers_only(void) {
  const int32_t trusted = kSecTrustSettingsResultTrustRoot;
  SecPolicyRef policy = SecPolicyCreateSSL(1, NULL);
  CFNumberRef result = CFNumberCreate(NULL, kCFNumberSInt32Type, &trusted);
  if (policy == NULL || result == NULL) refuse(REFUSE_STORE, "macOS has no memory for the settings", NULL);
  const void *keys[] = {kSecTrustSettingsPolicy, kSecTrustSettingsResult};
  const void *values[] = {policy, result};
  CFDictionaryRef settings =
      CFDictionaryCreate(NULL, keys, values, 2, &kCFTypeDictionaryKeyCallBacks, &kCFTypeDictionaryValueCallBacks);
  CFRelease(policy);
  CFRelease(result);
  if (settings == NULL) refuse(REFUSE_STORE, "macOS has no memory for the settings", NULL);
  return settings;
}

// Apple has deprecated every call that names a keychain since 10.10, and nothing else adds a certificate to the one of the system: the
// SecItem calls take it as such a reference, or use the keychain of the process's user.
static SecKeychainRef open_keychain(void) {
  SecKeychainRef keychain = NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  OSStatus status = SecKeychainOpen(keychain_path, &keychain);
#pragma GCC diagnostic pop
  if (status != errSecSuccess) failed("the system keychain cannot be opened", status);
  return keychain;
}

void store_add(const struct certificate *certificate) {
  SecCertificateRef root = read_certificate(certificate);
  SecKeychainRef keychain = open_keychain();
  OSStatus status = SecCertificateAddToKeychain(root, keychain);
  if (status != errSecSuccess && status != errSecDuplicateItem) failed("the certificate cannot be added", status);
  CFDictionaryRef settings = servers_only();
  status = SecTrustSettingsSetTrustSettings(root, kSecTrustSettingsDomainAdmin, settings);
  if (status != errSecSuccess) failed("the certificate cannot be trusted", status);
  CFRelease(settings);
  CFRelease(keychain);
  CFRelease(root);
}

// The certificate stays in the keychain, where it means nothing any more.
void store_remove(const struct certificate *certificate) {
  SecCertificateRef root = read_certificate(certificate);
  OSStatus status = SecTrustSettingsRemoveTrustSettings(root, kSecTrustSettingsDomainAdmin);
  if (status != errSecSuccess && status != errSecItemNotFound) failed("the certificate is still trusted", status);
  CFRelease(root);
}
#endif
