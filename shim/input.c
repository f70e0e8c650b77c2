#include "input.h"

#include <errno.h>
#include <poll.h>
#include <sys/types.h>
#include <unistd.h>

#include "exit-codes.h"

size_t input_read(char *buffer, size_t cap) {
  size_t len = 0;
  for (;;) {
    char more;
    ssize_t got = len < cap ? read(STDIN_FILENO, buffer + len, cap - len) : read(STDIN_FILENO, &more, 1);
    if (got == 0) return len;
    if (got > 0 && len == cap) exit_with(EXIT_INPUT, "standard input is too long", NULL);
    if (got > 0) len += (size_t)got;
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
    if (got < 0 && errno == EAGAIN) (void)poll(&wait, 1, -1);  // bounded by the time limit of the process
    else if (got < 0 && errno != EINTR) exit_with_errno(EXIT_INPUT, "standard input cannot be read");
  }
}
