// The machine's store of CA certificates.
#ifndef SHIM_TRUST_H
#define SHIM_TRUST_H

#include <stdbool.h>

// Adds the CA certificate on standard input (PEM) to the store, or removes it.
void trust_change(bool add);

#endif
