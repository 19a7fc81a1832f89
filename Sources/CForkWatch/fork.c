/* Notices forks from the moment that the library is loaded, before anybody has called it: the Swift runtime has numbered the threads by
 * then. */
#include "CForkWatch.h"

#include <pthread.h>
#include <stdatomic.h>

static _Atomic uintptr_t survivor;

static void in_child(void)
{
    atomic_store_explicit(&survivor, (uintptr_t)pthread_self(), memory_order_release);
}

__attribute__((constructor)) static void watch(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

uintptr_t mtlk_fork_survivor(void)
{
    return atomic_load_explicit(&survivor, memory_order_acquire);
}
