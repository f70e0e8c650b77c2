// Stands in for Apple's keychains and trust settings, for locald-shim and locald-keychain. What they hold is in files of
// KEYCHAIN_FOLDER, so that a later process finds it:
//   login, system   a line for each certificate: the hash that stands for it
//   user, admin     a line for each certificate with trust settings: "HASH", then a word for each usage: "Policy=ssl,Result=1"
//   calls           a line for each call
//   fail            "CALL STATUS" or "CALL sleep", a line each: a call that fails, or whose dialog is unanswered
// Answers are as in Security-61901: SecTrustSettings.cpp, TrustSettings.cpp (which asks only where there is something to change),
// SecItem.cpp, and SecBase.h for the numbers. Over 300 lines: all calls share the state of the files.
#include <Security/Security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 8, WORD = 192 };

struct object {
  char magic[4];
  int references;
  char what[WORD];
  int32_t number;
  CFIndex count;
  const void *keys[MOST], *values[MOST];
};

union any {
  const void *given;
  struct object *ours;
};

const CFDictionaryKeyCallBacks kCFTypeDictionaryKeyCallBacks = {0};
const CFDictionaryValueCallBacks kCFTypeDictionaryValueCallBacks = {0};
const CFArrayCallBacks kCFTypeArrayCallBacks = {0};
const CFStringRef kSecPolicyOid = CFSTR("kSecPolicyOid");
const CFStringRef kSecPolicyAppleSSL = CFSTR("ssl");
const CFStringRef kSecClass = CFSTR("kSecClass");
const CFStringRef kSecClassCertificate = CFSTR("kSecClassCertificate");
const CFStringRef kSecMatchItemList = CFSTR("kSecMatchItemList");
const CFStringRef kSecMatchSearchList = CFSTR("kSecMatchSearchList");
static int alive;

static void log_line(const char *what, const char *with, int status) {
  FILE *file = fopen(KEYCHAIN_FOLDER "/calls", "a");
  if (file == NULL || fprintf(file, "%s %s %d\n", what, with, status) < 0 || fclose(file) != 0) abort();
}

static struct object *make(const char *what) {
  struct object *object = calloc(1, sizeof *object);
  if (object == NULL) abort();
  memcpy(object->magic, "OBJ!", 4);
  (void)snprintf(object->what, sizeof object->what, "%s", what);
  object->references = 1;
  alive++;
  return object;
}

// A constant string is none of ours.
static struct object *ours(const void *it) {
  union any any = {.given = it};
  if (it == NULL) abort();  // as CFRelease(NULL) does
  return memcmp(it, "OBJ!", 4) == 0 ? any.ours : NULL;
}

static const char *what_of(const void *it) { return ours(it) == NULL ? it : ours(it)->what; }

static void hold(struct object *whole, const void *key, const void *value) {
  if (whole->count == MOST) abort();
  if (ours(value) != NULL) ours(value)->references++;
  whole->keys[whole->count] = key;
  whole->values[whole->count++] = value;
}

void CFRelease(CFTypeRef given) {
  struct object *object = ours(given);
  if (object == NULL || --object->references > 0) return;
  if (object->references < 0) abort();
  for (CFIndex at = 0; at < object->count; at++) CFRelease(object->values[at]);
  free(object);
  alive--;
}

Boolean CFEqual(CFTypeRef one, CFTypeRef other) { return strcmp(what_of(one), what_of(other)) == 0; }

CFDataRef CFDataCreate(CFAllocatorRef allocator, const uint8_t *bytes, CFIndex length) {
  char what[32];
  uint64_t hash = 0xcbf29ce484222325;
  (void)allocator;
  for (CFIndex at = 0; at < length; at++) hash = (hash ^ bytes[at]) * 0x100000001b3;
  (void)snprintf(what, sizeof what, "%016llx", (unsigned long long)hash);
  return (CFDataRef)make(what);
}

CFNumberRef CFNumberCreate(CFAllocatorRef allocator, CFNumberType type, const void *value) {
  char what[32];
  (void)allocator;
  if (type != kCFNumberSInt32Type) abort();
  (void)snprintf(what, sizeof what, "%d", *(const int32_t *)value);
  struct object *number = make(what);
  number->number = *(const int32_t *)value;
  return (CFNumberRef)number;
}

Boolean CFNumberGetValue(CFNumberRef number, CFNumberType type, void *value) {
  if (type != kCFNumberSInt32Type) abort();
  *(int32_t *)value = ours(number)->number;
  return 1;
}

CFArrayRef CFArrayCreate(CFAllocatorRef allocator, const void **values, CFIndex count, const CFArrayCallBacks *calls) {
  struct object *array = make("array");
  (void)allocator;
  if (calls != &kCFTypeArrayCallBacks) abort();
  for (CFIndex at = 0; at < count; at++) hold(array, NULL, values[at]);
  return (CFArrayRef)array;
}

CFIndex CFArrayGetCount(CFArrayRef array) { return ours(array)->count; }

