// Fuzzes the parser of what the daemon sends. Run it with
//   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I../common $(ls *.c ../common/*.c | grep -v main.c) -o /tmp/fuzz
//   /tmp/fuzz -max_total_time=60
// or, where there is no libFuzzer, on inputs generated from a seed:
//   cc -g -O1 -fsanitize=address,undefined -DFUZZ_ALONE -D_GNU_SOURCE -I../common $(ls *.c ../common/*.c | grep -v main.c) -o /tmp/fuzz
//   /tmp/fuzz 1000000
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ports.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) abort();
}

// What is accepted is written the same again.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char again[PORTS_LINE_MAX + 1];
  // Exactly as long as the input, so that a byte read too far is seen.
  char *exact = malloc(size > 0 ? size : 1);
  if (exact == NULL) return 0;
  if (size > 0) memcpy(exact, data, size);
  struct ports ports;
  if (ports_parse(exact, size, &ports)) {
    struct text text = text_in(again, sizeof again);
    for (unsigned i = 0; i < ports.count; i++) {
      require(ports.of[i] != 0 && ports_have(&ports, ports.of[i]));
      if (i > 0) text_add(&text, " ");
      text_number(&text, ports.of[i]);
    }
    require(!text.full && text.len == size && memcmp(again, exact, size) == 0);
  }
  require(ports.count <= PORTS_MAX);
  free(exact);
  return 0;
}

#ifdef FUZZ_ALONE
static uint64_t seed = 88172645463325252U;

static uint32_t random_below(uint32_t limit) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (uint32_t)(seed >> 32) % limit;
}

// Mostly lists of ports, with noise between them.
static size_t make(char *data, size_t cap) {
  struct text text = text_in(data, cap);
  for (uint32_t left = random_below(random_below(4) == 0 ? 300 : 5); left > 0; left--) {
    text_number(&text, random_below(20) == 0 ? random_below(UINT32_MAX) : random_below(65536));
    if (left > 1) text_add(&text, random_below(50) == 0 ? "  " : " ");
    if (random_below(60) == 0) text_add(&text, random_below(2) == 0 ? "\xff" : "0");
  }
  return text.len;
}

// A file of the corpus is a list that is accepted.
static void take_file(const char *path) {
  static char data[4000];
  FILE *file = fopen(path, "r");
  require(file != NULL);
  size_t len = fread(data, 1, sizeof data, file);
  require(ferror(file) == 0 && fclose(file) == 0);
  struct ports ports;
  require(ports_parse(data, len, &ports));
  (void)LLVMFuzzerTestOneInput((const uint8_t *)data, len);
}

// COUNT FILE...
int main(int argc, char *argv[]) {
  static char data[4000];
  for (int i = 2; i < argc; i++) take_file(argv[i]);
  for (long left = argc > 1 ? atol(argv[1]) : 100000; left > 0; left--) {
    size_t len = make(data, sizeof data);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)data, len);
  }
  return 0;
}
#endif
