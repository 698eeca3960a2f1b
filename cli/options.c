/* Options: one table row each.  A word may stand anywhere; "--" ends options; -x5, -x 5, --long=5 and
 * --long 5 are the same; TSRUN_LONG in the environment is the default of --long. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "options.h"

#define ALL ((1u << VERB_COUNT) - 1)
#define V(verb) (1u << VERB_##verb)
#define AT(field) offsetof(cli_options, field)

const cli_option cli_options_table[] = {
    {'m', "model", "FILE", TEXT, AT(model), V(RUN) | V(BENCH) | V(PROFILE) | V(CHECK) | V(CODE) | V(INSPECT), NULL,
     "the archive (instead of the first word)"},
    {'i', "input", "INPUT", WORDS, AT(inputs), V(RUN) | V(BENCH) | V(PROFILE) | V(VERIFY), NULL, "one more input (see below); may repeat"},
    {'o', "output", "OUT", TEXT, AT(output), V(RUN), NULL,
     "write the result: .npy .npz .pt .safetensors .json, or - for stdout"},
    {'f', "format", "FORMAT", TEXT, AT(format), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE), NULL,
     "run: form of \"-o -\" (npy, npz, pt, safetensors, json); verify, profile: text or json; bench: text, json, md or csv"},
    {0, "method", "NAME", TEXT, AT(method), V(RUN) | V(BENCH) | V(PROFILE) | V(VERIFY) | V(CODE), NULL,
     "the method to run or show (default: forward)"},
    {'t', "threads", "N", TEXT, AT(threads), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE), NULL,
     "at most N threads (default: what the machine and its limits give); bench: N,N,..."},
    {'p', "print", "WHAT", TEXT, AT(print), V(RUN), "none|summary|all",
     "none, summary or all of the result (default: summary, none with -o)"},
    {'k', "top", "K", NUMBER, AT(top), V(RUN) | V(PROFILE), NULL,
     "run: show the K largest of a vector of scores (default: 5); profile: rows of each table (default: 20)"},
    {0, "sort", "WHAT", TEXT, AT(sort), V(PROFILE), "time|flops|bytes|calls", "largest first by time (default), flops, bytes or calls"},
    {0, "by", "WHAT", TEXT, AT(by), V(PROFILE), "op|module|line|all", "operators, modules, lines of source, or all three (default)"},
    {0, "trace", "FILE", TEXT, AT(trace), V(PROFILE), NULL, "write a timeline for Perfetto or chrome://tracing (JSON), with memory"},
    {0, "labels", "FILE", TEXT, AT(labels), V(RUN), NULL, "names of the classes, one a line, for the K largest"},
    {'s', "seed", "N", SEED, AT(seed), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE), NULL, "start the random generator from N"},
    {'O', "optimize", "LEVEL", NUMBER, AT(opt_level), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE) | V(CODE), "0|1|2",
     "0: operator by operator as written, 2: everything (default)"},
    {0, "disable-pass", "NAMES", TEXT, AT(disable_passes), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE) | V(CODE), NULL,
     "leave out optimisations: NAME[,NAME...] (a wrong name lists them all)"},
    {0, "lazy", NULL, FLAG, AT(lazy), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE), NULL,
     "compile and pack weights in the first run, not while loading"},
    {0, "eval", NULL, FLAG, AT(eval), V(RUN) | V(BENCH) | V(PROFILE), NULL, "as model.eval() does: a model saved in training mode leaves it"},
    {0, "no-winograd", NULL, FLAG, AT(no_winograd), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE), NULL,
     "3x3 convolutions by direct summation: less memory, slower"},
    {0, "cache", "FOLDER", TEXT, AT(cache), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE), NULL,
     "keep prepared weights in FOLDER: the next load maps them"},
    {0, "cache-limit", "SIZE", SIZE, AT(cache_limit), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE), NULL,
     "of all files in it (default: 16G); those used longest ago go"},
    {0, "map-location", "DEVICE", TEXT, AT(map_location), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE), "cpu",
     "where tensors saved on other devices go: cpu, and so is every device in the code"},
    {0, "strict-device", NULL, FLAG, AT(strict_device), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE), NULL,
     "refuse models whose tensors or code are bound to another device"},
    {0, "max-memory", "SIZE", SIZE, AT(max_memory), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE), NULL,
     "stop when values and constants need more: 512M, 2G"},
    {0, "timeout", "S", SECONDS, AT(timeout), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE), NULL,
     "stop a run after S seconds (also 500ms, 2m)"},
    {0, "rtol", "X", REAL, AT(rtol), V(VERIFY) | V(WEIGHTS), NULL, "relative tolerance (default: 1e-4; weights diff: 0)"},
    {0, "atol", "X", REAL, AT(atol), V(VERIFY) | V(WEIGHTS), NULL,
     "absolute tolerance (default: 1e-5, and 2e-4 of the largest magnitude; weights diff: 0)"},
    {0, "fail-fast", NULL, FLAG, AT(fail_fast), V(VERIFY), NULL, "stop at the first failing case"},
    {0, "against", "LEVEL", TEXT, AT(against), V(VERIFY), "O0",
     "MODEL [INPUT...] or folders: compare with the same run unoptimised, result by result"},
    {0, "bisect", NULL, FLAG, AT(bisect), V(VERIFY), NULL, "MODEL [INPUT...] or a folder: find the optimisation that changes the result"},
    {'w', "warmup", "N", NUMBER, AT(warmup), V(BENCH) | V(PROFILE), NULL, "runs before measuring, besides the first (default: 1)"},
    {0, "min-time", "S", SECONDS, AT(min_time), V(BENCH) | V(PROFILE), NULL, "measure for at least S seconds (default: 1)"},
    {0, "min-runs", "N", NUMBER, AT(min_runs), V(BENCH) | V(PROFILE), NULL, "measure at least N runs (default: bench 10, profile 3)"},
    {'r', "runs", "N", NUMBER, AT(runs), V(BENCH) | V(PROFILE), NULL, "measure exactly N runs"},
    {0, "export", "FILE", TEXT, AT(export_to), V(BENCH), NULL, "also write the report to FILE, by its ending: .json .md .csv"},
    {0, "json", NULL, FLAG, AT(json), V(INSPECT) | V(SCAN) | V(VERIFY) | V(BENCH) | V(PROFILE) | V(WEIGHTS), NULL, "machine-readable output"},
    {0, "markdown", NULL, FLAG, AT(markdown), V(OPS), NULL, "a Markdown table"},
    {0, "source", NULL, STAGE, AT(stage), V(CODE), NULL, "the TorchScript code as it stands in the file (default)"},
    {0, "ast", NULL, STAGE, AT(stage), V(CODE), NULL, "its syntax tree"},
    {0, "ir", NULL, STAGE, AT(stage), V(CODE), NULL, "its intermediate form"},
    {0, "pass", "NAME", TEXT, AT(pass), V(CODE), NULL, "with --ir: the code after that pass; all: what each pass changes"},
    {0, "bytecode", NULL, STAGE, AT(stage), V(CODE), NULL, "what the machine runs"},
    {0, "weights", "FILE[:KEY]", TEXT, AT(weights), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE), NULL,
     "parameters and buffers from another file (.pth .safetensors .npz, a checkpoint's KEY, a folder)"},
    {0, "no-strict", NULL, FLAG, AT(no_strict), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE) | V(WEIGHTS), NULL,
     "missing and unexpected names of --weights are told, not refused"},
    {0, "ignore-mismatched-sizes", NULL, FLAG, AT(ignore_mismatched_sizes), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE) | V(WEIGHTS),
     NULL, "weights of another shape are left out"},
    {0, "strip-prefix", "PREFIX", TEXT, AT(strip_prefix), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE) | V(WEIGHTS), NULL,
     "take PREFIX off the names of weights: module."},
    {0, "rename", "REGEX=REPL", WORDS, AT(renames), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE) | V(WEIGHTS), NULL,
     "replace in the names of weights, \\1 to \\9 for groups; may repeat"},
    {0, "add-prefix", "PREFIX", TEXT, AT(add_prefix), V(RUN) | V(VERIFY) | V(BENCH) | V(PROFILE) | V(WEIGHTS), NULL,
     "put PREFIX before the names of weights"},
    {0, "fold", NULL, FLAG, AT(fold), V(WEIGHTS), NULL, "ls: one line for the same weight of all layers"},
    {0, "stats", NULL, FLAG, AT(stats), V(WEIGHTS), NULL, "print: distribution instead of values"},
    {'v', "verbose", NULL, FLAG, AT(verbose), ALL, NULL, "say on stderr what was decided and how long it took"},
    {'h', "help", NULL, FLAG, AT(help), ALL, NULL, "this text"},
    {'V', "version", NULL, FLAG, AT(version), ALL, NULL, "the version"},
};


const cli_verb_info cli_verbs[VERB_COUNT] = {
    [VERB_RUN] = {"run", "MODEL [INPUT...]", "run a method of a TorchScript archive (the verb may be left out)"},
    [VERB_VERIFY] = {"verify", "CASE_DIR...",
                     "run folders with model.pt, inputs.* and expected.* (or expected_error.txt) and compare; "
                     "with --against or --bisect: any model with itself, unoptimised"},
    [VERB_INSPECT] = {"inspect", "FILE", "say what a file is and what it holds, without executing anything"},
    [VERB_CHECK] = {"check", "MODEL", "list the operators an archive needs that tsrun does not have"},
    [VERB_OPS] = {"ops", "", "list the operators tsrun has"},
    [VERB_BENCH] = {"bench", "MODEL [INPUT...]", "measure loading, the first run and the following ones"},
    [VERB_PROFILE] = {"profile", "MODEL [INPUT...]", "say where the time goes: operators, modules, lines; compare with what the machine can do"},
    [VERB_SCAN] = {"scan", "FILE", "say what is suspicious about a file before anything loads it"},
    [VERB_CODE] = {"code", "MODEL", "show the code of an archive at a stage of its compilation"},
    [VERB_WEIGHTS] = {"weights", "ls|print|...", "list, print, compare, convert, extract and merge weights of any file"},
};

const char *cli_verb_name(int verb) { return cli_verbs[verb].name; }

void cli_list_push(cli_list *l, const char *item) {
  if (l->count == l->cap) {
    l->cap = l->cap * 2 + 8;
    l->items = cli_alloc(l->items, l->cap * sizeof *l->items);
  }
  l->items[l->count++] = item;
}

/* ---- values of options */

