#ifndef SHIM_VERSION_H
#define SHIM_VERSION_H

// Raised with every change of what the shim does; the daemon and `admin setup` compare it.
#define SHIM_VERSION "2"

#endif
