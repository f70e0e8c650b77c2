// Every path the shim may touch, compiled in: no input of a caller, and nothing in the environment, can change one.
// A test build puts all of them below a test folder with -DSHIM_ROOT='"/var/lib/..."'.
#ifndef SHIM_PATHS_H
#define SHIM_PATHS_H

#ifndef SHIM_ROOT
#define SHIM_ROOT ""
#endif

// On macOS /etc is a link, and links are never followed.
#ifdef __APPLE__
#define ETC SHIM_ROOT "/private/etc"
#else
#define ETC SHIM_ROOT "/etc"
#endif

#define HOSTS_FOLDER ETC
#define HOSTS_NAME "hosts"
#define HOSTS_DRAFT ".hosts.locald"
#define CONF_FOLDER ETC "/locald"
#define CONF_NAME "shim.conf"
#define LOCK_NAME "shim.lock"

#define SETUP "sudo locald admin setup"

#endif
