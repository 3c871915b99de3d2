/* Strings between JavaScript and C, with U+FFFD for what has no other form: the same on both engines, by the rules of the Encoding Standard. */
#ifndef TSRUN_TEXT_H
#define TSRUN_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "quickjs.h"

/* The value as NUL-terminated UTF-8, to be freed by JS_FreeCString; NULL after an exception. */
const char *utf8_of(JSContext *ctx, JSValueConst value, size_t *length);

/* The string that the bytes are in UTF-8. A byte order mark is kept. */
JSValue string_of(JSContext *ctx, const uint8_t *bytes, size_t length);

#endif
