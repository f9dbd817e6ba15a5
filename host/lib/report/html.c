/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report_internal.h"

/* Length of the UTF-8 sequence at @p s, 0 if it is none. */
static int utf8_length(const unsigned char *s)
{
    int n = s[0] < 0x80 ? 1 : s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (n > 1 && (s[0] < 0xC2 || s[0] > 0xF4))
        return 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

void flx_html_text(FILE *f, const char *text)
{
    static const char special[] = "&<>\"'";
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    const unsigned char *s = (const unsigned char *)text;
    while (*s) {
        int n = utf8_length(s);
        const char *at = strchr(special, *s);
        if (at)
            fputs(names[at - special], f);
        else if (!n || *s < ' ' || *s == 127)
            fputc('?', f);
        else
            fwrite(s, 1, (size_t)n, f);
        s += n ? n : 1;
    }
}

void flx_html_count(FILE *f, uint64_t n)
{
    if (n >= 1000) {
        flx_html_count(f, n / 1000);
        fprintf(f, ",%03" PRIu64, n % 1000);
    } else {
        fprintf(f, "%" PRIu64, n);
    }
}

void flx_html_percent(FILE *f, double share)
{
    if (isnan(share))
        fputs("–", f);
    else
        fprintf(f, "%.2f&nbsp;%%", 100 * share);
}

const char flx_report_style[] =
    ":root{color-scheme:light dark;--page:#f6f6f4;--card:#fff;--text:#1a1a19;--soft:#5b5b57;"
    "--line:#d9d8d2;--c1:#2a6fd0;--c2:#d0541b;--c3:#16866b;--c4:#9a6b00;--c5:#b0407f;"
    "--c6:#5a4fc4;--c7:#a3262b;--c8:#4d7a1e;--heat:42,111,208}"
    "@media(prefers-color-scheme:dark){:root{--page:#161615;--card:#1f1f1e;--text:#eeeeec;"
    "--soft:#b1b0aa;--line:#3d3d3a;--c1:#6aa6f5;--c2:#f08a55;--c3:#3fc29f;--c4:#dba92b;"
    "--c5:#e582ba;--c6:#a399f5;--c7:#f08083;--c8:#9ccb5f;--heat:58,124,220}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--page);color:var(--text);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
    "main{max-width:1280px;margin:0 auto;padding:28px 20px 60px}"
    ".dense{font-size:13px}.dense th,.dense td{padding:4px 7px}a{color:inherit}"
    "h1{font-size:26px;margin:0 0 4px}h2{font-size:20px;margin:44px 0 12px}"
    "h3{font-size:16px;margin:0 0 8px}p{margin:0 0 10px}.soft{color:var(--soft)}"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:8px;"
    "padding:16px 18px;margin:0 0 16px;min-width:0}"
    ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr));"
    "gap:16px}.pair .card{margin:0}.pair{margin:0 0 16px}"
    ".many{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:14px}"
    "figure{margin:0}figcaption{font-size:13px;color:var(--soft)}figcaption b{color:var(--text)}"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px;"
    "font-variant-numeric:tabular-nums}th,td{padding:5px 10px;text-align:left;"
    "border-bottom:1px solid var(--line);white-space:nowrap}th{font-weight:600;"
    "color:var(--soft)}td.n,th.n{text-align:right}tfoot td,tfoot th{font-weight:600;"
    "color:var(--text);border-bottom:0}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;"
    "margin:0 0 16px}.tile{background:var(--card);border:1px solid var(--line);"
    "border-radius:8px;padding:12px 14px}.tile b{display:block;font-size:22px;line-height:1.3}"
    ".tile span{font-size:13px;color:var(--soft)}"
    ".key{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:7px}"
    ".legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;margin:0 0 6px;"
    "list-style:none;padding:0}.legend svg{vertical-align:middle;margin-right:6px}"
    ".bar{display:inline-block;height:9px;border-radius:2px;background:var(--c1);"
    "vertical-align:middle;min-width:2px}td.track{width:100px;min-width:60px}"
    "dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:6px 20px;"
    "margin:0;font-size:14px}dl div{display:flex;justify-content:space-between;gap:10px;"
    "border-bottom:1px solid var(--line)}dt{color:var(--soft)}dd{margin:0;text-align:right;"
    "overflow-wrap:anywhere}"
    ".matrix td,.matrix th{text-align:center;padding:5px 6px;border:1px solid var(--card)}"
    ".matrix{width:auto}.matrix tbody th{text-align:right;padding-right:10px}"
    ".matrix td{min-width:46px;border-radius:3px}.matrix td.hot{color:#fff}"
    ".plot{display:block;width:100%;height:auto;max-width:960px}.plot "
    "g{color:inherit;font-family:inherit}"
    ".plot .gridline{stroke:var(--line)!important;stroke-dasharray:none}"
    ".plot [fill='rgb(0,0,11)']{fill:var(--soft)}.plot [stroke='rgb(  0,   0,  11)']"
    "{stroke:var(--soft)}";
