#include "core/spans.h"

#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define PAGE ((size_t)4096)
#define FIRST_REGION ((size_t)16 << 20)
#define LARGEST_STEP ((size_t)1 << 30) /* of the growth of the heap, when nothing larger is asked for */
#define FILL_MOST ((size_t)8 << 20)    /* larger buffers may never be used up: their pages come when they are touched */
#define LEAST ((size_t)128)            /* a span: its head and 64 bytes */
#define GIVE_BACK ((size_t)64 << 10)   /* a free span whose pages are worth a call to the system */
#define HEAD 64
enum { LOOK_AT = 16, FIRST_SHIFT = 7 };

struct tsr_span { /* in the HEAD bytes before a buffer */
  size_t size;               /* with its head */
  size_t before;             /* of the span that ends where this begins; 0: this is the region's first */
  tsr_region *of;
  tsr_span *next, *prev;     /* of a free one, in its list */
  size_t gone;               /* of a free one: bytes whose pages were given back */
  bool free;
};

struct tsr_region { /* in the first HEAD bytes of a mapping */
  tsr_region *next;
  size_t size;
  size_t top;                /* offset: spans lie below; the one that ends here is not free */
  size_t last;               /* size of that one, 0: there is none */
  size_t entered;            /* offset: pages below are in memory */
  size_t huge;               /* offset from which pages are huge, a multiple of them */
};

_Static_assert(sizeof(tsr_span) <= HEAD && sizeof(tsr_region) <= HEAD, "heads fit");

static size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }
static tsr_span *span_at(tsr_region *r, size_t offset) { return (tsr_span *)(void *)((char *)r + offset); }
static size_t offset_of(const tsr_span *s) { return (size_t)((const char *)s - (const char *)s->of); }

/* ---- lists of free spans: four for each power of two ---- */

static int list_of(size_t size) {
  int shift = 63 - __builtin_clzll((unsigned long long)size);
  int list = (shift - FIRST_SHIFT) * 4 + (int)(size >> (shift - 2) & 3);
  return TSR_MIN(list, TSR_SPAN_LISTS - 1);
}

static void link_free(tsr_spans *h, tsr_span *s) {
  int list = list_of(s->size);
  s->free = true;
  s->prev = NULL;
  s->next = h->lists[list];
  if (s->next != NULL) s->next->prev = s;
  h->lists[list] = s;
  h->some[list / 64] |= (uint64_t)1 << list % 64;
  h->idle += s->size - s->gone;
}

static void unlink_free(tsr_spans *h, tsr_span *s) {
  int list = list_of(s->size);
  s->free = false;
  if (s->next != NULL) s->next->prev = s->prev;
  if (s->prev != NULL) s->prev->next = s->next;
  else h->lists[list] = s->next;
  if (h->lists[list] == NULL) h->some[list / 64] &= ~((uint64_t)1 << list % 64);
  h->idle -= s->size - s->gone;
}

/* The smallest among the first few of a list that hold size. */
static tsr_span *best_of(tsr_span *s, size_t size) {
  tsr_span *best = NULL;
  for (int i = 0; i < LOOK_AT && s != NULL; i++, s = s->next)
    if (s->size >= size && (best == NULL || s->size < best->size)) best = s;
  return best;
}

static tsr_span *find_free(tsr_spans *h, size_t size) {
  int list = list_of(size);
  tsr_span *s = best_of(h->lists[list], size);
  if (s != NULL || list + 1 == TSR_SPAN_LISTS) return s;
  list++;
  for (size_t word = (size_t)list / 64; word < TSR_COUNT(h->some); word++) {
    uint64_t some = h->some[word];
    if (word == (size_t)list / 64) some &= ~(uint64_t)0 << list % 64;
    if (some != 0) return best_of(h->lists[word * 64 + (size_t)__builtin_ctzll(some)], size);
  }
  return NULL;
}

/* ---- pages ---- */

