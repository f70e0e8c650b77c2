#include "trust.h"

#include <stdint.h>
#include <unistd.h>

#include "authority.h"
#include "become.h"
#include "input.h"
#include "isolate.h"
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
  // What was put there by an earlier version, under other rules, can be removed.
  bool lenient = !add && STORE_HAS_OWNERS;
  bool fine = lenient ? authority_read(der, len, &authority) : authority_check(der, len, &authority, &why);
  if (!fine) refuse(REFUSE_AUTHORITY, lenient ? "it is not an X.509 certificate of version 3" : why, NULL);
  become_root();
  process_limit(SECONDS);  // a program of the system's reads all the certificates there are
  isolate();
  lock_take(uid);
  const struct certificate certificate = {.owner = uid, .der = der, .len = len, .authority = &authority};
  if (add) store_add(&certificate);
  else store_remove(&certificate);
}
