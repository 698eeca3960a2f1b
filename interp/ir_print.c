/* The canonical text form of the intermediate representation. */
#include "interp/ir.h"

static void indent(tsr_buf *out, int depth) {
  for (int i = 0; i < depth; i++) tsr_buf_puts(out, "  ");
}

static void print_value(tsr_buf *out, const tsr_ir_value *v) {
  if (v == NULL) tsr_buf_puts(out, "%?");
  else tsr_buf_printf(out, "%%%u", v->id);
}

static void print_typed(tsr_buf *out, const tsr_ir_value *v) {
  print_value(out, v);
  if (v == NULL) return;
  if (v->name != NULL) tsr_buf_printf(out, " %s", v->name);
  tsr_buf_puts(out, " : ");
  tsr_type_print(v->type, out);
}

static void print_list(tsr_buf *out, tsr_ir_value *const *vs, uint32_t n, bool typed) {
  for (uint32_t i = 0; i < n; i++) {
    if (i > 0) tsr_buf_puts(out, ", ");
    if (typed) print_typed(out, vs[i]);
    else print_value(out, vs[i]);
  }
}

/* Strings are quoted with C escapes, tensors shown by type only, so that one node is one line. */
static void print_const(tsr_buf *out, tsr_val v) {
  if (v.tag == TSR_V_STR) {
    tsr_buf_putc(out, '"');
    for (size_t i = 0; i < v.s->len; i++) {
      unsigned char c = (unsigned char)v.s->bytes[i];
      if (c == '"' || c == '\\') tsr_buf_printf(out, "\\%c", c);
      else if (c < 0x20 || c == 0x7f) tsr_buf_printf(out, "\\%03o", c);
      else tsr_buf_putc(out, (char)c);
    }
    tsr_buf_putc(out, '"');
  } else if (v.tag == TSR_V_FLOAT) {
    tsr_buf_printf(out, "%.17g", v.d);
  } else if (v.tag == TSR_V_ENUM) {
    tsr_buf_printf(out, "%s.%s", v.e->cls->name, v.e->cls->member_names[v.e->member]);
  } else if (v.tag <= TSR_V_COMPLEX) {
    tsr_val_print(v, out);
  } else {
    tsr_buf_printf(out, "<%s>", tsr_tag_name(v));
  }
}

static void print_attributes(tsr_buf *out, const tsr_ir_node *n) {
  switch (n->kind) {
  case TSR_IR_CONST:
    tsr_buf_puts(out, "[");
    print_const(out, n->val);
    tsr_buf_puts(out, "]");
    break;
  case TSR_IR_GETATTR: case TSR_IR_SETATTR: tsr_buf_printf(out, "[%s@%u]", n->name, n->slot); break;
  case TSR_IR_CALL: case TSR_IR_CLOSURE: case TSR_IR_WITH: tsr_buf_printf(out, "[%s]", n->callee->name); break;
  case TSR_IR_CALL_METHOD: tsr_buf_printf(out, "[%s]", n->name); break;
  case TSR_IR_TUPLE_GET: tsr_buf_printf(out, "[%u]", n->slot); break;
  case TSR_IR_CAST:
    if (n->slot != 0) tsr_buf_puts(out, "[checked]");
    break;
  case TSR_IR_ISINSTANCE:
    tsr_buf_puts(out, "[");
    tsr_type_print(n->type, out);
    tsr_buf_puts(out, "]");
    break;
  default: break;
  }
}

/* Lines are counted from the last location printed, forth or back: neighbours are near each other. */
typedef struct printer { tsr_buf *out; const tsr_source *src; uint32_t offset; int line; } printer;

static int column_of(const tsr_source *src, uint32_t offset) {
  int column = 1;
  for (; offset > 0 && src->text[offset - 1] != '\n'; offset--) column += ((unsigned char)src->text[offset - 1] & 0xC0) != 0x80;
  return column;
}

static void print_loc(printer *p, const tsr_loc *loc) {
  if (loc == NULL || loc->src == NULL) return;
  if (p->src != loc->src) *p = (printer){p->out, loc->src, 0, 1};
  uint32_t end = (uint32_t)TSR_MIN((size_t)loc->begin, loc->src->len);
  for (; p->offset < end; p->offset++) p->line += loc->src->text[p->offset] == '\n';
  for (; p->offset > end; p->offset--) p->line -= loc->src->text[p->offset - 1] == '\n';
  tsr_buf_printf(p->out, " # %s:%d:%d", loc->src->name, p->line, column_of(loc->src, end));
}

static void print_block(printer *p, const tsr_ir_block *b, int depth);

static void print_node(printer *p, const tsr_ir_node *n, int depth) {
  tsr_buf *out = p->out;
  indent(out, depth);
  print_list(out, n->out, n->nout, true);
  if (n->nout > 0) tsr_buf_puts(out, " = ");
  if (n->kind != TSR_IR_OP) tsr_buf_puts(out, tsr_ir_kind_name(n->kind));
  else if (n->schema == NULL) tsr_buf_printf(out, "missing %s", n->name);
  else tsr_buf_printf(out, "%s%s%s", n->schema->name, n->schema->overload[0] != 0 ? "." : "", n->schema->overload);
  print_attributes(out, n);
  tsr_buf_puts(out, "(");
  print_list(out, n->in, n->nin, false);
  tsr_buf_puts(out, ")");
  print_loc(p, n->loc);
  tsr_buf_puts(out, "\n");
  for (uint32_t k = 0; k < n->nblocks; k++) {
    indent(out, depth + 1);
    tsr_buf_printf(out, "block%u(", k);
    print_list(out, n->blocks[k]->params, n->blocks[k]->nparams, true);
    tsr_buf_puts(out, "):\n");
    print_block(p, n->blocks[k], depth + 2);
  }
}

static void print_block(printer *p, const tsr_ir_block *b, int depth) {
  tsr_buf *out = p->out;
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) print_node(p, n, depth);
  indent(out, depth);
  tsr_buf_puts(out, "-> (");
  print_list(out, b->rets, b->nrets, false);
  tsr_buf_puts(out, ")\n");
}

void tsr_ir_print(const tsr_ir_fn *fn, tsr_buf *out) {
  tsr_buf_printf(out, "fn %s(", fn->name);
  print_list(out, fn->body->params, fn->body->nparams, true);
  tsr_buf_puts(out, ")");
  if (fn->schema != NULL && fn->schema->ret_count == 1) {
    tsr_buf_puts(out, " -> ");
    tsr_type_print(fn->schema->rets[0].type, out);
  }
  tsr_buf_puts(out, ":\n");
  printer p = {out, NULL, 0, 1};
  print_block(&p, fn->body, 1);
}