/* A non-negative decimal number, whole unless fraction; *rest: what follows it. */
static bool parse_real(const char *text, double *out, const char **rest) {
  char *end = NULL;
  *out = isdigit((unsigned char)text[0]) || text[0] == '.' ? strtod(text, &end) : -1;
  *rest = end;
  return end != NULL && end != text && isfinite(*out);
}

static bool parse_suffixed(const char *text, const char *const *suffixes, const double *factors, double *out) {
  const char *rest;
  if (!parse_real(text, out, &rest)) return false;
  for (int i = 0; suffixes[i] != NULL; i++) {
    if (strcasecmp(rest, suffixes[i]) != 0) continue;
    *out *= factors[i];
    return true;
  }
  return false;
}

static bool parse_size(const char *text, uint64_t *out) {
  static const char *const suffixes[] = {"",  "b",  "k",   "kb", "kib", "m",   "mb", "mib",
                                         "g", "gb", "gib", "t",  "tb",  "tib", NULL};
  static const double K = 1024, factors[] = {1,
                                             1,
                                             K,
                                             K,
                                             K,
                                             K * K,
                                             K * K,
                                             K * K,
                                             K * K * K,
                                             K * K * K,
                                             K * K * K,
                                             K * K * K * K,
                                             K * K * K * K,
                                             K * K * K * K};
  double bytes;
  if (!parse_suffixed(text, suffixes, factors, &bytes) || bytes < 1 || bytes >= 0x1p63) return false;
  *out = (uint64_t)bytes;
  return true;
}

