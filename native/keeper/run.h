// `locald-keeper run`: see options_parse for its arguments.
#ifndef KEEPER_RUN_H
#define KEEPER_RUN_H

#include "args.h"

// Holds the service until its last process has exited. Returns the keeper's exit code: 0, or 1 when the service did not start.
int run(const struct options *options);

#endif
