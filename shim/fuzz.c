// Fuzzes all parsers of untrusted input: arguments, names, the hosts file, the list of users, PEM, certificates, bundles.
//   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I../common $(ls *.c ../common/*.c | grep -v main.c) -o /tmp/fuzz
//   /tmp/fuzz -max_total_time=60 -max_len=20000 corpus
// AFL++: the same with afl-clang-fast. Without either, on mutations of the corpus generated from a seed:
//   cc -g -O1 -fsanitize=address,undefined -DFUZZ_ALONE -D_GNU_SOURCE -I../common $(ls *.c ../common/*.c | grep -v main.c) -o /tmp/fuzz
//   /tmp/fuzz 1000000 corpus/*
// The first byte of an input selects the parser: a, n, h, u, p, c, b.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "ca-check.h"
#include "hosts-block.h"
#include "bundle.h"
#include "hostnames.h"
#include "pem.h"
#include "text.h"
#include "uids.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 1 << 20 };

static void require(bool holds) {
  if (!holds) abort();
}

static void fuzz_arguments(const char *text, size_t len) {
  enum { WORDS_MAX = 8 };
  static char copy[4096];
  char *words[WORDS_MAX + 1];
  int count = 0;
  if (len >= sizeof copy) return;
  memcpy(copy, text, len);
  copy[len] = '\0';
  for (char *word = strtok(copy, "\n"); word != NULL && count < WORDS_MAX; word = strtok(NULL, "\n")) words[count++] = word;
  words[count] = NULL;
  struct request request;
  const char *why = NULL, *word = NULL;
  if (!request_parse(count, words, &request, &why, &word)) require(why != NULL);
  else require((request.port != 0) == (request.verb == VERB_BIND));
}

