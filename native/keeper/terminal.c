#include "terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "fds.h"
#include "text.h"

static int held = -1;
#ifndef __linux__
static char path[128];
#endif

bool terminal_resize(int terminal, unsigned cols, unsigned rows) {
  struct winsize size = {.ws_col = (unsigned short)cols, .ws_row = (unsigned short)rows};
  return ioctl(terminal, TIOCSWINSZ, &size) == 0;
}

bool terminal_size(unsigned *cols, unsigned *rows) {
  struct winsize size;
  if (held < 0 || ioctl(held, TIOCGWINSZ, &size) != 0) return false;
  *cols = size.ws_col;
  *rows = size.ws_row;
  return true;
}

// Opens the slave here: macOS sets the size only through it, and some releases reject flags on a master before that.
bool terminal_open(unsigned cols, unsigned rows, int *master, int *slave) {
  *master = posix_openpt(O_RDWR | O_NOCTTY);
  if (*master < 0 || grantpt(*master) != 0 || unlockpt(*master) != 0) return false;
  const char *name = ptsname(*master);
  if (name == NULL) return false;
#ifndef __linux__
  struct text text = text_in(path, sizeof path);
  text_add(&text, name);
#endif
  *slave = held = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (held < 0 || !fd_prepare(*master)) return false;
  struct termios modes;
  if (tcgetattr(held, &modes) != 0) return false;
#ifdef IUTF8
  modes.c_iflag |= IUTF8;
#endif
#ifdef VDSUSP
  modes.c_cc[VDSUSP] = _POSIX_VDISABLE;  // a second suspend key, see terminal_typable
#endif
  return tcsetattr(held, TCSANOW, &modes) == 0 && terminal_resize(held, cols, rows) && ioctl(held, TIOCSCTTY, 0) == 0;
}

// On macOS a session's first open of /dev/tty closes only when its leader exits, which is the keeper: without revoke(2) the master
// of a service that has opened it would see no end of file (bsd/kern/tty_tty.c, cttyopen).
void terminal_release(void) {
  if (held < 0) return;
#ifndef __linux__
  (void)revoke(path);
#endif
  (void)close(held);
  held = -1;
}

void terminal_flow(void) {
  if (held >= 0) (void)tcflow(held, TCOON);
}

bool terminal_take(int slave) {
  // The new group is in the background until then, so this needs SIGTTOU ignored, as the keeper has it.
  return setpgid(0, 0) == 0 && tcsetpgrp(slave, getpid()) == 0;
}

pid_t terminal_foreground(void) {
  pid_t group = held < 0 ? -1 : tcgetpgrp(held);
  return group > 1 && group != getpgrp() ? group : 0;
}

size_t terminal_typable(const char *bytes, size_t len, pid_t group) {
  struct termios modes;
  if (held < 0 || tcgetattr(held, &modes) != 0 || (modes.c_lflag & ISIG) == 0 || tcgetpgrp(held) != group) return len;
  if (modes.c_cc[VSUSP] == _POSIX_VDISABLE) return len;  // no suspend key: the program gets each byte
  const char *key = memchr(bytes, modes.c_cc[VSUSP], len);
  return key == NULL ? len : (size_t)(key - bytes);
}

void terminal_resume(pid_t group, int stopped_by) {
  if (held < 0 || (stopped_by != SIGTSTP && stopped_by != SIGTTIN && stopped_by != SIGTTOU)) return;
  if (stopped_by != SIGTSTP) (void)tcsetpgrp(held, group);
  (void)kill(-group, SIGCONT);
}

bool terminal_waits_for_lines(void) {
  struct termios modes;
  return held >= 0 && tcgetattr(held, &modes) == 0 && (modes.c_lflag & ICANON) != 0;
}
