// `locald-keeper sweep MARK`: kills what a killed keeper left behind.
#ifndef KEEPER_SWEEP_H
#define KEEPER_SWEEP_H

#include <stdint.h>

// Kills all processes with the mark and prints their number. Returns 0, 69 where marks do not exist, 1 when some survive.
int sweep(uint64_t mark);

#endif
