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

// Returns whether a set of usage constraints applies whenever a TLS server shows a certificate below the root, for any program and
// any server name. A set that only forgives an error trusts nothing.
static bool counts(CFDictionaryRef usage) {
  const int32_t uses = number_of(usage, kSecTrustSettingsKeyUsage, -1);
  return is_for_servers((SecPolicyRef)CFDictionaryGetValue(usage, kSecTrustSettingsPolicy)) &&
         CFDictionaryGetValue(usage, kSecTrustSettingsApplication) == NULL &&
         CFDictionaryGetValue(usage, kSecTrustSettingsPolicyString) == NULL &&
         CFDictionaryGetValue(usage, kSecTrustSettingsAllowedError) == NULL && (uses & kSecTrustSettingsKeyUseSignCert) != 0;
}

// SecTrustSettings.h: the settings are a list of constraints, of which any one that applies is enough; an empty list, and a missing
// result, mean "always trust".
static enum trust_state_kind kind_of(CFArrayRef settings) {
  const CFIndex count = CFArrayGetCount(settings);
  enum trust_state_kind kind = count == 0 ? TRUST_STATE_TRUSTED : TRUST_STATE_OTHER;
  for (CFIndex at = 0; at < count; at++) {
    CFDictionaryRef usage = CFArrayGetValueAtIndex(settings, at);
    if (!counts(usage)) continue;
    const int32_t result = number_of(usage, kSecTrustSettingsResult, kSecTrustSettingsResultTrustRoot);
    if (result == kSecTrustSettingsResultDeny) return TRUST_STATE_DENIED;
    if (result == kSecTrustSettingsResultTrustRoot) kind = TRUST_STATE_TRUSTED;
  }
  return kind;
}

struct trust_state trust_state_of(SecCertificateRef root, SecTrustSettingsDomain domain) {
  CFArrayRef settings = NULL;
  OSStatus status = SecTrustSettingsCopyTrustSettings(root, domain, &settings);
  if (status == errSecItemNotFound || status == errSecNoTrustSettings)
    return (struct trust_state){.kind = TRUST_STATE_NONE, .status = status};
  if (status != errSecSuccess || settings == NULL) return (struct trust_state){.kind = TRUST_STATE_UNKNOWN, .status = status};
  struct trust_state state = {.kind = kind_of(settings), .status = status};
  CFRelease(settings);
  return state;
}
#endif
