// `locald-keeper sweep MARK`: ends what a keeper that was killed has left behind.
#ifndef KEEPER_SWEEP_H
#define KEEPER_SWEEP_H

#include <stdint.h>

// Kills all processes with the mark and prints how many there were. 0, 69 where marks do not exist, 1 when some live on.
int sweep(uint64_t mark);

#endif
