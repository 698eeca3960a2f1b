/* Forward functions of layers whose code depends on the object: chains of children, recurrent layers. */
#include <stdio.h>

#include "interp/pickled.h"

/* ---- text ---- */

static const char *finish(tsr_compiler *c, tsr_buf *b) {
  char *text = b->oom || b->data == NULL ? NULL : tsr_arena_strdup(c->arena, b->data, b->len);
  tsr_buf_dispose(b);
  if (text == NULL) tsr_compile_nomem(c);
  return text;
}

/* self.name, for any name a module can have */
static void put_child(tsr_compiler *c, tsr_buf *b, const char *self, const tsr_str *name) {
  bool plain = name->len > 0 && name->len < 200 && strlen(name->bytes) == name->len;
  for (size_t i = 0; plain && i < name->len; i++)
    plain = name->bytes[i] != '"' && name->bytes[i] != '\\' && (unsigned char)name->bytes[i] >= ' ' && (unsigned char)name->bytes[i] < 0x7f;
  if (!plain) {
    tsr_buf_dispose(b);
    tsr_compile_fail(c, NULL, NULL, TSR_EUNSUPPORTED, "a module has a child whose name cannot be written in TorchScript");
  }
  tsr_buf_printf(b, "(getattr(%s, \"%s\"))", self, name->bytes);
}

/* ---- chains ---- */

const char *tsr_pickled_chain(tsr_compiler *c, const tsr_pmodule *m) {
  tsr_buf b = {0};
  const tsr_dict *d = m->children;
  size_t n = 0;
  tsr_buf_puts(&b, "def forward(self, input: Tensor):\n");
  for (size_t i = d == NULL ? 0 : tsr_dict_next(d, 0); d != NULL && i < d->used; i = tsr_dict_next(d, i + 1)) {
    tsr_buf_printf(&b, "  x%zu = ", n);
    put_child(c, &b, "self", d->entries[i].key.s);
    if (n == 0) tsr_buf_puts(&b, ".forward(input)\n");
    else tsr_buf_printf(&b, ".forward(x%zu)\n", n - 1);
    n++;
  }
  if (n == 0) tsr_buf_puts(&b, "  return input\n");
  else tsr_buf_printf(&b, "  return x%zu\n", n - 1);
  return finish(c, &b);
}

const char *tsr_pickled_stack(tsr_compiler *c, const tsr_pmodule *m, bool decoder) {
  const tsr_val *layers = tsr_pmodule_attr(m, "layers"), *norm = tsr_pmodule_attr(m, "norm");
  tsr_pmodule list;
  tsr_buf b = {0};
  if (layers == NULL || !tsr_pmodule_of(*layers, &list)) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "%s has no layers", m->cls);
  tsr_buf_puts(&b, decoder ? "def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Optional[Tensor]=None, memory_mask: Optional[Tensor]=None, "
                             "tgt_key_padding_mask: Optional[Tensor]=None, memory_key_padding_mask: Optional[Tensor]=None) -> Tensor:\n  x = tgt\n"
                           : "def forward(self, src: Tensor, mask: Optional[Tensor]=None, src_key_padding_mask: Optional[Tensor]=None, "
                             "is_causal: Optional[bool]=None) -> Tensor:\n  x = src\n");
  const tsr_dict *d = list.children;
  for (size_t i = d == NULL ? 0 : tsr_dict_next(d, 0); d != NULL && i < d->used; i = tsr_dict_next(d, i + 1)) {
    tsr_buf_puts(&b, "  x = ");
    put_child(c, &b, "self.layers", d->entries[i].key.s);
    tsr_buf_puts(&b, decoder ? ".forward(x, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)\n"
                             : ".forward(x, mask, src_key_padding_mask)\n");
  }
  if (norm != NULL && norm->tag != TSR_V_NONE) tsr_buf_puts(&b, "  x = (self.norm).forward(x)\n");
  tsr_buf_puts(&b, "  return x\n");
  return finish(c, &b);
}

/* ---- $activation ---- */

