/* The thread pool, locks and the clock: the only user of pthread.
 *
 * Workers spin for a short while after a job and then sleep on a condition variable, so that the
 * many small jobs of one run cost no wake-up each.  Each begins with its own share of the tasks, so that it finds in
 * its caches what it made of the same rows in the job before, and then helps the others; what a task computes never
 * depends on who runs it.
 *
 * A worker joins a job through the gate, which the caller closes when no task is left: it waits only for
 * those that joined.  One that the system has not woken yet, or runs elsewhere, holds nobody up. */
#include "core/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 256, SPIN_NS = 100000 };
#define JOB_SHIFT 32
#define CLOSED ((uint64_t)1 << 31)
#define JOINED (CLOSED - 1)

struct tsr_lock {
  pthread_mutex_t m;
};

tsr_lock *tsr_lock_new(void) {
  tsr_lock *l = malloc(sizeof *l);
  if (l != NULL && pthread_mutex_init(&l->m, NULL) != 0) {
    free(l);
    return NULL;
  }
  return l;
}

void tsr_lock_free(tsr_lock *l) {
  if (l == NULL) return;
  pthread_mutex_destroy(&l->m);
  free(l);
}
void tsr_lock_enter(tsr_lock *l) { pthread_mutex_lock(&l->m); }
void tsr_lock_leave(tsr_lock *l) { pthread_mutex_unlock(&l->m); }

struct tsr_aside {
  pthread_t id;
  void (*fn)(void *);
  void *arg;
};

static void *aside_main(void *user) {
  const tsr_aside *a = user;
  a->fn(a->arg);
  return NULL;
}

tsr_aside *tsr_aside_start(void (*fn)(void *), void *arg) {
  tsr_aside *a = malloc(sizeof *a);
  if (a == NULL) return NULL;
  a->fn = fn;
  a->arg = arg;
  if (pthread_create(&a->id, NULL, aside_main, a) == 0) return a;
  free(a);
  return NULL;
}

void tsr_aside_join(tsr_aside *a) {
  if (a == NULL) return;
  pthread_join(a->id, NULL);
  free(a);
}

static int64_t now_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

double tsr_clock_now(void) { return (double)now_ns() * 1e-9; }

/* Processors the cgroup's CPU quota pays for, 0 when there is none. */
static int cgroup_quota(void) {
  long quota = -1, period = 0;
  FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re");
  if (f != NULL) {
    if (fscanf(f, "%ld %ld", &quota, &period) != 2) quota = -1;
    fclose(f);
  } else if ((f = fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "re")) != NULL) {
    if (fscanf(f, "%ld", &quota) != 1) quota = -1;
    fclose(f);
    if ((f = fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "re")) != NULL) {
      if (fscanf(f, "%ld", &period) != 1) period = 0;
      fclose(f);
    }
  }
  return quota > 0 && period > 0 ? (int)TSR_MAX(1L, (quota + period - 1) / period) : 0;
}

/* Hyper-threads share a core's FMA units: count the first thread of each core among those allowed. */
static int physical_allowed(const cpu_set_t *set) {
  int n = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, set)) continue;
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    FILE *f = fopen(path, "re");
    int first = cpu;
    if (f != NULL) {
      if (fscanf(f, "%d", &first) != 1) first = cpu;
      fclose(f);
    }
    if (first == cpu || !CPU_ISSET(first, set)) n++;
  }
  return n;
}

int tsr_threads_default(void) {
  cpu_set_t set;
  int n;
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = physical_allowed(&set);
  else n = (int)sysconf(_SC_NPROCESSORS_ONLN);
  int quota = cgroup_quota();
  if (quota > 0 && quota < n) n = quota;
  return TSR_MAX(1, TSR_MIN(n, (int)MAX_THREADS));
}

typedef struct job {
  void (*fn)(void *, int64_t, int);
  void *arg;
  int64_t tasks;
  int workers; /* those that take part, the caller included */
} job;

