/*
 * CForkWatch.h: forks are noticed from the moment that the library is loaded.
 */
#ifndef C_FORK_WATCH_H
#define C_FORK_WATCH_H

#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

/* The thread that was there at the last fork since the library was loaded, as pthread_self() gives it; 0 where this process is the child
 * of none. */
uintptr_t mtlk_fork_survivor(void);

#if defined(__cplusplus)
}
#endif

#endif /* C_FORK_WATCH_H */
