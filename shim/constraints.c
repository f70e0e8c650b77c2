#include "constraints.h"

#include <string.h>

enum { PERMITTED = 0xa0, EMAIL = 0x81, DNS_NAME = 0x82, URI = 0x86, IP_ADDRESS = 0x87, FOUR = 8, SIX = 32 };

// CAs of earlier versions permit `internal`; names below it are no longer available (hostnames.c).
static const char *const domains[] = {"localhost", "test", "internal"};

// Lower-case letters, digits, dashes, and single dots between them: every program reads these the same way.
static bool is_plain(const struct der *name) {
  uint8_t before = '.';
  for (size_t at = 0; at < name->len; before = name->at[at++]) {
    uint8_t byte = name->at[at];
    bool word = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-';
    if (!word && (byte != '.' || before == '.')) return false;
  }
  return before != '.';
}

static bool is_below(const struct der *name, const char *domain) {
  size_t len = strlen(domain);
  return name->len > len && name->at[name->len - len - 1] == '.' && memcmp(name->at + name->len - len, domain, len) == 0;
}

// Equal to one of the domains, or below: "shop.localhost".
static bool is_local_domain(const struct der *name) {
  bool local = false;
  for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
    local = local || is_below(name, domains[i]) || der_equal(name, domains[i], strlen(domains[i]));
  return local && is_plain(name);
}

// Address and mask, 127.0.0.0/8 and ::1/128: programs differ in how they read masks that are no prefixes.
static const uint8_t four[FOUR] = {127, 0, 0, 0, 255, 0, 0, 0};
static const uint8_t six[SIX] = {[15] = 1, [16] = 255, 255, 255, 255, 255, 255, 255, 255,
                                 255,      255,        255, 255, 255, 255, 255, 255};

// A name that cannot exist (RFC 2606): permitting only it forbids all others of its kind.
static bool is_nobodys(const struct der *name) { return is_below(name, "invalid") && is_plain(name); }

// The local names and addresses seen so far.
struct seen {
  bool names, four, six;
};

static bool may_permit(uint8_t tag, const struct der *base, struct seen *seen) {
  if (tag == DNS_NAME) return seen->names = is_local_domain(base);
  if (tag == IP_ADDRESS && der_equal(base, four, FOUR)) return seen->four = true;
  if (tag == IP_ADDRESS && der_equal(base, six, SIX)) return seen->six = true;
  return (tag == EMAIL || tag == URI) && is_nobodys(base);
}

// GeneralSubtrees without minimum and maximum, which RFC 5280 forbids.
static bool read_permitted(struct der trees, struct seen *seen, const char **why) {
  struct der tree, base;
  while (trees.len > 0) {
    *why = "its name constraints cannot be read";
    if (!der_take(&trees, DER_SEQUENCE, &tree) || tree.len == 0) return false;
    uint8_t tag = tree.at[0];
    if (!der_take(&tree, tag, &base) || tree.len != 0) return false;
    *why = "its name constraints permit more than local names and loopback addresses";
    if (!may_permit(tag, &base, seen)) return false;
  }
  return true;
}

bool constraints_local(struct der extension, const char **why) {
  struct der both, trees;
  struct seen seen = {false, false, false};
  *why = "its name constraints cannot be read";
  if (!der_take(&extension, DER_SEQUENCE, &both) || extension.len != 0) return false;
  // Not every program understands exclusions, and a CA of locald has none.
  *why = "its name constraints also exclude names";
  if (!der_take(&both, PERMITTED, &trees) || trees.len == 0 || both.len != 0) return false;
  if (!read_permitted(trees, &seen, why)) return false;
  // Constraints apply only to the kinds of names they list; IPv4 and IPv6 are two kinds for GnuTLS.
  *why = "its name constraints permit any DNS name";
  if (!seen.names) return false;
  *why = "its name constraints permit any IP address of one family: they must list 127.0.0.0/8 and ::1";
  return seen.four && seen.six;
}
