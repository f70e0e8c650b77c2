// `locald-keeper run`: see options_parse for its words.
#ifndef KEEPER_RUN_H
#define KEEPER_RUN_H

#include "args.h"

// Holds the service until all of it is over. The answer is the keeper's own exit code: 0, or 1 when it did not start.
int run(const struct options *options);

#endif