const void *CFArrayGetValueAtIndex(CFArrayRef array, CFIndex at) {
  if (at < 0 || at >= CFArrayGetCount(array)) abort();
  return ours(array)->values[at];
}

CFDictionaryRef CFDictionaryCreate(CFAllocatorRef allocator, const void **keys, const void **values, CFIndex count,
                                   const CFDictionaryKeyCallBacks *key_calls, const CFDictionaryValueCallBacks *value_calls) {
  struct object *dictionary = make("dictionary");
  (void)allocator;
  if (key_calls != &kCFTypeDictionaryKeyCallBacks || value_calls != &kCFTypeDictionaryValueCallBacks) abort();
  for (CFIndex at = 0; at < count; at++) hold(dictionary, keys[at], values[at]);
  return (CFDictionaryRef)dictionary;
}

const void *CFDictionaryGetValue(CFDictionaryRef dictionary, const void *key) {
  const struct object *it = ours(dictionary);
  for (CFIndex at = 0; at < it->count; at++)
    if (strcmp(it->keys[at], key) == 0) return it->values[at];
  return NULL;
}

// What the file says of a call: the status it fails with; 0 when nothing.
static OSStatus fails(const char *call) {
  FILE *file = fopen(KEYCHAIN_FOLDER "/fail", "r");
  char name[64], number[16];
  OSStatus status = 0;
  if (file == NULL) return 0;
  while (fscanf(file, "%63s %15s", name, number) == 2) {
    if (strcmp(name, call) != 0) continue;
    if (strcmp(number, "sleep") == 0)
      for (;;) (void)pause();
    status = atoi(number);
  }
  (void)fclose(file);
  return status;
}

static OSStatus called(const char *call, const char *with, OSStatus status) {
  log_line(call, with, status);
  return status;
}

// Finds the line of a hash; `rest` gets what stands after it. -1: no such file, 0: no such line.
static int find(const char *name, const char *hash, char rest[static WORD]) {
  char path[512], line[256], *end;
  (void)snprintf(path, sizeof path, "%s/%s", KEYCHAIN_FOLDER, name);
  FILE *file = fopen(path, "r");
  int found = file == NULL ? -1 : 0;
  while (found == 0 && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    if ((end = strchr(line, ' ')) != NULL) *end++ = '\0';
    if (strcmp(line, hash) != 0) continue;
    (void)snprintf(rest, WORD, "%s", end == NULL ? "" : end);
    found = 1;
  }
  if (file != NULL) (void)fclose(file);
  return found;
}

// Writes a file without the line of a hash, then with a new one unless that is NULL; one without lines goes.
static void change(const char *name, const char *hash, const char *added) {
  char path[512], draft[600], line[256];
  long lines = 0;
  (void)snprintf(path, sizeof path, "%s/%s", KEYCHAIN_FOLDER, name);
  (void)snprintf(draft, sizeof draft, "%s.%ld", path, (long)getpid());
  FILE *old = fopen(path, "r"), *new = fopen(draft, "w");
  if (new == NULL) abort();
  while (old != NULL && fgets(line, sizeof line, old) != NULL) {
    if (strncmp(line, hash, strlen(hash)) == 0) continue;
    (void)fputs(line, new);
    lines++;
  }
  if (added != NULL) (void)fprintf(new, "%s%s%s\n", hash, *added == '\0' ? "" : " ", added);
  if (old != NULL) (void)fclose(old);
  if (fclose(new) != 0 || rename(draft, path) != 0) abort();
  if (lines == 0 && added == NULL && unlink(path) != 0) abort();
}

SecCertificateRef SecCertificateCreateWithData(CFAllocatorRef allocator, CFDataRef data) {
  (void)allocator;
  if (called("SecCertificateCreateWithData", "", fails("SecCertificateCreateWithData")) != 0) return NULL;
  return (SecCertificateRef)make(what_of(data));
}

SecPolicyRef SecPolicyCreateSSL(Boolean server, CFStringRef hostname) {
  return (SecPolicyRef)make(server && hostname == NULL ? "ssl" : "other");
}

CFDictionaryRef SecPolicyCopyProperties(SecPolicyRef policy) {
  struct object *properties = make("properties");
  hold(properties, kSecPolicyOid, strcmp(what_of(policy), "ssl") == 0 ? (const void *)kSecPolicyAppleSSL : "other");
  return (CFDictionaryRef)properties;
}

OSStatus SecKeychainOpen(const char *path, SecKeychainRef *keychain) {
  OSStatus status = called("SecKeychainOpen", path, fails("SecKeychainOpen"));
  if (strcmp(path, "/Library/Keychains/System.keychain") != 0) abort();
  if (status == 0) *keychain = (SecKeychainRef)make("system");
  return status;
}

OSStatus SecKeychainCopyDefault(SecKeychainRef *keychain) {
  OSStatus status = called("SecKeychainCopyDefault", "", fails("SecKeychainCopyDefault"));
  if (status == 0) *keychain = (SecKeychainRef)make("login");
  return status;
}

