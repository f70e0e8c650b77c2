#include "pem.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char head[] = "-----BEGIN CERTIFICATE-----";
static const char tail[] = "-----END CERTIFICATE-----";

// Takes a whole line off the front, without its end (LF or CR LF). Returns false when there is none.
static bool take_line(const char **at, size_t *left, const char **line, size_t *len) {
  const char *newline = memchr(*at, '\n', *left);
  if (newline == NULL) return false;
  *line = *at;
  *len = (size_t)(newline - *at);
  *left -= *len + 1;
  *at = newline + 1;
  if (*len > 0 && (*line)[*len - 1] == '\r') (*len)--;
  return true;
}

static bool is(const char *line, size_t len, const char *word) {
  return len == strlen(word) && memcmp(line, word, len) == 0;
}

struct bits {
  uint32_t value;
  unsigned digits, padding;
};

// Returns false for an invalid digit, or bytes after the padding.
static bool feed(struct bits *bits, char byte, uint8_t *der, size_t *der_len) {
  const char *digit = byte == '\0' ? NULL : strchr(alphabet, byte);
  if (byte == '=') bits->padding++;
  else if (digit == NULL || bits->padding > 0) return false;
  bits->value = bits->value << 6 | (byte == '=' ? 0 : (uint32_t)(digit - alphabet));
  if (++bits->digits < 4) return true;
  if (bits->padding > 2 || *der_len + 3 > CERTIFICATE_MAX) return false;
  size_t bytes = 3 - bits->padding;
  if ((bits->value & ((1U << (8 * bits->padding)) - 1)) != 0) return false;  // unused bits must be 0
  for (size_t i = 0; i < bytes; i++) der[(*der_len)++] = (uint8_t)(bits->value >> (16 - 8 * i));
  bits->value = 0;
  bits->digits = 0;
  return true;
}

bool pem_decode(const char *text, size_t len, uint8_t *der, size_t *der_len) {
  const char *at = text, *line;
  size_t left = len, length;
  struct bits bits = {0, 0, 0};
  *der_len = 0;
  if (!take_line(&at, &left, &line, &length) || !is(line, length, head)) return false;
  for (;;) {
    if (!take_line(&at, &left, &line, &length)) return false;
    if (is(line, length, tail)) break;
    for (size_t i = 0; i < length; i++)
      if (!feed(&bits, line[i], der, der_len)) return false;
  }
  for (size_t i = 0; i < left; i++)
    if (at[i] != '\r' && at[i] != '\n') return false;
  return bits.digits == 0 && *der_len > 0;
}

void pem_encode(const uint8_t *der, size_t len, struct text *out) {
  enum { LINE = 48 };
  text_add(out, head);
  for (size_t at = 0; at < len; at += 3) {
    char four[4] = {'=', '=', '=', '='};
    size_t have = len - at < 3 ? len - at : 3;
    uint32_t value = (uint32_t)der[at] << 16;
    if (have > 1) value |= (uint32_t)der[at + 1] << 8;
    if (have > 2) value |= der[at + 2];
    for (size_t i = 0; i <= have; i++) four[i] = alphabet[value >> (18 - 6 * i) & 63];
    if (at % LINE == 0) text_add(out, "\n");
    text_bytes(out, four, sizeof four);
  }
  text_add(out, "\n");
  text_add(out, tail);
  text_add(out, "\n");
}
