/** The style sheet of the proxy's pages: light and dark, from the width of a phone on. */
export const style = `
:root{color-scheme:light dark;--back:#f6f7f9;--card:#fff;--text:#1c2026;--soft:#616a77;--line:#dde1e7;--code:#f1f3f6;--link:#1756c4;--good:#177245;--warn:#8a5a00;--bad:#b3261e;--mark:#e4572e}
@media (prefers-color-scheme:dark){:root{--back:#15171b;--card:#1d2025;--text:#e6e8eb;--soft:#9aa3af;--line:#343941;--code:#15171b;--link:#8ab4ff;--good:#6fd3a0;--warn:#f0b95a;--bad:#ff8a80;--mark:#ff7a52}}
*{box-sizing:border-box}
body{font:15px/1.55 system-ui,sans-serif;background:var(--back);color:var(--text);margin:0;padding:1.5rem 1rem;overflow-wrap:anywhere}
header,main,footer{max-width:54rem;margin:0 auto}
header{display:flex;align-items:center;gap:.5rem;font-weight:600;padding:0 .25rem .8rem}
header svg{width:1.3rem;height:1.3rem;flex:none;fill:var(--mark)}
main{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.5rem}
footer{color:var(--soft);font-size:13px;padding:.8rem .25rem}
h1{font-size:1.3rem;line-height:1.3;font-weight:650;margin:0 0 .6rem}
h2{font-size:1.05rem;font-weight:600;margin:1.8rem 0 .1rem}
p{margin:.5rem 0}a{color:var(--link)}.soft{color:var(--soft)}
code{font:.92em ui-monospace,monospace;background:var(--code);border-radius:4px;padding:.1em .3em}
pre{font:12.5px/1.5 ui-monospace,monospace;background:var(--code);border:1px solid var(--line);border-radius:8px;padding:.8rem;margin:1rem 0;max-height:24rem;overflow:auto;white-space:pre-wrap}
table{border-collapse:collapse;width:100%;table-layout:fixed;margin-top:.5rem}
td{border-top:1px solid var(--line);padding:.45rem .8rem .45rem 0;vertical-align:top}
td:nth-child(1){width:18%}td:nth-child(2){width:20%}td:nth-child(3){width:34%}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
@media (max-width:40rem){main{padding:1.1rem}table,tbody,tr,td{display:block}tr{border-top:1px solid var(--line);padding:.5rem 0}td,td:nth-child(n){border:0;padding:0;width:auto}}
`
