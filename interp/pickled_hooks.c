/* Hooks of pickled modules: torch.nn.utils.weight_norm and spectral_norm keep a weight in parts and join them before each
 * call.  Their code is known, so the layer's forward is written with the joined weight in place of the attribute. */
#include <ctype.h>
#include <stdio.h>

#include "frontend/pickle.h"
#include "interp/pickled.h"

typedef struct kind {
  const char *cls;
  const char *parts[3]; /* what is put behind the name */
} kind;

static const kind kinds[] = {{"torch.nn.utils.weight_norm.WeightNorm", {"_v", "_g", NULL}},
                             {"torch.nn.utils.spectral_norm.SpectralNorm", {"_orig", "_u", "_v"}}};

static const kind *kind_of(tsr_val hook) {
  for (size_t i = 0; hook.tag == TSR_V_OBJECT && i < TSR_COUNT(kinds); i++)
    if (strcmp(hook.obj->cls->name, kinds[i].cls) == 0) return &kinds[i];
  return NULL;
}

bool tsr_pickled_knows_hook(tsr_val hook) { return kind_of(hook) != NULL; }

/* ---- what a hook says ---- */

typedef struct hook {
  const kind *k;
  const char *name;
  int64_t dim, rounds;
  double eps;
} hook;

static bool is_identifier(const char *s) {
  if (!isalpha((unsigned char)*s) && *s != '_') return false;
  while (isalnum((unsigned char)*s) || *s == '_') s++;
  return *s == '\0';
}

static hook read_hook(tsr_compiler *c, const tsr_pmodule *m, tsr_val v) {
  const tsr_dict *d = tsr_pickled_attributes(v);
  const tsr_val *name = tsr_dict_lookup(d, "name"), *dim = tsr_dict_lookup(d, "dim"), *rounds = tsr_dict_lookup(d, "n_power_iterations"), *eps = tsr_dict_lookup(d, "eps");
  hook h = {.k = kind_of(v), .rounds = 1, .eps = 1e-12};
  bool ok = name != NULL && name->tag == TSR_V_STR && name->s->len == strlen(name->s->bytes) && name->s->len < 200 && is_identifier(name->s->bytes) && dim != NULL && dim->tag == TSR_V_INT;
  if (rounds != NULL && rounds->tag == TSR_V_INT) h.rounds = rounds->i;
  if (eps != NULL && eps->tag == TSR_V_FLOAT) h.eps = eps->d;
  if (!ok || h.rounds < 0 || h.rounds > 1000) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "a hook %.200s of %.200s is not what torch.nn.utils writes", h.k->cls, m->cls);
  h.name = name->s->bytes;
  h.dim = dim->i;
  return h;
}

typedef void (*hook_fn)(tsr_compiler *c, const hook *h, void *user);

static void each_hook(tsr_compiler *c, const tsr_pmodule *m, hook_fn fn, void *user) {
  const tsr_val *v = tsr_dict_lookup(m->state, "_forward_pre_hooks");
  const tsr_dict *d = v == NULL ? NULL : tsr_pickled_dict(*v);
  for (size_t i = d == NULL ? 0 : tsr_dict_next(d, 0); d != NULL && i < d->used; i = tsr_dict_next(d, i + 1)) {
    if (kind_of(d->entries[i].value) == NULL) continue;
    hook h = read_hook(c, m, d->entries[i].value);
    fn(c, &h, user);
  }
}

/* ---- names and text ---- */

typedef struct names {
  tsr_pickled_name_fn fn;
  void *user;
} names;

static void name_parts(tsr_compiler *c, const hook *h, void *user) {
  const names *n = user;
  for (size_t i = 0; i < TSR_COUNT(h->k->parts); i++)
    if (h->k->parts[i] != NULL) n->fn(n->user, tsr_compile_text(c, "%s%s", h->name, h->k->parts[i]));
}

void tsr_pickled_hook_names(tsr_compiler *c, const tsr_pmodule *m, tsr_pickled_name_fn fn, void *user) {
  names n = {fn, user};
  each_hook(c, m, name_parts, &n);
}

static const char *joined(tsr_compiler *c, const hook *h) {
  if (h->k == &kinds[0]) return tsr_compile_text(c, "torch._weight_norm(self.%s_v, self.%s_g, %lld)", h->name, h->name, (long long)h->dim);
  return tsr_compile_text(c, "__torch__.layers.spectral_norm(self.%s_orig, self.%s_u, self.%s_v, %lld, %lld, %.17e, self.training)", h->name, h->name, h->name,
                          (long long)h->dim, (long long)h->rounds, h->eps);
}

static void replace(tsr_compiler *c, const hook *h, void *user) {
  const char **text = user, *with = joined(c, h), *self = tsr_compile_text(c, "self.%s", h->name);
  size_t n = strlen(self);
  tsr_buf b = {0};
  for (const char *p = *text; *p != '\0';) {
    bool here = strncmp(p, self, n) == 0 && !isalnum((unsigned char)p[n]) && p[n] != '_';
    if (here) tsr_buf_puts(&b, with);
    else tsr_buf_putc(&b, *p);
    p += here ? n : 1;
  }
  const char *made = b.oom || b.data == NULL ? NULL : tsr_arena_strdup(c->arena, b.data, b.len);
  tsr_buf_dispose(&b);
  if (made == NULL) tsr_compile_nomem(c);
  *text = made;
}

const char *tsr_pickled_hooked(tsr_compiler *c, const tsr_pmodule *m, const char *text) {
  each_hook(c, m, replace, &text);
  return text;
}
