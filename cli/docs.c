/* tsrun help man, tsrun help bash: the manual page and the completion, made from the option table. */
#include <string.h>

#include "options.h"

static void roff(const char *text) {
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '-')
      fputs("\\-", stdout);
    else if (*p == '\\')
      fputs("\\e", stdout);
    else if ((*p == '.' || *p == '\'') && p == text)
      printf("\\&%c", *p);
    else
      putchar(*p);
  }
}

static void roff_option(const cli_option *r) {
  const char *separator = " ";
  printf(".TP\n");
  if (r->letter != 0) printf("\\fB\\-%c\\fR, ", r->letter);
  printf("\\fB\\-\\-");
  roff(r->name);
  printf("\\fR");
  if (r->argument != NULL) printf(" \\fI%s\\fR", r->argument);
  putchar('\n');
  roff(r->help);
  printf(".\nFor:");
  for (int v = 0; v < VERB_COUNT; v++) {
    if ((r->verbs & (1u << v)) == 0) continue;
    printf("%s%s", separator, cli_verbs[v].name);
    separator = ", ";
  }
  printf(".\n");
}

static void man(void) {
  printf(".TH TSRUN 1 \"\" \"tsrun %s\" \"User Commands\"\n.SH NAME\ntsrun \\- run TorchScript archives without Python "
         "and without libtorch\n.SH SYNOPSIS\n",
         tsr_version());
  for (int v = 0; v < VERB_COUNT; v++) {
    printf(".br\n\\fBtsrun %s\\fR ", cli_verbs[v].name);
    roff(cli_verbs[v].words);
    printf(" [\\fIOPTIONS\\fR]\n");
  }
  printf(".SH VERBS\n");
  for (int v = 0; v < VERB_COUNT; v++) {
    printf(".TP\n\\fB%s\\fR\n", cli_verbs[v].name);
    roff(cli_verbs[v].help);
    printf(".\n");
  }
  printf(".SH INPUTS\nA file (.npy .npz .pt .safetensors; a tuple or list in a .pt gives one argument an element, "
         "names in an .npz or .safetensors\n"
         "are matched with the parameters), a JSON literal, NAME=INPUT for one parameter, or \\- for standard "
         "input.\n.SH OPTIONS\n"
         "They may stand anywhere; \\-\\- ends them.\n");
  for (size_t i = 0; i < cli_options_count; i++) roff_option(&cli_options_table[i]);
  printf(".SH ENVIRONMENT\n\\fBTSRUN_\\fINAME\\fR sets the default of the option \\-\\-\\fIname\\fR, with underscores "
         "for hyphens.\n"
         "\\fBTSRUN_ISA\\fR (scalar, avx2, avx512) chooses the kernels.\n.SH EXIT STATUS\n"
         "0 success; 1 the model raised or outputs differ; 2 usage; 3 unsupported operator or feature; 4 bad file;\n"
         "5 limit reached or out of memory; 6 input or output failed; 128+N ended by signal N.\n");
}

static void bash(void) {
  printf("_tsrun() {\n  local cur=${COMP_WORDS[COMP_CWORD]}\n  case $cur in\n  -*) COMPREPLY=($(compgen -W \"");
  for (size_t i = 0; i < cli_options_count; i++) printf("%s--%s", i == 0 ? "" : " ", cli_options_table[i].name);
  printf("\" -- \"$cur\")) ;;\n  *)\n    COMPREPLY=($(compgen -f -- \"$cur\"))\n    [ \"$COMP_CWORD\" -eq 1 ] && "
         "COMPREPLY+=($(compgen -W \"");
  for (int v = 0; v < VERB_COUNT; v++) printf("%s%s", v == 0 ? "" : " ", cli_verbs[v].name);
  printf("\" -- \"$cur\")) ;;\n  esac\n}\ncomplete -o filenames -F _tsrun tsrun\n");
}

bool cli_docs(const char *what) {
  if (strcmp(what, "man") == 0)
    man();
  else if (strcmp(what, "bash") == 0)
    bash();
  else
    return false;
  return true;
}
