/* Arrays of exactly the size that a kernel may touch. Content and guards start as ones in every
 * bit, NaN as numbers: what is read outside is seen in the results, what is written there by
 * `unguard`. Under AddressSanitizer the guards are its own. */
#ifndef NN_TESTS_GUARDED_H
#define NN_TESTS_GUARDED_H

#include <stdlib.h>
#include <string.h>

#include "check.h"

#ifdef __SANITIZE_ADDRESS__
enum { GUARD = 0 };
#else
enum { GUARD = 256 };
#endif

/* `count` items of `size` bytes; given back with unguard. */
static inline void *guarded(size_t count, size_t size) {
    const size_t bytes = count * size + 2 * (size_t)GUARD;
    unsigned char *block = malloc(bytes + (bytes == 0));
    if (block == NULL) abort();
    memset(block, 0xff, bytes);
    return block + GUARD;
}

/* Checks the guards and frees the array. */
static inline void unguard(void *array, size_t count, size_t size) {
    unsigned char *content = array;
    size_t n_written = 0;
    for (size_t i = GUARD; i-- > 0;)
        n_written += content[count * size + i] != 0xff || content[i - (size_t)GUARD] != 0xff;
    CHECK(n_written == 0);
    free(content - GUARD);
}

#endif