static const char *function_named(const char *global) {
  static const char *const known[] = {"relu", "gelu", "silu", "tanh", "sigmoid", "elu", "selu", "celu", "mish", "hardswish", "leaky_relu", "softplus"};
  const char *dot = strrchr(global, '.');
  if (dot == NULL || (strncmp(global, "torch.", 6) != 0 && strncmp(global, "torch._C", 8) != 0)) return NULL;
  for (size_t i = 0; i < TSR_COUNT(known); i++)
    if (strcmp(known[i], dot + 1) == 0) return known[i];
  return NULL;
}

const char *tsr_pickled_fill(tsr_compiler *c, const tsr_pmodule *m, const char *path, const char *text) {
  static const char mark[] = "$activation";
  if (strstr(text, mark) == NULL) return text;
  const tsr_val *v = tsr_pmodule_attr(m, "activation");
  const char *call = "torch.relu"; /* what torch.nn takes when an old file has none */
  tsr_pmodule child;
  if (v != NULL && tsr_pmodule_of(*v, &child)) {
    call = "(self.activation).forward";
  } else if (v != NULL && v->tag == TSR_V_OBJECT) {
    const char *name = function_named(v->obj->cls->name);
    if (name == NULL)
      tsr_compile_fail(c, NULL, NULL, TSR_EUNSUPPORTED, "the activation of \"%.200s\" is %.200s, whose code is not in the file", path, v->obj->cls->name);
    call = tsr_compile_text(c, "torch.%s", name);
  }
  tsr_buf b = {0};
  for (const char *at = text, *next;; at = next + sizeof mark - 1) {
    next = strstr(at, mark);
    tsr_buf_put(&b, at, next == NULL ? strlen(at) : (size_t)(next - at));
    if (next == NULL) break;
    tsr_buf_puts(&b, call);
  }
  return finish(c, &b);
}

/* ---- recurrent layers ---- */

typedef struct rnn {
  int64_t layers, hidden, proj;
  double dropout;
  bool bias, batch_first, bidirectional, lstm;
} rnn;

static int64_t int_attr(tsr_compiler *c, const tsr_pmodule *m, const char *name, int64_t missing) {
  const tsr_val *v = tsr_pmodule_attr(m, name);
  if (v == NULL) return missing;
  if (v->tag == TSR_V_BOOL) return v->b;
  if (v->tag == TSR_V_FLOAT && v->d == 0) return 0;
  if (v->tag != TSR_V_INT || v->i < 0 || v->i > 100000000) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "attribute '%s' of %s is not what torch.nn writes", name, m->cls);
  return v->i;
}

static rnn read_rnn(tsr_compiler *c, const tsr_pmodule *m) {
  const tsr_val *p = tsr_pmodule_attr(m, "dropout");
  rnn r = {.layers = int_attr(c, m, "num_layers", 1), .hidden = int_attr(c, m, "hidden_size", 0), .proj = int_attr(c, m, "proj_size", 0),
           .bias = int_attr(c, m, "bias", 1) != 0, .batch_first = int_attr(c, m, "batch_first", 0) != 0,
           .bidirectional = int_attr(c, m, "bidirectional", 0) != 0, .lstm = strcmp(m->cls, "torch.nn.modules.rnn.LSTM") == 0,
           .dropout = p == NULL ? 0 : p->tag == TSR_V_FLOAT ? p->d : p->tag == TSR_V_INT ? (double)p->i : 0};
  if (r.layers < 1 || r.layers > 1000) tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "%s with %lld layers", m->cls, (long long)r.layers);
  return r;
}

static void put_weights(const rnn *r, tsr_buf *b) {
  const char *const names[] = {"weight_ih", "weight_hh", r->bias ? "bias_ih" : NULL, r->bias ? "bias_hh" : NULL, r->proj > 0 ? "weight_hr" : NULL};
  tsr_buf_putc(b, '[');
  for (int64_t l = 0; l < r->layers; l++)
    for (int d = 0; d < 1 + r->bidirectional; d++)
      for (size_t i = 0; i < TSR_COUNT(names); i++)
        if (names[i] != NULL) tsr_buf_printf(b, "%sself.%s_l%lld%s", b->data[b->len - 1] == '[' ? "" : ", ", names[i], (long long)l, d == 0 ? "" : "_reverse");
  tsr_buf_putc(b, ']');
}