/* One call instead of a fault for each page.  A wish: older kernels know nothing of it. */
static void fill(tsr_region *r, size_t from, size_t to) {
#ifdef MADV_POPULATE_WRITE
  from = from / PAGE * PAGE;
  to = round_up(to, PAGE);
  if (from < to && to - from <= FILL_MOST) (void)madvise((char *)r + from, to - from, MADV_POPULATE_WRITE);
#else
  TSR_UNUSED(r), TSR_UNUSED(from), TSR_UNUSED(to);
#endif
}

/* Pages that lie in [from, to) as a whole go back; their bytes. */
static size_t give_back(tsr_region *r, size_t from, size_t to) {
  from = round_up(from, PAGE);
  to = to / PAGE * PAGE;
  return from < to && madvise((char *)r + from, to - from, MADV_DONTNEED) == 0 ? to - from : 0;
}

static tsr_region *map_region(size_t size) {
  size_t align = size < HUGE_PAGE ? PAGE : HUGE_PAGE, room = size + (align - PAGE);
  char *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return NULL;
  size_t skip = (size_t)(-(uintptr_t)p & (align - 1));
  if (skip > 0) munmap(p, skip);
  if (skip + size < room) munmap(p + skip + size, room - skip - size);
  return (tsr_region *)(void *)(p + skip);
}

/* Room for a span of this size.  Small heaps stay small: the beginning of the first region has small pages. */
static tsr_region *region_new(tsr_spans *h, size_t span, bool small) {
  if (span > SIZE_MAX / 4) return NULL;
  size_t first = h->first != 0 ? h->first : FIRST_REGION, size = TSR_MAX(span + HEAD, TSR_MIN(TSR_MAX(h->mapped, first), LARGEST_STEP));
  size_t least = round_up(span + HEAD, PAGE);
  size = round_up(size, size < HUGE_PAGE ? PAGE : HUGE_PAGE);
  tsr_region *r = map_region(size);
  if (r == NULL && size > least) r = map_region(size = least);
  if (r == NULL) return NULL;
  size_t huge = small || size < HUGE_PAGE ? HUGE_PAGE : 0;
#ifdef MADV_HUGEPAGE
  if (huge < size) (void)madvise((char *)r + huge, size - huge, MADV_HUGEPAGE);
#endif
  *r = (tsr_region){h->regions, size, HEAD, 0, HEAD, huge};
  h->regions = r;
  h->mapped += size;
  return r;
}

static void region_free(tsr_spans *h, tsr_region *r) {
  tsr_region **at = &h->regions;
  while (*at != r) at = &(*at)->next;
  *at = r->next;
  h->mapped -= r->size;
  h->idle -= r->entered - r->top;
  munmap(r, r->size);
}

static void trim_span(tsr_span *s) {
  s->gone = give_back(s->of, offset_of(s) + HEAD, offset_of(s) + s->size);
}

static void trim_above(tsr_spans *h, tsr_region *r) {
  size_t to = TSR_MIN(round_up(r->top, PAGE), r->entered);
  if (r->entered - to < GIVE_BACK || give_back(r, to, r->entered) == 0) return;
  h->idle -= r->entered - to;
  r->entered = to;
}

/* Spans may reach up to top from now on: have their pages in memory, and some more for those to come. */
static void enter(tsr_spans *h, tsr_region *r, size_t top) {
  h->idle -= r->entered - r->top;
  if (top > r->entered) {
    size_t step = top > r->huge ? HUGE_PAGE : TSR_MAX(GIVE_BACK, r->entered / 4 / PAGE * PAGE);
    size_t to = TSR_MIN(round_up(top, step), r->size);
    fill(r, r->entered, to);
    r->entered = to;
  }
  r->top = top;
  h->idle += r->entered - r->top;
}

/* ---- spans ---- */

static tsr_span *span_make(tsr_region *r, size_t offset, size_t size, size_t before) {
  tsr_span *s = span_at(r, offset);
  *s = (tsr_span){.size = size, .before = before, .of = r};
  return s;
}

