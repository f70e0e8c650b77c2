// The caller's block of the hosts file.
#ifndef SHIM_HOSTS_H
#define SHIM_HOSTS_H

// Reads the names from standard input (hostnames.h).
void hosts_update(void);

#endif
