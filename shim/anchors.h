// Users' certificates as files of a folder: locald-UID-SERIAL and an ending.
#ifndef SHIM_ANCHORS_H
#define SHIM_ANCHORS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "store.h"
#include "text.h"

enum anchor { ANCHOR_NONE, ANCHOR_SAME, ANCHOR_OTHER };

// Has room for any name.
enum { ANCHOR_NAME = 80 };

void anchors_name(const struct certificate *certificate, const char *ending, struct text *name);

// Whether there is a file with this name, and with these bytes.
enum anchor anchors_find(int folder, const char *name, const char *bytes, size_t len);

// How many a user has in the folder; of all users when `owner` is NULL.
unsigned anchors_count(int folder, const uid_t *owner, const char *ending);

// Whether the certificate is there under another name, too: somebody else's.
bool anchors_shared(int folder, const char *name, const char *ending, const struct text *pem);

// Writes a file of root's as a whole, in the place of one that is there.
void anchors_write(int folder, const char *name, const char *bytes, size_t len, mode_t mode);

// Takes a file out. False when there was none.
bool anchors_take(int folder, const char *name);

#endif
