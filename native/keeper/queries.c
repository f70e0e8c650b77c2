#include "queries.h"

#include <stdint.h>
#include <string.h>

// Pixels of a cell: there is no real screen, so any usual size does.
enum { CELL_WIDTH = 8, CELL_HEIGHT = 16 };

enum { BELL = 0x07, CANCEL = 0x18, SUBSTITUTE = 0x1a, ESC = 0x1b, DELETE = 0x7f };

// Control sequences with fixed answers, by parameters and final byte. No answer is itself a query.
static const struct {
  const char *asked, *answer;
} controls[] = {
    {"c", "\033[?1;2c"},               // primary attributes: a VT100
    {"0c", "\033[?1;2c"},
    {">c", "\033[>0;0;0c"},            // secondary attributes
    {">0c", "\033[>0;0;0c"},
    {"=c", "\033P!|00000000\033\\"},   // unit ID
    {"=0c", "\033P!|00000000\033\\"},
    {"5n", "\033[0n"},                 // status: ok
    {"6n", "\033[1;1R"},               // cursor position: no one looks at it
    {"?6n", "\033[?1;1R"},
    {">q", "\033P>|locald\033\\"},     // name and version
    {">0q", "\033P>|locald\033\\"},
    {"?u", "\033[?0u"},                // kitty keyboard protocol: all off
};

static void add(struct text *answers, const char *answer) {
  if (strlen(answer) < answers->cap - answers->len) text_add(answers, answer);
}

// "\033[8;24;80t": the kind of size, and two lengths.
static void add_lengths(struct text *answers, char kind, unsigned height, unsigned width) {
  char answer[ANSWER_MAX];
  const char head[] = {'\033', '[', kind, ';', '\0'};
  struct text text = text_in(answer, sizeof answer);
  text_add(&text, head);
  text_number(&text, height);
  text_add(&text, ";");
  text_number(&text, width);
  text_add(&text, "t");
  add(answers, answer);
}

// Sizes of the text in pixels (14), the screen (15), a cell (16), the text in cells (18), the screen (19). There is one window, filling the screen.
static void add_size(struct text *answers, const char *asked, terminal_size_call size) {
  unsigned cols, rows;
  if (asked[0] != '1' || !size(&cols, &rows)) return;
  if (asked[1] == '4') add_lengths(answers, '4', rows * CELL_HEIGHT, cols * CELL_WIDTH);
  if (asked[1] == '5') add_lengths(answers, '5', rows * CELL_HEIGHT, cols * CELL_WIDTH);
  if (asked[1] == '6') add_lengths(answers, '6', CELL_HEIGHT, CELL_WIDTH);
  if (asked[1] == '8') add_lengths(answers, '8', rows, cols);
  if (asked[1] == '9') add_lengths(answers, '9', rows, cols);
}

// "?2026$p" asks whether the mode is on; the answer is "not recognized".
static void add_mode(struct text *answers, const char *body, size_t len) {
  char answer[ANSWER_MAX];
  size_t digits = len - 2, at = body[0] == '?' ? 1 : 0;
  uint64_t mode;
  if (digits <= at || !number_parse(body + at, digits - at, UINT16_MAX, &mode)) return;
  struct text text = text_in(answer, sizeof answer);
  text_add(&text, "\033[");
  text_bytes(&text, body, digits);
  text_add(&text, ";0$y");
  add(answers, answer);
}

static void take_control(const struct queries *queries, terminal_size_call size, struct text *answers) {
  const char *body = queries->body;
  size_t len = queries->len;
  if (strchr("cnqutp", body[len - 1]) == NULL) return;
  for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
    if (strlen(controls[i].asked) == len && memcmp(controls[i].asked, body, len) == 0) add(answers, controls[i].answer);
  if (len == 3 && body[2] == 't') add_size(answers, body, size);
  if (len > 2 && memcmp(body + len - 2, "$p", 2) == 0) add_mode(answers, body, len);
}

// xterm's 256 colours: 16 named ones, a cube of 6 by 6 by 6, 24 greys.
static uint32_t palette(uint64_t number) {
  static const uint32_t named[] = {0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
                                   0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff};
  static const uint32_t steps[] = {0x00, 0x5f, 0x87, 0xaf, 0xd7, 0xff};
  if (number < 16) return named[number];
  if (number >= 232) return (uint32_t)(8 + 10 * (number - 232)) * 0x010101;
  number -= 16;
  return steps[number / 36] << 16 | steps[number / 6 % 6] << 8 | steps[number % 6];
}

// A queried colour: text, background and cursor (10, 11, 12), or a number of the palette.
struct colour {
  bool of_palette;
  uint64_t number;
};

static uint32_t red_green_blue(const struct colour *colour) {
  return colour->of_palette ? palette(colour->number) : colour->number == 11 ? 0x000000 : 0xffffff;
}

// "\033]4;1;rgb:cdcd/0000/0000", each two digits twice, with the terminator of the query.
static void add_colour(struct text *answers, const struct colour *colour, char last) {
  static const char digits[] = "0123456789abcdef";
  char answer[ANSWER_MAX];
  uint32_t value = red_green_blue(colour);
  struct text text = text_in(answer, sizeof answer);
  text_add(&text, colour->of_palette ? "\033]4;" : "\033]");
  text_number(&text, colour->number);
  text_add(&text, ";rgb:");
  for (int shift = 16; shift >= 0; shift -= 8) {
    const char high = digits[value >> (shift + 4) & 15], low = digits[value >> shift & 15];
    const char part[] = {high, low, high, low, shift > 0 ? '/' : '\0', '\0'};
    text_add(&text, part);
  }
  text_add(&text, last == BELL ? "\007" : "\033\\");
  add(answers, answer);
}

