// What the shim uses of Apple's <copyfile.h>: copyfile(3). The lists are those of acl.c.
#ifndef FAKE_COPYFILE_H
#define FAKE_COPYFILE_H

typedef struct copyfile_state *copyfile_state_t;
typedef unsigned copyfile_flags_t;

enum { COPYFILE_ACL = 1 << 0, COPYFILE_XATTR = 1 << 2 };

int fcopyfile(int from, int to, copyfile_state_t state, copyfile_flags_t flags);

#endif
