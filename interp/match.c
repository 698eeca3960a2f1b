/* The rules are PyTorch's (schema_matching): see docs/architecture.md. */
#include "interp/match.h"

enum { MAX_VARS = 8, SCRATCH_PARAMS = 256 };

typedef struct type_env { const char *name[MAX_VARS]; const tsr_type *type[MAX_VARS]; uint32_t count; } type_env;

/* One attempt at one candidate. */
typedef struct attempt {
  tsr_compiler *c;
  const tsr_schema *s;
  const tsr_arg *args;
  uint32_t nargs;
  bool convert, lenient;
  type_env env;
  tsr_bind *binds;
  bool explain;
  const char *why;
} attempt;

static bool refuse(attempt *m, const char *text) {
  m->why = text;
  return false;
}

/* ---- type variables */

static const tsr_type **env_slot(type_env *env, const char *name) {
  for (uint32_t i = 0; i < env->count; i++)
    if (strcmp(env->name[i], name) == 0) return &env->type[i];
  if (env->count == MAX_VARS) return NULL;
  env->name[env->count] = name;
  env->type[env->count] = NULL;
  return &env->type[env->count++];
}

static bool has_var(const tsr_type *t) {
  if (t->kind == TSR_T_VAR) return true;
  for (uint32_t i = 0; i < t->count; i++)
    if (has_var(t->args[i])) return true;
  return false;
}

static bool bind_var(attempt *m, const tsr_type *formal, const tsr_type *actual) {
  const tsr_type **slot = env_slot(&m->env, formal->name);
  if (slot == NULL) return false;
  if (*slot == NULL || tsr_is_unknown(*slot)) *slot = actual;
  else *slot = tsr_resolve_unify(m->c, *slot, actual);
  return *slot != NULL;
}

static bool bind_vars(attempt *m, const tsr_type *formal, const tsr_type *actual);

static bool bind_all(attempt *m, const tsr_type *formal, const tsr_type *actual) {
  for (uint32_t i = 0; i < formal->count; i++)
    if (!bind_vars(m, formal->args[i], tsr_is_unknown(actual) ? actual : actual->args[i])) return false;
  return true;
}

static bool bind_vars(attempt *m, const tsr_type *formal, const tsr_type *actual) {
  if (!has_var(formal)) return true;
  if (formal->kind == TSR_T_VAR) return bind_var(m, formal, actual);
  if (tsr_is_unknown(actual)) return bind_all(m, formal, actual);
  if (formal->kind == TSR_T_OPTIONAL) {
    if (actual->kind == TSR_T_OPTIONAL) return bind_vars(m, formal->args[0], actual->args[0]);
    return actual->kind != TSR_T_NONE && bind_vars(m, formal->args[0], actual);
  }
  if (formal->kind == TSR_T_LIST && actual->kind == TSR_T_TUPLE) {
    const tsr_type *elem = actual->count == 0 ? NULL : actual->args[0];
    for (uint32_t i = 1; i < actual->count && elem != NULL; i++) elem = tsr_resolve_unify(m->c, elem, actual->args[i]);
    return elem != NULL && bind_vars(m, formal->args[0], elem);
  }
  if (formal->kind != actual->kind || formal->count != actual->count) return false;
  return bind_all(m, formal, actual);
}

/* Replace the variables; one that nothing determined is unknown.  NULL never. */
static const tsr_type *eval_vars(attempt *m, const tsr_type *t) {
  if (!has_var(t)) return t;
  if (t->kind == TSR_T_VAR) {
    const tsr_type **slot = env_slot(&m->env, t->name);
    return slot == NULL || *slot == NULL ? &tsr_type_unknown : *slot;
  }
  const tsr_type **args = tsr_compile_alloc(m->c, t->count * sizeof *args);
  for (uint32_t i = 0; i < t->count; i++) args[i] = eval_vars(m, t->args[i]);
  switch (t->kind) {
  case TSR_T_LIST: return tsr_resolve_list(m->c, args[0]);
  case TSR_T_DICT: return tsr_resolve_dict(m->c, args[0], args[1]);
  case TSR_T_TUPLE: return tsr_resolve_tuple(m->c, args, t->count);
  case TSR_T_OPTIONAL: return tsr_resolve_optional(m->c, args[0]);
  case TSR_T_FUTURE: case TSR_T_AWAIT: case TSR_T_RREF: {
    if (tsr_is_unknown(args[0])) return args[0];
    const tsr_type *w = tsr_type_wrap(m->c->types, t->kind, args[0]);
    if (w == NULL) tsr_compile_nomem(m->c);
    return w;
  }
  default: return &tsr_type_unknown;
  }
}