OSStatus SecCertificateAddToKeychain(SecCertificateRef certificate, SecKeychainRef keychain) {
  char rest[WORD];
  const char *name = keychain == NULL ? "login" : what_of(keychain);
  OSStatus status = fails("SecCertificateAddToKeychain");
  if (status == 0 && find(name, what_of(certificate), rest) == 1) status = errSecDuplicateItem;
  if (status == 0) change(name, what_of(certificate), "");
  return called("SecCertificateAddToKeychain", name, status);
}

OSStatus SecItemDelete(CFDictionaryRef query) {
  char rest[WORD];
  CFTypeRef kind = CFDictionaryGetValue(query, kSecClass);
  const char *hash = what_of(CFArrayGetValueAtIndex(CFDictionaryGetValue(query, kSecMatchItemList), 0));
  const char *name = what_of(CFArrayGetValueAtIndex(CFDictionaryGetValue(query, kSecMatchSearchList), 0));
  OSStatus status = fails("SecItemDelete");
  if (kind == NULL || !CFEqual(kind, kSecClassCertificate)) abort();
  if (status == 0 && find(name, hash, rest) != 1) status = errSecItemNotFound;
  if (status == 0) change(name, hash, NULL);
  return called("SecItemDelete", name, status);
}

static const char *domain_name(SecTrustSettingsDomain domain) {
  if (domain > kSecTrustSettingsDomainAdmin) abort();
  return domain == kSecTrustSettingsDomainUser ? "user" : "admin";
}

OSStatus SecTrustSettingsSetTrustSettings(SecCertificateRef certificate, SecTrustSettingsDomain domain, CFTypeRef settings) {
  char usage[WORD] = "";
  const struct object *dictionary = settings == NULL ? NULL : ours(settings);
  for (CFIndex at = 0; dictionary != NULL && at < dictionary->count; at++) {
    const size_t len = strlen(usage);
    const char *key = (const char *)dictionary->keys[at] + strlen("kSecTrustSettings");
    (void)snprintf(usage + len, sizeof usage - len, "%s%s=%s", at == 0 ? "" : ",", key, what_of(dictionary->values[at]));
  }
  OSStatus status = called("SecTrustSettingsSetTrustSettings", domain_name(domain), fails("SecTrustSettingsSetTrustSettings"));
  if (status == 0) change(domain_name(domain), what_of(certificate), usage);
  return status;
}

OSStatus SecTrustSettingsRemoveTrustSettings(SecCertificateRef certificate, SecTrustSettingsDomain domain) {
  char rest[WORD];
  const int found = find(domain_name(domain), what_of(certificate), rest);
  OSStatus status = found < 0 ? errSecNoTrustSettings : found == 0 ? errSecItemNotFound : 0;
  if (status == 0) status = fails("SecTrustSettingsRemoveTrustSettings");
  if (status == 0) change(domain_name(domain), what_of(certificate), NULL);
  return called("SecTrustSettingsRemoveTrustSettings", domain_name(domain), status);
}

// "Policy=ssl,Result=1"
static struct object *usage_of(char *text) {
  static const char *const keys[] = {"kSecTrustSettingsPolicy",      "kSecTrustSettingsResult",   "kSecTrustSettingsApplication",
                                     "kSecTrustSettingsPolicyString", "kSecTrustSettingsKeyUsage", "kSecTrustSettingsAllowedError"};
  struct object *usage = make("usage");
  char *rest = NULL;
  for (char *pair = strtok_r(text, ",", &rest); pair != NULL; pair = strtok_r(NULL, ",", &rest)) {
    char *value = strchr(pair, '=');
    if (value == NULL) abort();
    *value++ = '\0';
    for (size_t at = 0; at < sizeof keys / sizeof *keys; at++) {
      if (strcmp(keys[at] + strlen("kSecTrustSettings"), pair) != 0) continue;
      struct object *object = make(value);
      object->number = atoi(value);
      hold(usage, keys[at], object);
      CFRelease(object);
    }
  }
  return usage;
}

OSStatus SecTrustSettingsCopyTrustSettings(SecCertificateRef certificate, SecTrustSettingsDomain domain, CFArrayRef *settings) {
  char text[WORD], *rest = NULL;
  OSStatus status = fails("SecTrustSettingsCopyTrustSettings");
  if (status == 0 && find(domain_name(domain), what_of(certificate), text) != 1) status = errSecItemNotFound;
  if (called("SecTrustSettingsCopyTrustSettings", domain_name(domain), status) != 0) return status;
  struct object *array = make("array");
  for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
    struct object *usage = usage_of(word);
    hold(array, NULL, usage);
    CFRelease(usage);
  }
  *settings = (CFArrayRef)array;
  return 0;
}

__attribute__((destructor)) static void print_result(void) {
  if (alive != 0) log_line("not released", "", alive);
}
