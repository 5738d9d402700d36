#include "base/arena.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define NN_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NN_ASAN 1
#endif
#endif
#ifdef NN_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define ALIGNMENT ((size_t)64)
#define SLACK ((size_t)256)

/* The allocator hook: how many calls so far, and the number of the call that shall fail. */
static atomic_size_t allocation_count;
static atomic_size_t allocation_to_fail;

bool nn__multiply(size_t a, size_t b, size_t *product) {
    if (b != 0 && a > SIZE_MAX / b) return false;
    *product = a * b;
    return true;
}

/* A block for count items of `size` bytes; *bytes is its length. */
static void *allocate(size_t count, size_t size, size_t *bytes) {
    size_t number = atomic_fetch_add(&allocation_count, 1) + 1;
    if (number == atomic_load(&allocation_to_fail)) return NULL;
    if (!nn__multiply(count, size, bytes) || *bytes > SIZE_MAX - ALIGNMENT) return NULL;
    *bytes = (*bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT; /* also makes zero bytes a real block */
    return aligned_alloc(ALIGNMENT, *bytes);
}

void *nn__allocate(size_t count, size_t size) {
    size_t bytes;
    void *memory = allocate(count, size, &bytes);
    if (memory != NULL) memset(memory, 0, bytes);
    return memory;
}

void *nn__allocate_raw(size_t count, size_t size) {
    size_t bytes;
    return allocate(count, size, &bytes);
}

void nn__release(void *memory) {
    free(memory);
}

size_t nn__allocation_count(void) {
    return atomic_load(&allocation_count);
}

void nn__allocation_fail_at(size_t k) {
    atomic_store(&allocation_to_fail, k == 0 ? 0 : atomic_load(&allocation_count) + k);
}

/* The room of a tensor: its values and slack, up to the next boundary. False on overflow. */
static bool padded(size_t count, size_t *total) {
    const size_t step = ALIGNMENT / sizeof(nn_real);
    const size_t slack = SLACK / sizeof(nn_real);
    if (count > SIZE_MAX / sizeof(nn_real) - slack - step) return false;
    *total = (count + slack + step - 1) / step * step;
    return true;
}

size_t nn__arena_reserve(nn__arena *arena, size_t count) {
    size_t offset = arena->size, total = 0;
    if (!padded(count, &total) || arena->size > SIZE_MAX / sizeof(nn_real) - total) {
        arena->overflow = true;
        return offset;
    }
    arena->size += total;
    return offset;
}

nn_status nn__arena_open(nn__arena *arena) {
    if (arena->overflow) return NN_ERROR_SIZE;
    arena->values = nn__allocate(arena->size, sizeof(nn_real));
    return arena->values != NULL ? NN_OK : NN_ERROR_MEMORY;
}

nn_real *nn__arena_tensor(const nn__arena *arena, size_t offset, size_t count) {
    nn_real *tensor = arena->values + offset;
#ifdef NN_ASAN
    size_t total = count;
    if (padded(count, &total))
        ASAN_POISON_MEMORY_REGION(tensor + count, (total - count) * sizeof(nn_real));
#else
    (void)count;
#endif
    return tensor;
}

void nn__arena_close(nn__arena *arena) {
#ifdef NN_ASAN
    if (arena->values != NULL)
        ASAN_UNPOISON_MEMORY_REGION(arena->values, arena->size * sizeof(nn_real));
#endif
    nn__release(arena->values);
    *arena = (nn__arena){0};
}
