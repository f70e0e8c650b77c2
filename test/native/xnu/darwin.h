// Names of macOS' headers that glibc's lack; included before all else. The signals are two that Linux has besides.
#include <signal.h>
#include <time.h>

int revoke(const char *path);

#define CLOCK_UPTIME_RAW CLOCK_MONOTONIC
#define SIGEMT SIGSTKFLT
#define SIGINFO SIGPWR
