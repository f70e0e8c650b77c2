// `locald-keeper starter PATH`: starts keepers for a daemon. A fork of the daemon itself takes longer, the more memory it has.
#ifndef KEEPER_STARTER_H
#define KEEPER_STARTER_H

// Listens on PATH, prints a line, and exits when standard input closes. Each connection brings one request (request.h) and becomes
// descriptor 3 of the requested program. Returns 0, or 73 when it cannot listen.
int starter(const char *path);

#endif
