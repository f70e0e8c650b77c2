// The store of Debian and its derivatives (Ubuntu), and of Alpine.
#ifndef SHIM_STORE_DEBIAN_H
#define SHIM_STORE_DEBIAN_H

#include <stdbool.h>

#include "store.h"
#include "text.h"

bool debian_is_here(void);

// As in store.h; `pem`: the certificate's text.
void debian_add(const struct certificate *certificate, const struct text *pem);
void debian_remove(const struct certificate *certificate, const struct text *pem);

#endif
