#include "json.h"

#include <string.h>

// Returns the length of the well-formed UTF-8 sequence at the start (RFC 3629), 0 when there is none.
static size_t utf8_length(const unsigned char *at, size_t left) {
  if (at[0] < 0x80) return 1;
  size_t need = at[0] >= 0xc2 && at[0] <= 0xdf ? 2 : (at[0] & 0xf0) == 0xe0 ? 3 : at[0] >= 0xf0 && at[0] <= 0xf4 ? 4 : 0;
  if (need == 0 || need > left) return 0;
  for (size_t i = 1; i < need; i++)
    if ((at[i] & 0xc0) != 0x80) return 0;
  if (at[0] == 0xe0 && at[1] < 0xa0) return 0;  // overlong
  if (at[0] == 0xed && at[1] > 0x9f) return 0;  // surrogates
  if (at[0] == 0xf0 && at[1] < 0x90) return 0;  // overlong
  if (at[0] == 0xf4 && at[1] > 0x8f) return 0;  // above U+10FFFF
  return need;
}

void text_json(struct text *text, const char *bytes, size_t len) {
  static const char hex[] = "0123456789abcdef";
  text_add(text, "\"");
  for (size_t i = 0; i < len;) {
    unsigned char byte = (unsigned char)bytes[i];
    size_t run = utf8_length((const unsigned char *)bytes + i, len - i);
    if (run == 0) {
      text_add(text, "\xef\xbf\xbd");
      run = 1;
    } else if (byte == '"' || byte == '\\') {
      char escape[2] = {'\\', (char)byte};
      text_bytes(text, escape, 2);
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
      text_bytes(text, escape, 6);
    } else {
      text_bytes(text, bytes + i, run);
    }
    i += run;
  }
  text_add(text, "\"");
}

void text_json_string(struct text *text, const char *string) {
  if (string == NULL)
    text_add(text, "null");
  else
    text_json(text, string, strlen(string));
}

void text_json_bool(struct text *text, bool value) { text_add(text, value ? "true" : "false"); }
