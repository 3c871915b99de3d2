/*
 * The native engine: QuickJS-ng under the same TypeScript that Node runs. It gives scripts one global, `sys`, which is the interface of
 * ../src/sys/sys.ts, and calls their `main`, out of a heap that is part of this executable. See README.md.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "image.h"
#include "quickjs.h"
#include "text.h"

#define MAX_ARGUMENTS 6

/* What a JavaScript value is to C, and the text that has to be freed after the call. */
typedef struct {
  long value;
  const char *text;
} Register;

/* Sets `out` and returns 0, or throws and returns -1. */
static int to_register(JSContext *ctx, JSValueConst argument, Register *out) {
  int64_t number;
  size_t length;
  out->text = NULL;
  if (JS_IsString(argument)) {
    if (!(out->text = utf8_of(ctx, argument, &length))) return -1;
    if (strlen(out->text) != length) {
      JS_FreeCString(ctx, out->text);
      out->text = NULL;
      JS_ThrowTypeError(ctx, "a string with a NUL character cannot be given to C");
      return -1;
    }
    out->value = (long)out->text;
    return 0;
  }
  if (JS_IsNumber(argument) || JS_IsBigInt(argument)) {
    /* A BigInt wraps modulo 2^64, so that both -1n and 0xffffffffffffffffn mean all bits. */
    if (JS_ToInt64Ext(ctx, &number, argument)) return -1;
    out->value = number;
    return 0;
  }
  if (JS_IsNull(argument)) {
    out->value = 0;
    return 0;
  }
  if (JS_IsArrayBuffer(argument)) {
    uint8_t *bytes = JS_GetArrayBuffer(ctx, &length, argument);
    out->value = (long)bytes;
    return bytes ? 0 : -1;
  }
  JS_ThrowTypeError(ctx, "an argument must be a number, a bigint, a string, an ArrayBuffer or null");
  return -1;
}

static void free_registers(JSContext *ctx, const Register *registers, int count) {
  for (int i = 0; i < count; i++) {
    if (registers[i].text) JS_FreeCString(ctx, registers[i].text);
  }
}

/* `registers` has room for the number or the address of what to call, and for the arguments. */
static int to_registers(JSContext *ctx, int argc, JSValueConst *argv, Register *registers) {
  memset(registers, 0, (1 + MAX_ARGUMENTS) * sizeof *registers);
  if (argc < 1 || argc > 1 + MAX_ARGUMENTS) {
    JS_ThrowTypeError(ctx, "a call takes at most six arguments");
    return -1;
  }
  for (int i = 0; i < argc; i++) {
    if (to_register(ctx, argv[i], &registers[i])) {
      free_registers(ctx, registers, i);
      return -1;
    }
  }
  return 0;
}

static JSValue sys_syscall(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Register r[1 + MAX_ARGUMENTS];
  if (to_registers(ctx, argc, argv, r)) return JS_EXCEPTION;
  long result = syscall(r[0].value, r[1].value, r[2].value, r[3].value, r[4].value, r[5].value, r[6].value);
  if (result == -1) result = -errno;
  free_registers(ctx, r, argc);
  return JS_NewInt64(ctx, result);
}

static JSValue sys_call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Register r[1 + MAX_ARGUMENTS];
  if (to_registers(ctx, argc, argv, r)) return JS_EXCEPTION;
  long (*function)(long, long, long, long, long, long) = (void *)r[0].value;
  if (!function) {
    free_registers(ctx, r, argc);
    return JS_ThrowTypeError(ctx, "there is no function at address 0");
  }
  long result = function(r[1].value, r[2].value, r[3].value, r[4].value, r[5].value, r[6].value);
  free_registers(ctx, r, argc);
  return JS_NewInt64(ctx, result);
}

static JSValue sys_symbol(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Register r[1 + MAX_ARGUMENTS];
  if (to_registers(ctx, argc, argv, r)) return JS_EXCEPTION;
  void *library = argc == 2 && r[0].text && r[1].text ? dlopen(r[0].text, RTLD_NOW) : NULL;
  void *address = library ? dlsym(library, r[1].text) : NULL;
  free_registers(ctx, r, argc);
  return JS_NewInt64(ctx, (long)address);
}

