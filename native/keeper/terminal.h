// The service's terminal. The keeper leads its session, so the exit of one process hangs up on no other.
#ifndef KEEPER_TERMINAL_H
#define KEEPER_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Opens a terminal and makes it the keeper's controlling terminal. The slave stays open until `terminal_release`,
// else the master would see an end of file whenever the service closes its own. Returns false with errno; EPERM: the keeper leads no session.
bool terminal_open(unsigned cols, unsigned rows, int *master, int *slave);
void terminal_release(void);

// Resumes output that ^S has stopped.
void terminal_flow(void);

// In a child before exec(2): creates a process group and puts it in the terminal's foreground. Returns false with errno.
bool terminal_take(int slave);

// Returns the group in the terminal's foreground, 0 when there is none.
pid_t terminal_foreground(void);

// Returns how much may be typed: up to a key that would suspend this group, since no shell is there to resume it.
size_t terminal_typable(const char *bytes, size_t len, pid_t group);

// Resumes a group that was stopped by the terminal, in the foreground if that was the reason.
void terminal_resume(pid_t group, int stopped_by);

// Returns true while the terminal is in line mode: typed text is read only after a newline.
bool terminal_waits_for_lines(void);

// Sets the terminal's size (ioctl_tty(2)); its foreground processes get SIGWINCH. Returns false with errno.
bool terminal_resize(int terminal, unsigned cols, unsigned rows);

// Reads its size. Returns false when it has none.
bool terminal_size(unsigned *cols, unsigned *rows);

#endif
