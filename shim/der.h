// A strict reader of DER (X.690): one-byte tags, definite and shortest lengths, nothing beyond the input.
#ifndef SHIM_DER_H
#define SHIM_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  DER_BOOLEAN = 0x01,
  DER_INTEGER = 0x02,
  DER_BIT_STRING = 0x03,
  DER_OCTET_STRING = 0x04,
  DER_NULL = 0x05,
  DER_OID = 0x06,
  DER_UTF8 = 0x0c,
  DER_PRINTABLE = 0x13,
  DER_UTC_TIME = 0x17,
  DER_GENERALIZED_TIME = 0x18,
  DER_SEQUENCE = 0x30,
  DER_SET = 0x31,
};

// The bytes that are left to read.
struct der {
  const uint8_t *at;
  size_t len;
};

// Takes the next element off the front; it must have this tag. `content`: its content.
bool der_take(struct der *from, uint8_t tag, struct der *content);

// As der_take(); `whole`: the element with its tag and length.
bool der_take_whole(struct der *from, uint8_t tag, struct der *content, struct der *whole);

// Returns whether the next element has this tag.
bool der_next(const struct der *from, uint8_t tag);

bool der_equal(const struct der *left, const void *bytes, size_t len);

#endif
