// The service's terminal. The keeper leads its session: the end of a process of the service hangs up on no other.
#ifndef KEEPER_TERMINAL_H
#define KEEPER_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Opens a terminal and makes it the keeper's controlling one. Its two sides; the slave is held open until `terminal_release`,
// else the master would see an end whenever the service closes its own. False with errno; EPERM: the keeper leads no session.
bool terminal_open(unsigned cols, unsigned rows, int *master, int *slave);
void terminal_release(void);

// Lets output go on that ^S has stopped.
void terminal_flow(void);

// In a child before exec(2): a process group of its own, which has the terminal in the foreground. False with errno.
bool terminal_take(int slave);

// The group that has the terminal in the foreground, 0 when there is none.
pid_t terminal_foreground(void);

// How much may be typed: what comes before a key that would stop this group. No shell is there to let it go on.
size_t terminal_typable(const char *bytes, size_t len, pid_t group);

// Lets a group go on that has stopped as a terminal makes one stop, in the foreground if that was the reason.
void terminal_resume(pid_t group, int stopped_by);

// True while it gives whole lines only: nothing typed is read before a newline.
bool terminal_waits_for_lines(void);

// Tells the terminal its size (ioctl_tty(2)); its foreground processes get SIGWINCH. False with errno.
bool terminal_resize(int terminal, unsigned cols, unsigned rows);

// Its size; false when it has none.
bool terminal_size(unsigned *cols, unsigned *rows);

#endif
