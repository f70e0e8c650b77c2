#include "ca-check.h"

#include <string.h>

#include "constraints.h"
#include "der.h"

enum { VERSION = 0xa0, EXTENSIONS = 0xa3, RSA_MIN_BYTES = 256, RSA_MAX_BYTES = 1024 };

#define OID(...) {(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})}

struct oid {
  const uint8_t *bytes;
  size_t len;
};

static const struct oid common_name = OID(0x55, 4, 3);
static const struct oid rsa = OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1);
static const struct oid elliptic = OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1);
static const struct oid curves[] = {OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7), OID(0x2b, 0x81, 4, 0, 0x22)};

// SHA-256, 384, 512 with RSA (PKCS 1.5); the same with ECDSA.
static const struct oid signatures[] = {
    OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11), OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12),
    OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13), OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2),
    OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3),        OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4),
};

enum extension { BASIC_CONSTRAINTS, KEY_USAGE, NAME_CONSTRAINTS, EXTENDED_KEY_USAGE, SUBJECT_KEY, AUTHORITY_KEY, KINDS };
static const struct oid extensions[KINDS] = {
    [BASIC_CONSTRAINTS] = OID(0x55, 0x1d, 19),  [KEY_USAGE] = OID(0x55, 0x1d, 15),   [NAME_CONSTRAINTS] = OID(0x55, 0x1d, 30),
    [EXTENDED_KEY_USAGE] = OID(0x55, 0x1d, 37), [SUBJECT_KEY] = OID(0x55, 0x1d, 14), [AUTHORITY_KEY] = OID(0x55, 0x1d, 35),
};

static bool is(const struct der *oid, const struct oid *known) { return der_equal(oid, known->bytes, known->len); }

static bool is_one_of(const struct der *oid, const struct oid *known, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (is(oid, &known[i])) return true;
  return false;
}

static bool read_serial(struct der *from, struct ca *ca) {
  struct der serial;
  if (!der_take(from, DER_INTEGER, &serial) || serial.len == 0 || serial.len > SERIAL_MAX) return false;
  if ((serial.at[0] & 0x80) != 0) return false;  // negative
  memcpy(ca->serial, serial.at, serial.len);
  ca->serial_len = serial.len;
  return true;
}

// Returns whether a Name has a common name that begins with "locald".
static bool names_locald(struct der name) {
  static const char ours[] = "locald";
  struct der set, pair, oid, value;
  bool found = false;
  while (name.len > 0) {
    if (!der_take(&name, DER_SET, &set) || !der_take(&set, DER_SEQUENCE, &pair) || set.len != 0) return false;
    if (!der_take(&pair, DER_OID, &oid) || pair.len == 0) return false;
    uint8_t tag = pair.at[0];
    if (!der_take(&pair, tag, &value) || pair.len != 0) return false;
    bool text = tag == DER_UTF8 || tag == DER_PRINTABLE;
    if (is(&oid, &common_name) && text && value.len >= sizeof ours - 1)
      found = found || memcmp(value.at, ours, sizeof ours - 1) == 0;
  }
  return found;
}

static bool read_time(struct der *from) {
  struct der time;
  bool short_year = der_next(from, DER_UTC_TIME);
  if (!der_take(from, short_year ? DER_UTC_TIME : DER_GENERALIZED_TIME, &time)) return false;
  if (time.len != (short_year ? 13 : 15) || time.at[time.len - 1] != 'Z') return false;
  for (size_t i = 0; i + 1 < time.len; i++)
    if (time.at[i] < '0' || time.at[i] > '9') return false;
  return true;
}

static bool read_validity(struct der *from) {
  struct der validity;
  return der_take(from, DER_SEQUENCE, &validity) && read_time(&validity) && read_time(&validity) && validity.len == 0;
}

static bool strong_rsa(struct der bits) {
  struct der key, modulus, exponent;
  if (bits.len == 0 || bits.at[0] != 0) return false;  // no unused bits
  bits.at++;
  bits.len--;
  if (!der_take(&bits, DER_SEQUENCE, &key) || bits.len != 0 || !der_take(&key, DER_INTEGER, &modulus)) return false;
  if (!der_take(&key, DER_INTEGER, &exponent) || key.len != 0 || exponent.len == 0) return false;
  // A positive number with its highest bit set starts with a zero byte.
  if (modulus.len == 0 || modulus.at[0] != 0) return false;
  return modulus.len - 1 >= RSA_MIN_BYTES && modulus.len - 1 <= RSA_MAX_BYTES;
}

static bool strong_key(struct der *from) {
  struct der info, algorithm, oid, curve, nothing, bits;
  if (!der_take(from, DER_SEQUENCE, &info) || !der_take(&info, DER_SEQUENCE, &algorithm)) return false;
  if (!der_take(&info, DER_BIT_STRING, &bits) || info.len != 0 || !der_take(&algorithm, DER_OID, &oid)) return false;
  if (is(&oid, &rsa)) {
    bool plain = der_take(&algorithm, DER_NULL, &nothing) && nothing.len == 0 && algorithm.len == 0;
    return plain && strong_rsa(bits);
  }
  return is(&oid, &elliptic) && der_take(&algorithm, DER_OID, &curve) && algorithm.len == 0 &&
         is_one_of(&curve, curves, sizeof curves / sizeof *curves);
}

static bool strong_signature(struct der algorithm) {
  struct der oid;
  return der_take(&algorithm, DER_OID, &oid) && is_one_of(&oid, signatures, sizeof signatures / sizeof *signatures);
}

