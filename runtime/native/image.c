#define _GNU_SOURCE
#include "image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

/* Stands before the heap, at the address that image.ld gives; the build makes the section, empty or full. */
typedef struct {
  JSContext *ctx;
  /* Bytes from here on, this structure included, up to where the next block's header goes. */
  size_t used;
  size_t padding;
} Image;

extern Image image;
extern char image_end[];

/* Of the kernels that tsrun meets; where huge pages have another size, small ones take their place. */
#define HUGE_PAGE ((uintptr_t)2 << 20)
#define ALIGNMENT 16
#define CLASSES (size_t)((1 << 20) / ALIGNMENT)

/* Before each block of the image, which begins at a multiple of ALIGNMENT; so sizes are a multiple of it plus 8. */
typedef struct {
  size_t size;
} Header;

/* Blocks that were given back while the image is made, by size; later on they are left alone. */
typedef struct Free {
  struct Free *next;
} Free;
static Free *free_blocks[CLASSES];

static void release(void *opaque, void *pointer);

static bool is_in_image(const void *pointer) { return (const char *)pointer >= (const char *)&image && (const char *)pointer < image_end; }

static Header *header_of(const void *pointer) { return (Header *)pointer - 1; }

static size_t usable_size(const void *pointer) {
  if (!pointer) return 0;
  return is_in_image(pointer) ? header_of(pointer)->size : malloc_usable_size((void *)pointer);
}

/* A block that was given back, the rest of a larger one becoming a block of its own. */
static void *reuse(size_t size) {
  for (size_t class = size / ALIGNMENT; class < CLASSES; class++) {
    Free *block = free_blocks[class];
    if (!block) continue;
    free_blocks[class] = block->next;
    size_t rest = header_of(block)->size - size;
    if (rest) {
      void *other = (char *)block + size + sizeof(Header);
      header_of(block)->size = size;
      header_of(other)->size = rest - sizeof(Header);
      release(NULL, other);
    }
    return block;
  }
  return NULL;
}

static void *allocate_in_image(size_t wanted) {
  if (wanted > (size_t)(image_end - (char *)&image)) return NULL;
  size_t size = ((wanted + sizeof(Header) + ALIGNMENT - 1) & -ALIGNMENT) - sizeof(Header);
  void *block = reuse(size);
  if (block) return block;
  if (!image.used) image.used = sizeof image;
  if (size + sizeof(Header) > (size_t)(image_end - (char *)&image) - image.used) return NULL;
  block = (char *)&image + image.used + sizeof(Header);
  header_of(block)->size = size;
  image.used += sizeof(Header) + size;
  return block;
}

static void *allocate(void *opaque, size_t size) { return image.ctx ? malloc(size) : allocate_in_image(size); }

static void *allocate_zeroed(void *opaque, size_t count, size_t size) {
  size_t bytes;
  if (image.ctx) return calloc(count, size);
  void *block = __builtin_mul_overflow(count, size, &bytes) ? NULL : allocate_in_image(bytes);
  return block ? memset(block, 0, bytes) : NULL;
}

static void release(void *opaque, void *pointer) {
  if (!pointer || image.ctx) {
    if (!is_in_image(pointer)) free(pointer);
    return;
  }
  size_t size = header_of(pointer)->size;
  if (size / ALIGNMENT >= CLASSES) return;
  ((Free *)pointer)->next = free_blocks[size / ALIGNMENT];
  free_blocks[size / ALIGNMENT] = pointer;
}

static void *reallocate(void *opaque, void *pointer, size_t size) {
  if (!pointer) return allocate(opaque, size);
  if (!is_in_image(pointer)) return realloc(pointer, size);
  size_t old = usable_size(pointer);
  if (size <= old) return pointer;
  void *moved = allocate(opaque, size);
  if (!moved) return NULL;
  memcpy(moved, pointer, old);
  release(opaque, pointer);
  return moved;
}

const JSMallocFunctions image_malloc_functions = {allocate_zeroed, allocate, release, reallocate, usable_size};

JSContext *image_context(void) { return image.ctx; }

/* Where this executable's file holds what lies at `address`; -1 if nowhere. */
static off_t file_offset(uintptr_t address) {
  const ElfW(Phdr) *header = (const void *)getauxval(AT_PHDR);
  for (unsigned long left = getauxval(AT_PHNUM); left > 0; left--, header++) {
    if (header->p_type == PT_LOAD && address - header->p_vaddr < header->p_filesz) return header->p_offset + (address - header->p_vaddr);
  }
  return -1;
}

/*
 * Puts huge pages in the place of the image's front `bytes`: one fault and one entry in the page tables where there would be 512 of each. False where
 * they cannot be had: then the image is where the kernel has mapped it.
 */
static bool move_to_huge_pages(size_t bytes) {
  size_t size = image_end - (char *)&image, wanted = size < bytes ? size : bytes;
  off_t offset = file_offset((uintptr_t)&image);
  int file = offset < 0 ? -1 : open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  /* One more than is needed, to begin where a huge page may. */
  char *room = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char *pages = (char *)(((uintptr_t)room + HUGE_PAGE - 1) & -HUGE_PAGE);
  bool moved = room != MAP_FAILED && madvise(pages, bytes, MADV_HUGEPAGE) == 0 && madvise(pages, bytes, MADV_POPULATE_WRITE) == 0 &&
               pread(file, pages, wanted, offset) == (ssize_t)wanted &&
               mremap(pages, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, &image) == &image;
  close(file);
  return moved;
}

void image_populate(void) {
  size_t size = image_end - (char *)&image, huge = (size + HUGE_PAGE / 4) / HUGE_PAGE * HUGE_PAGE;
  size_t done = huge && move_to_huge_pages(huge) ? huge : 0;
  if (done < size) madvise((char *)&image + done, size - done, MADV_POPULATE_WRITE);
}

/*
 * Libraries and the stack lie elsewhere at each start, so a word of the image that points there would be wrong. What the engine keeps of its own
 * stack is set anew at each start and is no harm.
 */
static bool points_outside(const uintptr_t *word) {
  static struct {
    uintptr_t start, end;
    char name[80];
  } ranges[64];
  static int count = -1;
  if (count < 0) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    for (count = 0; maps && fgets(line, sizeof line, maps) && count < 64;) {
      ranges[count].name[0] = 0;
      if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %79s", &ranges[count].start, &ranges[count].end, ranges[count].name) < 2) continue;
      if (strstr(ranges[count].name, ".so") || strstr(ranges[count].name, "[v")) count++;
    }
    if (maps) fclose(maps);
  }
  for (int i = 0; i < count; i++) {
    if (*word < ranges[i].start || *word >= ranges[i].end) continue;
    fprintf(stderr, "image: the word at %p points into %s\n", (void *)word, ranges[i].name);
    return true;
  }
  return false;
}

bool image_save(JSContext *ctx, const char *path) {
  const uintptr_t *word = (const uintptr_t *)&image, *end = (const uintptr_t *)((char *)&image + image.used);
  bool sound = true;
  for (; word < end; word++) sound &= !points_outside(word);
  if (!sound) return false;
  image.ctx = ctx;
  FILE *file = fopen(path, "wb");
  if (file && fwrite(&image, 1, image.used, file) == image.used && fclose(file) == 0) return true;
  fprintf(stderr, "image: cannot write %s: %s\n", path, strerror(errno));
  return false;
}