static bool parse_seconds(const char *text, double *out) {
  static const char *const suffixes[] = {"", "s", "ms", "m", "min", "h", NULL};
  static const double factors[] = {1, 1, 1e-3, 60, 60, 3600};
  return parse_suffixed(text, suffixes, factors, out);
}

static bool parse_integer(const char *text, bool negative, int64_t *out) {
  char *end;
  if (!isdigit((unsigned char)text[text[0] == '-' && negative])) return false;
  errno = 0;
  *out = text[0] == '-' ? strtoll(text, &end, 10) : (int64_t)strtoull(text, &end, 10);
  return *end == '\0' && errno == 0 && (negative || *out >= 0);
}

static bool parse_flag(const char *text, bool *out) {
  static const char *const words[] = {"0", "1", "false", "true", "no", "yes", "off", "on"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (strcasecmp(text, words[i]) != 0) continue;
    *out = i % 2 != 0;
    return true;
  }
  return false;
}

static bool is_choice(const char *choices, const char *word) {
  size_t len = strlen(word);
  for (const char *p = choices; p != NULL && len > 0; p = strchr(p, '|')) {
    p += *p == '|';
    if (strncmp(p, word, len) == 0 && (p[len] == '|' || p[len] == '\0')) return true;
  }
  return false;
}

