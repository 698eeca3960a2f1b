/* Why the names of a file may not be those of a model, and the option that helps. */
#include <stdlib.h>

#include "interp/state.h"

enum { MAX_PREFIXES = 64 };

typedef struct prefix {
  const char *text; /* in a name */
  size_t len, hits;
} prefix;

typedef struct named {
  const char *name;
  const tsr_tensor *t;
  tsr_role role;
} named;

typedef struct hints {
  tsr_program *p;
  const tsr_weights *w;
  tsr_dict *model;             /* name -> position in tensors */
  named *tensors;
  size_t count, cap;
  bool oom;
  size_t missing, missing_buffers, unexpected, mismatched, transposed;
  prefix strip[MAX_PREFIXES], add[MAX_PREFIXES];
  size_t nstrip, nadd, inner; /* inner: _orig_mod. or module. further inside */
  const char *inner_word;
} hints;

static tsr_status on_tensor(void *user, const char *name, tsr_tensor *t, tsr_role role) {
  hints *h = user;
  tsr_str *s = tsr_str_new(h->p->mem, name, strlen(name));
  if (h->count == h->cap) {
    size_t cap = h->cap * 2 + 64;
    named *grown = realloc(h->tensors, cap * sizeof *grown);
    if (grown != NULL) h->tensors = grown;
    if (grown != NULL) h->cap = cap;
  }
  char *copy = s != NULL ? tsr_arena_strdup(h->p->arena, name, strlen(name)) : NULL;
  if (copy == NULL || h->count == h->cap || !tsr_dict_set(h->model, tsr_from_obj(s), tsr_int((int64_t)h->count))) h->oom = true;
  else h->tensors[h->count++] = (named){copy, t, role};
  if (s != NULL) tsr_obj_release(s);
  return h->oom ? TSR_ENOMEM : TSR_OK;
}

static const tsr_tensor *in_model(hints *h, const char *name, size_t len) {
  tsr_str *s = tsr_str_new(h->p->mem, name, len);
  tsr_val *at = s != NULL ? tsr_dict_get(h->model, tsr_from_obj(s)) : NULL;
  if (s != NULL) tsr_obj_release(s);
  return at != NULL ? h->tensors[at->i].t : NULL;
}

static void count_prefix(prefix *list, size_t *count, const char *text, size_t len) {
  for (size_t i = 0; i < *count; i++)
    if (list[i].len == len && memcmp(list[i].text, text, len) == 0) {
      list[i].hits++;
      return;
    }
  if (*count < MAX_PREFIXES) list[(*count)++] = (prefix){text, len, 1};
}

/* The name without every occurrence of word; false: there is none. */
static bool without(const char *name, const char *word, tsr_buf *out) {
  bool any = false;
  size_t n = strlen(word);
  out->len = 0;
  for (const char *p = name; *p != '\0';) {
    if ((p == name || p[-1] == '.') && strncmp(p, word, n) == 0) {
      any = true;
      p += n;
    } else {
      tsr_buf_putc(out, *p++);
    }
  }
  return any && out->len > 0 && !out->oom;
}

static void look_at_file(hints *h) {
  static const char *const words[] = {"_orig_mod.", "module."};
  tsr_buf b = {0};
  for (size_t i = 0; i < h->w->count; i++) {
    const tsr_weight *x = &h->w->items[i];
    const tsr_tensor *t = in_model(h, x->name, strlen(x->name));
    if (t != NULL) {
      const tsr_tensor *y = x->t;
      h->mismatched += y != NULL && !tsr_tensor_same_size(t, y);
      h->transposed += y != NULL && t->ndim == 2 && y->ndim == 2 && t->size[0] != t->size[1] && t->size[0] == y->size[1] && t->size[1] == y->size[0];
      continue;
    }
    h->unexpected++;
    bool stripped = false;
    for (const char *dot = strchr(x->name, '.'); dot != NULL && !stripped; dot = strchr(dot + 1, '.'))
      if (in_model(h, dot + 1, strlen(dot + 1)) != NULL) {
        count_prefix(h->strip, &h->nstrip, x->name, (size_t)(dot + 1 - x->name));
        stripped = true;
      }
    for (size_t k = 0; k < TSR_COUNT(words) && !stripped; k++)
      if (without(x->name, words[k], &b) && in_model(h, b.data, b.len) != NULL) {
        h->inner++;
        h->inner_word = words[k];
        stripped = true;
      }
  }
  tsr_buf_dispose(&b);
}

