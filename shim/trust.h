// The machine's store of CA certificates.
#ifndef SHIM_TRUST_H
#define SHIM_TRUST_H

#include <stdbool.h>

// Puts the CA certificate on standard input (PEM) into the store, or takes it out.
void trust_change(bool add);

#endif
