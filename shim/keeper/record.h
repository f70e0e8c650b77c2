// The exit record, for a daemon that was not there when the service ended.
#ifndef KEEPER_RECORD_H
#define KEEPER_RECORD_H

// Writes {"code":…,"signal":…,"endedMs":…}: complete or not at all.
void record_write(const char *path);

#endif