/* Tasks [next, end) of one worker's share that nobody has taken; a cache line each. */
typedef struct share {
  _Alignas(64) int64_t next; /* atomic */
  int64_t end;
} share;

struct tsr_pool {
  int threads;
  int started;          /* worker threads running */
  pid_t pid;            /* a fork leaves no workers: start them again */
  pthread_t ids[MAX_THREADS];
  pthread_mutex_t busy; /* held while a job runs; losers run their job alone */
  pthread_mutex_t m;
  pthread_cond_t wake;
  job current;          /* read by those who joined, written while nobody can */
  uint64_t gate;        /* atomic: number of the job, CLOSED, workers that take part */
  int sleeping;         /* under m */
  bool stop;            /* under m, atomic */
  share shares[];       /* by worker; ends are written while nobody can join */
};

typedef struct start_arg {
  tsr_pool *pool;
  int worker;
  uint64_t seen;
} start_arg;

static _Thread_local bool inside_pool;

static void pause_cpu(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void take_tasks(tsr_pool *p, const job *j, int worker) {
  for (int i = 0; i < j->workers; i++) {
    share *s = &p->shares[(worker + i) % j->workers];
    while (__atomic_load_n(&s->next, __ATOMIC_RELAXED) < s->end) {
      int64_t task = __atomic_fetch_add(&s->next, 1, __ATOMIC_RELAXED);
      if (task < s->end) j->fn(j->arg, task, worker);
    }
  }
}

static void deal(tsr_pool *p, const job *j) {
  int64_t each = j->tasks / j->workers, more = j->tasks % j->workers, task = 0;
  for (int i = 0; i < j->workers; i++) {
    __atomic_store_n(&p->shares[i].next, task, __ATOMIC_RELAXED);
    p->shares[i].end = task += each + (i < more);
  }
}

static uint64_t job_number(const tsr_pool *p) { return __atomic_load_n(&p->gate, __ATOMIC_ACQUIRE) >> JOB_SHIFT; }

/* Wait until the job is another than `seen`: spin, looking at the clock now and then, then sleep. */
static uint64_t wait_job(tsr_pool *p, uint64_t seen) {
  uint64_t number;
  int64_t until = now_ns() + SPIN_NS;
  for (int spins = 0;; spins++) {
    number = job_number(p);
    if (number != seen || __atomic_load_n(&p->stop, __ATOMIC_RELAXED)) return number;
    pause_cpu();
    if ((spins & 63) == 63 && now_ns() > until) break;
  }
  pthread_mutex_lock(&p->m);
  p->sleeping++;
  while ((number = job_number(p)) == seen && !p->stop) pthread_cond_wait(&p->wake, &p->m);
  p->sleeping--;
  pthread_mutex_unlock(&p->m);
  return number;
}

/* false: the job is over, or there is a newer one. */
static bool join_job(tsr_pool *p, uint64_t number) {
  uint64_t g = __atomic_load_n(&p->gate, __ATOMIC_ACQUIRE);
  while (g >> JOB_SHIFT == number && (g & CLOSED) == 0)
    if (__atomic_compare_exchange_n(&p->gate, &g, g + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return true;
  return false;
}

static void *worker_main(void *arg_) {
  start_arg arg = *(start_arg *)arg_;
  free(arg_);
  tsr_pool *p = arg.pool;
  uint64_t seen = arg.seen;
  inside_pool = true;
  for (;;) {
    seen = wait_job(p, seen);
    if (__atomic_load_n(&p->stop, __ATOMIC_ACQUIRE)) return NULL;
    if (!join_job(p, seen)) continue;
    job j = p->current;
    if (arg.worker < j.workers) take_tasks(p, &j, arg.worker);
    __atomic_sub_fetch(&p->gate, 1, __ATOMIC_RELEASE);
  }
}

tsr_pool *tsr_pool_new(int threads) {
  int n = threads <= 0 ? tsr_threads_default() : TSR_MIN(threads, (int)MAX_THREADS);
  size_t bytes = sizeof(tsr_pool) + (size_t)n * sizeof(share);
  tsr_pool *p = aligned_alloc(_Alignof(tsr_pool), bytes);
  if (p == NULL) return NULL;
  memset(p, 0, bytes);
  p->threads = n;
  p->pid = getpid();
  p->gate = CLOSED;
  pthread_mutex_init(&p->busy, NULL);
  pthread_mutex_init(&p->m, NULL);
  pthread_cond_init(&p->wake, NULL);
  return p;
}

/* Called with busy held.  Too few threads from the system only make the pool smaller. */
static void start_workers(tsr_pool *p) {
  if (p->pid != getpid()) { /* child of a fork: the workers and their lock states stayed in the parent */
    p->pid = getpid();
    p->started = 0;
    p->sleeping = 0;
    p->gate = (p->gate & ~JOINED) | CLOSED;
    pthread_mutex_init(&p->m, NULL);
    pthread_cond_init(&p->wake, NULL);
  }
  while (p->started < p->threads - 1) {
    start_arg *arg = malloc(sizeof *arg);
    if (arg == NULL) return;
    *arg = (start_arg){p, p->started + 1, job_number(p)};
    if (pthread_create(&p->ids[p->started], NULL, worker_main, arg) != 0) {
      free(arg);
      return;
    }
    p->started++;
  }
}

void tsr_pool_free(tsr_pool *p) {
  if (p == NULL) return;
  if (p->pid == getpid()) {
    pthread_mutex_lock(&p->m);
    __atomic_store_n(&p->stop, true, __ATOMIC_RELEASE);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->m);
    for (int i = 0; i < p->started; i++) pthread_join(p->ids[i], NULL);
  }
  pthread_mutex_destroy(&p->busy);
  pthread_mutex_destroy(&p->m);
  pthread_cond_destroy(&p->wake);
  free(p);
}

int tsr_pool_threads(const tsr_pool *p) { return p == NULL ? 1 : p->threads; }

static void run_alone(int64_t tasks, void (*fn)(void *, int64_t, int), void *arg) {
  for (int64_t i = 0; i < tasks; i++) fn(arg, i, 0);
}

/* The gate is closed and nobody is behind it. */
static void publish(tsr_pool *p, job j) {
  p->current = j;
  deal(p, &j);
  /* The lock orders the new job against a worker that is about to sleep. */
  pthread_mutex_lock(&p->m);
  __atomic_store_n(&p->gate, (uint64_t)(uint32_t)(job_number(p) + 1) << JOB_SHIFT, __ATOMIC_RELEASE);
  if (p->sleeping > 0) pthread_cond_broadcast(&p->wake);
  pthread_mutex_unlock(&p->m);
}

/* No task is left: nobody joins any more; wait for those that have. */
static void finish(tsr_pool *p) {
  uint64_t g = __atomic_or_fetch(&p->gate, CLOSED, __ATOMIC_ACQ_REL);
  for (int spins = 0; (g & JOINED) != 0; spins++) {
    pause_cpu();
    if ((spins & 511) == 511) sched_yield();
    g = __atomic_load_n(&p->gate, __ATOMIC_ACQUIRE);
  }
}

void tsr_pool_run(tsr_pool *p, int max_threads, int64_t tasks, void (*fn)(void *arg, int64_t task, int worker), void *arg) {
  int workers = p == NULL ? 1 : p->threads;
  if (max_threads > 0 && max_threads < workers) workers = max_threads;
  if (workers > tasks) workers = (int)TSR_MAX(tasks, 1);
  if (workers <= 1 || inside_pool || pthread_mutex_trylock(&p->busy) != 0) {
    run_alone(tasks, fn, arg);
    return;
  }
  start_workers(p);
  if (p->started == 0) {
    pthread_mutex_unlock(&p->busy);
    run_alone(tasks, fn, arg);
    return;
  }
  inside_pool = true;
  job j = {fn, arg, tasks, workers};
  publish(p, j);
  take_tasks(p, &j, 0);
  finish(p);
  inside_pool = false;
  pthread_mutex_unlock(&p->busy);
}
