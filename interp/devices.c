/* Strict devices: a model is refused when it names a device that is not the CPU.
 *
 * Everything runs on the CPU; by default other devices in an archive are taken for it.  Who wants to know
 * instead asks for this check of storages, device values and device constants in the code. */
#include "interp/devices.h"

#include <stdio.h>

#include "interp/ptrset.h"

typedef struct walk { tsr_errrec *e; tsr_ptrset seen; const char *entry; } walk;

static bool is_here(tsr_device d) {
  const char *name = tsr_device_type_name(d.type);
  return strcmp(name, "cpu") == 0 || strcmp(name, "meta") == 0;
}

static tsr_status refuse(tsr_errrec *e, const char *what, const char *entry, const char *device, int len) {
  return tsr_fail(e, TSR_EUNSUPPORTED, "%s: %s \"%.*s\", and strict devices were asked for: only the CPU is here", entry, what, len, device);
}

static tsr_status check_device(const walk *w, const char *what, tsr_device d) {
  char text[64];
  if (is_here(d)) return TSR_OK;
  if (d.index >= 0) snprintf(text, sizeof text, "%s:%d", tsr_device_type_name(d.type), d.index);
  else snprintf(text, sizeof text, "%s", tsr_device_type_name(d.type));
  return refuse(w->e, what, w->entry, text, (int)strlen(text));
}

static tsr_status check_value(walk *w, tsr_val v);

static tsr_status check_all(walk *w, const tsr_val *items, size_t n) {
  for (size_t i = 0; i < n; i++) TSR_TRY(check_value(w, items[i]));
  return TSR_OK;
}

/* As deep as the unpickler lets values nest. */
static tsr_status check_value(walk *w, tsr_val v) {
  if (v.tag == TSR_V_DEVICE) return check_device(w, "a value is the device", v.dev);
  if (!tsr_is_boxed(v) || !tsr_ptrset_add(&w->seen, v.o)) return w->seen.oom ? tsr_fail_nomem(w->e) : TSR_OK;
  switch (v.tag) {
    case TSR_V_TENSOR: return v.t->storage == NULL ? TSR_OK : check_device(w, "a tensor was saved on the device", v.t->storage->saved_on);
    case TSR_V_LIST: return check_all(w, v.l->items, v.l->len);
    case TSR_V_TUPLE: return check_all(w, v.u->items, v.u->len);
    case TSR_V_OBJECT: return check_all(w, v.obj->slots, v.obj->count);
    case TSR_V_DICT:
      for (size_t i = tsr_dict_next(v.m, 0); i < v.m->used; i = tsr_dict_next(v.m, i + 1)) {
        TSR_TRY(check_value(w, v.m->entries[i].key));
        TSR_TRY(check_value(w, v.m->entries[i].value));
      }
      return TSR_OK;
    default: return TSR_OK;
  }
}

/* Constants of generated code: torch.device("cuda:1"). */
static tsr_status check_source(tsr_errrec *e, const char *entry, const char *text, size_t len) {
  static const char call[] = "torch.device(\"";
  const char *end = text + len;
  for (const char *p = text; (p = memmem(p, (size_t)(end - p), call, sizeof call - 1)) != NULL;) {
    p += sizeof call - 1;
    const char *quote = memchr(p, '"', (size_t)(end - p));
    tsr_device d;
    if (quote == NULL) break;
    if (!tsr_device_parse(p, (size_t)(quote - p), &d) || !is_here(d)) return refuse(e, "the code names the device", entry, p, (int)TSR_MIN(quote - p, 40));
  }
  return TSR_OK;
}

static tsr_status check_sources(const tsr_program *p, tsr_errrec *e) {
  size_t n = tsr_archive_entry_count(p->archive), len;
  for (size_t i = 0; i < n; i++) {
    tsr_entry_info info;
    char name[256];
    const void *text;
    tsr_archive_entry(p->archive, i, &info);
    if (info.outside || info.name_len < 9 || memcmp(info.name, "code/", 5) != 0 || memcmp(info.name + info.name_len - 3, ".py", 3) != 0) continue;
    snprintf(name, sizeof name, "%.*s", (int)TSR_MIN(info.name_len, sizeof name - 1), info.name);
    TSR_TRY(tsr_archive_read(p->archive, i, e, &text, &len));
    TSR_TRY(check_source(e, name, text, len));
  }
  return TSR_OK;
}

tsr_status tsr_devices_check(const tsr_program *p, tsr_errrec *e) {
  walk w = {.e = e, .entry = "data.pkl"};
  tsr_status s = check_value(&w, p->root);
  w.entry = "constants.pkl";
  if (s == TSR_OK) s = check_all(&w, p->constants, p->constant_count);
  tsr_ptrset_dispose(&w.seen);
  return s != TSR_OK ? s : check_sources(p, e);
}