/* ---- conversions */

static bool tuple_to_list(tsr_compiler *c, const tsr_type *from, const tsr_type *list, bool convert, bool lenient) {
  for (uint32_t i = 0; i < from->count; i++) {
    if (tsr_resolve_subtype(c, from->args[i], list->args[0])) continue;
    tsr_arg member = {.type = from->args[i]};
    tsr_conv how;
    const char *op;
    if (!convert || !tsr_match_convert(c, &member, list->args[0], convert, lenient, &how, &op)) return false;
  }
  return true;
}

static bool tuple_members(tsr_compiler *c, const tsr_type *from, const tsr_type *to, bool convert, bool lenient) {
  if (from->count != to->count) return false;
  for (uint32_t i = 0; i < from->count; i++) {
    tsr_arg member = {.type = from->args[i]};
    tsr_conv how;
    const char *op;
    if (!tsr_match_convert(c, &member, to->args[i], convert, lenient, &how, &op)) return false;
  }
  return true;
}

static const char *implicit_op(const tsr_type *from, const tsr_type *to) {
  if (from == &tsr_type_tensor) {
    if (to == &tsr_type_float) return "aten::FloatImplicit";
    if (to == &tsr_type_int) return "aten::IntImplicit";
    if (to == &tsr_type_complex) return "aten::ComplexImplicit";
    if (to == &tsr_type_number) return "aten::ScalarImplicit";
  } else if (from == &tsr_type_number) {
    if (to == &tsr_type_float) return "aten::Float";
    if (to == &tsr_type_int) return "aten::Int";
    if (to == &tsr_type_complex) return "aten::Complex";
  } else if (from == &tsr_type_bool) {
    if (to == &tsr_type_float) return "aten::Float";
    if (to == &tsr_type_int || to == &tsr_type_number) return "aten::Int";
  } else if (from == &tsr_type_str && to == &tsr_type_device) {
    return "aten::device";
  }
  return NULL;
}

bool tsr_match_convert(tsr_compiler *c, const tsr_arg *arg, const tsr_type *want, bool convert, bool lenient, tsr_conv *how, const char **op) {
  const tsr_type *from = arg->type;
  *how = TSR_CONV_NONE;
  *op = NULL;
  if (tsr_is_unknown(from) || tsr_is_unknown(want)) return true;
  if (want->kind == TSR_T_OPTIONAL && from->kind != TSR_T_OPTIONAL && from->kind != TSR_T_NONE) want = want->args[0];
  if (arg->empty_list && want->kind == TSR_T_LIST && from != want) {
    *how = TSR_CONV_EMPTY_LIST;
    return true;
  }
  if (tsr_resolve_subtype(c, from, want)) return true;
  if (from->kind == TSR_T_TUPLE && want->kind == TSR_T_LIST) {
    *how = TSR_CONV_TUPLE_LIST;
    return tuple_to_list(c, from, want, false, false) || (lenient && tuple_to_list(c, from, want, true, true));
  }
  if (from->kind == TSR_T_TUPLE && want->kind == TSR_T_TUPLE) {
    *how = TSR_CONV_TUPLE;
    return tuple_members(c, from, want, convert, lenient);
  }
  if (lenient && arg->int_literal && (want == &tsr_type_float || want == &tsr_type_complex)) {
    *how = TSR_CONV_LITERAL;
    return want == &tsr_type_float;
  }
  /* an operator takes a list of tensors where optional ones are allowed; a function might put None into it */
  if (lenient && arg->keep_tensor && from->kind == TSR_T_LIST && want->kind == TSR_T_LIST && tsr_resolve_subtype(c, from->args[0], want->args[0])) return true;
  *op = convert && !(arg->keep_tensor && from == &tsr_type_tensor) ? implicit_op(from, want) : NULL;
  *how = TSR_CONV_OP;
  return *op != NULL;
}

/* ---- one candidate */

