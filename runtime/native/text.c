#include "text.h"

#include <stdbool.h>
#include <string.h>

static const uint8_t replacement[3] = {0xef, 0xbf, 0xbd}; /* U+FFFD */

const char *utf8_of(JSContext *ctx, JSValueConst value, size_t *length) {
  const char *text = JS_ToCStringLen(ctx, length, value);
  /* QuickJS writes a lone surrogate as ED A0..BF xx. Text that is not ASCII is a copy made for us, so it may be changed. */
  char *end = text ? (char *)text + *length : NULL;
  for (char *at = (char *)text; at && (at = memchr(at, 0xed, end - at)); at++) {
    if (end - at >= 3 && (uint8_t)at[1] >= 0xa0) memcpy(at, replacement, sizeof replacement);
  }
  return text;
}

/* The length of the character at `bytes`, or of the longest part of one that is to be replaced as a whole. */
static size_t character(const uint8_t *bytes, size_t left, bool *valid) {
  uint8_t first = bytes[0], lowest = 0x80, highest = 0xbf;
  size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0, i = 1;
  if (first == 0xe0) lowest = 0xa0;  /* shorter forms exist */
  if (first == 0xed) highest = 0x9f; /* surrogates */
  if (first == 0xf0) lowest = 0x90;  /* shorter forms exist */
  if (first == 0xf4) highest = 0x8f; /* beyond U+10FFFF */
  while (i < length && i < left && bytes[i] >= lowest && bytes[i] <= highest) {
    lowest = 0x80;
    highest = 0xbf;
    i++;
  }
  *valid = i == length;
  return i;
}

JSValue string_of(JSContext *ctx, const uint8_t *bytes, size_t length) {
  bool valid = true;
  for (size_t at = 0; at < length && valid;) {
    at += character(bytes + at, length - at, &valid);
  }
  if (valid) return JS_NewStringLen(ctx, (const char *)bytes, length);

  uint8_t *repaired = js_malloc(ctx, length * sizeof replacement);
  if (!repaired) return JS_EXCEPTION;
  size_t used = 0;
  for (size_t at = 0; at < length;) {
    size_t step = character(bytes + at, length - at, &valid);
    memcpy(repaired + used, valid ? bytes + at : replacement, valid ? step : sizeof replacement);
    used += valid ? step : sizeof replacement;
    at += step;
  }
  JSValue string = JS_NewStringLen(ctx, (const char *)repaired, used);
  js_free(ctx, repaired);
  return string;
}
