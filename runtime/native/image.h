/*
 * The heap of a script that has been loaded and has not begun: made once by the build, part of the executable, mapped by the kernel at every start.
 * See README.md.
 */
#ifndef TSRUN_IMAGE_H
#define TSRUN_IMAGE_H

#include <stdbool.h>

#include "quickjs.h"

/* What the engine's heap is made of: in the image while it is made, in the C library's heap after that. */
extern const JSMallocFunctions image_malloc_functions;

/* The context whose heap this executable carries, or NULL in the executable that makes the image. */
JSContext *image_context(void);

/*
 * Takes the pages of the image at once, huge ones where they fit, which the engine's counts of references are going to write to one by one. To be called
 * before anything keeps what it has read there.
 */
void image_populate(void);

/*
 * Writes the image of `ctx`, whose runtime was made with image_malloc_functions. Returns false, after a sentence on standard error, when the file
 * cannot be written or the heap holds an address that will be another one at the next start.
 */
bool image_save(JSContext *ctx, const char *path);

#endif
