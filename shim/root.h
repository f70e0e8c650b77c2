// Apple's calls on one root, for the programs that change a keychain: locald-shim the system's, locald-keychain its user's.
// https://developer.apple.com/documentation/security/certificate-key-and-trust-services
#ifndef SHIM_ROOT_H
#define SHIM_ROOT_H

#if defined(__APPLE__) || defined(SHIM_FAKE_KEYCHAIN)
#include <Security/Security.h>
#include <stddef.h>
#include <stdint.h>

// How long a person may take to answer the dialog that macOS shows for `root_trust` and `root_distrust`.
enum { PERSON_SECONDS = 600 };

// Returns NULL where macOS cannot read it.
SecCertificateRef root_read(const uint8_t *der, size_t len);

// These return errSecSuccess, or the OSStatus of the call that failed. Removing what is not there succeeds. `keychain`: NULL for
// the user's default one.
OSStatus root_delete(SecCertificateRef root, SecKeychainRef keychain);

// Trusts the root for TLS servers only.
OSStatus root_trust(SecCertificateRef root, SecTrustSettingsDomain domain);
OSStatus root_distrust(SecCertificateRef root, SecTrustSettingsDomain domain);

#endif
#endif
