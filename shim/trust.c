#include "trust.h"

#include <stdint.h>
#include <unistd.h>

#include "transaction.h"
#include "ca-check.h"
#include "input.h"
#include "pem.h"
#include "exit-codes.h"
#include "store.h"

// A program of the system's reads all the certificates there are.
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
  act_begin(uid, SECONDS);
  const struct certificate certificate = {.owner = uid, .der = der, .len = len, .authority = &authority};
  if (add) store_add(&certificate);
  else store_remove(&certificate);
}
