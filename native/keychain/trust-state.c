#include "trust-state.h"

#if defined(__APPLE__) || defined(SHIM_FAKE_KEYCHAIN)
#include <stdbool.h>

static int32_t number_of(CFDictionaryRef usage, CFStringRef key, int32_t otherwise) {
  CFNumberRef number = CFDictionaryGetValue(usage, key);
  int32_t value;
  return number != NULL && CFNumberGetValue(number, kCFNumberSInt32Type, &value) ? value : otherwise;
}

static bool is_for_servers(SecPolicyRef policy) {
  if (policy == NULL) return true;
  CFDictionaryRef properties = SecPolicyCopyProperties(policy);
  if (properties == NULL) return false;
  CFTypeRef oid = CFDictionaryGetValue(properties, kSecPolicyOid);
  bool is = oid != NULL && CFEqual(oid, kSecPolicyAppleSSL);
  CFRelease(properties);
  return is;
}

// Whether a set of usage constraints counts whenever a certificate below the root is shown by a TLS server, whatever program asks and
// whatever the server's name. One that only forgives an error trusts nothing.
static bool counts(CFDictionaryRef usage) {
  const int32_t uses = number_of(usage, kSecTrustSettingsKeyUsage, -1);
  return is_for_servers((SecPolicyRef)CFDictionaryGetValue(usage, kSecTrustSettingsPolicy)) &&
         CFDictionaryGetValue(usage, kSecTrustSettingsApplication) == NULL &&
         CFDictionaryGetValue(usage, kSecTrustSettingsPolicyString) == NULL &&
         CFDictionaryGetValue(usage, kSecTrustSettingsAllowedError) == NULL && (uses & kSecTrustSettingsKeyUseSignCert) != 0;
}

// SecTrustSettings.h: the settings are a list of constraints, of which any one that applies is enough; an empty list, and a result
// that is not given, mean "always trust".
static enum standing_kind kind_of(CFArrayRef settings) {
  const CFIndex count = CFArrayGetCount(settings);
  enum standing_kind kind = count == 0 ? STANDING_TRUSTED : STANDING_OTHER;
  for (CFIndex at = 0; at < count; at++) {
    CFDictionaryRef usage = CFArrayGetValueAtIndex(settings, at);
    if (!counts(usage)) continue;
    const int32_t result = number_of(usage, kSecTrustSettingsResult, kSecTrustSettingsResultTrustRoot);
    if (result == kSecTrustSettingsResultDeny) return STANDING_DENIED;
    if (result == kSecTrustSettingsResultTrustRoot) kind = STANDING_TRUSTED;
  }
  return kind;
}

struct standing standing_of(SecCertificateRef root, SecTrustSettingsDomain domain) {
  CFArrayRef settings = NULL;
  OSStatus status = SecTrustSettingsCopyTrustSettings(root, domain, &settings);
  if (status == errSecItemNotFound || status == errSecNoTrustSettings)
    return (struct standing){.kind = STANDING_NONE, .status = status};
  if (status != errSecSuccess || settings == NULL) return (struct standing){.kind = STANDING_UNKNOWN, .status = status};
  struct standing standing = {.kind = kind_of(settings), .status = status};
  CFRelease(settings);
  return standing;
}
#endif
