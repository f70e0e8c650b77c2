#include "der.h"

#include <string.h>

bool der_next(const struct der *from, uint8_t tag) { return from->len > 0 && from->at[0] == tag; }

bool der_take_whole(struct der *from, uint8_t tag, struct der *content, struct der *whole) {
  if (from->len < 2 || from->at[0] != tag) return false;
  size_t head = 2, len = from->at[1];
  if (len >= 0x80) {
    // No certificate read here needs more than two bytes of length.
    size_t more = len & 0x7f;
    if (more == 0 || more > 2 || from->len < 2 + more) return false;
    len = from->at[2];
    if (more == 2) len = len << 8 | from->at[3];
    if (len < (more == 1 ? 0x80U : 0x100U)) return false;  // a shorter form exists
    head += more;
  }
  if (len > from->len - head) return false;
  *content = (struct der){.at = from->at + head, .len = len};
  *whole = (struct der){.at = from->at, .len = head + len};
  from->at += head + len;
  from->len -= head + len;
  return true;
}

bool der_take(struct der *from, uint8_t tag, struct der *content) {
  struct der whole;
  return der_take_whole(from, tag, content, &whole);
}

bool der_equal(const struct der *left, const void *bytes, size_t len) {
  return left->len == len && memcmp(left->at, bytes, len) == 0;
}