static bool store(cli_options *o, const cli_option *r, const char *value) {
  char *field = (char *)o + r->offset;
  const char *rest;
  if (r->choices != NULL && !is_choice(r->choices, value)) return false;
  switch (r->kind) {
  case FLAG:
    return parse_flag(value, (bool *)field);
  case TEXT:
    *(const char **)field = value;
    return value[0] != '\0';
  case WORDS:
    cli_list_push((cli_list *)field, value);
    return true;
  case NUMBER:
    return parse_integer(value, false, (int64_t *)field);
  case SEED:
    return o->has_seed = parse_integer(value, true, (int64_t *)field);
  case SECONDS:
    return parse_seconds(value, (double *)field);
  case REAL:
    return parse_real(value, (double *)field, &rest) && *rest == '\0';
  case SIZE:
    return parse_size(value, (uint64_t *)field);
  case STAGE:
    *(const char **)field = r->name;
    return true;
  }
  return false;
}

static int bad_value(const cli_option *r, const char *value, const char *where) {
  if (r->choices != NULL && strchr(r->choices, '|') == NULL)
    return cli_fail(EXIT_USAGE, "%s%s: \"%s\": there is only %s", where, r->name, value, r->choices);
  if (r->choices != NULL) return cli_fail(EXIT_USAGE, "%s%s: \"%s\" is not one of %s", where, r->name, value, r->choices);
  static const char *const wanted[] = {[NUMBER] = "a number", [SEED] = "a number", [REAL] = "a number", [SECONDS] = "a time such as 5, 500ms or 2m",
                                       [SIZE] = "a size such as 512M or 2G"};
  const char *what = (size_t)r->kind < sizeof wanted / sizeof *wanted ? wanted[r->kind] : NULL;
  return cli_fail(EXIT_USAGE, "%s%s: \"%s\" is not %s", where, r->name, value, what != NULL ? what : r->argument == NULL ? "a valid value" : r->argument);
}

/* ---- words */

enum { ROWS = sizeof cli_options_table / sizeof *cli_options_table };
const size_t cli_options_count = ROWS;

static const cli_option *find_long(const char *name, size_t len) {
  for (size_t i = 0; i < ROWS; i++)
    if (strlen(cli_options_table[i].name) == len && memcmp(cli_options_table[i].name, name, len) == 0)
      return &cli_options_table[i];
  return NULL;
}

static const cli_option *find_letter(char letter) {
  for (size_t i = 0; i < ROWS; i++)
    if (letter != 0 && cli_options_table[i].letter == letter) return &cli_options_table[i];
  return NULL;
}

typedef struct words {
  cli_options *o;
  char **argv;
  int argc, at;
  bool given[ROWS];
} words;

/* value: what stood after "=" or the letter, or NULL: the next word. */
static int take_option(words *w, const cli_option *r, const char *value, const char *dashes) {
  w->given[r - cli_options_table] = true;
  if (r->argument == NULL) {
    if (value != NULL) return cli_fail(EXIT_USAGE, "--%s takes no value", r->name);
    return store(w->o, r, "1") ? EXIT_OK : EXIT_USAGE;
  }
  if (value == NULL) {
    if (w->at == w->argc) return cli_fail(EXIT_USAGE, "%s%s needs a value (%s)", dashes, r->name, r->argument);
    value = w->argv[w->at++];
  }
  return store(w->o, r, value) ? EXIT_OK : bad_value(r, value, "--");
}

