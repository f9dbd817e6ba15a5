/* SPDX-License-Identifier: Apache-2.0 */
/** gen_link DIR CONFIG SCENARIO SEED: writes DIR/stimulus.hex and DIR/expected.hex for
 *  tb_link.v. gen_link --list, --shapes: their names.
 *  gen_link --params CONFIG: Icarus options for the parameters of the shape. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

static const struct config configs[] = {
    {"k16t16p1pixels4", 16, 16, 1, 4, 8, 512, 512, 256, 8, 16, 256},
    {"k8t8p2", 8, 8, 2, 1, 8, 1024, 100, 64, 4, 10, 1024},
    {"k4t8p3a4", 4, 8, 3, 1, 4, 64, 65536, 64, 1, 16, 64},
    {"k24t16p1", 24, 16, 1, 1, 8, 100, 512, 64, 2, 16, 128},
};

static const struct scenario *const groups[] = {
    requests_scenarios, line_scenarios, refusals_scenarios, waits_scenarios, random_scenarios};

/** The scenario of that name; without a name, prints all names. */
static const struct scenario *find_scenario(const char *name)
{
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (const struct scenario *s = groups[g]; s->name; s++) {
            if (!name)
                puts(s->name);
            else if (strcmp(s->name, name) == 0)
                return s;
        }
    return NULL;
}

static const struct config *find_config(const char *name)
{
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++)
        if (strcmp(configs[i].name, name) == 0)
            return &configs[i];
    fprintf(stderr, "gen_link: no config %s\n", name);
    exit(2);
}

static void print_params(const struct config *c)
{
    printf(
        "-Ptb_link.K=%u -Ptb_link.T=%u -Ptb_link.P=%u -Ptb_link.PIXELS=%u "
        "-Ptb_link.ACT_W=%u -Ptb_link.AMEM_WORDS=%u -Ptb_link.WMEM_WORDS=%u -Ptb_link.PMEM_CH=%u "
        "-Ptb_link.PROG_LAYERS=%u -Ptb_link.RES_WORDS=%u -Ptb_link.MAX_PAYLOAD=%u\n",
        c->k, c->t, c->p, c->pixels, c->act_w, c->amem, c->wmem, c->pmem, c->layers, c->res,
        c->max_payload);
}

static FILE *open_in(const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f) {
        perror(path);
        exit(2);
    }
    return f;
}

static void write_files(const char *dir, const struct bench *b)
{
    FILE *f = open_in(dir, "stimulus.hex");
    for (size_t i = 0; i < b->n; i++)
        fprintf(f, "%08x\n", (unsigned)b->words[i]);
    fprintf(f, "ff000000\n");
    fclose(f);
    f = open_in(dir, "expected.hex");
    for (size_t i = 0; i < b->answers.n; i++)
        fprintf(f, "%04x\n", b->answers.bytes[i]);
    fprintf(f, "01ff\n");
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        find_scenario(NULL);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--shapes") == 0) {
        for (size_t i = 0; i < sizeof configs / sizeof *configs; i++)
            puts(configs[i].name);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--params") == 0) {
        print_params(find_config(argv[2]));
        return 0;
    }
    if (argc != 5) {
        fprintf(stderr,
                "usage: gen_link DIR CONFIG SCENARIO SEED | --list | --shapes | --params CONFIG\n");
        return 2;
    }
    const struct scenario *s = find_scenario(argv[3]);
    if (!s) {
        fprintf(stderr, "gen_link: no scenario %s\n", argv[3]);
        return 2;
    }
    struct bench b = {.cfg = find_config(argv[2])};
    b.random = strtoull(argv[4], NULL, 10) * 2 + 1;
    model_init(&b.model, b.cfg, &b.answers);
    greet(&b);
    b.model.strange = 0;
    s->run(&b);
    write_files(argv[1], &b);
    free(b.words);
    free(b.answers.bytes);
    return 0;
}
