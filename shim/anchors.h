// Users' certificates as files of a folder: locald-UID-SERIAL and a suffix.
#ifndef SHIM_ANCHORS_H
#define SHIM_ANCHORS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "store.h"
#include "text.h"

enum anchor { ANCHOR_NONE, ANCHOR_SAME, ANCHOR_OTHER };

// Large enough for any name.
enum { ANCHOR_NAME = 80 };

void anchors_name(const struct certificate *certificate, const char *ending, struct text *name);

// Returns whether a file with this name exists, and has these bytes.
enum anchor anchors_find(int folder, const char *name, const char *bytes, size_t len);

// Counts a user's files in the folder; those of all users when `owner` is NULL.
unsigned anchors_count(int folder, const uid_t *owner, const char *ending);

// Returns whether another user's file holds the same certificate.
bool anchors_shared(int folder, const char *name, const char *ending, const struct text *pem);

// Writes a file owned by root atomically, replacing an existing one.
void anchors_write(int folder, const char *name, const char *bytes, size_t len, mode_t mode);

// Removes a file. Returns false when there was none.
bool anchors_take(int folder, const char *name);

#endif
