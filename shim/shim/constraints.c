#include "constraints.h"

#include <string.h>

enum { PERMITTED = 0xa0, EXCLUDED = 0xa1, EMAIL = 0x81, DNS_NAME = 0x82, URI = 0x86, IP_ADDRESS = 0x87, FOUR = 8, SIX = 32 };

static const char *const domains[] = {"localhost", "test", "internal"};

// Equal to one of the domains, or below: "corp.internal".
static bool is_local_domain(const struct der *name) {
  for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
    size_t len = strlen(domains[i]);
    if (name->len < len || memcmp(name->at + name->len - len, domains[i], len) != 0) continue;
    if (name->len == len) return true;
    if (name->at[name->len - len - 1] != '.') continue;
    bool plain = true;
    for (size_t at = 0; at < name->len - len; at++) {
      uint8_t byte = name->at[at];
      plain = plain && ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '.');
    }
    if (plain) return true;
  }
  return false;
}

// Address and mask: 127.0.0.0/8 or narrower, ::1/128.
static bool is_loopback(const struct der *range) {
  static const uint8_t six[SIX] = {[15] = 1, [16] = 255, 255, 255, 255, 255, 255, 255, 255,
                                   255,      255,        255, 255, 255, 255, 255, 255};
  if (range->len == FOUR) return range->at[0] == 127 && range->at[4] == 255;
  return range->len == SIX && memcmp(range->at, six, SIX) == 0;
}

static bool is_everything(const struct der *range) {
  for (size_t i = 0; i < range->len; i++)
    if (range->at[i] != 0) return false;
  return true;
}

// A name that nobody has (RFC 2606): permitting it alone forbids all others of its kind.
static bool is_nobodys(const struct der *name) {
  static const char ending[] = ".invalid";
  enum { LEN = sizeof ending - 1 };
  return name->len > LEN && memcmp(name->at + name->len - LEN, ending, LEN) == 0;
}

static bool may_permit(uint8_t tag, const struct der *base) {
  if (tag == DNS_NAME) return is_local_domain(base);
  if (tag == IP_ADDRESS) return is_loopback(base);
  return (tag == EMAIL || tag == URI) && is_nobodys(base);
}

// What was seen in the subtrees of one kind.
struct seen {
  unsigned names, addresses;
  bool all_four, all_six;
};

// GeneralSubtrees without minimum and maximum, which RFC 5280 forbids. `permitted`: each must be local.
static bool read_subtrees(struct der trees, bool permitted, struct seen *seen, const char **why) {
  struct der tree, base;
  while (trees.len > 0) {
    *why = "its name constraints cannot be read";
    if (!der_take(&trees, DER_SEQUENCE, &tree) || tree.len == 0) return false;
    uint8_t tag = tree.at[0];
    if (!der_take(&tree, tag, &base) || tree.len != 0) return false;
    if (tag == DNS_NAME) seen->names++;
    if (tag == IP_ADDRESS) {
      if (base.len != FOUR && base.len != SIX) return false;
      seen->addresses++;
      if (is_everything(&base)) *(base.len == FOUR ? &seen->all_four : &seen->all_six) = true;
    }
    *why = "its name constraints permit more than names below localhost, test and internal";
    if (permitted && !may_permit(tag, &base)) return false;
  }
  return true;
}

bool constraints_local(struct der extension, const char **why) {
  struct der both, trees;
  struct seen permitted = {0, 0, false, false}, excluded = {0, 0, false, false};
  *why = "its name constraints cannot be read";
  if (!der_take(&extension, DER_SEQUENCE, &both) || extension.len != 0) return false;
  if (der_next(&both, PERMITTED)) {
    if (!der_take(&both, PERMITTED, &trees) || trees.len == 0) return false;
    if (!read_subtrees(trees, true, &permitted, why)) return false;
  }
  *why = "its name constraints cannot be read";
  if (der_next(&both, EXCLUDED)) {
    if (!der_take(&both, EXCLUDED, &trees) || trees.len == 0) return false;
    if (!read_subtrees(trees, false, &excluded, why)) return false;
  }
  *why = "its name constraints cannot be read";
  if (both.len != 0) return false;
  *why = "its name constraints permit any DNS name";
  if (permitted.names == 0) return false;
  // Constraints bind only the kinds of names that they mention.
  *why = "its name constraints permit any IP address";
  return permitted.addresses > 0 || (excluded.all_four && excluded.all_six);
}