static int take_long(words *w, const char *word) {
  const char *eq = strchr(word, '=');
  const cli_option *r = find_long(word, eq == NULL ? strlen(word) : (size_t)(eq - word));
  if (r == NULL) return cli_fail(EXIT_USAGE, "unknown option --%s (tsrun --help lists them)", word);
  return take_option(w, r, eq == NULL ? NULL : eq + 1, "--");
}

static int take_letters(words *w, const char *letters) {
  for (; *letters != '\0'; letters++) {
    const cli_option *r = find_letter(*letters);
    if (r == NULL) return cli_fail(EXIT_USAGE, "unknown option -%s (tsrun --help lists them)", letters);
    bool takes = r->argument != NULL;
    const char *value = takes && letters[1] != '\0' ? letters + 1 + (letters[1] == '=') : NULL;
    int rc = take_option(w, r, value, "--");
    if (rc != EXIT_OK || takes) return rc;
  }
  return EXIT_OK;
}

/* "-" is a file name, "-:key" a part of it, "-1" and "-.5" are numbers. */
static bool is_option(const char *word) {
  return word[0] == '-' && word[1] != '\0' && word[1] != ':' && !isdigit((unsigned char)word[1]) && word[1] != '.';
}

static int take_words(words *w) {
  bool options = true;
  while (w->at < w->argc) {
    const char *word = w->argv[w->at++];
    int rc = EXIT_OK;
    if (!options || !is_option(word))
      cli_list_push(&w->o->args, word);
    else if (strcmp(word, "--") == 0)
      options = false;
    else
      rc = word[1] == '-' ? take_long(w, word + 2) : take_letters(w, word + 1);
    if (rc != EXIT_OK) return rc;
  }
  return EXIT_OK;
}

/* ---- environment, verb */

