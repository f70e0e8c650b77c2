// Apple's own calls on one root, for who changes a keychain: locald-shim that of the system, locald-keychain that of its user.
// https://developer.apple.com/documentation/security/certificate-key-and-trust-services
#ifndef SHIM_ROOT_H
#define SHIM_ROOT_H

#if defined(__APPLE__) || defined(SHIM_FAKE_KEYCHAIN)
#include <Security/Security.h>
#include <stddef.h>
#include <stdint.h>

// How long a person may take to answer the dialog that macOS shows for `root_trust` and `root_distrust`.
enum { PERSON_SECONDS = 600 };

// NULL where macOS cannot read it.
SecCertificateRef root_read(const uint8_t *der, size_t len);

// These answer with errSecSuccess or the OSStatus of the call that failed. Taking away what is not there is a success. `keychain`: NULL for
// the user's default one.
OSStatus root_delete(SecCertificateRef root, SecKeychainRef keychain);

// Trusted for TLS servers, and for nothing else.
OSStatus root_trust(SecCertificateRef root, SecTrustSettingsDomain domain);
OSStatus root_distrust(SecCertificateRef root, SecTrustSettingsDomain domain);

#endif
#endif
