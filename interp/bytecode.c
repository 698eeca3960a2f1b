/* Bytecode: names, verifier, disassembler, release.  All derive from opcodes.def. */
#include "interp/bytecode.h"

#include <stdlib.h>

typedef enum operand_kind { KIND_N, KIND_W, KIND_R, KIND_K, KIND_S, KIND_J, KIND_I, KIND_D, KIND_V } operand_kind;

typedef struct opcode_info { const char *name; uint8_t kinds[3]; } opcode_info;

static const opcode_info opcodes[TSR_BC_COUNT] = {
#define TSR_OPCODE(id, mnemonic, a, b, c, doc) {mnemonic, {KIND_##a, KIND_##b, KIND_##c}},
#include "interp/opcodes.def"
#undef TSR_OPCODE
};

const char *tsr_opcode_name(uint32_t op) { return op < TSR_BC_COUNT ? opcodes[op].name : "?"; }

bool tsr_opcode_jumps(uint32_t op) { return op < TSR_BC_COUNT && opcodes[op].kinds[2] == KIND_J; }

void tsr_bytecode_free(tsr_bytecode *code) {
  if (code == NULL) return;
  for (uint32_t i = 0; i < code->nsites; i++) {
    tsr_site *site = &code->sites[i].site;
    if (site->data != NULL && site->free_fn != NULL) site->free_fn(site->data);
    free(code->sites[i].tags);
  }
  free(code->insns);
  free(code->locs);
  free(code->sites);
  free(code->operands);
  free(code->consts);
  free(code->handlers);
  free(code->constregs);
  free(code->divisors);
  free(code);
}

const tsr_loc *tsr_bytecode_loc(const tsr_bytecode *code, uint32_t pc) {
  if (pc >= code->ninsns) return NULL;
  for (uint32_t i = pc + 1; i-- > 0;)
    if (code->locs[i] != NULL) return code->locs[i];
  return NULL;
}

static bool operand_fits(const tsr_bytecode *c, operand_kind kind, int32_t v, uint32_t session_consts) {
  switch (kind) {
    case KIND_N: return true;
    case KIND_W:
    case KIND_R: return v >= 0 && (uint32_t)v < c->nregs;
    case KIND_K: return v >= 0 && (uint32_t)v < c->nconsts;
    case KIND_S: return v >= 0 && (uint32_t)v < session_consts;
    case KIND_J: return v >= 0 && (uint32_t)v < c->ninsns;
    case KIND_I: return v >= 0;
    case KIND_D: return v >= 0 && (uint32_t)v < c->nsites;
    case KIND_V: return v >= 0 && (uint32_t)v < c->ndivisors;
  }
  return false;
}

static bool site_fits(const tsr_bytecode *c, const tsr_callsite *s) {
  if (s->first > c->noperands || s->nargs > c->noperands - s->first ||
      s->nrets > c->noperands - s->first - s->nargs)
    return false;
  for (uint32_t i = 0; i < s->nargs + s->nrets; i++) {
    uint32_t o = c->operands[s->first + i], index = o & TSR_OPERAND_INDEX;
    if (i >= s->nargs && (o == TSR_OPERAND_UNUSED)) continue;
    if (o & TSR_OPERAND_CONST) {
      if (i >= s->nargs || index >= c->nconsts || (o & TSR_OPERAND_LAST)) return false;
    } else if (index >= c->nregs || (i >= s->nargs && (o & TSR_OPERAND_LAST))) {
      return false;
    }
  }
  return true;
}

static bool ends(uint32_t op) {
  return op == TSR_BC_RETURN || op == TSR_BC_RAISE || op == TSR_BC_RERAISE || op == TSR_BC_JUMP || op == TSR_BC_BACK ||
         op == TSR_BC_MISSING;
}

tsr_status tsr_bytecode_verify(const tsr_bytecode *c, uint32_t session_consts, tsr_errrec *e) {
  if (c->ninsns == 0 || c->nparams > c->nregs || !ends(c->insns[c->ninsns - 1].op))
    return tsr_fail(e, TSR_EINTERNAL, "bytecode of %s has no end", c->name);
  for (uint32_t pc = 0; pc < c->ninsns; pc++) {
    const tsr_insn *in = &c->insns[pc];
    const int32_t v[3] = {in->a, in->b, in->c};
    bool ok = in->op < TSR_BC_COUNT;
    for (int k = 0; ok && k < 3; k++) ok = operand_fits(c, (operand_kind)opcodes[in->op].kinds[k], v[k], session_consts);
    if (ok && opcodes[in->op].kinds[0] == KIND_D) ok = site_fits(c, &c->sites[in->a]);
    if (!ok) return tsr_fail(e, TSR_EINTERNAL, "bytecode of %s: bad instruction %u (%s)", c->name, pc, tsr_opcode_name(in->op));
  }
  for (uint32_t i = 0; i < c->nhandlers; i++) {
    const tsr_handler *h = &c->handlers[i];
    if (h->begin > h->end || h->end > c->ninsns || h->target >= c->ninsns)
      return tsr_fail(e, TSR_EINTERNAL, "bytecode of %s: bad handler %u", c->name, i);
  }
  for (uint32_t i = 0; i < c->nconstregs; i++)
    if (c->constregs[i].reg >= c->nregs || c->constregs[i].constant >= c->nconsts)
      return tsr_fail(e, TSR_EINTERNAL, "bytecode of %s: bad constant register %u", c->name, i);
  return TSR_OK;
}

