// Stands in for Apple's Keychain calls: each is written to standard output, and one fails where $FAIL names it. Its data
// lives as long as the process.
#include <Security/Security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct object {
  char what[64];
  int references;
};

const CFDictionaryKeyCallBacks kCFTypeDictionaryKeyCallBacks = {0};
const CFDictionaryValueCallBacks kCFTypeDictionaryValueCallBacks = {0};
static int alive;

static void *make(const char *what) {
  struct object *object = calloc(1, sizeof *object);
  if (object == NULL) abort();
  (void)snprintf(object->what, sizeof object->what, "%s", what);
  object->references = 1;
  alive++;
  return object;
}

static int fails(const char *call) {
  FILE *file = fopen(FAIL_FILE, "r");
  char name[64] = "", number[16] = "";
  int count = file == NULL ? 0 : fscanf(file, "%63s %15s", name, number);
  if (file != NULL) (void)fclose(file);
  return count == 2 && strcmp(name, call) == 0 ? atoi(number) : 0;
}

static OSStatus called(const char *call, const char *with) {
  int status = fails(call);
  (void)printf("%s %s %d\n", call, with, status);
  (void)fflush(stdout);
  return status;
}

void CFRelease(CFTypeRef object) {
  union {
    CFTypeRef given;
    struct object *ours;
  } it = {.given = object};
  if (it.ours == NULL || --it.ours->references != 0) abort();  // as CFRelease(NULL) does
  free(it.ours);
  alive--;
}

CFDataRef CFDataCreate(CFAllocatorRef allocator, const uint8_t *bytes, CFIndex length) {
  char what[64];
  (void)allocator;
  (void)snprintf(what, sizeof what, "%02x of %ld", bytes[0], length);
  return make(what);
}

CFNumberRef CFNumberCreate(CFAllocatorRef allocator, CFIndex type, const void *value) {
  char what[64];
  (void)allocator;
  (void)snprintf(what, sizeof what, "number %ld %d", type, *(const int32_t *)value);
  return make(what);
}

CFDictionaryRef CFDictionaryCreate(CFAllocatorRef allocator, const void **keys, const void **values, CFIndex count,
                                   const CFDictionaryKeyCallBacks *key_calls, const CFDictionaryValueCallBacks *value_calls) {
  (void)allocator;
  if (key_calls != &kCFTypeDictionaryKeyCallBacks || value_calls != &kCFTypeDictionaryValueCallBacks) abort();
  for (CFIndex i = 0; i < count; i++) {
    const struct object *value = values[i];
    (void)printf("setting %s %s\n", (const char *)keys[i], value->what);
  }
  return make("settings");
}

SecCertificateRef SecCertificateCreateWithData(CFAllocatorRef allocator, CFDataRef data) {
  const struct object *object = (const void *)data;
  (void)allocator;
  return called("SecCertificateCreateWithData", object->what) == 0 ? make("certificate") : NULL;
}

SecPolicyRef SecPolicyCreateSSL(Boolean server, CFStringRef hostname) {
  return make(server && hostname == NULL ? "ssl servers" : "other");
}

OSStatus SecKeychainOpen(const char *path, SecKeychainRef *keychain) {
  OSStatus status = called("SecKeychainOpen", path);
  if (status == 0) *keychain = make("keychain");
  return status;
}

OSStatus SecCertificateAddToKeychain(SecCertificateRef certificate, SecKeychainRef keychain) {
  (void)keychain;
  return called("SecCertificateAddToKeychain", ((const struct object *)certificate)->what);
}

OSStatus SecTrustSettingsSetTrustSettings(SecCertificateRef certificate, uint32_t domain, CFTypeRef settings) {
  (void)certificate;
  return called("SecTrustSettingsSetTrustSettings", domain == 1 && settings != NULL ? "admin" : "other");
}

OSStatus SecTrustSettingsRemoveTrustSettings(SecCertificateRef certificate, uint32_t domain) {
  (void)certificate;
  return called("SecTrustSettingsRemoveTrustSettings", domain == 1 ? "admin" : "other");
}

__attribute__((destructor)) static void tell(void) {
  if (alive != 0) (void)printf("%d objects were not released\n", alive);
}
