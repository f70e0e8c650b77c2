// Prints numbered lines of 8 bytes and appends the time that it took, in µs, to a file: `printer COUNT TIMES [each]`.
// Uses stdio's default buffering (blocks into a pipe or file, lines on a terminal); with `each`, one write per line.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

int main(int argc, char *argv[]) {
  if (argc < 3) return 64;
  int count = atoi(argv[1]);
  int each = argc > 3 && strcmp(argv[3], "each") == 0;
  long long began = now_us();
  for (int i = 0; i < count; i++) {
    char line[16];
    int length = snprintf(line, sizeof line, "%07d\n", i);
    if (each ? write(STDOUT_FILENO, line, (size_t)length) != length : fputs(line, stdout) == EOF) return 1;
  }
  if (fflush(stdout) != 0) return 1;
  FILE *times = fopen(argv[2], "w");
  if (times == NULL || fprintf(times, "%lld\n", now_us() - began) < 0 || fclose(times) != 0) return 1;
  return 0;
}
