// The few declarations of Apple's CoreFoundation and Security frameworks that store-darwin.c uses, written from Apple's public
// documentation: with it (and the .tbd files beside it) a machine without Apple's SDK builds the shim, and a test on Linux
// stands in for those calls. On a Mac the compiler finds Apple's own header.
#ifndef LOCALD_APPLE_SECURITY_H
#define LOCALD_APPLE_SECURITY_H

#include <stdint.h>

typedef int32_t OSStatus;
typedef unsigned char Boolean;
typedef long CFIndex;
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
CFNumberRef CFNumberCreate(CFAllocatorRef allocator, CFIndex type, const void *value);
CFDictionaryRef CFDictionaryCreate(CFAllocatorRef allocator, const void **keys, const void **values, CFIndex count,
                                   const CFDictionaryKeyCallBacks *key_calls, const CFDictionaryValueCallBacks *value_calls);

typedef struct __SecCertificate *SecCertificateRef;
typedef struct __SecKeychain *SecKeychainRef;
typedef struct __SecPolicy *SecPolicyRef;
enum { errSecSuccess = 0, errSecDuplicateItem = -25299, errSecItemNotFound = -25300 };
enum { kSecTrustSettingsDomainAdmin = 1, kSecTrustSettingsResultTrustRoot = 1 };
#ifdef SHIM_FAKE_KEYCHAIN
#define CFSTR(text) ((CFStringRef)(const void *)(text))
#else
#define CFSTR(text) ((CFStringRef)__builtin___CFStringMakeConstantString(text))
#endif
#define kSecTrustSettingsPolicy CFSTR("kSecTrustSettingsPolicy")
#define kSecTrustSettingsResult CFSTR("kSecTrustSettingsResult")
SecCertificateRef SecCertificateCreateWithData(CFAllocatorRef allocator, CFDataRef data);
SecPolicyRef SecPolicyCreateSSL(Boolean server, CFStringRef hostname);
OSStatus SecKeychainOpen(const char *path, SecKeychainRef *keychain);
OSStatus SecCertificateAddToKeychain(SecCertificateRef certificate, SecKeychainRef keychain);
OSStatus SecTrustSettingsSetTrustSettings(SecCertificateRef certificate, uint32_t domain, CFTypeRef settings);
OSStatus SecTrustSettingsRemoveTrustSettings(SecCertificateRef certificate, uint32_t domain);

#endif
