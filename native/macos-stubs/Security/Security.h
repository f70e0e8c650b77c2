// The few declarations of Apple's CoreFoundation and Security frameworks that locald-shim and locald-keychain use, written from
// Apple's public documentation: with it (and the .tbd files beside it) a machine without Apple's SDK builds them, and a test on Linux
// stands in for those calls. On a Mac the compiler finds Apple's own header. Since when a function is there and deprecated is as in
// the headers of Security-61901 (macOS 26), so that what warns on a Mac warns here; one without either says nothing of it there.
#ifndef LOCALD_APPLE_SECURITY_H
#define LOCALD_APPLE_SECURITY_H

#include <stdint.h>

#ifdef __APPLE__
#define SINCE(version) __attribute__((availability(macos, introduced = version)))
#define DEPRECATED(since, version, why) \
  __attribute__((availability(macos, introduced = since, deprecated = version, message = why)))
#else
#define SINCE(version)
#define DEPRECATED(since, version, why) __attribute__((deprecated(why)))
#endif

typedef int32_t OSStatus;
typedef unsigned char Boolean;
typedef long CFIndex;
typedef CFIndex CFNumberType;
typedef const void *CFTypeRef;
typedef const struct __CFAllocator *CFAllocatorRef;
typedef const struct __CFData *CFDataRef;
typedef const struct __CFString *CFStringRef;
typedef const struct __CFNumber *CFNumberRef;
typedef const struct __CFDictionary *CFDictionaryRef;
typedef const struct __CFArray *CFArrayRef;
typedef struct { CFIndex version; const void *calls[5]; } CFDictionaryKeyCallBacks;
typedef struct { CFIndex version; const void *calls[4]; } CFDictionaryValueCallBacks;
typedef struct { CFIndex version; const void *calls[4]; } CFArrayCallBacks;
extern const CFDictionaryKeyCallBacks kCFTypeDictionaryKeyCallBacks;
extern const CFDictionaryValueCallBacks kCFTypeDictionaryValueCallBacks;
extern const CFArrayCallBacks kCFTypeArrayCallBacks;
enum { kCFNumberSInt32Type = 3 };
void CFRelease(CFTypeRef object);
Boolean CFEqual(CFTypeRef one, CFTypeRef other);
CFDataRef CFDataCreate(CFAllocatorRef allocator, const uint8_t *bytes, CFIndex length);
CFNumberRef CFNumberCreate(CFAllocatorRef allocator, CFNumberType type, const void *value);
Boolean CFNumberGetValue(CFNumberRef number, CFNumberType type, void *value);
CFArrayRef CFArrayCreate(CFAllocatorRef allocator, const void **values, CFIndex count, const CFArrayCallBacks *calls);
CFIndex CFArrayGetCount(CFArrayRef array);
const void *CFArrayGetValueAtIndex(CFArrayRef array, CFIndex at);
const void *CFDictionaryGetValue(CFDictionaryRef dictionary, const void *key);
CFDictionaryRef CFDictionaryCreate(CFAllocatorRef allocator, const void **keys, const void **values, CFIndex count,
                                   const CFDictionaryKeyCallBacks *key_calls, const CFDictionaryValueCallBacks *value_calls);

typedef struct __SecCertificate *SecCertificateRef;
typedef struct __SecKeychain *SecKeychainRef;
typedef struct __SecPolicy *SecPolicyRef;
enum {
  errSecSuccess = 0,
  errSecAllocate = -108,
  errSecNoTrustSettings = -25263,
  errSecDuplicateItem = -25299,
  errSecItemNotFound = -25300,
};
typedef uint32_t SecTrustSettingsDomain;
enum { kSecTrustSettingsDomainUser = 0, kSecTrustSettingsDomainAdmin = 1 };
enum { kSecTrustSettingsResultTrustRoot = 1, kSecTrustSettingsResultDeny = 3 };
enum { kSecTrustSettingsKeyUseSignCert = 8 };
#ifdef SHIM_FAKE_KEYCHAIN
#define CFSTR(text) ((CFStringRef)(const void *)(text))
#else
#define CFSTR(text) ((CFStringRef)__builtin___CFStringMakeConstantString(text))
#endif
#define kSecTrustSettingsPolicy CFSTR("kSecTrustSettingsPolicy")
#define kSecTrustSettingsResult CFSTR("kSecTrustSettingsResult")
#define kSecTrustSettingsApplication CFSTR("kSecTrustSettingsApplication")
#define kSecTrustSettingsPolicyString CFSTR("kSecTrustSettingsPolicyString")
#define kSecTrustSettingsKeyUsage CFSTR("kSecTrustSettingsKeyUsage")
#define kSecTrustSettingsAllowedError CFSTR("kSecTrustSettingsAllowedError")
extern const CFStringRef kSecPolicyOid SINCE(10.7);
extern const CFStringRef kSecPolicyAppleSSL SINCE(10.7);
extern const CFStringRef kSecClass SINCE(10.6);
extern const CFStringRef kSecClassCertificate SINCE(10.6);
extern const CFStringRef kSecMatchItemList SINCE(10.6);
extern const CFStringRef kSecMatchSearchList SINCE(10.6);
SecCertificateRef SecCertificateCreateWithData(CFAllocatorRef allocator, CFDataRef data) SINCE(10.6);
SecPolicyRef SecPolicyCreateSSL(Boolean server, CFStringRef hostname) SINCE(10.6);
CFDictionaryRef SecPolicyCopyProperties(SecPolicyRef policy) SINCE(10.7);
OSStatus SecItemDelete(CFDictionaryRef query) SINCE(10.6);
OSStatus SecKeychainCopyDefault(SecKeychainRef *keychain) DEPRECATED(10.2, 10.10, "SecKeychain is deprecated");
OSStatus SecKeychainOpen(const char *path, SecKeychainRef *keychain)
    DEPRECATED(10.2, 10.10, "SecKeychain is deprecated");
OSStatus SecCertificateAddToKeychain(SecCertificateRef certificate, SecKeychainRef keychain) SINCE(10.3);
OSStatus SecTrustSettingsCopyTrustSettings(SecCertificateRef certificate, SecTrustSettingsDomain domain, CFArrayRef *settings);
OSStatus SecTrustSettingsSetTrustSettings(SecCertificateRef certificate, SecTrustSettingsDomain domain, CFTypeRef settings);
OSStatus SecTrustSettingsRemoveTrustSettings(SecCertificateRef certificate, SecTrustSettingsDomain domain);

#endif