/* From above the spans of a region that has the room, best in memory already, or of a new one. */
static tsr_span *take_new(tsr_spans *h, size_t size) {
  tsr_region *r = NULL;
  for (tsr_region *k = h->regions; k != NULL; k = k->next)
    if (k->size - k->top >= size && (r == NULL || k->entered - k->top >= size)) r = k;
  if (r == NULL) r = region_new(h, size, h->regions == NULL);
  if (r == NULL) return NULL;
  size_t at = r->top;
  enter(h, r, at + size);
  tsr_span *s = span_make(r, at, size, r->last);
  r->last = size;
  return s;
}

static tsr_span *next_span(const tsr_span *s) {
  size_t end = offset_of(s) + s->size;
  return end < s->of->top ? span_at(s->of, end) : NULL;
}

/* Use the first `size` bytes of a free span. */
static void take_part(tsr_spans *h, tsr_span *s, size_t size) {
  unlink_free(h, s);
  if (s->gone > 0) fill(s->of, offset_of(s), offset_of(s) + size);
  size_t rest = s->size - size, gone = s->gone;
  s->gone = 0;
  if (rest < LEAST) return;
  s->size = size;
  tsr_span *other = span_make(s->of, offset_of(s) + size, rest, size), *after = next_span(other);
  other->gone = TSR_MIN(gone, rest);
  after->before = rest; /* a free span is not the last */
  link_free(h, other);
}

void *tsr_spans_alloc(tsr_spans *h, size_t size) {
  if (size > SIZE_MAX / 4) return NULL;
  size = TSR_MAX(round_up(size, 64) + HEAD, LEAST);
  tsr_span *s = find_free(h, size);
  if (s != NULL) take_part(h, s, size);
  else s = take_new(h, size);
  return s == NULL ? NULL : (char *)s + HEAD;
}

static tsr_span *merge(tsr_spans *h, tsr_span *s) {
  tsr_span *after = next_span(s);
  if (after != NULL && after->free) {
    unlink_free(h, after);
    s->size += after->size;
    s->gone += after->gone;
  }
  if (s->before == 0) return s;
  tsr_span *before = span_at(s->of, offset_of(s) - s->before);
  if (!before->free) return s;
  unlink_free(h, before);
  before->size += s->size;
  before->gone += s->gone;
  return before;
}

void tsr_spans_free(tsr_spans *h, void *p, size_t keep) {
  tsr_span *s = merge(h, (tsr_span *)(void *)((char *)p - HEAD));
  tsr_region *r = s->of;
  tsr_span *after = next_span(s);
  if (after == NULL) {
    r->last = s->before;
    h->idle -= r->entered - r->top;
    r->top = offset_of(s);
    h->idle += r->entered - r->top;
    if (keep == 0 && r->top == HEAD) region_free(h, r);
    else if (h->idle > keep) trim_above(h, r);
    return;
  }
  after->before = s->size;
  if (h->idle + s->size - s->gone > keep && s->size >= GIVE_BACK) trim_span(s);
  link_free(h, s);
}

void tsr_spans_trim(tsr_spans *h) {
  for (int i = list_of(GIVE_BACK); i < TSR_SPAN_LISTS; i++)
    for (tsr_span *s = h->lists[i]; s != NULL; s = s->next) {
      h->idle -= s->size - s->gone;
      trim_span(s);
      h->idle += s->size - s->gone;
    }
  for (tsr_region *r = h->regions, *next; r != NULL; r = next) {
    next = r->next;
    if (r->top == HEAD) region_free(h, r);
    else trim_above(h, r);
  }
}

void tsr_spans_warm(tsr_spans *h, size_t size) {
  if (h->regions != NULL) return;
  tsr_region *r = region_new(h, size, size < HUGE_PAGE);
  if (r == NULL) return;
  size = TSR_MIN(size, r->size);
  fill(r, 0, size);
  r->entered = TSR_MAX(size, (size_t)HEAD);
  h->idle += r->entered - r->top;
}
