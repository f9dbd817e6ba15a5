/* SPDX-License-Identifier: Apache-2.0 */
/* gnuplot draws each plot: the script on its standard input holds numbers and words of this
 * program only, never text of a user. Fixed colours stand for those of the page. */
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flexor/status.h"
#include "report_internal.h"

extern char **environ;

FILE *flx_plot_begin(int width, int height, char **text, size_t *len)
{
    FILE *f = open_memstream(text, len);
    if (!f)
        return NULL;
    fprintf(f,
            "set terminal svg size %d,%d dynamic noenhanced font 'sans-serif,13'\n"
            "set encoding utf8\n"
            "set border 3 lc rgb '#00000b'\n"
            "set tics nomirror scale 0.5 textcolor rgb '#00000b'\n"
            "set xlabel textcolor rgb '#00000b'\nset ylabel textcolor rgb '#00000b'\n"
            "set grid ytics lt 1 lw 1\nunset key\n",
            width, height);
    return f;
}

/* The whole of a temporary file, as a string. The caller frees it. */
static char *read_back(FILE *f)
{
    long n = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    char *text = n >= 0 ? malloc((size_t)n + 1) : NULL;
    if (!text)
        return NULL;
    rewind(f);
    text[fread(text, 1, (size_t)n, f)] = 0;
    return text;
}

/* gnuplot's first words about what is wrong, as one line. */
static int fail_with(FILE *err)
{
    char *text = read_back(err);
    const char *words = text ? text + strspn(text, " \n\t^") : "";
    int status =
        flx_fail(FLX_ERR_INTERNAL, "gnuplot failed: %.200s", *words ? words : "it gave no reason");
    free(text);
    return status;
}

static int run_gnuplot(FILE *in, FILE *out, FILE *err)
{
    static char name[] = "gnuplot", fresh[] = "--default-settings", dash[] = "-";
    char *argv[] = {name, fresh, dash, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int wait = 0, bad = posix_spawn_file_actions_init(&actions);
    if (!bad) {
        FILE *const files[] = {in, out, err};
        for (int i = 0; i < 3 && !bad; i++)
            bad = posix_spawn_file_actions_adddup2(&actions, fileno(files[i]), i);
        if (!bad)
            bad = posix_spawnp(&pid, name, &actions, NULL, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    if (bad == ENOENT)
        return flx_fail(FLX_ERR_NOT_FOUND, "gnuplot draws the plots and is not installed: "
                                           "scripts/install-deps report (apt: gnuplot-nox)");
    if (bad)
        return flx_fail(FLX_ERR_IO, "cannot start gnuplot: %s", strerror(bad));
    while (waitpid(pid, &wait, 0) < 0)
        if (errno != EINTR)
            return flx_fail(FLX_ERR_IO, "cannot wait for gnuplot: %s", strerror(errno));
    return WIFEXITED(wait) && WEXITSTATUS(wait) == 0 ? FLX_OK : fail_with(err);
}

/* Puts the SVG into the page: names inside it get a prefix, since a page has several, and
 * gnuplot's own titles go. */
static int embed(const char *svg, FILE *html, int id, const char *label)
{
    static const char *const named[] = {"id='", "id=\"", "href='#", "url(#"};
    const char *p = strstr(svg, "<svg");
    if (!p || !strstr(p, "</svg>"))
        return flx_fail(FLX_ERR_INTERNAL, "gnuplot wrote no whole SVG");
    fputs("<svg class=\"plot\" role=\"img\" aria-label=\"", html);
    flx_html_text(html, label);
    fputc('"', html);
    for (p += 4; *p; p++) {
        if (!strncmp(p, "<title>", 7) && strstr(p, "</title>"))
            p = strstr(p, "</title>") + 8;
        fputc(*p, html);
        for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
            size_t n = strlen(named[i]);
            if (p + 1 - svg >= (ptrdiff_t)n && !strncmp(p + 1 - n, named[i], n))
                fprintf(html, "p%d-", id);
        }
    }
    return FLX_OK;
}

int flx_plot_end(FILE *script, char **text, const size_t *len, FILE *html, int id,
                 const char *label)
{
    FILE *in = tmpfile(), *out = tmpfile(), *err = tmpfile();
    int status = FLX_OK;
    char *svg = NULL;
    if (fclose(script) != 0)
        status = flx_fail(FLX_ERR_NOMEM, "out of memory for a plot");
    else if (!in || !out || !err || fwrite(*text, 1, *len, in) != *len || fflush(in) != 0)
        status = flx_fail(FLX_ERR_IO, "cannot write a temporary file: %s", strerror(errno));
    if (status == FLX_OK) {
        rewind(in);
        status = run_gnuplot(in, out, err);
    }
    if (status == FLX_OK && !(svg = read_back(out)))
        status = flx_fail(FLX_ERR_IO, "cannot read what gnuplot wrote");
    if (status == FLX_OK)
        status = embed(svg, html, id, label);
    for (int i = 0; i < 3; i++) {
        FILE *f = i == 0 ? in : i == 1 ? out : err;
        if (f)
            fclose(f);
    }
    free(svg);
    free(*text);
    *text = NULL;
    return status;
}
