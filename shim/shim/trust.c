#include "trust.h"

#include <stdint.h>
#include <unistd.h>

#include "authority.h"
#include "become.h"
#include "input.h"
#include "lock.h"
#include "pem.h"
#include "process.h"
#include "refuse.h"
#include "store.h"

enum { SECONDS = 120 };

void trust_change(bool add) {
  static char text[PEM_MAX];
  static uint8_t der[CERTIFICATE_MAX];
  struct authority authority;
  size_t len;
  const char *why = NULL;
  const uid_t uid = getuid();
  if (!pem_decode(text, input_read(text, sizeof text), der, &len))
    refuse(REFUSE_PEM, "standard input is not one certificate in PEM", NULL);
  if (!authority_check(der, len, &authority, &why)) refuse(REFUSE_AUTHORITY, why, NULL);
  become_root();
  process_limit(SECONDS);  // the distribution's program reads all the certificates there are
  lock_take();
  const struct certificate certificate = {.owner = uid, .der = der, .len = len, .authority = &authority};
  if (add) store_add(&certificate);
  else store_remove(&certificate);
}