static void look_at_model(hints *h) {
  size_t at;
  for (size_t i = 0; i < h->count; i++) {
    if (tsr_weights_find(h->w, h->tensors[i].name, strlen(h->tensors[i].name), &at)) continue;
    h->missing++;
    h->missing_buffers += h->tensors[i].role == TSR_ROLE_BUFFER;
    for (const char *dot = strchr(h->tensors[i].name, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
      if (tsr_weights_find(h->w, dot + 1, strlen(dot + 1), &at)) {
        count_prefix(h->add, &h->nadd, h->tensors[i].name, (size_t)(dot + 1 - h->tensors[i].name));
        break;
      }
  }
}

static const prefix *best(const prefix *list, size_t count) {
  const prefix *b = NULL;
  for (size_t i = 0; i < count; i++)
    if (b == NULL || list[i].hits > b->hits) b = &list[i];
  return b;
}

static const char *origin(const prefix *p) {
  static const struct { const char *word, *who; } known[] = {{"module.", " (added by DataParallel and DistributedDataParallel)"},
                                                             {"_orig_mod.", " (added by torch.compile)"},
                                                             {"model.", " (a wrapper such as Lightning's)"},
                                                             {"net.", " (a wrapper)"},
                                                             {"backbone.", " (a backbone inside a larger model)"}};
  for (size_t i = 0; i < TSR_COUNT(known); i++)
    if (strlen(known[i].word) == p->len && memcmp(known[i].word, p->text, p->len) == 0) return known[i].who;
  return "";
}

static void print(const hints *h, tsr_buf *out) {
  const prefix *s = best(h->strip, h->nstrip), *a = best(h->add, h->nadd);
  bool strip_helps = s != NULL && (a == NULL || s->hits >= a->hits);
  if (h->inner > 0 && (s == NULL || h->inner > s->hits) && (a == NULL || h->inner > a->hits))
    tsr_buf_printf(out, "\nhint: %zu names of the file are the model's without \"%s\": --rename '%.*s\\.='", h->inner, h->inner_word, (int)strlen(h->inner_word) - 1, h->inner_word);
  else if (strip_helps)
    tsr_buf_printf(out, "\nhint: %zu names of the file are the model's with \"%.*s\" before them%s: --strip-prefix %.*s", s->hits, (int)s->len, s->text, origin(s), (int)s->len, s->text);
  else if (a != NULL)
    tsr_buf_printf(out, "\nhint: %zu names of the model are the file's with \"%.*s\" before them: --add-prefix %.*s", a->hits, (int)a->len, a->text, (int)a->len, a->text);
  else if (h->missing > 0 && h->missing == h->count && h->w->count > 0)
    tsr_buf_puts(out, "\nhint: the file and the model have no name in common: weights of another model, or --rename 'REGEX=REPLACEMENT'");
  else if (h->missing > 0 && h->missing == h->missing_buffers && h->unexpected == 0)
    tsr_buf_puts(out, "\nhint: only buffers are missing: state dicts leave out those that are not persistent, and the archive has them: --no-strict keeps its own");
  else if (h->missing + h->unexpected > 0)
    tsr_buf_puts(out, "\nhint: --no-strict loads what fits and leaves the rest as it is");
  if (h->mismatched > h->transposed) tsr_buf_puts(out, "\nhint: --ignore-mismatched-sizes leaves out what has another shape");
  if (h->transposed > 0)
    tsr_buf_printf(out, "\nhint: %zu %s the file's two sizes exchanged: the file keeps %s transposed, as Keras, Flax and Conv1D layers do; transpose there", h->transposed, h->transposed == 1 ? "matrix has" : "matrices have", h->transposed == 1 ? "it" : "them");
}

/* A frozen archive has no parameters left to replace. */
static void print_frozen(tsr_buf *out) {
  tsr_buf_puts(out, "\nhint: the archive has no parameters or buffers: torch.jit.freeze made constants of them; save it without freezing");
}

void tsr_state_hints(tsr_program *p, const tsr_weights *w, tsr_buf *out) {
  hints h = {.p = p, .w = w, .model = tsr_dict_new(p->mem, &tsr_type_str, &tsr_type_int)};
  tsr_errrec scratch = {0};
  tsr_state_visitor v = {&h, on_tensor, NULL};
  if (h.model != NULL && tsr_state_visit(p, &scratch, &v) == TSR_OK && !h.oom) {
    look_at_file(&h);
    look_at_model(&h);
    if (h.count == 0) print_frozen(out);
    else print(&h, out);
  }
  tsr_errrec_dispose(&scratch);
  free(h.tensors);
  if (h.model != NULL) tsr_obj_release(h.model);
}
