/* Names that TorchScript code uses: __setstate__ methods, custom operators, operators that reach outside. */
#include "frontend/ast.h"
#include "frontend/scan.h"
#include "frontend/text.h"

typedef struct walker {
  tsr_scan *s;
  const tsr_source *src;
  const tsr_ast *cls;
} walker;

/* a.b.c as "a.b.c"; false: no dotted name, or too long */
static bool dotted(const tsr_ast *a, char *out, size_t cap, size_t *len) {
  if (a->kind == TSR_AST_NAME) {
    if (a->len >= cap) return false;
    memcpy(out, a->text, a->len);
    *len = a->len;
    return true;
  }
  if (a->kind != TSR_AST_ATTR || !dotted(a->kids[0], out, cap, len) || *len + 1 + a->len >= cap) return false;
  out[(*len)++] = '.';
  memcpy(out + *len, a->text, a->len);
  *len += a->len;
  return true;
}

static void note_operator(walker *w, const tsr_ast *at, const char *ns, size_t ns_len, const char *name, size_t name_len) {
  static const char *const own[] = {"aten", "prim", "quantized", "_quantized", "prims", "mkldnn", "mkldnn_prepacked", "prepacked", "sparse", "torchvision", "inductor", "xnnpack", "metal", "vulkan"};
  char text[256];
  size_t n = 0;
  bool known = false;
  if (ns_len + name_len + 3 > sizeof text) return;
  memcpy(text, ns, ns_len), n = ns_len;
  text[n++] = ':', text[n++] = ':';
  memcpy(text + n, name, name_len), n += name_len;
  const char *risk = tsr_scan_operator_risk(text, n);
  int line = 0, column = 0;
  tsr_source_position(w->src, at->begin, &line, &column);
  if (risk != NULL) tsr_scan_add(w->s, TSR_SCAN_DANGER, w->src->name, "line %d: operator %s %s", line, tsr_show(text, n).text, risk);
  for (size_t i = 0; i < TSR_COUNT(own); i++) known |= strlen(own[i]) == ns_len && memcmp(own[i], ns, ns_len) == 0;
  if (!known) tsr_scan_name(w->s, &w->s->operators, &w->s->operator_count, &w->s->operator_cap, text, n);
}

static void note_name(walker *w, const tsr_ast *a) {
  char text[512];
  size_t len = 0;
  if (!dotted(a, text, sizeof text, &len)) return;
  const char *dot;
  if (len > 6 && memcmp(text, "torch.", 6) == 0) {
    note_operator(w, a, "aten", 4, text + 6, len - 6);
  } else if (len > 4 && memcmp(text, "ops.", 4) == 0 && (dot = memchr(text + 4, '.', len - 4)) != NULL) {
    note_operator(w, a, text + 4, (size_t)(dot - text - 4), dot + 1, (size_t)(text + len - dot - 1));
  } else if (len > 25 && memcmp(text, "__torch__.torch.classes.", 24) == 0 && memcmp(text + 24, "quantized.", 10) != 0) {
    tsr_scan_name(w->s, &w->s->operators, &w->s->operator_count, &w->s->operator_cap, text + 10, len - 10);
  }
}

static void walk(walker *w, const tsr_ast *a) {
  const tsr_ast *outer = w->cls;
  if (a->kind == TSR_AST_CLASS) w->cls = a;
  if (a->kind == TSR_AST_DEF && a->len == 12 && memcmp(a->text, "__setstate__", 12) == 0) {
    const char *name = w->cls == NULL ? "?" : w->cls->text;
    tsr_scan_name(w->s, &w->s->setstates, &w->s->setstate_count, &w->s->setstate_cap, name, w->cls == NULL ? 1 : w->cls->len);
  }
  if (a->kind == TSR_AST_ATTR) note_name(w, a);
  for (uint32_t i = 0; i < a->count; i++) walk(w, a->kids[i]);
  w->cls = outer;
}

void tsr_scan_code(tsr_scan *s, const char *name, const char *text, size_t len) {
  tsr_arena *arena = tsr_arena_new();
  tsr_errrec e = {0};
  tsr_source src = {.name = name, .text = text, .len = len};
  tsr_ast *tree = NULL;
  if (arena == NULL) {
    s->oom = true;
    return;
  }
  if (tsr_parse_file(arena, &e, &src, &tree) == TSR_OK) walk(&(walker){.s = s, .src = &src}, tree);
  else if (e.status == TSR_ENOMEM) s->oom = true;
  else tsr_scan_add(s, TSR_SCAN_ODD, name, "this is not TorchScript: %s", e.message == NULL ? "" : e.message);
  tsr_errrec_dispose(&e);
  tsr_arena_free(arena);
}