static int32_t link_operand(operand_kind kind, int32_t v, uint32_t pc) {
  switch (kind) {
    case KIND_W:
    case KIND_R: return (int32_t)((uint32_t)v * (uint32_t)sizeof(tsr_val));
    case KIND_J: return (v - (int32_t)pc) * (int32_t)sizeof(tsr_insn);
    default: return v;
  }
}

void tsr_bytecode_link(tsr_bytecode *c) {
  for (uint32_t pc = 0; pc < c->ninsns; pc++) {
    tsr_insn *in = &c->insns[pc];
    const uint8_t *kinds = opcodes[in->op].kinds;
    in->a = link_operand((operand_kind)kinds[0], in->a, pc);
    in->b = link_operand((operand_kind)kinds[1], in->b, pc);
    in->c = link_operand((operand_kind)kinds[2], in->c, pc);
  }
}

static void print_const(const tsr_val *v, tsr_buf *out) {
  tsr_buf text = {0};
  if (v->tag == TSR_V_TENSOR) {
    tsr_buf_puts(out, "<tensor>");
    return;
  }
  tsr_val_print(*v, &text);
  for (size_t i = 0; i < text.len && i < 60; i++) tsr_buf_putc(out, text.data[i] == '\n' ? ' ' : text.data[i]);
  if (text.len > 60) tsr_buf_puts(out, "...");
  tsr_buf_dispose(&text);
}

static void print_operand(const tsr_bytecode *c, uint32_t o, tsr_buf *out) {
  if (o == TSR_OPERAND_UNUSED) tsr_buf_puts(out, "_");
  else if (o & TSR_OPERAND_CONST) print_const(&c->consts[o & TSR_OPERAND_INDEX], out);
  else tsr_buf_printf(out, "r%u%s", o & TSR_OPERAND_INDEX, (o & TSR_OPERAND_LAST) ? "!" : "");
}

static void print_site(const tsr_bytecode *c, const tsr_callsite *s, tsr_buf *out) {
  for (uint32_t i = 0; i < s->nrets; i++) {
    tsr_buf_puts(out, i > 0 ? ", " : " ");
    print_operand(c, c->operands[s->first + s->nargs + i], out);
  }
  tsr_buf_puts(out, s->nrets > 0 ? " = " : " ");
  if (s->schema != NULL) {
    tsr_buf_puts(out, s->schema->name);
    if (s->schema->overload != NULL && s->schema->overload[0] != 0) tsr_buf_printf(out, ".%s", s->schema->overload);
  } else if (s->fn != NULL) {
    tsr_buf_puts(out, s->fn->name);
  } else if (s->name != NULL) {
    tsr_buf_puts(out, s->name);
  } else if (s->type != NULL) {
    tsr_type_print(s->type, out);
  }
  tsr_buf_putc(out, '(');
  for (uint32_t i = 0; i < s->nargs; i++) {
    if (i > 0) tsr_buf_puts(out, ", ");
    print_operand(c, c->operands[s->first + i], out);
  }
  tsr_buf_putc(out, ')');
}

static void print_field(const tsr_bytecode *c, operand_kind kind, uint32_t pc, int32_t v, tsr_buf *out) {
  switch (kind) {
    case KIND_N: break;
    case KIND_W:
    case KIND_R: tsr_buf_printf(out, " r%u", (uint32_t)v / (uint32_t)sizeof(tsr_val)); break;
    case KIND_K: tsr_buf_putc(out, ' '); print_const(&c->consts[v], out); break;
    case KIND_S: tsr_buf_printf(out, " CONSTANTS.%d", v); break;
    case KIND_J: tsr_buf_printf(out, " ->%d", (int32_t)pc + v / (int32_t)sizeof(tsr_insn)); break;
    case KIND_I: tsr_buf_printf(out, " %d", v); break;
    case KIND_D: print_site(c, &c->sites[v], out); break;
    case KIND_V: tsr_buf_printf(out, " %lld", (long long)c->divisors[v].value); break;
  }
}

void tsr_bytecode_print(const tsr_bytecode *c, tsr_buf *out) {
  tsr_buf_printf(out, "%s: %u registers, %u instructions\n", c->name, c->nregs, c->ninsns);
  for (uint32_t i = 0; i < c->nconstregs; i++) {
    tsr_buf_printf(out, "        r%u = ", c->constregs[i].reg);
    print_const(&c->consts[c->constregs[i].constant], out);
    tsr_buf_putc(out, '\n');
  }
  for (uint32_t pc = 0; pc < c->ninsns; pc++) {
    const tsr_insn *in = &c->insns[pc];
    const opcode_info *info = &opcodes[in->op];
    tsr_buf_printf(out, "  %5u %-12s", pc, info->name);
    print_field(c, (operand_kind)info->kinds[0], pc, in->a, out);
    print_field(c, (operand_kind)info->kinds[1], pc, in->b, out);
    print_field(c, (operand_kind)info->kinds[2], pc, in->c, out);
    const tsr_loc *loc = c->locs[pc];
    if (loc != NULL && loc->src != NULL) {
      int line = 0, column = 0;
      tsr_source_position(loc->src, loc->begin, &line, &column);
      tsr_buf_printf(out, "  # %s:%d:%d", loc->src->name, line, column);
    }
    tsr_buf_putc(out, '\n');
  }
  for (uint32_t i = 0; i < c->nhandlers; i++)
    tsr_buf_printf(out, "  errors at [%u, %u) go to %u\n", c->handlers[i].begin, c->handlers[i].end, c->handlers[i].target);
}