static bool is_ca(struct der value) {
  struct der fields, flag;
  if (!der_take(&value, DER_SEQUENCE, &fields) || value.len != 0) return false;
  // A pathLenConstraint may follow.
  return der_take(&fields, DER_BOOLEAN, &flag) && der_equal(&flag, "\xff", 1);
}

static bool signs_certificates(struct der value) {
  enum { KEY_CERT_SIGN = 0x04 };
  struct der bits;
  if (!der_take(&value, DER_BIT_STRING, &bits) || value.len != 0) return false;
  return bits.len >= 2 && bits.at[0] < 8 && (bits.at[1] & KEY_CERT_SIGN) != 0;
}

static bool for_servers_only(struct der value) {
  static const uint8_t server[] = {0x2b, 6, 1, 5, 5, 7, 3, 1};
  struct der list, purpose;
  if (!der_take(&value, DER_SEQUENCE, &list) || value.len != 0) return false;
  return der_take(&list, DER_OID, &purpose) && list.len == 0 && der_equal(&purpose, server, sizeof server);
}

static bool check_extension(enum extension kind, bool critical, struct der value, const char **why) {
  *why = "it is not marked as a CA";
  if (kind == BASIC_CONSTRAINTS) return critical && is_ca(value);
  if (kind == KEY_USAGE) return critical && signs_certificates(value);
  *why = "it is not limited to TLS servers";
  if (kind == EXTENDED_KEY_USAGE) return for_servers_only(value);
  *why = "its name constraints are not critical";
  if (kind == NAME_CONSTRAINTS) return critical && constraints_local(value, why);
  return true;
}

static bool check_extensions(struct der list, const char **why) {
  bool seen[KINDS] = {false};
  struct der extension, oid, flag, value;
  while (list.len > 0) {
    *why = "its extensions cannot be read";
    if (!der_take(&list, DER_SEQUENCE, &extension) || !der_take(&extension, DER_OID, &oid)) return false;
    bool critical = der_next(&extension, DER_BOOLEAN);
    if (critical && (!der_take(&extension, DER_BOOLEAN, &flag) || !der_equal(&flag, "\xff", 1))) return false;
    if (!der_take(&extension, DER_OCTET_STRING, &value) || extension.len != 0) return false;
    enum extension kind = 0;
    while (kind < KINDS && !is(&oid, &extensions[kind])) kind++;
    *why = "it has an unexpected extension";
    if (kind == KINDS || seen[kind]) return false;
    seen[kind] = true;
    if (!check_extension(kind, critical, value, why)) return false;
  }
  *why = "it is not marked as a CA";
  if (!seen[BASIC_CONSTRAINTS] || !seen[KEY_USAGE]) return false;
  *why = "it is not limited to TLS servers";
  if (!seen[EXTENDED_KEY_USAGE]) return false;
  *why = "it has no name constraints";
  return seen[NAME_CONSTRAINTS];
}

static bool read_head(struct der *body, struct ca *ca) {
  struct der version, number;
  if (!der_take(body, VERSION, &version) || !der_take(&version, DER_INTEGER, &number) || version.len != 0) return false;
  return der_equal(&number, "\x02", 1) && read_serial(body, ca);
}

static bool check_body(struct der body, const struct der *outer, struct ca *ca, const char **why) {
  struct der algorithm, issuer, subject, wrapped, list;
  *why = "it is not an X.509 certificate of version 3";
  if (!read_head(&body, ca)) return false;
  if (!der_take(&body, DER_SEQUENCE, &algorithm) || !der_take(&body, DER_SEQUENCE, &issuer)) return false;
  if (!read_validity(&body) || !der_take(&body, DER_SEQUENCE, &subject)) return false;
  *why = "its signature algorithm is too weak";
  if (!der_equal(outer, algorithm.at, algorithm.len) || !strong_signature(algorithm)) return false;
  *why = "it is not a CA of locald";
  if (!der_equal(&issuer, subject.at, subject.len) || !names_locald(subject)) return false;
  *why = "its key is too weak or of an unknown type";
  if (!strong_key(&body)) return false;
  *why = "its extensions cannot be read";
  if (!der_take(&body, EXTENSIONS, &wrapped) || body.len != 0) return false;
  if (!der_take(&wrapped, DER_SEQUENCE, &list) || wrapped.len != 0) return false;
  return check_extensions(list, why);
}

static bool read_parts(const uint8_t *certificate, size_t len, struct der *body, struct der *algorithm) {
  struct der all = {.at = certificate, .len = len}, fields, signature;
  if (!der_take(&all, DER_SEQUENCE, &fields) || all.len != 0) return false;
  if (!der_take(&fields, DER_SEQUENCE, body) || !der_take(&fields, DER_SEQUENCE, algorithm)) return false;
  return der_take(&fields, DER_BIT_STRING, &signature) && fields.len == 0;
}

bool ca_check(const uint8_t *certificate, size_t len, struct ca *ca, const char **why) {
  struct der body, algorithm;
  *why = "it is not an X.509 certificate of version 3";
  return read_parts(certificate, len, &body, &algorithm) && check_body(body, &algorithm, ca, why);
}

bool ca_read(const uint8_t *certificate, size_t len, struct ca *ca) {
  struct der body, algorithm;
  return read_parts(certificate, len, &body, &algorithm) && read_head(&body, ca);
}