static bool bind_one(attempt *m, uint32_t p, uint32_t a) {
  const tsr_param *param = &m->s->params[p];
  const tsr_arg *arg = &m->args[a];
  tsr_bind *b = &m->binds[p];
  *b = (tsr_bind){TSR_BIND_ARG, a, 1, param->type};
  const tsr_type *plain = param->type->kind == TSR_T_OPTIONAL ? param->type->args[0] : param->type;
  if (param->list_size > 0 && plain->kind == TSR_T_LIST && (arg->type == &tsr_type_int || arg->type == &tsr_type_float)) {
    bool literal = m->lenient && arg->int_literal && plain->args[0] == &tsr_type_float;
    if (plain->args[0] == arg->type || literal) {
      *b = (tsr_bind){TSR_BIND_REPEAT, a, (uint32_t)param->list_size, plain};
      return true;
    }
  }
  tsr_conv how;
  const char *op;
  const tsr_type *want = NULL;
  if (bind_vars(m, param->type, arg->type)) {
    want = eval_vars(m, param->type);
    b->type = want;
    if (tsr_match_convert(m->c, arg, want, m->convert, m->lenient, &how, &op)) return true;
  }
  if (!m->explain) return false;
  return refuse(m, tsr_compile_text(m->c, "expected a value of type '%s' for argument '%s' but instead found type '%s'",
                                    tsr_compile_typename(m->c, want == NULL ? param->type : want), param->name, tsr_compile_typename(m->c, arg->type)));
}

/* zeros(2, 3): the last positional list parameter takes the rest. */
static bool takes_rest(const attempt *m, uint32_t p, const tsr_arg *first) {
  const tsr_schema *s = m->s;
  const tsr_param *param = &s->params[p];
  const tsr_type *t = param->type;
  if (!m->convert || param->kwarg_only || param->list_size > 0 || t->kind != TSR_T_LIST || t->args[0]->kind == TSR_T_VAR) return false;
  if (p + 1 < s->param_count && !s->params[p + 1].kwarg_only) return false;
  if (first->type->kind == TSR_T_LIST || tsr_is_unknown(first->type)) return false;
  return !(first->type->kind == TSR_T_TUPLE && tuple_to_list(m->c, first->type, t, false, false));
}

static bool bind_rest(attempt *m, uint32_t p, uint32_t first, uint32_t count) {
  const tsr_param *param = &m->s->params[p];
  const tsr_type *plain = param->type;
  m->binds[p] = (tsr_bind){TSR_BIND_REST, first, count, plain};
  for (uint32_t i = 0; i < count; i++) {
    tsr_conv how;
    const char *op;
    if (!tsr_match_convert(m->c, &m->args[first + i], plain->args[0], m->convert, m->lenient, &how, &op)) {
      if (!m->explain) return false;
      return refuse(m, tsr_compile_text(m->c, "expected a value of type '%s' for argument '%s' but instead found type '%s'",
                                        tsr_compile_typename(m->c, param->type), param->name, tsr_compile_typename(m->c, m->args[first + i].type)));
    }
  }
  return true;
}

static bool keyword_is(const attempt *m, const tsr_arg *arg, const char *name) {
  if (arg->keyword == NULL) return false;
  if (strlen(name) == arg->keyword_len && memcmp(name, arg->keyword, arg->keyword_len) == 0) return true;
  return strcmp(name, "self") == 0 && arg->keyword_len == 5 && memcmp(arg->keyword, "input", 5) == 0 && strncmp(m->s->name, "aten::", 6) == 0;
}

static int64_t find_keyword(const attempt *m, const char *name) {
  for (uint32_t i = 0; i < m->nargs; i++)
    if (keyword_is(m, &m->args[i], name)) return i;
  return -1;
}

static uint32_t next_positional(const attempt *m, uint32_t from) {
  while (from < m->nargs && (m->args[from].keyword != NULL || m->args[from].is_self)) from++;
  return from;
}

static bool all_keywords_used(attempt *m) {
  for (uint32_t i = 0; i < m->nargs; i++) {
    if (m->args[i].keyword == NULL) continue;
    bool used = false;
    for (uint32_t p = 0; p < m->s->param_count && !used; p++)
      used = m->binds[p].how == TSR_BIND_ARG || m->binds[p].how == TSR_BIND_REPEAT ? m->binds[p].arg == i : false;
    if (used) continue;
    if (!m->explain) return false;
    return refuse(m, tsr_compile_text(m->c, "Unknown keyword argument '%.*s'", (int)m->args[i].keyword_len, m->args[i].keyword));
  }
  return true;
}

