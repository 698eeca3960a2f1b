/* The command. */
#include <stdio.h>

#include "tsrun.h"

int main(void) {
  printf("tsrun %s\n", tsr_version());
  return 0;
}
