/* The pool under several callers: every task runs once, workers that come late miss nothing and hold nobody up. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/threads.h"

enum { CALLERS = 3, TASKS = 64, JOBS = 1500 };

static void count_task(void *arg, int64_t task, int worker) {
  int64_t *hits = arg;
  TSR_UNUSED(worker);
  __atomic_fetch_add(&hits[task], 1, __ATOMIC_RELAXED);
}

/* The number of tasks that did not run exactly once. */
static int64_t hammer(tsr_pool *p, int jobs) {
  int64_t wrong = 0;
  for (int i = 0; i < jobs; i++) {
    int64_t hits[TASKS] = {0}, n = 1 + i % TASKS;
    tsr_pool_run(p, i % 5, n, count_task, hits);
    for (int64_t k = 0; k < n; k++) wrong += hits[k] != 1;
    if (i % 97 == 0) usleep(200); /* workers fall asleep now and then */
  }
  return wrong;
}

static void *caller(void *arg) { return (void *)(intptr_t)hammer(arg, JOBS); }

static void every_task_once_for_many_callers(void **state) {
  (void)state;
  for (int threads = 1; threads <= 6; threads++) {
    tsr_pool *p = tsr_pool_new(threads);
    pthread_t ids[CALLERS];
    for (int i = 0; i < CALLERS; i++) assert_int_equal(pthread_create(&ids[i], NULL, caller, p), 0);
    assert_int_equal(hammer(p, JOBS), 0);
    for (int i = 0; i < CALLERS; i++) {
      void *wrong = NULL;
      pthread_join(ids[i], &wrong);
      assert_null(wrong);
    }
    tsr_pool_free(p);
  }
}

typedef struct halves { int64_t in, strangers; } halves;

/* Both workers are in their first task before either goes on. */
static void half_task(void *arg, int64_t task, int worker) {
  halves *h = arg;
  if (task % 4 != 0) return;
  if (task / 4 != worker) __atomic_fetch_add(&h->strangers, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&h->in, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < 100000 && __atomic_load_n(&h->in, __ATOMIC_RELAXED) < 2; i++) usleep(100);
}

static void workers_begin_with_their_own_share(void **state) {
  (void)state;
  tsr_pool *p = tsr_pool_new(2);
  for (int i = 0; i < 200; i++) {
    halves h = {0};
    tsr_pool_run(p, 2, 8, half_task, &h);
    assert_int_equal(h.in, 2);
    assert_int_equal(h.strangers, 0);
  }
  tsr_pool_free(p);
}

typedef struct patient { int64_t done, tasks; } patient;

/* The first task waits for all the others. */
static void wait_task(void *arg, int64_t task, int worker) {
  patient *w = arg;
  TSR_UNUSED(worker);
  for (int i = 0; task == 0 && i < 200000 && __atomic_load_n(&w->done, __ATOMIC_RELAXED) < w->tasks - 1; i++) usleep(50);
  if (task == 0) assert_int_equal(__atomic_load_n(&w->done, __ATOMIC_RELAXED), w->tasks - 1);
  __atomic_fetch_add(&w->done, 1, __ATOMIC_RELAXED);
}

static void others_take_what_a_busy_worker_leaves(void **state) {
  (void)state;
  for (int threads = 2; threads <= 5; threads++) {
    tsr_pool *p = tsr_pool_new(threads);
    patient w = {0, 23};
    tsr_pool_run(p, 0, w.tasks, wait_task, &w);
    assert_int_equal(w.done, w.tasks);
    tsr_pool_free(p);
  }
}

static void pools_come_and_go(void **state) {
  (void)state;
  for (int i = 0; i < 200; i++) {
    tsr_pool *p = tsr_pool_new(1 + i % 4);
    assert_int_equal(hammer(p, i % 3), 0);
    tsr_pool_free(p);
  }
}

static void a_child_has_workers_of_its_own(void **state) {
  (void)state;
  tsr_pool *p = tsr_pool_new(3);
  assert_int_equal(hammer(p, 100), 0);
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(hammer(p, 100) == 0 ? 0 : 1);
  }
  int status = -1;
  assert_int_equal(hammer(p, 100), 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  tsr_pool_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_task_once_for_many_callers),
      cmocka_unit_test(workers_begin_with_their_own_share),
      cmocka_unit_test(others_take_what_a_busy_worker_leaves),
      cmocka_unit_test(pools_come_and_go),
      cmocka_unit_test(a_child_has_workers_of_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
