import { tokens } from './tokens.ts'

/** The style sheet of pages outside the dashboard: light and dark, from the width of a phone on. */
export const style = `${tokens}
*{box-sizing:border-box}
body{font:15px/23px var(--font);background:var(--bg);color:var(--ink);margin:0;padding:24px 16px;overflow-wrap:anywhere}
header,main,footer{max-width:864px;margin:0 auto}
header{display:flex;align-items:center;gap:8px;font-weight:600;padding:0 4px 12px}
header svg{width:20px;height:20px;flex:none;fill:var(--accent)}
header a{margin-left:auto;font:var(--text)}
main{background:var(--surface);border:1px solid var(--line);border-radius:var(--radius);padding:24px}
footer{color:var(--ink-3);font:var(--text);padding:12px 4px}
h1{font-size:20px;line-height:26px;font-weight:650;margin:0 0 10px}
h2{font-size:16px;font-weight:600;margin:28px 0 2px}
p{margin:8px 0}a{color:var(--accent)}.soft{color:var(--ink-3)}
:focus-visible{outline:2px solid var(--accent);outline-offset:1px}
code{font:.92em var(--mono);background:var(--sunken);border-radius:4px;padding:.1em .3em}
pre{font:var(--code);background:var(--sunken);border:1px solid var(--line);border-radius:var(--radius);padding:12px;margin:16px 0;max-height:384px;overflow:auto;white-space:pre-wrap}
table{border-collapse:collapse;width:100%;table-layout:fixed;margin-top:8px}
td{border-top:1px solid var(--line);padding:7px 12px 7px 0;vertical-align:top}
td:nth-child(1){width:18%}td:nth-child(2){width:20%}td:nth-child(3){width:34%}
.good{color:var(--ok)}.warn{color:var(--wait)}.bad{color:var(--bad)}
@media (max-width:640px){main{padding:18px}table,tbody,tr,td{display:block}tr{border-top:1px solid var(--line);padding:8px 0}td,td:nth-child(n){border:0;padding:0;width:auto}}
`
