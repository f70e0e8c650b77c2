#include "trust.h"

#include <stdint.h>
#include <unistd.h>

#include "transaction.h"
#include "ca-check.h"
#include "input.h"
#include "pem.h"
#include "exit-codes.h"
#include "store.h"

// A system program reads all certificates of the store.
enum { SECONDS = 120 };

void trust_change(bool add) {
  static char text[PEM_MAX];
  static uint8_t der[CERTIFICATE_MAX];
  struct ca ca;
  size_t len;
  const char *why = NULL;
  const uid_t uid = getuid();
  if (!pem_decode(text, input_read(text, sizeof text), der, &len))
    exit_with(EXIT_PEM, "standard input is not one certificate in PEM", NULL);
  // Certificates added by an earlier version, under other rules, can be removed.
  bool lenient = !add && STORE_HAS_OWNERS;
  bool fine = lenient ? ca_read(der, len, &ca) : ca_check(der, len, &ca, &why);
  if (!fine) exit_with(EXIT_CA, lenient ? "it is not an X.509 certificate of version 3" : why, NULL);
  transaction_begin(uid, SECONDS);
  const struct certificate certificate = {.owner = uid, .der = der, .len = len, .ca = &ca};
  if (add) store_add(&certificate);
  else store_remove(&certificate);
}