static bool try_candidate(attempt *m, tsr_matched *out) {
  const tsr_schema *s = m->s;
  m->env.count = 0;
  bool self_used = m->nargs == 0 || !m->args[0].is_self;
  uint32_t at = next_positional(m, 0);
  for (uint32_t p = 0; p < s->param_count; p++) {
    const tsr_param *param = &s->params[p];
    int64_t kw;
    if (!self_used && strcmp(param->name, "self") == 0) {
      self_used = true;
      if (!bind_one(m, p, 0)) return false;
    } else if (!param->kwarg_only && at < m->nargs) {
      if (takes_rest(m, p, &m->args[at])) {
        uint32_t end = at;
        while (end < m->nargs && m->args[end].keyword == NULL) end++;
        if (!bind_rest(m, p, at, end - at)) return false;
        at = next_positional(m, end);
      } else {
        if (!bind_one(m, p, at)) return false;
        at = next_positional(m, at + 1);
      }
    } else if ((kw = find_keyword(m, param->name)) >= 0) {
      if (!bind_one(m, p, (uint32_t)kw)) return false;
    } else if (param->has_default) {
      m->binds[p] = (tsr_bind){TSR_BIND_DEFAULT, 0, 0, param->type};
    } else {
      if (!m->explain) return false;
      return refuse(m, tsr_compile_text(m->c, "argument '%s' not provided", param->name));
    }
  }
  if (!self_used) return refuse(m, "provided self argument not used in schema");
  out->vararg_begin = at;
  out->vararg_count = 0;
  if (at < m->nargs) {
    if (!s->vararg) {
      if (!m->explain) return false;
      return refuse(m, tsr_compile_text(m->c, "expected at most %u arguments but found %u positional arguments", s->param_count, m->nargs));
    }
    while (out->vararg_begin + out->vararg_count < m->nargs && m->args[at + out->vararg_count].keyword == NULL) out->vararg_count++;
  }
  return all_keywords_used(m);
}

static void take_result(attempt *m, const tsr_candidate *cand, tsr_matched *out) {
  const tsr_schema *s = m->s;
  out->cand = cand;
  out->binds = tsr_compile_alloc(m->c, (s->param_count + 1) * sizeof *out->binds);
  memcpy(out->binds, m->binds, s->param_count * sizeof *out->binds);
  out->rets = tsr_compile_alloc(m->c, (s->ret_count + 1) * sizeof *out->rets);
  for (uint32_t i = 0; i < s->ret_count; i++) out->rets[i] = s->rets[i].type == NULL ? NULL : eval_vars(m, s->rets[i].type);
  out->convert = m->convert;
  out->lenient = m->lenient;
}

/* "aten::view.dtype" would swallow a view to one size. */
static bool never_chosen(const tsr_schema *s) { return strcmp(s->name, "aten::view") == 0 && strcmp(s->overload, "dtype") == 0; }

static const char *list_candidates(tsr_compiler *c, const tsr_candidate *cands, size_t n) {
  tsr_buf b = {0};
  tsr_buf_puts(&b, "Arguments for call are not valid. The following variants are available:");
  for (size_t i = 0; i < n && i < 8; i++) {
    tsr_buf_puts(&b, " ");
    tsr_schema_print(cands[i].schema, &b);
    tsr_buf_puts(&b, i + 1 < n ? ";" : "");
  }
  const char *text = b.oom ? NULL : tsr_arena_strdup(c->arena, b.data, b.len);
  tsr_buf_dispose(&b);
  if (text == NULL) tsr_compile_nomem(c);
  return text;
}

bool tsr_match(tsr_compiler *c, const tsr_candidate *cands, size_t n, const tsr_arg *args, uint32_t nargs, tsr_matched *out, const char **why) {
  tsr_bind scratch[SCRATCH_PARAMS];
  attempt m = {.c = c, .args = args, .nargs = nargs};
  for (int pass = n == 1 ? 1 : 0; pass < 3; pass++) {
    m.convert = pass > 0;
    m.lenient = pass > 1;
    m.explain = why != NULL && n == 1 && pass == 1;
    for (size_t i = 0; i < n; i++) {
      m.s = cands[i].schema;
      if (n > 1 && never_chosen(m.s)) continue;
      m.binds = m.s->param_count <= SCRATCH_PARAMS ? scratch : tsr_compile_alloc(c, m.s->param_count * sizeof *m.binds);
      if (!try_candidate(&m, out)) continue;
      take_result(&m, &cands[i], out);
      return true;
    }
  }
  if (why != NULL) *why = n == 1 ? m.why : list_candidates(c, cands, n);
  return false;
}
