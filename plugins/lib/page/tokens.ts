/*
 * The colours, sizes and fonts of everything that locald shows in a browser: the dashboard and the pages of the proxy.
 * Other style sheets use these names and no literals.
 */

/** Light and dark have the same names; text has a contrast of at least 4.5:1 on each background in use. */
const light = `--bg:#f6f6f4;--surface:#fff;--sunken:#f0f0ed;--raised:#fff;--line:#e3e3de;--line-strong:#cfcfc8;
--ink:#1b1b19;--ink-2:#53534e;--ink-3:#6a6a64;--accent:#2f55d4;--accent-soft:#e8edfc;--on-accent:#fff;
--ok:#17794a;--wait:#8a5d00;--bad:#bf2f27;--bad-soft:#fdeceb;--wait-soft:#fbf2dc;--hit:#ffe58f;
--shadow:0 12px 40px rgb(0 0 0/.18)`

const dark = `--bg:#121211;--surface:#191918;--sunken:#0e0e0d;--raised:#222220;--line:#2b2b29;--line-strong:#3d3d3a;
--ink:#ececea;--ink-2:#b4b4ae;--ink-3:#94948d;--accent:#8fabff;--accent-soft:#1f2740;--on-accent:#0d1533;
--ok:#4fc78e;--wait:#e5ab45;--bad:#ff7a70;--bad-soft:#33191a;--wait-soft:#2c2413;--hit:#6b5413;
--shadow:0 16px 48px rgb(0 0 0/.6)`

/** The tokens as CSS. They follow the system, or `data-theme` of the root element where a person has chosen. */
export const tokens = `
:root{color-scheme:light dark;
--font:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
--mono:ui-monospace,"SF Mono","Cascadia Mono","JetBrains Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
--text:13px/18px var(--font);--small:12px/16px var(--font);--code:12px/18px var(--mono);
--row:32px;--gap:8px;--pad:16px;--radius:6px;
${light}}
:root[data-theme=light]{color-scheme:light}
:root[data-theme=dark]{color-scheme:dark;${dark}}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){${dark}}}
`
