// The few declarations of Apple's CoreFoundation and Security frameworks that store-darwin.c uses, written from Apple's public
// documentation: with it (and the .tbd files beside it) a machine without Apple's SDK builds the shim, and a test on Linux
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
typedef struct { CFIndex version; const void *calls[5]; } CFDictionaryKeyCallBacks;
typedef struct { CFIndex version; const void *calls[4]; } CFDictionaryValueCallBacks;
extern const CFDictionaryKeyCallBacks kCFTypeDictionaryKeyCallBacks;
extern const CFDictionaryValueCallBacks kCFTypeDictionaryValueCallBacks;
enum { kCFNumberSInt32Type = 3 };
void CFRelease(CFTypeRef object);
CFDataRef CFDataCreate(CFAllocatorRef allocator, const uint8_t *bytes, CFIndex length);
CFNumberRef CFNumberCreate(CFAllocatorRef allocator, CFNumberType type, const void *value);
CFDictionaryRef CFDictionaryCreate(CFAllocatorRef allocator, const void **keys, const void **values, CFIndex count,
                                   const CFDictionaryKeyCallBacks *key_calls, const CFDictionaryValueCallBacks *value_calls);

typedef struct __SecCertificate *SecCertificateRef;
typedef struct __SecKeychain *SecKeychainRef;
typedef struct __SecPolicy *SecPolicyRef;
enum { errSecSuccess = 0, errSecDuplicateItem = -25299, errSecItemNotFound = -25300 };
typedef uint32_t SecTrustSettingsDomain;
enum { kSecTrustSettingsDomainAdmin = 1, kSecTrustSettingsResultTrustRoot = 1 };
#ifdef SHIM_FAKE_KEYCHAIN
#define CFSTR(text) ((CFStringRef)(const void *)(text))
#else
#define CFSTR(text) ((CFStringRef)__builtin___CFStringMakeConstantString(text))
#endif
#define kSecTrustSettingsPolicy CFSTR("kSecTrustSettingsPolicy")
#define kSecTrustSettingsResult CFSTR("kSecTrustSettingsResult")
SecCertificateRef SecCertificateCreateWithData(CFAllocatorRef allocator, CFDataRef data) SINCE(10.6);
SecPolicyRef SecPolicyCreateSSL(Boolean server, CFStringRef hostname) SINCE(10.6);
OSStatus SecKeychainOpen(const char *path, SecKeychainRef *keychain)
    DEPRECATED(10.2, 10.10, "SecKeychain is deprecated");
OSStatus SecCertificateAddToKeychain(SecCertificateRef certificate, SecKeychainRef keychain) SINCE(10.3);
OSStatus SecTrustSettingsSetTrustSettings(SecCertificateRef certificate, SecTrustSettingsDomain domain, CFTypeRef settings);
OSStatus SecTrustSettingsRemoveTrustSettings(SecCertificateRef certificate, SecTrustSettingsDomain domain);

#endif