static int take_environment(cli_options *o) {
  for (size_t i = 0; i < ROWS; i++) {
    const cli_option *r = &cli_options_table[i];
    char name[64] = "TSRUN_";
    if (r->kind == WORDS || r->kind == STAGE || r->offset == AT(help) || r->offset == AT(version)) continue;
    size_t n = strlen(name);
    for (const char *p = r->name; *p != '\0' && n + 1 < sizeof name; p++)
      name[n++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    const char *value = getenv(name);
    if (value == NULL || value[0] == '\0') continue;
    if (!store(o, r, value)) {
      name[n++] = ' ';
      return cli_fail(EXIT_USAGE, "%.*s: \"%s\" is not a valid value of --%s", (int)n - 1, name, value, r->name);
    }
  }
  return EXIT_OK;
}

static void drop_first(cli_list *l) { memmove(l->items, l->items + 1, --l->count * sizeof *l->items); }

static void take_verb(cli_options *o) {
  o->verb = VERB_RUN;
  if (o->args.count == 0) return;
  const char *word = o->args.items[0];
  if (strcmp(word, "help") == 0 && !cli_file_exists(word)) {
    o->help = true;
    drop_first(&o->args);
    if (o->args.count > 0) take_verb(o);
    return;
  }
  for (int v = 0; v < VERB_COUNT; v++) {
    if (strcmp(word, cli_verbs[v].name) != 0) continue;
    o->verb = v;
    o->verb_given = true;
    drop_first(&o->args);
    return;
  }
}

/* -m MODEL is the first word. */
static void take_model(cli_options *o) {
  if (o->model == NULL) return;
  cli_list_push(&o->args, NULL);
  memmove(o->args.items + 1, o->args.items, (o->args.count - 1) * sizeof *o->args.items);
  o->args.items[0] = o->model;
}

int cli_options_parse(cli_options *o, int argc, char **argv) {
  words w = {.o = o, .argv = argv, .argc = argc, .at = 1};
  memset(o, 0, sizeof *o);
  o->top = -1;
  o->opt_level = 2;
  o->warmup = 1;
  o->runs = o->min_runs = -1;
  o->min_time = 1;
  o->rtol = o->atol = -1;
  int rc = take_environment(o);
  const char *env_model = o->model;
  if (rc == EXIT_OK) rc = take_words(&w);
  if (rc != EXIT_OK) return rc;
  take_verb(o);
  const char *first = o->args.count > 0 ? o->args.items[0] : ".";
  if (!o->verb_given && !o->help && o->model == NULL && strpbrk(first, "./-") == NULL && !cli_file_exists(first))
    return cli_fail(EXIT_USAGE, "\"%s\" is neither a verb nor a file (tsrun --help lists the verbs)", first);
  for (size_t i = 0; i < ROWS; i++)
    if (w.given[i] && (cli_options_table[i].verbs & (1u << o->verb)) == 0 && !o->help)
      return cli_fail(EXIT_USAGE, "--%s is no option of \"tsrun %s\" (tsrun %s --help lists them)",
                      cli_options_table[i].name, cli_verbs[o->verb].name, cli_verbs[o->verb].name);
  bool takes_model = (find_long("model", 5)->verbs & (1u << o->verb)) != 0;
  if (takes_model && (o->model != env_model || o->args.count == 0)) take_model(o);
  return EXIT_OK;
}

void cli_options_dispose(cli_options *o) {
  free(o->args.items);
  free(o->inputs.items);
  free(o->renames.items);
}

/* ---- help */

static void help_options(FILE *out, unsigned verb_set) {
  fprintf(out, "\nOptions (anywhere on the line; TSRUN_NAME in the environment sets the default of --name):\n");
  for (size_t i = 0; i < ROWS; i++) {
    const cli_option *r = &cli_options_table[i];
    char left[64];
    if ((r->verbs & verb_set) == 0) continue;
    snprintf(left, sizeof left, "%c%c%s--%s%s%s", r->letter ? '-' : ' ', r->letter ? r->letter : ' ',
             r->letter ? ", " : "  ", r->name, r->argument == NULL ? "" : " ", r->argument == NULL ? "" : r->argument);
    fprintf(out, "  %-24s %s\n", left, r->help);
  }
}

void cli_help(FILE *out, int verb) {
  if (verb < 0) {
    fprintf(out, "tsrun %s: run TorchScript archives without Python and without libtorch\n\nUsage:\n", tsr_version());
    for (int v = 0; v < VERB_COUNT; v++)
      fprintf(out, "  tsrun %-8s %-18s %s\n", cli_verbs[v].name, cli_verbs[v].words, cli_verbs[v].help);
    fprintf(out, "\ntsrun VERB --help tells more about one.\n");
  } else {
    fprintf(out, "Usage: tsrun %s%s%s [OPTIONS]\n\n%c%s.\n", cli_verbs[verb].name, cli_verbs[verb].words[0] ? " " : "",
            cli_verbs[verb].words, toupper((unsigned char)cli_verbs[verb].help[0]), cli_verbs[verb].help + 1);
  }
  if (verb == VERB_WEIGHTS)
    fprintf(out, "\n  tsrun weights ls FILE[:KEY]                names, types, shapes, bytes, device\n"
                 "  tsrun weights print FILE:NAME              values of one\n"
                 "  tsrun weights diff A[:KEY] B[:KEY]         what differs; exit 1 when something does\n"
                 "  tsrun weights convert IN[:KEY] OUT         to .safetensors, .npz or .pt\n"
                 "  tsrun weights extract MODEL OUT            an archive's state dict\n"
                 "  tsrun weights merge MODEL WEIGHTS OUT      the archive with these weights\n"
                 "\nFILE: .pt .pth .bin .ckpt of torch.save, a TorchScript archive, .safetensors, .npz, *.index.json, a folder of\n"
                 "  Hugging Face.  KEY: the way to a state dict in a checkpoint, a part of it, or one tensor.\n");
  if (verb < 0 || verb == VERB_RUN || verb == VERB_BENCH || verb == VERB_PROFILE)
    fprintf(out, "\nINPUT: a file (.npy .npz .pt .safetensors; a tuple or list in a .pt gives one argument an element, "
                 "names in an\n"
                 "  .npz or .safetensors are matched with the parameters), a JSON literal (3, 0.5, true, null, "
                 "'\"text\"', '[1, 2]'),\n"
                 "  NAME=INPUT for one parameter, or - for stdin.\n");
  help_options(out, verb < 0 ? 1u << VERB_RUN : 1u << verb);
  fprintf(out, "\nExit: 0 ok, 1 the model raised or outputs differ, 2 usage, 3 unsupported operator or feature,\n"
               "  4 bad file, 5 limit or out of memory, 6 input or output, 128+N signal N.\n");
}
