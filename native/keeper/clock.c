#include "clock.h"

#include <string.h>
#include <time.h>

// clock_gettime(3) of macOS: CLOCK_MONOTONIC runs on during sleep there, so a grace period would be over at wake-up.
#ifdef __linux__
static const clockid_t awake = CLOCK_MONOTONIC;
#else
static const clockid_t awake = CLOCK_UPTIME_RAW;
#endif

int64_t clock_ms(void) {
  struct timespec now;
  if (clock_gettime(awake, &now) != 0) return 0;
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_epoch_ms(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return 0;
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void put_digits(char *at, int64_t number, int width) {
  while (width-- > 0) {
    at[width] = (char)('0' + number % 10);
    number /= 10;
  }
}

// Converts days since 1970 to a Gregorian date; years start in March here, so that the leap day comes last.
static void put_date(char *at, int64_t days) {
  days += 719468;
  int64_t era = days / 146097, day = days % 146097;
  int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  day -= 365 * year + year / 4 - year / 100;
  int64_t month = (5 * day + 2) / 153;
  put_digits(at + 8, day - (153 * month + 2) / 5 + 1, 2);
  put_digits(at + 5, month < 10 ? month + 3 : month - 9, 2);
  put_digits(at, era * 400 + year + (month >= 10 ? 1 : 0), 4);
}

void clock_stamp(char stamp[STAMP_LENGTH]) {
  static char last[STAMP_LENGTH + 1] = "0000-00-00T00:00:00.000000Z";
  static int64_t last_second = -1;
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) == 0) {
    if (now.tv_sec != last_second && now.tv_sec >= 0) {
      int64_t second = now.tv_sec % 86400;
      put_date(last, now.tv_sec / 86400);
      put_digits(last + 11, second / 3600, 2);
      put_digits(last + 14, second / 60 % 60, 2);
      put_digits(last + 17, second % 60, 2);
      last_second = now.tv_sec;
    }
    put_digits(last + 20, now.tv_nsec / 1000, 6);
  }
  memcpy(stamp, last, STAMP_LENGTH);
}
