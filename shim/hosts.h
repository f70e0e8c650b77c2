// The caller's block of the hosts file.
#ifndef SHIM_HOSTS_H
#define SHIM_HOSTS_H

// Names on standard input (names.h).
void hosts_update(void);

#endif