static JSValue sys_address(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  size_t length;
  uint8_t *bytes = JS_GetArrayBuffer(ctx, &length, argv[0]);
  return bytes ? JS_NewInt64(ctx, (long)bytes) : JS_EXCEPTION;
}

static JSValue sys_peek(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int64_t address, length;
  if (JS_ToInt64(ctx, &address, argv[0]) || JS_ToInt64(ctx, &length, argv[1])) return JS_EXCEPTION;
  if (length < 0) return JS_ThrowRangeError(ctx, "a length cannot be negative");
  return JS_NewArrayBufferCopy(ctx, (const uint8_t *)address, length);
}

static JSValue sys_encode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  size_t length;
  const char *text = utf8_of(ctx, argv[0], &length);
  if (!text) return JS_EXCEPTION;
  JSValue buffer = JS_NewArrayBufferCopy(ctx, (const uint8_t *)text, length);
  JS_FreeCString(ctx, text);
  return buffer;
}

static JSValue sys_decode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  size_t size;
  int64_t offset = 0, length;
  uint8_t *bytes = JS_GetArrayBuffer(ctx, &size, argv[0]);
  if (!bytes) return JS_EXCEPTION;
  if (!JS_IsUndefined(argv[1]) && JS_ToInt64(ctx, &offset, argv[1])) return JS_EXCEPTION;
  if (offset < 0 || offset > (int64_t)size) return JS_ThrowRangeError(ctx, "the offset is outside of the buffer");
  length = size - offset;
  if (!JS_IsUndefined(argv[2]) && JS_ToInt64(ctx, &length, argv[2])) return JS_EXCEPTION;
  if (length < 0 || length > (int64_t)size - offset) return JS_ThrowRangeError(ctx, "the length is outside of the buffer");
  return string_of(ctx, bytes + offset, length);
}

/* QuickJS fills up missing arguments with undefined as far as the length given here. */
static const JSCFunctionListEntry sys_functions[] = {
    JS_CFUNC_DEF("syscall", 1, sys_syscall), JS_CFUNC_DEF("call", 1, sys_call),     JS_CFUNC_DEF("symbol", 2, sys_symbol),
    JS_CFUNC_DEF("address", 1, sys_address), JS_CFUNC_DEF("peek", 2, sys_peek),     JS_CFUNC_DEF("encode", 1, sys_encode),
    JS_CFUNC_DEF("decode", 3, sys_decode),
};

static JSValue string_list(JSContext *ctx, char *const *strings) {
  JSValue list = JS_NewArray(ctx);
  for (uint32_t i = 0; strings[i]; i++) {
    JS_SetPropertyUint32(ctx, list, i, string_of(ctx, (const uint8_t *)strings[i], strlen(strings[i])));
  }
  return list;
}

/* The part of `sys` that is the same at every start, and so part of the image. */
static void define_sys(JSContext *ctx) {
  JSValue global = JS_GetGlobalObject(ctx), sys = JS_NewObject(ctx);
#if defined(__x86_64__)
  JS_SetPropertyStr(ctx, sys, "arch", JS_NewString(ctx, "x86_64"));
#elif defined(__aarch64__)
  JS_SetPropertyStr(ctx, sys, "arch", JS_NewString(ctx, "aarch64"));
#else
#error "tsrun knows x86_64 and aarch64"
#endif
  JS_SetPropertyFunctionList(ctx, sys, sys_functions, sizeof sys_functions / sizeof *sys_functions);
  JS_SetPropertyStr(ctx, global, "sys", sys);
  JS_FreeValue(ctx, global);
}

static void print_exception(JSContext *ctx) {
  JSValue exception = JS_GetException(ctx), stack = JS_GetPropertyStr(ctx, exception, "stack");
  const char *message = JS_ToCString(ctx, exception), *trace = JS_IsString(stack) ? JS_ToCString(ctx, stack) : NULL;
  fprintf(stderr, "tsrun: internal error: %s\n%s", message ? message : "out of memory", trace ? trace : "");
}