static const char *rnn_op(tsr_compiler *c, const tsr_pmodule *m) {
  const tsr_val *mode = tsr_pmodule_attr(m, "mode"), *kind = tsr_pmodule_attr(m, "nonlinearity");
  if (strcmp(m->cls, "torch.nn.modules.rnn.LSTM") == 0) return "lstm";
  if (strcmp(m->cls, "torch.nn.modules.rnn.GRU") == 0) return "gru";
  const char *word = mode != NULL && mode->tag == TSR_V_STR ? mode->s->bytes : kind != NULL && kind->tag == TSR_V_STR ? kind->s->bytes : "";
  if (strcmp(word, "RNN_RELU") == 0 || strcmp(word, "relu") == 0) return "rnn_relu";
  if (strcmp(word, "RNN_TANH") == 0 || strcmp(word, "tanh") == 0) return "rnn_tanh";
  tsr_compile_fail(c, NULL, NULL, TSR_EFORMAT, "torch.nn.RNN of unknown mode \"%.40s\"", word);
}

static void put_start(const rnn *r, tsr_buf *b) {
  const char *state = r->lstm ? "Tuple[Tensor, Tensor]" : "Tensor";
  long long count = (long long)r->layers * (1 + r->bidirectional), hidden = (long long)r->hidden, out = (long long)(r->proj > 0 ? r->proj : r->hidden);
  tsr_buf_printf(b, "def forward(self, input: Tensor, hx: Optional[%s]=None) -> Tuple[Tensor, %s]:\n"
                    "  alone = torch.dim(input) == 2\n"
                    "  x = input\n"
                    "  if alone:\n"
                    "    x = torch.unsqueeze(input, %d)\n"
                    "  batch = torch.size(x, %d)\n"
                    "  if hx is None:\n"
                    "    h = torch.zeros([%lld, batch, %lld], dtype=input.dtype)\n",
                 state, state, r->batch_first ? 0 : 1, r->batch_first ? 0 : 1, count, out);
  if (r->lstm) tsr_buf_printf(b, "    c = torch.zeros([%lld, batch, %lld], dtype=input.dtype)\n", count, hidden);
  tsr_buf_puts(b, r->lstm ? "  else:\n    h, c = hx\n    if alone:\n      h = torch.unsqueeze(h, 1)\n      c = torch.unsqueeze(c, 1)\n"
                          : "  else:\n    h = hx\n    if alone:\n      h = torch.unsqueeze(h, 1)\n");
}

const char *tsr_pickled_rnn(tsr_compiler *c, const tsr_pmodule *m) {
  rnn r = read_rnn(c, m);
  const char *op = rnn_op(c, m);
  tsr_buf b = {0};
  put_start(&r, &b);
  tsr_buf_printf(&b, r.lstm ? "  y, h1, c1 = torch.%s(x, [h, c], " : "  y, h1 = torch.%s(x, h, ", op);
  put_weights(&r, &b);
  tsr_buf_printf(&b, ", %s, %lld, %.17g%s, self.training, %s, %s)\n", r.bias ? "True" : "False", (long long)r.layers, r.dropout,
                 r.dropout == (double)(int64_t)r.dropout ? "." : "", r.bidirectional ? "True" : "False", r.batch_first ? "True" : "False");
  tsr_buf_printf(&b, "  if alone:\n    y = torch.squeeze(y, %d)\n    h1 = torch.squeeze(h1, 1)\n", r.batch_first ? 0 : 1);
  tsr_buf_puts(&b, r.lstm ? "    c1 = torch.squeeze(c1, 1)\n  return (y, (h1, c1))\n" : "  return (y, h1)\n");
  return finish(c, &b);
}
