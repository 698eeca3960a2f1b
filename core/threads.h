/* The thread pool: the only file that includes pthread.h besides the once-locks it offers. */
#ifndef TSR_CORE_THREADS_H
#define TSR_CORE_THREADS_H

#include "core/base.h"

typedef struct tsr_pool tsr_pool;

int tsr_threads_default(void);          /* min(affinity mask, cgroup quota, processors), at least 1 */
tsr_pool *tsr_pool_new(int threads);    /* including the caller; workers start lazily; NULL: out of memory */
void tsr_pool_free(tsr_pool *p);
int tsr_pool_threads(const tsr_pool *p);
/* fn(arg, task, worker) for task in [0, tasks); worker < threads; returns when all are done.  The
 * split into tasks is the caller's and must not depend on the number of threads.  max_threads 0: all.
 * Nested and concurrent calls run the tasks on the calling thread.  Survives fork. */
void tsr_pool_run(tsr_pool *p, int max_threads, int64_t tasks, void (*fn)(void *arg, int64_t task, int worker), void *arg);

/* fn(arg) on a thread of its own, for work that may as well not be done: NULL when the system gives none. */
typedef struct tsr_aside tsr_aside;
tsr_aside *tsr_aside_start(void (*fn)(void *arg), void *arg);
void tsr_aside_join(tsr_aside *a); /* waits until fn has returned; NULL is allowed */

typedef struct tsr_lock tsr_lock;
tsr_lock *tsr_lock_new(void);
void tsr_lock_free(tsr_lock *l);
void tsr_lock_enter(tsr_lock *l);
void tsr_lock_leave(tsr_lock *l);

double tsr_clock_now(void);             /* monotonic seconds */

#endif
