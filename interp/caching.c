#include "interp/caching.h"

#include <link.h>
#include <stdio.h>
#include <stdlib.h>

#include "ops/kernels.h"

#define DEFAULT_LIMIT ((uint64_t)16 << 30)

/* ---- which build of the library this is ---- */

static bool add_build_id(tsr_digest *d, const char *notes, size_t len) {
  ElfW(Nhdr) n;
  for (size_t at = 0; len - at >= sizeof n;) {
    memcpy(&n, notes + at, sizeof n);
    at += sizeof n;
    size_t name = ((size_t)n.n_namesz + 3) / 4 * 4, data = ((size_t)n.n_descsz + 3) / 4 * 4;
    if (name > len - at || data > len - at - name) return false;
    if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 && memcmp(notes + at, "GNU", 4) == 0) {
      tsr_digest_add(d, notes + at + name, n.n_descsz);
      return true;
    }
    at += name + data;
  }
  return false;
}

/* Only of the object that this function is in. */
static int look_at(struct dl_phdr_info *info, size_t size, void *user) {
  bool here = false, found = false;
  TSR_UNUSED(size);
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *p = &info->dlpi_phdr[i];
    here = here || (p->p_type == PT_LOAD && (uintptr_t)look_at - (info->dlpi_addr + p->p_vaddr) < p->p_memsz);
  }
  for (int i = 0; here && !found && i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *p = &info->dlpi_phdr[i];
    if (p->p_type == PT_NOTE) found = add_build_id(user, (const char *)(info->dlpi_addr + p->p_vaddr), p->p_memsz);
  }
  return !here ? 0 : found ? 1 : 2;
}

/* ---- */

static void tell(const tsr_caching *c, const char *text, const char *more) {
  char line[1024];
  snprintf(line, sizeof line, "%s%s", text != NULL ? text : "out of memory", more);
  if (c->opt->note != NULL) c->opt->note(c->opt->note_user, line);
}

/* The file is for a place in the file system and a way to prepare; its content for a version of what lies there. */
static bool identify(tsr_caching *c, const char *method) {
  const tsr_model *m = c->m;
  tsr_digest where = {0}, what = {0}, how = {0};
  uint64_t ways[] = {m->passes_off, m->opt_level < 0, m->no_winograd, c->opt->eval, (uint64_t)tsr_kernels_best()->isa};
  if (!tsr_archive_identify(m->archive, &where, &what)) return false;
  tsr_digest_text(&how, TSRUN_VERSION);
  if (dl_iterate_phdr(look_at, &how) != 1) {
    tell(c, "the cache is not used: this build of tsrun has no build id (link it with -Wl,--build-id)", "");
    return false;
  }
  tsr_digest_text(&how, method);
  tsr_digest_add(&how, ways, sizeof ways);
  c->file = how;
  tsr_digest_add(&c->file, &where, sizeof where);
  c->id = c->file;
  tsr_digest_add(&c->id, &what, sizeof what);
  return true;
}

static const void *find(void *user, tsr_digest name, size_t size) { return tsr_cache_find(user, name, size); }

void tsr_caching_begin(tsr_caching *c, tsr_model *m, const tsr_load_options *opt, const char *method) {
  tsr_errrec e = {0};
  *c = (tsr_caching){.m = m, .opt = opt};
  if (opt->cache_dir == NULL || opt->cache_dir[0] == '\0' || opt->weights != NULL || m->archive == NULL || !identify(c, method)) {
    c->m = NULL;
    return;
  }
  m->cache = tsr_cache_open(opt->cache_dir, c->file, c->id, &e);
  if (e.status != TSR_OK) tell(c, e.message, e.status == TSR_EFORMAT ? ": it is made again" : ": the cache is not used");
  /* A file that is no good is made again; a folder that is no good is left alone. */
  if (e.status == TSR_OK || e.status == TSR_EFORMAT) {
    c->store = (tsr_store){.user = m->cache, .find = m->cache != NULL ? find : NULL};
    c->store.mapped = tsr_archive_bytes(m->archive, &c->store.mapped_len);
    tsr_site_heap_set_store(m->heap, &c->store);
  } else {
    c->m = NULL;
  }
  tsr_errrec_dispose(&e);
}

static void write_file(const tsr_caching *c, const tsr_noted *noted, size_t count) {
  tsr_errrec e = {0};
  tsr_cache_block *blocks = calloc(count, sizeof *blocks);
  if (blocks == NULL) return;
  for (size_t i = 0; i < count; i++) blocks[i] = (tsr_cache_block){noted[i].name, noted[i].data, noted[i].size};
  uint64_t limit = c->opt->cache_limit != 0 ? c->opt->cache_limit : DEFAULT_LIMIT;
  if (tsr_cache_write(c->opt->cache_dir, c->file, c->id, blocks, count, limit, &e) != TSR_OK) tell(c, e.message, ": nothing is cached");
  tsr_errrec_dispose(&e);
  free(blocks);
}

void tsr_caching_end(tsr_caching *c, bool worked) {
  if (c->m == NULL) return;
  size_t count, lent = 0;
  const tsr_noted *noted = tsr_site_heap_noted(c->m->heap, &count);
  for (size_t i = 0; i < count; i++) lent += noted[i].lent;
  if (c->m->cache != NULL && tsr_cache_is_damaged(c->m->cache)) tell(c, "the cache file is damaged", ": what cannot be used is made again");
  if (worked && count > lent) write_file(c, noted, count);
  tsr_site_heap_set_store(c->m->heap, NULL);
}
