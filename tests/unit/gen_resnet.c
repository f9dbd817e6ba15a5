/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a residual network with random weights, for tests of devices:
 *   gen_resnet OUT.safetensors [--kind resnet20] [--n-in 26 | 26,19,14] [--seed 1] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resnet_fixture.h"

static int usage(void)
{
    fputs("usage: gen_resnet OUT.safetensors [--kind resnet20|two-planes|resnet18-small|resnet18]\n"
          "                  [--n-in N | N,N,N] [--seed N]\n",
          stderr);
    return 2;
}

/* "26" or a number for every stage. */
static int take_list(char *text, int n_in[4])
{
    int n = 0;
    for (char *next = strtok(text, ","); next && n < 4; next = strtok(NULL, ","))
        n_in[n++] = atoi(next);
    return n;
}

int main(int argc, char **argv)
{
    int n_in[4] = {26}, n = 1;
    uint64_t seed = 1;
    const struct resnet_kind *kind = &resnet_kinds[0];
    if (argc < 2 || argc % 2)
        return usage();
    for (int i = 2; i < argc; i += 2)
        if (strcmp(argv[i], "--kind") == 0)
            kind = resnet_find(argv[i + 1]);
        else if (strcmp(argv[i], "--n-in") == 0)
            n = take_list(argv[i + 1], n_in);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 0);
        else
            return usage();
    if (!kind || n < 1)
        return usage();
    struct flx_model *m = resnet_model(kind, n_in, n, seed);
    int status = m ? flx_model_save(m, argv[1]) : -1;
    if (status)
        fprintf(stderr, "gen_resnet: %s\n", flx_last_error());
    flx_model_free(m);
    return status ? 1 : 0;
}