/*
 * Nearly all of a start is page faults. One call for the pages that are going to be touched costs a fraction of taking them one by one. Older kernels
 * refuse the advice, and that is all.
 */
static void populate_heap(size_t bytes) {
  mallopt(M_MMAP_THRESHOLD, 8 << 20);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
  void *block = malloc(bytes);
  uintptr_t page = ((uintptr_t)block + 4095) & ~(uintptr_t)4095;
  free(block);
  madvise((void *)page, bytes - 4096, MADV_POPULATE_WRITE);
}

/* The same for the stack, which the engine uses for a call's values. It grows to the page that is touched, and only then can be asked for. */
__attribute__((noinline)) static void populate_stack(void) {
  volatile char room[96 << 10];
  room[0] = 0;
  uintptr_t page = (uintptr_t)room & ~(uintptr_t)4095;
  madvise((void *)page, sizeof room, MADV_POPULATE_WRITE);
}

/* Only what the language needs. No eval, no promises: the library is compiled beforehand, and synchronous. */
static JSContext *new_context(void) {
  JSRuntime *runtime = JS_NewRuntime2(&image_malloc_functions, NULL);
  JSContext *ctx = runtime ? JS_NewContextRaw(runtime) : NULL;
  if (!ctx || JS_AddIntrinsicBaseObjects(ctx) || JS_AddIntrinsicDate(ctx) || JS_AddIntrinsicRegExp(ctx) || JS_AddIntrinsicJSON(ctx) ||
      JS_AddIntrinsicMapSet(ctx) || JS_AddIntrinsicTypedArrays(ctx) || JS_AddIntrinsicBigInt(ctx)) {
    return NULL;
  }
  JS_AddIntrinsicRegExpCompiler(ctx);
  /* Only cycles wait for the collector, so that a short command never needs it; one that runs for days may. */
  JS_SetGCThreshold(runtime, 32 << 20);
  return ctx;
}

/* Evaluates a script's bytecode, which defines `main`, and writes the image: what an executable without an image does. */
static int make_image(const char *bytecode, const char *path) {
  FILE *file = fopen(bytecode, "rb");
  /* The kernel maps it; the script is not to lie in the image twice. */
  long size = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  uint8_t *bytes = size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fileno(file), 0) : MAP_FAILED;
  if (bytes == MAP_FAILED) {
    fprintf(stderr, "image: cannot read %s: %s\n", bytecode, strerror(errno));
    return 1;
  }
  JSContext *ctx = new_context();
  if (!ctx) {
    fputs("image: out of memory\n", stderr);
    return 1;
  }
  define_sys(ctx);
  JSValue script = JS_ReadObject(ctx, bytes, size, JS_READ_OBJ_BYTECODE);
  JSValue result = JS_IsException(script) ? script : JS_EvalFunction(ctx, script);
  if (JS_IsException(result)) {
    print_exception(ctx);
    return 1;
  }
  JS_FreeValue(ctx, result);
  return image_save(ctx, path) ? 0 : 1;
}

int main(int argc, char **argv) {
  JSContext *ctx = image_context();
  if (!ctx) return make_image(argv[1], argv[2]);
  image_populate();
  populate_heap(512 << 10);
  populate_stack();
  JS_UpdateStackTop(JS_GetRuntime(ctx));
  JSValue global = JS_GetGlobalObject(ctx), sys = JS_GetPropertyStr(ctx, global, "sys");
  JS_SetPropertyStr(ctx, sys, "argv", string_list(ctx, argv));
  JS_SetPropertyStr(ctx, sys, "environ", string_list(ctx, environ));
  JSValue main_function = JS_GetPropertyStr(ctx, global, "main");
  JSValue status = JS_Call(ctx, main_function, JS_UNDEFINED, 1, &sys);
  if (JS_IsException(status)) {
    print_exception(ctx);
    return 1;
  }
  /* No teardown: the kernel takes everything back at once. */
  _exit(JS_VALUE_GET_INT(status));
}
