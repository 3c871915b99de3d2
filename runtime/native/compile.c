/*
 * The build's compiler: compile SCRIPT BYTECODE
 * Writes a script's bytecode for host.c. Source text and line tables are left out, which halves the time to load it; the names of functions stay.
 */
#include <stdio.h>
#include <stdlib.h>

#include "quickjs.h"

static char *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) return NULL;
  *length = ftell(file);
  rewind(file);
  /* JS_Eval wants a NUL after the end. */
  char *text = calloc(1, *length + 1);
  return text && fread(text, 1, *length, file) == *length && fclose(file) == 0 ? text : NULL;
}

int main(int argc, char **argv) {
  size_t length, size;
  char *source = argc == 3 ? read_file(argv[1], &length) : NULL;
  if (!source) {
    fprintf(stderr, "compile: cannot read the script (compile SCRIPT BYTECODE)\n");
    return 1;
  }
  JSContext *ctx = JS_NewContext(JS_NewRuntime());
  JSValue script = JS_Eval(ctx, source, length, "tsrun", JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_STRICT | JS_EVAL_FLAG_COMPILE_ONLY);
  if (JS_IsException(script)) {
    JSValue exception = JS_GetException(ctx);
    fprintf(stderr, "compile: %s\n%s", JS_ToCString(ctx, exception), JS_ToCString(ctx, JS_GetPropertyStr(ctx, exception, "stack")));
    return 1;
  }
  uint8_t *bytecode = JS_WriteObject(ctx, &size, script, JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE | JS_WRITE_OBJ_STRIP_DEBUG);
  FILE *file = bytecode ? fopen(argv[2], "wb") : NULL;
  if (!file || fwrite(bytecode, 1, size, file) != size || fclose(file)) {
    fprintf(stderr, "compile: cannot write the bytecode\n");
    return 1;
  }
  return 0;
}