// Reads up to the next semicolon. Returns false at the end.
static bool next_word(const char **at, const char *end, const char **word, size_t *len) {
  if (*at > end) return false;
  const char *semicolon = memchr(*at, ';', (size_t)(end - *at));
  *word = *at;
  *len = (size_t)((semicolon == NULL ? end : semicolon) - *at);
  *at += *len + 1;
  return true;
}

// "4;1;?;2;?" queries two colours of the palette, "10;?;?" those of text and background. Others may be set in between.
static void take_colours(const struct queries *queries, char last, struct text *answers) {
  const char *at = queries->body, *end = at + queries->len, *word;
  size_t len;
  struct colour colour;
  if (!next_word(&at, end, &word, &len) || !number_parse(word, len, 12, &colour.number)) return;
  colour.of_palette = colour.number == 4;
  if (!colour.of_palette && colour.number < 10) return;
  while (colour.of_palette || colour.number <= 12) {
    if (colour.of_palette && (!next_word(&at, end, &word, &len) || !number_parse(word, len, 255, &colour.number))) return;
    if (!next_word(&at, end, &word, &len)) return;
    if (len == 1 && *word == '?') add_colour(answers, &colour, last);
    if (!colour.of_palette) colour.number++;
  }
}

static void take_string(const struct queries *queries, char last, struct text *answers) {
  if (queries->too_long) return;
  if (queries->kind == ']') take_colours(queries, last, answers);
  if (queries->kind != 'P' || queries->len < 2) return;
  // A setting or a capability: not supported.
  if (memcmp(queries->body, "$q", 2) == 0) add(answers, "\033P0$r\033\\");
  if (memcmp(queries->body, "+q", 2) == 0) add(answers, "\033P0+r\033\\");
}

static void keep(struct queries *queries, char byte) {
  if (queries->len == QUERY_MAX) queries->too_long = true;
  else queries->body[queries->len++] = byte;
}

static void after_escape(struct queries *queries, unsigned char byte, struct text *answers) {
  queries->len = 0;
  queries->too_long = false;
  queries->state = QUERIES_TEXT;
  if (byte == ESC) queries->state = QUERIES_ESCAPE;
  else if (byte == '[') queries->state = QUERIES_CONTROL;
  else if (byte >= 0x20 && byte < 0x30) queries->state = QUERIES_CHARSET;
  else if (byte == 'Z') add(answers, controls[0].answer);
  else if (byte != 0 && strchr("]PX^_", byte) != NULL) queries->state = QUERIES_STRING;
  queries->kind = (char)byte;
}

// Handles a byte inside a sequence.
static void take(struct queries *queries, char byte, terminal_size_call size, struct text *answers) {
  unsigned char value = (unsigned char)byte;
  if (value == CANCEL || value == SUBSTITUTE) {
    queries->state = QUERIES_TEXT;
  } else if (queries->state == QUERIES_STRING_END && byte == '\\') {
    queries->state = QUERIES_TEXT;
    take_string(queries, byte, answers);
  } else if (queries->state == QUERIES_ESCAPE || queries->state == QUERIES_STRING_END) {
    after_escape(queries, value, answers);
  } else if (value == ESC) {
    queries->state = queries->state == QUERIES_STRING ? QUERIES_STRING_END : QUERIES_ESCAPE;
  } else if (queries->state == QUERIES_STRING) {
    if (value == BELL && queries->kind == ']') {
      queries->state = QUERIES_TEXT;
      take_string(queries, byte, answers);
    } else {
      keep(queries, byte);
    }
  } else if (value >= 0x20) {
    // Control characters inside a sequence take effect on their own and are no part of it.
    bool goes_on = value < (queries->state == QUERIES_CONTROL ? 0x40 : 0x30);
    if (queries->state == QUERIES_CONTROL) keep(queries, byte);
    if (!goes_on && queries->state == QUERIES_CONTROL && value < DELETE && !queries->too_long)
      take_control(queries, size, answers);
    if (!goes_on) queries->state = QUERIES_TEXT;
  }
}

// Most sequences set colours. Returns the end of one that is no query, which starts here after its ESC; NULL: it needs a closer look.
static const char *past_colour(const char *at, const char *end) {
  if (at == end || *at != '[') return NULL;
  do at++;
  while (at < end && ((*at >= '0' && *at <= '9') || *at == ';'));
  return at < end && (*at == 'm' || *at == 'K' || *at == 'G') ? at + 1 : NULL;
}

void queries_take(struct queries *queries, const char *bytes, size_t len, terminal_size_call size, struct text *answers) {
  const char *end = bytes + len;
  while (bytes < end) {
    if (queries->state == QUERIES_TEXT) {
      bytes = memchr(bytes, ESC, (size_t)(end - bytes));
      if (bytes == NULL) return;
      const char *past = past_colour(++bytes, end);
      if (past != NULL) bytes = past;
      else queries->state = QUERIES_ESCAPE;
    } else {
      take(queries, *bytes++, size, answers);
    }
  }
}
