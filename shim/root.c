#include "root.h"

#if defined(__APPLE__) || defined(SHIM_FAKE_KEYCHAIN)

SecCertificateRef root_read(const uint8_t *der, size_t len) {
  CFDataRef data = CFDataCreate(NULL, der, (CFIndex)len);
  SecCertificateRef root = data == NULL ? NULL : SecCertificateCreateWithData(NULL, data);
  if (data != NULL) CFRelease(data);
  return root;
}

static CFDictionaryRef dictionary(const void **keys, const void **values, CFIndex count) {
  return CFDictionaryCreate(NULL, keys, values, count, &kCFTypeDictionaryKeyCallBacks, &kCFTypeDictionaryValueCallBacks);
}

// Names the keychain to search: the default search list includes the system's, where the user may delete nothing.
static OSStatus delete_from(SecCertificateRef root, SecKeychainRef keychain) {
  const void *roots[] = {root}, *keychains[] = {keychain};
  CFArrayRef items = CFArrayCreate(NULL, roots, 1, &kCFTypeArrayCallBacks);
  CFArrayRef places = CFArrayCreate(NULL, keychains, 1, &kCFTypeArrayCallBacks);
  const void *keys[] = {kSecClass, kSecMatchItemList, kSecMatchSearchList};
  const void *values[] = {kSecClassCertificate, items, places};
  CFDictionaryRef query = items == NULL || places == NULL ? NULL : dictionary(keys, values, 3);
  OSStatus status = query == NULL ? errSecAllocate : SecItemDelete(query);
  if (query != NULL) CFRelease(query);
  if (places != NULL) CFRelease(places);
  if (items != NULL) CFRelease(items);
  return status == errSecItemNotFound ? errSecSuccess : status;
}

OSStatus root_delete(SecCertificateRef root, SecKeychainRef keychain) {
  if (keychain != NULL) return delete_from(root, keychain);
  SecKeychainRef own = NULL;
// Deprecated like all calls that name a keychain (store-darwin.c); no other returns the one `root_add` adds to.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  OSStatus status = SecKeychainCopyDefault(&own);
#pragma GCC diagnostic pop
  if (status != errSecSuccess) return status;
  status = delete_from(root, own);
  CFRelease(own);
  return status;
}

static CFDictionaryRef servers_only(void) {
  const int32_t trusted = kSecTrustSettingsResultTrustRoot;
  SecPolicyRef policy = SecPolicyCreateSSL(1, NULL);
  CFNumberRef result = CFNumberCreate(NULL, kCFNumberSInt32Type, &trusted);
  const void *keys[] = {kSecTrustSettingsPolicy, kSecTrustSettingsResult};
  const void *values[] = {policy, result};
  CFDictionaryRef settings = policy == NULL || result == NULL ? NULL : dictionary(keys, values, 2);
  if (result != NULL) CFRelease(result);
  if (policy != NULL) CFRelease(policy);
  return settings;
}

OSStatus root_trust(SecCertificateRef root, SecTrustSettingsDomain domain) {
  CFDictionaryRef settings = servers_only();
  OSStatus status = settings == NULL ? errSecAllocate : SecTrustSettingsSetTrustSettings(root, domain, settings);
  if (settings != NULL) CFRelease(settings);
  return status;
}

// For a domain without any settings macOS returns errSecNoTrustSettings, with others errSecItemNotFound, both before it prompts
// (Security-61901, SecTrustSettings.cpp).
OSStatus root_distrust(SecCertificateRef root, SecTrustSettingsDomain domain) {
  OSStatus status = SecTrustSettingsRemoveTrustSettings(root, domain);
  return status == errSecNoTrustSettings || status == errSecItemNotFound ? errSecSuccess : status;
}
#endif
