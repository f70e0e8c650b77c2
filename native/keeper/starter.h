// `locald-keeper starter PATH`: starts keepers for a daemon. A fork of the daemon itself would take as long as its memory is large.
#ifndef KEEPER_STARTER_H
#define KEEPER_STARTER_H

// Listens on PATH, prints a line, and ends when standard input does. Each connection brings one request (request.h) and becomes
// descriptor 3 of the program that is asked for. 0, or 73 when it cannot listen.
int starter(const char *path);

#endif
