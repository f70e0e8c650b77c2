#include "queries.h"

#include <stdint.h>
#include <string.h>

enum { BELL = 0x07, CANCEL = 0x18, SUBSTITUTE = 0x1a, ESC = 0x1b, DELETE = 0x7f };

// Asked by a control sequence: its parameters and last byte. Fixed answers; none of them is a query itself.
static const struct {
  const char *asked, *answer;
} controls[] = {
    {"c", "\033[?1;2c"},               // primary attributes: a VT100
    {"0c", "\033[?1;2c"},
    {">c", "\033[>0;0;0c"},            // secondary ones
    {">0c", "\033[>0;0;0c"},
    {"=c", "\033P!|00000000\033\\"},   // its unit
    {"=0c", "\033P!|00000000\033\\"},
    {"5n", "\033[0n"},                 // status: fine
    {"6n", "\033[1;1R"},               // where the cursor is: nobody looks
    {"?6n", "\033[?1;1R"},
    {">q", "\033P>|locald\033\\"},     // its name
    {">0q", "\033P>|locald\033\\"},
    {"?u", "\033[?0u"},                // kitty's keyboard: nothing of it is on
};

static void add(struct text *answers, const char *answer) {
  if (strlen(answer) < answers->cap - answers->len) text_add(answers, answer);
}

// "8;24;80t" of the size in cells.
static void add_size(struct text *answers, terminal_size_call size) {
  unsigned cols, rows;
  char answer[ANSWER_MAX];
  if (!size(&cols, &rows)) return;
  struct text text = text_in(answer, sizeof answer);
  text_add(&text, "\033[8;");
  text_number(&text, rows);
  text_add(&text, ";");
  text_number(&text, cols);
  text_add(&text, "t");
  add(answers, answer);
}

// "?2026$p", is the mode on: it is not known.
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
  if (len == 3 && memcmp(body, "18t", 3) == 0) add_size(answers, size);
  if (len > 2 && memcmp(body + len - 2, "$p", 2) == 0) add_mode(answers, body, len);
}

// Colours of text, background and cursor: white on black. The answer ends as the query does.
static void take_colour(const struct queries *queries, char last, struct text *answers) {
  char answer[ANSWER_MAX];
  const char *body = queries->body;
  if (queries->len != 4 || body[0] != '1' || body[1] < '0' || body[1] > '2' || body[2] != ';' || body[3] != '?') return;
  struct text text = text_in(answer, sizeof answer);
  text_add(&text, "\033]");
  text_bytes(&text, body, 3);
  text_add(&text, body[1] == '1' ? "rgb:0000/0000/0000" : "rgb:ffff/ffff/ffff");
  text_add(&text, last == BELL ? "\007" : "\033\\");
  add(answers, answer);
}

static void take_string(const struct queries *queries, char last, struct text *answers) {
  if (queries->too_long) return;
  if (queries->kind == ']') take_colour(queries, last, answers);
  if (queries->kind != 'P' || queries->len < 2) return;
  // A setting or a capability: not known.
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

// A byte of a sequence that has begun.
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
    // Control characters within a sequence have their own effect and are no part of it.
    bool goes_on = value < (queries->state == QUERIES_CONTROL ? 0x40 : 0x30);
    if (queries->state == QUERIES_CONTROL) keep(queries, byte);
    if (!goes_on && queries->state == QUERIES_CONTROL && value < DELETE && !queries->too_long)
      take_control(queries, size, answers);
    if (!goes_on) queries->state = QUERIES_TEXT;
  }
}

// Most sequences are colours: where one that is no query ends, which begins here after its ESC. NULL: to be looked at closely.
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