static void fuzz_names(const char *text, size_t len) {
  struct hostnames names;
  const char *why = NULL;
  if (hostnames_parse(text, len, &names, &why) != HOSTNAMES_FINE) {
    require(why != NULL);
    return;
  }
  unsigned lines = 0;
  for (size_t i = 0; i < names.len; i++) {
    char byte = names.at[i];
    lines += byte == '\n';
    require(byte == '\n' || byte == '-' || byte == '.' || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9'));
  }
  require(lines == names.count && lines <= HOSTNAMES_MAX);
}

// Writing twice equals writing once; after the removal all other bytes are unchanged (except for a missing last newline).
static void fuzz_hosts(const char *text, size_t len) {
  static char one[ROOM], two[ROOM], three[ROOM];
  static const char some[] = "web.shop.localhost\na.test\n";
  const struct hostnames names = {.at = some, .len = sizeof some - 1, .count = 2}, none = {.at = some, .len = 0, .count = 0};
  const uint32_t uid = 1000;
  const char *why = NULL;
  struct text first = text_in(one, sizeof one), second = text_in(two, sizeof two), third = text_in(three, sizeof three);
  if (!hosts_block_replace(text, len, uid, &names, &first, &why)) {
    require(why != NULL);
    return;
  }
  require(hosts_block_replace(first.at, first.len, uid, &names, &second, &why));
  require(first.len == second.len && memcmp(one, two, first.len) == 0);
  second = text_in(two, sizeof two);
  require(hosts_block_replace(first.at, first.len, uid, &none, &second, &why));
  require(hosts_block_replace(text, len, uid, &none, &third, &why));
  require(second.len - third.len <= 1 && memcmp(two, three, third.len) == 0);
}

static void fuzz_uids(const char *text, size_t len) {
  enum listed listed = uids_find(text, len, 1000);
  if (len == 0) require(listed == NOT_LISTED);
}

static void fuzz_pem(const char *text, size_t len) {
  static uint8_t der[CERTIFICATE_MAX], again[CERTIFICATE_MAX];
  static char pem[ROOM];
  size_t der_len, again_len = 0;
  if (len > PEM_MAX || !pem_decode(text, len, der, &der_len)) return;
  struct text out = text_in(pem, sizeof pem);
  pem_encode(der, der_len, &out);
  require(!out.full && pem_decode(out.at, out.len, again, &again_len));
  require(der_len == again_len && memcmp(der, again, der_len) == 0);
}

static void fuzz_certificate(const char *der, size_t len) {
  struct ca ca;
  const char *why = NULL;
  if (ca_check((const uint8_t *)der, len, &ca, &why)) require(ca.serial_len > 0);
  else require(why != NULL);
  (void)ca_read((const uint8_t *)der, len, &ca);
}

// Only copies of the certificate are removed, and what is added comes last.
static void fuzz_bundle(const char *bundle, size_t len) {
  static char one[ROOM], two[ROOM], own[] = "-----BEGIN CERTIFICATE-----\nTQ==\n-----END CERTIFICATE-----\n";
  const struct text pem = {.at = own, .len = sizeof own - 1, .cap = sizeof own, .full = false};
  struct text without = text_in(one, sizeof one), with = text_in(two, sizeof two);
  require(bundle_edit(bundle, len, &pem, false, &without) && bundle_edit(bundle, len, &pem, true, &with));
  require((len - without.len) % pem.len == 0 && with.len - without.len - pem.len <= 1);
  require(memcmp(one, two, without.len) == 0 && memcmp(two + with.len - pem.len, own, pem.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  // Exactly as long as the input, so that an overread is detected.
  size_t len = size - 1;
  char *exact = malloc(len > 0 ? len : 1);
  if (exact == NULL) return 0;
  memcpy(exact, data + 1, len);
  if (data[0] == 'a') fuzz_arguments(exact, len);
  if (data[0] == 'n') fuzz_names(exact, len);
  if (data[0] == 'h') fuzz_hosts(exact, len);
  if (data[0] == 'u') fuzz_uids(exact, len);
  if (data[0] == 'p') fuzz_pem(exact, len);
  if (data[0] == 'c') fuzz_certificate(exact, len);
  if (data[0] == 'b') fuzz_bundle(exact, len);
  free(exact);
  return 0;
}

#ifdef FUZZ_ALONE
#include <fcntl.h>
#include <unistd.h>

enum { SEEDS_MAX = 64, SEED_MAX = 16384 };

static uint64_t state = 88172645463325252U;

static uint32_t below(uint32_t limit) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 32) % limit;
}

static struct seed {
  uint8_t at[SEED_MAX];
  size_t len;
} seeds[SEEDS_MAX];
static unsigned seed_count;

static void load(const char *path) {
  struct seed *seed = &seeds[seed_count];
  int fd = open(path, O_RDONLY);
  ssize_t got = fd < 0 ? -1 : read(fd, seed->at, SEED_MAX);
  if (got > 0) seed->len = (size_t)got;
  if (got > 0) seed_count++;
  if (fd >= 0) (void)close(fd);
}

// Changes, drops, doubles a few bytes, or takes some from another seed; the first byte stays.
static size_t mutate(uint8_t *data) {
  const struct seed *seed = &seeds[below(seed_count)], *other = &seeds[below(seed_count)];
  size_t len = seed->len;
  memcpy(data, seed->at, len);
  for (uint32_t left = below(5); left > 0 && len > 2; left--) {
    size_t at = 1 + below((uint32_t)len - 1), span = 1 + below(16);
    if (span > len - at) span = len - at;
    switch (below(5)) {
      case 0:
        data[at] = (uint8_t)below(256);
        break;
      case 1:
        data[at] ^= (uint8_t)(1U << below(8));
        break;
      case 2:
        memmove(data + at, data + at + span, len - at - span);
        len -= span;
        break;
      case 3:
        if (len + span > SEED_MAX) break;
        memmove(data + at + span, data + at, len - at);
        len += span;
        break;
      default:
        if (span > other->len) span = other->len;
        memcpy(data + at, other->at + below((uint32_t)(other->len - span + 1)), span);
    }
  }
  return len;
}

int main(int argc, char *argv[]) {
  static uint8_t data[SEED_MAX];
  for (int i = 2; i < argc && seed_count < SEEDS_MAX; i++) load(argv[i]);
  for (unsigned i = 0; i < seed_count; i++) (void)LLVMFuzzerTestOneInput(seeds[i].at, seeds[i].len);
  for (long left = argc > 1 ? atol(argv[1]) : 0; left > 0 && seed_count > 0; left--)
    (void)LLVMFuzzerTestOneInput(data, mutate(data));
  return seed_count > 0 ? 0 : 1;
}
#endif
